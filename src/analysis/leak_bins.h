/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series at several time scales: one ring of bins per scale, each bin the floor and the peak of its
 * time, the crest: the highest floor of the finer bins that it was made of, and the ridge: the highest
 * floor of all minutes in it (below five minutes, the crest). A sample costs a few operations, a closed
 * bin is merged into the next scale's open one; memory is fixed. Times never go back: a sample that is
 * older than the newest is dropped.
 */
#ifndef GM_ANALYSIS_LEAK_BINS_H
#define GM_ANALYSIS_LEAK_BINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"

enum { GM_LEAK_SCALES = 8, GM_LEAK_BINS = 48 };

/* Widths in ns, each a multiple of the one before: 1 s, 4 s, 20 s, 1 min, 5 min, 20 min, 1 h, 4 h. */
extern const int64_t gm_leak_widths[GM_LEAK_SCALES];

struct gm_leak_bin {
	float floor, crest, ridge, peak; /* NaN: no sample in its time */
};

struct gm_leak_scale {
	int64_t open;     /* number of the open bin: time / width */
	uint32_t samples; /* in the open bin */
	float floor, crest, ridge, peak;
	uint8_t newest, count; /* of the ring of closed bins */
	struct gm_leak_bin bins[GM_LEAK_BINS];
};

struct gm_leak_bins {
	bool started;
	int64_t since; /* growth is measured from here on: set by whoever knows of a break */
	struct gm_leak_scale scales[GM_LEAK_SCALES];
};

void gm_leak_bins_reset(struct gm_leak_bins *bins);

/* Takes a value in. Returns a bit per scale whose bin was closed by it. */
unsigned gm_leak_bins_add(struct gm_leak_bins *bins, int64_t time, float value);

/* The closed bin `age` places before the newest (0: the newest). age < count. */
const struct gm_leak_bin *gm_leak_bin(const struct gm_leak_scale *scale, size_t age);

/* How many of the newest closed bins of `scale` lie behind `since`. */
size_t gm_leak_bins_usable(const struct gm_leak_bins *bins, size_t scale);

void gm_leak_bins_exchange(struct gm_archive *archive, struct gm_leak_bins *bins);

#endif
