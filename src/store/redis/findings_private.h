/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two files of the findings' stream share: findings.c keeps the connection and decides what is
 * asked next; findings_wire.c makes the commands and takes the replies apart.
 */
#ifndef GM_STORE_REDIS_FINDINGS_PRIVATE_H
#define GM_STORE_REDIS_FINDINGS_PRIVATE_H

#include "store/redis/findings.h"
#include "store/redis/private.h"

#define GM_FINDINGS_NAME  "findings"
#define GM_FINDINGS_GROUP "guestmond"

/* What is asked for next, once nothing is on its way. */
enum gm_findings_step {
	GM_FINDINGS_GREET,  /* password, database, group */
	GM_FINDINGS_DRAIN,  /* what was delivered and not acknowledged */
	GM_FINDINGS_SKIP,   /* the oldest of these is too large to be read: only its id */
	GM_FINDINGS_FOLLOW, /* what is new; waits for it */
};

struct gm_redis_findings {
	const struct gm_redis *store; /* which knows the server, and whether it lets us write */
	struct gm_findings_host host;
	char where[sizeof(((struct gm_redis *)NULL)->where)];
	uv_timer_t timer;
	bool timer_open;
	redisAsyncContext *context; /* NULL while there is none */
	struct gm_redis_reader reader;
	void (*add_read)(void *events); /* the loop adapter's own */
	bool flooded;
	size_t pending; /* commands without answer */
	struct gm_buffer command;
	unsigned silent_ticks, retry_ticks, retry_ms;
	enum gm_findings_step step;
	bool asked;                 /* the step's question is on its way */
	bool resting;               /* until the next tick: the last batch was a full one */
	unsigned too_large;         /* times in a row that a batch could not be read */
	struct gm_redis_id last;    /* told to the host */
	struct gm_redis_id drained; /* seen among the pending ones */
	struct gm_findings_status status;
};

/* findings_wire.c: each makes one command in `command`. */
void gm_findings_make_group(struct gm_redis_findings *findings);
/* Pending ones after `after`, or (NULL) new ones, for which the server waits. */
void gm_findings_read(struct gm_redis_findings *findings, const struct gm_redis_id *after,
		      size_t count);
void gm_findings_oldest_pending(struct gm_redis_findings *findings);
void gm_findings_acknowledge(struct gm_redis_findings *findings, struct gm_redis_id id);
void gm_findings_delete(struct gm_redis_findings *findings);
void gm_findings_trim(struct gm_redis_findings *findings);
void gm_findings_reject(struct gm_redis_findings *findings, const struct gm_entry *entry,
			const char *reason);

/* The entries of an answer to gm_findings_read(); NULL: it is none. An empty one has none. */
const redisReply *gm_findings_entries(const redisReply *reply, size_t *ret_count);
/* One of them. -EPROTO: without a readable id; 1: its fields are gone (trimmed while it was pending). */
int gm_findings_parse(const redisReply *reply, struct gm_entry *ret_entry);

#endif
