/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growth at the end of a series, at one time scale: where it began and what it looks like. Measures
 * only; what it means is decided in leak_judge.c. Pure, no state of its own.
 */
#ifndef GM_ANALYSIS_LEAK_GROWTH_H
#define GM_ANALYSIS_LEAK_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/leak_bins.h"

/* Bytes, and bytes per second; a floor is the lowest value of a bin. */
struct gm_leak_growth {
	size_t scale;
	int64_t onset, end; /* from the first to behind the last bin: ns since the epoch */
	size_t bins;        /* between them */

	/* the robust line through the floors */
	double slope;
	double rise;                  /* from onset to end */
	double level;                 /* at the end */
	double late;                  /* slope of the second half alone */
	double scatter;               /* of the floors about the line */
	double slope_low, slope_high; /* its interval of 90 % */
	double span;                  /* seconds that the line was fitted to */
	double spike;                 /* how far a peak lay above the line at most */

	/* its shape */
	double pace;  /* slope of the newest bins, from end to end */
	double top;   /* the highest of the newest floors, but not above the line */
	double swing; /* how far a bin's peak usually lies above its floor */
	double step;  /* the largest lasting step */
	double order; /* rising less falling pairs of floors, as a part of both: -1 to 1 */
	double z;     /* Mann-Kendall */

	/* what was before: set by gm_leak_growth_past() */
	double high;  /* the height that the series used to reach; -INFINITY without a past */
	double lift;  /* by how much steps raised the series since */
	double daily; /* the largest rise at the same hours of a day before */
	double past;  /* seconds of it that are known */
};

/*
 * Finds and measures the growth itself up to the newest closed bin of `scale`. False when there is none of at
 * least `least_bins` bins and `least_rise` bytes.
 */
bool gm_leak_growth_find(const struct gm_leak_bins *bins, size_t scale, size_t least_bins,
			 double least_rise, struct gm_leak_growth *ret_growth);

/* Measures what was before a growth that was found in `bins`. Dearer than finding it. */
void gm_leak_growth_past(const struct gm_leak_bins *bins, struct gm_leak_growth *growth);

/*
 * Measures anew from a known onset (or from the oldest bin that `scale` still has) to the newest bin:
 * only the line, its end and the swing are set. False, with the growth unchanged, when the bins do
 * not rise or are too few.
 */
bool gm_leak_growth_follow(const struct gm_leak_bins *bins, size_t scale,
			   struct gm_leak_growth *growth);

void gm_leak_growth_exchange(struct gm_archive *archive, struct gm_leak_growth *growth);

#endif
