/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rings of bins below the leak detector. No judgement here: see leak_judge.c.
 */
#include "analysis/leak_bins.h"

#include <math.h>

#include "base/clock.h"

const int64_t gm_leak_widths[GM_LEAK_SCALES] = {
	GM_SECOND,       4 * GM_SECOND,    20 * GM_SECOND,   60 * GM_SECOND,
	300 * GM_SECOND, 1200 * GM_SECOND, 3600 * GM_SECOND, 14400 * GM_SECOND,
};

void gm_leak_bins_reset(struct gm_leak_bins *bins)
{
	bins->started = false;
	for (size_t i = 0; i < GM_LEAK_SCALES; i++) {
		bins->scales[i].samples = 0;
		bins->scales[i].count = 0;
	}
}

const struct gm_leak_bin *gm_leak_bin(const struct gm_leak_scale *scale, size_t age)
{
	return &scale->bins[(scale->newest + GM_LEAK_BINS - age) % GM_LEAK_BINS];
}

static void push(struct gm_leak_scale *scale, struct gm_leak_bin bin)
{
	scale->newest = (uint8_t)((scale->newest + 1) % GM_LEAK_BINS);
	scale->bins[scale->newest] = bin;
	if (scale->count < GM_LEAK_BINS)
		scale->count++;
}

/* Closes the open bin and leaves empty ones for the time without samples, up to bin `number`. */
static struct gm_leak_bin close_bin(struct gm_leak_scale *scale, int64_t number)
{
	static const struct gm_leak_bin empty = {NAN, NAN, NAN};
	struct gm_leak_bin bin = {
		.floor = scale->floor,
		.crest = scale->crest,
		.peak = scale->peak,
	};
	int64_t missed = number - scale->open - 1;

	push(scale, bin);
	if (missed >= GM_LEAK_BINS)
		scale->count = 0;
	else
		for (int64_t i = 0; i < missed; i++)
			push(scale, empty);
	scale->samples = 0;
	scale->open = number;
	return bin;
}

static void merge(struct gm_leak_scale *scale, const struct gm_leak_bin *bin)
{
	if (scale->samples == 0) {
		scale->floor = bin->floor;
		scale->peak = bin->peak;
		scale->crest = bin->floor;
	}
	scale->floor = bin->floor < scale->floor ? bin->floor : scale->floor;
	scale->peak = bin->peak > scale->peak ? bin->peak : scale->peak;
	scale->crest = bin->floor > scale->crest ? bin->floor : scale->crest;
	scale->samples++;
}

static void start(struct gm_leak_bins *bins, int64_t time)
{
	for (size_t i = 0; i < GM_LEAK_SCALES; i++)
		bins->scales[i].open = time / gm_leak_widths[i];
	bins->started = true;
}

unsigned gm_leak_bins_add(struct gm_leak_bins *bins, int64_t time, float value)
{
	const struct gm_leak_bin sample = {value, value, value};
	unsigned closed = 0;

	if (!bins->started)
		start(bins, time);
	if (time / gm_leak_widths[0] < bins->scales[0].open)
		return 0;
	/* A bin of a coarser scale ends where one of the finer scale ends: the first that stays open ends
	 * the search. */
	for (size_t i = 0; i < GM_LEAK_SCALES; i++) {
		int64_t number = time / gm_leak_widths[i];
		struct gm_leak_bin done;

		if (number == bins->scales[i].open)
			break;
		done = close_bin(&bins->scales[i], number);
		if (i + 1 < GM_LEAK_SCALES)
			merge(&bins->scales[i + 1], &done);
		closed |= 1U << i;
	}
	merge(&bins->scales[0], &sample);
	return closed;
}
