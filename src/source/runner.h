/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a source on a thread of its own at a fixed cadence: absolute deadlines on the monotonic clock
 * (no drift), each missed deadline counted and skipped rather than caught up, a failed open() retried
 * with back-off (0.1 s doubling to 5 s), the source's status handed to the sink once a second.
 */
#ifndef GM_SOURCE_RUNNER_H
#define GM_SOURCE_RUNNER_H

#include "source/source.h"

struct gm_runner;

struct gm_runner_options {
	int64_t interval; /* ns between ticks, >= 1 ms */
	int64_t phase;    /* ns after a multiple of the interval, so that sources do not collide */
};

/* Starts the thread, named after the source. Takes `source` on success. 0 or a negative errno. */
int gm_runner_start(struct gm_source *source, const struct gm_runner_options *options,
		    const struct gm_source_sink *sink, struct gm_runner **ret_runner);

/* Hands on what another source told; see gm_source_ops.hear. Any thread, before the stop. */
void gm_runner_hear(struct gm_runner *runner, const struct gm_entity_info *info, bool here);

/*
 * For how many ns its source has been in the call that it is in; 0: in none. A thread that is stuck tells no
 * status. Any thread, before the stop.
 */
int64_t gm_runner_busy(struct gm_runner *runner, int64_t monotonic);

/* Asks the thread to end, and does not wait for it; gm_runner_stop() follows. NULL-safe. */
void gm_runner_quit(struct gm_runner *runner);

/*
 * Asks the thread to end, unless that was done, and waits for it up to `patience` ns. The thread
 * closes and destroys its source itself. One that is stuck in a call is left behind: -ETIMEDOUT; it
 * reaches the sink no more, and frees all that it has when the call returns. NULL-safe.
 */
int gm_runner_stop(struct gm_runner *runner, int64_t patience);

#endif
