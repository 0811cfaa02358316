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

static const struct gm_leak_bin empty = {NAN, NAN, NAN, NAN};

/* The scale whose floors make up the ridges of the coarser ones. */
enum { MINUTE = 3 };

/* What restored bins may hold at most. */
#define VALUE_MAX 1e18f
#define TIME_MAX  (INT64_MAX / 4)

void gm_leak_bins_reset(struct gm_leak_bins *bins)
{
	bins->started = false;
	bins->since = 0;
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
	struct gm_leak_bin bin = {
		.floor = scale->floor,
		.crest = scale->crest,
		.ridge = scale->ridge,
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

/* `ridge`: what the finer bin adds to the ridge. */
static void merge(struct gm_leak_scale *scale, const struct gm_leak_bin *bin, float ridge)
{
	if (scale->samples == 0) {
		scale->floor = bin->floor;
		scale->peak = bin->peak;
		scale->crest = bin->floor;
		scale->ridge = ridge;
	}
	scale->floor = bin->floor < scale->floor ? bin->floor : scale->floor;
	scale->peak = bin->peak > scale->peak ? bin->peak : scale->peak;
	scale->crest = bin->floor > scale->crest ? bin->floor : scale->crest;
	scale->ridge = ridge > scale->ridge ? ridge : scale->ridge;
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
	const struct gm_leak_bin sample = {value, value, value, value};
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
			merge(&bins->scales[i + 1], &done, i <= MINUTE ? done.floor : done.ridge);
		closed |= 1U << i;
	}
	merge(&bins->scales[0], &sample, value);
	return closed;
}

size_t gm_leak_bins_usable(const struct gm_leak_bins *bins, size_t scale)
{
	const struct gm_leak_scale *ring = &bins->scales[scale];
	int64_t usable =
		ring->open - (bins->since + gm_leak_widths[scale] - 1) / gm_leak_widths[scale];

	if (usable <= 0)
		return 0;
	return usable < ring->count ? (size_t)usable : ring->count;
}

/* Floor, crest and peak; an empty bin is one byte. */
static void exchange_bin(struct gm_archive *archive, struct gm_leak_bin *bin)
{
	bool filled = !isnan(bin->floor);

	gm_archive_bool(archive, &filled);
	if (!filled) {
		*bin = empty;
		return;
	}
	gm_archive_float(archive, &bin->floor);
	gm_archive_float(archive, &bin->crest);
	gm_archive_float(archive, &bin->ridge);
	gm_archive_float(archive, &bin->peak);
	if (!(bin->floor >= 0 && bin->crest >= bin->floor && bin->ridge >= bin->crest &&
	      bin->peak >= bin->ridge && bin->peak <= VALUE_MAX))
		archive->failed = true;
}

static void exchange_scale(struct gm_archive *archive, struct gm_leak_scale *scale)
{
	struct gm_leak_bin open = {scale->floor, scale->crest, scale->ridge, scale->peak};
	size_t count = scale->count;

	gm_archive_u32(archive, &scale->samples, UINT32_MAX);
	if (scale->samples > 0)
		exchange_bin(archive, &open);
	scale->floor = open.floor;
	scale->crest = open.crest;
	scale->ridge = open.ridge;
	scale->peak = open.peak;

	gm_archive_size(archive, &count, GM_LEAK_BINS);
	if (!archive->out) {
		scale->count = archive->failed ? 0 : (uint8_t)count;
		scale->newest = count > 0 ? (uint8_t)(count - 1) : 0;
	}
	for (size_t i = 0; i < count && !archive->failed; i++) {
		size_t at = (scale->newest + GM_LEAK_BINS + 1 - count + i) % GM_LEAK_BINS;

		exchange_bin(archive, &scale->bins[at]);
	}
}

void gm_leak_bins_exchange(struct gm_archive *archive, struct gm_leak_bins *bins)
{
	int64_t last = bins->scales[0].open * gm_leak_widths[0];

	gm_archive_bool(archive, &bins->started);
	gm_archive_int(archive, &bins->since, 0, TIME_MAX);
	if (!bins->started || archive->failed)
		return;
	gm_archive_int(archive, &last, 0, TIME_MAX);
	for (size_t i = 0; i < GM_LEAK_SCALES && !archive->failed; i++) {
		/* All scales are at the same time: see gm_leak_bins_add(). */
		bins->scales[i].open = last / gm_leak_widths[i];
		exchange_scale(archive, &bins->scales[i]);
	}
}
