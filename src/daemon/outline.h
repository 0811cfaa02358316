/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things stand in a configuration file: the line of every section and key. libcyaml loads the
 * values but keeps no positions, so that the messages take theirs from here.
 *
 * Reading an outline also refuses, with the line, what is no list of sections of keys with plain
 * values: broken YAML, lists, deeper nesting, duplicates, anchors, aliases, tags, a second document.
 * It knows no section and no key by name.
 */
#ifndef GM_DAEMON_OUTLINE_H
#define GM_DAEMON_OUTLINE_H

#include <stddef.h>

#include "base/error.h"

enum { GM_OUTLINE_ENTRIES = 1000 }; /* most that a file may hold */

struct gm_outline_entry {
	char *section;
	char *key; /* NULL: the section itself */
	size_t line;
};

struct gm_outline {
	size_t count;
	struct gm_outline_entry entries[GM_OUTLINE_ENTRIES]; /* in the order of the file */
};

/* -EINVAL with "NAME:LINE: …", or -ENOMEM. */
int gm_outline_read(const char *name, const char *text, size_t length,
		    struct gm_outline **ret_outline, struct gm_error *err);
void gm_outline_free(struct gm_outline *outline);

/* The line of a key (NULL: of the section); 0 when the file has none. */
size_t gm_outline_line(const struct gm_outline *outline, const char *section, const char *key);

#endif
