/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies as ids and frames. Nothing in a reply is believed before its type, its length and its text
 * have been looked at; what is well-formed but unknown (a field of a newer version) is skipped.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/redis/private.h"

static bool is_text(const redisReply *reply)
{
	return reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) &&
	       reply->str && strlen(reply->str) == reply->len;
}

/* Decimal digits alone, no sign, no space. */
static int parse_unsigned(const char *text, const char **ret_end, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (*text < '0' || *text > '9')
		return -EPROTO;
	for (; *text >= '0' && *text <= '9'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (number > (UINT64_MAX - digit) / 10)
			return -EPROTO;
		number = 10 * number + digit;
	}
	*ret_end = text;
	*ret_number = number;
	return 0;
}

int gm_redis_parse_id(const redisReply *reply, struct gm_redis_id *ret_id)
{
	struct gm_redis_id id;
	const char *end;

	if (!is_text(reply) || parse_unsigned(reply->str, &end, &id.ms) < 0 || *end != '-' ||
	    parse_unsigned(end + 1, &end, &id.sequence) < 0 || *end != '\0')
		return -EPROTO;
	if (id.ms > INT64_MAX / GM_MILLISECOND - 1)
		return -EPROTO; /* no time of ours; the sum in ns would overflow */
	*ret_id = id;
	return 0;
}

int gm_redis_parse_entry_id(const redisReply *reply, struct gm_redis_id *ret_id)
{
	if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return -EPROTO;
	return gm_redis_parse_id(reply->element[0], ret_id);
}

/* The fields of an entry mostly are in the order of the catalogue: the next one is looked at first. */
static unsigned find_metric(const char *name, unsigned *guess)
{
	const struct gm_metric *metric = gm_metric_get(*guess);
	unsigned id = metric && strcmp(metric->name, name) == 0 ? *guess : gm_metric_find(name);

	*guess = id + 1;
	return id;
}

/* Adds the reading that a field and its value are; unknown names and broken values are skipped. */
static void parse_field(const char *name, const char *value, struct gm_batch *batch,
			unsigned *guess)
{
	unsigned metric = find_metric(name, guess);
	const char *end;
	char *gauge_end;
	uint64_t counter;
	double gauge;

	if (metric == GM_METRIC_NONE)
		return;
	if (gm_metric_kind(metric) == GM_KIND_COUNTER) {
		if (parse_unsigned(value, &end, &counter) == 0 && *end == '\0')
			gm_batch_counter(batch, metric, counter);
		return;
	}
	/* Nearly all are whole numbers, which are read at a tenth of the cost. */
	if (parse_unsigned(value, &end, &counter) == 0 && *end == '\0' &&
	    counter < 9007199254740992u) {
		gm_batch_gauge(batch, metric, (double)counter);
		return;
	}
	gauge = strtod(value, &gauge_end);
	if (gauge_end != value && *gauge_end == '\0' && isfinite(gauge))
		gm_batch_gauge(batch, metric, gauge);
}

/* The frame's own time in ms: that of the id unless the field "@" tells another. */
static int parse_time(const redisReply *fields, struct gm_redis_id id, uint64_t *ret_ms)
{
	uint64_t ms = id.ms;
	const char *end;

	for (size_t i = 0; i < fields->elements; i++) {
		if (!is_text(fields->element[i]))
			return -EPROTO;
	}
	for (size_t i = 0; i < fields->elements; i += 2) {
		if (strcmp(fields->element[i]->str, "@") != 0)
			continue;
		if (parse_unsigned(fields->element[i + 1]->str, &end, &ms) < 0 || *end != '\0' ||
		    ms > id.ms)
			return -EPROTO;
	}
	*ret_ms = ms;
	return 0;
}

int gm_redis_parse_entry(const redisReply *reply, const struct gm_entity_key *key,
			 struct gm_batch *batch, struct gm_redis_id *ret_id)
{
	struct gm_redis_id id;
	const redisReply *fields;
	unsigned guess = 0;
	uint64_t ms;

	if (gm_redis_parse_entry_id(reply, &id) < 0)
		return -EPROTO;
	*ret_id = id;
	fields = reply->element[1];
	if (!fields || fields->type != REDIS_REPLY_ARRAY || fields->elements % 2 != 0 ||
	    parse_time(fields, id, &ms) < 0)
		return -EPROTO;
	int64_t time = (int64_t)ms * GM_MILLISECOND;
	if (!gm_batch_frame(batch, key, time, time, 0))
		return 0;
	for (size_t i = 0; i < fields->elements; i += 2)
		parse_field(fields->element[i]->str, fields->element[i + 1]->str, batch, &guess);
	return 0;
}

/* What of the pair a field tells, if it is an extreme of that metric. */
static double *extreme_of(const char *field, unsigned metric, struct gm_store_extremes *extremes)
{
	const char *name = gm_metric_get(metric)->name;
	size_t length = strlen(name);

	if (strncmp(field, name, length) != 0)
		return NULL;
	if (strcmp(field + length, ".min") == 0)
		return &extremes->min;
	return strcmp(field + length, ".max") == 0 ? &extremes->max : NULL;
}

/* They come right after their metric, in the order of the readings: no other order is looked for. */
void gm_redis_parse_extremes(const redisReply *reply, const struct gm_reading *readings,
			     size_t count, struct gm_store_extremes *extremes)
{
	const redisReply *fields = reply->element[1];
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		extremes[i] = (struct gm_store_extremes){NAN, NAN};
	for (size_t i = 0; i < fields->elements && count > 0; i += 2) {
		const char *field = fields->element[i]->str;
		const char *text = fields->element[i + 1]->str;
		char *end;

		if (at + 1 < count &&
		    strcmp(field, gm_metric_get(readings[at + 1].metric)->name) == 0)
			at++;
		double *extreme = extreme_of(field, readings[at].metric, &extremes[at]);
		double value = extreme ? strtod(text, &end) : NAN;
		if (extreme && end != text && *end == '\0' && isfinite(value))
			*extreme = value;
	}
}

void gm_redis_error_text(const redisReply *reply, char *text, size_t size)
{
	char quoted[160];

	if (!reply->str || reply->len == 0) {
		gm_text_copy(text, size, "an error without text");
		return;
	}
	size_t length = gm_text_quote(quoted, sizeof(quoted), reply->str);
	quoted[length - 1] = '\0';
	gm_text_copy(text, size, quoted + 1);
}
