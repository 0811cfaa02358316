/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the alarm engine's transitions to the journal: a transition is durable before anybody is told.
 * The outputs read the journal (outputs.h). Main thread only.
 */
#ifndef GM_DAEMON_OUTLET_H
#define GM_DAEMON_OUTLET_H

#include "model/alarm.h"
#include "model/snapshot.h"
#include "state/state.h"

enum {
	GM_OUTLET_LOG = 256,       /* newest transitions kept for the MIB and the CLI */
	GM_OUTLET_PENDING = 10000, /* transitions that wait for a journal that cannot be written */
};

struct gm_outlet;

/* Reads the newest transitions back from `state`, which outlives the outlet. */
int gm_outlet_create(struct gm_state *state, struct gm_outlet **ret_outlet);
void gm_outlet_free(struct gm_outlet *outlet);

/*
 * Journals, or waits for gm_outlet_end(). Where the journal fails the transition waits and is tried
 * again, in order.
 */
void gm_outlet_transition(struct gm_outlet *outlet, const struct gm_transition *transition);

/*
 * What comes between the two is journalled as one, with one wait for the disk instead of many: at the end, or
 * before that where it is more than may wait.
 */
void gm_outlet_begin(struct gm_outlet *outlet);
void gm_outlet_end(struct gm_outlet *outlet);

/* Tries again what waits. About once a second. */
void gm_outlet_tick(struct gm_outlet *outlet);

/* The newest transitions, oldest first; returns how many (at most GM_OUTLET_LOG). */
size_t gm_outlet_log(const struct gm_outlet *outlet, const struct gm_transition **ret_first,
		     size_t *ret_first_count, const struct gm_transition **ret_second);

/* Raises of a severity that were journalled since the start. */
uint64_t gm_outlet_raised(const struct gm_outlet *outlet, unsigned severity);

/* Transitions that could not be kept because the journal failed for too long. */
uint64_t gm_outlet_lost(const struct gm_outlet *outlet);

#endif
