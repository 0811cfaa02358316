/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subscriptions of the VNF Fault Management interface: kept in the state, each with an output of its
 * own (north/api/notifier.h) and so with its own position in the journal. Main thread only.
 */
#ifndef GM_DAEMON_SUBSCRIPTIONS_H
#define GM_DAEMON_SUBSCRIPTIONS_H

#include "daemon/outputs.h"
#include "north/api/api.h"
#include "north/api/vnf.h"
#include "state/state.h"

enum { GM_SUBSCRIPTIONS_MAX = 64, GM_SUBSCRIPTIONS_TESTS = 8 };

struct gm_subscriptions;

struct gm_subscriptions_host {
	const struct gm_api_options *options;
	struct gm_state *state;
	struct gm_outputs *outputs;
	/* See struct gm_vnffm_view. */
	bool (*identify)(void *user, const struct gm_alarm *alarm, struct gm_vnf *ret_vnf);
	uint32_t (*revision)(void *user);
	void (*answer)(void *user,
		       struct gm_api_task *task); /* gives a task back, sooner or later */
	void *user;
};

/* Goes on with those that were there. `host` is copied; what it points at outlives the subscriptions. */
int gm_subscriptions_create(const struct gm_subscriptions_host *host,
			    struct gm_subscriptions **ret_subscriptions, struct gm_error *err);

/* Each takes a task, and gives it back. */
void gm_subscriptions_list(struct gm_subscriptions *subscriptions, struct gm_api_task *task);
void gm_subscriptions_show(struct gm_subscriptions *subscriptions, struct gm_api_task *task);
void gm_subscriptions_remove(struct gm_subscriptions *subscriptions, struct gm_api_task *task);

/* Asks the subscriber's endpoint first whether it is there: GET has to be answered by 2xx. */
void gm_subscriptions_add(struct gm_subscriptions *subscriptions, struct gm_api_task *task);

/* Gives all tasks back; free after the outputs. Both NULL-safe. */
void gm_subscriptions_stop(struct gm_subscriptions *subscriptions);
void gm_subscriptions_free(struct gm_subscriptions *subscriptions);

#endif
