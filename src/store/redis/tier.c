/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coarser copies of a stream: an entry per second or minute, with what the frames of that span say
 * together. They are made of the frames as they are sent, live or filled in, so that what is right for
 * the stream is right for them, and nothing is kept here but the span that is open. Called by entity.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/redis/private.h"

struct series {
	uint32_t metric;
	uint32_t count; /* values in the open span: of a counter, rates */
	bool started, told;
	double sum, min, max;
	uint64_t counter; /* the newest value */
	uint64_t ms;      /* and its time */
};

struct gm_redis_tier {
	uint64_t begin, newest;  /* ms; of the open span, and of what was folded last. 0: none */
	struct gm_redis_id last; /* the highest that was sent */
	bool behind;             /* the clock was set back: spans come that are before it */
	size_t count, capacity;
	struct series *series;
	uint8_t place[GM_METRIC_COUNT]; /* in `series`, from 1; 0: none */
	struct gm_buffer prefix;
};

static const struct {
	const char *suffix;
	uint64_t span; /* ms */
	size_t kept;   /* offset of the option */
} tiers[GM_REDIS_TIERS] = {
	{":1s", 1000, offsetof(struct gm_redis_options, seconds_kept)},
	{":1m", 60000, offsetof(struct gm_redis_options, minutes_kept)},
};

const char *gm_redis_tier_suffix(size_t tier)
{
	return tiers[tier].suffix;
}

uint64_t gm_redis_tier_span(size_t tier)
{
	return tiers[tier].span;
}

uint64_t gm_redis_tier_entries(const struct gm_redis_options *options, size_t tier)
{
	int64_t kept = *(const int64_t *)((const char *)options + tiers[tier].kept);

	return (uint64_t)(kept / GM_MILLISECOND) / tiers[tier].span;
}

static uint64_t ms_of(int64_t time)
{
	return time > 0 ? (uint64_t)(time / GM_MILLISECOND) : 0;
}

void gm_redis_tier_free(struct gm_redis_tier *tier)
{
	if (!tier)
		return;
	gm_buffer_free(&tier->prefix);
	free(tier->series);
	free(tier);
}

static struct gm_redis_tier *create(const struct gm_redis *redis,
				    const struct gm_redis_entity *entity, size_t number)
{
	struct gm_redis_tier *tier = calloc(1, sizeof(*tier));
	char key[GM_KEY_TEXT];

	if (!tier)
		return NULL;
	tier->prefix = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);
	gm_redis_xadd_prefix(&tier->prefix, redis->node, gm_entity_text(&entity->key, key),
			     tiers[number].suffix);
	if (tier->prefix.failed) {
		gm_redis_tier_free(tier);
		return NULL;
	}
	return tier;
}

static struct series *find_or_add(struct gm_redis_tier *tier, uint32_t metric)
{
	if (tier->place[metric] > 0)
		return &tier->series[tier->place[metric] - 1];
	if (tier->count == tier->capacity) {
		size_t capacity = tier->capacity ? 2 * tier->capacity : 8;
		struct series *series = realloc(tier->series, capacity * sizeof(*series));

		if (!series)
			return NULL;
		tier->series = series;
		tier->capacity = capacity;
	}
	tier->series[tier->count] = (struct series){.metric = metric};
	tier->place[metric] = (uint8_t)(tier->count + 1);
	return &tier->series[tier->count++];
}

static void add(struct series *series, double value)
{
	series->sum += value;
	series->min = series->count && series->min < value ? series->min : value;
	series->max = series->count && series->max > value ? series->max : value;
	series->count++;
}

/* Of a counter what counts is how fast it grew from one sample to the next. */
static void add_counter(struct series *series, uint64_t ms, uint64_t value)
{
	if (series->started && value >= series->counter && ms > series->ms)
		add(series, (double)(value - series->counter) * 1e3 / (double)(ms - series->ms));
	series->started = true;
	series->counter = value;
	series->ms = ms;
}

static void fold(struct gm_redis_tier *tier, uint64_t ms, const struct gm_reading *reading)
{
	struct series *series;

	if (reading->metric >= GM_METRIC_COUNT)
		return;
	bool counter = gm_metric_kind(reading->metric) == GM_KIND_COUNTER;
	if (!counter && !isfinite(reading->value.gauge))
		return;
	series = find_or_add(tier, reading->metric);
	if (!series)
		return;
	series->told = true;
	if (counter)
		add_counter(series, ms, reading->value.counter);
	else
		add(series, reading->value.gauge);
}

static void put(struct gm_buffer *buffer, const char *name, const char *suffix, double value)
{
	char text[GM_REDIS_NUMBER_TEXT], field[96];
	int length = snprintf(field, sizeof(field), "%s%s", name, suffix);

	gm_redis_bytes(buffer, field, (size_t)length);
	gm_redis_bytes(buffer, text, gm_redis_number(value, text));
}

static void put_series(struct gm_buffer *buffer, const struct series *series)
{
	const char *name = gm_metric_get(series->metric)->name;

	if (gm_metric_kind(series->metric) == GM_KIND_COUNTER) {
		gm_redis_text(buffer, name);
		gm_redis_integer(buffer, series->counter);
	} else {
		put(buffer, name, "", series->sum / series->count);
	}
	if (series->count > 0) {
		put(buffer, name, ".min", series->min);
		put(buffer, name, ".max", series->max);
	}
}

/* Redis takes no id that is not above all others: one that is behind has its time in a field, as frames have. */
static void name_entry(struct gm_redis_tier *tier, uint64_t span, struct gm_redis_entry *entry)
{
	struct gm_redis_id id = {tier->begin, tier->newest - tier->begin};

	if (tier->behind && id.ms <= tier->last.ms) {
		id.ms = tier->last.ms;
		id.sequence = tier->last.sequence < span ? span : tier->last.sequence + 1;
		entry->own_ms = tier->newest;
	}
	entry->id = tier->last = id;
}

static void close_span(struct gm_redis *redis, struct gm_redis_entity *entity, size_t number)
{
	struct gm_redis_tier *tier = entity->tiers[number];
	size_t fields = 0;
	struct gm_redis_entry entry = {
		.trim = GM_REDIS_TRIM_COUNT,
		.threshold = gm_redis_tier_entries(&redis->options, number),
	};

	for (size_t i = 0; i < tier->count; i++)
		if (tier->series[i].told)
			fields += tier->series[i].count > 0 ? 3 : 1;
	if (fields > 0) {
		name_entry(tier, tiers[number].span, &entry);
		gm_redis_xadd_begin(&redis->command, &tier->prefix, &entry, fields);
		for (size_t i = 0; i < tier->count; i++)
			if (tier->series[i].told)
				put_series(&redis->command, &tier->series[i]);
		gm_redis_send(redis, GM_REDIS_TIER, entity);
	}
	for (size_t i = 0; i < tier->count; i++) {
		tier->series[i].told = false;
		tier->series[i].count = 0;
		tier->series[i].sum = 0;
	}
	tier->begin = 0;
}

/* All that was folded before was folded by another clock. */
static void set_back(struct gm_redis *redis, struct gm_redis_entity *entity, size_t number)
{
	struct gm_redis_tier *tier = entity->tiers[number];

	if (tier->begin != 0)
		close_span(redis, entity, number);
	tier->newest = 0;
	tier->behind = true;
}

static void take(struct gm_redis *redis, struct gm_redis_entity *entity, size_t number,
		 const struct gm_frame *frame, const struct gm_reading *readings, bool live)
{
	struct gm_redis_tier *tier = entity->tiers[number];
	uint64_t ms = ms_of(frame->measured_at);
	uint64_t begin = ms - ms % tiers[number].span;

	/* What was read long ago by a source that waits to tell it is not before its time. */
	int64_t now = frame->read_at > redis->now ? frame->read_at : redis->now;
	if (live && ms_of(now + GM_CLOCK_SET_BACK) < tier->newest)
		set_back(redis, entity, number);
	if (ms <= tier->newest)
		return; /* it is in there already, or its span may be closed */
	if (tier->begin != 0 && begin != tier->begin)
		close_span(redis, entity, number);
	tier->begin = begin;
	tier->newest = ms;
	for (size_t i = 0; i < frame->count; i++)
		fold(tier, ms, &readings[i]);
}

void gm_redis_tiers_take(struct gm_redis *redis, struct gm_redis_entity *entity,
			 const struct gm_frame *frame, const struct gm_reading *readings, bool live)
{
	for (size_t i = 0; i < GM_REDIS_TIERS; i++) {
		if (gm_redis_tier_entries(&redis->options, i) == 0 ||
		    ms_of(frame->measured_at) == 0)
			continue;
		if (!entity->tiers[i])
			entity->tiers[i] = create(redis, entity, i);
		if (entity->tiers[i])
			take(redis, entity, i, frame, readings, live);
	}
}

void gm_redis_tiers_close(struct gm_redis *redis, struct gm_redis_entity *entity)
{
	for (size_t i = 0; i < GM_REDIS_TIERS; i++)
		if (entity->tiers[i] && entity->tiers[i]->begin != 0)
			close_span(redis, entity, i);
}

void gm_redis_tiers_resume(struct gm_redis_entity *entity, int64_t since)
{
	uint64_t ms = ms_of(since);

	for (size_t i = 0; i < GM_REDIS_TIERS; i++) {
		struct gm_redis_tier *tier = entity->tiers[i];

		if (!tier || ms >= tier->begin)
			continue;
		tier->begin = tier->newest = 0;
		tier->behind = false;
		tier->count = 0;
		memset(tier->place, 0, sizeof(tier->place));
	}
}
