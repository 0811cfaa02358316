/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs scenarios and judges what came of them; see scenario.h. The judgement knows no detector: a raise
 * that no expectation covers is a false alarm, whoever told it.
 */
#include "scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/detector.h"
#include "node.h"

enum {
	DETECTORS_MAX = 8,
	NOTICES_AN_HOUR = 100, /* more than that is a storm: each becomes a notification */
};

struct outcome {
	unsigned expected, found, unwanted[DETECTORS_MAX];
	unsigned busiest; /* notices within an hour, at most */
	unsigned raised[SIM_EXPECTATIONS_MAX];
	double delay[SIM_EXPECTATIONS_MAX];
};

struct arguments {
	const char *name, *record;
	int port;
	bool verbose;
};

static size_t detector_place(const char *name)
{
	size_t place = 0;

	while (gm_detectors[place] && strcmp(gm_detectors[place]->name, name) != 0)
		place++;
	return place < DETECTORS_MAX ? place : DETECTORS_MAX - 1;
}

/* The expectation that covers a raise, or NULL. */
static size_t covering(const struct sim_scenario *scenario, const struct sim_notice *notice)
{
	size_t i = 0;

	while (i < SIM_EXPECTATIONS_MAX) {
		const struct sim_expectation *expectation = &scenario->expect[i];

		if (expectation->detector && strcmp(expectation->detector, notice->detector) == 0 &&
		    notice->time >= expectation->from && notice->time <= expectation->to)
			break;
		i++;
	}
	return i;
}

static void judge(const struct sim_scenario *scenario, const struct sim_node *node, bool verbose,
		  struct outcome *outcome)
{
	size_t count;
	const struct sim_notice *notices = sim_node_notices(node, &count);

	for (size_t i = 0, oldest = 0; i < count; i++) {
		const struct sim_notice *notice = &notices[i];
		size_t place = covering(scenario, notice);

		while (notices[oldest].time < notice->time - SIM_HOUR)
			oldest++;
		if (i + 1 - oldest > outcome->busiest)
			outcome->busiest = (unsigned)(i + 1 - oldest);
		if (verbose && notice->kind != GM_TRANSITION_CHANGE)
			printf("    %12.3f s  %-6s %-8s %s guest %d %s\n", notice->time,
			       gm_transition_name(notice->kind), notice->detector, notice->metric,
			       notice->guest, notice->contributors);
		if (notice->kind != GM_TRANSITION_RAISE)
			continue;
		if (place == SIM_EXPECTATIONS_MAX)
			outcome->unwanted[detector_place(notice->detector)]++;
		else if (outcome->raised[place]++ == 0)
			outcome->delay[place] = notice->time - scenario->expect[place].from;
	}
}

/* What the guest and the node may have of false alarms, rounded up from a tenth on. */
static unsigned acceptable(const struct gm_detector_ops *ops, double seconds)
{
	return (unsigned)(2 * sim_promised(ops) * seconds / SIM_DAY + 0.9);
}

/* Whether all is as it must be; the longest delay, NAN without one. */
static bool weigh(const struct sim_scenario *scenario, struct outcome *outcome, double *ret_delay)
{
	bool good = outcome->busiest <= NOTICES_AN_HOUR;
	double delay = NAN;

	for (size_t i = 0; i < SIM_EXPECTATIONS_MAX; i++) {
		const struct sim_expectation *expectation = &scenario->expect[i];

		if (!expectation->detector)
			continue;
		good = good &&
		       (expectation->raises == 0 || outcome->raised[i] <= expectation->raises);
		if (expectation->tolerated)
			continue;
		outcome->expected++;
		outcome->found += outcome->raised[i] > 0;
		if (outcome->raised[i] > 0)
			delay = fmax(delay, outcome->delay[i]);
	}
	for (size_t i = 0; gm_detectors[i]; i++)
		good = good &&
		       outcome->unwanted[i] <= acceptable(gm_detectors[i], scenario->seconds);
	*ret_delay = delay;
	return good && outcome->found == outcome->expected;
}

/* Prints the line of a scenario; true when all is as it must be, or is said not to be. */
static bool report(const struct sim_scenario *scenario, struct outcome *outcome)
{
	double delay;
	bool good = weigh(scenario, outcome, &delay);

	printf("%-44s %7g %8.4g %8u %5u ", scenario->name, scenario->interval,
	       scenario->seconds / SIM_HOUR, outcome->expected, outcome->found);
	if (isnan(delay))
		printf("%9s", "-");
	else
		printf("%9.1f", delay);
	printf(" %9u", outcome->busiest);
	for (size_t i = 0; gm_detectors[i]; i++)
		printf(" %9u", outcome->unwanted[i]);
	printf("  %s%s\n",
	       good               ? "ok"
	       : scenario->missed ? "missed: "
				  : "FAILED",
	       !good && scenario->missed ? scenario->missed : "");
	fflush(stdout);
	return good || scenario->missed;
}

static bool run(const struct sim_scenario *scenario, const struct arguments *arguments)
{
	const char *settings[5] = {NULL};
	struct outcome outcome = {0};
	FILE *record = NULL;
	bool good = false;

	memcpy(settings, scenario->settings, sizeof(scenario->settings));
	const struct sim_node_options options = {
		.plans = &scenario->plan,
		.count = 1,
		.interval = scenario->interval,
		.jitter = scenario->jitter,
		.lost = scenario->lost,
		.port_speed = 1e9,
		.settings = settings,
	};
	struct sim_node *node = sim_node_create(&options);

	if (!node)
		return false;
	if (arguments->record) {
		record = fopen(arguments->record, "w");
		if (!record) {
			perror(arguments->record);
			goto out;
		}
		sim_node_record(node, 0, arguments->port, record);
	}
	if (sim_node_run(node, scenario->seconds) < 0) {
		fprintf(stderr, "%s: out of memory\n", scenario->name);
		goto out;
	}
	judge(scenario, node, arguments->verbose, &outcome);
	good = report(scenario, &outcome);
out:
	if (record && fclose(record) != 0)
		good = false;
	sim_node_free(node);
	return good;
}

static bool parse(int argc, char **argv, struct arguments *ret_arguments)
{
	*ret_arguments = (struct arguments){.port = -1};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			ret_arguments->verbose = true;
		else if (strcmp(argv[i], "--record") == 0 && i + 1 < argc)
			ret_arguments->record = argv[++i];
		else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc)
			ret_arguments->port = (int)strtol(argv[++i], NULL, 10);
		else if (argv[i][0] != '-' && !ret_arguments->name)
			ret_arguments->name = argv[i];
		else
			return false;
	}
	return true;
}

int sim_scenarios_main(const struct sim_scenario *scenarios, size_t count, int argc, char **argv)
{
	struct arguments arguments;
	bool good = true;
	size_t ran = 0;

	if (!parse(argc, argv, &arguments)) {
		fprintf(stderr, "usage: %s [-v] [--record FILE [--port N]] [NAME]\n", argv[0]);
		return 2;
	}
	printf("%-44s %7s %8s %8s %5s %9s %9s", "scenario", "every s", "hours", "expected", "found",
	       "delay s", "notices/h");
	for (size_t i = 0; gm_detectors[i]; i++)
		printf(" %9s", gm_detectors[i]->name);
	printf("\n");
	for (size_t i = 0; i < count; i++) {
		if (arguments.name && !strstr(scenarios[i].name, arguments.name))
			continue;
		good = run(&scenarios[i], &arguments) && good;
		ran++;
	}
	return good && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
