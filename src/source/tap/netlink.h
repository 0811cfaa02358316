/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rtnetlink messages (rtnetlink(7)): requests to send, and answers taken apart. Pure: bytes in, calls
 * of a visitor out; no socket, no clock, no allocation. Whatever the bytes are, nothing outside of
 * them is read.
 */
#ifndef GM_SOURCE_TAP_NETLINK_H
#define GM_SOURCE_TAP_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counters of one device, in the kernel's directions. */
struct gm_link_stats {
	uint32_t index;
	uint64_t rx_packets, tx_packets;
	uint64_t rx_bytes, tx_bytes;
	uint64_t rx_errors, tx_errors;
	uint64_t rx_dropped, tx_dropped;
	uint64_t hardware; /* errors that the hardware tells of, of both directions */
};

enum { GM_LINK_NAME = 16 /* IFNAMSIZ */, GM_LINK_KIND = 16, GM_LINK_MAC = 18 };

struct gm_link {
	uint32_t index;
	uint32_t master;         /* the bridge or bond that it is a port of, or 0 */
	char name[GM_LINK_NAME]; /* as the kernel has it: any bytes but '/' and white space */
	char kind[GM_LINK_KIND]; /* "tun", "veth", "bridge", …; empty for hardware */
	char mac[GM_LINK_MAC];   /* "52:54:00:12:34:56"; empty where there is none */
};

/* The arguments are only valid during the call. */
struct gm_netlink_visitor {
	void (*stats)(void *user, const struct gm_link_stats *stats);
	void (*link)(void *user, const struct gm_link *link);
	void (*link_gone)(void *user, uint32_t index);
	void *user;
};

struct gm_netlink_result {
	bool done;        /* the end of a dump, or its refusal, was there */
	bool interrupted; /* the kernel's table changed during the dump: it may lack entries */
};

/*
 * Takes one datagram apart. Messages of another sequence number than `sequence` (0: any) are skipped,
 * unknown types and attributes too. 0; -EPROTO when it is malformed (what came before the fault has
 * been visited); the kernel's own negative errno when the datagram reports one. *ret_result is always
 * written.
 */
int gm_netlink_parse(const void *data, size_t length, uint32_t sequence,
		     const struct gm_netlink_visitor *visitor,
		     struct gm_netlink_result *ret_result);

/* Dump requests, complete with header. `request` holds GM_NETLINK_REQUEST bytes; the length to send. */
enum { GM_NETLINK_REQUEST = 64 };
size_t gm_netlink_stats_request(void *request, uint32_t sequence);
size_t gm_netlink_link_request(void *request, uint32_t sequence);
/* The counters of one device, which come in a datagram of their own; an error for one that is gone. */
size_t gm_netlink_one_request(void *request, uint32_t sequence, uint32_t index);

#endif
