/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates of messages: text with {names} in it, from an operator's file. A brace that stands for
 * itself is written twice. What stands in a name's place is quoted where it comes from a guest; that is the
 * business of whoever expands. The names are the caller's; those of an alarm's message are here.
 */
#ifndef GM_MODEL_TEMPLATE_H
#define GM_MODEL_TEMPLATE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

enum gm_template_name {
	GM_TEMPLATE_GUEST,
	GM_TEMPLATE_PROJECT,
	GM_TEMPLATE_ENTITY,
	GM_TEMPLATE_METRIC,
	GM_TEMPLATE_RULE,
	GM_TEMPLATE_SEVERITY,
	GM_TEMPLATE_VALUE,
	GM_TEMPLATE_LIMIT,
	GM_TEMPLATE_COUNT
};
extern const char *const gm_template_names[]; /* by number, NULL at the end */

/*
 * `names` ends with NULL. 0; -EINVAL: a brace without its partner or a name that there is none of, at
 * `*ret_at` bytes.
 */
int gm_template_check(const char *text, const char *const *names, size_t *ret_at,
		      struct gm_error *err);

/*
 * Appends the text, `put` for each name with its place among `names`. A text that gm_template_check()
 * refuses is cut where it is wrong.
 */
void gm_template_expand(const char *text, const char *const *names, struct gm_buffer *out,
			void (*put)(void *user, size_t name, struct gm_buffer *out), void *user);

#endif
