/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charts of a daemon's answer: units, rates, gaps, marks, ticks; drawn to a stream, in bounds whatever
 * the answer holds.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/chart.h"
#include "cli/plot.h"
#include "cli/svg.h"

static struct gm_json *parse(const char *text)
{
	struct gm_json *value;
	struct gm_error err;

	if (gm_json_parse(text, strlen(text), &value, &err) < 0)
		fail_msg("%s", err.text);
	return value;
}

static void build(const char *windows, const char *alarms, struct gm_charts *charts,
		  struct gm_json *trees[2])
{
	trees[0] = parse(windows);
	trees[1] = parse(alarms);
	assert_int_equal(gm_charts_build("web-1", trees[0], trees[1], charts), 0);
}

static void end(struct gm_charts *charts, struct gm_json *trees[2])
{
	gm_charts_free(charts);
	gm_json_free(trees[0]);
	gm_json_free(trees[1]);
}

static void test_units(void **state)
{
	struct gm_charts charts;
	struct gm_json *trees[2];

	(void)state;
	build("{\"entities\":{\"node\":{"
	      "\"memory.used\":[[1,104857600],[2,157286400]],"
	      "\"cpu.time\":[[1,0],[2,500000000],[3,2000000000]],"
	      "\"load.1\":[[1,0.5],[2,0.5]],"
	      "\"cpu.count\":[[1,4]]}}}",
	      "{}", &charts, trees);
	assert_int_equal(charts.count, 3); /* one value is no line */
	assert_string_equal(charts.charts[0].unit, "MiB");
	assert_true(charts.charts[0].points[0].value == 100);
	assert_true(charts.charts[0].points[1].value == 150);
	assert_string_equal(charts.charts[1].unit, "s/s");
	assert_int_equal(charts.charts[1].count, 2);
	assert_true(charts.charts[1].points[0].value == 0.5);
	assert_true(charts.charts[1].points[1].value == 1.5);
	assert_true(charts.charts[2].low < 0.5 && charts.charts[2].high > 0.5);
	assert_true(charts.begin == 1 && charts.end == 3);
	end(&charts, trees);
}

static void test_gaps_and_resets(void **state)
{
	struct gm_charts charts;
	struct gm_json *trees[2];

	(void)state;
	build("{\"entities\":{\"if:tap0\":{\"net.rx.bytes\":"
	      "[[1,10],[2,20],[3,30],[4,5],[5,15],[30,25],[31,35],[31,36],[30.5,40]]}}}",
	      "{}", &charts, trees);
	const struct gm_chart *chart = &charts.charts[0];
	assert_int_equal(chart->count, 5); /* neither the reset nor what ran backwards */
	for (size_t i = 0; i < chart->count; i++)
		assert_int_equal(chart->points[i].gap, chart->points[i].time == 30);
	end(&charts, trees);
}

#define ALARM(entity, metric)                                       \
	"\"alarm\":{\"entity\":\"" entity "\",\"metric\":\"" metric \
	"\",\"severity\":\"major\",\"detector\":\"leak\",\"text\":\"it leaks\"}}"

static void test_marks(void **state)
{
	struct gm_charts charts;
	struct gm_json *trees[2];

	(void)state;
	build("{\"entities\":{\"node\":{\"load.1\":[[10,1],[20,2]]}}}",
	      "{\"log\":[{\"state\":\"raise\",\"time\":9," ALARM(
		      "node",
		      "load.1") ","
				"{\"state\":\"raise\",\"time\":12," ALARM(
					"node",
					"load.1") ","
						  "{\"state\":\"raise\",\"time\":13," ALARM(
							  "if:tap0",
							  "load.1") ","
								    "{\"state\":\"clear\",\"time\":"
								    "15," ALARM(
									    "node",
									    "memory.used") ","
											   "{\"stat"
											   "e\":"
											   "\"clear"
											   "\","
											   "\"time"
											   "\":21."
											   "5"
											   "," ALARM(
												   "node",
												   "load.1") ","
													     "{\"state\":\"raise\",\"time\":30," ALARM(
														     "node",
														     "load.1") ","
															       "7, null, {}]}",
	      &charts, trees);
	const struct gm_chart *chart = &charts.charts[0];
	assert_int_equal(chart->mark_count, 3);
	assert_true(chart->marks[0].time == 12 && chart->marks[0].own && !chart->marks[0].clear);
	assert_true(chart->marks[1].time == 15 && !chart->marks[1].own && chart->marks[1].clear);
	assert_true(chart->marks[2].time == 21.5 && charts.end == 21.5);
	assert_int_equal(chart->marks[0].severity, GM_SEVERITY_MAJOR);
	end(&charts, trees);
}

static void test_ticks(void **state)
{
	static const double ranges[][2] = {{0, 1},           {0, 1e-9},    {-5, 5},
					   {1e12, 1e12 + 1}, {99.99, 100}, {-1e15, 1e15},
					   {0.1, 0.7},       {3, 30000}};
	double ticks[GM_CHART_TICKS], step;
	char text[GM_CHART_LABEL];

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		size_t count = gm_chart_ticks(ranges[i][0], ranges[i][1], 5, ticks, &step);

		assert_in_range(count, 2, GM_CHART_TICKS);
		for (size_t j = 0; j < count; j++) {
			assert_true(ticks[j] >= ranges[i][0] && ticks[j] <= ranges[i][1]);
			assert_true(fabs(strtod(gm_chart_number(ticks[j], step, text), NULL) -
					 ticks[j]) <= step * 0.01);
		}
	}
	assert_string_equal(gm_chart_number(0.25, 0.05, text), "0.25");
	setenv("TZ", "UTC", 1);
	size_t count = gm_chart_time_ticks(1700000003, 1700000063, 6, ticks);
	assert_int_equal(count, 6);
	assert_true(ticks[0] == 1700000010 && ticks[1] == 1700000020);
	assert_string_equal(gm_chart_clock(ticks[0], text), "22:13:30");
}

/* The newest tick is the axis' last column: its time ends there, and is not left out. */
static void test_last_tick_has_its_time(void **state)
{
	const struct gm_plot_style style = {.width = 80};
	struct gm_charts charts;
	struct gm_json *trees[2];
	char *text, *rest;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	setenv("TZ", "UTC", 1);
	build("{\"entities\":{\"x\":{\"a\":[[1700000003,1],[1700000040,2]]}}}", "{}", &charts,
	      trees);
	assert_int_equal(gm_plot(&charts, &style, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, " 22:14:00\n"));
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		assert_in_range(strlen(line), 1, style.width);
	free(text);
	end(&charts, trees);
}

/* Values and times that no daemon of ours tells. */
static const char *const odd[] = {
	"{\"entities\":{\"x\":{\"a\":[[0,1],[1,1e308],[2,-1e308],[3,0]]}}}",
	"{\"entities\":{\"x\":{\"a\":[[1e300,1],[2e300,2]]}}}",
	"{\"entities\":{\"x\":{\"a\":[[-1e18,1],[1e18,2]]}}}",
	"{\"entities\":{\"x\":{\"a\":[[1,1e-300],[1.0000001,2e-300]]}}}",
	"{\"entities\":{\"x\":{\"a\":[[1,null],[\"2\",3],{},7,[]],\"b\":7,\"c\":[[1,2],[1,3]]}}}",
	"{\"entities\":{\"x\":7,\"y\":[],\"z\":{}}}",
	"{\"entities\":[1,2]}",
	"{}",
};

static void test_odd_answers_are_drawn(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct gm_charts charts;
		struct gm_json *trees[2];
		char *text;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		build(odd[i], "{\"log\":[{\"state\":\"raise\",\"time\":1," ALARM("x", "a") "]}",
		      &charts, trees);
		for (size_t width = 40; width <= 400; width += 120) {
			struct gm_plot_style style = {
				.width = width, .unicode = width % 80 == 0, .colour = true};

			assert_int_equal(gm_plot(&charts, &style, out), 0);
		}
		gm_svg(&charts, out);
		assert_int_equal(fclose(out), 0);
		assert_null(strstr(text, "nan"));
		assert_null(strstr(text, "inf"));
		free(text);
		end(&charts, trees);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_gaps_and_resets),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_last_tick_has_its_time),
		cmocka_unit_test(test_odd_answers_are_drawn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
