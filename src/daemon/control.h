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

/* Whose answer it is. */
struct gm_control_asker;

enum {
	GM_CONTROL_DEFERRED_MAX = 8, /* answers that are owed at once */
	GM_CONTROL_DEFERRED_MS = 5000,
};

struct gm_control_host {
	/*
	 * Answers a checked request: returns the reply's object without "ok", or NULL with a message, or
	 * NULL after gm_control_defer().
	 */
	struct gm_json *(*answer)(void *user, const struct gm_ctl_command *command,
				  const struct gm_json *request, struct gm_control_asker *asker,
				  struct gm_error *err);
	void *user;
};

/*
 * Within answer(): the answer comes later, by gm_control_answer(), which must not be called before answer()
 * has returned. Other clients are served meanwhile. Where the client goes away, the server stops, or
 * GM_CONTROL_DEFERRED_MS have gone by, `cancel` is called instead: then there must be no answer any more.
 * -EBUSY with a message: too many are owed.
 */
int gm_control_defer(struct gm_control_asker *asker, void (*cancel)(void *deferred), void *deferred,
		     struct gm_error *err);

/* `reply` (taken) as from answer(); NULL: an error with the text of `err`. */
void gm_control_answer(struct gm_control_asker *asker, struct gm_json *reply,
		       const struct gm_error *err);

/*
 * The same with a reply that is long: `make` makes it, and it is written down, on another thread, which has
 * `work` to itself; NULL: out of memory. `release` is then called on the loop, whether somebody still waits
 * or not; `cancel` no more.
 */
void gm_control_answer_apart(struct gm_control_asker *asker, struct gm_json *(*make)(void *work),
			     void (*release)(void *work), void *work);

/* The user that the kernel says is at the other end (SO_PEERCRED). -1: it does not say. */
int64_t gm_control_uid(const struct gm_control_asker *asker);

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
