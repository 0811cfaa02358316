/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of collectd's virt and write_redis plugins, for those who have readers for them: a sorted set
 * per series, the time as its score, "<time>:<value>[:<value>]" as its member, counters as rates
 * (collectd.conf(5), write_redis, StoreRates; virt with HostnameFormat name). One value a second and a
 * bounded number of them: it is many times dearer than the streams. What is not written while the server
 * is away is not filled in. Called by entity.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/redis/private.h"

/* `type` ends with '-' where the device's name follows. */
static const struct {
	enum gm_entity_kind kind;
	const char *type;
	unsigned metrics[2];
} types[] = {
	{GM_ENTITY_GUEST, "virt_cpu_total", {GM_METRIC_CPU_TIME, GM_METRIC_NONE}},
	{GM_ENTITY_GUEST, "memory-actual_balloon", {GM_METRIC_MEMORY_BALLOON, GM_METRIC_NONE}},
	{GM_ENTITY_GUEST, "memory-unused", {GM_METRIC_MEMORY_UNUSED, GM_METRIC_NONE}},
	{GM_ENTITY_GUEST, "memory-available", {GM_METRIC_MEMORY_TOTAL, GM_METRIC_NONE}},
	{GM_ENTITY_GUEST, "memory-usable", {GM_METRIC_MEMORY_AVAILABLE, GM_METRIC_NONE}},
	{GM_ENTITY_GUEST, "memory-rss", {GM_METRIC_MEMORY_RESIDENT, GM_METRIC_NONE}},
	{GM_ENTITY_INTERFACE, "if_octets-", {GM_METRIC_NET_RX_BYTES, GM_METRIC_NET_TX_BYTES}},
	{GM_ENTITY_INTERFACE, "if_packets-", {GM_METRIC_NET_RX_PACKETS, GM_METRIC_NET_TX_PACKETS}},
	{GM_ENTITY_INTERFACE, "if_errors-", {GM_METRIC_NET_RX_ERRORS, GM_METRIC_NET_TX_ERRORS}},
	{GM_ENTITY_INTERFACE, "if_dropped-", {GM_METRIC_NET_RX_DROPPED, GM_METRIC_NET_TX_DROPPED}},
	{GM_ENTITY_DISK, "disk_octets-", {GM_METRIC_DISK_READ_BYTES, GM_METRIC_DISK_WRITE_BYTES}},
	{GM_ENTITY_DISK,
	 "disk_ops-",
	 {GM_METRIC_DISK_READ_REQUESTS, GM_METRIC_DISK_WRITE_REQUESTS}},
};

enum { TYPES = sizeof(types) / sizeof(types[0]), SET_BACK_MS = 60000 };

struct gm_redis_compat {
	uint8_t owner[GM_UUID_SIZE]; /* of an interface or disk; zeros: the host's own */
	char host[GM_NAME_SIZE];     /* the guest's name, as it stands in keys */
	struct {
		uint64_t ms; /* of the last value; 0: none */
		uint64_t counters[2];
		bool listed; /* in the set of all keys */
		bool stale;  /* the clock was set back: newer ones are there */
	} last[TYPES];
};

void gm_redis_compat_identify(struct gm_redis *redis, struct gm_redis_entity *entity,
			      const struct gm_entity_info *info)
{
	const uint8_t *owner = gm_entity_owner(info);

	if (redis->options.collectd_samples == 0)
		return;
	if (!entity->compat)
		entity->compat = calloc(1, sizeof(*entity->compat));
	if (!entity->compat)
		return;
	memset(entity->compat->owner, 0, GM_UUID_SIZE);
	if (owner)
		memcpy(entity->compat->owner, owner, GM_UUID_SIZE);
	if (info->key.kind == GM_ENTITY_GUEST)
		snprintf(entity->compat->host, sizeof(entity->compat->host), "%s",
			 info->guest.name);
	for (char *at = entity->compat->host; (at = strchr(at, '/')) != NULL;)
		*at = '_';
}

static const char *host_of(const struct gm_redis *redis, const struct gm_redis_entity *entity)
{
	const struct gm_entity_key key = gm_entity_guest(entity->compat->owner);
	const struct gm_redis_entity *guest;

	HASH_FIND(hh, redis->entities, &key, sizeof(key), guest);
	return guest && guest->compat && guest->compat->host[0] ? guest->compat->host : NULL;
}

static const struct gm_reading *find(const struct gm_reading *readings, size_t count,
				     unsigned metric)
{
	for (size_t i = 0; i < count; i++)
		if (readings[i].metric == metric)
			return &readings[i];
	return NULL;
}

/* Appends ":<value>"; false when there is none (yet). */
static bool append_value(struct gm_redis_compat *compat, size_t type, size_t which, uint64_t ms,
			 const struct gm_reading *reading, char *text, size_t size)
{
	double value;

	if (gm_metric_kind(reading->metric) == GM_KIND_COUNTER) {
		uint64_t before = compat->last[type].counters[which], begin = compat->last[type].ms;

		compat->last[type].counters[which] = reading->value.counter;
		if (begin == 0 || reading->value.counter < before)
			return false;
		value = (double)(reading->value.counter - before) * 1e3 / (double)(ms - begin);
	} else {
		value = reading->value.gauge;
	}
	size_t length = strlen(text);
	snprintf(text + length, size - length, ":%.15g", value);
	return isfinite(value);
}

/*
 * Whether the clock was set back: then what was written before would stay the newest, and push out all
 * that comes. A source that tells values of some seconds ago is no such thing.
 */
static bool set_back(uint64_t last, uint64_t ms)
{
	return ms + SET_BACK_MS < last;
}

static void drop_newer(struct gm_redis *redis, struct gm_redis_entity *entity, const char *key,
		       const char *score)
{
	struct gm_buffer *command = &redis->command;
	char least[32];

	snprintf(least, sizeof(least), "(%s", score);
	gm_redis_array(command, 4);
	gm_redis_text(command, "ZREMRANGEBYSCORE");
	gm_redis_text(command, key);
	gm_redis_text(command, least);
	gm_redis_text(command, "+inf");
	gm_redis_send(redis, GM_REDIS_COMPAT, entity);
}

static void send_value(struct gm_redis *redis, struct gm_redis_entity *entity, size_t type,
		       const char *host, const char *member)
{
	struct gm_buffer *command = &redis->command;
	const char *prefix = redis->options.collectd_prefix;
	char name[GM_NAME_SIZE + 128], key[sizeof(name) + 64], rank[24], score[24];
	bool device = types[type].type[strlen(types[type].type) - 1] == '-';

	snprintf(name, sizeof(name), "%s/virt/%s%s", host, types[type].type,
		 device ? entity->key.name : "");
	snprintf(key, sizeof(key), "%s%s", prefix, name);
	snprintf(score, sizeof(score), "%.*s", (int)strcspn(member, ":"), member);
	if (entity->compat->last[type].stale)
		drop_newer(redis, entity, key, score);
	entity->compat->last[type].stale = false;
	gm_redis_array(command, 4);
	gm_redis_text(command, "ZADD");
	gm_redis_text(command, key);
	gm_redis_text(command, score);
	gm_redis_text(command, member);
	gm_redis_send(redis, GM_REDIS_COMPAT, entity);
	snprintf(rank, sizeof(rank), "-%lld", (long long)redis->options.collectd_samples + 1);
	gm_redis_array(command, 4);
	gm_redis_text(command, "ZREMRANGEBYRANK");
	gm_redis_text(command, key);
	gm_redis_text(command, "0");
	gm_redis_text(command, rank);
	gm_redis_send(redis, GM_REDIS_COMPAT, entity);
	if (entity->compat->last[type].listed)
		return;
	snprintf(key, sizeof(key), "%svalues", prefix);
	gm_redis_array(command, 3);
	gm_redis_text(command, "SADD");
	gm_redis_text(command, key);
	gm_redis_text(command, name);
	entity->compat->last[type].listed = gm_redis_send(redis, GM_REDIS_COMPAT, entity);
}

static void take_type(struct gm_redis *redis, struct gm_redis_entity *entity, size_t type,
		      uint64_t ms, const struct gm_reading *readings, size_t count)
{
	struct gm_redis_compat *compat = entity->compat;
	const struct gm_reading *values[2] = {find(readings, count, types[type].metrics[0]), NULL};
	bool two = types[type].metrics[1] != GM_METRIC_NONE, complete = true;
	const char *host = host_of(redis, entity);
	char member[96];

	if (two)
		values[1] = find(readings, count, types[type].metrics[1]);
	if (set_back(compat->last[type].ms, ms)) {
		compat->last[type].ms = 0;
		compat->last[type].stale = true;
	}
	if (!host || !values[0] || (two && !values[1]) ||
	    (compat->last[type].ms != 0 && ms < compat->last[type].ms + 950))
		return; /* frames are a little early or late */
	snprintf(member, sizeof(member), "%llu.%03u", (unsigned long long)(ms / 1000),
		 (unsigned)(ms % 1000));
	for (size_t i = 0; i < 2 && values[i]; i++)
		complete &= append_value(compat, type, i, ms, values[i], member, sizeof(member));
	compat->last[type].ms = ms;
	if (complete)
		send_value(redis, entity, type, host, member);
}

void gm_redis_compat_refused(struct gm_redis *redis, const redisReply *reply)
{
	char text[160];

	if (redis->compat_refused)
		return;
	redis->compat_refused = true;
	gm_redis_error_text(reply, text, sizeof(text));
	gm_log(GM_LOG_WARNING, "redis at %s: collectd's keys are not written: %s", redis->where,
	       text);
}

void gm_redis_compat_take(struct gm_redis *redis, struct gm_redis_entity *entity, uint64_t ms,
			  const struct gm_reading *readings, size_t count)
{
	if (!entity->compat || redis->compat_refused)
		return;
	for (size_t i = 0; i < TYPES; i++)
		if (types[i].kind == (enum gm_entity_kind)entity->key.kind)
			take_type(redis, entity, i, ms, readings, count);
}
