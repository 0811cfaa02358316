/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control server: the daemon's end of ctl/ctl.h on the main loop. Bounded clients, request and
 * reply sizes, and idle time; a malformed request gets an error and the connection lives on, an
 * over-long one is told so and closed.
 */
#ifndef GM_DAEMON_CONTROL_H
#define GM_DAEMON_CONTROL_H

#include <uv.h>

#include "base/error.h"
#include "base/json.h"
#include "ctl/ctl.h"

struct gm_control;

struct gm_control_host {
	/*
	 * Answers a checked request: returns the reply's object without "ok", or NULL with a message.
	 */
	struct gm_json *(*answer)(void *user, const struct gm_ctl_command *command,
				  const struct gm_json *request, struct gm_error *err);
	void *user;
};

/*
 * Listens at `path` (mode 0660). A socket that nobody answers on is replaced; -EADDRINUSE: another
 * daemon answers there, or something that is no socket is in the way.
 */
int gm_control_start(uv_loop_t *loop, const char *path, const struct gm_control_host *host,
		     struct gm_control **ret_control, struct gm_error *err);

/* Closes all; free once the loop has run dry. Removes the socket. */
void gm_control_stop(struct gm_control *control);
void gm_control_free(struct gm_control *control);

#endif
