/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates of messages; see template.h. Policies check theirs when they are loaded, the alarm engine
 * expands them.
 */
#include "model/template.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static const char *const names[GM_TEMPLATE_COUNT] = {
	[GM_TEMPLATE_GUEST] = "guest",   [GM_TEMPLATE_PROJECT] = "project",
	[GM_TEMPLATE_ENTITY] = "entity", [GM_TEMPLATE_METRIC] = "metric",
	[GM_TEMPLATE_RULE] = "rule",     [GM_TEMPLATE_SEVERITY] = "severity",
	[GM_TEMPLATE_VALUE] = "value",   [GM_TEMPLATE_LIMIT] = "limit",
};

static int find(const char *name, size_t length)
{
	for (int i = 0; i < GM_TEMPLATE_COUNT; i++) {
		if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
			return i;
	}
	return -1;
}

static int refuse_name(const char *name, size_t length, struct gm_error *err)
{
	struct gm_buffer list = GM_BUFFER_INIT(256);
	char copy[32] = "", quoted[96];

	memcpy(copy, name, length < sizeof(copy) ? length : sizeof(copy) - 1);
	gm_text_quote(quoted, sizeof(quoted), copy);
	for (int i = 0; i < GM_TEMPLATE_COUNT; i++)
		gm_buffer_printf(&list, "%s{%s}", i ? ", " : "", names[i]);
	gm_error_set(err, -EINVAL, "there is nothing called %s to put in; there are %s", quoted,
		     list.data ? list.data : "");
	gm_buffer_free(&list);
	return -EINVAL;
}

int gm_template_check(const char *text, size_t *ret_at, struct gm_error *err)
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
		if (find(text + i + 1, length) < 0)
			return refuse_name(text + i + 1, length, err);
		i += length + 2;
	}
	return 0;
}

void gm_template_expand(const char *text, struct gm_buffer *out,
			void (*put)(void *user, enum gm_template_name name, struct gm_buffer *out),
			void *user)
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
		int name = find(text + 1, length);
		if (*text == '}' || text[1 + length] != '}' || name < 0)
			return;
		put(user, (enum gm_template_name)name, out);
		text += length + 2;
	}
}
