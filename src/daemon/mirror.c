/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the intake and the store; see mirror.h. Called by pipeline.c.
 */
#include "daemon/mirror.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/memory/memory.h"
#include "store/redis/redis.h"

/* For a busy node; a store that is silent gives up much sooner. */
#define LOAD_DEADLINE (10 * GM_SECOND)

struct refill {
	struct gm_store *store;
	struct gm_frame frame;
};

static void refill_one(void *user, int64_t time, const struct gm_reading *readings, size_t count)
{
	struct refill *refill = user;
	refill->frame.measured_at = refill->frame.read_at = time;
	refill->frame.count = (uint16_t)count;
	refill->store->ops->append(refill->store, &refill->frame, readings);
}

static void on_backfill(void *user, const struct gm_entity_key *key, int64_t since)
{
	struct gm_mirror *mirror = user;
	const struct gm_tracked *tracked =
		gm_entities_find(gm_intake_entities(mirror->intake), key);
	struct refill refill = {.store = mirror->store, .frame = {.key = *key}};
	if (tracked)
		gm_window_frames(tracked->window, since, refill_one, &refill);
}

static void on_restore(void *user, const struct gm_frame *frame, const struct gm_reading *readings)
{
	struct gm_mirror *mirror = user;
	gm_intake_restore(mirror->intake, frame, readings);
}

static void on_recall(void *user, const struct gm_entity_key *key, const void *bytes, size_t size)
{
	struct gm_mirror *mirror = user;
	struct gm_tracked *tracked = gm_intake_recall(mirror->intake, key);
	if (tracked)
		gm_recall_take(&mirror->recall, tracked, bytes, size);
}

static void on_changed(void *user, bool connected, const char *reason)
{
	struct gm_mirror *mirror = user;
	gm_log(connected ? GM_LOG_INFO : GM_LOG_WARNING, "store %s: %s",
	       mirror->store ? mirror->store->ops->name : "redis", reason);
}

int gm_mirror_create(struct gm_mirror *mirror, const struct gm_config *config,
		     struct uv_loop_s *loop, struct gm_error *err)
{
	struct gm_store_host host = {
		.backfill = on_backfill,
		.restore = on_restore,
		.recall = on_recall,
		.changed = on_changed,
		.user = mirror,
		.window = gm_config_window(config).length,
	};
	*mirror = (struct gm_mirror){0};
	gm_recall_init(&mirror->recall);
	if (config->redis.enabled)
		return gm_redis_create(&config->redis, config->node.name, loop, &host,
				       &mirror->store, err);
	int result = gm_memory_store_create(&mirror->store);
	return result < 0 ? gm_error_set(err, result, "out of memory") : 0;
}

void gm_mirror_load(struct gm_mirror *mirror, size_t alarms)
{
	struct gm_error err;
	int64_t begin = gm_clock_monotonic();
	if (mirror->store->ops->load(mirror->store, LOAD_DEADLINE, &err) < 0)
		gm_log(GM_LOG_WARNING, "windows are not restored: %s", err.text);
	else
		gm_log(GM_LOG_INFO,
		       "restored %zu active alarms and the windows of %zu entities in %.3f s",
		       alarms, gm_entities_count(gm_intake_entities(mirror->intake)),
		       (double)(gm_clock_monotonic() - begin) / 1e9);
}

void gm_mirror_tick(struct gm_mirror *mirror, int64_t now)
{
	gm_recall_tick(&mirror->recall, gm_intake_entities(mirror->intake), mirror->store, now);
	mirror->store->ops->flush(mirror->store, now);
}

void gm_mirror_stop(struct gm_mirror *mirror, int64_t now)
{
	gm_recall_finish(&mirror->recall, gm_intake_entities(mirror->intake), mirror->store, now);
	mirror->store->ops->stop(mirror->store);
}

void gm_mirror_destroy(struct gm_mirror *mirror)
{
	gm_recall_free(&mirror->recall);
	if (mirror->store)
		mirror->store->ops->destroy(mirror->store);
}
