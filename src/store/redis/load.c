/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the stored windows back at start-up, entity by entity, newest pages first, so that a deadline
 * that strikes leaves out what is oldest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/redis/private.h"

struct loading {
	struct gm_redis *redis;
	struct gm_redis_link link;
	struct gm_batch *batch;
	size_t frames, malformed;
};

static bool is_list(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY;
}

static int check_schema(struct loading *loading, struct gm_error *err)
{
	redisReply *reply;
	int rc;

	gm_redis_array(&loading->link.command, 2);
	gm_redis_text(&loading->link.command, "GET");
	gm_redis_key(&loading->link.command, loading->redis->node, "schema", NULL);
	rc = gm_redis_link_ask(&loading->link, &reply, err);
	if (rc < 0)
		return rc;
	rc = gm_redis_check_schema(reply, err);
	freeReplyObject(reply);
	return rc;
}

static void ask_page(struct loading *loading, const char *entity, const char *before, size_t count)
{
	struct gm_buffer *command = &loading->link.command;

	gm_redis_array(command, 6);
	gm_redis_text(command, "XREVRANGE");
	gm_redis_key(command, loading->redis->node, entity, NULL);
	gm_redis_text(command, before);
	gm_redis_text(command, "-");
	gm_redis_text(command, "COUNT");
	gm_redis_integer(command, count);
}

/* The id just before `id`, which is where the next page begins; false at the beginning of all ids. */
static bool step_back(struct gm_redis_id *id)
{
	if (id->sequence > 0) {
		id->sequence--;
		return true;
	}
	if (id->ms == 0)
		return false;
	*id = (struct gm_redis_id){.ms = id->ms - 1, .sequence = UINT64_MAX};
	return true;
}

/*
 * Takes a page in. `last` is the oldest id so far; an entry that is not older is malformed, so that a
 * server that repeats itself cannot keep us here.
 */
static void take_page(struct loading *loading, const struct gm_entity_key *key,
		      const redisReply *reply, struct gm_redis_id *last)
{
	for (size_t i = 0; i < reply->elements; i++) {
		struct gm_redis_id id = *last;

		if (gm_redis_parse_entry(reply->element[i], key, loading->batch, &id) < 0)
			loading->malformed++;
		if (id.ms < last->ms || (id.ms == last->ms && id.sequence < last->sequence))
			*last = id;
	}
}

static int read_stream(struct loading *loading, const struct gm_entity_key *key, const char *entity,
		       struct gm_error *err)
{
	struct gm_redis_id last = {UINT64_MAX, UINT64_MAX}, before;
	size_t left = (size_t)loading->redis->options.samples;
	char from[48] = "+";
	redisReply *reply;

	while (left > 0) {
		size_t count = left < GM_REDIS_LOAD_PAGE ? left : GM_REDIS_LOAD_PAGE;
		struct gm_redis_id oldest = last;

		ask_page(loading, entity, from, count);
		int rc = gm_redis_link_ask(&loading->link, &reply, err);
		if (rc < 0)
			return rc;
		if (!is_list(reply)) {
			freeReplyObject(reply);
			return gm_error_set(err, -EPROTO, "unexpected reply to XREVRANGE");
		}
		size_t got = reply->elements;
		take_page(loading, key, reply, &last);
		freeReplyObject(reply);
		left -= got < left ? got : left;
		before = last;
		if (got < count || (last.ms == oldest.ms && last.sequence == oldest.sequence) ||
		    !step_back(&before))
			break;
		snprintf(from, sizeof(from), "%llu-%llu", (unsigned long long)before.ms,
			 (unsigned long long)before.sequence);
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct gm_frame *one = a, *other = b;

	return (one->measured_at > other->measured_at) - (one->measured_at < other->measured_at);
}

static void hand_over(struct loading *loading)
{
	struct gm_batch *batch = loading->batch;
	const struct gm_store_host *host = &loading->redis->host;

	if (batch->frame_count > 1)
		qsort(batch->frames, batch->frame_count, sizeof(*batch->frames), by_time);
	for (size_t i = 0; i < batch->frame_count; i++) {
		if (batch->frames[i].count > 0 && host->restore) {
			host->restore(host->user, &batch->frames[i],
				      gm_batch_readings(batch, &batch->frames[i]));
			loading->frames++;
		}
	}
	gm_batch_clear(batch);
}

static int read_entity(struct loading *loading, const redisReply *name, struct gm_error *err)
{
	struct gm_entity_key key;
	char text[GM_KEY_TEXT];

	if (name->type != REDIS_REPLY_STRING || strlen(name->str) != name->len ||
	    gm_entity_parse(name->str, &key) < 0 ||
	    strcmp(gm_entity_text(&key, text), name->str) != 0) {
		loading->malformed++;
		return 0;
	}
	int rc = read_stream(loading, &key, text, err);
	hand_over(loading);     /* what came before the failure is good */
	if (rc == -EREMOTEIO) { /* this key's own trouble (of another type) */
		loading->malformed++;
		return 0;
	}
	return rc;
}

static int read_entities(struct loading *loading, struct gm_error *err)
{
	redisReply *reply;
	int rc;

	gm_redis_array(&loading->link.command, 2);
	gm_redis_text(&loading->link.command, "SMEMBERS");
	gm_redis_key(&loading->link.command, loading->redis->node, "entities", NULL);
	rc = gm_redis_link_ask(&loading->link, &reply, err);
	if (rc < 0)
		return rc;
	if (!is_list(reply))
		rc = gm_error_set(err, -EPROTO, "unexpected reply to SMEMBERS");
	for (size_t i = 0; rc == 0 && i < reply->elements; i++)
		rc = read_entity(loading, reply->element[i], err);
	freeReplyObject(reply);
	return rc;
}

int gm_redis_load(struct gm_redis *redis, int64_t deadline, struct gm_error *err)
{
	struct loading loading = {.redis = redis, .batch = gm_batch_create()};
	int rc = loading.batch ? gm_redis_link_open(&loading.link, &redis->options, deadline, err)
			       : gm_error_set(err, -ENOMEM, "out of memory");

	if (rc < 0)
		goto out;
	rc = check_schema(&loading, err);
	for (int hops = 0; rc == -EREMOTEIO && hops < GM_REDIS_HOPS; hops++) {
		rc = gm_redis_link_follow(&loading.link, err);
		if (rc == 0)
			rc = check_schema(&loading, err);
	}
	if (rc == 0)
		rc = read_entities(&loading, err);
	gm_redis_link_close(&loading.link);
out:
	gm_batch_free(loading.batch);
	if (loading.malformed > 0)
		gm_log(GM_LOG_WARNING, "redis at %s: %zu stored entries are malformed and left out",
		       redis->where, loading.malformed);
	if (rc < 0)
		return gm_error_prefix(err, rc, "%s (%zu frames read)", redis->where,
				       loading.frames);
	return 0;
}
