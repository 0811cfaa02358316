/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests of the same flavor as context for an anomaly: do the peers do the same at the same time, and
 * how far is the guest from them? Follows the level of every metric of each guest (means over bins of
 * 20 s; counters as rates, those of interfaces and disks as the guest's sum) against the guest's own
 * past. Pure and bounded; fed and asked by whoever feeds the detectors (daemon/intake.c). One thread.
 *
 * Distances are robust: from the median in 1.4826 times the median absolute deviation (Hampel's
 * identifier), so that a few guests that are far away do not hide themselves.
 */
#ifndef GM_ANALYSIS_PEERS_H
#define GM_ANALYSIS_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/finding.h"
#include "model/sample.h"

enum {
	GM_PEERS_METRICS = 64,  /* followed of all guests, the first ones that come */
	GM_PEERS_GUESTS = 4096, /* further ones have no peers */
	GM_PEERS_LEAST = 5,     /* with fewer peers nothing is said */
};

struct gm_peers;
struct gm_peer; /* a guest among its peers */

int gm_peers_create(struct gm_peers **ret_peers); /* 0 or -ENOMEM */
void gm_peers_free(struct gm_peers *peers);       /* and all that are in it */

/*
 * Puts a guest among those of its flavor. *peer is NULL for a new one; one that was among others begins
 * anew. Without a flavor, without room or memory it is (or becomes) NULL: nobody's peer.
 */
void gm_peers_join(struct gm_peers *peers, const char *flavor, struct gm_peer **peer);
void gm_peers_leave(struct gm_peers *peers, struct gm_peer *peer); /* NULL: nothing */

/* A point of the guest itself, or of one of its interfaces or disks (`part`). `peer` may be NULL. */
void gm_peers_take(struct gm_peers *peers, struct gm_peer *peer, const struct gm_point *point,
		   bool part);

/* What the peers are to a guest, in the metrics that an anomaly names. */
struct gm_peers_view {
	size_t count;    /* peers that are known in the first of these metrics */
	size_t alike;    /* of them: those that left their usual level in the same direction */
	double distance; /* of the guest from its flavor's median in that metric */
	bool common; /* in each of these metrics that the guest left its usual level in, at least
	                    half of the peers did, too */
};

/*
 * Compares at `now`. `metrics` are contributors as evidence shows them: "cpu.time,net.rx.bytes@vnet0".
 * False: there are not enough peers that are known in any of them.
 */
bool gm_peers_compare(struct gm_peers *peers, const struct gm_peer *peer, const char *metrics,
		      int64_t now, struct gm_peers_view *ret_view);

/*
 * Adds to an anomaly's evidence what the peers are to the guest. One that they share is not the guest's
 * own trouble: it is a warning, for as long as it holds.
 */
void gm_peers_explain(struct gm_peers *peers, struct gm_peer *peer, struct gm_finding *finding);

#endif
