/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is asked, where, and with what: the lines of the files and the guests that other sources tell of,
 * matched. The first line that speaks of a guest is its target. A guest whose address comes from
 * Nova's metadata is hostile: what it may name is bounded by the operator's networks, is never one of the
 * node's own addresses, and never one at which somebody else is asked. The source's thread only.
 */
#ifndef GM_SOURCE_SNMP_PEERS_H
#define GM_SOURCE_SNMP_PEERS_H

#include "source/snmp/absent.h"
#include "source/snmp/guests.h"
#include "source/snmp/namespaces.h"
#include "source/snmp/snmp.h"
#include "source/snmp/target.h"

struct gm_snmp_peer {
	struct gm_snmp_target *target; /* NULL: the slot is free */
	size_t place, line;            /* of its namespace, of the list */
	struct sockaddr_storage address;
};

struct gm_snmp_peers {
	const struct gm_snmp_options *options; /* outlives it */
	struct gm_snmp_guests *guests;
	struct gm_snmp_list list;
	struct gm_snmp_oids oids;
	struct gm_snmp_namespaces namespaces;
	struct gm_snmp_absent absent; /* of those that were asked */
	char lacking[GM_ERROR_TEXT];  /* why a guest is not asked; empty: all are */
	size_t reviewed;              /* the slot that was looked at last */
	size_t count;                 /* slots in use are below it */
	struct gm_snmp_peer slots[GM_SNMP_SLOTS];
	int64_t wakes[GM_SNMP_SLOTS]; /* beside each other: all are looked at each turn */
};

int gm_snmp_peers_init(struct gm_snmp_peers *peers, const struct gm_snmp_options *options);
void gm_snmp_peers_destroy(struct gm_snmp_peers *peers);

/*
 * Of all below: `out` is told what ends; its sink is NULL where nobody listens any more. Negative:
 * the source cannot go on (-ENOTRECOVERABLE); what concerns one guest is in `lacking`.
 */

/* Takes the list and the objects in the place of the present ones, and begins anew. */
int gm_snmp_peers_replace(struct gm_snmp_peers *peers, struct gm_snmp_list *list,
			  const struct gm_snmp_oids *oids, const struct gm_snmp_out *out,
			  struct gm_error *err);
void gm_snmp_peers_clear(struct gm_snmp_peers *peers, const struct gm_snmp_out *out);
/* Tries again those that are lacking. */
int gm_snmp_peers_retry(struct gm_snmp_peers *peers, const struct gm_snmp_out *out,
			struct gm_error *err);

/* What another source tells: who a guest is, or that it is gone. */
int gm_snmp_peers_hear(struct gm_snmp_peers *peers, const struct gm_entity_info *info, bool here,
		       const struct gm_snmp_out *out, struct gm_error *err);

/* Looks at a few whose address came from a guest: it may be the node's own by now. */
void gm_snmp_peers_review(struct gm_snmp_peers *peers, const struct gm_snmp_out *out);

#endif
