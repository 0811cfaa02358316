/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guests that are not asked at present sent lately (recent.h), by their UUIDs: a file that is read again, a
 * namespace that was made anew or a guest that is told anew must not make a recorded inform a new one, for
 * this node's engine and its clock go on. One thread.
 */
#ifndef GM_SOURCE_SNMP_ABSENT_H
#define GM_SOURCE_SNMP_ABSENT_H

#include "model/entity.h"
#include "source/snmp/recent.h"

enum { GM_SNMP_ABSENT_MAX = 4096 /* as many as there are targets */ };

struct gm_snmp_absent_entry {
	uint8_t uuid[GM_UUID_SIZE];
	struct gm_snmp_recent recent;
};

/* All zeros: nobody. */
struct gm_snmp_absent {
	struct gm_snmp_absent_entry *list;
	size_t count, capacity;
};

/*
 * Takes over what is in `recent`, which is empty then. Where memory is short, or more than so many guests went
 * within five minutes, the oldest or this one is forgotten. `now`: monotonic.
 */
void gm_snmp_absent_put(struct gm_snmp_absent *absent, const uint8_t uuid[GM_UUID_SIZE],
			struct gm_snmp_recent *recent, int64_t now);
/* Gives it back: into `recent`, which has to be empty. */
void gm_snmp_absent_take(struct gm_snmp_absent *absent, const uint8_t uuid[GM_UUID_SIZE],
			 struct gm_snmp_recent *recent);
void gm_snmp_absent_clear(struct gm_snmp_absent *absent);

#endif
