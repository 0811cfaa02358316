/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The windows: one bounded ring per metric of an entity, and the one place where counters become
 * increases. Only the main thread (or a replay) uses them.
 *
 * Counters: a decrease of a 64-bit counter is a reset (guest restarted or migrated): the first
 * value after it gives no increase, only a new base, and the next point carries `gap`. A
 * counter that runs below 2^32 and falls from its upper quarter into its lower one has wrapped
 * at 32 bits, unless that would be several times faster than it ever was. Samples that are not
 * newer than the last one are dropped and counted, unless they are more than a second older:
 * then the clock was set back, and the series starts anew. What a counter counts while its samples
 * are dropped is no increase of the point after, which carries `gap`. A span longer than three times the
 * usual interval of kept samples is delivered with `gap` set.
 */
#ifndef GM_WINDOW_WINDOW_H
#define GM_WINDOW_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "model/sample.h"
#include "model/snapshot.h"

struct gm_window_options {
	size_t samples; /* most per series; memory grows with use up to that */
	int64_t length; /* ns: older samples are not shown */
};

struct gm_window;

int gm_window_create(const struct gm_window_options *options, struct gm_window **ret_window);
void gm_window_free(struct gm_window *window);

/*
 * Takes a frame in and hands each resulting point to `emit` (in the order of the readings).
 * Readings of a GM_FRAME_FINE frame give points but are not kept. 0, or -ENOMEM (what fitted
 * was kept).
 */
int gm_window_append(struct gm_window *window, const struct gm_frame *frame,
		     const struct gm_reading *readings,
		     void (*emit)(void *user, const struct gm_point *point), void *user);

/*
 * The clock was set: the time between a sample of before and one of now is not known. What counters counted
 * in it is no increase of any point; the first one after it carries `gap`.
 */
void gm_window_stepped(struct gm_window *window);

/* One kept sample of one series. */
struct gm_window_sample {
	int64_t time;
	union gm_value value;
};

/*
 * Kept samples of `metric` not older than `since`, oldest first, at most `max`; returns how
 * many.
 */
size_t gm_window_read(const struct gm_window *window, unsigned metric, int64_t since,
		      struct gm_window_sample *samples, size_t max);

/* The newest of them, oldest first, at most `max`; returns how many. */
size_t gm_window_read_newest(const struct gm_window *window, unsigned metric,
			     struct gm_window_sample *samples, size_t max);

/* How many samples of `metric` are kept; the metrics that have any are found by asking for each. */
size_t gm_window_count(const struct gm_window *window, unsigned metric);

/* The newest samples and their rates, sorted by metric; at most `max`; returns how many. */
size_t gm_window_last(const struct gm_window *window, struct gm_last *items, size_t max);

/*
 * The kept samples newer than `since` as frames again, oldest first: all series' samples of one
 * moment together. For filling a store's gap and for reading a window as rows.
 */
void gm_window_frames(const struct gm_window *window, int64_t since,
		      void (*emit)(void *user, int64_t time, const struct gm_reading *readings,
				   size_t count),
		      void *user);

/* Samples dropped because they were not newer than the last, and bytes held. */
uint64_t gm_window_dropped(const struct gm_window *window);
size_t gm_window_bytes(const struct gm_window *window);

#endif
