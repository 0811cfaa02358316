/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory the windows take on the server and will take when they are full: once a minute one
 * stream is weighed, the next each time; what was not weighed yet is estimated from the others, before
 * that from what such entries usually take. Called by connection.c and entity.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "store/redis/private.h"

/* Bytes of a value in a stream of frames (tests/bench/store), until there is a better figure. */
#define USUAL 13.0

enum { FIRST_TICKS = 5000 / GM_REDIS_TICK_MS, NEXT_TICKS = 60000 / GM_REDIS_TICK_MS };

static void ask(struct gm_redis *redis, enum gm_redis_purpose purpose, const char *const words[],
		size_t count, struct gm_redis_entity *entity)
{
	char key[GM_KEY_TEXT];

	gm_redis_array(&redis->command, count + 1);
	for (size_t i = 0; i < count; i++)
		gm_redis_text(&redis->command, words[i]);
	gm_redis_key(&redis->command, redis->node, gm_entity_text(&entity->key, key), NULL);
	gm_redis_send(redis, purpose, entity);
}

/* The next one in turn that is being written. */
static struct gm_redis_entity *choose(struct gm_redis *redis)
{
	struct gm_redis_entity *entity, *next, *first = NULL;
	unsigned number = 0;

	HASH_ITER (hh, redis->entities, entity, next) {
		if (entity->state != GM_REDIS_LIVE || entity->gone)
			continue;
		first = first ? first : entity;
		if (number++ == redis->budget.turn) {
			redis->budget.turn++;
			return entity;
		}
	}
	redis->budget.turn = 1;
	return first;
}

void gm_redis_budget_tick(struct gm_redis *redis)
{
	static const char *const length[] = {"XLEN"}, *const usage[] = {"MEMORY", "USAGE"};
	struct gm_redis_budget *budget = &redis->budget;
	struct gm_redis_entity *entity;

	if (++budget->ticks < budget->due)
		return;
	budget->ticks = 0;
	budget->due = NEXT_TICKS;
	entity = choose(redis);
	if (!entity) {
		budget->due = FIRST_TICKS;
		return;
	}
	ask(redis, GM_REDIS_LENGTH, length, 1, entity);
	ask(redis, GM_REDIS_USAGE, usage, 2, entity);
}

void gm_redis_budget_begin(struct gm_redis *redis)
{
	redis->budget.ticks = 0;
	redis->budget.due = FIRST_TICKS;
}

void gm_redis_budget_count(struct gm_redis_entity *entity, const struct gm_reading *readings,
			   size_t count)
{
	_Static_assert(GM_METRIC_COUNT <= 128, "a bit for each metric");

	entity->frames++;
	entity->values += count;
	for (size_t i = 0; i < count; i++)
		if (readings[i].metric < GM_METRIC_COUNT)
			entity->metrics[readings[i].metric / 64] |= 1ull << readings[i].metric % 64;
}

static unsigned series_of(const struct gm_redis_entity *entity)
{
	return (unsigned)(__builtin_popcountll(entity->metrics[0]) +
			  __builtin_popcountll(entity->metrics[1]));
}

static double when_full(const struct gm_redis *redis, const struct gm_redis_entity *entity,
			double value_bytes)
{
	double entry = entity->entry_bytes, series = series_of(entity), tiers = 0;

	if (entry <= 0 && entity->frames > 0)
		entry = value_bytes * (double)entity->values / (double)entity->frames;
	for (size_t i = 0; i < GM_REDIS_TIERS; i++)
		tiers += (double)gm_redis_tier_entries(&redis->options, i);
	return entry * (double)redis->options.samples + 3 * value_bytes * series * tiers +
	       (double)entity->learned;
}

static void project(struct gm_redis *redis)
{
	struct gm_redis_budget *budget = &redis->budget;
	struct gm_redis_entity *entity, *next;
	double value_bytes = budget->value_bytes > 0 ? budget->value_bytes : USUAL;

	budget->full = 0;
	budget->series = budget->streams = 0;
	HASH_ITER (hh, redis->entities, entity, next) {
		if (entity->gone || entity->state == GM_REDIS_BROKEN)
			continue;
		budget->full += when_full(redis, entity, value_bytes);
		budget->series += series_of(entity);
		budget->streams++;
	}
}

static void tell(struct gm_redis *redis)
{
	struct gm_redis_budget *budget = &redis->budget;
	bool too_much = budget->allowed > 0 && budget->full > budget->allowed;
	char allowed[64] = "";

	if (budget->told && (!too_much || budget->warned))
		return;
	if (budget->allowed > 0)
		snprintf(allowed, sizeof(allowed), ", of %.1f MB that maxmemory allows",
			 budget->allowed / 1e6);
	gm_log(too_much ? GM_LOG_WARNING : GM_LOG_INFO,
	       "redis at %s: %u series in %u streams will take about %.1f MB when full%s",
	       redis->where, budget->series, budget->streams, budget->full / 1e6, allowed);
	budget->told = true;
	budget->warned = too_much;
}

void gm_redis_budget_take(struct gm_redis *redis, enum gm_redis_purpose purpose,
			  struct gm_redis_entity *entity, const redisReply *reply)
{
	struct gm_redis_budget *budget = &redis->budget;

	if (purpose == GM_REDIS_LENGTH) {
		budget->length = reply->type == REDIS_REPLY_INTEGER && reply->integer > 0
					 ? (double)reply->integer
					 : 0;
		return;
	}
	/* It may be forbidden, or the stream gone: then estimates have to do. */
	if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0 && budget->length > 0) {
		double per_entry = (double)reply->integer / budget->length;

		/* A short stream is mostly what is reserved for its next entries. */
		if (budget->length >= 50) {
			entity->entry_bytes = per_entry;
			if (entity->values > 0)
				budget->value_bytes =
					per_entry * (double)entity->frames / (double)entity->values;
		}
	}
	project(redis);
	tell(redis);
}

size_t gm_redis_budget_text(const struct gm_redis *redis, char *text, size_t size)
{
	const struct gm_redis_budget *budget = &redis->budget;
	int length;

	text[0] = '\0';
	if (budget->series == 0)
		return 0;
	length = snprintf(text, size, "; %.1f MB when full, %.1f kB a series", budget->full / 1e6,
			  budget->full / budget->series / 1e3);
	return length > 0 && (size_t)length < size ? (size_t)length : 0;
}
