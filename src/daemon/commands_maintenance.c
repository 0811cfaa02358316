/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command by which operators ask for maintenance; what it silences is alarming.c's business.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/commands_private.h"

static void list_one(void *user, const struct gm_maintenance_view *view)
{
	struct gm_json *object = gm_json_object();
	char when[GM_CALENDAR_TEXT];

	if (view->row) {
		gm_json_set_integer(object, "id", view->row->id);
		gm_json_set_text(object, "target", view->row->target);
		gm_reply_set_time(object, "begin", view->row->begin);
		gm_reply_set_time(object, "end", view->row->end);
		gm_json_set_text(object, "author", view->row->author);
		gm_reply_set_time(object, "made", view->row->made_at);
		gm_json_set_text(object, "comment", view->row->comment);
	} else {
		gm_json_set_text(object, "target", view->rule->name);
		gm_json_set_text(object, "when", gm_calendar_text(&view->rule->calendar, when));
	}
	gm_json_set_bool(object, "active", view->active);
	gm_json_append(user, object);
}

static struct gm_json *list(const struct gm_query *query, struct gm_alarming *alarming)
{
	struct gm_json *reply = gm_json_object(), *all = gm_json_array();
	struct gm_pipeline_status status;

	gm_alarming_list(alarming, gm_clock_now(), list_one, all);
	gm_json_set(reply, "maintenance", all);
	gm_pipeline_status(query->commands->pipeline, &status);
	gm_json_set_integer(reply, "silenced", (int64_t)status.alarms.silenced);
	gm_json_set_integer(reply, "waiting", (int64_t)status.alarms.waiting);
	return reply;
}

/* Seconds from now on; false: no number, or more than a year. */
static bool read_seconds(const struct gm_query *query, const char *member, double otherwise,
			 int64_t *ret_time)
{
	double seconds = gm_json_get_number(query->request, member, otherwise);

	if (!isfinite(seconds) || seconds < 0 || seconds > 365 * 86400.0)
		return false;
	*ret_time = (int64_t)(seconds * GM_SECOND);
	return true;
}

static struct gm_json *add(const struct gm_query *query, struct gm_alarming *alarming)
{
	struct gm_maintenance_row row = {.made_at = gm_clock_now()};
	const char *target = gm_json_get_text(query->request, "target");
	const char *comment = gm_json_get_text(query->request, "comment");
	int64_t delay, length;

	if (!read_seconds(query, "in", 0, &delay) || !read_seconds(query, "for", NAN, &length) ||
	    length == 0) {
		gm_error_set(query->err, -EINVAL,
			     "maintenance add: --for says how long, up to a year; --in when it "
			     "begins");
		return NULL;
	}
	if (target && strlen(target) >= sizeof(row.target)) {
		gm_error_set(query->err, -EINVAL, "a target has at most %zu bytes",
			     sizeof(row.target) - 1);
		return NULL;
	}
	if (comment && strlen(comment) >= sizeof(row.comment)) {
		gm_error_set(query->err, -EINVAL, "a comment has at most %zu bytes",
			     sizeof(row.comment) - 1);
		return NULL;
	}
	gm_text_copy(row.target, sizeof(row.target), target);
	gm_query_author(query, row.author);
	gm_text_copy(row.comment, sizeof(row.comment), comment);
	row.begin = row.made_at + delay;
	row.end = row.begin + length;
	gm_outlet_begin(gm_pipeline_outlet(query->commands->pipeline));
	int result = gm_alarming_add(alarming, &row, row.made_at, query->err);
	gm_outlet_end(gm_pipeline_outlet(query->commands->pipeline));
	if (result < 0)
		return NULL;
	struct gm_json *reply = gm_json_object();
	gm_json_set_integer(reply, "id", row.id);
	gm_json_set_integer(reply, "matching", (int64_t)gm_alarming_matching(alarming, row.target));
	return reply;
}

static struct gm_json *take_back(const struct gm_query *query, struct gm_alarming *alarming)
{
	int64_t id;

	if (!gm_query_integer(query, "target", &id) || id < 0) {
		gm_error_set(query->err, -EINVAL, "maintenance remove: which one? Its number");
		return NULL;
	}
	gm_outlet_begin(gm_pipeline_outlet(query->commands->pipeline));
	int result = gm_alarming_remove(alarming, id, gm_clock_now(), query->err);
	gm_outlet_end(gm_pipeline_outlet(query->commands->pipeline));
	if (result < 0)
		return NULL;
	return gm_json_object();
}

/* The members of `add` alone would be silently without effect elsewhere. */
static int check_members(const struct gm_query *query, const char *action, bool target, bool others)
{
	static const char *const members[][2] = {
		{"target", "target"}, {"for", "--for"}, {"in", "--in"}, {"comment", "--comment"}};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (gm_json_get(query->request, members[i][0]) && !(i == 0 ? target : others))
			return gm_error_set(query->err, -EINVAL, "maintenance %s takes no %s",
					    action, members[i][1]);
	}
	return 0;
}

struct gm_json *gm_answer_maintenance(const struct gm_query *query)
{
	static const struct {
		const char *name;
		struct gm_json *(*act)(const struct gm_query *query, struct gm_alarming *alarming);
		bool target, others; /* which members of the request it takes */
	} actions[] = {{"list", list, false, false},
		       {"add", add, true, true},
		       {"remove", take_back, true, false}};
	struct gm_alarming *alarming = gm_pipeline_alarming(query->commands->pipeline);
	const char *action = gm_json_get_text(query->request, "action");

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, action ? action : "list") != 0)
			continue;
		if (check_members(query, actions[i].name, actions[i].target, actions[i].others) < 0)
			return NULL;
		return actions[i].act(query, alarming);
	}
	gm_error_set(query->err, -EINVAL, "maintenance: list, add or remove");
	return NULL;
}
