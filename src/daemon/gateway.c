/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests of the HTTP face ask of the main thread, one function per job; see gateway.h. Called by
 * main.c.
 */
#include "daemon/gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/registrations.h"
#include "daemon/subscriptions.h"
#include "north/api/vnffm.h"

struct gm_gateway {
	struct gm_commands *commands;
	struct gm_api_options options; /* a copy: a reload makes another configuration */
	struct gm_subscriptions *subscriptions;
	struct gm_healer_options healer;
	struct gm_registrations *registrations; /* NULL: switched off */
	struct gm_api *api;                     /* NULL: switched off */
};

/* As guestmonctl shows it: the same command gives the same answer. */
static void show(struct gm_gateway *gateway, struct gm_api_task *task)
{
	struct gm_error err = {.text = "out of memory"};
	struct gm_json *request = gm_json_object();
	gm_json_set_text(request, "command", task->arguments[0]);
	const struct gm_ctl_command *command = gm_ctl_check(request, &err);
	if (command)
		task->reply.body =
			gm_commands_answer(gateway->commands, command, request, NULL, &err);
	gm_json_free(request);
	if (task->reply.body)
		task->reply.status = 200;
	else
		gm_api_problem(&task->reply, 503, "%s", err.text);
}

static void answer(void *user, struct gm_api_task *task)
{
	struct gm_gateway *gateway = user;
	gm_api_answer(gateway->api, task);
}

static void show_now(struct gm_gateway *gateway, struct gm_api_task *task)
{
	show(gateway, task);
	answer(gateway, task);
}

/* Whether `if_match` (empty: it does not matter) names the alarm as it is now. */
static bool is_as_they_saw_it(struct gm_gateway *gateway, const char *id, const char *if_match)
{
	struct gm_snapshot_slot *slot = gm_pipeline_snapshots(gateway->commands->pipeline);
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	const struct gm_alarm *alarm = snapshot ? gm_vnffm_find(snapshot, id) : NULL;
	char etag[GM_API_ETAG];
	bool same = !alarm || if_match[0] == '\0' || strcmp(if_match, "*") == 0 ||
		    strcmp(if_match, gm_vnffm_etag(alarm, etag)) == 0;
	if (snapshot)
		gm_snapshot_release(slot, snapshot);
	return same;
}

/* Only what this interface shows: alarms of guests. */
static bool is_shown(struct gm_gateway *gateway, const char *id)
{
	struct gm_snapshot_slot *slot = gm_pipeline_snapshots(gateway->commands->pipeline);
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	bool shown = snapshot && gm_vnffm_find(snapshot, id);
	if (snapshot)
		gm_snapshot_release(slot, snapshot);
	return shown;
}

static void note(struct gm_gateway *gateway, struct gm_api_task *task, const char *state)
{
	struct gm_error err;
	const struct gm_alarm_note note = {.author = task->user, .time = gm_clock_now()};
	struct gm_alarming *alarming = gm_pipeline_alarming(gateway->commands->pipeline);
	struct gm_alarms *alarms = gm_alarming_alarms(alarming);
	uint32_t id = (uint32_t)strtoul(task->arguments[0], NULL, 10);
	int result = strcmp(state, "ACKNOWLEDGED") == 0
			     ? gm_alarms_acknowledge(alarms, id, &note, &err)
			     : gm_alarms_unacknowledge(alarms, id, &note, &err);
	if (result < 0) {
		gm_api_problem(&task->reply, result == -EALREADY ? 409 : 404, "%s", err.text);
		return;
	}
	task->reply.status = 200;
	task->reply.body = gm_json_object();
	gm_json_set_text(task->reply.body, "ackState", state);
}

static void acknowledge(struct gm_gateway *gateway, struct gm_api_task *task)
{
	const char *state = gm_json_get_text(task->body, "ackState");
	if (!is_shown(gateway, task->arguments[0]))
		gm_api_problem(&task->reply, 404, "there is no such alarm");
	else if (!state || gm_json_size(task->body) != 1 ||
		 (strcmp(state, "ACKNOWLEDGED") != 0 && strcmp(state, "UNACKNOWLEDGED") != 0))
		gm_api_problem(&task->reply, 400,
			       "wanted is ackState, ACKNOWLEDGED or UNACKNOWLEDGED, and no more");
	else if (!is_as_they_saw_it(gateway, task->arguments[0], task->if_match))
		gm_api_problem(&task->reply, 412, "the alarm has changed meanwhile");
	else
		note(gateway, task, state);
	answer(gateway, task);
}

/* SOL 003, 7.4.4: what the consumer proposes is kept as a comment on the alarm; its severity stays as found. */
static void escalate(struct gm_gateway *gateway, struct gm_api_task *task)
{
	const char *severity = gm_json_get_text(task->body, "proposedPerceivedSeverity");
	struct gm_alarming *alarming = gm_pipeline_alarming(gateway->commands->pipeline);
	char text[GM_COMMENT];
	struct gm_error err;
	struct gm_alarm_note note = {.author = task->user, .text = text, .time = gm_clock_now()};
	if (!is_shown(gateway, task->arguments[0])) {
		gm_api_problem(&task->reply, 404, "there is no such alarm");
	} else if (!severity || gm_json_size(task->body) != 1 || !gm_vnffm_is_severity(severity)) {
		gm_api_problem(&task->reply, 400,
			       "wanted is proposedPerceivedSeverity, CRITICAL, MAJOR, MINOR, "
			       "WARNING, INDETERMINATE or CLEARED, and no more");
	} else {
		snprintf(text, sizeof(text), "escalated: %s is proposed", severity);
		if (gm_alarms_comment(gm_alarming_alarms(alarming),
				      (uint32_t)strtoul(task->arguments[0], NULL, 10), &note,
				      &err) < 0)
			gm_api_problem(&task->reply, 409, "%s", err.text);
		else
			task->reply.status = 204;
	}
	answer(gateway, task);
}

static void subscribe(struct gm_gateway *gateway, struct gm_api_task *task)
{
	gm_subscriptions_add(gateway->subscriptions, task);
}

static void list_subscriptions(struct gm_gateway *gateway, struct gm_api_task *task)
{
	gm_subscriptions_list(gateway->subscriptions, task);
}

static void show_subscription(struct gm_gateway *gateway, struct gm_api_task *task)
{
	gm_subscriptions_show(gateway->subscriptions, task);
}

static void unsubscribe(struct gm_gateway *gateway, struct gm_api_task *task)
{
	gm_subscriptions_remove(gateway->subscriptions, task);
}

static void with_registrations(struct gm_gateway *gateway, struct gm_api_task *task,
			       void (*take)(struct gm_registrations *registrations,
					    struct gm_api_task *task))
{
	if (gateway->registrations)
		take(gateway->registrations, task);
	else
		gm_api_problem(&task->reply, 404, "the server notifier is switched off");
	answer(gateway, task);
}

static void enter(struct gm_gateway *gateway, struct gm_api_task *task)
{
	with_registrations(gateway, task, gm_registrations_add);
}

static void leave(struct gm_gateway *gateway, struct gm_api_task *task)
{
	with_registrations(gateway, task, gm_registrations_remove);
}

/* Each gives its task back, sooner or later. */
static void (*const jobs[GM_API_JOBS])(struct gm_gateway *gateway, struct gm_api_task *task) = {
	[GM_API_SHOW] = show_now,
	[GM_API_ACKNOWLEDGE] = acknowledge,
	[GM_API_ESCALATE] = escalate,
	[GM_API_SUBSCRIBE] = subscribe,
	[GM_API_SUBSCRIPTIONS] = list_subscriptions,
	[GM_API_SUBSCRIPTION] = show_subscription,
	[GM_API_UNSUBSCRIBE] = unsubscribe,
	[GM_API_REGISTER] = enter,
	[GM_API_UNREGISTER] = leave,
};

static void on_ask(void *user, struct gm_api_task *task)
{
	jobs[task->job](user, task);
}

static bool identify(void *user, const struct gm_alarm *alarm, struct gm_vnf *ret_vnf)
{
	const struct gm_gateway *gateway = user;
	const struct gm_alarming *alarming = gm_pipeline_alarming(gateway->commands->pipeline);
	return gm_handling_identify(gm_alarming_handling(alarming), alarm, ret_vnf);
}

static uint32_t revision(void *user)
{
	const struct gm_gateway *gateway = user;
	return gm_alarming_vnfs(gm_pipeline_alarming(gateway->commands->pipeline));
}

int gm_gateway_create(const struct gm_config *config, struct gm_state *state,
		      struct gm_commands *commands, struct gm_gateway **ret_gateway,
		      struct gm_error *err)
{
	struct gm_gateway *gateway = calloc(1, sizeof(*gateway));
	if (!gateway)
		return gm_error_set(err, -ENOMEM, "out of memory");
	gateway->commands = commands;
	gateway->options = config->api;
	*ret_gateway = gateway;
	if (!gateway->options.enabled)
		return 0;
	const struct gm_subscriptions_host host = {
		.options = &gateway->options,
		.state = state,
		.outputs = gm_pipeline_outputs(commands->pipeline),
		.identify = identify,
		.revision = revision,
		.answer = answer,
		.user = gateway,
	};
	int result = gm_subscriptions_create(&host, &gateway->subscriptions, err);
	if (result < 0 || !config->healer.enabled)
		return result;
	gateway->healer = config->healer;
	const struct gm_registrations_host healing = {
		.options = &gateway->healer,
		.transport = &gateway->options.callbacks.transport,
		.state = state,
		.outputs = host.outputs,
	};
	return gm_registrations_create(&healing, &gateway->registrations, err);
}

int gm_gateway_start(struct gm_gateway *gateway, uv_loop_t *loop, struct gm_error *err)
{
	if (!gateway->options.enabled)
		return 0;
	struct gm_api_host host = {on_ask, gateway};
	struct gm_pipeline *pipeline = gateway->commands->pipeline;
	int result = gm_api_start(&gateway->options, loop, gm_pipeline_snapshots(pipeline), &host,
				  &gateway->api, err);
	char url[GM_API_PATH];
	if (result == 0)
		gm_log(GM_LOG_NOTICE, "api: serving at %s", gm_api_url(&gateway->options, url));
	return result;
}

void gm_gateway_stop(struct gm_gateway *gateway)
{
	if (!gateway)
		return;
	gm_subscriptions_stop(gateway->subscriptions);
	gm_api_stop(gateway->api);
}

void gm_gateway_free(struct gm_gateway *gateway)
{
	if (!gateway)
		return;
	gm_subscriptions_free(gateway->subscriptions);
	gm_registrations_free(gateway->registrations);
	gm_api_free(gateway->api);
	free(gateway);
}
