/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Tacker has registered (north/api/healer.h): kept in the state, each with an output of its own. Main
 * thread only.
 */
#ifndef GM_DAEMON_REGISTRATIONS_H
#define GM_DAEMON_REGISTRATIONS_H

#include "daemon/outputs.h"
#include "north/api/api.h"
#include "north/api/healer.h"
#include "state/state.h"

enum { GM_REGISTRATIONS_MAX = 512 };

struct gm_registrations;

struct gm_registrations_host {
	const struct gm_healer_options *options;
	const struct gm_http_transport *transport;
	struct gm_state *state;
	struct gm_outputs *outputs;
};

/* Goes on with those that were there. `host` is copied; what it points at outlives the registrations. */
int gm_registrations_create(const struct gm_registrations_host *host,
			    struct gm_registrations **ret_registrations, struct gm_error *err);

/* Each fills the task's reply. Arguments: tenant, server; of the second the alarm_id as well. */
void gm_registrations_add(struct gm_registrations *registrations, struct gm_api_task *task);
void gm_registrations_remove(struct gm_registrations *registrations, struct gm_api_task *task);

/* After the outputs. NULL-safe. */
void gm_registrations_free(struct gm_registrations *registrations);

#endif
