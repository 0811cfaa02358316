/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to `outputs`: what is told to whom and how far, and what an operator may do about it.
 */
#include <errno.h>
#include <string.h>

#include "daemon/commands_private.h"

static struct gm_json *row_to_json(const struct gm_output_row *row)
{
	struct gm_json *object = gm_json_object();
	gm_json_set_text(object, "name", row->name);
	gm_json_set_text(object, "type", row->type);
	gm_json_set_text(object, "state", gm_output_state_name(row->state));
	gm_json_set_integer(object, "position", (int64_t)row->position);
	gm_json_set_integer(object, "backlog", (int64_t)row->backlog);
	gm_json_set_integer(object, "in_flight", row->in_flight);
	gm_json_set_integer(object, "delivered", (int64_t)row->delivered);
	gm_json_set_integer(object, "retried", (int64_t)row->retried);
	gm_json_set_integer(object, "refused", (int64_t)row->refused);
	gm_json_set_integer(object, "expired", (int64_t)row->expired);
	gm_json_set_integer(object, "overflowed", (int64_t)row->overflowed);
	gm_reply_set_time(object, "delivered_at", row->delivered_at);
	gm_reply_set_time(object, "failing_since", row->failing_since);
	gm_reply_set_time(object, "next_try_at", row->next_try_at);
	gm_json_set_text(object, "error", row->error);
	return object;
}

static struct gm_json *list(const struct gm_query *query)
{
	struct gm_json *reply = gm_json_object(), *rows = gm_json_array();
	for (size_t i = 0; i < query->snapshot->output_count; i++)
		gm_json_append(rows, row_to_json(&query->snapshot->outputs[i]));
	gm_json_set(reply, "outputs", rows);
	return reply;
}

struct gm_json *gm_answer_outputs(const struct gm_query *query)
{
	struct gm_outputs *outputs = gm_pipeline_outputs(query->commands->pipeline);
	const char *action = gm_json_get_text(query->request, "action");
	const char *output = gm_json_get_text(query->request, "output");
	int64_t sequence;
	int result;
	if (!action)
		return list(query);
	bool replays = strcmp(action, "replay") == 0;
	if (!replays && strcmp(action, "pause") != 0 && strcmp(action, "resume") != 0)
		result = gm_error_set(query->err, -EINVAL, "outputs: pause, resume or replay");
	else if (!output)
		result = gm_error_set(query->err, -EINVAL, "which output?");
	else if (!replays && gm_json_get(query->request, "sequence"))
		result = gm_error_set(query->err, -EINVAL, "outputs %s takes no sequence number",
				      action);
	else if (strcmp(action, "pause") == 0)
		result = gm_outputs_pause(outputs, output, true, query->err);
	else if (strcmp(action, "resume") == 0)
		result = gm_outputs_pause(outputs, output, false, query->err);
	else if (!gm_query_integer(query, "sequence", &sequence) || sequence <= 0)
		result = gm_error_set(query->err, -EINVAL, "from which sequence number?");
	else
		result = gm_outputs_replay(outputs, output, (uint64_t)sequence, query->err);
	return result < 0 ? NULL : gm_json_object();
}
