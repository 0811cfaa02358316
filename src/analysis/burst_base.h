/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The background of a direction: what its traffic is like between bursts. For burst_track.c alone.
 */
#ifndef GM_ANALYSIS_BURST_BASE_H
#define GM_ANALYSIS_BURST_BASE_H

#include "analysis/burst_track.h"

/* True once there are enough bins to judge by. */
bool gm_burst_base_ready(const struct gm_burst_base *base);

/* Standard deviation of the rate of a bin `length` usual bins long. */
double gm_burst_base_deviation(const struct gm_burst_base *base, double length);

/*
 * What the highest hundredth of bins exceeds, in deviations above the mean: 2.3 for normal noise, more
 * for traffic of rare high bins. Infinite while it is not known.
 */
double gm_burst_base_tail(const struct gm_burst_base *base);

/* Learns a bin of `length` usual bins. */
void gm_burst_base_learn(struct gm_burst_base *base, double rate, double length);

/* The level has changed: forgets it. How much the traffic varies is still believed. */
void gm_burst_base_forget(struct gm_burst_base *base);

#endif
