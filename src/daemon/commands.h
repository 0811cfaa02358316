/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon answers to each control command, as JSON. Times are numbers of seconds since the
 * epoch; unknown values are left out.
 */
#ifndef GM_DAEMON_COMMANDS_H
#define GM_DAEMON_COMMANDS_H

#include "daemon/control.h"
#include "daemon/pipeline.h"
#include "daemon/user_names.h"

struct gm_commands {
	struct gm_pipeline *pipeline;
	/* Reads the configuration file again; with `apply`, goes over to it. */
	int (*reload)(void *user, bool apply, struct gm_error *err);
	void *user;
	struct gm_user_names *names; /* of those who ask; NULL: by their numbers */
};

/* gm_control_host.answer; `user` is a struct gm_commands. */
struct gm_json *gm_commands_answer(void *user, const struct gm_ctl_command *command,
				   const struct gm_json *request, struct gm_control_asker *asker,
				   struct gm_error *err);

#endif
