/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control protocol between guestmonctl and the daemon: one JSON object a line over a unix socket,
 * {"command": "...", ...arguments} → {"ok": true, ...} or {"ok": false, "error": "..."}, with "invalid": true
 * where the request itself is wrong.
 */
#ifndef GM_CTL_CTL_H
#define GM_CTL_CTL_H

#include "base/error.h"
#include "base/json.h"

enum { GM_CTL_REQUEST_MAX = 65536, GM_CTL_REPLY_MAX = 64 << 20, GM_CTL_CLIENTS = 32 };

/* The commands that the daemon answers; one table for both ends. */
struct gm_ctl_command {
	const char *name;
	const char *arguments; /* allowed members beside "command", separated by spaces */
	const char *help;
};
extern const struct gm_ctl_command gm_ctl_commands[]; /* name NULL at the end */

/* Checks a request against the table. Returns the table's line, or NULL with a message. */
const struct gm_ctl_command *gm_ctl_check(const struct gm_json *request, struct gm_error *err);

/*
 * Client: sends `request` to `socket_path` and waits up to `timeout_ms` for the reply. 0 with a reply
 * whose "ok" is true; -EREMOTEIO with the daemon's own error text, -EINVAL where it
 * says that the request is wrong; another negative errno when the
 * daemon cannot be reached (the message says how to mend it).
 */
int gm_ctl_call(const char *socket_path, const struct gm_json *request, int timeout_ms,
		struct gm_json **ret_reply, struct gm_error *err);

#endif
