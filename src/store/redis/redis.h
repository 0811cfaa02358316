/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows as Redis streams (schema 1):
 *
 *   guestmon:{NODE}:schema           string "1"
 *   guestmon:{NODE}:entities         set of entity keys ("guest:…", "if:…", "disk:…", "node")
 *   guestmon:{NODE}:<entity>         stream, one entry per frame; id = measured_at in ms (a later
 *                                    sequence within the same ms; a frame older than the last entry
 *                                    takes the last id's ms and carries its own in the field "@");
 *                                    fields: catalogue names, values in decimal, exact to 64 bits
 *   guestmon:{NODE}:<entity>:1s      stream, one entry per second, if asked for (redis.seconds-kept);
 *   guestmon:{NODE}:<entity>:1m      the same per minute (redis.minutes-kept). The id is the span's
 *                                    first ms and, as its sequence, how far into the span its newest
 *                                    sample is; two entries of one span (a restart between) each tell
 *                                    a part. Fields: a gauge's mean under its catalogue name, its
 *                                    extremes as NAME.min and NAME.max; a counter's last value, and
 *                                    as .min and .max how fast it grew, per second
 *   guestmon:{NODE}:<entity>:info    hash of what is known of the entity
 *   guestmon:{NODE}:learned          hash: of an entity's key, what the daemon's detectors have learned
 *                                    of it, in their own bytes; for the daemon's next start alone
 *   collectd/GUEST/virt/TYPE         sorted sets as collectd's virt and write_redis plugins write them,
 *                                    one value a second, if asked for (redis.collectd-samples), and
 *                                    collectd/values, the set of their names; not filled in
 *   guestmon:{NODE}:probe            written and deleted at each connect: are writes taken?
 *
 * The process ignores SIGPIPE (hiredis writes without MSG_NOSIGNAL).
 *
 * Streams are trimmed by count (MAXLEN ~) and by age (MINID ~), now and then: some more may be there. Replies are bounded and checked: what is malformed is
 * logged once per connection and counted, never trusted.
 */
#ifndef GM_STORE_REDIS_REDIS_H
#define GM_STORE_REDIS_REDIS_H

#include "store/store.h"

struct gm_redis_options {
	bool enabled;
	char socket[108]; /* unix socket; empty: TCP */
	char host[256];   /* numeric address */
	int64_t port;
	char addresses[512];      /* instead of these: paths and ADDRESS:PORT, tried in turn */
	char sentinel_master[64]; /* `addresses` are Sentinels, and the master's name is this */
	char username[64];
	char password_file[256];
	int64_t database;
	int64_t samples; /* entries kept per stream */
	int64_t length;  /* ns: older entries are let go; 0: count alone decides */
	int64_t seconds_kept, minutes_kept; /* ns: of the coarser streams; 0: none */
	int64_t collectd_samples; /* of each of collectd's keys; 0: they are not written */
	char collectd_prefix[64];
	int64_t expire; /* ns: a stream whose entity is gone is kept that long */
};
extern const struct gm_option gm_redis_option_table[];

/* Whether the options name a server that can be asked: 0, or -EINVAL or -E2BIG with a sentence. No I/O. */
int gm_redis_check(const struct gm_redis_options *options, struct gm_error *err);

/* `node` names this node in the keys. The loop and `host` outlive the store. */
int gm_redis_create(const struct gm_redis_options *options, const char *node,
		    struct uv_loop_s *loop, const struct gm_store_host *host,
		    struct gm_store **ret_store, struct gm_error *err);

#endif
