/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples on their way from a source to the windows, and points on their way to the detectors.
 *
 * A frame is all that one reading told of one entity at one moment: its readings share the time. A
 * source emits batches of frames, one batch a tick. A repeated reading is not a sample: `measured_at`
 * says when the value was true, and a source that only repeats an old value leaves it out.
 */
#ifndef GM_MODEL_SAMPLE_H
#define GM_MODEL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/entity.h"
#include "model/metric.h"
#include "model/note.h"

union gm_value {
	double gauge;
	uint64_t counter;
};

struct gm_reading {
	uint32_t metric; /* enum gm_metric_id; its kind tells which member of `value` holds */
	union gm_value value;
};

enum {
	/* Of a device of the host that may turn out to be a guest's: mirrored then, for it is the cable's other end. */
	GM_FRAME_HOST_VIEW = 1,
	/* Finer than the windows: detectors see it, windows and stores do not keep it. */
	GM_FRAME_FINE = 2,
	/* With HOST_VIEW: what the device receives the guest does, too (macvtap); never mirrored. */
	GM_FRAME_SAME_VIEW = 4,
};

struct gm_frame {
	struct gm_entity_key key;
	int64_t measured_at; /* ns since the epoch, the node's time */
	int64_t read_at;     /* when it was read: never before measured_at */
	uint16_t flags;
	uint16_t count;
	uint32_t first; /* readings[first … first + count) of the batch */
};

/* Grows up to GM_BATCH_MAX frames; what does not fit is counted in `lost`. One owner at a time. */
enum { GM_BATCH_MAX = 65536 };

struct gm_batch {
	uint8_t source; /* enum gm_source_id of the sender */
	struct gm_frame *frames;
	size_t frame_count, frame_capacity;
	struct gm_reading *readings;
	size_t reading_count, reading_capacity;
	struct gm_note *notes; /* beside the samples: note.h */
	size_t note_count, note_capacity;
	uint64_t lost;
};

struct gm_batch *gm_batch_create(void); /* NULL: out of memory */
void gm_batch_free(struct gm_batch *batch);
void gm_batch_clear(struct gm_batch *batch);

/* Opens a frame; the readings that follow belong to it. False when it was lost. */
bool gm_batch_frame(struct gm_batch *batch, const struct gm_entity_key *key, int64_t measured_at,
		    int64_t read_at, unsigned flags);
void gm_batch_gauge(struct gm_batch *batch, unsigned metric, double value);
void gm_batch_counter(struct gm_batch *batch, unsigned metric, uint64_t value);

void gm_batch_note(struct gm_batch *batch, const struct gm_note *note);

const struct gm_reading *gm_batch_readings(const struct gm_batch *batch,
					   const struct gm_frame *frame);

/*
 * A sample as the detectors get it: a gauge's value, or a counter's increase over the measured time
 * (never the nominal interval). Resets, wraps and gaps have been dealt with by the window.
 */
struct gm_point {
	uint32_t metric;
	int64_t time; /* ns since the epoch: the end of the span */
	int64_t span; /* ns that `value` covers; 0 for a gauge */
	double value; /* gauge: the value; counter: the increase over (time - span, time] */
	bool gap;     /* the first after a break: a reset, a restart or missing samples before it */
};

#endif
