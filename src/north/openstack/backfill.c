/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of measures and the names that its records stand for; see backfill.h. Called by gnocchi.c.
 */
#include "north/openstack/backfill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"

struct holder {
	struct gm_resource resource;
	uint32_t number;
	UT_hash_handle hh;
};

struct series_key {
	const struct holder *holder;
	char metric[64];
};

struct series {
	struct series_key key;
	struct holder *holder;
	char unit[16];
	uint32_t number;
	UT_hash_handle hh;
};

struct record {
	int64_t time;
	double value;
	uint32_t series, holder;
};
_Static_assert(sizeof(struct record) == GM_BACKFILL_RECORD, "what the ring's size is counted in");

struct gm_backfill {
	struct record *ring;
	size_t capacity, start, count;
	uint64_t dropped;
	size_t taken,
		gone; /* of the last batch: how many, and how many of them were dropped since */
	struct holder *holders;
	struct series *series;
	struct series **numbered; /* by number */
	uint32_t series_count, holder_count;
};

int gm_backfill_create(size_t bytes, struct gm_backfill **ret_backfill)
{
	struct gm_backfill *backfill = calloc(1, sizeof(*backfill));

	if (!backfill)
		return -ENOMEM;
	backfill->capacity = bytes / sizeof(struct record) + 1;
	/* Pages of a ring that is never filled are never touched. */
	backfill->ring = malloc(backfill->capacity * sizeof(struct record));
	backfill->numbered = calloc(GM_BACKFILL_SERIES, sizeof(struct series *));
	if (!backfill->ring || !backfill->numbered) {
		gm_backfill_free(backfill);
		return -ENOMEM;
	}
	*ret_backfill = backfill;
	return 0;
}

/*
 * Names go with the last measure only: when the ring is empty, all of them. So guests that come and go
 * leave nothing behind.
 */
static void forget_names(struct gm_backfill *backfill)
{
	struct holder *holder, *next_holder;
	struct series *series, *next;

	HASH_ITER (hh, backfill->series, series, next) {
		HASH_DEL(backfill->series, series);
		free(series);
	}
	HASH_ITER (hh, backfill->holders, holder, next_holder) {
		HASH_DEL(backfill->holders, holder);
		free(holder);
	}
	backfill->series_count = backfill->holder_count = 0;
}

void gm_backfill_free(struct gm_backfill *backfill)
{
	if (!backfill)
		return;
	forget_names(backfill);
	free(backfill->ring);
	free(backfill->numbered);
	free(backfill);
}

static struct holder *hold(struct gm_backfill *backfill, const struct gm_resource *resource)
{
	struct holder *holder;

	HASH_FIND_STR(backfill->holders, resource->id, holder);
	if (!holder) {
		holder = calloc(1, sizeof(*holder));
		if (!holder)
			return NULL;
		holder->resource = *resource;
		holder->number = backfill->holder_count++;
		HASH_ADD_STR(backfill->holders, resource.id, holder);
	} else {
		bool refused = holder->resource.refused;

		holder->resource = *resource;
		holder->resource.refused = refused;
	}
	return holder;
}

static int find_series(struct gm_backfill *backfill, struct holder *holder, const char *metric,
		       const char *unit, struct series **ret_series)
{
	struct series_key key;
	struct series *series;

	memset(&key, 0, sizeof(key));
	key.holder = holder;
	gm_text_copy(key.metric, sizeof(key.metric), metric);
	HASH_FIND(hh, backfill->series, &key, sizeof(key), *ret_series);
	if (*ret_series)
		return 0;
	if (backfill->series_count == GM_BACKFILL_SERIES)
		return -ENOSPC;
	series = calloc(1, sizeof(*series));
	if (!series)
		return -ENOMEM;
	series->key = key;
	series->holder = holder;
	series->number = backfill->series_count++;
	gm_text_copy(series->unit, sizeof(series->unit), unit);
	backfill->numbered[series->number] = series;
	HASH_ADD(hh, backfill->series, key, sizeof(series->key), series);
	*ret_series = series;
	return 0;
}

int gm_backfill_add(struct gm_backfill *backfill, const struct gm_resource *resource,
		    const char *metric, const char *unit, int64_t time, double value)
{
	struct holder *holder = hold(backfill, resource);
	struct series *series;
	int rc = holder ? find_series(backfill, holder, metric, unit, &series) : -ENOMEM;

	if (rc < 0)
		return rc;
	if (backfill->count == backfill->capacity) {
		backfill->start = (backfill->start + 1) % backfill->capacity;
		backfill->count--;
		backfill->dropped++;
		if (backfill->gone < backfill->taken)
			backfill->gone++;
	}
	backfill->ring[(backfill->start + backfill->count++) % backfill->capacity] =
		(struct record){time, value, series->number, holder->number};
	return 0;
}

size_t gm_backfill_length(const struct gm_backfill *backfill)
{
	return backfill->count;
}

uint64_t gm_backfill_dropped(const struct gm_backfill *backfill)
{
	return backfill->dropped;
}

struct gm_resource *gm_backfill_resource(struct gm_backfill *backfill, const char *id)
{
	struct holder *holder;

	HASH_FIND_STR(backfill->holders, id, holder);
	return holder ? &holder->resource : NULL;
}

/* ---- a batch ---- */

static int compare_records(const void *a, const void *b)
{
	const struct record *one = a, *other = b;

	if (one->holder != other->holder)
		return one->holder < other->holder ? -1 : 1;
	if (one->series != other->series)
		return one->series < other->series ? -1 : 1;
	return (one->time > other->time) - (one->time < other->time);
}

static struct gm_json *measure(const struct record *record)
{
	struct gm_json *object = gm_json_object();

	gm_json_set_number(object, "timestamp", (double)(record->time / 1000) / 1e6);
	gm_json_set_number(object, "value", record->value);
	return object;
}

/* The measures of one series, which `records` begins with; returns how many. */
static size_t add_series(const struct series *series, const struct record *records, size_t count,
			 const char *policy, struct gm_json *resource)
{
	struct gm_json *metric = gm_json_object(), *list = gm_json_array();
	size_t n = 0;

	for (; n < count && records[n].series == series->number; n++)
		gm_json_append(list, measure(&records[n]));
	gm_json_set_text(metric, "archive_policy_name", policy);
	gm_json_set_text(metric, "unit", series->unit);
	gm_json_set(metric, "measures", list);
	gm_json_set(resource, series->key.metric, metric);
	return n;
}

/* Likewise of one resource. */
static size_t add_resource(const struct gm_backfill *backfill, const struct record *records,
			   size_t count, const char *policy, struct gm_json *body)
{
	const struct holder *holder = backfill->numbered[records[0].series]->holder;
	struct gm_json *resource = gm_json_object();
	size_t n = 0;

	while (n < count && records[n].holder == holder->number)
		n += add_series(backfill->numbered[records[n].series], &records[n], count - n,
				policy, resource);
	gm_json_set(body, holder->resource.id, resource);
	return n;
}

struct gm_json *gm_backfill_batch(struct gm_backfill *backfill, size_t max, const char *policy,
				  size_t *ret_taken)
{
	size_t count = backfill->count < max ? backfill->count : max, kept = 0;
	struct record *records = malloc((count + 1) * sizeof(*records));
	struct gm_json *body = NULL;

	if (!records)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct record *record =
			&backfill->ring[(backfill->start + i) % backfill->capacity];

		if (!backfill->numbered[record->series]->holder->resource.refused)
			records[kept++] = *record;
	}
	qsort(records, kept, sizeof(*records), compare_records);
	if (kept > 0)
		body = gm_json_object();
	for (size_t i = 0; i < kept;)
		i += add_resource(backfill, &records[i], kept - i, policy, body);
	free(records);
	*ret_taken = backfill->taken = count;
	backfill->gone = 0;
	return body;
}

void gm_backfill_remove(struct gm_backfill *backfill, size_t taken)
{
	size_t count = taken > backfill->gone ? taken - backfill->gone : 0;

	if (count > backfill->count)
		count = backfill->count;
	backfill->start = (backfill->start + count) % backfill->capacity;
	backfill->count -= count;
	backfill->taken = backfill->gone = 0;
	if (backfill->count == 0)
		forget_names(backfill);
}
