/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to a socket on the main loop, in order: a local datagram socket, UDP, or TCP. The socket is
 * made when something is to be sent, and again when it broke. A name's addresses are tried in turn.
 *
 * What "sent" means: local: the receiver's queue has it. UDP: no ICMP error came within 50 ms, which is
 * all that can be known. TCP: the receiver's system has acknowledged every byte; what it had not yet
 * given to a receiver that is then killed is lost, which syslog over TCP cannot know (RFC 6587, 4.1).
 */
#ifndef GM_NORTH_SYSLOG_WIRE_H
#define GM_NORTH_SYSLOG_WIRE_H

#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"

enum gm_wire_kind { GM_WIRE_LOCAL, GM_WIRE_UDP, GM_WIRE_TCP };
enum { GM_WIRE_ADDRESS = 256, GM_WIRE_REASON = 256 };

struct gm_wire;

struct gm_wire_setup {
	enum gm_wire_kind kind;
	char address[GM_WIRE_ADDRESS]; /* a path, an address or a host's name */
	uint16_t port;
	int64_t timeout; /* ns for a message, connecting included */
	/*
	 * Once per message, also from within gm_wire_send(), not after gm_wire_close(). `result`: 0; -EMSGSIZE:
	 * the message is too large for the socket; else what failed, and all that was sent after it has failed,
	 * too. `reason`: NULL when 0.
	 */
	void (*done)(void *user, uint64_t ticket, int result, const char *reason);
	void *user;
};

int gm_wire_create(uv_loop_t *loop, const struct gm_wire_setup *setup, struct gm_wire **ret_wire);

/* Takes the buffer's data, also on failure. */
void gm_wire_send(struct gm_wire *wire, uint64_t ticket, struct gm_buffer *message);

/* Drops what is under way; frees itself once its handles are closed. NULL-safe. */
void gm_wire_close(struct gm_wire *wire);

#endif
