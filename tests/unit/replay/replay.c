/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay end to end, with the shipped window, burst detector and alarm engine: recordings in, lines
 * of JSON out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "replay/replay.h"

enum { LINES_MAX = 256 };

struct outcome {
	int rc;
	struct gm_error err;
	size_t count;
	struct gm_json *lines[LINES_MAX];
	char *scores;
	char *statistics;
	char *remarks;
};

static void read_lines(struct outcome *outcome, char *text)
{
	for (char *line = text; *line != '\0';) {
		char *end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(outcome->count < LINES_MAX);
		assert_int_equal(gm_json_parse(line, (size_t)(end - line),
					       &outcome->lines[outcome->count++], NULL),
				 0);
		line = end + 1;
	}
}

/* Runs `options` (input and output are filled in) over `text`. */
static struct outcome run(struct gm_replay_options options, const char *text)
{
	struct outcome outcome = {0};
	char *output = NULL;
	size_t output_size, scores_size, statistics_size, remarks_size;
	FILE *scores = open_memstream(&outcome.scores, &scores_size);
	options.statistics = open_memstream(&outcome.statistics, &statistics_size);
	options.remarks = open_memstream(&outcome.remarks, &remarks_size);
	options.output = open_memstream(&output, &output_size);
	options.input = tmpfile();
	options.input_name = "rec.csv";
	if (options.scores)
		options.scores = scores;
	assert_non_null(options.input);
	fputs(text, options.input);
	rewind(options.input);
	outcome.rc = gm_replay(&options, &outcome.err);
	fclose(options.input);
	fclose(options.output);
	fclose(options.statistics);
	fclose(options.remarks);
	fclose(scores);
	read_lines(&outcome, output);
	free(output);
	return outcome;
}

static void clean(struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->count; i++)
		gm_json_free(outcome->lines[i]);
	free(outcome->scores);
	free(outcome->statistics);
	free(outcome->remarks);
}

struct burst_at {
	double begin, end, rate; /* s, s, bit/s */
};

/*
 * A recording of 10 ms bins from 0 to `seconds`: 1 Mbit/s received and `count` bursts, 2 Mbit/s
 * sent. The caller frees it.
 */
static char *record(double seconds, const struct burst_at *bursts, size_t count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	fputs("time,net.rx.bytes,net.tx.bytes\n", out);
	double received = 1e6, sent = 5e6;
	for (int i = 0; i <= (int)(seconds * 100); i++) {
		double now = i * 0.01;
		for (size_t k = 0; i > 0 && k < count; k++) {
			double from = bursts[k].begin > now - 0.01 ? bursts[k].begin : now - 0.01;
			double to = bursts[k].end < now ? bursts[k].end : now;
			if (to > from)
				received += (to - from) * bursts[k].rate / 8;
		}
		received += 1250;
		sent += 2500;
		fprintf(out, "%.2f,%.0f,%.0f\n", 1700000000 + now, received, sent);
	}
	fclose(out);
	return text;
}

static const char *state_of(const struct outcome *outcome, size_t line)
{
	assert_true(line < outcome->count);
	return gm_json_get_text(outcome->lines[line], "state");
}

static double evidence(const struct outcome *outcome, size_t line, const char *name)
{
	return gm_json_get_number(gm_json_get(outcome->lines[line], "evidence"), name, -1);
}

static void a_burst_is_raised_and_cleared(void **state)
{
	(void)state;
	static const struct burst_at bursts[] = {{3.003, 3.053, 60e6}};
	char *text = record(30, bursts, 1);
	struct outcome o = run((struct gm_replay_options){.detector = "burst",
							  .entity = "tap \"7\"",
							  .link_speed = 100000000},
			       text);
	free(text);
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 3);
	assert_string_equal(state_of(&o, 0), "raise");
	assert_string_equal(state_of(&o, 1), "change");
	assert_string_equal(state_of(&o, 2), "clear");
	double before = 0;
	for (size_t i = 0; i < 3; i++) {
		const struct gm_json *line = o.lines[i];
		assert_string_equal(gm_json_get_text(line, "entity"), "tap \"7\"");
		assert_string_equal(gm_json_get_text(line, "detector"), "burst");
		assert_string_equal(gm_json_get_text(line, "metric"), "net.rx.bytes");
		assert_string_equal(gm_json_get_text(line, "severity"), "warning");
		assert_string_equal(gm_json_get_text(gm_json_get(line, "evidence"), "direction"),
				    "rx");
		assert_float_equal(evidence(&o, i, "start_time"), 1700000003.003, 0.001);
		assert_true(gm_json_get_number(line, "time", 0) >= before);
		before = gm_json_get_number(line, "time", 0);
	}
	assert_float_equal(gm_json_get_number(o.lines[0], "time", 0), 1700000003.02, 1e-6);
	assert_float_equal(evidence(&o, 1, "duration_s"), 0.05, 0.001);
	assert_float_equal(evidence(&o, 1, "peak_bps"), 61e6, 0.1e6);
	assert_float_equal(evidence(&o, 1, "link_bps"), 100e6, 0);
	assert_string_equal(o.statistics,
			    "3001 rows, 6000 points, 0 samples dropped, 3 transitions\n");
	clean(&o);
}

static void a_steady_flow_of_that_volume_is_none(void **state)
{
	(void)state;
	static const struct burst_at flow[] = {{3.0, 4.0, 3e6}};
	char *text = record(10, flow, 1);
	struct outcome o =
		run((struct gm_replay_options){.detector = "burst", .link_speed = 100000000}, text);
	free(text);
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 0);
	clean(&o);
}

static void several_bursts_are_one_alarm(void **state)
{
	(void)state;
	static const struct burst_at bursts[] = {
		{2.0, 2.05, 80e6}, {4.0, 4.05, 80e6}, {6.0, 6.05, 95e6}};
	char *text = record(20, bursts, 3);
	struct outcome o =
		run((struct gm_replay_options){.detector = "burst", .link_speed = 100000000}, text);
	free(text);
	assert_int_equal(o.count, 5);
	assert_string_equal(state_of(&o, 0), "raise");
	assert_float_equal(evidence(&o, 2, "start_time"), 1700000004.0, 0.001);
	assert_float_equal(evidence(&o, 3, "start_time"), 1700000006.0, 0.001);
	assert_float_equal(evidence(&o, 3, "burst_count"), 3, 0);
	assert_string_equal(gm_json_get_text(o.lines[3], "severity"), "minor");
	assert_string_equal(state_of(&o, 4), "clear");
	clean(&o);
}

static void settings_reach_detector_and_alarms(void **state)
{
	(void)state;
	static const struct burst_at bursts[] = {{2.0, 2.05, 30e6}};
	static const char *const settings[] = {"utilisation=0.25", "damping=off", "clear-after=1s",
					       NULL};
	char *text = record(10, bursts, 1);
	struct outcome o = run((struct gm_replay_options){.detector = "burst",
							  .settings = settings,
							  .link_speed = 100000000},
			       text);
	free(text);
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 3);
	assert_string_equal(state_of(&o, 2), "clear");
	/* One second of quiet, seen at the next evaluation, and no hold time. */
	assert_in_range((int)(gm_json_get_number(o.lines[2], "time", 0) - 1700000000), 3, 4);
	clean(&o);
}

static void scores_have_a_line_per_row(void **state)
{
	(void)state;
	static const char text[] = "time,net.rx.bytes\n"
				   "100,0\n100.5,\n101,625000\n101,1\n102,2500000\n";
	struct outcome o = run((struct gm_replay_options){.detector = "burst",
							  .link_speed = 10000000,
							  .scores = stdout},
			       text);
	assert_int_equal(o.rc, 0);
	assert_string_equal(o.scores, "time,score\n100.000000,0\n100.500000,0\n101.000000,0.5\n"
				      "101.000000,0.5\n102.000000,1\n");
	clean(&o);
}

static void bad_options_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *detector, *setting, *part;
	} cases[] = {
		{"hearsay", NULL, "there is no detector \"hearsay\" (there are: "},
		{"burst", "merge", "\"merge\" is not of the form key=value"},
		{"burst", "=2", "\"=2\" is not of the form key=value"},
		{"burst", "volume=2", "volume"},
		{"burst", "merge=0", "merge"},
		{"burst", "merge=many", "merge"},
		{"burst", "hold=-1s", "hold"},
		/* What would be without effect, and so a silence that means nothing. */
		{"burst", "enabled=false", "\"enabled\"; allowed: utilisation, "},
		{"burst", "hodl=1s", "; of the alarm engine: damping, hold, "},
		{"anomaly", "hodl=1s", "; of the alarm engine: damping, soak, "},
		{"threshold", "hold=1s", "needs --set metric=..."},
		{"policy", "hold=1s", "needs --set condition=..."},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *settings[] = {cases[i].setting, NULL};
		struct outcome o = run((struct gm_replay_options){.detector = cases[i].detector,
								  .settings = settings},
				       "time,net.rx.bytes\n1,2\n");
		assert_int_equal(o.rc, -EINVAL);
		assert_non_null(strstr(o.err.text, cases[i].part));
		assert_int_equal(o.count, 0);
		clean(&o);
	}
}

static struct outcome judge(const char *metric, bool one_of_many)
{
	const char *settings[] = {metric, "failure-max=1", "hold=0", NULL};
	return run((struct gm_replay_options){.detector = "threshold",
					      .settings = settings,
					      .one_of_many = one_of_many},
		   "time,memory.used,own\n1,2,0\n2,2,2\n");
}

static void a_threshold_needs_its_metric(void **state)
{
	(void)state;
	static const struct {
		const char *metric;
		bool one_of_many, found;
		size_t lines;
	} cases[] = {
		{"metric=memory.used", false, true, 1}, {"metric=own", false, true, 1},
		{"metric=memory.usd", false, false, 0}, {"metric=load.1", false, false, 0},
		{"metric=load.1", true, true, 0},       {"metric=memory.usd", true, false, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o = judge(cases[i].metric, cases[i].one_of_many);
		assert_int_equal(o.rc, cases[i].found ? 0 : -EINVAL);
		assert_int_equal(o.count, cases[i].lines);
		assert_int_equal(strstr(o.err.text, "the recording has no column") != NULL,
				 !cases[i].found);
		clean(&o);
	}
}

static void a_policy_says_what_it_lacks(void **state)
{
	(void)state;
	static const struct {
		const char *condition, *remarks;
		bool one_of_many;
		int rc;
		size_t lines;
	} cases[] = {
		{"condition=memory.used > 1", "", false, 0, 1},
		{"condition=memory.used > 1 or load.1 > 1 or avg(load.1, 5s) > 1",
		 "rec.csv: what is said of load.1 is not known: no column\n", false, 0, 1},
		{"condition=load.1 > 1 and load.5 > 1", "", false, -EINVAL, 0},
		{"condition=load.1 > 1", "", true, 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *settings[] = {cases[i].condition, "hold=0", NULL};
		struct outcome o =
			run((struct gm_replay_options){.detector = "policy",
						       .settings = settings,
						       .one_of_many = cases[i].one_of_many},
			    "time,memory.used\n1,0\n3,2\n5,2\n");
		assert_int_equal(o.rc, cases[i].rc);
		assert_int_equal(o.count, cases[i].lines);
		assert_string_equal(o.remarks, cases[i].remarks);
		assert_int_equal(
			strstr(o.err.text, "condition: the recording has no column load.") != NULL,
			cases[i].rc < 0);
		clean(&o);
	}
}

static void what_is_left_out_is_told(void **state)
{
	(void)state;
	const struct gm_replay_options options = {.detector = "burst"};
	struct outcome o = run(options, "time,load.1\n1,1\n2,1\n1.5,1\n2,1\n3,1\n");
	assert_int_equal(o.rc, 0);
	assert_string_equal(o.remarks,
			    "rec.csv: rows left out, as they are not later than those before: 2\n");
	clean(&o);
	o = run(options, "time,load.1\n1,1\n2,1\n3,\n4,nan\n");
	assert_string_equal(o.remarks, "");
	clean(&o);
}

static void a_fault_ends_the_output(void **state)
{
	(void)state;
	static const struct burst_at bursts[] = {{2.0, 2.05, 80e6}, {4.0, 4.05, 80e6}};
	char *good = record(3, bursts, 2), *text = NULL;
	assert_true(asprintf(&text, "%s1700000004,1\n1700000005,2,3\n", good) > 0);
	struct outcome o =
		run((struct gm_replay_options){.detector = "burst", .link_speed = 100000000}, text);
	assert_int_equal(o.rc, -EINVAL);
	assert_string_equal(o.err.text, "rec.csv:303: 2 cells, the header has 3");
	assert_int_equal(o.count, 2); /* what was before the fault, and no clear after it */
	clean(&o);
	free(text);
	free(good);
}

static void nothing_in_gives_nothing(void **state)
{
	(void)state;
	const struct gm_replay_options options = {.detector = "burst"};
	struct outcome o = run(options, "");
	assert_int_equal(o.rc, -EINVAL);
	assert_string_equal(o.err.text, "rec.csv:1: the file is empty, it needs a header line");
	clean(&o);
	o = run(options, "time,net.rx.bytes\n");
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 0);
	clean(&o);
	o = run(options, "time,other\n1,2\n2,\n");
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 0);
	clean(&o);
}

static void a_clock_set_back_is_survived(void **state)
{
	(void)state;
	static const struct burst_at bursts[] = {{2.0, 2.05, 80e6}};
	char *first = record(20, bursts, 1), *text = NULL;
	/* The same again, a day earlier by its clock. */
	char *second = strdup(first);
	assert_non_null(second);
	const char *body = strchr(second, '\n') + 1;
	for (char *at = strstr(second, "\n17000"); at; at = strstr(at + 1, "\n17000"))
		memcpy(at, "\n16999", 6);
	assert_true(asprintf(&text, "%s%s", first, body) > 0);
	struct outcome o =
		run((struct gm_replay_options){.detector = "burst", .link_speed = 100000000}, text);
	assert_int_equal(o.rc, 0);
	static const char *const states[] = {"raise", "change", "clear"};
	assert_int_equal(o.count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(state_of(&o, i), states[i % 3]);
		assert_float_equal(evidence(&o, i, "start_time"), i < 3 ? 1700000002 : 1699900002,
				   0.001);
	}
	clean(&o);
	free(text);
	free(second);
	free(first);
}

static void a_full_disk_is_told(void **state)
{
	(void)state;
	static const struct burst_at bursts[] = {{2.0, 2.05, 80e6}};
	char *text = record(5, bursts, 1);
	FILE *input = tmpfile(), *full = fopen("/dev/full", "w");
	assert_non_null(input);
	assert_non_null(full);
	fputs(text, input);
	free(text);
	rewind(input);
	const struct gm_replay_options options = {.detector = "burst",
						  .link_speed = 100000000,
						  .input = input,
						  .input_name = "rec.csv",
						  .output = full};
	struct gm_error err = {0};
	assert_int_equal(gm_replay(&options, &err), -EIO);
	assert_string_equal(err.text, "the output cannot be written");
	fclose(full);
	fclose(input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_raised_and_cleared),
		cmocka_unit_test(a_steady_flow_of_that_volume_is_none),
		cmocka_unit_test(several_bursts_are_one_alarm),
		cmocka_unit_test(settings_reach_detector_and_alarms),
		cmocka_unit_test(scores_have_a_line_per_row),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(a_threshold_needs_its_metric),
		cmocka_unit_test(a_policy_says_what_it_lacks),
		cmocka_unit_test(what_is_left_out_is_told),
		cmocka_unit_test(a_fault_ends_the_output),
		cmocka_unit_test(nothing_in_gives_nothing),
		cmocka_unit_test(a_clock_set_back_is_survived),
		cmocka_unit_test(a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
