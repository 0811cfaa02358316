/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables: one line per option, from which come parsing, range checks, defaults, messages, the
 * sample configuration, the man page and `--help`. A table describes one plain struct; it is used for
 * a section of the configuration file, for a detector's options and for `--set key=value`.
 */
#ifndef GM_BASE_OPTION_H
#define GM_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum gm_option_type {
	GM_OPTION_BOOL,     /* bool: true false yes no on off */
	GM_OPTION_INT,      /* int64_t */
	GM_OPTION_NUMBER,   /* double */
	GM_OPTION_LIMIT,    /* double: a number, 512 64k 10M 1Gi too; none: NaN */
	GM_OPTION_DURATION, /* int64_t ns: 1ms 250us 0.1s 10m 2h 3d; a bare number is seconds */
	GM_OPTION_SIZE,     /* int64_t bytes: 512 64k 10M 1Gi (k = 1000, Ki = 1024) */
	GM_OPTION_BITRATE,  /* int64_t bit/s: 10M 1G 2.5G (powers of 1000) */
	GM_OPTION_TEXT,     /* char[size] inside the struct; too long is an error */
	GM_OPTION_CHOICE,   /* int: index into `choices` */
};

struct gm_option {
	const char *key; /* lower case, words joined by '-' */
	enum gm_option_type type;
	size_t offset, size; /* of the member; see GM_OPTION_AT */
	double min,
		max; /* of the stored number, in its unit; ignored for bool, text, choice, limit */
	const char *fallback;       /* the default, as text, always valid */
	const char *help;           /* one sentence, with the unit's meaning */
	const char *const *choices; /* GM_OPTION_CHOICE: NULL-terminated */
	bool is_file; /* GM_OPTION_TEXT: names a file whose contents are a setting like this one */
};

#define GM_OPTION_AT(structure, member) \
	.offset = offsetof(structure, member), .size = sizeof(((structure *)0)->member)

/* A table ends with a line whose key is NULL. */
#define GM_OPTION_END       \
	{                   \
		.key = NULL \
	}

/* Writes every default into `target`. */
void gm_option_defaults(const struct gm_option *table, void *target);

/* The table's line for `key`, or NULL. */
const struct gm_option *gm_option_find(const struct gm_option *table, const char *key);

/*
 * Parses `text` into the member for `key`. -ENOENT: no such key (the message lists the keys);
 * -EINVAL: not of the type; -ERANGE: out of range, too long or not a choice. The message says what is
 * allowed. `target` is unchanged on failure.
 */
int gm_option_set(const struct gm_option *table, void *target, const char *key, const char *text,
		  struct gm_error *err);

/* Appends "a duration from 1ms to 1h" and the like: what the option accepts. Returns `text`. */
char *gm_option_describe(const struct gm_option *option, char *text, size_t size);

/* The member's present value as text that gm_option_set() reads back. Returns `text`. */
char *gm_option_format(const struct gm_option *option, const void *target, char *text, size_t size);

#endif
