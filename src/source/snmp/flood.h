/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that send so much that the answers of others would be lost in the socket's buffer, which is
 * one for all (8 MiB where that may be asked for, else what net.core.rmem_max allows, 208 KiB as a rule).
 * The kernel drops what comes from them before it takes room, for a while. Whoever can forge the
 * address of a guest can have that guest shut out; without this all of them would be. One thread.
 */
#ifndef GM_SOURCE_SNMP_FLOOD_H
#define GM_SOURCE_SNMP_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	GM_SNMP_FLOOD_RATE = 1500, /* datagrams a second: more than a guest is ever asked */
	GM_SNMP_FLOOD_TALKERS = 8,
	GM_SNMP_FLOOD_BLOCKED = 32, /* at a time; the oldest makes room */
};

struct gm_snmp_talker {
	struct sockaddr_storage address;
	uint32_t count;
	int64_t until; /* monotonic */
};

/* Zero-initialised: nobody is shut out. */
struct gm_snmp_flood {
	int64_t window; /* monotonic; when counting began */
	struct gm_snmp_talker talkers[GM_SNMP_FLOOD_TALKERS];
	size_t blocked_count;
	struct gm_snmp_talker blocked[GM_SNMP_FLOOD_BLOCKED]; /* the oldest first */
};

/* Notes a datagram. True when its sender is shut out from now on: then the filter is made anew. */
bool gm_snmp_flood_note(struct gm_snmp_flood *flood, const struct sockaddr_storage *from,
			int64_t now);

/* True when somebody is listened to again. */
bool gm_snmp_flood_expire(struct gm_snmp_flood *flood, int64_t now);

/* Has the kernel drop what comes from those of the socket's family that are shut out. */
void gm_snmp_flood_filter(const struct gm_snmp_flood *flood, int family, int fd);

#endif
