/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of findings, on which programs outside the daemon tell what they found in the windows:
 *
 *   guestmon:{NODE}:findings           stream, written by analysers with ids of the server ("*"); read
 *                                      by the group "guestmond"; trimmed to about GM_FINDINGS_KEPT
 *   guestmon:{NODE}:findings:rejected  stream of what was not taken: `id` and `reason`, then the
 *                                      entry's own fields, cut to 255 bytes; about GM_REJECTED_KEPT
 *
 * This is the transport alone: a connection of its own (its reads block), the group, what was
 * delivered and not acknowledged before a restart, back-pressure. What an entry means is its host's to
 * say. Main thread. A server that is away, emptied, or restarted is taken up again.
 *
 * An entry is told once, by its id: those up to the id that the host remembers are acknowledged and
 * left out. Only a new group (the stream was deleted, the server emptied) begins anew.
 */
#ifndef GM_STORE_REDIS_FINDINGS_H
#define GM_STORE_REDIS_FINDINGS_H

#include "base/error.h"
#include "model/entry.h"
#include "store/redis/redis.h"

enum {
	GM_FINDINGS_KEPT = 10000,
	GM_REJECTED_KEPT = 1000,
	GM_FINDINGS_BATCH =
		100, /* read at once, and at most one such batch per GM_FINDINGS_TICK_MS */
	GM_FINDINGS_TICK_MS = 100,
	GM_FINDINGS_REPLY_MAX = 4 << 20, /* bytes of a batch; an entry that is larger is rejected */
};

enum gm_findings_condition {
	GM_FINDINGS_AWAY,    /* no connection, or no answer */
	GM_FINDINGS_REFUSED, /* it answers, and does not let us read */
	GM_FINDINGS_READING,
};

struct gm_findings_host {
	/* A new entry, valid during the call. Negative: rejected, with the reason. */
	int (*take)(void *user, const struct gm_entry *entry, struct gm_error *err);
	void (*changed)(void *user, enum gm_findings_condition condition, const char *reason);
	void *user;
};

struct gm_findings_status {
	enum gm_findings_condition condition;
	uint64_t read;     /* entries that the host was told of */
	uint64_t repeated; /* delivered again, and left out */
	uint64_t oversize; /* rejected without having been read */
};

struct gm_redis_findings;

/*
 * Beside a Redis store, whose server, user and node are taken, and which outlives it, as does the host:
 * where the store writes, findings are read. Entries up to the id `ms`-`sequence` have been told before.
 */
int gm_redis_findings_create(const struct gm_store *store, const struct gm_findings_host *host,
			     uint64_t ms, uint64_t sequence,
			     struct gm_redis_findings **ret_findings);
void gm_redis_findings_start(struct gm_redis_findings *findings);
void gm_redis_findings_status(const struct gm_redis_findings *findings,
			      struct gm_findings_status *ret_status);
/* Closes within the loop's next turns; destroy once the loop has run dry. NULL-safe. */
void gm_redis_findings_stop(struct gm_redis_findings *findings);
void gm_redis_findings_destroy(struct gm_redis_findings *findings);

#endif
