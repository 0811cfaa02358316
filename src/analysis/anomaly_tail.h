/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one side (above, or below) of a number has shown so far: its largest values, over all time and
 * by hour of the day. Tells how far a new value lies beyond them, in the steps that the values
 * themselves take there: the Pareto tail of extreme-value theory, its index by Hill's estimator (B. Hill,
 * Annals of Statistics 3, 1975) shrunk towards a usual one. A value that was reached before, or at this
 * hour of an earlier day, is no surprise; nor is the same height a second time.
 *
 * Heights only: the side below is fed with the numbers' negatives. Pure and bounded; no clock.
 */
#ifndef GM_ANALYSIS_ANOMALY_TAIL_H
#define GM_ANALYSIS_ANOMALY_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/archive.h"

enum {
	GM_ANOMALY_TOPS = 8,     /* kept largest values, one per block */
	GM_ANOMALY_BLOCK = 20,   /* values that give one: neighbours are not independent */
	GM_ANOMALY_HOURS = 24,   /* of the day */
	GM_ANOMALY_PENDING = 12, /* closed hours that are still too young to tell of another day */
};

struct gm_anomaly_tail {
	float tops[GM_ANOMALY_TOPS]; /* the first `kept`, largest first */
	float block;                 /* largest of the open block */
	float hour;                  /* largest of the open hour */
	float pending[GM_ANOMALY_PENDING];
	float peaks[GM_ANOMALY_HOURS]; /* NaN: that hour was not seen */
	uint16_t kept, filled;
};

/* The hours that pass, the same for all sides of a series. */
struct gm_anomaly_hours {
	uint16_t current, pending;            /* the open hour, and how many wait */
	uint16_t waiting[GM_ANOMALY_PENDING]; /* which, oldest first */
};

void gm_anomaly_tail_reset(struct gm_anomaly_tail *tail);

/*
 * How surprising `value` is against what was added before, 0 or more: each step of 1 makes it about e
 * times rarer. `centre`: where the numbers usually are; `floor`: distances from it below that do not matter.
 */
double gm_anomaly_tail_surprise(const struct gm_anomaly_tail *tail, double value, double centre,
				double floor, unsigned hour);

/* `closes`: blocks close with every value, so that a changed level is soon known. */
void gm_anomaly_tail_add(struct gm_anomaly_tail *tail, double value, double centre, bool closes);

/* The open hour ends: call for all sides of a series, then gm_anomaly_hours_next(). */
void gm_anomaly_tail_hour(struct gm_anomaly_tail *tail, const struct gm_anomaly_hours *hours,
			  double centre);
void gm_anomaly_hours_next(struct gm_anomaly_hours *hours, unsigned hour);

void gm_anomaly_tail_exchange(struct gm_anomaly_tail *tail, struct gm_archive *archive);
void gm_anomaly_hours_exchange(struct gm_anomaly_hours *hours, struct gm_archive *archive);

#endif
