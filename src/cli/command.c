/* SPDX-License-Identifier: Apache-2.0 */
/* See command.h. Called by main.c and the files of single commands. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>

#include "base/option.h"
#include "ctl/ctl.h"

int gm_command_ask(const char *socket, struct gm_json *request, struct gm_json **ret_reply)
{
	struct gm_error err;
	int result = gm_ctl_check(request, &err) ? 0 : -EINVAL;

	if (result == 0)
		result = gm_ctl_call(socket, request, GM_COMMAND_TIMEOUT, ret_reply, &err);
	gm_json_free(request);
	if (result < 0)
		fprintf(stderr, "guestmonctl: %s\n", err.text);
	return result;
}

void gm_command_print(const struct gm_json *json)
{
	struct gm_buffer text = GM_BUFFER_INIT(2 * (size_t)GM_CTL_REPLY_MAX);

	if (gm_json_write(json, 2, &text) == 0)
		puts(text.data);
	gm_buffer_free(&text);
}

int gm_command_since(const char *text, int64_t *ret_since, struct gm_error *err)
{
	static const struct gm_option table[] = {
		{.key = "since",
		 .type = GM_OPTION_DURATION,
		 .size = sizeof(*ret_since),
		 .min = 0,
		 .max = 365 * 86400e9,
		 .fallback = "0"},
		GM_OPTION_END,
	};

	return gm_option_set(table, ret_since, "since", text, err);
}
