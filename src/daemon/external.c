/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the findings' stream to the alarms; see external.h. Called by pipeline.c.
 *
 * An entry is acknowledged after its alarm has been journalled, so a daemon that dies in between is
 * told it again. The journal itself knows better: each alarm of an analyser carries the id of the entry
 * that it came from, and entries are taken in the order of their ids.
 */
#include "daemon/external.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

struct gm_external_feed {
	const struct gm_entities *entities;
	struct gm_finding_sink sink;
	struct gm_external *external;       /* NULL: switched off */
	struct gm_redis_findings *findings; /* NULL before the start */
	char state[192];
	struct gm_log_limit limit;
};

static bool knows(void *user, const struct gm_entity_key *key)
{
	struct gm_external_feed *feed = user;
	return gm_entities_find(feed->entities, key) != NULL;
}

static void emit(void *user, const struct gm_finding *finding)
{
	struct gm_external_feed *feed = user;
	feed->sink.emit(feed->sink.user, finding);
}

static int on_entry(void *user, const struct gm_entry *entry, struct gm_error *err)
{
	struct gm_external_feed *feed = user;
	uint64_t suppressed;
	int result = gm_external_take(feed->external, entry, gm_clock_now(), err);
	if (result < 0 &&
	    gm_log_allowed(&feed->limit, gm_clock_monotonic(), 60 * GM_SECOND, &suppressed))
		gm_log(GM_LOG_WARNING,
		       "external: finding %llu-%llu is rejected: %s (%llu more since the last "
		       "line)",
		       (unsigned long long)entry->ms, (unsigned long long)entry->sequence,
		       err->text, (unsigned long long)suppressed);
	return result;
}

/* That the server is away the store tells; here it is only noted. */
static void on_changed(void *user, enum gm_findings_condition condition, const char *reason)
{
	struct gm_external_feed *feed = user;
	gm_text_copy(feed->state, sizeof(feed->state), reason);
	gm_log(condition == GM_FINDINGS_REFUSED ? GM_LOG_WARNING : GM_LOG_INFO, "external: %s",
	       reason);
}

struct position {
	uint64_t ms, sequence;
};

/* Moves the position on to the entry that the alarm came from. */
static void advance(struct position *position, const struct gm_alarm *alarm)
{
	uint64_t ms, sequence;
	if (gm_external_origin(alarm, &ms, &sequence) &&
	    (ms > position->ms || (ms == position->ms && sequence > position->sequence)))
		*position = (struct position){ms, sequence};
}

static int adopt(struct gm_external_feed *feed, const struct gm_alarms *alarms,
		 struct position *position)
{
	int64_t now = gm_clock_now();
	size_t count = gm_alarms_active(alarms, NULL, 0);
	struct gm_alarm *list = calloc(count ? count : 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	count = gm_alarms_active(alarms, list, count);
	for (size_t i = 0; i < count; i++) {
		gm_external_adopt(feed->external, &list[i], now);
		advance(position, &list[i]);
	}
	free(list);
	return 0;
}

static int start(struct gm_external_feed *feed, const struct gm_store *store,
		 const struct gm_config *config, const struct gm_alarms *alarms,
		 const struct gm_outlet *outlet)
{
	struct gm_external_host external = {knows, emit, feed};
	struct gm_findings_host stream = {on_entry, on_changed, feed};
	struct position position = {0, 0};
	const struct gm_transition *first, *second;
	size_t first_count;
	int result = gm_external_create(&config->external, &external, &feed->external);
	if (result == 0)
		result = adopt(feed, alarms, &position);
	if (result < 0)
		return result;
	size_t count = gm_outlet_log(outlet, &first, &first_count, &second);
	for (size_t i = 0; i < count; i++)
		advance(&position,
			i < first_count ? &first[i].alarm : &second[i - first_count].alarm);
	result = gm_redis_findings_create(store, &stream, position.ms, position.sequence,
					  &feed->findings);
	if (result == 0)
		gm_redis_findings_start(feed->findings);
	return result;
}

struct gm_external_feed *gm_external_feed_start(const struct gm_store *store,
						const struct gm_config *config,
						const struct gm_entities *entities,
						const struct gm_alarms *alarms,
						const struct gm_outlet *outlet,
						const struct gm_finding_sink *sink)
{
	if (!config->redis.enabled || !config->external.enabled)
		return NULL;
	struct gm_external_feed *feed = calloc(1, sizeof(*feed));
	if (feed) {
		feed->entities = entities;
		feed->sink = *sink;
		gm_text_copy(feed->state, sizeof(feed->state), "not connected yet");
	}
	if (!feed || start(feed, store, config, alarms, outlet) < 0) {
		gm_log(GM_LOG_ERROR, "out of memory: findings of other programs are not read");
		gm_external_feed_free(feed);
		return NULL;
	}
	return feed;
}

void gm_external_feed_tick(struct gm_external_feed *feed, int64_t now)
{
	if (feed)
		gm_external_expire(feed->external, now);
}

bool gm_external_feed_owns(const struct gm_external_feed *feed, const struct gm_alarm *alarm)
{
	return feed && gm_external_owns(feed->external, alarm);
}

void gm_external_feed_status(const struct gm_external_feed *feed,
			     struct gm_external_feed_status *ret_status)
{
	*ret_status = (struct gm_external_feed_status){.enabled = feed != NULL};
	if (!feed)
		return;
	gm_text_copy(ret_status->state, sizeof(ret_status->state), feed->state);
	gm_external_status(feed->external, &ret_status->findings);
	gm_redis_findings_status(feed->findings, &ret_status->stream);
}

void gm_external_feed_stop(struct gm_external_feed *feed)
{
	if (feed)
		gm_redis_findings_stop(feed->findings);
}

void gm_external_feed_free(struct gm_external_feed *feed)
{
	if (!feed)
		return;
	gm_redis_findings_destroy(feed->findings);
	gm_external_free(feed->external);
	free(feed);
}
