/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written when, per entity: see the states in private.h. Nothing here knows how a connection
 * is made or kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/redis/private.h"

/* Commands that one entity needs to be asked or forgotten, at most. */
enum { COMMANDS_PER_ENTITY = 12 };

static void entity_free(struct gm_redis *redis, struct gm_redis_entity *entity)
{
	if (entity->queued)
		DL_DELETE(redis->queue, entity);
	if (entity->gone)
		redis->gone_count--;
	HASH_DEL(redis->entities, entity);
	gm_buffer_free(&entity->prefix);
	gm_buffer_free(&entity->info);
	for (size_t i = 0; i < GM_REDIS_TIERS; i++)
		gm_redis_tier_free(entity->tiers[i]);
	free(entity->compat);
	free(entity);
}

void gm_redis_entities_free(struct gm_redis *redis)
{
	struct gm_redis_entity *entity, *next;

	HASH_ITER (hh, redis->entities, entity, next) {
		entity_free(redis, entity);
	}
}

void gm_redis_enqueue(struct gm_redis *redis, struct gm_redis_entity *entity)
{
	if (entity->queued)
		return;
	DL_APPEND(redis->queue, entity);
	entity->queued = true;
}

static void dequeue(struct gm_redis *redis, struct gm_redis_entity *entity)
{
	DL_DELETE(redis->queue, entity);
	entity->queued = false;
}

static struct gm_redis_entity *create(struct gm_redis *redis, const struct gm_entity_key *key)
{
	struct gm_redis_entity *entity = calloc(1, sizeof(*entity));
	char text[GM_KEY_TEXT];

	if (!entity)
		return NULL;
	entity->key = *key;
	entity->unwritten = INT64_MAX;
	entity->prefix = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);
	entity->info = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);
	gm_redis_xadd_prefix(&entity->prefix, redis->node, gm_entity_text(key, text), NULL);
	if (!entity->prefix.failed)
		HASH_ADD(hh, redis->entities, key, sizeof(entity->key), entity);
	if (entity->prefix.failed || !entity->hh.tbl) {
		gm_buffer_free(&entity->prefix);
		free(entity);
		return NULL;
	}
	gm_redis_enqueue(redis, entity);
	return entity;
}

/* The entity of a key, made when it is new and revived when it was gone. NULL: out of memory. */
struct gm_redis_entity *gm_redis_entity(struct gm_redis *redis, const struct gm_entity_key *key)
{
	struct gm_redis_entity *entity;

	HASH_FIND(hh, redis->entities, key, sizeof(*key), entity);
	if (!entity)
		return create(redis, key);
	if (entity->gone) {
		entity->gone = false;
		redis->gone_count--;
		entity->state = GM_REDIS_UNSYNCED;
		gm_redis_enqueue(redis, entity);
	}
	return entity;
}

/* ---- frames ---- */

size_t gm_redis_sent_kept(const struct gm_redis_entity *entity)
{
	return entity->sent_count < GM_REDIS_SENT_KEPT ? entity->sent_count : GM_REDIS_SENT_KEPT;
}

static bool was_sent(const struct gm_redis_entity *entity, int64_t time)
{
	size_t kept = gm_redis_sent_kept(entity);

	for (size_t i = 0; i < kept; i++) {
		if (entity->sent[i].time == time)
			return true;
	}
	return false;
}

static struct gm_redis_id next_id(const struct gm_redis_entity *entity, uint64_t ms)
{
	if (ms > entity->last.ms)
		return (struct gm_redis_id){.ms = ms};
	return (struct gm_redis_id){.ms = entity->last.ms, .sequence = entity->last.sequence + 1};
}

/*
 * Trimming costs the server as much as two fields: it is asked for now and then. The two ways exclude
 * each other within one command.
 */
static void choose_trim(const struct gm_redis *redis, const struct gm_redis_entity *entity,
			struct gm_redis_entry *entry)
{
	uint64_t keep = (uint64_t)(redis->options.length / GM_MILLISECOND);

	if (entity->sent_count % GM_REDIS_TRIM_EVERY == 0) {
		entry->trim = GM_REDIS_TRIM_COUNT;
		entry->threshold = (uint64_t)redis->options.samples;
	} else if (entity->sent_count % GM_REDIS_TRIM_EVERY == GM_REDIS_TRIM_EVERY / 2 &&
		   keep > 0 && entry->id.ms > keep) {
		entry->trim = GM_REDIS_TRIM_AGE;
		entry->threshold = entry->id.ms - keep;
	}
}

/* What becomes of each that is on its way must be remembered. */
static bool has_room(const struct gm_redis *redis, const struct gm_redis_entity *entity)
{
	return gm_redis_writable(redis) &&
	       entity->sent_count - entity->answered < GM_REDIS_SENT_KEPT;
}

static bool write_frame(struct gm_redis *redis, struct gm_redis_entity *entity,
			const struct gm_frame *frame, const struct gm_reading *readings,
			enum gm_redis_purpose purpose)
{
	uint64_t ms = frame->measured_at > 0 ? (uint64_t)(frame->measured_at / GM_MILLISECOND) : 0;
	struct gm_redis_id id = next_id(entity, ms);
	struct gm_redis_entry entry = {.id = id, .own_ms = ms < id.ms ? ms : 0};

	choose_trim(redis, entity, &entry);
	if (!gm_redis_xadd(&redis->command, &entity->prefix, &entry, readings, frame->count)) {
		redis->command.length = 0;
		return true; /* nothing in it that could be stored */
	}
	if (!gm_redis_send(redis, purpose, entity))
		return false;
	entity->last = id;
	entity->sent[entity->sent_count++ % GM_REDIS_SENT_KEPT] =
		(struct gm_redis_sent){.time = frame->measured_at, .id = id};
	gm_redis_tiers_take(redis, entity, frame, readings, purpose == GM_REDIS_FRAME);
	gm_redis_budget_count(entity, readings, frame->count);
	gm_redis_compat_take(redis, entity, ms, readings, frame->count);
	return true;
}

/* The rings have it: it is filled in from there. */
static void leave_out(struct gm_redis_entity *entity, int64_t time)
{
	if (time < entity->unwritten)
		entity->unwritten = time;
}

static void append_filling(struct gm_redis *redis, const struct gm_frame *frame,
			   const struct gm_reading *readings)
{
	struct gm_redis_entity *entity = redis->filling;

	/* Once one is left out, those after it are too: order decides what the stream has. */
	if (entity->unwritten != INT64_MAX)
		return;
	if (was_sent(entity, frame->measured_at))
		return;
	if (redis->fill_budget == 0 || !has_room(redis, entity) ||
	    !write_frame(redis, entity, frame, readings, GM_REDIS_FILL)) {
		leave_out(entity, frame->measured_at);
		return;
	}
	redis->fill_budget--;
}

void gm_redis_append(struct gm_redis *redis, const struct gm_frame *frame,
		     const struct gm_reading *readings)
{
	struct gm_redis_entity *entity;

	if (frame->flags & GM_FRAME_FINE)
		return;
	if (redis->filling) {
		if (gm_entity_equal(&redis->filling->key, &frame->key))
			append_filling(redis, frame, readings);
		return;
	}
	entity = gm_redis_entity(redis, &frame->key);
	if (!entity || entity->state == GM_REDIS_BROKEN) {
		redis->dropped++;
		return;
	}
	if (entity->state == GM_REDIS_LIVE) {
		if (has_room(redis, entity) &&
		    write_frame(redis, entity, frame, readings, GM_REDIS_FRAME))
			return;
		if (redis->condition == GM_REDIS_WORKING) {
			entity->state = GM_REDIS_FILLING;
			gm_redis_enqueue(redis, entity);
		}
	}
	leave_out(entity, frame->measured_at);
	redis->dropped++;
}

/* ---- what an entity needs beside its frames ---- */

static bool chore(struct gm_redis *redis, struct gm_redis_entity *entity, const char *name,
		  const char *key, const char *suffix)
{
	gm_redis_array(&redis->command, 2);
	gm_redis_text(&redis->command, name);
	gm_redis_key(&redis->command, redis->node, key, suffix);
	return gm_redis_send(redis, GM_REDIS_CHORE, entity);
}

static bool membership(struct gm_redis *redis, struct gm_redis_entity *entity, const char *name,
		       const char *key)
{
	gm_redis_array(&redis->command, 3);
	gm_redis_text(&redis->command, name);
	gm_redis_key(&redis->command, redis->node, "entities", NULL);
	gm_redis_text(&redis->command, key);
	return gm_redis_send(redis, GM_REDIS_CHORE, entity);
}

static bool expire(struct gm_redis *redis, struct gm_redis_entity *entity, const char *key,
		   const char *suffix)
{
	gm_redis_array(&redis->command, 3);
	gm_redis_text(&redis->command, "EXPIRE");
	gm_redis_key(&redis->command, redis->node, key, suffix);
	gm_redis_integer(&redis->command, (uint64_t)(redis->options.expire / GM_SECOND));
	return gm_redis_send(redis, GM_REDIS_CHORE, entity);
}

static void send_info(struct gm_redis *redis, struct gm_redis_entity *entity, const char *key)
{
	if (entity->info.length == 0)
		return;
	/* What is no longer known of it must not stay. */
	chore(redis, entity, "DEL", key, ":info");
	gm_buffer_append(&redis->command, entity->info.data, entity->info.length);
	gm_redis_send(redis, GM_REDIS_CHORE, entity);
}

static void ask(struct gm_redis *redis, struct gm_redis_entity *entity)
{
	size_t kept = gm_redis_sent_kept(entity), wanted = 1;
	char key[GM_KEY_TEXT];

	gm_entity_text(&entity->key, key);
	/* What came after the server was emptied is no prefix of what is kept here: all of it anew. */
	if (entity->emptied)
		chore(redis, entity, "DEL", key, NULL);
	membership(redis, entity, "SADD", key);
	chore(redis, entity, "PERSIST", key, NULL);
	chore(redis, entity, "PERSIST", key, ":info");
	for (size_t i = 0; i < GM_REDIS_TIERS; i++)
		if (gm_redis_tier_entries(&redis->options, i) > 0)
			chore(redis, entity, entity->emptied ? "DEL" : "PERSIST", key,
			      gm_redis_tier_suffix(i));
	send_info(redis, entity, key);
	gm_redis_array(&redis->command, 6);
	gm_redis_text(&redis->command, "XREVRANGE");
	gm_redis_key(&redis->command, redis->node, key, NULL);
	gm_redis_text(&redis->command, "+");
	gm_redis_text(&redis->command, "-");
	gm_redis_text(&redis->command, "COUNT");
	for (size_t i = 0; i < kept; i++)
		wanted += entity->sent[i].fate == GM_REDIS_UNKNOWN;
	gm_redis_integer(&redis->command, wanted);
	if (gm_redis_send(redis, GM_REDIS_LAST, entity))
		entity->state = GM_REDIS_ASKED;
	else
		gm_redis_enqueue(redis, entity);
}

static void let_expire(struct gm_redis *redis, struct gm_redis_entity *entity)
{
	char key[GM_KEY_TEXT];

	gm_entity_text(&entity->key, key);
	gm_redis_tiers_close(redis, entity);
	gm_redis_array(&redis->command, 3);
	gm_redis_text(&redis->command, "HDEL");
	gm_redis_key(&redis->command, redis->node, "learned", NULL);
	gm_redis_text(&redis->command, key);
	gm_redis_send(redis, GM_REDIS_CHORE, entity);
	for (size_t i = 0; i < GM_REDIS_TIERS; i++)
		if (gm_redis_tier_entries(&redis->options, i) > 0)
			expire(redis, entity, key, gm_redis_tier_suffix(i));
	if (!membership(redis, entity, "SREM", key) || !expire(redis, entity, key, NULL) ||
	    !expire(redis, entity, key, ":info"))
		gm_redis_enqueue(redis, entity);
}

static void fill(struct gm_redis *redis, struct gm_redis_entity *entity)
{
	int64_t since = entity->unwritten > INT64_MIN ? entity->unwritten - 1 : INT64_MIN;

	if (entity->unwritten != INT64_MAX && redis->host.backfill) {
		entity->unwritten = INT64_MAX;
		redis->filling = entity;
		redis->host.backfill(redis->host.user, &entity->key, since);
		redis->filling = NULL;
	}
	if (entity->unwritten == INT64_MAX)
		entity->state = GM_REDIS_LIVE;
	else
		gm_redis_enqueue(redis, entity);
}

/*
 * Once a tick: asks and fills as much as the budget allows, so that a Redis that comes back to a
 * thousand entities is neither flooded nor starves what is new.
 */
void gm_redis_pump(struct gm_redis *redis)
{
	/* Each once: one that has to wait for answers stands in the queue again. */
	struct gm_redis_entity *entity = NULL, *final = redis->queue ? redis->queue->prev : NULL;

	redis->fill_budget = GM_REDIS_FILL_BATCH;
	while (entity != final && redis->fill_budget > COMMANDS_PER_ENTITY &&
	       gm_redis_writable(redis) && redis->pending_count < GM_REDIS_PENDING_MAX / 2) {
		entity = redis->queue;
		redis->fill_budget--;
		dequeue(redis, entity);
		if (entity->gone) {
			redis->fill_budget -= COMMANDS_PER_ENTITY;
			let_expire(redis, entity);
		} else if (entity->state == GM_REDIS_UNSYNCED) {
			redis->fill_budget -= COMMANDS_PER_ENTITY;
			ask(redis, entity);
		} else if (entity->state == GM_REDIS_FILLING) {
			fill(redis, entity);
		}
	}
}

void gm_redis_forget(struct gm_redis *redis, const struct gm_entity_key *key)
{
	struct gm_redis_entity *entity;

	HASH_FIND(hh, redis->entities, key, sizeof(*key), entity);
	if (!entity || entity->gone)
		return;
	entity->gone = true;
	redis->gone_count++;
	gm_redis_enqueue(redis, entity);
	/* Redis is away for very long: its keys stay until the next start finds them. */
	if (redis->gone_count > GM_REDIS_GONE_MAX && entity->pending == 0)
		entity_free(redis, entity);
}

void gm_redis_identify(struct gm_redis *redis, const struct gm_entity_info *info)
{
	struct gm_redis_entity *entity = gm_redis_entity(redis, &info->key);

	if (!entity)
		return;
	gm_redis_compat_identify(redis, entity, info);
	entity->info.length = 0;
	gm_redis_info(&entity->info, redis->node, info);
	if (entity->state == GM_REDIS_UNSYNCED || !gm_redis_writable(redis))
		return; /* it goes out when the stream is asked for its last entry */
	char key[GM_KEY_TEXT];

	send_info(redis, entity, gm_entity_text(&info->key, key));
}

int gm_redis_keep(struct gm_redis *redis, const struct gm_entity_key *key, const void *bytes,
		  size_t size)
{
	struct gm_redis_entity *entity;
	char text[GM_KEY_TEXT];

	if (size > GM_STORE_STATE_MAX)
		return -EFBIG;
	HASH_FIND(hh, redis->entities, key, sizeof(*key), entity);
	if (!entity || entity->gone || entity->state != GM_REDIS_LIVE || !gm_redis_writable(redis))
		return -EAGAIN;
	gm_redis_array(&redis->command, 4);
	gm_redis_text(&redis->command, "HSET");
	gm_redis_key(&redis->command, redis->node, "learned", NULL);
	gm_redis_text(&redis->command, gm_entity_text(key, text));
	gm_redis_bytes(&redis->command, bytes, size);
	entity->learned = size;
	return gm_redis_send(redis, GM_REDIS_CHORE, entity) ? 0 : -EAGAIN;
}

/* ---- the connection comes and goes ---- */

void gm_redis_finish(struct gm_redis *redis)
{
	struct gm_redis_entity *entity, *next;

	HASH_ITER (hh, redis->entities, entity, next) {
		gm_redis_tiers_close(redis, entity);
	}
}

void gm_redis_connected(struct gm_redis *redis)
{
	struct gm_redis_entity *entity, *next;

	redis->broken = 0;
	HASH_ITER (hh, redis->entities, entity, next) {
		entity->state = GM_REDIS_UNSYNCED;
		entity->overtaken = false;
		gm_redis_enqueue(redis, entity);
	}
}

void gm_redis_emptied(struct gm_redis *redis)
{
	struct gm_redis_entity *entity, *next;
	bool told = false;

	gm_redis_connected(redis);
	HASH_ITER (hh, redis->entities, entity, next) {
		told = told || (entity->sent_count > 0 && !entity->emptied);
		entity->emptied = true;
	}
	if (told)
		gm_log(GM_LOG_NOTICE, "redis at %s was emptied: the windows are written anew",
		       redis->where);
}

void gm_redis_disconnected(struct gm_redis *redis)
{
	struct gm_redis_entity *entity, *next;

	HASH_ITER (hh, redis->entities, entity, next) {
		entity->state = GM_REDIS_UNSYNCED;
	}
	gm_redis_reads_end(redis, -ENOTCONN, "the connection to Redis is gone");
}

/* A span that is there already (its frames were sent again), and a key that is not ours, are passed over. */
static void take_tier(struct gm_redis *redis, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "ERR The ID", 10) != 0 &&
	    strncmp(reply->str, "WRONGTYPE", 9) != 0)
		gm_redis_refused(redis, reply);
}

void gm_redis_take(struct gm_redis *redis, const struct gm_redis_pending *pending,
		   const redisReply *reply)
{
	struct gm_redis_entity *entity = pending->entity;

	entity->pending--;
	if (!reply) {
		if (pending->purpose == GM_REDIS_FRAME)
			redis->dropped++;
		return;
	}
	switch (pending->purpose) {
	case GM_REDIS_LAST:
		gm_redis_take_last(redis, entity, reply);
		break;
	case GM_REDIS_FRAME:
	case GM_REDIS_FILL:
		gm_redis_take_frame(redis, entity, pending->purpose, reply);
		break;
	case GM_REDIS_LENGTH:
	case GM_REDIS_USAGE:
		gm_redis_budget_take(redis, pending->purpose, entity, reply);
		break;
	case GM_REDIS_COMPAT:
		if (reply->type == REDIS_REPLY_ERROR)
			gm_redis_compat_refused(redis, reply);
		break;
	case GM_REDIS_TIER:
		take_tier(redis, reply);
		break;
	default:
		if (reply->type == REDIS_REPLY_ERROR)
			gm_redis_refused(redis, reply);
		break;
	}
	if (entity->gone && entity->pending == 0 && !entity->queued)
		entity_free(redis, entity);
}
