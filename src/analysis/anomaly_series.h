/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One metric of one entity, as a series of values at a steady pace: how surprising and how unusual
 * the newest is. It is looked at in several ways (the value, its change, means and spreads over
 * windows from 4 to 324 values); each has a place and a spread learned from all that came before, and a
 * tail on either side.
 *
 *   surprise  beyond all that was seen, summed over the ways to look: sharp, once per event
 *   excess    far from the usual, in standard deviations above three: as long as it lasts
 *
 * Pure and bounded: under 8 kB, no clock, no I/O. The detector feeds it and combines the metrics.
 */
#ifndef GM_ANALYSIS_ANOMALY_SERIES_H
#define GM_ANALYSIS_ANOMALY_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/anomaly_tail.h"
#include "base/archive.h"

enum {
	GM_ANOMALY_WINDOWS = 5,
	GM_ANOMALY_WINDOW_MAX = 324, /* values of the longest */
	GM_ANOMALY_VIEWS = 3 + 2 * GM_ANOMALY_WINDOWS,
	GM_ANOMALY_LEARN = 100, /* values before a way to look can surprise */
};

/* Kept below this, so that squares and sums stay finite; floats end at 3e38. */
#define GM_ANOMALY_VALUE_MAX 1e30

/* One way to look at the series. */
struct gm_anomaly_view {
	double mean, variance; /* of all that came before */
	uint32_t count;
	struct gm_anomaly_tail above, below;
};

struct gm_anomaly_series {
	double origin; /* the first value: the rest is relative to it */
	double low, high, previous, smooth;
	double sums[GM_ANOMALY_WINDOWS], squares[GM_ANOMALY_WINDOWS];
	float ring[GM_ANOMALY_WINDOW_MAX];
	uint32_t next;    /* place of the next value in the ring */
	uint64_t count;   /* values so far */
	uint64_t settled; /* the count from which the level is known again */
	struct gm_anomaly_hours hours;
	struct gm_anomaly_view views[GM_ANOMALY_VIEWS];
};

_Static_assert(sizeof(struct gm_anomaly_series) <= 8000, "a metric's state is limited to 8 kB");

struct gm_anomaly_reading {
	double surprise, excess;
};

void gm_anomaly_series_reset(struct gm_anomaly_series *series);

/*
 * `hour`: of the day, 0 to 23; `gap`: values are missing before this one, so that the change to it
 * tells nothing. Values that are not finite must not come.
 */
struct gm_anomaly_reading gm_anomaly_series_add(struct gm_anomaly_series *series, double value,
						unsigned hour, bool gap);

/* The level may be another from now on: it is learned quickly over the next `values`. */
void gm_anomaly_series_disturb(struct gm_anomaly_series *series, uint32_t values);

void gm_anomaly_series_exchange(struct gm_anomaly_series *series, struct gm_archive *archive);

#endif
