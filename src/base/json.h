/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values, a thin face over jansson, which no other folder includes. Reading is bounded (depth,
 * size by the caller's buffer) and refuses duplicate keys; writing replaces malformed UTF-8.
 *
 * A `struct gm_json` is a jansson value. Constructors and gm_json_parse() return a value that the
 * caller owns and frees; the setters and gm_json_append() take the value they are given, also on
 * failure; the getters return borrowed values. Out of memory: constructors return NULL, and every
 * function accepts NULL, so a tree is built without checks and gm_json_write() reports at the end.
 */
#ifndef GM_BASE_JSON_H
#define GM_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct gm_json;

struct gm_json *gm_json_object(void);
struct gm_json *gm_json_array(void);
void gm_json_free(struct gm_json *value);

void gm_json_set(struct gm_json *object, const char *key, struct gm_json *value);
void gm_json_set_text(struct gm_json *object, const char *key,
		      const char *text); /* NULL: JSON null */
void gm_json_set_integer(struct gm_json *object, const char *key, int64_t number);
void gm_json_set_number(struct gm_json *object, const char *key,
			double number); /* not finite: null */
void gm_json_set_bool(struct gm_json *object, const char *key, bool flag);
void gm_json_append(struct gm_json *array, struct gm_json *value);
struct gm_json *gm_json_text(const char *text);
struct gm_json *gm_json_number(double number);
struct gm_json *gm_json_integer(int64_t number);

/* Getters: NULL, `otherwise` or false when the key is absent or of another type. */
const struct gm_json *gm_json_get(const struct gm_json *object, const char *key);
const char *gm_json_get_text(const struct gm_json *object, const char *key);
double gm_json_get_number(const struct gm_json *object, const char *key, double otherwise);
int64_t gm_json_get_integer(const struct gm_json *object, const char *key, int64_t otherwise);
bool gm_json_get_bool(const struct gm_json *object, const char *key);
bool gm_json_is_object(const struct gm_json *value);
bool gm_json_is_array(const struct gm_json *value);
bool gm_json_is_null(const struct gm_json *value); /* the value, not NULL */
size_t gm_json_size(const struct gm_json *value);  /* members of an object or array, else 0 */
const struct gm_json *gm_json_at(const struct gm_json *array, size_t index);
const char *gm_json_value_text(const struct gm_json *value); /* NULL when not a string */
double gm_json_value_number(const struct gm_json *value, double otherwise);

/* Walks an object in insertion order: start with `iterator` NULL; false at the end. */
bool gm_json_next(const struct gm_json *object, void **iterator, const char **ret_key,
		  const struct gm_json **ret_value);

/* Parses exactly one value. -EINVAL with line and column in the message. */
int gm_json_parse(const char *text, size_t length, struct gm_json **ret_value,
		  struct gm_error *err);

/* Appends one line (no newline) or, with `indent` > 0, an indented form. 0 or -ENOMEM. */
int gm_json_write(const struct gm_json *value, int indent, struct gm_buffer *buffer);

#endif
