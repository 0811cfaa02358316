/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to `windows`: which entities of which guest are meant, and whether the rings are enough or the
 * store has to be asked, whose answer comes later. What is read and how is history.c's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/commands_private.h"
#include "daemon/history.h"

/* An answer that is owed. */
struct owed {
	struct gm_history *history;
	struct gm_control_asker *asker;
};

static void owed_free(struct owed *owed)
{
	gm_history_free(owed->history);
	free(owed);
}

static void on_cancel(void *deferred)
{
	owed_free(deferred);
}

static struct gm_json *make_reply(void *work)
{
	struct owed *owed = work;
	return gm_history_to_json(owed->history);
}

/* A quarter of a million values take longer to write down than the loop may wait. */
static void on_done(void *user)
{
	struct owed *owed = user;
	gm_control_answer_apart(owed->asker, make_reply, on_cancel, owed);
}

/* Takes the history: to be answered later, or now with what the rings have. */
static struct gm_json *ask_store(const struct gm_query *query, struct gm_history *history)
{
	struct gm_json *reply = NULL;
	struct owed *owed = malloc(sizeof(*owed));
	if (!owed) {
		gm_error_set(query->err, -ENOMEM, "out of memory");
		goto out;
	}
	*owed = (struct owed){history, query->asker};
	if (gm_history_read(history, gm_pipeline_store(query->commands->pipeline), on_done, owed) <
	    0)
		reply = gm_history_to_json(history);
	else if (gm_control_defer(query->asker, on_cancel, owed, query->err) == 0)
		return NULL;
out:
	gm_history_free(history);
	free(owed);
	return reply;
}

static int read_guest(const struct gm_query *query, uint32_t *ret_index)
{
	const char *wanted = gm_json_get_text(query->request, "guest");
	const struct gm_guest_row *guest;
	if (!wanted)
		return gm_error_set(query->err, -EINVAL, "windows needs a guest (or \"node\")");
	*ret_index = 0;
	if (strcmp(wanted, "node") == 0)
		return 0;
	guest = gm_query_guest(query, wanted);
	if (!guest)
		return -ENOENT;
	*ret_index = guest->index;
	return 0;
}

/* Where several entities are meant, the guest itself is the first. */
static int add_entities(const struct gm_query *query, uint32_t guest_index,
			struct gm_history *history)
{
	const char *pattern = gm_json_get_text(query->request, "entity");
	const struct gm_entities *entities = gm_pipeline_entities(query->commands->pipeline);
	int result = 0;
	for (int own = 1; own >= 0; own--) {
		struct gm_tracked *tracked = gm_entities_first(entities);
		for (; tracked && result == 0; tracked = gm_entities_next(tracked)) {
			char key[GM_KEY_TEXT];
			enum gm_entity_kind kind = tracked->info.key.kind;
			bool whole = kind == GM_ENTITY_GUEST || kind == GM_ENTITY_NODE;
			if (tracked->guest_index != guest_index || whole != own)
				continue;
			gm_entity_text(&tracked->info.key, key);
			if (!pattern || gm_text_match(pattern, key))
				result = gm_history_add(history, tracked);
		}
	}
	return result < 0 ? gm_error_set(query->err, result, "out of memory") : 0;
}

struct gm_json *gm_answer_windows(const struct gm_query *query)
{
	const char *metric = gm_json_get_text(query->request, "metric");
	double since_s = gm_json_get_number(query->request, "since", 0);
	bool bounded = since_s > 0 && since_s < 1e9;
	int64_t since = bounded ? gm_clock_now() - (int64_t)(since_s * 1e9) : 0;
	uint32_t guest_index = 0;
	if (read_guest(query, &guest_index) < 0)
		return NULL;
	struct gm_history *history = gm_history_create(metric ? metric : "*", since);
	if (!history) {
		gm_error_set(query->err, -ENOMEM, "out of memory");
		return NULL;
	}
	if (add_entities(query, guest_index, history) < 0) {
		gm_history_free(history);
		return NULL;
	}
	/* Without a range the rings are what is asked for. */
	if (bounded && !gm_history_is_whole(history))
		return ask_store(query, history);
	struct gm_json *reply = gm_history_to_json(history);
	gm_history_free(history);
	return reply;
}
