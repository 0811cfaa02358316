/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions by Nova's API (version 2.1): POST /servers/{id}/action, PUT /os-services/disable-log-reason; see
 * nova_action.h. Called through its ops.
 */
#include "north/openstack/nova_action.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "north/message.h"
#include "north/openstack/cloud_action.h"

enum action { LIVE_MIGRATE, SET_ERROR, SET_ACTIVE, EVACUATE_HINT };

static const char *const actions[] = {"live-migrate", "set-error", "set-active", "evacuate-hint",
				      NULL};

struct options {
	struct gm_cloud_action_options common;
	int action; /* enum action */
	bool block_migration;
	char host[GM_NAME_SIZE];
};

static const struct gm_option option_table[] = {
	{.key = "action",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, action),
	 .fallback = "live-migrate",
	 .choices = actions,
	 .help = "What is done. To the alarm's guest: live-migrate lets Nova choose another node; "
		 "set-error and set-active set the state that Nova shows. For an alarm of the node "
		 "itself, whose rules have to be named: evacuate-hint disables its compute service "
		 "in Nova, with the alarm as the reason; nothing is evacuated by it."},
	{.key = "block-migration",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct options, block_migration),
	 .fallback = "no",
	 .help = "Migrate the disks as well, where nodes have no storage in common."},
	{.key = "host",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, host),
	 .fallback = "",
	 .help = "What Nova calls this node, for evacuate-hint; empty: the node's name."},
	GM_CLOUD_ACTION_OPTIONS(struct options, common),
	GM_OPTION_END,
};

static bool name_action(const void *all, const struct gm_alarm *alarm, char *name, size_t size)
{
	const struct options *options = all;

	gm_text_copy(name, size, actions[options->action]);
	return options->action == EVACUATE_HINT ? gm_action_is_of_node(alarm)
						: gm_alarm_has_guest(alarm);
}

static struct gm_json *make_migration(const struct options *options)
{
	struct gm_json *body = gm_json_object(), *migration = gm_json_object();

	gm_json_set_text(migration, "host", NULL);
	gm_json_set_bool(migration, "block_migration", options->block_migration);
	gm_json_set_bool(migration, "disk_over_commit", false);
	gm_json_set(body, "os-migrateLive", migration);
	return body;
}

static struct gm_json *make_state(const char *state)
{
	struct gm_json *body = gm_json_object(), *reset = gm_json_object();

	gm_json_set_text(reset, "state", state);
	gm_json_set(body, "os-resetState", reset);
	return body;
}

static void ask_to_disable(const struct options *options, const struct gm_message *message,
			   struct gm_cloud_action_request *request)
{
	char reason[256], text[512]; /* Nova takes 255 characters */

	snprintf(text, sizeof(text), "guestmon %s: %s", message->key,
		 message->transition->alarm.text);
	gm_text_copy(reason, sizeof(reason), text);
	request->method = "PUT";
	gm_text_copy(request->path, sizeof(request->path), "/v2.1/os-services/disable-log-reason");
	request->body = gm_json_object();
	gm_json_set_text(request->body, "host",
			 options->host[0] != '\0' ? options->host : message->node);
	gm_json_set_text(request->body, "binary", "nova-compute");
	gm_json_set_text(request->body, "disabled_reason", reason);
}

static void ask(const void *all, const struct gm_message *message,
		struct gm_cloud_action_request *request)
{
	const struct options *options = all;
	char guest[GM_UUID_TEXT];

	if (options->action == EVACUATE_HINT) {
		ask_to_disable(options, message, request);
		return;
	}
	snprintf(request->path, sizeof(request->path), "/v2.1/servers/%s/action",
		 gm_uuid_text(message->transition->alarm.guest, guest));
	if (options->action == LIVE_MIGRATE)
		request->body = make_migration(options);
	else
		request->body = make_state(options->action == SET_ERROR ? "error" : "active");
}

/*
 * 409 says that the guest's state does not allow it now: that may pass, and it is tried again. Not so while somebody
 * moves the guest, for it is wanted elsewhere, and that is where it goes: tried again once it has arrived, it would be
 * moved a second time, perhaps back. Told apart by words alone. Those of a rebuild are not among them: an evacuation has
 * them, but that is from a node that is down, and so has a rebuild in place, after which the guest is still here.
 */
static void judge(int status, struct gm_action_answer *answer)
{
	static const char *const moves[] = {"task_state migrating", "task_state resize_"};

	for (size_t i = 0; status == 409 && answer->text && i < sizeof(moves) / sizeof(moves[0]);
	     i++)
		if (strstr(answer->text, moves[i]))
			answer->outcome = GM_ACTION_IN_VAIN;
}

static const char *const service_types[] = {"compute", NULL};

static const struct gm_cloud_action_kind kind = {
	.ops = {GM_CLOUD_ACTION_OPS},
	.options_size = sizeof(struct options),
	.service_types = service_types,
	.version = "/v2.1",
	.name = name_action,
	.ask = ask,
	.judge = judge,
};

static int check(const void *all, struct gm_error *err)
{
	const struct options *options = all;
	int rc = options->action == EVACUATE_HINT
			 ? gm_action_check_rules(&options->common.action,
						 "the node is to be emptied", err)
			 : 0;

	return rc == 0 ? gm_cloud_action_check(&options->common, err) : rc;
}

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	return gm_action_create(&kind.ops, options, host, ret_output, err);
}

const struct gm_output_ops gm_nova_action_output = {
	.type = "nova-action",
	.help = "Actions on a guest, or on its node, by OpenStack's Nova: never more than a line "
		"in "
		"the journal of actions while dry-run is on.",
	.options = option_table,
	.options_size = sizeof(struct options),
	.check = check,
	.files = gm_cloud_action_files,
	.create = create,
	GM_ACTION_OUTPUT_OPS,
};
