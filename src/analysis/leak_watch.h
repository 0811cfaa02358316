/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One series that is watched for a leak: its bins, and the condition from its beginning to its end.
 * What a leak looks like is in leak_judge.c, what is watched and told in leak.c.
 *
 * The condition begins with a judgement at any scale. While it lasts, the line is fitted anew from its
 * onset, at the scale that suits its age. It ends when memory came back (half of what was lost) or when
 * nothing more was lost for as long as it had been growing when it was found.
 */
#ifndef GM_ANALYSIS_LEAK_WATCH_H
#define GM_ANALYSIS_LEAK_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/leak_bins.h"
#include "analysis/leak_growth.h"
#include "base/archive.h"
#include "model/finding.h"

/* A condition that holds. */
struct gm_leak_condition {
	struct gm_leak_growth growth;
	double confidence;
	size_t scale;     /* that found it */
	double base;      /* the floor at its onset */
	double high;      /* the highest floor since */
	int64_t high_at;  /* when that was reached */
	int64_t patience; /* how long it may stand still */
	int64_t told_end; /* the exhaustion that was told last; 0: none yet */
	enum gm_severity told_severity;
};

struct gm_leak_watch {
	int64_t time;       /* of the newest sample; 0: none */
	double used, total; /* bytes; NaN: not known */
	bool active;
	struct gm_leak_condition condition; /* while active */
	struct gm_leak_bins bins;
};

/* How it is judged. */
struct gm_leak_manner {
	double caution;  /* see gm_leak_judge() */
	int64_t horizon; /* ns: exhaustion further away is no condition */
};

/* Seconds until nothing is left. */
struct gm_leak_forecast {
	double left;
	double low, high; /* the interval of 90 %; high is INFINITY without a bound */
};

void gm_leak_watch_init(struct gm_leak_watch *watch);

/* Takes a sample in and judges. Values that no memory can have are ignored. */
void gm_leak_watch_take(struct gm_leak_watch *watch, int64_t time, double used,
			const struct gm_leak_manner *manner);

/* False for a value that cannot be; then nothing changes. */
bool gm_leak_watch_total(struct gm_leak_watch *watch, double total);

/* Something planned broke the series: no growth is judged across it. What was before stays the past. */
void gm_leak_watch_break(struct gm_leak_watch *watch, int64_t now);

/* Whether anything can be said: a total, and enough samples since the last break. */
bool gm_leak_watch_knows(const struct gm_leak_watch *watch);

/* While active: when the peaks reach the total, on the line; never before the newest sample. */
int64_t gm_leak_watch_end(const struct gm_leak_watch *watch);
void gm_leak_watch_forecast(const struct gm_leak_watch *watch,
			    struct gm_leak_forecast *ret_forecast);

void gm_leak_watch_exchange(struct gm_archive *archive, struct gm_leak_watch *watch);

#endif
