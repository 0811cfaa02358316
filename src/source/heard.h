/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one source has heard of entities that others tell of: a value of one size for each, bounded, under a
 * lock. Any thread, but for free(). What has no room or no memory is not kept, as if it had not been told.
 */
#ifndef GM_SOURCE_HEARD_H
#define GM_SOURCE_HEARD_H

#include <stddef.h>

#include "model/entity.h"

enum { GM_HEARD_MAX = 16384 };

struct gm_heard;

/* `size`: of a value in bytes; 0: which entities there are is all. Returns 0 or a negative errno. */
int gm_heard_create(size_t size, struct gm_heard **ret_heard);
void gm_heard_free(struct gm_heard *heard); /* NULL-safe */

/* Copies `size` bytes. */
void gm_heard_put(struct gm_heard *heard, const struct gm_entity_key *key, const void *value);
void gm_heard_drop(struct gm_heard *heard, const struct gm_entity_key *key);

/* Copies the value; false, and nothing copied, where there is none. `ret_value` may be NULL. */
bool gm_heard_get(struct gm_heard *heard, const struct gm_entity_key *key, void *ret_value);

/* Never 0, and another one whenever an entity has come or gone or has another value. */
uint64_t gm_heard_version(struct gm_heard *heard);

/* How many values are what is wanted, and the key of one of them. is() is called under the lock. */
size_t gm_heard_find(struct gm_heard *heard, bool (*is)(const void *value, const void *wanted),
		     const void *wanted, struct gm_entity_key *ret_key);

#endif
