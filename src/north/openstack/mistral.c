/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v2/executions of Mistral's API (https://docs.openstack.org/mistral/latest/user/rest_api_v2.html);
 * see mistral.h. Called through its ops.
 */
#include "north/openstack/mistral.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "north/message.h"
#include "north/openstack/cloud_action.h"

struct options {
	struct gm_cloud_action_options common;
	char workflow[256], namespace[256], input[64];
	char inputs[1024];
};

static const struct gm_option option_table[] = {
	{.key = "workflow",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, workflow),
	 .fallback = "",
	 .help = "Name or id of the workflow."},
	{.key = "namespace",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, namespace),
	 .fallback = "",
	 .help = "The namespace that the workflow's name is in; empty: the default one."},
	{.key = "input",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, input),
	 .fallback = "alarm",
	 .help = "Which of the workflow's inputs gets the alarm, as the object that the webhook "
		 "json sends; empty: none."},
	{.key = "inputs",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, inputs),
	 .fallback = "",
	 .help = "Its other inputs, always the same: a JSON object as text."},
	GM_CLOUD_ACTION_OPTIONS(struct options, common),
	GM_OPTION_END,
};

/* The caller's; NULL with a sentence. */
static struct gm_json *read_inputs(const struct options *options, struct gm_error *err)
{
	const char *text = options->inputs[0] != '\0' ? options->inputs : "{}";
	struct gm_json *inputs = NULL;

	if (gm_json_parse(text, strlen(text), &inputs, err) < 0)
		return NULL;
	if (gm_json_is_object(inputs))
		return inputs;
	gm_error_set(err, -EINVAL, "it is no JSON object");
	gm_json_free(inputs);
	return NULL;
}

static bool name_action(const void *all, const struct gm_alarm *alarm, char *name, size_t size)
{
	const struct options *options = all;

	(void)alarm;
	snprintf(name, size, "workflow %.80s", options->workflow);
	return true;
}

/*
 * The same for the same message by the same output: a UUID of version 8 (RFC 9562, 5.8). Not of the options: after
 * a reload with other ones, a message whose answer was lost must not start a second workflow.
 */
static void make_id(const char *output, const struct gm_message *message, char id[GM_UUID_TEXT])
{
	uint64_t halves[2] = {GM_HASH_FIRST, UINT64_C(0x9ae16a3b2f90404f)};
	const char *const parts[] = {message->key, output};
	uint8_t bytes[GM_UUID_SIZE];

	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++)
			halves[i] = gm_hash(halves[i], parts[j], strlen(parts[j]) + 1);
		halves[i] = gm_hash(halves[i], &message->transition->time, sizeof(int64_t));
	}
	memcpy(bytes, halves, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x80);
	bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
	gm_uuid_text(bytes, id);
}

static void ask(const void *all, const struct gm_message *message,
		struct gm_cloud_action_request *request)
{
	const struct options *options = all;
	char id[GM_UUID_TEXT], text[GM_ALARM_TEXT + 128];
	uint8_t uuid[GM_UUID_SIZE];
	bool by_id = gm_uuid_parse(options->workflow, uuid) == 0;
	struct gm_json *inputs = read_inputs(options, NULL);

	make_id(request->output, message, id);
	snprintf(text, sizeof(text), "guestmon %.100s: %s", message->key,
		 message->transition->alarm.text);
	gm_text_copy(request->path, sizeof(request->path), "/v2/executions");
	if (options->input[0] != '\0')
		gm_json_set(inputs, options->input, gm_message_to_json(message));
	request->body = gm_json_object();
	gm_json_set_text(request->body, "id", id);
	gm_json_set_text(request->body, by_id ? "workflow_id" : "workflow_name", options->workflow);
	if (options->namespace[0] != '\0')
		gm_json_set_text(request->body, "workflow_namespace", options->namespace);
	gm_json_set_text(request->body, "description", text);
	gm_json_set(request->body, "input", inputs);
}

/* A workflow that is not there, or that has other inputs, is not mended by asking again. */
static void judge(int status, struct gm_action_answer *answer)
{
	if (status == 400 || status == 404)
		answer->outcome = GM_ACTION_IN_VAIN;
}

static const char *const service_types[] = {"workflow", "workflowv2", NULL};

static const struct gm_cloud_action_kind kind = {
	.ops = {.repeatable = true, GM_CLOUD_ACTION_OPS},
	.options_size = sizeof(struct options),
	.service_types = service_types,
	.version = "/v2",
	.receipt = {"id"},
	.name = name_action,
	.ask = ask,
	.judge = judge,
};

static int check(const void *all, struct gm_error *err)
{
	const struct options *options = all;
	struct gm_error reason = {.text = ""};
	struct gm_json *inputs = read_inputs(options, &reason);
	int rc = 0;

	if (options->workflow[0] == '\0')
		rc = gm_error_set(err, -EINVAL, "workflow: which one? Its name or its id");
	else if (!inputs)
		rc = gm_error_set(err, -EINVAL, "inputs: %s", reason.text);
	gm_json_free(inputs);
	return rc == 0 ? gm_cloud_action_check(&options->common, err) : rc;
}

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	return gm_action_create(&kind.ops, options, host, ret_output, err);
}

const struct gm_output_ops gm_mistral_output = {
	.type = "mistral",
	.help = "A workflow of OpenStack's Mistral with the alarm as its input: never more than a "
		"line in the journal of actions while dry-run is on.",
	.options = option_table,
	.options_size = sizeof(struct options),
	.check = check,
	.create = create,
	GM_ACTION_OUTPUT_OPS,
};
