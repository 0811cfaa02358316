/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the slow lane remembers of each guest from tick to tick: above all whether its monitor
 * answers. A guest that is listed without what only its monitor tells, though it told that before,
 * twice in a row (or while a worker hangs), is hung: it is left out of the batch and probed alone,
 * ever more rarely, until it answers. Once may be somebody else's call: libvirt makes one at a time
 * per guest. Pure but for memory; one thread.
 */
#ifndef GM_SOURCE_LIBVIRT_ROSTER_H
#define GM_SOURCE_LIBVIRT_ROSTER_H

#include <uthash.h>

#include "source/libvirt/dating.h"
#include "source/libvirt/stats.h"

struct gm_lv_member {
	uint8_t uuid[GM_UUID_SIZE];
	char name[64];
	int id;        /* libvirt's: another for each start */
	uint64_t tick; /* in which it was last listed */
	struct gm_lv_member_period {
		bool done;           /* it has been seen to, for this start */
		uint64_t job;        /* that is to set it (balloons.h); 0: none */
		int64_t asked_at;    /* monotonic, when that was given */
		int64_t after, wait; /* monotonic, not before; 0: it was not tried yet */
	} period;                    /* of its balloon */
	struct gm_lv_history history;
	struct gm_lv_dating dating; /* of its counters */
	int64_t dirty_after;        /* monotonic: the dirty rate is measured again */

	bool monitored;      /* its monitor has answered since its start */
	unsigned misses;     /* readings in a row without an answer */
	bool hung;           /* it does not answer now */
	bool probing;        /* a worker asks it alone */
	size_t worker;       /* which */
	int64_t probed_at;   /* monotonic, when that began */
	int64_t probe_after; /* the next is due */
	int64_t probe_wait;  /* and the one after that so much later */
	UT_hash_handle hh;
};

struct gm_lv_roster {
	struct gm_lv_member *table;
	uint64_t tick;
};

struct gm_lv_member *gm_lv_roster_find(const struct gm_lv_roster *roster,
				       const uint8_t uuid[GM_UUID_SIZE]);

/* The guest as of the present tick, made when it is new. NULL: out of memory. */
struct gm_lv_member *gm_lv_roster_list(struct gm_lv_roster *roster,
				       const uint8_t uuid[GM_UUID_SIZE], const char *name, int id);

/*
 * Notes a reading: whether the monitor told anything in it, and whether a worker hangs. True: there
 * is something to make samples of; false: it is hung.
 */
bool gm_lv_member_judge(struct gm_lv_member *member, bool monitored, bool stuck, int64_t monotonic);

/* The hung ones, `max` at most, and how many. */
size_t gm_lv_roster_hung(const struct gm_lv_roster *roster, uint8_t (*ret_uuids)[GM_UUID_SIZE],
			 size_t max);

/* One that is due for a probe, or NULL; `early`: whether or not its time has come. */
struct gm_lv_member *gm_lv_roster_due(const struct gm_lv_roster *roster, int64_t monotonic,
				      bool early);

/* Takes out one that was not listed in this tick; the caller frees it. NULL: there is none. */
struct gm_lv_member *gm_lv_roster_take_unlisted(struct gm_lv_roster *roster);

void gm_lv_roster_free(struct gm_lv_roster *roster);

#endif
