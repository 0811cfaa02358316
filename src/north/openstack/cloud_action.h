/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions that are one request to an OpenStack service: a kind says which service, what it asks and what
 * an answer means; north/action.h decides whether it is asked at all.
 */
#ifndef GM_NORTH_OPENSTACK_CLOUD_ACTION_H
#define GM_NORTH_OPENSTACK_CLOUD_ACTION_H

#include "base/json.h"
#include "north/action.h"
#include "north/openstack/cloud.h"

/* A kind's option struct begins with this. */
struct gm_cloud_action_options {
	struct gm_action_options action;
	struct gm_cloud_options cloud;
};
#define GM_CLOUD_ACTION_OPTIONS(structure, at) \
	GM_ACTION_OPTIONS(structure, at.action), GM_CLOUD_OPTIONS(structure, at.cloud)

enum { GM_CLOUD_ACTION_PATH = 128, GM_CLOUD_ACTION_BODY = 128 << 10 };

struct gm_cloud_action_request {
	const char *output;              /* the name of the instance that asks */
	const char *method;              /* "POST" at first */
	char path[GM_CLOUD_ACTION_PATH]; /* below the endpoint, with the version */
	struct gm_json *body;            /* made by ask(); NULL: out of memory */
};

struct gm_cloud_action_kind {
	struct gm_action_ops ops; /* repeatable, and what GM_CLOUD_ACTION_OPS says */
	size_t options_size;
	const char *const *service_types; /* as in gm_keystone_service */
	const char *version;
	const char *receipt[2]; /* where a good answer names what was made: a member of a member */
	/* As gm_action_ops.name(). */
	bool (*name)(const void *options, const struct gm_alarm *alarm, char *name, size_t size);
	void (*ask)(const void *options, const struct gm_message *message,
		    struct gm_cloud_action_request *request);
	/* What else than its status an answer means; may be NULL. `answer->text` is the service's own. */
	void (*judge)(int status, struct gm_action_answer *answer);
};
#define GM_CLOUD_ACTION_OPS                                               \
	.create = gm_cloud_action_create, .name = gm_cloud_action_name,   \
	.perform = gm_cloud_action_perform, .tick = gm_cloud_action_tick, \
	.close = gm_cloud_action_close

/* For check() of gm_output_ops. */
int gm_cloud_action_check(const struct gm_cloud_action_options *options, struct gm_error *err);

/* For files(). */
void gm_cloud_action_files(const void *options, gm_output_file_fn *each, void *user);

/* ---- GM_CLOUD_ACTION_OPS ---- */

int gm_cloud_action_create(const struct gm_action_ops *ops, const void *options,
			   const struct gm_action_host *host, struct gm_action **ret_action,
			   struct gm_error *err);
bool gm_cloud_action_name(const struct gm_action *action, const struct gm_alarm *alarm, char *name,
			  size_t size);
void gm_cloud_action_perform(struct gm_action *action, const struct gm_message *message);
void gm_cloud_action_tick(struct gm_action *action, int64_t now);
void gm_cloud_action_close(struct gm_action *action);

#endif
