/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sample costs in all detectors, and what a series keeps in memory: a guest as a node sees it, at
 * 10 Hz, with its ports and its disk; each detector alone; and what the leak detector makes of several
 * shapes of memory. Beside them the naive way: the last ten seconds of each series kept and gone
 * through anew for every sample. Prints tables; exit 1 when a series keeps more than 8 kB or, by
 * hand, when a sample costs more ns than the argument. Numbers are of one thread's CPU time.
 */
#include <malloc.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analysis/detector.h"
#include "analysis/rules.h"
#include "base/clock.h"

enum { SECONDS = 2000, HERTZ = 10, SIZE_LIMIT = 8192, NAIVE = 100 };

#define START (INT64_C(1700006400) * GM_SECOND)

/* ---- what is measured of a guest ---- */

struct series {
	unsigned entity; /* 0: the guest; 1, 2: its ports; 3: its disk */
	unsigned metric;
	double level; /* a gauge's value, or a counter's increase per second */
	double noise; /* part of it */
};

enum { ENTITIES = 4 };

static const struct series guest_series[] = {
	{0, GM_METRIC_GUEST_STATE, 1, 0},
	{0, GM_METRIC_CPU_TIME, 5e8, 0.3},
	{0, GM_METRIC_CPU_COUNT, 2, 0},
	{0, GM_METRIC_VCPU_WAIT, 1e6, 0.8},
	{0, GM_METRIC_MEMORY_TOTAL, 8e9, 0},
	{0, GM_METRIC_MEMORY_USED, 3e9, 0.01},
	{0, GM_METRIC_MEMORY_AVAILABLE, 5e9, 0.01},
	{0, GM_METRIC_MEMORY_UNUSED, 2e9, 0.01},
	{0, GM_METRIC_MEMORY_CACHED, 2e9, 0.01},
	{0, GM_METRIC_MEMORY_RESIDENT, 7e9, 0},
	{0, GM_METRIC_FAULT_MAJOR, 0.1, 1},
	{0, GM_METRIC_FAULT_MINOR, 2000, 0.6},
	{1, GM_METRIC_NET_RX_BYTES, 2e6, 0.8},
	{1, GM_METRIC_NET_RX_PACKETS, 3000, 0.8},
	{1, GM_METRIC_NET_RX_ERRORS, 0, 0},
	{1, GM_METRIC_NET_RX_DROPPED, 0, 0},
	{1, GM_METRIC_NET_TX_BYTES, 1e6, 0.8},
	{1, GM_METRIC_NET_TX_PACKETS, 2000, 0.8},
	{1, GM_METRIC_NET_TX_ERRORS, 0, 0},
	{1, GM_METRIC_NET_TX_DROPPED, 0, 0},
	{2, GM_METRIC_NET_RX_BYTES, 1e4, 0.9},
	{2, GM_METRIC_NET_RX_PACKETS, 20, 0.9},
	{2, GM_METRIC_NET_RX_ERRORS, 0, 0},
	{2, GM_METRIC_NET_RX_DROPPED, 0, 0},
	{2, GM_METRIC_NET_TX_BYTES, 1e4, 0.9},
	{2, GM_METRIC_NET_TX_PACKETS, 20, 0.9},
	{2, GM_METRIC_NET_TX_ERRORS, 0, 0},
	{2, GM_METRIC_NET_TX_DROPPED, 0, 0},
	{3, GM_METRIC_DISK_READ_BYTES, 1e5, 0.9},
	{3, GM_METRIC_DISK_READ_REQUESTS, 10, 0.9},
	{3, GM_METRIC_DISK_READ_TIME, 1e6, 0.9},
	{3, GM_METRIC_DISK_WRITE_BYTES, 4e5, 0.9},
	{3, GM_METRIC_DISK_WRITE_REQUESTS, 40, 0.9},
	{3, GM_METRIC_DISK_WRITE_TIME, 4e6, 0.9},
	{3, GM_METRIC_DISK_CAPACITY, 4e10, 0},
	{3, GM_METRIC_DISK_ALLOCATION, 1e10, 0},
};

enum { GUEST_SERIES = sizeof(guest_series) / sizeof(guest_series[0]) };

static double noise(double time)
{
	double x = sin(time * 12.9898) * 43758.5453;

	return x - floor(x);
}

static double thread_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void ignore(void *user, const struct gm_finding *finding)
{
	*(unsigned *)user += finding->active;
}

/* The points of a second, made ahead so that only the detectors are measured. */
static void make_second(struct gm_point points[HERTZ][GUEST_SERIES], unsigned second)
{
	for (unsigned tick = 0; tick < HERTZ; tick++) {
		double time = second + (double)(tick + 1) / HERTZ;

		for (size_t i = 0; i < GUEST_SERIES; i++) {
			const struct series *series = &guest_series[i];
			bool gauge = gm_metric_kind(series->metric) == GM_KIND_GAUGE;
			double part = 1 + series->noise * (2 * noise(time + 7 * (double)i) - 1);

			points[tick][i] = (struct gm_point){
				.metric = series->metric,
				.time = START + (int64_t)(time * 1e9),
				.span = gauge ? 0 : GM_SECOND / HERTZ,
				.value = series->level * part / (gauge ? 1 : HERTZ),
			};
		}
	}
}

struct guest {
	struct gm_entity_key keys[ENTITIES];
	struct gm_detector_set *sets[ENTITIES];
};

static int guest_create(struct gm_detector_settings *settings, struct guest *guest)
{
	static const uint8_t uuid[GM_UUID_SIZE] = {1};

	*guest = (struct guest){
		.keys = {gm_entity_guest(uuid), gm_entity_interface("tap0"),
			 gm_entity_interface("tap1"), gm_entity_disk(uuid, "vda")},
	};
	for (size_t i = 0; i < ENTITIES; i++) {
		if (gm_detector_set_create(settings, &guest->keys[i], &guest->sets[i]) < 0)
			return -1;
	}
	return 0;
}

static void guest_free(struct guest *guest)
{
	for (size_t i = 0; i < ENTITIES; i++)
		gm_detector_set_free(guest->sets[i]);
}

/* As the intake does it: the entity's own detectors, and those of the guest as a whole. */
static void observe(const struct guest *guest, const struct series *series,
		    const struct gm_point *point, const struct gm_finding_sink *sink)
{
	gm_detector_set_observe(guest->sets[series->entity], point, sink);
	if (series->entity != 0)
		gm_detector_set_observe_part(guest->sets[0], &guest->keys[series->entity], point,
					     sink);
}

struct cost {
	double observe, evaluate; /* ns per sample */
	size_t bytes;             /* of all sets */
};

static int run_guest(struct gm_detector_settings *settings, struct cost *ret_cost)
{
	static struct gm_point points[HERTZ][GUEST_SERIES];
	size_t before = mallinfo2().uordblks;
	unsigned active = 0;
	struct gm_finding_sink sink = {.emit = ignore, .user = &active};
	struct cost cost = {0};
	struct guest guest;
	int result = guest_create(settings, &guest);

	for (unsigned second = 0; result == 0 && second < SECONDS; second++) {
		double began, observed;

		make_second(points, second);
		began = thread_seconds();
		for (unsigned tick = 0; tick < HERTZ; tick++)
			for (size_t i = 0; i < GUEST_SERIES; i++)
				observe(&guest, &guest_series[i], &points[tick][i], &sink);
		observed = thread_seconds();
		for (size_t i = 0; i < ENTITIES; i++)
			gm_detector_set_evaluate(guest.sets[i], points[HERTZ - 1][0].time, &sink);
		cost.observe += observed - began;
		cost.evaluate += thread_seconds() - observed;
	}
	cost.bytes = mallinfo2().uordblks - before;
	cost.observe *= 1e9 / ((double)SECONDS * HERTZ * GUEST_SERIES);
	cost.evaluate *= 1e9 / ((double)SECONDS * HERTZ * GUEST_SERIES);
	guest_free(&guest);
	*ret_cost = cost;
	return result;
}

static void print_cost(const char *name, const struct cost *cost)
{
	printf("%-28s %9.1f %9.1f %9.1f %9zu %9zu\n", name, cost->observe, cost->evaluate,
	       cost->observe + cost->evaluate, cost->bytes, cost->bytes / GUEST_SERIES);
}

/* Everything but `only` switched off; NULL: nothing. */
static void enable(struct gm_detector_settings *settings, const struct gm_detector_ops *only)
{
	for (size_t i = 0; gm_detectors[i]; i++) {
		const struct gm_detector_ops *ops = gm_detectors[i];

		gm_option_set(ops->options, gm_detector_settings_get(settings, ops), "enabled",
			      !only || ops == only ? "true" : "false", NULL);
	}
}

/* What an operator may add: each of these for every entity that has the metric. */
static int add_rules(struct gm_detector_settings *settings)
{
	static const struct {
		const char *detector, *name, *key, *value, *limit, *at;
	} rules[] = {
		{"threshold", "cpu", "metric", "cpu.time", "failure-max", "1.8e9"},
		{"threshold", "memory", "metric", "memory.used", "warning-max", "7e9"},
		{"threshold", "rx", "metric", "net.rx.bytes", "warning-max", "1e8"},
		{"threshold", "drops", "metric", "net.rx.dropped", "warning-max", "10"},
		{"policy", "full", "condition",
		 "avg(memory.used, 30s) / memory.total > 0.9 and p95(cpu.time, 1m) > 1.5e9", "for",
		 "1m"},
	};
	int result = 0;

	for (size_t i = 0; result >= 0 && i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct gm_detector_ops *ops = gm_detector_find(rules[i].detector);
		struct gm_match match = {0};
		void *options = calloc(1, ops->options_size);

		if (!options)
			return -1;
		gm_option_defaults(ops->options, options);
		result = gm_option_set(ops->options, options, rules[i].key, rules[i].value, NULL);
		if (result >= 0)
			result = gm_option_set(ops->options, options, rules[i].limit, rules[i].at,
					       NULL);
		if (result >= 0)
			result = gm_detector_settings_add_rule(settings, ops, rules[i].name, &match,
							       options);
		free(options);
	}
	return result;
}

/* ---- the naive way ---- */

struct naive {
	double values[NAIVE], times[NAIVE];
	size_t next, count;
};

/* A line and the scatter about it, from all that is kept. */
static double naive_take(struct naive *naive, double time, double value)
{
	double t = 0, v = 0, tt = 0, tv = 0, scatter = 0, slope;

	naive->values[naive->next] = value;
	naive->times[naive->next] = time;
	naive->next = (naive->next + 1) % NAIVE;
	naive->count += naive->count < NAIVE;
	for (size_t i = 0; i < naive->count; i++) {
		t += naive->times[i];
		v += naive->values[i];
	}
	t /= (double)naive->count;
	v /= (double)naive->count;
	for (size_t i = 0; i < naive->count; i++) {
		tt += (naive->times[i] - t) * (naive->times[i] - t);
		tv += (naive->times[i] - t) * (naive->values[i] - v);
	}
	slope = tt > 0 ? tv / tt : 0;
	for (size_t i = 0; i < naive->count; i++)
		scatter += fabs(naive->values[i] - v - slope * (naive->times[i] - t));
	return scatter;
}

static void run_naive(struct cost *ret_cost)
{
	static struct gm_point points[HERTZ][GUEST_SERIES];
	static struct naive naive[GUEST_SERIES];
	volatile double sum = 0;
	double seconds = 0;

	for (unsigned second = 0; second < SECONDS / 4; second++) {
		make_second(points, second);
		double began = thread_seconds();
		for (unsigned tick = 0; tick < HERTZ; tick++)
			for (size_t i = 0; i < GUEST_SERIES; i++)
				sum += naive_take(&naive[i], second + (double)tick / HERTZ,
						  points[tick][i].value);
		seconds += thread_seconds() - began;
	}
	*ret_cost = (struct cost){
		.observe = seconds * 1e9 / ((double)(SECONDS / 4) * HERTZ * GUEST_SERIES),
		.bytes = sizeof(naive),
	};
}

/* ---- shapes of memory: what the leak detector has to look at longer ---- */

static double flat(double time)
{
	return 3e9 + 2e6 * noise(time);
}

static double sawtooth(double time)
{
	return 3e9 + 1e9 * fmod(time, 10) / 10;
}

static double leak(double time)
{
	return 3e9 + 1e4 * time + 2e6 * noise(time);
}

static double daily(double time)
{
	return 3e9 + 1e9 * sin(time / 13751) + 50e6 * noise(time);
}

static const struct shape {
	const char *name;
	double step; /* seconds between samples */
	double (*value)(double time);
} shapes[] = {
	{"memory flat, 10 Hz", 0.1, flat},      {"memory sawtooth, 10 Hz", 0.1, sawtooth},
	{"memory leak, 10 Hz", 0.1, leak},      {"memory daily cycle, 10 Hz", 0.1, daily},
	{"memory daily cycle, 1 Hz", 1, daily}, {"memory daily cycle, 5 min", 300, daily},
};

/* One guest with nothing but its memory; ns per sample, an evaluation every second of it. */
static int run_shape(struct gm_detector_settings *settings, const struct shape *shape,
		     double *ret_cost)
{
	static const uint8_t uuid[GM_UUID_SIZE] = {2};
	struct gm_entity_key key = gm_entity_guest(uuid);
	struct gm_point total = {.metric = GM_METRIC_MEMORY_TOTAL, .time = START, .value = 8e9};
	unsigned active = 0, count = 50000;
	unsigned every = shape->step < 1 ? (unsigned)lround(1 / shape->step) : 1;
	struct gm_finding_sink sink = {.emit = ignore, .user = &active};
	struct gm_point *points = calloc(count, sizeof(*points));
	struct gm_detector_set *set = NULL;
	int result = points ? gm_detector_set_create(settings, &key, &set) : -1;

	for (unsigned i = 0; result == 0 && i < count; i++)
		points[i] = (struct gm_point){.metric = GM_METRIC_MEMORY_USED,
					      .time = START + (int64_t)(i * shape->step * 1e9),
					      .value = shape->value(i * shape->step)};
	if (result == 0) {
		gm_detector_set_observe(set, &total, &sink);
		double began = thread_seconds();
		for (unsigned i = 0; i < count; i++) {
			gm_detector_set_observe(set, &points[i], &sink);
			if (i % every == 0)
				gm_detector_set_evaluate(set, points[i].time, &sink);
		}
		*ret_cost = (thread_seconds() - began) / count * 1e9;
	}
	gm_detector_set_free(set);
	free(points);
	return result;
}

int main(int argc, char **argv)
{
	double limit = argc > 1 ? strtod(argv[1], NULL) : 0, shape_cost = 0;
	struct gm_detector_settings *settings;
	struct cost all, cost;
	int status = 0;

	if (gm_detector_settings_create(&settings) < 0)
		return 2;
	printf("a guest at %d Hz, %d series: 12 of its own, 2 ports of 8, a disk of 8\n%-28s %9s "
	       "%9s "
	       "%9s %9s %9s\n",
	       HERTZ, GUEST_SERIES, "ns per sample", "observe", "evaluate", "together", "bytes",
	       "a series");
	if (run_guest(settings, &all) < 0)
		return 2;
	print_cost("all detectors", &all);
	for (size_t i = 0; gm_detectors[i]; i++) {
		enable(settings, gm_detectors[i]);
		if (run_guest(settings, &cost) < 0)
			return 2;
		print_cost(gm_detectors[i]->name, &cost);
	}
	enable(settings, NULL);
	if (add_rules(settings) < 0 || run_guest(settings, &all) < 0)
		return 2;
	print_cost("all, 4 thresholds, a policy", &all);
	run_naive(&cost);
	print_cost("naive: a line through 10 s", &cost);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (run_shape(settings, &shapes[i], &shape_cost) < 0)
			return 2;
		printf("%-28s %29.1f\n", shapes[i].name, shape_cost);
	}
	if (all.bytes / GUEST_SERIES > SIZE_LIMIT ||
	    (limit > 0 && !(all.observe + all.evaluate <= limit)))
		status = 1;
	gm_detector_settings_free(settings);
	return status;
}
