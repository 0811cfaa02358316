/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulations of the burst detector: whole recordings of an interface, with what a node does to
 * them (late reads, lost rows, restarts, wraps, a clock that steps), through window, detector
 * and alarm engine on a virtual clock. Prints a table of what was found, how late and how well,
 * and fails where a line of it is not as it must be.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "replay/replay.h"

enum { BURSTS_MAX = 10000 };

static const double origin = 1700000000;

enum fault {
	FAULT_NONE,
	FAULT_LATE,    /* reads late by up to half a bin, every fiftieth by up to three bins */
	FAULT_LOST,    /* every twentieth row is missing */
	FAULT_RESTART, /* the counter begins again every 7 s */
	FAULT_WRAP,    /* 32 bits */
	FAULT_SUSPEND, /* 30 s without rows from 20 s on */
	FAULT_FORWARD, /* the clock is set an hour ahead at 20 s */
	FAULT_BACK,    /* and an hour back */
};

struct scenario {
	const char *name;
	double seconds, bin, link; /* s, s, bit/s */
	double load, noise;        /* of the link; of the load (exponential) */
	double step;               /* load from the middle of the recording on; 0: the same */
	enum fault fault;
	double first, every, length, level; /* bursts: s, s, s, part of the link; every 0: none */

	/* what must come out */
	double found;   /* part of the bursts at least */
	int false_most; /* reports of none */
	int raises_most;
	double delay; /* s from a burst's start to the first line of it, at most; 0: not judged */
	double start_off; /* s, at most */
	int lines;        /* exactly, and all bursts are counted; 0: not judged */
};

static const struct scenario scenarios[] = {
	{.name = "50 ms at 60 % of 100 Mbit/s",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.01,
	 .noise = 1,
	 .first = 5.003,
	 .every = 20.0017,
	 .length = 0.05,
	 .level = 0.6,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 6,
	 .delay = 0.02,
	 .start_off = 0.01},
	{.name = "the same, read late",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.01,
	 .noise = 1,
	 .fault = FAULT_LATE,
	 .first = 5.003,
	 .every = 20.0017,
	 .length = 0.05,
	 .level = 0.6,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 6,
	 .delay = 0.05,
	 .start_off = 0.03},
	{.name = "the same, rows lost",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.01,
	 .noise = 1,
	 .fault = FAULT_LOST,
	 .first = 5.003,
	 .every = 20.0017,
	 .length = 0.05,
	 .level = 0.6,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 6,
	 .delay = 0.04,
	 .start_off = 0.02},
	{.name = "the same, counter restarts",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.01,
	 .noise = 1,
	 .fault = FAULT_RESTART,
	 .first = 5.003,
	 .every = 20.0017,
	 .length = 0.05,
	 .level = 0.6,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 6,
	 .delay = 0.04,
	 .start_off = 0.02},
	{.name = "the same, 32-bit counter",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.01,
	 .noise = 1,
	 .fault = FAULT_WRAP,
	 .first = 5.003,
	 .every = 20.0017,
	 .length = 0.05,
	 .level = 0.6,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 6,
	 .delay = 0.02,
	 .start_off = 0.01},
	{.name = "50 ms at line rate in 100 ms bins",
	 .seconds = 400,
	 .bin = 0.1,
	 .link = 1e9,
	 .load = 0.01,
	 .noise = 1,
	 .first = 25.03,
	 .every = 20.017,
	 .length = 0.05,
	 .level = 1,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 19,
	 .delay = 0.45,
	 .start_off = 0.05},
	{.name = "4 ms at line rate in 10 ms bins",
	 .seconds = 60,
	 .bin = 0.01,
	 .link = 1e9,
	 .load = 0.02,
	 .noise = 0.5,
	 .first = 5.003,
	 .every = 5.0017,
	 .length = 0.004,
	 .level = 1,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 11,
	 .delay = 0.05,
	 .start_off = 0.01},
	{.name = "20 ms over a busy link",
	 .seconds = 60,
	 .bin = 0.01,
	 .link = 1e9,
	 .load = 0.3,
	 .noise = 0.05,
	 .first = 5.003,
	 .every = 5.0017,
	 .length = 0.02,
	 .level = 1,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 11,
	 .delay = 0.06,
	 .start_off = 0.005},
	{.name = "a storm: 25 bursts a second",
	 .seconds = 20,
	 .bin = 0.001,
	 .link = 1e9,
	 .load = 0.01,
	 .noise = 1,
	 .first = 2,
	 .every = 0.04,
	 .length = 0.005,
	 .level = 1,
	 .found = 0.25,
	 .false_most = 0,
	 .raises_most = 1,
	 .start_off = 0.001},
	{.name = "a storm: 10,000 bursts in an hour",
	 .seconds = 3700,
	 .bin = 0.01,
	 .link = 1e9,
	 .load = 0.01,
	 .noise = 1,
	 .first = 5,
	 .every = 0.36,
	 .length = 0.03,
	 .level = 1,
	 .found = 0.01,
	 .false_most = 0,
	 .raises_most = 1,
	 .start_off = 0.01,
	 .lines = 1 + 150 + 117 + 1},
	{.name = "one in ten seconds, for an hour",
	 .seconds = 3670,
	 .bin = 0.01,
	 .link = 1e9,
	 .load = 0.01,
	 .noise = 1,
	 .first = 5.003,
	 .every = 10.0017,
	 .length = 0.03,
	 .level = 1,
	 .found = 1,
	 .false_most = 0,
	 .raises_most = 5,
	 .start_off = 0.01},
	{.name = "steady flow of 3 %",
	 .seconds = 300,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.03,
	 .noise = 0.1,
	 .found = 0,
	 .false_most = 0,
	 .raises_most = 0},
	{.name = "steady flow of 45 %",
	 .seconds = 300,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.45,
	 .noise = 0.01,
	 .found = 0,
	 .false_most = 0,
	 .raises_most = 0},
	{.name = "a job begins: 2 % to 40 %",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.02,
	 .noise = 0.03,
	 .step = 0.4,
	 .found = 0,
	 .false_most = 0,
	 .raises_most = 0},
	{.name = "ragged traffic",
	 .seconds = 600,
	 .bin = 0.01,
	 .link = 1e9,
	 .load = 0.02,
	 .noise = 1,
	 .found = 0,
	 .false_most = 0,
	 .raises_most = 0},
	{.name = "the guest is suspended",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.05,
	 .noise = 0.5,
	 .fault = FAULT_SUSPEND,
	 .found = 0,
	 .false_most = 0,
	 .raises_most = 0},
	{.name = "the clock is set ahead",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.05,
	 .noise = 0.5,
	 .fault = FAULT_FORWARD,
	 .found = 0,
	 .false_most = 0,
	 .raises_most = 0},
	{.name = "the clock is set back",
	 .seconds = 120,
	 .bin = 0.01,
	 .link = 1e8,
	 .load = 0.05,
	 .noise = 0.5,
	 .fault = FAULT_BACK,
	 .found = 0,
	 .false_most = 0,
	 .raises_most = 0},
};

struct truth {
	double start, end;
	bool found;
	double delay, start_off;
};

struct outcome {
	size_t count;
	struct truth bursts[BURSTS_MAX];
	int raises, lines, wrong;
	double counted;          /* by the detector */
	double delay, start_off; /* worst */
};

/* Uniform in (0, 1), the same in every run (Knuth's MMIX generator). */
static double uniform(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double)(*random >> 11) + 0.5) * 0x1p-53;
}

static void plan(const struct scenario *s, struct outcome *outcome)
{
	for (double at = s->first; s->every > 0 && at + s->length < s->seconds - 1; at += s->every)
		if (outcome->count < BURSTS_MAX)
			outcome->bursts[outcome->count++] =
				(struct truth){.start = at, .end = at + s->length};
}

/* Part of the link over [begin, end), no longer than a bin: the load, replaced by bursts. */
static double used(const struct scenario *s, const struct outcome *outcome, double begin,
		   double end, uint64_t *random)
{
	double load = s->step > 0 && begin > s->seconds / 2 ? s->step : s->load;
	load *= 1 - s->noise - s->noise * log(uniform(random));
	double area = load * (end - begin);
	/* Bursts come at equal distances: these are the ones that may be near. */
	size_t near =
		s->every > 0 && begin > s->first ? (size_t)((begin - s->first) / s->every) : 0;
	for (size_t i = near; i < outcome->count && i <= near + 1; i++) {
		double from = fmax(begin, outcome->bursts[i].start);
		double to = fmin(end, outcome->bursts[i].end);
		if (from < to)
			area += (s->level - load) * (to - from);
	}
	return area;
}

/* Bytes over [begin, end). */
static double carried(const struct scenario *s, const struct outcome *outcome, double begin,
		      double end, uint64_t *random)
{
	double area = 0;
	for (double at = begin; at < end; at += s->bin)
		area += used(s, outcome, at, fmin(at + s->bin, end), random);
	return area * s->link / 8;
}

static double read_delay(const struct scenario *s, long row, uint64_t *random)
{
	if (s->fault != FAULT_LATE)
		return 0;
	return uniform(random) * s->bin * (row % 50 == 49 ? 3 : 0.5);
}

static bool is_missing(const struct scenario *s, long row, double now)
{
	return (s->fault == FAULT_LOST && row % 20 == 19) ||
	       (s->fault == FAULT_SUSPEND && now > 20 && now < 50);
}

/* What the clock shows at `now`. */
static double shown(const struct scenario *s, double now)
{
	if (now > 20 && (s->fault == FAULT_FORWARD || s->fault == FAULT_BACK))
		return now + (s->fault == FAULT_FORWARD ? 3600 : -3600);
	return now;
}

static void record(const struct scenario *s, const struct outcome *outcome, FILE *out)
{
	uint64_t random = 7;
	double volume = 0x1p32 - 5e6, before = 0;
	double restarted = 0;
	fputs("time,net.rx.bytes\n", out);
	for (long row = 0; row * s->bin < s->seconds; row++) {
		double now = (double)row * s->bin + read_delay(s, row, &random);
		if (now <= before)
			continue;
		if (s->fault != FAULT_SUSPEND || now < 20 || now > 50)
			volume += carried(s, outcome, before, now, &random);
		before = now;
		if (is_missing(s, row, now))
			continue;
		if (s->fault == FAULT_RESTART && fmod(now, 7) < s->bin)
			restarted = volume;
		double value = volume - restarted;
		if (s->fault == FAULT_WRAP)
			value = fmod(volume, 0x1p32);
		fprintf(out, "%.6f,%.0f\n", origin + shown(s, now), floor(value));
	}
}

/* Takes one line of output in. */
static void judge(const struct scenario *s, struct outcome *outcome, const struct gm_json *line)
{
	const struct gm_json *evidence = gm_json_get(line, "evidence");
	double time = gm_json_get_number(line, "time", 0) - origin;
	double start = gm_json_get_number(evidence, "start_time", 0) - origin;
	double end = start + gm_json_get_number(evidence, "duration_s", 0);
	const char *state = gm_json_get_text(line, "state");
	outcome->lines++;
	outcome->counted = fmax(outcome->counted, gm_json_get_number(evidence, "burst_count", 0));
	outcome->raises += strcmp(state, "raise") == 0;
	for (size_t i = 0; i < outcome->count; i++) {
		struct truth *burst = &outcome->bursts[i];
		if (end < burst->start - s->bin || start > burst->end + s->bin)
			continue;
		if (!burst->found)
			burst->delay = time - burst->start;
		burst->found = true;
		burst->start_off = fabs(start - burst->start);
		return;
	}
	outcome->wrong++;
}

static int judge_lines(const struct scenario *s, struct outcome *outcome, char *text)
{
	for (char *line = text; *line != '\0';) {
		char *end = strchr(line, '\n');
		struct gm_json *object = NULL;
		if (!end || gm_json_parse(line, (size_t)(end - line), &object, NULL) < 0)
			return -EINVAL;
		judge(s, outcome, object);
		gm_json_free(object);
		line = end + 1;
	}
	return 0;
}

static int simulate(const struct scenario *s, struct outcome *outcome)
{
	char *recording = NULL, *output = NULL;
	size_t recording_size, output_size;
	plan(s, outcome);
	FILE *file = open_memstream(&recording, &recording_size);
	if (!file)
		return -ENOMEM;
	record(s, outcome, file);
	fclose(file);
	struct gm_replay_options options = {
		.detector = "burst",
		.link_speed = (int64_t)s->link,
		.input = fmemopen(recording, recording_size, "r"),
		.input_name = s->name,
		.output = open_memstream(&output, &output_size),
	};
	struct gm_error err = {0};
	int rc = options.input && options.output ? gm_replay(&options, &err) : -ENOMEM;
	if (options.input)
		fclose(options.input);
	if (options.output)
		fclose(options.output);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	else
		rc = judge_lines(s, outcome, output);
	free(output);
	free(recording);
	return rc;
}

/* Prints the scenario's line; true when all is as it must be. */
static bool report(const struct scenario *s, struct outcome *outcome)
{
	size_t found = 0;
	for (size_t i = 0; i < outcome->count; i++) {
		const struct truth *burst = &outcome->bursts[i];
		if (!burst->found)
			continue;
		found++;
		outcome->delay = fmax(outcome->delay, burst->delay);
		outcome->start_off = fmax(outcome->start_off, burst->start_off);
	}
	bool good = (double)found >= s->found * (double)outcome->count &&
		    outcome->wrong <= s->false_most && outcome->raises <= s->raises_most &&
		    (s->delay <= 0 || outcome->delay <= s->delay) &&
		    outcome->start_off <= s->start_off;
	if (s->lines > 0)
		good = good && outcome->lines == s->lines &&
		       outcome->counted == (double)outcome->count;
	printf("%-36s %6zu %6zu %7.0f %6d %7d %6d %9.1f %9.2f  %s\n", s->name, outcome->count,
	       found, outcome->counted, outcome->wrong, outcome->raises, outcome->lines,
	       outcome->delay * 1e3, outcome->start_off * 1e3, good ? "ok" : "FAILED");
	return good;
}

int main(void)
{
	bool good = true;
	printf("%-36s %6s %6s %7s %6s %7s %6s %9s %9s\n", "scenario", "bursts", "found", "counted",
	       "false", "raises", "lines", "delay ms", "start ms");
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct outcome *outcome = calloc(1, sizeof(*outcome));
		if (!outcome || simulate(&scenarios[i], outcome) < 0)
			return EXIT_FAILURE;
		good = report(&scenarios[i], outcome) && good;
		free(outcome);
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
