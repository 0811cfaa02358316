/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has become of the frames that were sent: from the answers, and where there were none from the
 * newest entries of the stream. Decides from where on an entity is filled. Called by entity.c.
 */
#include <string.h>

#include "base/clock.h"
#include "store/redis/private.h"

/* Whether a frame that was sent is in the stream, whose newest entries are `reply`. */
static bool is_there(const struct gm_redis_sent *sent, const struct gm_redis_id *last,
		     const redisReply *reply)
{
	struct gm_redis_id id;

	if (sent->fate == GM_REDIS_UNWRITTEN || sent->id.ms > last->ms ||
	    (sent->id.ms == last->ms && sent->id.sequence > last->sequence))
		return false;
	for (size_t i = 0; i < reply->elements && sent->fate == GM_REDIS_UNKNOWN; i++) {
		if (gm_redis_parse_entry_id(reply->element[i], &id) == 0 && id.ms == sent->id.ms &&
		    id.sequence == sent->id.sequence)
			return true;
	}
	return sent->fate == GM_REDIS_WRITTEN;
}

/* The stream ends with the entries of `reply`, the newest of which is `last` (NULL: there is no stream). */
static void synced(struct gm_redis *redis, struct gm_redis_entity *entity,
		   const struct gm_redis_id *last, const redisReply *reply)
{
	struct gm_redis_sent sent[GM_REDIS_SENT_KEPT];
	int64_t unwritten = entity->unwritten;
	size_t written = 0;

	for (size_t i = entity->sent_count - gm_redis_sent_kept(entity);
	     i < entity->sent_count && last; i++) {
		const struct gm_redis_sent *one = &entity->sent[i % GM_REDIS_SENT_KEPT];

		if (is_there(one, last, reply)) {
			sent[written] = *one;
			sent[written++].fate = GM_REDIS_WRITTEN;
		} else if (one->time < unwritten) {
			unwritten = one->time;
		}
	}
	memcpy(entity->sent, sent, written * sizeof(*sent));
	entity->sent_count = entity->answered = written;
	entity->emptied = false;
	if (!last)
		entity->unwritten = INT64_MIN;
	else if (written == 0) /* of an earlier run, or all that is remembered was lost */
		entity->unwritten = ((int64_t)last->ms + 1) * GM_MILLISECOND;
	else
		entity->unwritten = unwritten;
	gm_redis_tiers_resume(entity, entity->unwritten);
	entity->last = last ? *last : (struct gm_redis_id){0};
	entity->state = GM_REDIS_FILLING;
	gm_redis_enqueue(redis, entity);
}

void gm_redis_take_last(struct gm_redis *redis, struct gm_redis_entity *entity,
			const redisReply *reply)
{
	struct gm_redis_id last;

	if (entity->state != GM_REDIS_ASKED)
		return;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "WRONGTYPE", 9) == 0) {
		entity->state = GM_REDIS_BROKEN;
		redis->broken++;
		gm_entity_text(&entity->key, redis->broken_key);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		gm_redis_refused(redis, reply);
	} else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 0) {
		synced(redis, entity, NULL, reply);
	} else if (reply->type == REDIS_REPLY_ARRAY &&
		   gm_redis_parse_entry_id(reply->element[0], &last) == 0) {
		synced(redis, entity, &last, reply);
	} else {
		gm_redis_fail(redis, GM_REDIS_AWAY, "unexpected reply to XREVRANGE");
	}
}

/*
 * An id that is not above all others: what an earlier connection had carried there was taken after this
 * one had asked. So it is asked again; but another writer would go on and on.
 */
static bool overtaken(struct gm_redis *redis, struct gm_redis_entity *entity,
		      const redisReply *reply)
{
	if (strncmp(reply->str, "ERR The ID", 10) != 0)
		return false;
	if (entity->state == GM_REDIS_UNSYNCED || entity->state == GM_REDIS_ASKED)
		return true; /* sent before that was known */
	if (entity->overtaken)
		return false;
	entity->overtaken = true;
	entity->state = GM_REDIS_UNSYNCED;
	gm_redis_enqueue(redis, entity);
	return true;
}

void gm_redis_take_frame(struct gm_redis *redis, struct gm_redis_entity *entity,
			 enum gm_redis_purpose purpose, const redisReply *reply)
{
	struct gm_redis_sent *sent = &entity->sent[entity->answered++ % GM_REDIS_SENT_KEPT];

	if (reply->type == REDIS_REPLY_ERROR) {
		if (overtaken(redis, entity, reply))
			return;
		sent->fate = GM_REDIS_UNWRITTEN;
		gm_redis_refused(redis, reply);
	} else if (reply->type != REDIS_REPLY_STRING) {
		gm_redis_fail(redis, GM_REDIS_AWAY, "unexpected reply to XADD");
	} else {
		sent->fate = GM_REDIS_WRITTEN;
		redis->written++;
		redis->filled += purpose == GM_REDIS_FILL;
	}
}
