/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of frames; see sample.h. Two growing arrays, reused from tick to tick by their owner.
 */
#include "model/sample.h"

#include <stdlib.h>

enum { FIRST_FRAMES = 16, FIRST_READINGS = 128, READINGS_MAX = 16 * GM_BATCH_MAX };

struct gm_batch *gm_batch_create(void)
{
	return calloc(1, sizeof(struct gm_batch));
}

void gm_batch_free(struct gm_batch *batch)
{
	if (!batch)
		return;
	free(batch->frames);
	free(batch->readings);
	free(batch->notes);
	free(batch);
}

void gm_batch_clear(struct gm_batch *batch)
{
	batch->frame_count = 0;
	batch->reading_count = 0;
	batch->note_count = 0;
	batch->lost = 0;
}

/* Room for one more item; false when there is none. */
static bool grow(void **items, size_t count, size_t *capacity, size_t item_size, size_t first,
		 size_t max)
{
	if (count < *capacity)
		return true;
	if (count >= max)
		return false;
	size_t larger = *capacity ? *capacity * 2 : first;
	void *grown = realloc(*items, larger * item_size);
	if (!grown)
		return false;
	*items = grown;
	*capacity = larger;
	return true;
}

bool gm_batch_frame(struct gm_batch *batch, const struct gm_entity_key *key, int64_t measured_at,
		    int64_t read_at, unsigned flags)
{
	void *frames = batch->frames;
	bool room = grow(&frames, batch->frame_count, &batch->frame_capacity,
			 sizeof(*batch->frames), FIRST_FRAMES, GM_BATCH_MAX);
	batch->frames = frames;
	if (!room) {
		batch->lost++;
		return false;
	}
	batch->frames[batch->frame_count++] = (struct gm_frame){
		.key = *key,
		.measured_at = measured_at,
		.read_at = read_at,
		.flags = (uint16_t)flags,
		.first = (uint32_t)batch->reading_count,
	};
	return true;
}

static void add(struct gm_batch *batch, unsigned metric, union gm_value value)
{
	void *readings = batch->readings;
	bool room = batch->frame_count > 0 &&
		    batch->frames[batch->frame_count - 1].count < UINT16_MAX &&
		    grow(&readings, batch->reading_count, &batch->reading_capacity,
			 sizeof(*batch->readings), FIRST_READINGS, READINGS_MAX);
	batch->readings = readings;
	if (!room) {
		batch->lost++;
		return;
	}
	batch->readings[batch->reading_count++] =
		(struct gm_reading){.metric = metric, .value = value};
	batch->frames[batch->frame_count - 1].count++;
}

void gm_batch_gauge(struct gm_batch *batch, unsigned metric, double value)
{
	add(batch, metric, (union gm_value){.gauge = value});
}

void gm_batch_counter(struct gm_batch *batch, unsigned metric, uint64_t value)
{
	add(batch, metric, (union gm_value){.counter = value});
}

void gm_batch_note(struct gm_batch *batch, const struct gm_note *note)
{
	void *notes = batch->notes;
	bool room = grow(&notes, batch->note_count, &batch->note_capacity, sizeof(*batch->notes),
			 FIRST_FRAMES, GM_BATCH_MAX);
	batch->notes = notes;
	if (room)
		batch->notes[batch->note_count++] = *note;
	else
		batch->lost++;
}

const struct gm_reading *gm_batch_readings(const struct gm_batch *batch,
					   const struct gm_frame *frame)
{
	return batch->readings + frame->first;
}
