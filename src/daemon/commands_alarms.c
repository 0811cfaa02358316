/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands about alarms: the active ones and the log, and what operators say of them.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/commands_private.h"
#include "state/comment.h"

/* The journal's record with the times as seconds, as everywhere else in the protocol. */
static struct gm_json *alarm_to_json(const struct gm_alarm *alarm)
{
	struct gm_json *object = gm_alarm_to_json(alarm);
	gm_reply_set_time(object, "raised_at", alarm->raised_at);
	gm_reply_set_time(object, "changed_at", alarm->changed_at);
	gm_json_set_number(object, "cleared_at", (double)alarm->cleared_at / 1e9);
	gm_reply_set_time(object, "ended_at", alarm->ended_at);
	gm_reply_set_time(object, "acknowledged_at", alarm->acknowledged_at);
	gm_reply_set_time(object, "commented_at", alarm->commented_at);
	return object;
}

struct gm_json *gm_answer_alarms(const struct gm_query *query)
{
	struct gm_json *reply = gm_json_object(), *list = gm_json_array();
	for (size_t i = 0; i < query->snapshot->alarm_count; i++)
		gm_json_append(list, alarm_to_json(&query->snapshot->alarms[i]));
	gm_json_set(reply, "alarms", list);
	if (!gm_json_get_bool(query->request, "log"))
		return reply;
	struct gm_json *log = gm_json_array();
	for (size_t i = 0; i < query->snapshot->log_count; i++) {
		const struct gm_transition *transition = &query->snapshot->log[i];
		struct gm_json *object = gm_json_object();
		gm_json_set_integer(object, "sequence", (int64_t)transition->sequence);
		gm_json_set_text(object, "state", gm_transition_name(transition->kind));
		gm_reply_set_time(object, "time", transition->time);
		gm_json_set(object, "alarm", alarm_to_json(&transition->alarm));
		gm_json_append(log, object);
	}
	gm_json_set(reply, "log", log);
	return reply;
}

int gm_query_number(const struct gm_query *query, const char *what, int64_t *ret_number)
{
	int64_t id;

	if (!gm_query_integer(query, "id", &id) || id < 0 || id > UINT32_MAX)
		return gm_error_set(query->err, -EINVAL, "%s is named by its number", what);
	*ret_number = id;
	return 0;
}

/* gm_alarms_acknowledge() and the like. */
typedef int take_fn(struct gm_alarms *alarms, uint32_t id, const struct gm_alarm_note *note,
		    struct gm_error *err);

/* It is in the journal when the answer is given, and told to the outputs at the next tick. */
static struct gm_json *take_note(const struct gm_query *query, take_fn *take)
{
	struct gm_alarming *alarming = gm_pipeline_alarming(query->commands->pipeline);
	char author[GM_AUTHOR];
	const struct gm_alarm_note note = {
		.author = gm_query_author(query, author),
		.text = gm_json_get_text(query->request, "comment"),
		.time = gm_clock_now(),
	};
	int64_t id;

	if (gm_query_number(query, "an alarm", &id) < 0 ||
	    take(gm_alarming_alarms(alarming), (uint32_t)id, &note, query->err) < 0)
		return NULL;
	return gm_json_object();
}

struct gm_json *gm_answer_ack(const struct gm_query *query)
{
	return take_note(query, gm_alarms_acknowledge);
}

struct gm_json *gm_answer_unack(const struct gm_query *query)
{
	return take_note(query, gm_alarms_unacknowledge);
}

struct gm_json *gm_answer_comment(const struct gm_query *query)
{
	return take_note(query, gm_alarms_comment);
}

static void list_comment(void *user, const struct gm_comment_row *row)
{
	struct gm_json *object = gm_json_object();

	gm_json_set_integer(object, "alarm", row->alarm);
	gm_json_set_integer(object, "number", row->number);
	gm_reply_set_time(object, "time", row->time);
	gm_json_set_text(object, "author", row->author);
	gm_json_set_text(object, "comment", row->text);
	gm_json_append(user, object);
}

/* Active, or among the newest transitions. */
static bool is_known(const struct gm_snapshot *snapshot, int64_t id)
{
	if (id >= 0 && id <= UINT32_MAX && gm_snapshot_alarm(snapshot, (uint32_t)id))
		return true;
	for (size_t i = 0; i < snapshot->log_count; i++) {
		if (snapshot->log[i].alarm.id == id)
			return true;
	}
	return false;
}

struct gm_json *gm_answer_comments(const struct gm_query *query)
{
	int64_t id = 0;

	if (gm_json_get(query->request, "id") && gm_query_number(query, "an alarm", &id) < 0)
		return NULL;
	struct gm_json *list = gm_json_array();
	if (gm_state_comments(gm_alarming_state(gm_pipeline_alarming(query->commands->pipeline)),
			      (uint32_t)id, list_comment, list, query->err) < 0) {
		gm_json_free(list);
		return NULL;
	}
	if (gm_json_get(query->request, "id") && gm_json_size(list) == 0 &&
	    !is_known(query->snapshot, id)) {
		gm_error_set(
			query->err, -ENOENT,
			"no comment on an alarm %lld: it is neither active nor among the newest "
			"transitions",
			(long long)id);
		gm_json_free(list);
		return NULL;
	}
	struct gm_json *reply = gm_json_object();
	gm_json_set(reply, "comments", list);
	return reply;
}
