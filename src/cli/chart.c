/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charts out of the daemon's answers; see chart.h. Called by windows_command.c.
 */
#include "cli/chart.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/render.h"
#include "model/metric.h"

/* A line is broken where this many of the usual distances are missing. */
enum { GAP = 5 };

/* Seconds by which an alarm may be newer than all samples and still belong to them. */
enum { MARK_AHEAD = 2 };

/* No daemon of ours tells such numbers, and differences of them would overflow. */
#define VALUE_MAX 1e100
#define TIME_MAX  1e12

/* How a catalogue's unit is shown: of a counter its rate. */
static const struct unit {
	const char *name;
	bool rate;
	double scale, step;
	const char *prefixes[6];
} units[] = {
	{"B", false, 1, 1024, {"B", "KiB", "MiB", "GiB", "TiB", NULL}},
	{"B", true, 1, 1024, {"B/s", "KiB/s", "MiB/s", "GiB/s", NULL}},
	{"bit/s", false, 1, 1000, {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", NULL}},
	{"ns", true, 1e-9, 1000, {"s/s", NULL}}, /* of time: how many were busy */
	{"packet", true, 1, 1000, {"packets/s", "k packets/s", "M packets/s", NULL}},
	{"request", true, 1, 1000, {"requests/s", "k requests/s", NULL}},
	{"1", true, 1, 1000, {"1/s", "k/s", "M/s", NULL}},
	{NULL, false, 1, 1000, {"", NULL}},
};

static const struct unit *unit_of(const struct gm_metric *metric)
{
	bool rate = metric && metric->kind == GM_KIND_COUNTER;
	const struct unit *unit = units;

	while (unit->name &&
	       (!metric || strcmp(unit->name, metric->unit) != 0 || unit->rate != rate))
		unit++;
	return unit;
}

static double at(const struct gm_json *series, size_t index, size_t member)
{
	return gm_json_value_number(gm_json_at(gm_json_at(series, index), member), NAN);
}

/* Values as they are, or a counter's increases per second; what ran backwards is left out. */
static size_t collect(const struct gm_json *series, bool counter, struct gm_chart_point *points)
{
	size_t count = 0;

	for (size_t i = counter; i < gm_json_size(series); i++) {
		double time = at(series, i, 0), value = at(series, i, 1);

		if (counter)
			value = (value - at(series, i - 1, 1)) / (time - at(series, i - 1, 0));
		if (!(fabs(value) <= VALUE_MAX) || !(fabs(time) <= TIME_MAX) ||
		    (counter && value < 0) || (count > 0 && time <= points[count - 1].time))
			continue;
		points[count++] = (struct gm_chart_point){.time = time, .value = value};
	}
	return count;
}

static int by_number(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static int mark_gaps(struct gm_chart *chart)
{
	double *spans = calloc(chart->count, sizeof(*spans));

	if (!spans)
		return -ENOMEM;
	for (size_t i = 1; i < chart->count; i++)
		spans[i - 1] = chart->points[i].time - chart->points[i - 1].time;
	qsort(spans, chart->count - 1, sizeof(*spans), by_number);
	double usual = spans[(chart->count - 1) / 2];
	for (size_t i = 1; i < chart->count; i++)
		chart->points[i].gap =
			chart->points[i].time - chart->points[i - 1].time > GAP * usual;
	free(spans);
	return 0;
}

/* Chooses the axis's unit, scales the points to it, and leaves some room above and below. */
static void scale(struct gm_chart *chart, const struct unit *unit)
{
	double low = INFINITY, high = -INFINITY, factor = unit->scale;
	size_t prefix = 0;

	for (size_t i = 0; i < chart->count; i++) {
		low = fmin(low, chart->points[i].value);
		high = fmax(high, chart->points[i].value);
	}
	while (unit->prefixes[prefix + 1] && fmax(fabs(low), fabs(high)) * factor >= unit->step) {
		factor /= unit->step;
		prefix++;
	}
	for (size_t i = 0; i < chart->count; i++)
		chart->points[i].value *= factor;
	snprintf(chart->unit, sizeof(chart->unit), "%s", unit->prefixes[prefix]);
	low *= factor;
	high *= factor;
	double room = high > low ? (high - low) * 0.05 : fmax(fabs(high) * 0.05, 0.5);
	chart->low = low >= 0 && low < room ? 0 : low - room;
	chart->high = high + room;
}

static void add_mark(struct gm_chart *chart, const struct gm_json *transition)
{
	const struct gm_json *alarm = gm_json_get(transition, "alarm");
	struct gm_chart_mark mark = {
		.time = gm_json_get_number(transition, "time", NAN),
		.clear = strcmp(gm_member_text(transition, "state"), "clear") == 0,
		.severity = GM_SEVERITY_INDETERMINATE,
		.detector = gm_member_text(alarm, "detector"),
		.metric = gm_member_text(alarm, "metric"),
		.text = gm_member_text(alarm, "text"),
	};

	if (strcmp(gm_member_text(alarm, "entity"), chart->entity) != 0 || !isfinite(mark.time))
		return;
	gm_severity_parse(gm_member_text(alarm, "severity"), &mark.severity);
	mark.own = strcmp(mark.metric, chart->metric) == 0;
	if (chart->mark_count == GM_CHART_MARKS) {
		memmove(chart->marks, chart->marks + 1,
			(GM_CHART_MARKS - 1) * sizeof(chart->marks[0]));
		chart->mark_count--;
	}
	chart->marks[chart->mark_count++] = mark;
}

/* The alarms' log is in the order of time. Marks of another time are taken out by trim_marks(). */
static void add_marks(struct gm_chart *chart, const struct gm_json *alarms)
{
	const struct gm_json *log = gm_json_get(alarms, "log");

	for (size_t i = 0; i < gm_json_size(log); i++)
		add_mark(chart, gm_json_at(log, i));
}

/* The newest alarm may be newer than the newest sample: there is room for it. */
static double end_with_marks(const struct gm_charts *charts)
{
	double end = charts->end;

	for (size_t i = 0; i < charts->count; i++) {
		const struct gm_chart *chart = &charts->charts[i];

		for (size_t j = 0; j < chart->mark_count; j++)
			if (chart->marks[j].time <= charts->end + MARK_AHEAD)
				end = fmax(end, chart->marks[j].time);
	}
	return end;
}

static void trim_marks(struct gm_chart *chart, double begin, double end)
{
	size_t count = 0;

	for (size_t i = 0; i < chart->mark_count; i++) {
		if (chart->marks[i].time >= begin && chart->marks[i].time <= end)
			chart->marks[count++] = chart->marks[i];
	}
	chart->mark_count = count;
}

/* 1: added; 0: it has nothing to draw. */
static int add_chart(struct gm_charts *charts, const char *entity, const char *metric,
		     const struct gm_json *series, const struct gm_json *alarms)
{
	const struct gm_metric *line = gm_metric_get(gm_metric_find(metric));
	bool counter = line && line->kind == GM_KIND_COUNTER;
	size_t size = gm_json_size(series);
	struct gm_chart_point *points = calloc(size ? size : 1, sizeof(*points));

	if (!points)
		return -ENOMEM;
	size_t count = collect(series, counter, points);
	if (count < 2) {
		free(points);
		return 0;
	}
	struct gm_chart *grown =
		realloc(charts->charts, (charts->count + 1) * sizeof(*charts->charts));
	if (!grown) {
		free(points);
		return -ENOMEM;
	}
	charts->charts = grown;
	struct gm_chart *chart = &grown[charts->count++];
	*chart = (struct gm_chart){
		.entity = entity, .metric = metric, .count = count, .points = points};
	scale(chart, unit_of(line));
	add_marks(chart, alarms);
	charts->begin = fmin(charts->begin, points[0].time);
	charts->end = fmax(charts->end, points[count - 1].time);
	return mark_gaps(chart) < 0 ? -ENOMEM : 1;
}

int gm_charts_build(const char *guest, const struct gm_json *windows, const struct gm_json *alarms,
		    struct gm_charts *ret_charts)
{
	struct gm_charts charts = {.guest = guest, .begin = INFINITY, .end = -INFINITY};
	const char *entity, *metric;
	const struct gm_json *metrics, *series;
	void *entities = NULL;

	while (gm_json_next(gm_json_get(windows, "entities"), &entities, &entity, &metrics)) {
		void *iterator = NULL;

		while (gm_json_next(metrics, &iterator, &metric, &series)) {
			if (add_chart(&charts, entity, metric, series, alarms) < 0) {
				gm_charts_free(&charts);
				return -ENOMEM;
			}
		}
	}
	charts.end = end_with_marks(&charts);
	for (size_t i = 0; i < charts.count; i++)
		trim_marks(&charts.charts[i], charts.begin, charts.end);
	*ret_charts = charts;
	return 0;
}

void gm_charts_free(struct gm_charts *charts)
{
	for (size_t i = 0; i < charts->count; i++)
		free(charts->charts[i].points);
	free(charts->charts);
	*charts = (struct gm_charts){.charts = NULL};
}

static size_t fill_ticks(double low, double high, double step, double origin,
			 double ticks[GM_CHART_TICKS])
{
	size_t count = 0;
	double first = origin + ceil((low - origin) / step) * step;

	for (double tick = first; tick <= high && count < GM_CHART_TICKS;
	     tick = first + (double)count * step)
		ticks[count++] = fabs(tick) < step * 1e-6 ? 0 : tick;
	return count;
}

size_t gm_chart_ticks(double low, double high, size_t wanted, double ticks[GM_CHART_TICKS],
		      double *ret_step)
{
	static const double nice[] = {1, 2, 5, 10};
	double rough = (high - low) / (double)(wanted > 0 ? wanted : 1);
	double power = pow(10, floor(log10(rough))), step = nice[3] * power;

	for (size_t i = 0; i < 4; i++) {
		if (nice[i] * power >= rough) {
			step = nice[i] * power;
			break;
		}
	}
	*ret_step = step;
	return fill_ticks(low, high, step, 0, ticks);
}

size_t gm_chart_time_ticks(double begin, double end, size_t wanted, double ticks[GM_CHART_TICKS])
{
	static const double nice[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
				      600, 900, 1800, 3600, 7200, 21600, 43200, 86400};
	enum { NICE = sizeof(nice) / sizeof(nice[0]) };
	double rough = (end - begin) / (double)(wanted > 0 ? wanted : 1), step = nice[NICE - 1];
	time_t whole = (time_t)begin;
	struct tm tm;

	for (size_t i = NICE; i-- > 0 && nice[i] >= rough;)
		step = nice[i];
	/* From the local midnight on, so that a tick each hour is at the full hour. */
	double midnight = 0;
	if (localtime_r(&whole, &tm))
		midnight = (double)whole - tm.tm_hour * 3600 - tm.tm_min * 60 - tm.tm_sec;
	return fill_ticks(begin, end, step, midnight, ticks);
}

char *gm_chart_number(double value, double step, char text[GM_CHART_LABEL])
{
	int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;

	if (decimals > 6 || fabs(value) >= 1e12)
		snprintf(text, GM_CHART_LABEL, "%.15g", value);
	else
		snprintf(text, GM_CHART_LABEL, "%.*f", decimals, value);
	return text;
}

char *gm_chart_clock(double time, char text[GM_CHART_LABEL])
{
	time_t whole = (time_t)time;
	struct tm tm;

	if (!localtime_r(&whole, &tm) || strftime(text, GM_CHART_LABEL, "%H:%M:%S", &tm) == 0)
		snprintf(text, GM_CHART_LABEL, "-");
	return text;
}
