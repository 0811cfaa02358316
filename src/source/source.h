/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface that every source implements, and the sink that it is handed. A source knows nothing
 * of the other sources nor of what happens to its samples.
 *
 * Each source runs on one thread of its own (source/runner.h), which makes all calls below that do not
 * say otherwise; a source needs no locks. A poll that blocks holds up that source alone, and what a
 * source owns is let go of on its own thread, however long that takes.
 */
#ifndef GM_SOURCE_SOURCE_H
#define GM_SOURCE_SOURCE_H

#include "base/error.h"
#include "model/event.h"
#include "model/sample.h"

/* Where a source puts what it sees. Callable from the source's threads; never blocks. */
struct gm_source_sink {
	/* Takes `batch`. */
	void (*samples)(void *user, struct gm_batch *batch);
	/* An entity is new or what is known of it changed; `info` is copied. */
	void (*seen)(void *user, enum gm_source_id source, const struct gm_entity_info *info);
	/* An entity is gone for this source. */
	void (*gone)(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		     int64_t time);
	void (*event)(void *user, const struct gm_guest_event *event);
	void (*status)(void *user, const struct gm_source_status *status);
	void *user;
};

struct gm_source;

struct gm_source_ops {
	enum gm_source_id id;
	/* Connects. Called again with back-off until it succeeds, and after a failed poll. */
	int (*open)(struct gm_source *source, struct gm_error *err);
	/*
	 * One tick: reads everything that is due and emits it. `now` is the node's time at the start.
	 * Sets *ret_entities to how many entities answered. Negative: the connection is lost; close()
	 * follows, then open(). A sentence in `err` beside 0 is a complaint for the status.
	 */
	int (*poll)(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		    uint32_t *ret_entities, struct gm_error *err);
	/*
	 * ns from this tick to the next where it is not the interval that the source was started with: a
	 * part of that. Asked after each poll. May be NULL.
	 */
	int64_t (*pace)(const struct gm_source *source);
	/*
	 * The end is wanted: what waits inside a call for somebody else gives up soon. Called once, on
	 * any thread, beside the others; must not block. May be NULL.
	 */
	void (*quit)(struct gm_source *source);
	void (*close)(struct gm_source *source); /* only after a successful open() */
	void (*destroy)(struct gm_source *source);
	/*
	 * What other sources tell of an entity: who it is, or that it is gone (then only the key counts).
	 * Called on any thread, beside the others; must not block. May be NULL.
	 */
	void (*hear)(struct gm_source *source, const struct gm_entity_info *info, bool here);
	/*
	 * An entity deserves a closer look; told again every second while it does. Called on any
	 * thread; must not block. May be NULL.
	 */
	void (*suspect)(struct gm_source *source, const struct gm_entity_key *key);
	/*
	 * A guest is to be moved elsewhere: whether it still is will be told by events; told again every
	 * second while it is to. Called on any thread; must not block. May be NULL.
	 */
	void (*follow)(struct gm_source *source, const struct gm_entity_key *key);
};

/* The head of every source's own struct. */
struct gm_source {
	const struct gm_source_ops *ops;
};

#endif
