/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames as XADD commands: the hot path of the store. Written by hand because a frame is written ten
 * times a second per entity: no format string is parsed, nothing is allocated per field, and what is a
 * whole number (nearly all that is measured) is never looked at as a fraction. Called by entity.c and
 * tier.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/redis/private.h"

/* Whole numbers and their neighbours are exact doubles below this. */
#define EXACT 9007199254740992.0

char *gm_redis_digits(uint64_t number, char *end)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	while (number >= 100) {
		end -= 2;
		memcpy(end, pairs + 2 * (number % 100), 2);
		number /= 100;
	}
	if (number < 10) {
		*--end = (char)('0' + number);
		return end;
	}
	end -= 2;
	memcpy(end, pairs + 2 * number, 2);
	return end;
}

static size_t whole(int64_t value, char text[GM_REDIS_NUMBER_TEXT])
{
	char digits[GM_REDIS_NUMBER_TEXT], *end = digits + sizeof(digits);
	char *at = gm_redis_digits(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, end);

	if (value < 0)
		*--at = '-';
	memcpy(text, at, (size_t)(end - at));
	text[end - at] = '\0';
	return (size_t)(end - at);
}

/*
 * A number of few decimals: 0.25, 12.5. The quotient of a whole number below 2^53 and a power of ten up
 * to 10^22 is what reading the decimal gives (Clinger, "How to read floating point numbers accurately",
 * 1990), so that one division tells whether the text would read back as `value`.
 */
static size_t decimal(double value, char text[GM_REDIS_NUMBER_TEXT])
{
	static const double powers[] = {1, 10, 100, 1000, 10000};

	for (int places = 1; places <= 4; places++) {
		double scaled = nearbyint(value * powers[places]);

		if (!(fabs(scaled) < EXACT) || scaled / powers[places] != value)
			continue;
		uint64_t number = (uint64_t)fabs(scaled), unit = (uint64_t)powers[places];
		char digits[GM_REDIS_NUMBER_TEXT], *end = digits + sizeof(digits);
		/* The leading one of 1xxx keeps the zeros behind the point. */
		char *at = gm_redis_digits(number % unit + unit, end);

		*at = '.';
		at = gm_redis_digits(number / unit, at);
		if (value < 0)
			*--at = '-';
		memcpy(text, at, (size_t)(end - at));
		text[end - at] = '\0';
		return (size_t)(end - at);
	}
	return 0;
}

size_t gm_redis_number(double value, char text[GM_REDIS_NUMBER_TEXT])
{
	if (fabs(value) < EXACT && (double)(int64_t)value == value)
		return whole((int64_t)value, text);
	/* Small ones have a shorter text with an exponent. */
	size_t length = fabs(value) >= 0.0001 ? decimal(value, text) : 0;

	for (int precision = 15; length == 0 && precision < 17; precision++) {
		int printed = snprintf(text, GM_REDIS_NUMBER_TEXT, "%.*g", precision, value);

		if (strtod(text, NULL) == value)
			length = (size_t)printed;
	}
	return length ? length : (size_t)snprintf(text, GM_REDIS_NUMBER_TEXT, "%.17g", value);
}

/* ---- a command, in pieces of a few kB ---- */

enum {
	PEN = 4096,
	NAME_MAX_LENGTH = 64,
	FIELD_MAX = NAME_MAX_LENGTH + GM_REDIS_NUMBER_TEXT + 32, /* of a field and its value */
};

struct pen {
	struct gm_buffer *buffer;
	size_t length;
	char text[PEN];
};

/* Not by an initialiser: that would clear its text. */
static void take_up(struct pen *pen, struct gm_buffer *buffer)
{
	pen->buffer = buffer;
	pen->length = 0;
}

static void put_down(struct pen *pen)
{
	gm_buffer_append(pen->buffer, pen->text, pen->length);
	pen->length = 0;
}

/* A bulk string of less than a hundred bytes. */
static void bulk(struct pen *pen, const char *data, size_t length)
{
	char *at = pen->text + pen->length;

	*at++ = '$';
	if (length >= 10)
		*at++ = (char)('0' + length / 10);
	*at++ = (char)('0' + length % 10);
	*at++ = '\r';
	*at++ = '\n';
	memcpy(at, data, length);
	at += length;
	*at++ = '\r';
	*at++ = '\n';
	pen->length = (size_t)(at - pen->text);
}

static void bulk_integer(struct pen *pen, uint64_t number)
{
	char text[24], *end = text + sizeof(text), *at = gm_redis_digits(number, end);

	bulk(pen, at, (size_t)(end - at));
}

static void bulk_id(struct pen *pen, struct gm_redis_id id)
{
	char text[48], *end = text + sizeof(text), *at = gm_redis_digits(id.sequence, end);

	*--at = '-';
	at = gm_redis_digits(id.ms, at);
	bulk(pen, at, (size_t)(end - at));
}

/* ---- frames ---- */

static const struct {
	const char *text;
	size_t length;
} names[GM_METRIC_COUNT] = {
#define GM_METRIC(id, name, ...) [GM_METRIC_##id] = {name, sizeof(name) - 1},
#include "model/metric.def"
#undef GM_METRIC
};

static bool storable(const struct gm_reading *reading)
{
	if (reading->metric >= GM_METRIC_COUNT)
		return false;
	return gm_metric_kind(reading->metric) == GM_KIND_COUNTER || isfinite(reading->value.gauge);
}

static void field(struct pen *pen, const struct gm_reading *reading)
{
	char text[GM_REDIS_NUMBER_TEXT];

	if (pen->length + FIELD_MAX > PEN)
		put_down(pen);
	bulk(pen, names[reading->metric].text, names[reading->metric].length);
	if (gm_metric_kind(reading->metric) == GM_KIND_COUNTER)
		bulk_integer(pen, reading->value.counter);
	else
		bulk(pen, text, gm_redis_number(reading->value.gauge, text));
}

void gm_redis_xadd_prefix(struct gm_buffer *buffer, const char *node, const char *entity,
			  const char *tier)
{
	gm_redis_text(buffer, "XADD");
	gm_redis_key(buffer, node, entity, tier);
}

void gm_redis_xadd_begin(struct gm_buffer *buffer, const struct gm_buffer *prefix,
			 const struct gm_redis_entry *entry, size_t fields)
{
	struct pen pen;
	static const char *const strategies[] = {
		[GM_REDIS_TRIM_COUNT] = "MAXLEN",
		[GM_REDIS_TRIM_AGE] = "MINID",
	};
	const char *strategy = strategies[entry->trim];

	take_up(&pen, buffer);
	gm_redis_array(buffer, 3 + (strategy ? 3 : 0) + (entry->own_ms ? 2 : 0) + 2 * fields);
	gm_buffer_append(buffer, prefix->data, prefix->length);
	if (strategy) {
		bulk(&pen, strategy, strlen(strategy));
		bulk(&pen, "~", 1);
		bulk_integer(&pen, entry->threshold);
	}
	bulk_id(&pen, entry->id);
	if (entry->own_ms) {
		bulk(&pen, "@", 1);
		bulk_integer(&pen, entry->own_ms);
	}
	put_down(&pen);
}

bool gm_redis_xadd(struct gm_buffer *buffer, const struct gm_buffer *prefix,
		   const struct gm_redis_entry *entry, const struct gm_reading *readings,
		   size_t count)
{
	struct pen pen;
	size_t fields = 0;

	for (size_t i = 0; i < count; i++)
		fields += storable(&readings[i]);
	if (fields == 0)
		return false;
	gm_redis_xadd_begin(buffer, prefix, entry, fields);
	take_up(&pen, buffer);
	for (size_t i = 0; i < count; i++) {
		if (storable(&readings[i]))
			field(&pen, &readings[i]);
	}
	put_down(&pen);
	return !buffer->failed;
}
