/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series as they are drawn: points in the unit of their axis, the alarms of that time, where the ticks
 * are. Knows no terminal and no picture format: plot.c and svg.c draw.
 */
#ifndef GM_CLI_CHART_H
#define GM_CLI_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "model/finding.h"

enum { GM_CHART_MARKS = 100, GM_CHART_TICKS = 12 };

struct gm_chart_point {
	double time, value; /* s since the epoch; in the axis's unit */
	bool gap;           /* samples are missing before it: no line leads to it */
};

/* A transition of an alarm of this entity. The texts are as the daemon told them. */
struct gm_chart_mark {
	double time;
	bool clear;
	bool own; /* of this very metric */
	enum gm_severity severity;
	const char *detector, *metric, *text;
};

struct gm_chart {
	const char *entity, *metric;
	char unit[16]; /* of the axis: "MiB", "kbit/s"; empty for plain numbers */
	size_t count, mark_count;
	struct gm_chart_point *points;              /* by time */
	struct gm_chart_mark marks[GM_CHART_MARKS]; /* the newest ones, by time */
	double low, high; /* of the value axis: low < high, all points are within */
};

struct gm_charts {
	const char *guest;
	double begin, end; /* of all: one time axis, begin < end */
	size_t count;
	struct gm_chart *charts;
};

/*
 * From the answers to `windows` and `alarms --log`, which outlive the charts. Counters are drawn as
 * rates; series without two values are left out. 0 or -ENOMEM.
 */
int gm_charts_build(const char *guest, const struct gm_json *windows, const struct gm_json *alarms,
		    struct gm_charts *ret_charts);
void gm_charts_free(struct gm_charts *charts);

/* Round numbers from `low` to `high`, about `wanted` of them, at most GM_CHART_TICKS; their distance. */
size_t gm_chart_ticks(double low, double high, size_t wanted, double ticks[GM_CHART_TICKS],
		      double *ret_step);
/* The same for local times: whole seconds, minutes, hours. */
size_t gm_chart_time_ticks(double begin, double end, size_t wanted, double ticks[GM_CHART_TICKS]);

enum { GM_CHART_LABEL = 32 };
char *gm_chart_number(double value, double step, char text[GM_CHART_LABEL]);
char *gm_chart_clock(double time, char text[GM_CHART_LABEL]); /* "08:31:05", local */

#endif
