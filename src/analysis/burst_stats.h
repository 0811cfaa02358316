/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of the bursts of one direction: figures that only grow, so that whoever reads them
 * seldom loses nothing. burst.c fills them; a view or a MIB reads them through gm_burst_stats_of().
 *
 * Histograms are by powers of two: bucket i counts values from 2^i up to, not including, 2^(i+1) of
 * the histogram's unit; the first also what is less, the last also what is more.
 */
#ifndef GM_ANALYSIS_BURST_STATS_H
#define GM_ANALYSIS_BURST_STATS_H

#include <stdint.h>

#include "base/archive.h"

enum { GM_BURST_BUCKETS = 32 };

struct gm_burst_stats {
	uint64_t bursts;       /* begun */
	uint64_t time;         /* ns: total length of those that have ended */
	uint64_t volume;       /* what they carried: bytes, or packets */
	uint64_t dropped;      /* packets lost on this port while bursts were on */
	uint64_t told, untold; /* bursts reported, and only counted in a storm */
	uint64_t storms;
	uint64_t durations[GM_BURST_BUCKETS]; /* microseconds */
	uint64_t gaps[GM_BURST_BUCKETS];      /* milliseconds since the burst before */
	uint64_t peaks[GM_BURST_BUCKETS];     /* kbit/s, or packets per second */
	uint64_t volumes[GM_BURST_BUCKETS];   /* bytes, or packets */
};

/* A burst that has ended. What is negative is not known and not counted. */
struct gm_burst_figures {
	int64_t duration, gap; /* ns */
	double peak, volume;   /* in the histograms' units */
};

void gm_burst_stats_count(struct gm_burst_stats *stats, const struct gm_burst_figures *figures);
void gm_burst_stats_exchange(struct gm_burst_stats *stats, struct gm_archive *archive);

/* The bucket of a value in the histogram's unit. */
unsigned gm_burst_bucket(double value);

#endif
