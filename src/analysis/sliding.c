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

enum { PARTS = 32, SAMPLES = 256 };

/* One slice of the clock's grid; a slice that is not `number` any more is empty. */
struct part {
	int64_t number;
	int64_t first_at, last_at;
	double first, last;
	double sum, min, max;
	uint64_t count;
};

struct ranked {
	int64_t number;
	double value;
};

struct gm_sliding {
	int64_t width, fine_width;
	int64_t newest; /* time of the newest sample */
	bool any;
	struct part parts[PARTS + 1];
	size_t ranked_count; /* SAMPLES + 1 or 0 */
	struct ranked ranked[];
};

static int64_t slice(int64_t time, int64_t width)
{
	return time >= 0 ? time / width : -1 - (-1 - time) / width;
}

static size_t place(int64_t number, int64_t size)
{
	return (size_t)((number % size + size) % size);
}

static void clear(struct gm_sliding *sliding)
{
	sliding->any = false;
	for (size_t i = 0; i < PARTS + 1; i++)
		sliding->parts[i].count = 0;
	for (size_t i = 0; i < sliding->ranked_count; i++)
		sliding->ranked[i].value = NAN;
}

int gm_sliding_create(int64_t length, bool ranked, struct gm_sliding **ret_sliding)
{
	size_t count = ranked ? SAMPLES + 1 : 0;
	struct gm_sliding *sliding = calloc(1, sizeof(*sliding) + count * sizeof(struct ranked));

	if (!sliding)
		return -ENOMEM;
	sliding->width = length / PARTS > 0 ? length / PARTS : 1;
	sliding->fine_width = length / SAMPLES > 0 ? length / SAMPLES : 1;
	sliding->ranked_count = count;
	clear(sliding);
	*ret_sliding = sliding;
	return 0;
}

void gm_sliding_free(struct gm_sliding *sliding)
{
	free(sliding);
}

static void add_to_part(struct part *part, int64_t time, double value)
{
	if (part->count == 0) {
		part->first_at = part->last_at = time;
		part->first = part->last = part->min = part->max = value;
		part->sum = value;
		part->count = 1;
		return;
	}
	if (time < part->first_at) {
		part->first_at = time;
		part->first = value;
	}
	if (time >= part->last_at) {
		part->last_at = time;
		part->last = value;
	}
	part->min = fmin(part->min, value);
	part->max = fmax(part->max, value);
	part->sum += value;
	part->count++;
}

void gm_sliding_add(struct gm_sliding *sliding, int64_t time, double value)
{
	int64_t number = slice(time, sliding->width);

	if (sliding->any && number < slice(sliding->newest, sliding->width) - PARTS)
		clear(sliding);
	if (!sliding->any || time > sliding->newest)
		sliding->newest = time;
	sliding->any = true;

	struct part *part = &sliding->parts[place(number, PARTS + 1)];
	if (part->number != number) {
		part->number = number;
		part->count = 0;
	}
	add_to_part(part, time, value);
	if (sliding->ranked_count > 0) {
		int64_t fine = slice(time, sliding->fine_width);

		sliding->ranked[place(fine, SAMPLES + 1)] =
			(struct ranked){.number = fine, .value = value};
	}
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double percentile_of(const struct gm_sliding *sliding, int64_t now, double percentile)
{
	int64_t last = slice(now, sliding->fine_width);
	double values[SAMPLES + 1];
	size_t count = 0;

	for (size_t i = 0; i < sliding->ranked_count; i++) {
		const struct ranked *ranked = &sliding->ranked[i];

		if (!isnan(ranked->value) && ranked->number <= last &&
		    ranked->number >= last - SAMPLES)
			values[count++] = ranked->value;
	}
	if (count == 0)
		return NAN;
	qsort(values, count, sizeof(*values), compare);
	double rank = ceil(percentile / 100 * (double)count);
	return values[rank < 1 ? 0 : rank > (double)count ? count - 1 : (size_t)rank - 1];
}

/* All parts of the window as one. */
static struct part gather(const struct gm_sliding *sliding, int64_t now)
{
	int64_t last = slice(now, sliding->width);
	struct part all = {.count = 0};

	for (size_t i = 0; i < PARTS + 1; i++) {
		const struct part *part = &sliding->parts[i];

		if (part->count == 0 || part->number > last || part->number < last - PARTS)
			continue;
		if (all.count == 0) {
			all = *part;
			continue;
		}
		if (part->first_at < all.first_at) {
			all.first_at = part->first_at;
			all.first = part->first;
		}
		if (part->last_at > all.last_at) {
			all.last_at = part->last_at;
			all.last = part->last;
		}
		all.min = fmin(all.min, part->min);
		all.max = fmax(all.max, part->max);
		all.sum += part->sum;
		all.count += part->count;
	}
	return all;
}

double gm_sliding_read(const struct gm_sliding *sliding, int64_t now, enum gm_function function,
		       double percentile)
{
	if (!sliding->any)
		return NAN;
	if (function == GM_FUNCTION_PERCENTILE)
		return sliding->ranked_count > 0 ? percentile_of(sliding, now, percentile) : NAN;

	struct part all = gather(sliding, now);
	if (all.count == 0)
		return NAN;
	switch (function) {
	case GM_FUNCTION_RATE:
		if (all.last_at == all.first_at)
			return NAN;
		return (all.last - all.first) / ((double)(all.last_at - all.first_at) / 1e9);
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
