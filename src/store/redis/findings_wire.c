/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and replies of the findings' stream; see findings_private.h. An entry's fields are anybody's
 * bytes: they are handed on as they are, with their lengths, and never printed here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/redis/findings_private.h"

enum { BLOCK_MS = 1000, REJECTED_VALUE_MAX = 255, ID_TEXT = 48 };

static void stream_key(struct gm_redis_findings *findings, const char *suffix)
{
	gm_redis_key(&findings->command, findings->store->node, GM_FINDINGS_NAME, suffix);
}

static void put_id(struct gm_redis_findings *findings, struct gm_redis_id id)
{
	char text[ID_TEXT];

	snprintf(text, sizeof(text), "%llu-%llu", (unsigned long long)id.ms,
		 (unsigned long long)id.sequence);
	gm_redis_text(&findings->command, text);
}

/* From the beginning: what was written before the daemon's first start counts, if it is not too old. */
void gm_findings_make_group(struct gm_redis_findings *findings)
{
	gm_redis_array(&findings->command, 6);
	gm_redis_text(&findings->command, "XGROUP");
	gm_redis_text(&findings->command, "CREATE");
	stream_key(findings, NULL);
	gm_redis_text(&findings->command, GM_FINDINGS_GROUP);
	gm_redis_text(&findings->command, "0");
	gm_redis_text(&findings->command, "MKSTREAM");
}

void gm_findings_read(struct gm_redis_findings *findings, const struct gm_redis_id *after,
		      size_t count)
{
	struct gm_buffer *command = &findings->command;

	gm_redis_array(command, after ? 9 : 11);
	gm_redis_text(command, "XREADGROUP");
	gm_redis_text(command, "GROUP");
	gm_redis_text(command, GM_FINDINGS_GROUP);
	gm_redis_text(command, GM_FINDINGS_GROUP); /* the consumer: there is one daemon per node */
	gm_redis_text(command, "COUNT");
	gm_redis_integer(command, count);
	if (!after) {
		gm_redis_text(command, "BLOCK");
		gm_redis_integer(command, BLOCK_MS);
	}
	gm_redis_text(command, "STREAMS");
	stream_key(findings, NULL);
	if (after)
		put_id(findings, *after);
	else
		gm_redis_text(command, ">");
}

void gm_findings_oldest_pending(struct gm_redis_findings *findings)
{
	gm_redis_array(&findings->command, 6);
	gm_redis_text(&findings->command, "XPENDING");
	stream_key(findings, NULL);
	gm_redis_text(&findings->command, GM_FINDINGS_GROUP);
	gm_redis_text(&findings->command, "-");
	gm_redis_text(&findings->command, "+");
	gm_redis_text(&findings->command, "1");
}

void gm_findings_acknowledge(struct gm_redis_findings *findings, struct gm_redis_id id)
{
	gm_redis_array(&findings->command, 4);
	gm_redis_text(&findings->command, "XACK");
	stream_key(findings, NULL);
	gm_redis_text(&findings->command, GM_FINDINGS_GROUP);
	put_id(findings, id);
}

void gm_findings_delete(struct gm_redis_findings *findings)
{
	gm_redis_array(&findings->command, 2);
	gm_redis_text(&findings->command, "DEL");
	stream_key(findings, NULL);
}

void gm_findings_trim(struct gm_redis_findings *findings)
{
	gm_redis_array(&findings->command, 5);
	gm_redis_text(&findings->command, "XTRIM");
	stream_key(findings, NULL);
	gm_redis_text(&findings->command, "MAXLEN");
	gm_redis_text(&findings->command, "~");
	gm_redis_integer(&findings->command, GM_FINDINGS_KEPT);
}

static void put_cut(struct gm_redis_findings *findings, const char *data, size_t length)
{
	gm_redis_bytes(&findings->command, data,
		       length < REJECTED_VALUE_MAX ? length : REJECTED_VALUE_MAX);
}

void gm_findings_reject(struct gm_redis_findings *findings, const struct gm_entry *entry,
			const char *reason)
{
	struct gm_buffer *command = &findings->command;
	size_t count = entry->count < GM_ENTRY_FIELDS ? entry->count : GM_ENTRY_FIELDS;

	gm_redis_array(command, 10 + 2 * count);
	gm_redis_text(command, "XADD");
	stream_key(findings, ":rejected");
	gm_redis_text(command, "MAXLEN");
	gm_redis_text(command, "~");
	gm_redis_integer(command, GM_REJECTED_KEPT);
	gm_redis_text(command, "*");
	gm_redis_text(command, "id");
	put_id(findings, (struct gm_redis_id){entry->ms, entry->sequence});
	gm_redis_text(command, "reason");
	gm_redis_text(command, reason);
	for (size_t i = 0; i < count; i++) {
		put_cut(findings, entry->fields[i].name, entry->fields[i].name_length);
		put_cut(findings, entry->fields[i].value, entry->fields[i].value_length);
	}
}

/* [[stream, [entry, …]]], or nil when the wait was in vain. */
const redisReply *gm_findings_entries(const redisReply *reply, size_t *ret_count)
{
	*ret_count = 0;
	if (reply->type == REDIS_REPLY_NIL)
		return reply;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1)
		return NULL;
	const redisReply *stream = reply->element[0];
	if (!stream || stream->type != REDIS_REPLY_ARRAY || stream->elements != 2)
		return NULL;
	const redisReply *entries = stream->element[1];
	if (!entries || entries->type != REDIS_REPLY_ARRAY)
		return NULL;
	*ret_count = entries->elements;
	return entries;
}

static bool is_string(const redisReply *reply)
{
	return reply && reply->type == REDIS_REPLY_STRING && reply->str;
}

int gm_findings_parse(const redisReply *reply, struct gm_entry *ret_entry)
{
	struct gm_entry entry = {0};
	struct gm_redis_id id;

	if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    gm_redis_parse_id(reply->element[0], &id) < 0)
		return -EPROTO;
	entry.ms = id.ms;
	entry.sequence = id.sequence;
	const redisReply *fields = reply->element[1];
	if (fields && fields->type == REDIS_REPLY_NIL) {
		*ret_entry = entry;
		return 1;
	}
	if (!fields || fields->type != REDIS_REPLY_ARRAY || fields->elements % 2 != 0)
		return -EPROTO;
	entry.count = fields->elements / 2;
	for (size_t i = 0; i < entry.count && i < GM_ENTRY_FIELDS; i++) {
		const redisReply *name = fields->element[2 * i],
				 *value = fields->element[2 * i + 1];

		if (!is_string(name) || !is_string(value))
			return -EPROTO;
		entry.fields[i] =
			(struct gm_entry_field){name->str, value->str, name->len, value->len};
	}
	*ret_entry = entry;
	return 0;
}
