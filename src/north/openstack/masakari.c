/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/notifications of Masakari's API (https://docs.openstack.org/api-ref/instance-ha/); see
 * masakari.h. Called through its ops.
 */
#include "north/openstack/masakari.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/message.h"
#include "north/openstack/cloud_action.h"

enum notify { NOTIFY_VM, NOTIFY_HOST };

static const char *const notify_choices[] = {"vm", "compute-host", NULL};

struct options {
	struct gm_cloud_action_options common;
	int notify; /* enum notify */
	char host[GM_NAME_SIZE];
	char event[64];
};

static const struct gm_option option_table[] = {
	{.key = "notify",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, notify),
	 .fallback = "vm",
	 .choices = notify_choices,
	 .help = "The notification's type: vm, for alarms of guests, whereupon Masakari stops and "
		 "starts the guest; compute-host, for alarms of the node itself, whereupon it "
		 "evacuates "
		 "the node's guests. The rules have to be named."},
	{.key = "host",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, host),
	 .fallback = "",
	 .help = "The node's name as a host of a Masakari segment; empty: the node's name."},
	{.key = "vm-event",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, event),
	 .fallback = "STOPPED_FAILED",
	 .help = "The vir_domain_event that stands in a notification about a guest."},
	GM_CLOUD_ACTION_OPTIONS(struct options, common),
	GM_OPTION_END,
};

static bool name_action(const void *all, const struct gm_alarm *alarm, char *name, size_t size)
{
	const struct options *options = all;

	snprintf(name, size, "notify %s", notify_choices[options->notify]);
	return options->notify == NOTIFY_HOST ? gm_action_is_of_node(alarm)
					      : gm_alarm_has_guest(alarm);
}

static struct gm_json *make_vm_payload(const struct options *options, const struct gm_alarm *alarm)
{
	char guest[GM_UUID_TEXT];
	struct gm_json *payload = gm_json_object();

	gm_json_set_text(payload, "instance_uuid", gm_uuid_text(alarm->guest, guest));
	gm_json_set_text(payload, "vir_domain_event", options->event);
	gm_json_set_text(payload, "event", "LIFECYCLE");
	return payload;
}

/* Masakari does nothing about a host whose status is another than NORMAL: whether it was fenced is not known then. */
static struct gm_json *make_host_payload(void)
{
	struct gm_json *payload = gm_json_object();

	gm_json_set_text(payload, "event", "STOPPED");
	gm_json_set_text(payload, "host_status", "NORMAL");
	gm_json_set_text(payload, "cluster_status", "OFFLINE");
	return payload;
}

static void ask(const void *all, const struct gm_message *message,
		struct gm_cloud_action_request *request)
{
	const struct options *options = all;
	const struct gm_transition *transition = message->transition;
	char time[GM_TIME_TEXT], when[GM_TIME_TEXT];

	/* In whole seconds. */
	snprintf(when, sizeof(when), "%.19sZ",
		 gm_time_format(transition->time, time, sizeof(time)));
	gm_text_copy(request->path, sizeof(request->path), "/v1/notifications");
	struct gm_json *notification = gm_json_object();
	gm_json_set_text(notification, "type",
			 options->notify == NOTIFY_HOST ? "COMPUTE_HOST" : "VM");
	gm_json_set_text(notification, "hostname",
			 options->host[0] != '\0' ? options->host : message->node);
	gm_json_set_text(notification, "generated_time", when);
	gm_json_set(notification, "payload",
		    options->notify == NOTIFY_HOST ? make_host_payload()
						   : make_vm_payload(options, &transition->alarm));
	request->body = gm_json_object();
	gm_json_set(request->body, "notification", notification);
}

/*
 * 409 has two meanings, told apart by words alone: it has that notification already, or the host is in
 * maintenance, where Masakari puts each that it has begun to recover. A host that is in no segment (400) will be
 * in none in a minute either.
 */
static void judge(int status, struct gm_action_answer *answer)
{
	if (status == 409)
		answer->outcome = answer->text && strstr(answer->text, "duplicate")
					  ? GM_ACTION_TAKEN
					  : GM_ACTION_IN_VAIN;
	else if (status == 400)
		answer->outcome = GM_ACTION_IN_VAIN;
}

static const char *const service_types[] = {"instance-ha", "ha", NULL};

static const struct gm_cloud_action_kind kind = {
	/*
	 * Not repeatable: it looks for the same notification only among those that are new or running. Once the
	 * first recovery has ended, well or badly, the same one again begins another.
	 */
	.ops = {.repeatable = false, GM_CLOUD_ACTION_OPS},
	.options_size = sizeof(struct options),
	.service_types = service_types,
	.version = "/v1",
	.receipt = {"notification", "notification_uuid"},
	.name = name_action,
	.ask = ask,
	.judge = judge,
};

static int check(const void *all, struct gm_error *err)
{
	const struct options *options = all;
	int rc = gm_action_check_rules(&options->common.action, "Masakari is to act", err);

	return rc == 0 ? gm_cloud_action_check(&options->common, err) : rc;
}

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	return gm_action_create(&kind.ops, options, host, ret_output, err);
}

const struct gm_output_ops gm_masakari_output = {
	.type = "masakari",
	.help = "Notifications of hard faults to OpenStack's Masakari, which restarts or "
		"evacuates: "
		"never more than a line in the journal of actions while dry-run is on.",
	.options = option_table,
	.options_size = sizeof(struct options),
	.check = check,
	.create = create,
	GM_ACTION_OUTPUT_OPS,
};
