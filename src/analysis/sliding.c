/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sliding windows in parts; see sliding.h. The threshold rules and the policies read their functions
 * from here.
 */
#include "analysis/sliding.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 32, SAMPLES = 256, SLOTS = SAMPLES + 1 };

/* One slice of the clock's grid; a slice that is not `number` any more is empty. */
struct part {
	int64_t number;
	int64_t first_at, last_at;
	double first, last;
	double sum, min, max;
	uint64_t count;
};

/* The samples that a percentile is taken of: by slot of a finer grid, and by size. */
struct ranks {
	int64_t newest;      /* the number of the newest slot */
	double slots[SLOTS]; /* by number modulo SLOTS; NaN: empty */
	size_t count;
	double sorted[SLOTS];
};

struct gm_sliding {
	int64_t width, fine_width;
	int64_t newest; /* time of the newest sample */
	bool any;
	struct part parts[PARTS + 1];
	struct part before;  /* all parts of the window before `before.number`, as one */
	bool gathered;       /* `before` holds */
	struct ranks *ranks; /* NULL: not wanted */
};

static int64_t slice(int64_t time, int64_t width)
{
	return time >= 0 ? time / width : -1 - (-1 - time) / width;
}

static size_t place(int64_t number, int64_t size)
{
	return (size_t)((number % size + size) % size);
}

/* ---- ranks ---- */

static void clear_ranks(struct ranks *ranks)
{
	ranks->count = 0;
	for (size_t i = 0; i < SLOTS; i++)
		ranks->slots[i] = NAN;
}

/* The place of the first value that is not less. */
static size_t rank_of(const struct ranks *ranks, double value)
{
	size_t low = 0, high = ranks->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (ranks->sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void empty_slot(struct ranks *ranks, size_t slot)
{
	double value = ranks->slots[slot];

	if (isnan(value))
		return;
	size_t rank = rank_of(ranks, value);
	ranks->count--;
	memmove(ranks->sorted + rank, ranks->sorted + rank + 1,
		(ranks->count - rank) * sizeof(double));
	ranks->slots[slot] = NAN;
}

/* Lets time pass up to slot `number`: what leaves the window is taken out. */
static void advance_ranks(struct ranks *ranks, int64_t number)
{
	if (number - ranks->newest >= SLOTS)
		clear_ranks(ranks);
	else
		for (int64_t n = ranks->newest + 1; n <= number; n++)
			empty_slot(ranks, place(n, SLOTS));
	if (number > ranks->newest)
		ranks->newest = number;
}

static void add_rank(struct ranks *ranks, int64_t number, double value)
{
	size_t slot = place(number, SLOTS);

	advance_ranks(ranks, number);
	if (number <= ranks->newest - SLOTS)
		return;
	empty_slot(ranks, slot);
	size_t rank = rank_of(ranks, value);
	memmove(ranks->sorted + rank + 1, ranks->sorted + rank,
		(ranks->count - rank) * sizeof(double));
	ranks->sorted[rank] = value;
	ranks->slots[slot] = value;
	ranks->count++;
}

static double percentile_of(struct ranks *ranks, int64_t number, double percentile)
{
	advance_ranks(ranks, number);
	if (ranks->count == 0)
		return NAN;
	double rank = ceil(percentile / 100 * (double)ranks->count);
	size_t last = ranks->count - 1;
	return ranks->sorted[rank < 1 ? 0 : rank > (double)last ? last : (size_t)rank - 1];
}

/* ---- parts ---- */

static void clear(struct gm_sliding *sliding)
{
	sliding->any = sliding->gathered = false;
	for (size_t i = 0; i < PARTS + 1; i++)
		sliding->parts[i].count = 0;
	if (sliding->ranks)
		clear_ranks(sliding->ranks);
}

int gm_sliding_create(int64_t length, bool ranked, struct gm_sliding **ret_sliding)
{
	struct gm_sliding *sliding = calloc(1, sizeof(*sliding));

	if (!sliding)
		return -ENOMEM;
	sliding->width = length / PARTS > 0 ? length / PARTS : 1;
	sliding->fine_width = length / SAMPLES > 0 ? length / SAMPLES : 1;
	sliding->ranks = ranked ? calloc(1, sizeof(*sliding->ranks)) : NULL;
	if (ranked && !sliding->ranks) {
		free(sliding);
		return -ENOMEM;
	}
	clear(sliding);
	*ret_sliding = sliding;
	return 0;
}

void gm_sliding_free(struct gm_sliding *sliding)
{
	if (!sliding)
		return;
	free(sliding->ranks);
	free(sliding);
}

/* Adds what `other` holds to `part`, which may be empty. */
static void merge(struct part *part, const struct part *other)
{
	if (part->count == 0) {
		int64_t number = part->number;

		*part = *other;
		part->number = number;
		return;
	}
	if (other->first_at < part->first_at) {
		part->first_at = other->first_at;
		part->first = other->first;
	}
	if (other->last_at >= part->last_at) {
		part->last_at = other->last_at;
		part->last = other->last;
	}
	part->min = other->min < part->min ? other->min : part->min;
	part->max = other->max > part->max ? other->max : part->max;
	part->sum += other->sum;
	part->count += other->count;
}

void gm_sliding_add(struct gm_sliding *sliding, int64_t time, double value)
{
	int64_t number = slice(time, sliding->width);
	const struct part sample = {.first_at = time,
				    .last_at = time,
				    .first = value,
				    .last = value,
				    .sum = value,
				    .min = value,
				    .max = value,
				    .count = 1};

	if (sliding->any && number < slice(sliding->newest, sliding->width) - PARTS)
		clear(sliding);
	if (sliding->ranks) {
		int64_t fine = slice(time, sliding->fine_width);

		if (!sliding->any)
			sliding->ranks->newest = fine;
		add_rank(sliding->ranks, fine, value);
	}
	if (!sliding->any || time > sliding->newest)
		sliding->newest = time;
	sliding->any = true;

	struct part *part = &sliding->parts[place(number, PARTS + 1)];
	if (part->count == 0 || part->number != number) {
		part->number = number;
		part->count = 0;
	}
	merge(part, &sample);
	if (number < sliding->before.number)
		sliding->gathered = false; /* late */
}

/* All parts of the window as one. Those before the present one change with each part, not each sample. */
static struct part gather(struct gm_sliding *sliding, int64_t last)
{
	struct part *before = &sliding->before;

	if (!sliding->gathered || before->number != last) {
		*before = (struct part){.number = last};
		for (size_t i = 0; i < PARTS + 1; i++) {
			const struct part *part = &sliding->parts[i];

			if (part->count > 0 && part->number < last && part->number >= last - PARTS)
				merge(before, part);
		}
		sliding->gathered = true;
	}
	struct part all = *before;
	const struct part *present = &sliding->parts[place(last, PARTS + 1)];
	if (present->count > 0 && present->number == last)
		merge(&all, present);
	return all;
}

double gm_sliding_read(struct gm_sliding *sliding, int64_t now, enum gm_function function,
		       double percentile)
{
	if (!sliding->any)
		return NAN;
	if (function == GM_FUNCTION_PERCENTILE)
		return sliding->ranks ? percentile_of(sliding->ranks,
						      slice(now, sliding->fine_width), percentile)
				      : NAN;

	struct part all = gather(sliding, slice(now, sliding->width));
	if (all.count == 0)
		return NAN;
	double seconds = (double)(all.last_at - all.first_at) / 1e9;
	switch (function) {
	case GM_FUNCTION_RATE:
		return seconds > 0 ? (all.last - all.first) / seconds : NAN;
	case GM_FUNCTION_COUNTED:
		return seconds > 0 ? (all.sum - all.first) / seconds : NAN;
	case GM_FUNCTION_AVG:
		return all.sum / (double)all.count;
	case GM_FUNCTION_MIN:
		return all.min;
	case GM_FUNCTION_MAX:
		return all.max;
	default:
		return all.last;
	}
}

double gm_sliding_counted(struct gm_sliding *sliding, int64_t now, double rate)
{
	double counted = gm_sliding_read(sliding, now, GM_FUNCTION_COUNTED, 0);

	return isnan(counted) ? rate : counted;
}
