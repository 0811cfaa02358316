/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main thread's end of the HTTP face (north/api/api.h): what its requests ask of the daemon. Main
 * thread only.
 */
#ifndef GM_DAEMON_GATEWAY_H
#define GM_DAEMON_GATEWAY_H

#include <uv.h>

#include "daemon/commands.h"
#include "daemon/config.h"
#include "state/state.h"

struct gm_gateway;

/*
 * Goes on with what others have registered, before the pipeline starts (daemon/outputs.h); nothing where
 * `config` switches the face off. `commands` outlives the gateway. What was made is stopped and freed also
 * after a failure.
 */
int gm_gateway_create(const struct gm_config *config, struct gm_state *state,
		      struct gm_commands *commands, struct gm_gateway **ret_gateway,
		      struct gm_error *err);

/* Serves. */
int gm_gateway_start(struct gm_gateway *gateway, uv_loop_t *loop, struct gm_error *err);

/* Ends what is under way; free after the pipeline. Both NULL-safe. */
void gm_gateway_stop(struct gm_gateway *gateway);
void gm_gateway_free(struct gm_gateway *gateway);

#endif
