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
};

/*
 * Where one guest's interfaces are to be read one by one, their names must come from somewhere.
 * Calls `visit` for each device of the guest.
 */
struct gm_lv_namer {
	void (*each)(void *user, const uint8_t uuid[GM_UUID_SIZE],
		     void (*visit)(void *visitor, const char *device), void *visitor);
	void *user;
};

struct gm_lv_pins; /* details.h */

struct gm_lv_record_list {
	size_t count;
	struct gm_lv_item {
		virDomainPtr domain;
		uint8_t uuid[GM_UUID_SIZE];
		virTypedParameterPtr params;
		int param_count;
		virDomainStatsRecordPtr record; /* of `bulk`, or NULL */
		int64_t read_at;                /* the node's time, when its values were true */
		struct gm_lv_pins *pins;        /* or NULL: not read, not known */
	} * items;
	virDomainStatsRecordPtr *bulk; /* libvirt's own list, which then owns domains and params */
};

/* Asks the driver what it can do. 0 or a negative errno. */
int gm_lv_plan_make(virConnectPtr conn, unsigned groups, struct gm_lv_plan *ret_plan,
		    struct gm_error *err);

/*
 * Reads. `namer` may be NULL. A guest that goes away meanwhile is left out; a call that fails for
 * one guest costs that guest's group alone. 0, or a negative errno when the list itself cannot be
 * had.
 */
int gm_lv_records_read(virConnectPtr conn, const struct gm_lv_plan *plan,
		       const struct gm_lv_namer *namer, struct gm_lv_record_list *ret_list,
		       struct gm_error *err);
void gm_lv_records_free(struct gm_lv_record_list *list); /* leaves it empty */

#endif
