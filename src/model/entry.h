/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message of named fields as somebody outside wrote it: any bytes, not terminated, not checked. The
 * transport fills it, whoever understands the fields judges it.
 */
#ifndef GM_MODEL_ENTRY_H
#define GM_MODEL_ENTRY_H

#include <stddef.h>
#include <stdint.h>

enum { GM_ENTRY_FIELDS = 32 };

struct gm_entry_field {
	const char *name, *value; /* borrowed; may hold NULs */
	size_t name_length, value_length;
};

struct gm_entry {
	uint64_t ms, sequence; /* its id: when it was written, and which within that ms */
	size_t count;          /* that it has; only the first GM_ENTRY_FIELDS are in `fields` */
	struct gm_entry_field fields[GM_ENTRY_FIELDS];
};

#endif
