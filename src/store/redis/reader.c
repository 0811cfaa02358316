/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands between hiredis's parser and its makers of reply objects, and refuses what would take too
 * much memory or was never asked for. The parser takes a refusal as a failure of the connection.
 *
 * The second matters as much as the first: hiredis 0.14 aborts the process (an assertion in
 * redisProcessCallbacks()) upon a reply to which there is no command.
 */
#include <stdlib.h>
#include <string.h>

#include "store/redis/private.h"

enum { OBJECT_COST = 64 }; /* a reply object and the pointer to it */

/* True when an object of this cost may be made. */
static bool charge(const redisReadTask *task, size_t cost)
{
	struct gm_redis_reader *reader = task->privdata;

	if (!task->parent) {
		reader->left = reader->max;
		if (reader->awaited && *reader->awaited == 0)
			reader->refused = true;
	}
	if (cost > reader->left)
		reader->refused = true;
	if (reader->refused)
		return false;
	reader->left -= cost;
	return true;
}

static const redisReplyObjectFunctions *own(const redisReadTask *task)
{
	return ((const struct gm_redis_reader *)task->privdata)->own;
}

static void *create_string(const redisReadTask *task, char *text, size_t length)
{
	return charge(task, length) ? own(task)->createString(task, text, length) : NULL;
}

static void *create_array(const redisReadTask *task, int elements)
{
	size_t cost = elements > 0 ? (size_t)elements * OBJECT_COST : 0;

	return charge(task, cost) ? own(task)->createArray(task, elements) : NULL;
}

static void *create_integer(const redisReadTask *task, long long number)
{
	return charge(task, 0) ? own(task)->createInteger(task, number) : NULL;
}

static void *create_nil(const redisReadTask *task)
{
	return charge(task, 0) ? own(task)->createNil(task) : NULL;
}

/* ---- an arena ---- */

enum { BLOCK = 1 << 20 };

struct gm_redis_block {
	struct gm_redis_block *next;
	size_t size; /* of `room` */
	_Alignas(max_align_t) char room[];
};

static void *take(struct gm_redis_arena *arena, size_t size)
{
	size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!arena->blocks || size > arena->blocks->size - arena->used) {
		size_t room = size > BLOCK ? size : BLOCK;
		struct gm_redis_block *block = malloc(sizeof(*block) + room);

		if (!block)
			return NULL;
		block->size = room;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->used = 0;
	}
	void *place = arena->blocks->room + arena->used;
	arena->used += size;
	return place;
}

void gm_redis_arena_clear(struct gm_redis_arena *arena)
{
	while (arena->blocks && arena->blocks->next) {
		struct gm_redis_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	arena->used = 0;
}

void gm_redis_arena_free(struct gm_redis_arena *arena)
{
	gm_redis_arena_clear(arena);
	free(arena->blocks);
	arena->blocks = NULL;
}

static redisReply *place_object(const redisReadTask *task)
{
	const struct gm_redis_reader *reader = task->privdata;
	redisReply *reply = take(reader->arena, sizeof(*reply)), *parent;

	if (!reply)
		return NULL;
	*reply = (redisReply){.type = task->type};
	if (task->parent) {
		parent = task->parent->obj;
		parent->element[task->idx] = reply;
	}
	return reply;
}

static void *place_string(const redisReadTask *task, char *text, size_t length)
{
	const struct gm_redis_reader *reader = task->privdata;

	/* Charged for what hiredis's own would cost: the two must refuse the same. */
	if (!charge(task, length))
		return NULL;
	redisReply *reply = place_object(task);
	char *copy = reply ? take(reader->arena, length + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	reply->str = copy;
	reply->len = length;
	return reply;
}

static void *place_array(const redisReadTask *task, int elements)
{
	const struct gm_redis_reader *reader = task->privdata;
	size_t count = elements > 0 ? (size_t)elements : 0;

	if (!charge(task, count * OBJECT_COST))
		return NULL;
	redisReply *reply = place_object(task);
	redisReply **members = reply ? take(reader->arena, count * sizeof(*members) + 1) : NULL;
	if (!members)
		return NULL;
	memset(members, 0, count * sizeof(*members));
	reply->element = members;
	reply->elements = count;
	return reply;
}

static void *place_integer(const redisReadTask *task, long long number)
{
	redisReply *reply = charge(task, 0) ? place_object(task) : NULL;

	if (reply)
		reply->integer = number;
	return reply;
}

static void *place_nil(const redisReadTask *task)
{
	redisReply *reply = charge(task, 0) ? place_object(task) : NULL;

	if (reply)
		reply->type = REDIS_REPLY_NIL; /* the task is of the type that it might have been */
	return reply;
}

static void keep_object(void *object)
{
	(void)object; /* the arena is dropped as a whole */
}

void gm_redis_reader_arena(struct gm_redis_reader *reader, redisContext *context, size_t max,
			   struct gm_redis_arena *arena)
{
	*reader = (struct gm_redis_reader){
		.max = max,
		.left = max,
		.arena = arena,
		.functions =
			{
				.createString = place_string,
				.createArray = place_array,
				.createInteger = place_integer,
				.createNil = place_nil,
				.freeObject = keep_object,
			},
	};
	context->reader->fn = &reader->functions;
	context->reader->privdata = reader;
}

void gm_redis_reader_bound(struct gm_redis_reader *reader, redisContext *context, size_t max,
			   const size_t *awaited)
{
	*reader = (struct gm_redis_reader){
		.own = context->reader->fn,
		.max = max,
		.left = max,
		.awaited = awaited,
		.functions =
			{
				.createString = create_string,
				.createArray = create_array,
				.createInteger = create_integer,
				.createNil = create_nil,
				.freeObject = context->reader->fn->freeObject,
			},
	};
	context->reader->fn = &reader->functions;
	context->reader->privdata = reader;
}
