/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads back at start-up what the detectors had learned, of all entities, and then the windows: where there is
 * not time enough for all of them, it is the windows that fill again by themselves.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/redis/private.h"

struct loading {
	struct gm_redis *redis;
	struct gm_redis_link link;
	struct gm_batch *batch;
	uint64_t since;        /* ms; 0: from the beginning */
	size_t entities, read; /* windows that there are, and that have been read */
	size_t malformed;
};

static bool is_list(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY;
}

static int check_schema(struct loading *loading, struct gm_error *err)
{
	const redisReply *reply;
	int rc;

	gm_redis_array(&loading->link.command, 2);
	gm_redis_text(&loading->link.command, "GET");
	gm_redis_key(&loading->link.command, loading->redis->node, "schema", NULL);
	rc = gm_redis_link_ask(&loading->link, &reply, err);
	if (rc < 0)
		return rc;
	return gm_redis_check_schema(reply, err);
}

static int ask_learned(struct loading *loading, const char *entity, struct gm_error *err)
{
	struct gm_buffer *command = &loading->link.command;

	gm_redis_array(command, 3);
	gm_redis_text(command, "HGET");
	gm_redis_key(command, loading->redis->node, "learned", NULL);
	gm_redis_text(command, entity);
	return gm_redis_link_send(&loading->link, err);
}

/*
 * The oldest first, which is what costs the server least, where what the time allows is what is wanted; else
 * the newest of all.
 */
static int ask_window(struct loading *loading, const char *entity, struct gm_error *err)
{
	struct gm_buffer *command = &loading->link.command;

	gm_redis_array(command, loading->since > 0 ? 4 : 6);
	gm_redis_text(command, loading->since > 0 ? "XRANGE" : "XREVRANGE");
	gm_redis_key(command, loading->redis->node, entity, NULL);
	if (loading->since > 0) {
		gm_redis_integer(command, loading->since);
		gm_redis_text(command, "+");
	} else {
		gm_redis_text(command, "+");
		gm_redis_text(command, "-");
		gm_redis_text(command, "COUNT");
		gm_redis_integer(command, (uint64_t)loading->redis->options.samples);
	}
	return gm_redis_link_send(&loading->link, err);
}

static bool is_before(struct gm_redis_id one, struct gm_redis_id other)
{
	return one.ms < other.ms || (one.ms == other.ms && one.sequence < other.sequence);
}

/* Ids go one way from entry to entry: one that does not is malformed. */
static bool is_next(const struct loading *loading, const redisReply *entry,
		    struct gm_redis_id *last)
{
	struct gm_redis_id id;

	if (!entry || entry->type != REDIS_REPLY_ARRAY || entry->elements == 0 ||
	    gm_redis_parse_id(entry->element[0], &id) < 0 ||
	    !(loading->since > 0 ? is_before(*last, id) : is_before(id, *last)))
		return false;
	*last = id;
	return true;
}

static void take_entries(struct loading *loading, const struct gm_entity_key *key,
			 const redisReply *reply)
{
	struct gm_redis_id last = {UINT64_MAX, UINT64_MAX};

	if (loading->since > 0)
		last = (struct gm_redis_id){0};
	for (size_t i = 0; i < reply->elements && i < GM_BATCH_MAX; i++) {
		const redisReply *entry = reply->element[i];
		struct gm_redis_id id;

		if (!is_next(loading, entry, &last) ||
		    gm_redis_parse_entry(entry, key, loading->batch, &id) < 0)
			loading->malformed++;
	}
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
		}
	}
	gm_batch_clear(batch);
}

/* An error that is this key's own trouble (of another type) is no reason to give up. */
static int receive(struct loading *loading, const redisReply **ret_reply, struct gm_error *err)
{
	int rc = gm_redis_link_receive(&loading->link, ret_reply, err);

	if (rc != -EREMOTEIO)
		return rc;
	loading->malformed++;
	*ret_reply = NULL;
	return 0;
}

static int take_learned(struct loading *loading, const struct gm_entity_key *key,
			struct gm_error *err)
{
	const struct gm_store_host *host = &loading->redis->host;
	const redisReply *reply;
	int rc = receive(loading, &reply, err);

	if (rc < 0 || !reply || reply->type == REDIS_REPLY_NIL)
		return rc;
	if (reply->type != REDIS_REPLY_STRING)
		return gm_error_set(err, -EPROTO, "unexpected reply to HGET");
	if (host->recall)
		host->recall(host->user, key, reply->str, reply->len);
	return 0;
}

static int take_window(struct loading *loading, const struct gm_entity_key *key,
		       struct gm_error *err)
{
	const redisReply *reply;
	int rc = receive(loading, &reply, err);

	if (rc < 0)
		return rc;
	if (reply && !is_list(reply))
		return gm_error_set(err, -EPROTO, "unexpected reply to XRANGE");
	if (reply)
		take_entries(loading, key, reply);
	hand_over(loading);
	loading->read++;
	return 0;
}

/* The keys of the set's members that are entities; the caller frees. */
static int list_entities(struct loading *loading, struct gm_entity_key **ret_keys,
			 size_t *ret_count, struct gm_error *err)
{
	struct gm_entity_key *keys;
	const redisReply *reply;
	size_t count = 0;
	char text[GM_KEY_TEXT];

	gm_redis_array(&loading->link.command, 2);
	gm_redis_text(&loading->link.command, "SMEMBERS");
	gm_redis_key(&loading->link.command, loading->redis->node, "entities", NULL);
	int rc = gm_redis_link_ask(&loading->link, &reply, err);
	if (rc < 0)
		return rc;
	if (!is_list(reply))
		return gm_error_set(err, -EPROTO, "unexpected reply to SMEMBERS");
	keys = calloc(reply->elements + 1, sizeof(*keys));
	if (!keys)
		return gm_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *name = reply->element[i];

		if (name->type == REDIS_REPLY_STRING && strlen(name->str) == name->len &&
		    gm_entity_parse(name->str, &keys[count]) == 0 &&
		    strcmp(gm_entity_text(&keys[count], text), name->str) == 0)
			count++;
		else
			loading->malformed++;
	}
	*ret_keys = keys;
	*ret_count = count;
	return 0;
}

struct pass {
	int (*ask)(struct loading *loading, const char *entity, struct gm_error *err);
	int (*take)(struct loading *loading, const struct gm_entity_key *key, struct gm_error *err);
};

/* Some are always under way, so that the server works while what it has sent is taken in. */
static int read_each(struct loading *loading, const struct pass *pass,
		     const struct gm_entity_key *keys, size_t count, struct gm_error *err)
{
	size_t asked = 0;
	char text[GM_KEY_TEXT];
	int rc = 0;

	for (size_t taken = 0; rc == 0 && taken < count; taken++) {
		while (rc == 0 && asked < count && asked < taken + GM_REDIS_LOAD_AHEAD)
			rc = pass->ask(loading, gm_entity_text(&keys[asked++], text), err);
		if (rc == 0)
			rc = pass->take(loading, &keys[taken], err);
	}
	return rc;
}

static int read_entities(struct loading *loading, struct gm_error *err)
{
	static const struct pass learned = {ask_learned, take_learned},
				 windows = {ask_window, take_window};
	struct gm_entity_key *keys = NULL;
	int rc = list_entities(loading, &keys, &loading->entities, err);

	if (rc == 0)
		rc = read_each(loading, &learned, keys, loading->entities, err);
	if (rc == 0)
		rc = read_each(loading, &windows, keys, loading->entities, err);
	free(keys);
	return rc;
}

int gm_redis_load(struct gm_redis *redis, int64_t deadline, struct gm_error *err)
{
	struct loading loading = {.redis = redis, .batch = gm_batch_create()};
	int rc = loading.batch ? gm_redis_link_open(&loading.link, &redis->options, deadline, err)
			       : gm_error_set(err, -ENOMEM, "out of memory");

	if (rc < 0)
		goto out;
	if (redis->host.window > 0)
		loading.since = (uint64_t)((gm_clock_now() - redis->host.window) / GM_MILLISECOND);
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
	if (rc < 0 && loading.entities == 0)
		return gm_error_prefix(err, rc, "%s", redis->where);
	if (rc < 0)
		return gm_error_prefix(err, rc, "%s: after %zu of %zu entities", redis->where,
				       loading.read, loading.entities);
	return 0;
}
