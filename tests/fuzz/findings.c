/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of a hostile server to XREADGROUP (store/redis/findings.h), as bytes of the Redis protocol: read
 * by hiredis under our bounds, then taken apart. Every byte of what is accepted is read once.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "store/redis/findings_private.h"

static unsigned sum;

static void touch(const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum += (unsigned char)data[i];
}

static void touch_entry(const redisReply *reply)
{
	struct gm_entry entry;

	if (gm_findings_parse(reply, &entry) != 0)
		return;
	for (size_t i = 0; i < entry.count && i < GM_ENTRY_FIELDS; i++) {
		touch(entry.fields[i].name, entry.fields[i].name_length);
		touch(entry.fields[i].value, entry.fields[i].value_length);
	}
}

static void touch_reply(const redisReply *reply)
{
	char text[160];
	size_t count;
	const redisReply *entries = gm_findings_entries(reply, &count);

	for (size_t i = 0; entries && i < count; i++)
		touch_entry(entries->element[i]);
	if (reply->type == REDIS_REPLY_ERROR)
		gm_redis_error_text(reply, text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	redisContext context = {.reader = redisReaderCreate()};
	struct gm_redis_reader reader;
	void *reply;

	if (!context.reader)
		return 0;
	gm_redis_reader_bound(&reader, &context, 1 << 16, NULL);
	redisReaderFeed(context.reader, (const char *)data, size);
	while (redisReaderGetReply(context.reader, &reply) == REDIS_OK && reply) {
		touch_reply(reply);
		freeReplyObject(reply);
	}
	redisReaderFree(context.reader);
	return 0;
}
