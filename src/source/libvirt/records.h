/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics of all active guests over one connection: in bulk where the driver has the bulk call,
 * one call per guest where it has not (LXC has none at all, the test driver only the state).
 * Either way the answer is libvirt's typed parameters under the bulk call's names.
 */
#ifndef GM_SOURCE_LIBVIRT_RECORDS_H
#define GM_SOURCE_LIBVIRT_RECORDS_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/error.h"
#include "model/entity.h"

/* Which groups (VIR_DOMAIN_STATS_…) are read in which way; decided once per connection. */
struct gm_lv_plan {
	unsigned bulk;
	unsigned single; /* one call per guest; a group without such a call gives nothing */
	bool containers; /* of LXC, whose virDomainInfo holds the memory in use */
};

struct gm_lv_listing; /* listing.h */

/*
 * Which guests are read, and how where that takes one call per guest. Zeros: all of them, no
 * interfaces one by one, for as long as it takes.
 */
struct gm_lv_scope {
	/* Calls `visit` for each interface's device: guest by guest, they are asked for by name. */
	void (*each)(void *user, const uint8_t uuid[GM_UUID_SIZE],
		     void (*visit)(void *visitor, const char *device), void *visitor);
	void *user;
	/* ns for what is read guest by guest; the rest is left to the next time, from *next on. */
	int64_t budget;
	size_t *next;
	const uint8_t (*skip)[GM_UUID_SIZE]; /* listed, but not read */
	size_t skip_count;
	const uint8_t *only; /* this guest alone, or NULL */
	unsigned
		turn; /* of the reading: what hardly ever changes is asked of some guests at a time */
	/* Who is active and how, kept for when nothing else is read in bulk; or NULL. */
	struct gm_lv_listing *listing;
};

struct gm_lv_pins; /* details.h */

struct gm_lv_record_list {
	size_t count;
	struct gm_lv_item {
		virDomainPtr domain;
		uint8_t uuid[GM_UUID_SIZE];
		virTypedParameterPtr params;
		int param_count;
		virDomainStatsRecordPtr record; /* of `bulk`, which owns the above; or NULL */
		bool skipped;
		bool listed;   /* the domain is the listing's */
		int id;        /* libvirt's */
		int64_t began; /* monotonic: when the call was made that read its counters */
		int64_t took;  /* ns from then to the end of the last call; 0: none was made */
		int64_t read_at; /* the node's time then: within `took` before, its values were true */
		struct gm_lv_pins *pins; /* or NULL: not read, not known */
	} * items;
	virDomainStatsRecordPtr *bulk; /* libvirt's own list, or NULL */
};

/* Asks the driver what it can do. 0 or a negative errno. */
int gm_lv_plan_make(virConnectPtr conn, unsigned groups, struct gm_lv_plan *ret_plan,
		    struct gm_error *err);

/*
 * Reads; `scope` may be NULL. A guest that goes away meanwhile is left out; a call that fails for
 * one guest costs that guest's group alone. 0, or a negative errno when the list itself cannot be
 * had.
 */
int gm_lv_records_read(virConnectPtr conn, const struct gm_lv_plan *plan,
		       const struct gm_lv_scope *scope, struct gm_lv_record_list *ret_list,
		       struct gm_error *err);
void gm_lv_records_free(struct gm_lv_record_list *list); /* leaves it empty */

#endif
