/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to `actions`: what was done about alarms, and what became of it.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/commands_private.h"
#include "state/action.h"

static void add_row(void *user, const struct gm_action_row *row)
{
	struct gm_json *object = gm_json_object();

	gm_json_set_integer(object, "id", row->id);
	gm_reply_set_time(object, "time", row->made_at);
	gm_reply_set_time(object, "changed", row->changed_at);
	gm_json_set_text(object, "output", row->output);
	gm_json_set_text(object, "action", row->action);
	gm_json_set_text(object, "target", row->target);
	gm_json_set_text(object, "name", row->name);
	gm_json_set_integer(object, "alarm", row->alarm);
	gm_json_set_integer(object, "sequence", (int64_t)row->sequence);
	gm_json_set_text(object, "detector", row->detector);
	gm_json_set_text(object, "rule", row->rule);
	gm_json_set_text(object, "state", gm_action_state_name(row->state));
	gm_json_set_integer(object, "attempts", row->attempts);
	gm_json_set_text(object, "answer", row->answer);
	gm_json_append(user, object);
}

static bool there_is(const struct gm_snapshot *snapshot, const char *output)
{
	for (size_t i = 0; i < snapshot->output_count; i++) {
		if (strcmp(snapshot->outputs[i].name, output) == 0)
			return true;
	}
	return false;
}

struct gm_json *gm_answer_actions(const struct gm_query *query)
{
	struct gm_alarming *alarming = gm_pipeline_alarming(query->commands->pipeline);
	const char *output = gm_json_get_text(query->request, "output");
	double ago = gm_json_get_number(query->request, "since", 0);
	int64_t since = ago > 0 && ago < 1e9 ? gm_clock_now() - (int64_t)(ago * GM_SECOND) : 0;
	struct gm_json *list = gm_json_array();
	char quoted[96];

	if (gm_state_actions(gm_alarming_state(alarming), output ? output : "", since, add_row,
			     list, query->err) < 0) {
		gm_json_free(list);
		return NULL;
	}
	/* The journal may have those of an output that is no more. */
	if (output && gm_json_size(list) == 0 && !there_is(query->snapshot, output)) {
		gm_text_quote(quoted, sizeof(quoted), output);
		gm_error_set(query->err, -ENOENT, "there is no output %s", quoted);
		gm_json_free(list);
		return NULL;
	}
	struct gm_json *reply = gm_json_object();
	gm_json_set(reply, "actions", list);
	return reply;
}
