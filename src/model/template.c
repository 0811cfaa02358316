/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates of messages; see template.h. Policies check theirs when they are loaded, the alarm engine
 * expands them.
 */
#include "model/template.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

const char *const gm_template_names[] = {
	[GM_TEMPLATE_GUEST] = "guest",   [GM_TEMPLATE_PROJECT] = "project",
	[GM_TEMPLATE_ENTITY] = "entity", [GM_TEMPLATE_METRIC] = "metric",
	[GM_TEMPLATE_RULE] = "rule",     [GM_TEMPLATE_SEVERITY] = "severity",
	[GM_TEMPLATE_VALUE] = "value",   [GM_TEMPLATE_LIMIT] = "limit",
	[GM_TEMPLATE_COUNT] = NULL,
};

/* Its place among `names`, or of their end. */
static size_t find(const char *const *names, const char *name, size_t length)
{
	size_t i = 0;

	while (names[i] && (strlen(names[i]) != length || strncmp(names[i], name, length) != 0))
		i++;
	return i;
}

static int refuse_name(const char *const *names, const char *name, size_t length,
		       struct gm_error *err)
{
	struct gm_buffer list = GM_BUFFER_INIT(320);
	char copy[32] = "", quoted[96];

	memcpy(copy, name, length < sizeof(copy) ? length : sizeof(copy) - 1);
	gm_text_quote(quoted, sizeof(quoted), copy);
	for (size_t i = 0; names[i]; i++)
		gm_buffer_printf(&list, "%s{%s}", i ? ", " : "", names[i]);
	gm_error_set(err, -EINVAL, "there is nothing called %s to put in; there are %s", quoted,
		     list.data ? list.data : "");
	gm_buffer_free(&list);
	return -EINVAL;
}

int gm_template_check(const char *text, const char *const *names, size_t *ret_at,
		      struct gm_error *err)
{
	for (size_t i = strcspn(text, "{}"); text[i] != '\0'; i += strcspn(text + i, "{}")) {
		size_t length = strcspn(text + i + 1, "{}");

		*ret_at = i;
		if (text[i] == text[i + 1]) {
			i += 2;
			continue;
		}
		if (text[i] == '}')
			return gm_error_set(err, -EINVAL,
					    "a '}' without its '{'; one that stands "
					    "for itself is written twice");
		if (text[i + 1 + length] != '}')
			return gm_error_set(err, -EINVAL,
					    "a '{' without its '}'; one that stands "
					    "for itself is written twice");
		if (!names[find(names, text + i + 1, length)])
			return refuse_name(names, text + i + 1, length, err);
		i += length + 2;
	}
	return 0;
}

void gm_template_expand(const char *text, const char *const *names, struct gm_buffer *out,
			void (*put)(void *user, size_t name, struct gm_buffer *out), void *user)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "{}");

		gm_buffer_append(out, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		if (text[0] == text[1]) {
			gm_buffer_append(out, text, 1);
			text += 2;
			continue;
		}
		size_t length = strcspn(text + 1, "{}");
		size_t name = find(names, text + 1, length);
		if (*text == '}' || text[1 + length] != '}' || !names[name])
			return;
		put(user, name, out);
		text += length + 2;
	}
}
