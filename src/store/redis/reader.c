/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ceiling on the memory that one reply may take, put between hiredis's parser and its makers of
 * reply objects. What is over it is refused as the parser refuses everything: the connection fails.
 */
#include "store/redis/private.h"

enum { OBJECT_COST = 64 }; /* a reply object and the pointer to it */

static bool charge(const redisReadTask *task, size_t cost)
{
	struct gm_redis_reader *reader = task->privdata;

	if (!task->parent)
		reader->left = reader->max;
	if (cost > reader->left)
		return false;
	reader->left -= cost;
	return true;
}

static void *create_string(const redisReadTask *task, char *text, size_t length)
{
	const struct gm_redis_reader *reader = task->privdata;

	return charge(task, length) ? reader->own->createString(task, text, length) : NULL;
}

static void *create_array(const redisReadTask *task, int elements)
{
	const struct gm_redis_reader *reader = task->privdata;

	if (elements > 0 && !charge(task, (size_t)elements * OBJECT_COST))
		return NULL;
	return reader->own->createArray(task, elements);
}

void gm_redis_reader_bound(struct gm_redis_reader *reader, redisContext *context, size_t max)
{
	reader->own = context->reader->fn;
	reader->functions = *reader->own;
	reader->functions.createString = create_string;
	reader->functions.createArray = create_array;
	reader->max = reader->left = max;
	context->reader->fn = &reader->functions;
	context->reader->privdata = reader;
}
