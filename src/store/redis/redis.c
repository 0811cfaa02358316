/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis store's face: creation, the table of operations, the sentence of its state. What happens
 * behind it is in the files that private.h names.
 */
#include "store/redis/redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/redis/private.h"

static struct gm_redis *of(struct gm_store *store)
{
	return (struct gm_redis *)store;
}

static int load(struct gm_store *store, int64_t deadline, struct gm_error *err)
{
	return gm_redis_load(of(store), deadline, err);
}

static void on_timer(uv_timer_t *timer)
{
	gm_redis_tick(timer->data);
}

static void start(struct gm_store *store)
{
	struct gm_redis *redis = of(store);

	if (redis->timer_open || uv_timer_init(redis->loop, &redis->timer) != 0)
		return;
	redis->timer.data = redis;
	redis->timer_open = true;
	uv_timer_start(&redis->timer, on_timer, 0, GM_REDIS_TICK_MS);
}

static void append(struct gm_store *store, const struct gm_frame *frame,
		   const struct gm_reading *readings)
{
	gm_redis_append(of(store), frame, readings);
}

static void identify(struct gm_store *store, const struct gm_entity_info *info)
{
	gm_redis_identify(of(store), info);
}

static void forget(struct gm_store *store, const struct gm_entity_key *key)
{
	gm_redis_forget(of(store), key);
}

static int keep(struct gm_store *store, const struct gm_entity_key *key, const void *bytes,
		size_t size)
{
	return gm_redis_keep(of(store), key, bytes, size);
}

/* hiredis writes what has been collected in one piece when the loop turns next. */
static void flush(struct gm_store *store, int64_t now)
{
	struct gm_redis *redis = of(store);

	redis->now = now;
	if (redis->since == 0)
		redis->since = now;
}

static void status(const struct gm_store *store, struct gm_store_status *ret_status)
{
	const struct gm_redis *redis = (const struct gm_redis *)store;
	char text[512], since[GM_TIME_TEXT];
	int length;

	*ret_status = (struct gm_store_status){
		.connected = redis->condition == GM_REDIS_WORKING,
		.written = redis->written,
		.dropped = redis->dropped,
		.filled = redis->filled,
		.pending = redis->pending_count,
		.bytes_when_full = (uint64_t)redis->budget.full,
		.bytes_allowed = (uint64_t)redis->budget.allowed,
		.series = redis->budget.series,
	};
	if (redis->condition == GM_REDIS_UNTRIED)
		length = snprintf(text, sizeof(text), "%s: not connected yet", redis->where);
	else
		length = snprintf(text, sizeof(text), "%s since %s", redis->reason,
				  gm_time_format(redis->since, since, sizeof(since)));
	length += (int)gm_redis_budget_text(redis, text + length, sizeof(text) - (size_t)length);
	if (redis->broken > 0)
		snprintf(text + length, sizeof(text) - (size_t)length,
			 "; %u keys are no streams and left alone, %s is one", redis->broken,
			 redis->broken_key);
	gm_text_copy(ret_status->state, sizeof(ret_status->state), text);
}

static int read_back(struct gm_store *store, const struct gm_store_range *range,
		     const struct gm_store_reader *reader, struct gm_store_read **ret_read,
		     struct gm_error *err)
{
	return gm_redis_read(of(store), range, reader, ret_read, err);
}

static void cancel(struct gm_store *store, struct gm_store_read *read)
{
	gm_redis_read_cancel(of(store), read);
}

static void stop(struct gm_store *store)
{
	gm_redis_reads_end(of(store), -ECANCELED, "the daemon ends");
	gm_redis_disconnect(of(store));
}

static void destroy(struct gm_store *store)
{
	struct gm_redis *redis = of(store);

	if (!redis)
		return;
	gm_redis_entities_free(redis);
	gm_redis_reads_free(redis);
	gm_buffer_free(&redis->command);
	free(redis->pending);
	free(redis->node);
	free(redis);
}

static const struct gm_store_ops redis_ops = {
	.name = "redis",
	.load = load,
	.start = start,
	.append = append,
	.identify = identify,
	.forget = forget,
	.keep = keep,
	.read = read_back,
	.cancel = cancel,
	.flush = flush,
	.status = status,
	.stop = stop,
	.destroy = destroy,
};

static int check(const char *node, struct gm_error *err)
{
	/* Braces make the node's keys one hash slot of a cluster: the name must not hold any. */
	if (node[0] == '\0' || strpbrk(node, "{}\r\n") || !gm_text_is_utf8(node))
		return gm_error_set(err, -EINVAL,
				    "redis: the node's name is empty or holds braces or line ends");
	return 0;
}

int gm_redis_create(const struct gm_redis_options *options, const char *node,
		    struct uv_loop_s *loop, const struct gm_store_host *host,
		    struct gm_store **ret_store, struct gm_error *err)
{
	struct gm_redis_route route;
	struct gm_redis *redis;
	int rc = check(node, err);

	if (rc == 0)
		rc = gm_redis_route_init(&route, options, err);
	if (rc < 0)
		return rc;
	redis = calloc(1, sizeof(*redis));
	if (!redis)
		return gm_error_set(err, -ENOMEM, "redis: out of memory");
	redis->base.ops = &redis_ops;
	redis->options = *options;
	redis->host = *host;
	redis->loop = loop;
	redis->retry_ms = GM_REDIS_RETRY_MIN_MS;
	redis->command = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);
	redis->node = strdup(node);
	redis->route = route;
	gm_redis_address_text(gm_redis_route_now(&route), redis->where, sizeof(redis->where));
	redis->pending = calloc(GM_REDIS_PENDING_MAX, sizeof(*redis->pending));
	if (!redis->node || !redis->pending) {
		destroy(&redis->base);
		return gm_error_set(err, -ENOMEM, "redis: out of memory");
	}
	*ret_store = &redis->base;
	return 0;
}
