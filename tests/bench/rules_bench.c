/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator's rules cost: one sample through a set that has one rule, less the same through a set
 * that has none; and the bytes that an instance takes. `rules_bench` prints a table.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/policy.h"
#include "analysis/rules.h"
#include "analysis/threshold.h"
#include "base/clock.h"

#define START (INT64_C(1700000000) * GM_SECOND)

enum { SAMPLES = 2000000, HERTZ = 10 };

static const struct rule {
	const char *name;
	const struct gm_detector_ops *ops;
	const char *settings[8][2];
} rules[] = {
	{"threshold, another metric",
	 &gm_threshold_ops,
	 {{"metric", "load.1"}, {"warning-max", "5"}}},
	{"threshold on the value",
	 &gm_threshold_ops,
	 {{"metric", "memory.used"}, {"warning-max", "5"}, {"hysteresis", "1"}, {"hits", "3"}}},
	{"threshold on a mean",
	 &gm_threshold_ops,
	 {{"metric", "memory.used"}, {"warning-max", "5"}, {"function", "avg"}}},
	{"threshold on a percentile",
	 &gm_threshold_ops,
	 {{"metric", "memory.used"}, {"warning-max", "5"}, {"function", "percentile"}}},
	{"policy, one comparison", &gm_policy_ops, {{"condition", "memory.used > 5"}}},
	{"policy, mean, 1 s",
	 &gm_policy_ops,
	 {{"condition", "avg(memory.used, 30s) / memory.total > 0.9"}}},
	{"policy, mean, 100 ms",
	 &gm_policy_ops,
	 {{"condition", "avg(memory.used, 30s) / memory.total > 0.9"}, {"interval", "100ms"}}},
	{"policy, p95, 1 s",
	 &gm_policy_ops,
	 {{"condition", "p95(memory.used, 30s) / memory.total > 0.9"}}},
	{"policy, p95, 100 ms",
	 &gm_policy_ops,
	 {{"condition", "p95(memory.used, 30s) / memory.total > 0.9"}, {"interval", "100ms"}}},
};

static void ignore(void *user, const struct gm_finding *finding)
{
	(void)finding;
	++*(unsigned *)user;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ns per sample of memory.used at 10 Hz, with an evaluation every second. */
static double run(struct gm_detector_set *set)
{
	unsigned count = 0;
	struct gm_finding_sink sink = {ignore, &count};
	struct gm_point total = {.metric = GM_METRIC_MEMORY_TOTAL, .time = START, .value = 10};
	double began = seconds();

	gm_detector_set_observe(set, &total, &sink);
	for (int i = 1; i <= SAMPLES; i++) {
		struct gm_point point = {.metric = GM_METRIC_MEMORY_USED,
					 .time = START + i * (GM_SECOND / HERTZ),
					 .value = i / 1000 % 2 ? 8 : 1 + i % 7 * 0.5};

		gm_detector_set_observe(set, &point, &sink);
		if (i % HERTZ == 0)
			gm_detector_set_evaluate(set, point.time, &sink);
	}
	return (seconds() - began) * 1e9 / SAMPLES;
}

/* Settings with no detector of their own, and the rule. */
static struct gm_detector_settings *settings_with(const struct rule *rule)
{
	struct gm_detector_settings *settings;
	struct gm_error err = {.text = ""};

	if (gm_detector_settings_create(&settings) < 0)
		return NULL;
	for (size_t i = 0; gm_detectors[i]; i++)
		gm_option_set(gm_detectors[i]->options,
			      gm_detector_settings_get(settings, gm_detectors[i]), "enabled",
			      "false", NULL);
	void *options = rule ? calloc(1, rule->ops->options_size) : NULL;
	if (!options)
		return settings;
	gm_option_defaults(rule->ops->options, options);
	for (size_t i = 0; rule->settings[i][0]; i++)
		if (gm_option_set(rule->ops->options, options, rule->settings[i][0],
				  rule->settings[i][1], &err) < 0)
			fprintf(stderr, "%s\n", err.text);
	gm_detector_settings_add_rule(settings, rule->ops, "rule",
				      &(struct gm_match){.entities = 0}, options);
	free(options);
	return settings;
}

static double measure(const struct rule *rule, size_t *ret_bytes)
{
	struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	struct gm_detector_settings *settings = settings_with(rule);
	struct gm_detector_set *set, *warm;

	/* The first set makes the options that all share; the second shows what each guest takes. */
	if (!settings || gm_detector_set_create(settings, &key, &warm) < 0)
		exit(2);
	size_t before = mallinfo2().uordblks;
	if (gm_detector_set_create(settings, &key, &set) < 0)
		exit(2);
	double cost = run(set);
	*ret_bytes = mallinfo2().uordblks - before;
	gm_detector_set_free(set);
	gm_detector_set_free(warm);
	gm_detector_settings_free(settings);
	return cost;
}

int main(void)
{
	size_t bytes;
	double none = measure(NULL, &bytes);

	printf("%-28s %12s %10s\n", "rule", "ns a sample", "bytes");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		double cost = measure(&rules[i], &bytes);

		printf("%-28s %12.1f %10zu\n", rules[i].name, cost - none, bytes);
	}
	return 0;
}
