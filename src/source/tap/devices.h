/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's network devices by their index: which there are, which of them are wanted, and what the
 * sink has been told. Links that come, change and go are noted as messages arrive; gm_tap_devices_settle()
 * then tells the sink, what is gone first, so that a name that passes from one device to another is
 * never withdrawn after it was announced. One thread.
 */
#ifndef GM_SOURCE_TAP_DEVICES_H
#define GM_SOURCE_TAP_DEVICES_H

#include <uthash.h>

#include "source/source.h"
#include "source/tap/arming.h"
#include "source/tap/fold.h"

struct gm_tap_device {
	/* What each reading touches, side by side: after ten milliseconds nothing of it is in a cache. */
	uint32_t index;
	bool announced; /* the sink knows it under `key`: its readings may be emitted */
	uint8_t view;   /* GM_FRAME_*: whose view its counters are */
	struct gm_tap_track track;
	struct gm_tap_level level;
	int64_t speed_due;        /* monotonic time at which its speed is asked for again */
	bool limited;             /* a limit has been told of it */
	struct gm_entity_key key; /* of the announced name */

	struct gm_link link;
	bool wanted;   /* its name matches the patterns */
	bool withdraw; /* what was announced is no longer true */
	bool changed;  /* there is something to announce */
	bool removed;
	bool listed; /* was in the listing that is going on */
	UT_hash_handle hh;
};

enum { GM_TAP_DEVICES_MAX = 16384 };

struct gm_tap_devices {
	const char *patterns; /* as gm_text_match(); outlives this */
	struct gm_tap_device *by_index;
	bool dirty; /* there is something to settle */
	/* In the order in which a dump tells of them, as far as it is known since the last settling. */
	struct gm_tap_device **order;
	size_t order_count, order_capacity;
};

/* A link is there, or something of it changed. 0, -ENOMEM or -ENOSPC (GM_TAP_DEVICES_MAX). */
int gm_tap_devices_link(struct gm_tap_devices *devices, const struct gm_link *link);
void gm_tap_devices_link_gone(struct gm_tap_devices *devices, uint32_t index);

/* Around a complete listing: what was not in it is gone. */
void gm_tap_devices_listing_begins(struct gm_tap_devices *devices);
void gm_tap_devices_listing_ends(struct gm_tap_devices *devices);

/* Tells the sink what changed since the last call. `time` is the node's. */
void gm_tap_devices_settle(struct gm_tap_devices *devices, int64_t time,
			   const struct gm_source_sink *sink);

/* The speed of all of them is to be asked for again. */
void gm_tap_devices_ask_speeds(struct gm_tap_devices *devices);

/* NULL when there is none. Valid until the next settling. */
struct gm_tap_device *gm_tap_devices_find(struct gm_tap_devices *devices, uint32_t index);

/*
 * The same for the nth device of a dump: those before told which is to be expected there, so that it is
 * seldom looked for.
 */
struct gm_tap_device *gm_tap_devices_nth(struct gm_tap_devices *devices, size_t n, uint32_t index);

/*
 * A dump is about to be looked through: has the caches fetch what that touches, all at once instead of
 * one device after the other.
 */
void gm_tap_devices_warm(const struct gm_tap_devices *devices);

void gm_tap_devices_free(struct gm_tap_devices *devices);

#endif
