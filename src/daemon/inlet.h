/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the other threads' messages reach the main thread: what sources emit and what the agent
 * reports back. Samples have a bounded queue that drops its oldest batch when main falls behind;
 * everything else has a queue of its own, so that a flood of samples cannot push it out; and what managers
 * have changed another, for what was committed is not lost to guests that come and go.
 */
#ifndef GM_DAEMON_INLET_H
#define GM_DAEMON_INLET_H

#include <uv.h>

#include "model/event.h"
#include "north/mib/mib.h"
#include "source/source.h"

/* Called on the main thread, in the order of arrival within each queue. */
struct gm_inlet_handler {
	/* Around a run of all calls below, of one or hundreds: what they come to may be told together. */
	void (*begin)(void *user);
	void (*end)(void *user);
	void (*samples)(void *user, const struct gm_batch *batch);
	/* Those that some of the next calls of seen() are for: what they need may be had together. */
	void (*foreseen)(void *user, const enum gm_source_id *sources,
			 const struct gm_entity_info *const *infos, size_t count);
	void (*seen)(void *user, enum gm_source_id source, const struct gm_entity_info *info);
	void (*gone)(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		     int64_t time);
	void (*event)(void *user, const struct gm_guest_event *event);
	void (*source_status)(void *user, const struct gm_source_status *status);
	void (*mib_status)(void *user, const struct gm_mib_status *status);
	void (*delivered)(void *user, uint64_t sequence);
	void (*change)(void *user, const struct gm_mib_change *change);
	void *user;
};

struct gm_inlet;

int gm_inlet_create(uv_loop_t *loop, const struct gm_inlet_handler *handler,
		    struct gm_inlet **ret_inlet);

/* What to hand to sources and to the agent. Both live as long as the inlet. */
const struct gm_source_sink *gm_inlet_source_sink(struct gm_inlet *inlet);
const struct gm_mib_host *gm_inlet_mib_host(struct gm_inlet *inlet);

/* Batches dropped since the start. */
uint64_t gm_inlet_dropped(struct gm_inlet *inlet);

/* Takes all that has come so far, now and not in the loop's next turns. */
void gm_inlet_drain(struct gm_inlet *inlet);

/*
 * Hands on what is still there and stops listening (after every writer has stopped); free once the
 * loop has run dry.
 */
void gm_inlet_close(struct gm_inlet *inlet);
void gm_inlet_free(struct gm_inlet *inlet);

#endif
