/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands by which operators teach: learn, lessons, unlearn. What a lesson is made of is
 * learning.c's business.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/commands_private.h"
#include "daemon/learning.h"

/* The guest that the request names, or the node. */
static int read_entity(const struct gm_query *query, struct gm_entity_key *ret_key)
{
	const char *wanted = gm_json_get_text(query->request, "guest");
	if (!wanted)
		return gm_error_set(query->err, -EINVAL, "a guest (or \"node\") is needed");
	if (strcmp(wanted, "node") == 0) {
		*ret_key = gm_entity_node();
		return 0;
	}
	const struct gm_guest_row *guest = gm_query_guest(query, wanted);
	if (!guest)
		return -ENOENT;
	*ret_key = gm_entity_guest(guest->uuid);
	return 0;
}

static int read_kind(const struct gm_query *query, bool *ret_faulty)
{
	const char *kind = gm_json_get_text(query->request, "kind");
	bool faulty = kind && strcmp(kind, "faulty") == 0;
	if (!faulty && (!kind || strcmp(kind, "normal") != 0))
		return gm_error_set(query->err, -EINVAL, "a range is \"normal\" or \"faulty\"");
	*ret_faulty = faulty;
	return 0;
}

/* A member that tells how long ago something was, as a time. */
static int read_ago(const struct gm_query *query, const char *member, double otherwise, int64_t now,
		    int64_t *ret_time)
{
	double ago = gm_json_get_number(query->request, member, otherwise);
	if (isnan(ago) && !gm_json_get(query->request, member))
		return gm_error_set(query->err, -EINVAL,
				    "--%s is needed: how long ago the range began, such as 40s",
				    member);
	if (!isfinite(ago) || ago < 0 || ago > 1e9)
		return gm_error_set(query->err, -EINVAL, "%s: seconds ago, from 0", member);
	*ret_time = now - (int64_t)(ago * 1e9);
	return 0;
}

struct gm_json *gm_answer_learn(const struct gm_query *query)
{
	struct gm_learning_range range = {0};
	int64_t now = gm_clock_now(), id;
	const char *label = gm_json_get_text(query->request, "label");
	if (read_entity(query, &range.key) < 0 || read_kind(query, &range.faulty) < 0 ||
	    read_ago(query, "since", NAN, now, &range.begin) < 0 ||
	    read_ago(query, "until", 0, now, &range.end) < 0)
		return NULL;
	if (label && (!range.faulty || !gm_lesson_label_valid(label))) {
		gm_error_set(query->err, -EINVAL,
			     range.faulty ? "a label is up to %d of a-z 0-9 . _ -"
					  : "a label goes with a faulty range (up to %d bytes)",
			     GM_LESSON_LABEL - 1);
		return NULL;
	}
	gm_text_copy(range.label, sizeof(range.label), label);
	int64_t asked = range.begin;
	gm_query_author(query, range.author);
	if (gm_learning_learn(gm_pipeline_learning(query->commands->pipeline),
			      gm_pipeline_entities(query->commands->pipeline), &range, now, &id,
			      query->err) < 0)
		return NULL;
	struct gm_json *reply = gm_json_object();
	gm_json_set_integer(reply, "id", id);
	gm_reply_set_time(reply, "begin", range.begin);
	gm_reply_set_time(reply, "end", range.end);
	gm_json_set_bool(reply, "clipped", range.begin - asked > GM_SECOND);
	return reply;
}

static void list_lesson(void *user, const struct gm_lesson_row *row)
{
	struct gm_json *list = user, *object = gm_json_object();
	if (strcmp(row->kind, gm_lesson_kind_name(GM_LESSON_REST)) == 0) {
		gm_json_free(object);
		return;
	}
	gm_json_set_integer(object, "id", row->id);
	gm_json_set_text(object, "entity", row->entity);
	gm_json_set_text(object, "kind", row->kind);
	gm_json_set_text(object, "label", row->label);
	gm_json_set_number(object, "begin", (double)row->begin / 1e9);
	gm_json_set_number(object, "end", (double)row->end / 1e9);
	gm_json_set_text(object, "author", row->author);
	gm_json_set_number(object, "made", (double)row->made_at / 1e9);
	gm_json_append(list, object);
}

struct gm_json *gm_answer_lessons(const struct gm_query *query)
{
	char text[GM_KEY_TEXT];
	struct gm_entity_key key;
	bool one = gm_json_get(query->request, "guest") != NULL;
	if (one && read_entity(query, &key) < 0)
		return NULL;
	struct gm_json *list = gm_json_array();
	if (gm_learning_list(gm_pipeline_learning(query->commands->pipeline),
			     one ? gm_entity_text(&key, text) : NULL, list_lesson, list,
			     query->err) < 0) {
		gm_json_free(list);
		return NULL;
	}
	struct gm_json *reply = gm_json_object();
	gm_json_set(reply, "lessons", list);
	return reply;
}

struct gm_json *gm_answer_unlearn(const struct gm_query *query)
{
	int64_t id;
	if (!gm_query_integer(query, "id", &id)) {
		gm_error_set(query->err, -EINVAL, "a lesson is named by its number");
		return NULL;
	}
	if (gm_learning_unlearn(gm_pipeline_learning(query->commands->pipeline), id, query->err) <
	    0)
		return NULL;
	return gm_json_object();
}
