/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over jansson; see json.h. Adds to it: NULL-tolerance, replacement of malformed UTF-8, null for
 * numbers that JSON cannot hold.
 */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static json_t *value_of(struct gm_json *value)
{
	return (json_t *)value;
}

static const json_t *const_of(const struct gm_json *value)
{
	return (const json_t *)value;
}

struct gm_json *gm_json_object(void)
{
	return (struct gm_json *)json_object();
}

struct gm_json *gm_json_array(void)
{
	return (struct gm_json *)json_array();
}

void gm_json_free(struct gm_json *value)
{
	json_decref(value_of(value));
}

struct gm_json *gm_json_text(const char *text)
{
	if (!text)
		return (struct gm_json *)json_null();
	json_t *value = json_string(text); /* NULL for malformed UTF-8 */
	if (value)
		return (struct gm_json *)value;
	size_t size = 3 * strlen(text) + 1;
	char *clean = malloc(size);
	if (!clean)
		return NULL;
	gm_text_copy(clean, size, text);
	value = json_string(clean);
	free(clean);
	return (struct gm_json *)value;
}

struct gm_json *gm_json_number(double number)
{
	return (struct gm_json *)(isfinite(number) ? json_real(number) : json_null());
}

struct gm_json *gm_json_integer(int64_t number)
{
	return (struct gm_json *)json_integer(number);
}

void gm_json_set(struct gm_json *object, const char *key, struct gm_json *value)
{
	json_object_set_new(value_of(object), key, value_of(value));
}

void gm_json_set_text(struct gm_json *object, const char *key, const char *text)
{
	gm_json_set(object, key, gm_json_text(text));
}

void gm_json_set_integer(struct gm_json *object, const char *key, int64_t number)
{
	gm_json_set(object, key, gm_json_integer(number));
}

void gm_json_set_number(struct gm_json *object, const char *key, double number)
{
	gm_json_set(object, key, gm_json_number(number));
}

void gm_json_set_bool(struct gm_json *object, const char *key, bool flag)
{
	gm_json_set(object, key, (struct gm_json *)json_boolean(flag));
}

void gm_json_append(struct gm_json *array, struct gm_json *value)
{
	json_array_append_new(value_of(array), value_of(value));
}

const struct gm_json *gm_json_get(const struct gm_json *object, const char *key)
{
	return (const struct gm_json *)json_object_get(const_of(object), key);
}

const char *gm_json_get_text(const struct gm_json *object, const char *key)
{
	return gm_json_value_text(gm_json_get(object, key));
}

double gm_json_get_number(const struct gm_json *object, const char *key, double otherwise)
{
	return gm_json_value_number(gm_json_get(object, key), otherwise);
}

int64_t gm_json_get_integer(const struct gm_json *object, const char *key, int64_t otherwise)
{
	const json_t *value = const_of(gm_json_get(object, key));
	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool gm_json_get_bool(const struct gm_json *object, const char *key)
{
	return json_is_true(const_of(gm_json_get(object, key)));
}

bool gm_json_is_object(const struct gm_json *value)
{
	return json_is_object(const_of(value));
}

bool gm_json_is_array(const struct gm_json *value)
{
	return json_is_array(const_of(value));
}

bool gm_json_is_null(const struct gm_json *value)
{
	return json_is_null(const_of(value));
}

size_t gm_json_size(const struct gm_json *value)
{
	const json_t *json = const_of(value);
	return json_is_array(json) ? json_array_size(json) : json_object_size(json);
}

const struct gm_json *gm_json_at(const struct gm_json *array, size_t index)
{
	return (const struct gm_json *)json_array_get(const_of(array), index);
}

const char *gm_json_value_text(const struct gm_json *value)
{
	return json_string_value(const_of(value));
}

double gm_json_value_number(const struct gm_json *value, double otherwise)
{
	return json_is_number(const_of(value)) ? json_number_value(const_of(value)) : otherwise;
}

bool gm_json_next(const struct gm_json *object, void **iterator, const char **ret_key,
		  const struct gm_json **ret_value)
{
	json_t *json = (json_t *)(uintptr_t)object; /* jansson's iterators take no const */
	*iterator = *iterator ? json_object_iter_next(json, *iterator) : json_object_iter(json);
	if (!*iterator)
		return false;
	*ret_key = json_object_iter_key(*iterator);
	*ret_value = (const struct gm_json *)json_object_iter_value(*iterator);
	return true;
}

int gm_json_parse(const char *text, size_t length, struct gm_json **ret_value, struct gm_error *err)
{
	json_error_t error;
	json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value) {
		char reason[sizeof(error.text)];
		gm_text_copy(reason, sizeof(reason), error.text);
		return gm_error_set(err, -EINVAL, "not JSON: line %d, column %d: %s", error.line,
				    error.column, reason);
	}
	*ret_value = (struct gm_json *)value;
	return 0;
}

static int append_piece(const char *data, size_t length, void *user)
{
	struct gm_buffer *buffer = user;
	gm_buffer_append(buffer, data, length);
	return buffer->failed ? -1 : 0;
}

int gm_json_write(const struct gm_json *value, int indent, struct gm_buffer *buffer)
{
	size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(16) |
		       (indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT);
	if (!value || json_dump_callback(const_of(value), append_piece, buffer, flags) < 0)
		return -ENOMEM;
	return 0;
}
