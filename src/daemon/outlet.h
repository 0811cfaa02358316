/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the alarm engine's transitions to the journal and the outputs: a transition is durable before
 * anybody is told. Each output has its own durable position and is handed what follows it, in order,
 * a bounded number at a time. Main thread only.
 */
#ifndef GM_DAEMON_OUTLET_H
#define GM_DAEMON_OUTLET_H

#include "model/alarm.h"
#include "north/mib/mib.h"
#include "state/state.h"

enum {
	GM_OUTLET_LOG = 256,       /* newest transitions kept for the MIB and the CLI */
	GM_OUTLET_PENDING = 10000, /* transitions that wait for a journal that cannot be written */
};

struct gm_outlet;

/* Reads the newest transitions back from `state`, which outlives the outlet. */
int gm_outlet_create(struct gm_state *state, struct gm_outlet **ret_outlet);
void gm_outlet_free(struct gm_outlet *outlet);

/* Notifications go there from now on; NULL: to nobody (they stay in the journal). */
void gm_outlet_attach_mib(struct gm_outlet *outlet, struct gm_mib *mib);

/* No agent runs on this node: the journal need not keep anything for one. */
void gm_outlet_without_mib(struct gm_outlet *outlet);

/*
 * Journals; hand_over() tells the outputs. Where the journal fails the transition waits and is tried
 * again.
 */
void gm_outlet_transition(struct gm_outlet *outlet, const struct gm_transition *transition);

/* Gives each output what it has room for of what is journalled. */
void gm_outlet_hand_over(struct gm_outlet *outlet);

/* The notifications up to `sequence` have arrived. */
void gm_outlet_delivered(struct gm_outlet *outlet, uint64_t sequence);

/* Tries again what waits. About once a second. */
void gm_outlet_tick(struct gm_outlet *outlet);

/* The newest transitions, oldest first; returns how many (at most GM_OUTLET_LOG). */
size_t gm_outlet_log(const struct gm_outlet *outlet, const struct gm_transition **ret_first,
		     size_t *ret_first_count, const struct gm_transition **ret_second);

/* Transitions that could not be kept because the journal failed for too long. */
uint64_t gm_outlet_lost(const struct gm_outlet *outlet);

#endif
