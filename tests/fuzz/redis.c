/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Redis server may answer: the bytes go through hiredis's parser, with the store's own bounds and
 * both kinds of objects, and each reply to all that reads replies (store/redis: decode, route, schema).
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "store/redis/private.h"

enum { MOST = 1 << 16 }; /* less than the store allows: an input costs that much again and again */

static void read_entries(const redisReply *reply, struct gm_batch *batch)
{
	const struct gm_entity_key key = gm_entity_node();
	struct gm_redis_id id;

	gm_redis_parse_entry(reply, &key, batch, &id);
	gm_redis_parse_id(reply, &id);
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		if (reply->element[i])
			gm_redis_parse_entry(reply->element[i], &key, batch, &id);
	/* Whatever it took in is whole: every reading is of a frame and of the catalogue. */
	size_t count = 0;
	for (size_t i = 0; i < batch->frame_count; i++)
		count += batch->frames[i].count;
	if (count != batch->reading_count)
		abort();
	for (size_t i = 0; i < count; i++)
		if (!gm_metric_get(batch->readings[i].metric))
			abort();
	gm_batch_clear(batch);
}

static void read_others(const redisReply *reply)
{
	struct gm_redis_options options = {.host = "127.0.0.1", .port = 6379};
	struct gm_redis_route route;
	struct gm_error err;
	char text[160];

	if (gm_redis_route_init(&route, &options, &err) < 0)
		abort();
	gm_redis_check_schema(reply, &err);
	if (gm_redis_route_master(&route, reply, &err) == 0 &&
	    (route.target.port < 1 || route.target.port > 65535))
		abort();
	if (reply->type == REDIS_REPLY_ERROR) {
		gm_redis_error_text(reply, text, sizeof(text));
		gm_redis_route_moved(&route, text);
	}
}

static void parse(const uint8_t *data, size_t size, struct gm_redis_arena *arena,
		  struct gm_batch *batch)
{
	redisContext context = {.reader = redisReaderCreate()};
	struct gm_redis_reader reader;
	void *reply = NULL;

	if (!context.reader)
		return;
	if (arena)
		gm_redis_reader_arena(&reader, &context, MOST, arena);
	else
		gm_redis_reader_bound(&reader, &context, MOST, NULL);
	redisReaderFeed(context.reader, (const char *)data, size);
	while (redisReaderGetReply(context.reader, &reply) == REDIS_OK && reply) {
		read_entries(reply, batch);
		read_others(reply);
		reader.functions.freeObject(reply);
		if (arena)
			gm_redis_arena_clear(arena);
	}
	redisReaderFree(context.reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gm_redis_arena arena = {0};
	struct gm_batch *batch = gm_batch_create();

	if (batch) {
		parse(data, size, NULL, batch);
		parse(data, size, &arena, batch);
	}
	gm_redis_arena_free(&arena);
	gm_batch_free(batch);
	return 0;
}
