/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands between hiredis's parser and its makers of reply objects, and refuses what would take too
 * much memory or was never asked for. The parser takes a refusal as a failure of the connection.
 *
 * The second matters as much as the first: hiredis 0.14 aborts the process (an assertion in
 * redisProcessCallbacks()) upon a reply to which there is no command.
 */
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
