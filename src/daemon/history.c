/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples from rings and store together; see history.h. Called by commands_windows.c.
 *
 * What the rings have is taken first; of the store's only what is older than a series' oldest there is
 * added, so that no sample is told twice.
 */
#include "daemon/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { ROWS_MAX = 100000, ENTITIES_MAX = 1024 };

struct value {
	int64_t time;
	union gm_value value;
	struct gm_store_extremes extremes; /* NaN: a sample as it was measured */
};

struct series {
	int64_t ring; /* ms: of the oldest sample in the ring; INT64_MAX: there is none */
	size_t count, capacity;
	struct value *values;
};

struct entity {
	struct gm_entity_key key;
	int64_t until; /* ms: the store's samples from here on are in all rings; 0: it has none */
	struct series series[GM_METRIC_COUNT];
};

struct gm_history {
	char *pattern;
	int64_t since, end; /* of time asked for; monotonic: of patience */
	struct entity **entities;
	size_t count, next; /* `next`: the one that the store is asked for */
	size_t values;
	bool stored; /* something came from the store */
	struct gm_error note;
	struct gm_store *store;
	struct gm_store_read *read; /* under way, or NULL */
	void (*done)(void *user);
	void *user;
};

struct gm_history *gm_history_create(const char *pattern, int64_t since)
{
	struct gm_history *history = calloc(1, sizeof(*history));
	if (history)
		history->pattern = strdup(pattern);
	if (!history || !history->pattern) {
		free(history);
		return NULL;
	}
	history->since = since;
	return history;
}

static void free_entity(struct entity *entity)
{
	for (unsigned metric = 0; metric < GM_METRIC_COUNT; metric++)
		free(entity->series[metric].values);
	free(entity);
}

void gm_history_free(struct gm_history *history)
{
	if (!history)
		return;
	if (history->read)
		history->store->ops->cancel(history->store, history->read);
	for (size_t i = 0; i < history->count; i++)
		free_entity(history->entities[i]);
	free(history->entities);
	free(history->pattern);
	free(history);
}

/* Room for so many more. */
static bool reserve(struct series *series, size_t count)
{
	if (series->count + count <= series->capacity)
		return true;
	size_t capacity = 2 * series->capacity;
	if (capacity < series->count + count)
		capacity = series->count + count;
	struct value *values = realloc(series->values, capacity * sizeof(*values));
	if (!values)
		return false;
	series->values = values;
	series->capacity = capacity;
	return true;
}

/* ---- from the rings ---- */

static int take_ring(struct gm_history *history, const struct gm_window *window, unsigned metric,
		     struct series *series)
{
	size_t max = gm_window_count(window, metric);
	struct gm_window_sample *samples = calloc(max, sizeof(*samples));
	if (!samples || !reserve(series, max)) {
		free(samples);
		return -ENOMEM;
	}
	/* Of the oldest, whether it is asked for or not, only the time. */
	if (gm_window_read(window, metric, 0, samples, 1) > 0)
		series->ring = samples[0].time / GM_MILLISECOND;
	size_t count = gm_window_read(window, metric, history->since, samples, max);
	for (size_t i = 0; i < count; i++)
		series->values[i] = (struct value){samples[i].time, samples[i].value, {NAN, NAN}};
	series->count = count;
	history->values += count;
	free(samples);
	return 0;
}

static int take_rings(struct gm_history *history, const struct gm_tracked *tracked,
		      struct entity *entity)
{
	bool possible = false;
	entity->key = tracked->info.key;
	for (unsigned metric = 0; metric < GM_METRIC_COUNT; metric++) {
		struct series *series = &entity->series[metric];
		const struct gm_metric *kind = gm_metric_get(metric);
		series->ring = INT64_MAX;
		if (!gm_text_match(history->pattern, kind->name))
			continue;
		possible |= kind->entities >> entity->key.kind & 1;
		if (gm_window_count(tracked->window, metric) == 0)
			continue;
		int result = take_ring(history, tracked->window, metric, series);
		if (result < 0)
			return result;
		if (series->ring != INT64_MAX && series->ring > entity->until)
			entity->until = series->ring;
	}
	if (entity->until == 0 && possible)
		entity->until = gm_clock_now() / GM_MILLISECOND;
	return 0;
}

int gm_history_add(struct gm_history *history, const struct gm_tracked *tracked)
{
	struct entity *entity = calloc(1, sizeof(*entity));
	if (history->count == ENTITIES_MAX) {
		free(entity);
		gm_error_set(&history->note, 0, "more than %d entities: the others are left out",
			     ENTITIES_MAX);
		return 0;
	}
	struct entity **entities =
		entity ? realloc(history->entities, (history->count + 1) * sizeof(*entities))
		       : NULL;
	if (!entities) {
		free(entity);
		return -ENOMEM;
	}
	history->entities = entities;
	history->entities[history->count++] = entity;
	return take_rings(history, tracked, entity);
}

static bool is_whole(const struct gm_history *history, const struct entity *entity)
{
	return entity->until * GM_MILLISECOND <= history->since;
}

bool gm_history_is_whole(const struct gm_history *history)
{
	for (size_t i = 0; i < history->count; i++)
		if (!is_whole(history, history->entities[i]))
			return false;
	return true;
}

/* ---- from the store ---- */

static bool take_row(void *user, const struct gm_store_row *row)
{
	struct gm_history *history = user;
	struct entity *entity = history->entities[history->next];
	for (size_t i = 0; i < row->count; i++) {
		const struct gm_reading *reading = &row->readings[i];
		struct series *series = &entity->series[reading->metric];
		if (row->time / GM_MILLISECOND >= series->ring ||
		    !gm_text_match(history->pattern, gm_metric_get(reading->metric)->name))
			continue;
		if (history->values >= GM_HISTORY_VALUES_MAX || !reserve(series, 1)) {
			gm_error_set(&history->note, 0,
				     "more than %d values: the oldest are left out",
				     GM_HISTORY_VALUES_MAX);
			return false;
		}
		series->values[series->count++] = (struct value){
			row->time, reading->value,
			row->extremes ? row->extremes[i] : (struct gm_store_extremes){NAN, NAN}};
		history->values++;
		history->stored = true;
	}
	return true;
}

static int read_next(struct gm_history *history);

static void on_done(void *user, int result, const struct gm_error *err)
{
	struct gm_history *history = user;
	history->read = NULL;
	history->next++;
	if (err->text[0] != '\0')
		history->note = *err;
	if (result < 0 || read_next(history) != 0)
		history->done(history->user);
}

/* 1: there is none left. */
static int read_next(struct gm_history *history)
{
	int64_t left = history->end - gm_clock_monotonic();
	while (history->next < history->count &&
	       is_whole(history, history->entities[history->next]))
		history->next++;
	if (history->next == history->count)
		return 1;
	const struct entity *entity = history->entities[history->next];
	struct gm_store_range range = {
		.key = entity->key,
		.since = history->since,
		.until = entity->until * GM_MILLISECOND,
		.rows = ROWS_MAX,
		.deadline = left > 0 ? left : 0,
	};
	struct gm_store_reader reader = {take_row, on_done, history};
	return history->store->ops->read(history->store, &range, &reader, &history->read,
					 &history->note);
}

int gm_history_read(struct gm_history *history, struct gm_store *store, void (*done)(void *user),
		    void *user)
{
	history->store = store;
	history->end = gm_clock_monotonic() + GM_HISTORY_DEADLINE;
	history->done = done;
	history->user = user;
	return read_next(history);
}

/* ---- as JSON ---- */

static int by_time(const void *a, const void *b)
{
	const struct value *one = a, *other = b;
	return (one->time > other->time) - (one->time < other->time);
}

static struct gm_json *series_to_json(struct series *series, unsigned metric)
{
	struct gm_json *list = gm_json_array();
	qsort(series->values, series->count, sizeof(*series->values), by_time);
	for (size_t i = 0; i < series->count; i++) {
		const struct value *value = &series->values[i];
		struct gm_json *item = gm_json_array();
		gm_json_append(item, gm_json_number((double)value->time / 1e9));
		gm_json_append(item, gm_metric_kind(metric) == GM_KIND_COUNTER
					     ? gm_json_integer((int64_t)value->value.counter)
					     : gm_json_number(value->value.gauge));
		if (!isnan(value->extremes.min)) {
			gm_json_append(item, gm_json_number(value->extremes.min));
			gm_json_append(item, gm_json_number(value->extremes.max));
		}
		gm_json_append(list, item);
	}
	return list;
}

struct gm_json *gm_history_to_json(struct gm_history *history)
{
	struct gm_json *reply = gm_json_object(), *entities = gm_json_object();
	gm_json_set_text(reply, "source", history->stored ? history->store->ops->name : "rings");
	if (history->note.text[0] != '\0')
		gm_json_set_text(reply, "note", history->note.text);
	for (size_t i = 0; i < history->count; i++) {
		struct entity *entity = history->entities[i];
		struct gm_json *object = gm_json_object();
		char key[GM_KEY_TEXT];
		for (unsigned metric = 0; metric < GM_METRIC_COUNT; metric++)
			if (entity->series[metric].count > 0)
				gm_json_set(object, gm_metric_get(metric)->name,
					    series_to_json(&entity->series[metric], metric));
		gm_json_set(entities, gm_entity_text(&entity->key, key), object);
	}
	gm_json_set(reply, "entities", entities);
	return reply;
}
