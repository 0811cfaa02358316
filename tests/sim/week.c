/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's week: many guests of several kinds with their days and nights, reboots, moves, resizes,
 * balloons and pauses; some of them leak. Prints which alarms were false, by detector, by what had
 * happened to the guest and by its kind, and how early the leaks were told.
 *
 * usage: sim_week [--guests N] [--days N] [--every SECONDS] [--seed N] [--list]
 *                 [--limit DETECTOR=N]... [--set DETECTOR.KEY=VALUE]...
 *                 [--record GUEST FILE] [--port N]
 * DETECTOR may be "all". --list prints every false alarm, --record writes the samples of that guest (-1:
 * of the node) for `guestmonctl replay`. Fails when a detector has more false alarms than its limit (and
 * than it promises), or when a leak is missed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/detector.h"
#include "node.h"

enum { DETECTORS_MAX = 8, SETTINGS_MAX = 8 };

#define AFTER (6 * SIM_HOUR) /* an alarm so soon after an event is laid to it */

/* A kind of guest; sizes are parts of its memory. */
struct sort {
	const char *name, *flavor;
	unsigned share; /* of 100 guests */
	double memory;
	unsigned vcpus, ports;
	double level, noise, daily, busy, traffic, swing, warmup;
	struct sim_effect effects[2];
};

static const struct sort sorts[] = {
	{"web", "m1.medium", 30, 4 * SIM_GIB, 2, 1, 0.35, 0.01, 0.4, 0.4, 4e6, 0.7, 120, {{0}}},
	{"database",
	 "m1.large",
	 15,
	 8 * SIM_GIB,
	 4,
	 2,
	 0.6,
	 0.003,
	 0.1,
	 0.3,
	 2e6,
	 0.5,
	 1800,
	 {{SIM_CRON, .size = 1.5, .period = SIM_DAY, .count = 2400},
	  {SIM_CACHE, .size = 2 * SIM_MIB}}},
	{"java",
	 "m1.large",
	 20,
	 8 * SIM_GIB,
	 4,
	 1,
	 0.4,
	 0.005,
	 0.2,
	 0.35,
	 1e6,
	 0.6,
	 300,
	 {{SIM_SAWTOOTH, .size = 0.12, .period = 900}}},
	{"builder",
	 "m1.xlarge",
	 10,
	 16 * SIM_GIB,
	 8,
	 1,
	 0.15,
	 0.005,
	 0.1,
	 0.05,
	 3e5,
	 0.5,
	 60,
	 {{SIM_JOBS, .size = 0.04, .period = 90, .count = 6}}},
	{"batch",
	 "m1.medium",
	 10,
	 4 * SIM_GIB,
	 2,
	 1,
	 0.2,
	 0.004,
	 0,
	 0.1,
	 2e5,
	 0.2,
	 60,
	 {{SIM_CRON, .size = 1.6, .period = SIM_HOUR, .count = 600}}},
	{"idle", "m1.small", 15, 2 * SIM_GIB, 1, 1, 0.15, 0.002, 0, 0.02, 5e3, 0.1, 60, {{0}}},
};

enum { SORTS = sizeof(sorts) / sizeof(sorts[0]) };

/* How often, per guest and day. */
static const struct {
	enum sim_event_kind kind;
	double daily;
	const char *name;
} happenings[] = {
	{SIM_REBOOT, 0.15, "reboot"},   {SIM_RESTART, 0.04, "resize"}, {SIM_MIGRATE, 0.06, "move"},
	{SIM_BALLOON, 0.03, "balloon"}, {SIM_HOTPLUG, 0.02, "plug"},   {SIM_SUSPEND, 0.03, "pause"},
};

enum { HAPPENINGS = sizeof(happenings) / sizeof(happenings[0]) };

struct week {
	size_t guests;
	double days, every;
	uint64_t seed;
	bool list;
	long limits[DETECTORS_MAX]; /* of false alarms; -1: none */
	int record, record_port;
	const char *record_file;
	const char *settings[SETTINGS_MAX + 1];

	struct sim_plan *plans;
	char (*names)[24];
	size_t *sort_of;
	double *leak_from, *leak_lasts; /* by guest: s; 0: does not leak */
	double *leak_told;

	unsigned alarms[DETECTORS_MAX], notices[DETECTORS_MAX];
	unsigned by_entity[DETECTORS_MAX][GM_ENTITY_KINDS];
	unsigned by_cause[DETECTORS_MAX][HAPPENINGS + 1];
	unsigned by_sort[DETECTORS_MAX][SORTS + 1];
};

/* ---- the plans ---- */

static double between(uint64_t *random, double low, double high)
{
	return low + (high - low) * sim_uniform(random);
}

static int by_time(const void *a, const void *b)
{
	double first = ((const struct sim_event *)a)->at,
	       second = ((const struct sim_event *)b)->at;

	return (first > second) - (first < second);
}

static struct sim_event make_event(enum sim_event_kind kind, double at, double memory,
				   uint64_t *random)
{
	struct sim_event event = {.kind = kind, .at = at};

	switch (kind) {
	case SIM_REBOOT:
		event.size = between(random, 15, 120);
		break;
	case SIM_RESTART:
		event.size = between(random, 30, 300);
		event.value = memory * (sim_uniform(random) < 0.5 ? 1.5 : 2);
		break;
	case SIM_MIGRATE:
		event.size = sim_uniform(random) < 0.5 ? 2 : between(random, 600, 7200);
		break;
	case SIM_BALLOON:
		event.size = memory * between(random, 0.8, 1);
		break;
	case SIM_HOTPLUG:
		event.size = memory / 2;
		break;
	default:
		event.size = between(random, 5, 3600);
		break;
	}
	return event;
}

static void plan_events(struct sim_plan *plan, double days, uint64_t *random)
{
	size_t count = 0;

	for (size_t i = 0; i < HAPPENINGS; i++) {
		for (double day = 0; day < days; day++) {
			double at = (day + sim_uniform(random)) * SIM_DAY;

			if (sim_uniform(random) < happenings[i].daily && count < SIM_EVENTS_MAX)
				plan->events[count++] =
					make_event(happenings[i].kind, at, plan->memory, random);
		}
	}
	qsort(plan->events, count, sizeof(plan->events[0]), by_time);
}

/* Four of a hundred leak: what is free at night goes within one to three days. */
static void plan_leak(struct week *week, size_t number, uint64_t *random)
{
	struct sim_plan *plan = &week->plans[number];
	double lasts = between(random, 1, 3) * SIM_DAY;
	double from = between(random, 0.3, 0.6) * week->days * SIM_DAY;
	double free = plan->memory * (0.9 - plan->level);

	if (number % 25 != 7)
		return;
	/* Reboots would end it: it is left alone from then on. */
	for (size_t i = 0; i < SIM_EVENTS_MAX; i++)
		if (plan->events[i].at > from - SIM_DAY / 4)
			plan->events[i] = (struct sim_event){.kind = SIM_NEVER};
	plan->effects[5] = (struct sim_effect){SIM_LEAK, .at = from, .size = free / lasts};
	week->leak_from[number] = from;
	week->leak_lasts[number] = lasts;
}

static size_t choose_sort(size_t number)
{
	size_t place = number * 37 % 100, sort = 0;

	while (place >= sorts[sort].share)
		place -= sorts[sort++].share;
	return sort;
}

static void make_plan(struct week *week, size_t number)
{
	const struct sort *sort = &sorts[choose_sort(number)];
	uint64_t random = week->seed * 7919 + number;
	struct sim_plan *plan = &week->plans[number];

	sim_uniform(&random);
	snprintf(week->names[number], sizeof(week->names[0]), "%s-%zu", sort->name, number);
	*plan = (struct sim_plan){
		.name = week->names[number],
		.flavor = sort->flavor,
		.seed = week->seed * 1000 + number,
		.memory = sort->memory,
		.vcpus = sort->vcpus,
		.ports = sort->ports,
		.level = sort->level * between(&random, 0.8, 1.2),
		.noise = sort->noise * between(&random, 0.5, 1.5),
		.daily = sort->daily * between(&random, 0.5, 1.5),
		.busy = sort->busy * between(&random, 0.5, 1.5),
		.traffic = sort->traffic * between(&random, 0.3, 2),
		.swing = sort->swing * between(&random, 0.7, 1.2),
		.warmup = sort->warmup * between(&random, 0.5, 2),
		.phase = between(&random, -2, 2) * SIM_HOUR,
	};
	for (size_t i = 0; i < 2; i++) {
		struct sim_effect *effect = &plan->effects[i];

		*effect = sort->effects[i];
		if (effect->kind == SIM_SAWTOOTH || effect->kind == SIM_JOBS)
			effect->size *= plan->memory * between(&random, 0.6, 1.4);
		if (effect->kind == SIM_SAWTOOTH)
			effect->period *= exp(between(&random, -2, 2));
	}
	week->sort_of[number] = (size_t)(sort - sorts);
	plan_events(plan, week->days, &random);
	plan_leak(week, number, &random);
}

/* ---- the judgement ---- */

static size_t detector_place(const char *name)
{
	size_t place = 0;

	while (gm_detectors[place] && strcmp(gm_detectors[place]->name, name) != 0)
		place++;
	return place < DETECTORS_MAX ? place : DETECTORS_MAX - 1;
}

/* What had happened to the guest not long before; HAPPENINGS: nothing. */
static size_t cause_of(const struct sim_plan *plan, double time)
{
	size_t cause = HAPPENINGS;

	for (size_t i = 0; i < SIM_EVENTS_MAX && plan->events[i].kind; i++) {
		const struct sim_event *event = &plan->events[i];

		if (event->at > time || event->at + event->size < time - AFTER)
			continue;
		for (cause = 0; happenings[cause].kind != event->kind;)
			cause++;
	}
	return cause;
}

static void judge_notice(struct week *week, const struct sim_notice *notice)
{
	size_t place = detector_place(notice->detector), cause = HAPPENINGS, sort = SORTS;
	int guest = notice->guest;

	if (guest != SIM_NODE && week->leak_lasts[guest] > 0 &&
	    notice->time >= week->leak_from[guest]) {
		if (strcmp(notice->detector, "leak") == 0 && week->leak_told[guest] == 0)
			week->leak_told[guest] = notice->time;
		return;
	}
	if (guest != SIM_NODE) {
		cause = cause_of(&week->plans[guest], notice->time);
		sort = week->sort_of[guest];
	}
	week->alarms[place]++;
	week->by_entity[place][notice->entity]++;
	week->by_cause[place][cause]++;
	week->by_sort[place][sort]++;
	if (week->list)
		printf("%10.0f s  day %5.2f  guest %3d %-12s %-9s %-18s after %s %s\n",
		       notice->time, notice->time / SIM_DAY, guest,
		       guest == SIM_NODE ? "node" : week->plans[guest].name, notice->detector,
		       notice->metric, cause < HAPPENINGS ? happenings[cause].name : "nothing",
		       notice->contributors);
}

static void print_table(const struct week *week)
{
	static const char *const entities[GM_ENTITY_KINDS] = {"node", "guest", "port", "disk",
							      "process"};

	printf("\n%-10s %7s %7s %10s |", "", "notices", "false", "guest-day");
	for (size_t i = 0; i < GM_ENTITY_KINDS - 1; i++)
		printf(" %6s", entities[i]);
	printf(" |");
	for (size_t i = 0; i < HAPPENINGS; i++)
		printf(" %7s", happenings[i].name);
	printf(" %7s |", "nothing");
	for (size_t i = 0; i < SORTS; i++)
		printf(" %8s", sorts[i].name);
	printf("\n");
	for (size_t d = 0; gm_detectors[d]; d++) {
		printf("%-10s %7u %7u %10.4f |", gm_detectors[d]->name, week->notices[d],
		       week->alarms[d], week->alarms[d] / ((double)week->guests * week->days));
		for (size_t i = 0; i < GM_ENTITY_KINDS - 1; i++)
			printf(" %6u", week->by_entity[d][i]);
		printf(" |");
		for (size_t i = 0; i <= HAPPENINGS; i++)
			printf(" %7u", week->by_cause[d][i]);
		printf(" |");
		for (size_t i = 0; i < SORTS; i++)
			printf(" %8u", week->by_sort[d][i]);
		printf("\n");
	}
}

/* Prints how the leaks were told; false when one was not. */
static bool print_leaks(const struct week *week)
{
	unsigned count = 0, told = 0;
	double gone = 0, most = 0;

	for (size_t i = 0; i < week->guests; i++) {
		if (!(week->leak_lasts[i] > 0))
			continue;
		count++;
		if (week->leak_told[i] == 0)
			continue;
		double part = (week->leak_told[i] - week->leak_from[i]) / week->leak_lasts[i];
		told++;
		gone += part;
		most = fmax(most, part);
	}
	printf("\nleaks: %u, told: %u; gone by then of what was free at night: %.0f %% on average, "
	       "%.0f %% at most\n",
	       count, told, told ? 100 * gone / told : 0, 100 * most);
	return told == count;
}

static bool report(struct week *week, const struct sim_node *node, double seconds)
{
	size_t count, events[HAPPENINGS] = {0};
	const struct sim_notice *notices = sim_node_notices(node, &count);
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		week->notices[detector_place(notices[i].detector)]++;
		if (notices[i].kind == GM_TRANSITION_RAISE)
			judge_notice(week, &notices[i]);
	}
	printf("%zu guests, %g days, every %g s: %.1f million readings in %.1f s (%.0f ns each)\n",
	       week->guests, week->days, week->every, (double)sim_node_readings(node) / 1e6,
	       seconds, seconds * 1e9 / (double)sim_node_readings(node));
	for (size_t g = 0; g < week->guests; g++)
		for (size_t i = 0; i < SIM_EVENTS_MAX && week->plans[g].events[i].kind; i++)
			for (size_t h = 0; h < HAPPENINGS; h++)
				events[h] += happenings[h].kind == week->plans[g].events[i].kind;
	for (size_t h = 0; h < HAPPENINGS; h++)
		printf("%s%s %zu", h ? ", " : "events: ", happenings[h].name, events[h]);
	printf("; raises held back: %llu\n", (unsigned long long)sim_node_limited(node));
	print_table(week);
	good = print_leaks(week);
	for (size_t d = 0; gm_detectors[d]; d++) {
		if (week->limits[d] < 0 || week->alarms[d] <= week->limits[d])
			continue;
		printf("%s: %u false alarms, allowed %ld\n", gm_detectors[d]->name, week->alarms[d],
		       week->limits[d]);
		good = false;
	}
	return good;
}

/* ---- the run ---- */

static bool allocate(struct week *week)
{
	size_t count = week->guests;

	week->plans = calloc(count, sizeof(*week->plans));
	week->names = calloc(count, sizeof(*week->names));
	week->sort_of = calloc(count, sizeof(*week->sort_of));
	week->leak_from = calloc(count, sizeof(double));
	week->leak_lasts = calloc(count, sizeof(double));
	week->leak_told = calloc(count, sizeof(double));
	return week->plans && week->names && week->sort_of && week->leak_from && week->leak_lasts &&
	       week->leak_told;
}

static void release(struct week *week)
{
	free(week->plans);
	free(week->names);
	free(week->sort_of);
	free(week->leak_from);
	free(week->leak_lasts);
	free(week->leak_told);
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool run(struct week *week)
{
	FILE *record = NULL;
	bool good = false;

	for (size_t i = 0; i < week->guests; i++)
		make_plan(week, i);
	const struct sim_node_options options = {
		.plans = week->plans,
		.count = week->guests,
		.interval = week->every,
		.jitter = 0.02,
		.port_speed = 1e9,
		.settings = week->settings,
	};
	double began = cpu_seconds();
	struct sim_node *node = sim_node_create(&options);
	if (!node)
		return false;
	if (week->record_file) {
		record = fopen(week->record_file, "w");
		if (!record) {
			perror(week->record_file);
			goto out;
		}
		sim_node_record(node, week->record, week->record_port, record);
	}
	if (sim_node_run(node, week->days * SIM_DAY) == 0)
		good = report(week, node, cpu_seconds() - began);
	if (record && fclose(record) != 0)
		good = false;
out:
	sim_node_free(node);
	return good;
}

static bool parse_limit(struct week *week, const char *text)
{
	const char *equals = strchr(text, '=');
	bool known = false;

	for (size_t i = 0; equals && gm_detectors[i]; i++) {
		const char *name = gm_detectors[i]->name;
		size_t length = (size_t)(equals - text);

		if (strncmp("all", text, length) != 0 &&
		    (strlen(name) != length || strncmp(name, text, length) != 0))
			continue;
		week->limits[i] = strtol(equals + 1, NULL, 10);
		known = true;
	}
	return known;
}

/* The options that are one number; false: `word` is none of them, or out of range. */
static bool parse_number(struct week *week, const char *word, const char *value)
{
	double guests = (double)week->guests, seed = (double)week->seed, port = week->record_port;
	const struct {
		const char *word;
		double *target, least, most;
	} options[] = {
		{"--guests", &guests, 1, 10000},          {"--days", &week->days, 0.01, 1000},
		{"--every", &week->every, 0.01, 3600},    {"--seed", &seed, 0, 1e9},
		{"--port", &port, -1, SIM_PORTS_MAX - 1},
	};
	double number = strtod(value, NULL);
	bool known = false;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(word, options[i].word) != 0 || !(number >= options[i].least) ||
		    !(number <= options[i].most))
			continue;
		*options[i].target = number;
		known = true;
	}
	week->guests = (size_t)guests;
	week->seed = (uint64_t)seed;
	week->record_port = (int)port;
	return known;
}

static bool parse(int argc, char **argv, struct week *week)
{
	size_t settings = 0;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strcmp(word, "--list") == 0) {
			week->list = true;
		} else if (strcmp(word, "--record") == 0 && i + 2 < argc) {
			week->record = (int)strtol(argv[++i], NULL, 10);
			week->record_file = argv[++i];
		} else if (i + 1 == argc) {
			return false;
		} else if (strcmp(word, "--limit") == 0) {
			if (!parse_limit(week, argv[++i]))
				return false;
		} else if (strcmp(word, "--set") == 0) {
			if (settings == SETTINGS_MAX)
				return false;
			week->settings[settings++] = argv[++i];
		} else if (!parse_number(week, word, argv[++i])) {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct week week = {
		.guests = 200,
		.days = 7,
		.every = 30,
		.seed = 1,
		.record = SIM_NODE,
		.record_port = -1,
	};
	bool good = false;

	memset(week.limits, -1, sizeof(week.limits));
	if (!parse(argc, argv, &week)) {
		fprintf(stderr,
			"usage: %s [--guests N] [--days N] [--every SECONDS] [--seed N] [--list]\n"
			"       [--limit DETECTOR=N]... [--set DETECTOR.KEY=VALUE]...\n"
			"       [--record GUEST FILE] [--port N]\n",
			argv[0]);
		return 2;
	}
	if (allocate(&week))
		good = run(&week);
	release(&week);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
