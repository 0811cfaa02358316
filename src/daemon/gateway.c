/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests of the HTTP face ask of the main thread, one function per job; see gateway.h. Called by
 * main.c.
 */
#include "daemon/gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/subscriptions.h"
#include "north/api/api.h"

struct gm_gateway {
	struct gm_commands *commands;
	struct gm_api_options options; /* a copy: a reload makes another configuration */
	struct gm_subscriptions *subscriptions;
	struct gm_api *api; /* NULL: switched off */
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

/* Each gives its task back, sooner or later. */
static void (*const jobs[GM_API_JOBS])(struct gm_gateway *gateway, struct gm_api_task *task) = {
	[GM_API_SHOW] = show_now,
	[GM_API_SUBSCRIBE] = subscribe,
	[GM_API_SUBSCRIPTIONS] = list_subscriptions,
	[GM_API_SUBSCRIPTION] = show_subscription,
	[GM_API_UNSUBSCRIBE] = unsubscribe,
};

static void on_ask(void *user, struct gm_api_task *task)
{
	jobs[task->job](user, task);
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
		.answer = answer,
		.user = gateway,
	};
	return gm_subscriptions_create(&host, &gateway->subscriptions, err);
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
	gm_api_free(gateway->api);
	free(gateway);
}
