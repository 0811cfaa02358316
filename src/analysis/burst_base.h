/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The background of a direction: what its traffic is like between bursts. For burst_track.c alone.
 *
 * Rates are positive and skewed, so the background is taken for a Pearson III (gamma) distribution
 * by its mean, variance and skewness; how far its tail really reaches beside that is learned, too.
 */
#ifndef GM_ANALYSIS_BURST_BASE_H
#define GM_ANALYSIS_BURST_BASE_H

#include "analysis/burst_track.h"

/* True once there are enough bins to judge by. */
bool gm_burst_base_ready(const struct gm_burst_base *base);

/* Standard deviation of the rate of a bin `length` usual bins long. */
double gm_burst_base_deviation(const struct gm_burst_base *base, double length);

/* The same of the last few dozen bins alone. */
double gm_burst_base_recent(const struct gm_burst_base *base, double length);

/*
 * How far above the mean the rate over `length` usual bins has to be, in deviations, that only the
 * part `rare` of all bins of this traffic gets there. Infinite while it is not known.
 */
double gm_burst_base_reach(const struct gm_burst_base *base, double length, double rare);

/*
 * What the bin after one of `rate` is expected to be: the mean, or more where bins follow each other and
 * the traffic is high already. An application's own ups and downs last for some bins, a burst comes
 * out of nothing.
 */
double gm_burst_base_expected(const struct gm_burst_base *base, double rate);

/* Standard deviation of the mean of `count` (1 or 2) neighbours as against that of independent bins. */
double gm_burst_base_together(const struct gm_burst_base *base, size_t count);

/*
 * The rate that one bin in a hundred exceeds, of bins as they were of late alone (what was before a
 * change of level must not hide a burst); 0 while it is not known.
 */
double gm_burst_base_high(const struct gm_burst_base *base, double length);

/*
 * Learns a bin of `length` usual bins. `grain`, in bit/s, is a variation that is nothing: it
 * keeps an interface that was silent from taking the first packets for outliers for ever.
 */
void gm_burst_base_learn(struct gm_burst_base *base, double rate, double length, double grain);

/*
 * The level has changed to about `rate`. When that is the level before this one (traffic that goes on
 * and off), it is taken up as it was left; else how much the traffic varies is believed still, relative
 * to its rate.
 */
void gm_burst_base_move(struct gm_burst_base *base, double rate);

/* All of it; what cannot be a background fails the archive. */
void gm_burst_base_exchange(struct gm_burst_base *base, struct gm_archive *archive);

#endif
