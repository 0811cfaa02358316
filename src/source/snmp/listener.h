/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps and informs that guests send (RFC 3416 section 4.2.6 and 4.2.7; versions 2c and 3, of the latter traps
 * alone): who sends one has to be a guest that is asked, at the address at which it is asked, with the
 * community or the user that it is asked with. The source's thread only.
 */
#ifndef GM_SOURCE_SNMP_LISTENER_H
#define GM_SOURCE_SNMP_LISTENER_H

#include "source/snmp/peers.h"

struct gm_snmp_listener;

/* `address`: numeric, with a port, such as 0.0.0.0:162. 0, or a negative errno and a sentence. */
int gm_snmp_listener_open(const char *address, struct gm_snmp_listener **ret_listener,
			  struct gm_error *err);
void gm_snmp_listener_close(struct gm_snmp_listener *listener);

/* Takes in what has come. `out` gets the events. */
void gm_snmp_listener_turn(struct gm_snmp_listener *listener, const struct gm_snmp_peers *peers,
			   const struct gm_snmp_moment *now, const struct gm_snmp_out *out);

/* Whether an address can be listened at, as it is written in the configuration; empty: nowhere. */
int gm_snmp_listener_check(const char *address, struct gm_error *err);

#endif
