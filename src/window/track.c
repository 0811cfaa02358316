/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moments and columns; see track.h. It starts small and doubles up to the limit. Called by window.c.
 */
#include "window/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 16 };

/* Room for so many moments, with what is there at the beginning; false: there is no memory. */
static bool resize(struct gm_track *track, size_t capacity)
{
	int64_t *times = malloc(capacity * sizeof(*times));
	union gm_value *values =
		malloc(capacity * (track->width ? track->width : 1) * sizeof(*values));

	if (!times || !values) {
		free(times);
		free(values);
		return false;
	}
	for (size_t i = 0; i < track->count; i++) {
		times[i] = gm_track_time(track, i);
		memcpy(&values[i * track->width], gm_track_value(track, 0, i),
		       track->width * sizeof(*values));
	}
	free(track->times);
	free(track->values);
	track->times = times;
	track->values = values;
	track->capacity = capacity;
	track->head = 0;
	return true;
}

struct gm_track *gm_track_create(size_t max)
{
	struct gm_track *track = calloc(1, sizeof(*track));

	if (track && !resize(track, max < CAPACITY_FIRST ? max : CAPACITY_FIRST)) {
		free(track);
		return NULL;
	}
	return track;
}

void gm_track_free(struct gm_track *track)
{
	if (!track)
		return;
	free(track->times);
	free(track->values);
	free(track);
}

int gm_track_widen(struct gm_track *track)
{
	/* The only row is the first: it is where it was, however wide the rows are. */
	union gm_value *values =
		realloc(track->values, track->capacity * (track->width + 1) * sizeof(*values));

	if (!values)
		return -ENOMEM;
	track->values = values;
	return (int)track->width++;
}

static void drop_oldest(struct gm_track *track)
{
	track->head = (track->head + 1) % track->capacity;
	track->count--;
}

static bool grow(struct gm_track *track, size_t max)
{
	size_t capacity = track->capacity < max / 2 ? track->capacity * 2 : max;

	return capacity == track->capacity || resize(track, capacity);
}

int gm_track_push(struct gm_track *track, int64_t time, int64_t oldest, size_t max)
{
	int result = 0;

	while (track->count && gm_track_time(track, 0) < oldest)
		drop_oldest(track);
	if (track->count == track->capacity) {
		if (!grow(track, max))
			result = -ENOMEM;
		if (track->count == track->capacity)
			drop_oldest(track);
	}
	track->times[(track->head + track->count) % track->capacity] = time;
	track->count++;
	track->pushes++;
	track->current = 0;
	return result;
}

struct gm_track *gm_track_split(const struct gm_track *track, uint32_t column, size_t count)
{
	struct gm_track *own = calloc(1, sizeof(*own));

	if (!own)
		return NULL;
	own->width = 1;
	if (!resize(own, track->capacity)) {
		free(own);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		own->times[i] = gm_track_time(track, i);
		own->values[i] = *gm_track_value(track, column, i);
	}
	own->count = own->pushes = count;
	return own;
}

size_t gm_track_bytes(const struct gm_track *track)
{
	return sizeof(*track) +
	       track->capacity * (sizeof(*track->times) + track->width * sizeof(*track->values));
}
