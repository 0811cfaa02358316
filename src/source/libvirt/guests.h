/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast lane's memory of who is there: identities by UUID, and from their changes the sink's
 * seen() and gone(). Knows nothing of connections: it is told what was read. One thread.
 *
 * Within a tick all gone() come before all seen(), so that a device name that went from one guest
 * to another ends with its new owner.
 */
#ifndef GM_SOURCE_LIBVIRT_GUESTS_H
#define GM_SOURCE_LIBVIRT_GUESTS_H

#include <uthash.h>

#include "source/libvirt/dating.h"
#include "source/libvirt/xml.h"
#include "source/source.h"

struct gm_lv_guest {
	uint8_t uuid[GM_UUID_SIZE];
	int id;                          /* libvirt's: another for each start */
	int state;                       /* the last told, -1 at first */
	uint64_t tick;                   /* in which it was last listed */
	bool ended;                      /* an event told that it is */
	bool stale;                      /* its identity must be read (again) */
	bool agent_lost;                 /* an event told that its agent went away */
	bool untold;                     /* and told, even if nothing of it is new */
	int64_t identified_at;           /* monotonic: when that was last tried */
	int64_t retry_at;                /* monotonic: not before */
	bool covered;                    /* see covered.h */
	uint64_t covered_version;        /* to be looked up again when this is not the newest */
	struct gm_lv_dating dating;      /* of its interfaces' counters */
	struct gm_lv_identity *identity; /* what the sink was told; NULL: nothing yet */
	struct gm_lv_identity *next;     /* what was read in this tick, or NULL */
	UT_hash_handle hh;
};

struct gm_lv_guests {
	enum gm_source_id source; /* in whose name the sink is told */
	struct gm_lv_guest *table;
	size_t count;
};

struct gm_lv_guest *gm_lv_guests_find(const struct gm_lv_guests *guests,
				      const uint8_t uuid[GM_UUID_SIZE]);

/* The guest itself, or the one that was told to have the device; NULL: none. */
struct gm_lv_guest *gm_lv_guests_owner(const struct gm_lv_guests *guests,
				       const struct gm_entity_key *key);

/* The guest, made (stale) when it is new. NULL: out of memory. */
struct gm_lv_guest *gm_lv_guests_put(struct gm_lv_guests *guests, const uint8_t uuid[GM_UUID_SIZE]);

void gm_lv_guests_set_stale(struct gm_lv_guests *guests);

/*
 * Ends a tick's listing: tells gone() for guests that were not listed in `tick` and for devices
 * that the identities read in it lack, then seen() for what is new or changed. A guest that is
 * missing while no event has told that it ended is kept for `patience` ticks, so that its end is
 * told before it is gone.
 */
void gm_lv_guests_settle(struct gm_lv_guests *guests, uint64_t tick, uint64_t patience, int64_t now,
			 const struct gm_source_sink *sink);

/* Tells nobody. */
void gm_lv_guests_free(struct gm_lv_guests *guests);

#endif
