/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps and informs that guests send (RFC 3416 section 4.2.6 and 4.2.7; versions 2c and 3): who sends one has to be a
 * guest that is asked, at the address and in the network namespace in which it is asked, with the community or
 * the user that it is asked with. Traps of version 3 are sealed with the guest's engine, informs with this
 * node's (engine.h). Guests that share an address have to differ in community or user: what could be another's
 * is counted and not taken. Nobody else is answered anything. The source's thread only.
 */
#ifndef GM_SOURCE_SNMP_LISTENER_H
#define GM_SOURCE_SNMP_LISTENER_H

#include "source/snmp/engine.h"
#include "source/snmp/peers.h"

struct gm_snmp_listener;

struct gm_snmp_listener_options {
	const char *address; /* numeric, with a port, such as 0.0.0.0:162 */
	bool namespaces;     /* in those that lines name, too */
	const struct gm_snmp_identity *identity;
};

/* 0, or a negative errno and a sentence. */
int gm_snmp_listener_open(const struct gm_snmp_listener_options *options,
			  struct gm_snmp_listener **ret_listener, struct gm_error *err);
void gm_snmp_listener_close(struct gm_snmp_listener *listener);

/*
 * Takes in what has come. `out` gets the events. Negative, with a sentence, only when the source cannot go on:
 * a namespace could not be left.
 */
int gm_snmp_listener_turn(struct gm_snmp_listener *listener, const struct gm_snmp_peers *peers,
			  const struct gm_snmp_moment *now, const struct gm_snmp_out *out,
			  struct gm_error *err);

/* Why it does not listen in one of the namespaces; empty: it does in all. */
const char *gm_snmp_listener_lacking(const struct gm_snmp_listener *listener);

/* Whether an address can be listened at, as it is written in the configuration; empty: nowhere. */
int gm_snmp_listener_check(const char *address, struct gm_error *err);

#endif
