/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The informs that one guest sent lately: one that was not answered in time comes again, and is the same
 * one; a message of version 3 that comes again with its own number was recorded by somebody, or is of a
 * sender that does not count (RFC 3412 section 6.2 only recommends a new one). 16 octets each, 64 KiB of a guest that
 * sends as much as it may, nothing of one that sent nothing for five minutes. One thread.
 */
#ifndef GM_SOURCE_SNMP_RECENT_H
#define GM_SOURCE_SNMP_RECENT_H

#include "source/snmp/ber.h"

enum {
	/* Ten a second are taken of a guest (notice.c), of five minutes: more than are remembered. */
	GM_SNMP_RECENT_MAX = 4096,
	/* For how long: a message is good for 150 s before and after the time that it names (RFC 3414). */
	GM_SNMP_RECENT_SECONDS = 310,
};

struct gm_snmp_recent_entry {
	uint64_t digest; /* of the PDU */
	int32_t id;      /* of the message */
	uint32_t second; /* monotonic; its difference to another one is what counts */
};

/* All zeros is an empty one. A ring that grows while it is full of what is not old. */
struct gm_snmp_recent {
	struct gm_snmp_recent_entry *list;
	size_t capacity, first, count;
};

enum gm_snmp_recent_kind {
	GM_SNMP_FIRST,  /* it was not seen before */
	GM_SNMP_AGAIN,  /* sent again: the same PDU in another message (version 2c: the same) */
	GM_SNMP_REPLAY, /* of version 3: the very same message */
};

/* What it is. Forgets what is old; the rest stays as it is. `now`: monotonic. */
enum gm_snmp_recent_kind gm_snmp_recent_look(struct gm_snmp_recent *recent,
					     const struct gm_snmp_message *message, int64_t now);
/* From then on it is remembered. -ENOSPC or -ENOMEM: it cannot be, and must not be taken. */
int gm_snmp_recent_add(struct gm_snmp_recent *recent, const struct gm_snmp_message *message,
		       int64_t now);
bool gm_snmp_recent_is_empty(struct gm_snmp_recent *recent, int64_t now);
void gm_snmp_recent_clear(struct gm_snmp_recent *recent);

#endif
