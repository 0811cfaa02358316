/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of moments with a column of values per series: series that are always kept together share the times,
 * and what a frame brings lies side by side. Private to window.c, which owns the tracks; main thread only.
 *
 * A series that has missed the newest moment may do so for as long as that is the newest: then it must
 * have moved to a track of its own (gm_track_split()), for the next moment would leave a hole in its column.
 */
#ifndef GM_WINDOW_TRACK_H
#define GM_WINDOW_TRACK_H

#include <stddef.h>
#include <stdint.h>

#include "model/sample.h"

struct gm_track {
	size_t capacity, head,
		count;    /* moments: the i-th is at (head + i) % capacity, oldest first */
	uint64_t pushes;  /* moments so far */
	uint32_t width;   /* columns */
	uint32_t members; /* series that have a column */
	uint32_t current; /* of them, those that have the newest moment */
	int64_t *times;
	union gm_value *values; /* a row of `width` per moment */
};

/* For at most `max` moments, no column yet. NULL: out of memory. */
struct gm_track *gm_track_create(size_t max);
void gm_track_free(struct gm_track *track);

/* One more column; before the second moment only. The column, or -ENOMEM. */
int gm_track_widen(struct gm_track *track);

/*
 * A new moment; those before `oldest` go, and so does the oldest when there are `max`. -ENOMEM: it took the
 * place of the oldest before its time.
 */
int gm_track_push(struct gm_track *track, int64_t time, int64_t oldest, size_t max);

/* The first `count` moments with one column alone, as a track with one column. NULL: out of memory. */
struct gm_track *gm_track_split(const struct gm_track *track, uint32_t column, size_t count);

size_t gm_track_bytes(const struct gm_track *track);

static inline int64_t gm_track_time(const struct gm_track *track, size_t i)
{
	return track->times[(track->head + i) % track->capacity];
}

static inline union gm_value *gm_track_value(const struct gm_track *track, uint32_t column,
					     size_t i)
{
	return &track->values[(track->head + i) % track->capacity * track->width + column];
}

#endif
