/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads stored frames for whoever asks, over the connection on which they are written: newest first, a page
 * at a time and one page on its way at once, whoever it is for, so that neither what is being written nor
 * the loop waits for long. What the stream of frames does not reach is looked for in the coarser ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/clock.h"
#include "store/redis/private.h"

enum {
	PAGE_FIRST =
		16, /* entries: until it is known what one costs. These fit with any catalogue */
	PAGE_MAX = 512,
	PAGE_COST = GM_REDIS_REPLY_MAX / 4, /* so much is aimed at: later entries may be larger */
	OBJECT_COST = 64,                   /* as in reader.c */
};

struct gm_store_read {
	struct gm_store_range range;
	struct gm_store_reader reader;
	uint64_t end;              /* uv_hrtime() */
	size_t stage;              /* 0: the frames; then the tiers */
	struct gm_redis_id before; /* the newest that may come next */
	uint64_t oldest;           /* ms: of what was handed over; before that, range.until */
	size_t page;               /* entries asked for */
	size_t rows, malformed;
	struct gm_batch *batch;
	struct gm_store_read *prev, *next;
};

static void drop(struct gm_redis *redis, struct gm_store_read *read)
{
	if (redis->paged == read)
		redis->paged = NULL;
	DL_DELETE(redis->reads, read);
	gm_batch_free(read->batch);
	free(read);
}

static void finish(struct gm_redis *redis, struct gm_store_read *read, int result,
		   const struct gm_error *err)
{
	struct gm_store_reader reader = read->reader;

	drop(redis, read);
	reader.done(reader.user, result, err);
}

static uint64_t since_ms(const struct gm_store_read *read)
{
	return read->range.since > 0 ? (uint64_t)(read->range.since / GM_MILLISECOND) : 0;
}

/* ---- asking ---- */

static void put_id(struct gm_buffer *command, struct gm_redis_id id)
{
	char text[64], *end = text + sizeof(text), *at = gm_redis_digits(id.sequence, end);

	*--at = '-';
	at = gm_redis_digits(id.ms, at);
	gm_redis_bytes(command, at, (size_t)(end - at));
}

static bool ask(struct gm_redis *redis, struct gm_store_read *read)
{
	struct gm_buffer *command = &redis->command;
	char key[GM_KEY_TEXT];

	gm_entity_text(&read->range.key, key);
	gm_redis_array(command, 6);
	gm_redis_text(command, "XREVRANGE");
	gm_redis_key(command, redis->node, key,
		     read->stage > 0 ? gm_redis_tier_suffix(read->stage - 1) : NULL);
	put_id(command, read->before);
	gm_redis_integer(command, since_ms(read));
	gm_redis_text(command, "COUNT");
	gm_redis_integer(command, read->page);
	return gm_redis_send(redis, GM_REDIS_PAGE, NULL);
}

/* In turn: one that wants a day does not hold up one that wants a minute. */
static void next_page(struct gm_redis *redis)
{
	struct gm_store_read *read = redis->reads;

	if (!read || redis->page_awaited || !gm_redis_writable(redis) || !ask(redis, read))
		return;
	redis->page_awaited = true;
	redis->paged = read;
	DL_DELETE(redis->reads, read);
	DL_APPEND(redis->reads, read);
}

/* ---- what came ---- */

/* Goes over to the next stream that can have older ones: false when there is none. */
static bool next_stage(const struct gm_redis *redis, struct gm_store_read *read)
{
	while (read->stage++ < GM_REDIS_TIERS) {
		size_t tier = read->stage - 1;

		if (gm_redis_tier_entries(&redis->options, tier) == 0 ||
		    read->oldest < since_ms(read) + gm_redis_tier_span(tier))
			continue;
		read->before = (struct gm_redis_id){read->oldest - 1, UINT64_MAX};
		read->page = PAGE_FIRST;
		return true;
	}
	return false;
}

/* A span's time is that of its newest sample: there a counter had the value that is told. */
static uint64_t time_of(const struct gm_store_read *read, const struct gm_frame *frame,
			struct gm_redis_id id)
{
	uint64_t ms = (uint64_t)(frame->measured_at / GM_MILLISECOND);

	if (read->stage == 0 || id.sequence >= gm_redis_tier_span(read->stage - 1))
		return ms;
	return ms + id.sequence;
}

/* False: no more is wanted. */
static bool hand_over(struct gm_store_read *read, const redisReply *entry, struct gm_redis_id id)
{
	struct gm_store_extremes extremes[GM_METRIC_COUNT];
	const struct gm_frame *frame = &read->batch->frames[0];
	uint64_t ms = time_of(read, frame, id);
	struct gm_store_row row = {
		.time = (int64_t)ms * GM_MILLISECOND,
		.count = frame->count < GM_METRIC_COUNT ? frame->count : GM_METRIC_COUNT,
		.readings = gm_batch_readings(read->batch, frame),
	};

	if (row.count == 0 || row.time < read->range.since || row.time >= read->range.until)
		return true;
	/* A span that the finer stream has a part of would be told twice. */
	if (read->stage > 0) {
		if (ms >= read->oldest)
			return true;
		row.span = (int64_t)gm_redis_tier_span(read->stage - 1) * GM_MILLISECOND;
		gm_redis_parse_extremes(entry, row.readings, row.count, extremes);
		row.extremes = extremes;
	}
	if (ms < read->oldest)
		read->oldest = ms;
	read->rows++;
	return read->reader.row(read->reader.user, &row);
}

/* Ids fall: where they do not, there would be no end. */
static bool is_older(const redisReply *entry, const struct gm_redis_id *before,
		     struct gm_redis_id *ret_id)
{
	return entry && entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 &&
	       gm_redis_parse_id(entry->element[0], ret_id) == 0 &&
	       (ret_id->ms < before->ms ||
		(ret_id->ms == before->ms && ret_id->sequence <= before->sequence));
}

static size_t cost_of(const redisReply *entry)
{
	const redisReply *fields = entry->element[1];
	size_t cost = 3 * OBJECT_COST;

	for (size_t i = 0; i < fields->elements; i++)
		cost += OBJECT_COST + fields->element[i]->len;
	return cost;
}

enum outcome { MORE, STREAM_ENDS, ENOUGH, STRANGE };

static enum outcome take_entries(struct gm_store_read *read, const redisReply *reply)
{
	size_t cost = 0, counted = 0;

	if (reply->elements > read->page)
		return STRANGE;
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *entry = reply->element[i];
		struct gm_redis_id id;

		if (!is_older(entry, &read->before, &id))
			return STRANGE;
		read->before = id.sequence > 0 ? (struct gm_redis_id){id.ms, id.sequence - 1}
					       : (struct gm_redis_id){id.ms - 1, UINT64_MAX};
		gm_batch_clear(read->batch);
		if (gm_redis_parse_entry(entry, &read->range.key, read->batch, &id) < 0 ||
		    read->batch->frame_count != 1) {
			read->malformed++;
		} else {
			cost += cost_of(entry);
			counted++;
			if (!hand_over(read, entry, id) || read->rows >= read->range.rows)
				return ENOUGH;
		}
		if (id.ms == 0)
			break; /* nothing is older, and the id before it would be none */
	}
	bool more = reply->elements == read->page && read->before.ms != UINT64_MAX;
	if (counted > 0)
		read->page = PAGE_COST / (cost / counted) + 1;
	if (read->page > PAGE_MAX)
		read->page = PAGE_MAX;
	return more ? MORE : STREAM_ENDS;
}

static void conclude(struct gm_redis *redis, struct gm_store_read *read)
{
	struct gm_error remark = {.text = ""};

	if (read->malformed > 0)
		gm_error_set(&remark, 0, "%zu stored entries are malformed and left out",
			     read->malformed);
	finish(redis, read, 0, &remark);
}

static void refuse(struct gm_redis *redis, struct gm_store_read *read, int result, const char *text)
{
	struct gm_error err;

	gm_error_set(&err, result, "%s: %s", redis->where, text);
	finish(redis, read, result, &err);
}

/* A coarser stream that is none is as one that is not there. */
static enum outcome take_reply(const struct gm_redis *redis, struct gm_store_read *read,
			       const redisReply *reply)
{
	enum outcome outcome = STREAM_ENDS;

	if (reply->type == REDIS_REPLY_ARRAY)
		outcome = take_entries(read, reply);
	else if (reply->type != REDIS_REPLY_ERROR || read->stage == 0)
		outcome = STRANGE;
	if (outcome == STREAM_ENDS)
		outcome = next_stage(redis, read) ? MORE : ENOUGH;
	return outcome;
}

void gm_redis_take_page(struct gm_redis *redis, const redisReply *reply)
{
	struct gm_store_read *read = redis->paged;
	char text[160] = "unexpected reply to XREVRANGE";

	redis->paged = NULL;
	redis->page_awaited = false;
	if (!reply)
		return;
	enum outcome outcome = read ? take_reply(redis, read, reply) : MORE;
	if (outcome == STRANGE && reply->type == REDIS_REPLY_ERROR) {
		gm_redis_error_text(reply, text, sizeof(text));
		refuse(redis, read, -EREMOTEIO, text);
	} else if (outcome == STRANGE) {
		refuse(redis, read, -EPROTO, text);
	} else if (outcome == ENOUGH) {
		conclude(redis, read);
	}
	next_page(redis);
}

/* ---- beginning and end ---- */

static size_t count_reads(const struct gm_redis *redis)
{
	const struct gm_store_read *read;
	size_t count = 0;

	DL_FOREACH (redis->reads, read) {
		count++;
	}
	return count;
}

int gm_redis_read(struct gm_redis *redis, const struct gm_store_range *range,
		  const struct gm_store_reader *reader, struct gm_store_read **ret_read,
		  struct gm_error *err)
{
	if (!gm_redis_writable(redis))
		return gm_error_set(err, -ENOTCONN, "%s: not connected", redis->where);
	if (count_reads(redis) >= GM_STORE_READS_MAX)
		return gm_error_set(err, -EBUSY, "too many read from Redis at once");
	struct gm_store_read *read = calloc(1, sizeof(*read));
	if (read)
		read->batch = gm_batch_create();
	if (!read || !read->batch) {
		free(read);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	uint64_t until =
		range->until > GM_MILLISECOND ? (uint64_t)((range->until - 1) / GM_MILLISECOND) : 0;
	read->range = *range;
	read->reader = *reader;
	read->end = uv_hrtime() + (uint64_t)range->deadline;
	read->before = (struct gm_redis_id){until, UINT64_MAX};
	read->oldest = until + 1;
	read->page = PAGE_FIRST;
	DL_APPEND(redis->reads, read);
	next_page(redis); /* where it cannot be sent now, the tick tries again */
	*ret_read = read;
	return 0;
}

void gm_redis_read_cancel(struct gm_redis *redis, struct gm_store_read *read)
{
	drop(redis, read);
}

void gm_redis_reads_tick(struct gm_redis *redis)
{
	struct gm_store_read *read, *next;
	uint64_t now = uv_hrtime();

	DL_FOREACH_SAFE(redis->reads, read, next)
	{
		if (now < read->end)
			continue;
		refuse(redis, read, -ETIMEDOUT, "no answer in time");
		return; /* the list may have changed: the others with the next tick */
	}
	next_page(redis);
}

void gm_redis_reads_end(struct gm_redis *redis, int result, const char *reason)
{
	while (redis->reads)
		refuse(redis, redis->reads, result, reason);
}

void gm_redis_reads_free(struct gm_redis *redis)
{
	while (redis->reads)
		drop(redis, redis->reads);
}
