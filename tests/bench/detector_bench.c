/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sample costs in all detectors, and what a series keeps in memory. Prints a table; exit 1 when
 * a set keeps more than 8 kB, or, by hand, when a sample at 10 Hz costs more ns than the argument.
 */
#include <malloc.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analysis/detector.h"
#include "base/clock.h"

enum { SAMPLES = 200000, SIZE_LIMIT = 8192 };

#define START (INT64_C(1700006400) * GM_SECOND)

/* A part of the guests' memory at a time in seconds, and what it is called. */
struct load {
	const char *name;
	enum gm_entity_kind kind;
	double step; /* seconds between samples */
	double (*value)(double time);
};

static double noise(double time)
{
	double x = sin(time * 12.9898) * 43758.5453;

	return x - floor(x);
}

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

static double traffic(double time)
{
	return 1e6 + 1e6 * noise(time);
}

static const struct load loads[] = {
	{"memory, flat, 10 Hz", GM_ENTITY_GUEST, 0.1, flat},
	{"memory, sawtooth, 10 Hz", GM_ENTITY_GUEST, 0.1, sawtooth},
	{"memory, leak, 10 Hz", GM_ENTITY_GUEST, 0.1, leak},
	{"memory, daily cycle, 10 Hz", GM_ENTITY_GUEST, 0.1, daily},
	{"memory, flat, 1 Hz", GM_ENTITY_GUEST, 1, flat},
	{"memory, daily cycle, 5 min", GM_ENTITY_GUEST, 300, daily},
	{"interface bytes, 10 Hz", GM_ENTITY_INTERFACE, 0.1, traffic},
};

static void ignore(void *user, const struct gm_finding *finding)
{
	*(unsigned *)user += finding->active;
}

static double thread_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Feeds `count` samples with an evaluation every second of the series; ns per sample. */
static double run(struct gm_detector_set *set, const struct load *load, unsigned count)
{
	bool memory = load->kind == GM_ENTITY_GUEST;
	struct gm_point point = {.metric = memory ? GM_METRIC_MEMORY_USED : GM_METRIC_NET_RX_BYTES};
	unsigned active = 0, every = load->step < 1 ? (unsigned)lround(1 / load->step) : 1;
	struct gm_finding_sink sink = {.emit = ignore, .user = &active};
	double *values = malloc(count * sizeof(*values));
	double began;

	if (!values)
		return NAN;
	for (unsigned i = 0; i < count; i++)
		values[i] = load->value(i * load->step);
	point.span = memory ? 0 : (int64_t)(load->step * 1e9);
	began = thread_seconds();
	for (unsigned i = 0; i < count; i++) {
		point.time = START + (int64_t)(i * load->step * 1e9);
		point.value = values[i];
		gm_detector_set_observe(set, &point, &sink);
		if (i % every == 0)
			gm_detector_set_evaluate(set, point.time, &sink);
	}
	began = thread_seconds() - began;
	free(values);
	return began / count * 1e9;
}

static int measure(struct gm_detector_settings *settings, const struct load *load, double limit)
{
	struct gm_entity_key key =
		load->kind == GM_ENTITY_GUEST ? gm_entity_node() : gm_entity_interface("tap0");
	size_t before = mallinfo2().uordblks;
	struct gm_point total = {.metric = GM_METRIC_MEMORY_TOTAL, .time = START, .value = 8e9};
	struct gm_point speed = {.metric = GM_METRIC_NET_SPEED, .time = START, .value = 1e9};
	unsigned active = 0;
	struct gm_finding_sink sink = {.emit = ignore, .user = &active};
	struct gm_detector_set *set;
	size_t size;
	double cost;

	if (gm_detector_set_create(settings, &key, &set) < 0)
		return -1;
	gm_detector_set_observe(set, &total, &sink);
	gm_detector_set_observe(set, &speed, &sink);
	cost = run(set, load, SAMPLES);
	size = mallinfo2().uordblks - before;
	printf("%-28s %8.1f ns a sample  %6zu bytes\n", load->name, cost, size);
	gm_detector_set_free(set);
	return size > SIZE_LIMIT || (load->step < 1 && limit > 0 && !(cost <= limit));
}

int main(int argc, char **argv)
{
	double limit = argc > 1 ? strtod(argv[1], NULL) : 0;
	struct gm_detector_settings *settings;
	int status = 0;

	if (gm_detector_settings_create(&settings) < 0)
		return 2;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		status |= measure(settings, &loads[i], limit);
	gm_detector_settings_free(settings);
	return status ? 1 : 0;
}
