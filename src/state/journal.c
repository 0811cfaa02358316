/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm journal with the set of active alarms, and the ids of alarms. A transition and its effect
 * on the active set are one transaction, so that no crash can part them.
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "state/private.h"

enum {
	RECORD_MAX = 16384,
	ID_BLOCK = 256, /* alarm ids reserved with one write */
	ID_TRY =
		4096, /* given without that at most, once it has failed often, before it is tried again */
	PRUNE_EVERY = 256,     /* transitions between two looks at the journal's length */
	PRUNE_AT_ONCE = 10000, /* rows deleted at most where nothing is added */
	PRUNE_SHARE = 4, /* rows deleted at most by one look for each that was added in between */
};

/* The first row's numbers of a query that gives two: `text` has only constants. */
static int read_two(struct gm_state *state, const char *text, int64_t *ret_first,
		    int64_t *ret_second)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(state->db, text, -1, &statement, NULL) != SQLITE_OK)
		return -1;
	int result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		*ret_first = sqlite3_column_int64(statement, 0);
		*ret_second = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	return result == SQLITE_ROW ? 0 : -1;
}

int gm_state_journal_open(struct gm_state *state, struct gm_error *err)
{
	int64_t sequence, time, retired, id, reserved = 1;

	/*
	 * A number that was given is not given again, even where the journal has no row any more (older
	 * versions deleted all that were too old): outputs would take the new ones for told.
	 */
	if (read_two(state,
		     "SELECT max((SELECT coalesce(max(sequence), 0) FROM journal),"
		     " (SELECT coalesce(max(sequence), 0) FROM outputs),"
		     " (SELECT coalesce(max(sequence), 0) FROM actions)),"
		     " (SELECT coalesce(max(time), 0) FROM journal)",
		     &sequence, &time) < 0 ||
	    read_two(state,
		     "SELECT coalesce(max(retired_at), 0), max((SELECT coalesce(max(id), 0) FROM "
		     "active), (SELECT coalesce(max(alarm), 0) FROM journal)) FROM indexes",
		     &retired, &id) < 0)
		return gm_sql_failed(state, err, "read the journal");
	if (gm_state_meta_get(state, "alarm_id", &reserved) == -EIO)
		return gm_sql_failed(state, err, "read the alarm ids");
	state->keep = GM_JOURNAL_KEEP;
	state->last_sequence = (uint64_t)sequence;
	state->newest = time > retired ? time : retired;
	state->next_alarm_id = (uint32_t)(id + 1 > reserved ? id + 1 : reserved);
	state->reserved_alarm_id = state->next_alarm_id;
	return 0;
}

void gm_state_journal_close(struct gm_state *state)
{
	/* Fewer than are reserved, or more where that failed. */
	if (state->next_alarm_id != state->reserved_alarm_id)
		gm_state_meta_set(state, "alarm_id", state->next_alarm_id);
}

uint32_t gm_state_new_alarm_id(struct gm_state *state)
{
	/*
	 * Where the reservation fails (disk full) the id is still good: the journal will not take the
	 * alarm either, and once it does, the id is in the journal. Each of a storm must not wait for
	 * another's lock: after each failure four times as many do not try.
	 */
	uint32_t id = state->next_alarm_id++;

	if (id < state->reserved_alarm_id || id < state->unreserved_alarm_id)
		return id;
	if (gm_state_meta_set(state, "alarm_id", (int64_t)id + ID_BLOCK) == 0) {
		state->reserved_alarm_id = id + ID_BLOCK;
		state->unreserved = 0;
		return id;
	}
	state->unreserved = state->unreserved > 0 ? 4 * state->unreserved : 1;
	if (state->unreserved > ID_TRY)
		state->unreserved = ID_TRY;
	state->unreserved_alarm_id = id + state->unreserved;
	return id;
}

static int change_active(struct gm_state *state, const struct gm_transition *transition,
			 const char *record)
{
	if (transition->kind == GM_TRANSITION_CLEAR) {
		gm_sql_bind(state, GM_SQL_ACTIVE_DELETE, "i", (int64_t)transition->alarm.id);
		return gm_sql_run(state, GM_SQL_ACTIVE_DELETE);
	}
	gm_sql_bind(state, GM_SQL_ACTIVE_PUT, "it", (int64_t)transition->alarm.id, record);
	return gm_sql_run(state, GM_SQL_ACTIVE_PUT);
}

/* The newest transition that is too old to be kept; 0: there is none. */
static int64_t last_old(struct gm_state *state)
{
	int64_t last = 0;

	if (state->keep_for == 0)
		return 0;
	sqlite3_stmt *old =
		gm_sql_bind(state, GM_SQL_JOURNAL_OLD, "i", state->newest - state->keep_for);
	if (gm_sql_step(state, GM_SQL_JOURNAL_OLD) > 0)
		last = sqlite3_column_int64(old, 0);
	gm_sql_done(state, GM_SQL_JOURNAL_OLD);
	return last;
}

/* Deletes the oldest rows that nobody needs any more; a failure is the next look's business. */
static void prune(struct gm_state *state, int64_t most)
{
	int64_t last = (int64_t)state->last_sequence, bound = last - state->keep;
	int64_t old = last_old(state);

	if (old > bound)
		bound = old;
	sqlite3_stmt *least = gm_sql_bind(state, GM_SQL_OUTPUT_LEAST, "");
	if (gm_sql_step(state, GM_SQL_OUTPUT_LEAST) > 0 &&
	    sqlite3_column_type(least, 0) != SQLITE_NULL && sqlite3_column_int64(least, 0) < bound)
		bound = sqlite3_column_int64(least, 0);
	gm_sql_done(state, GM_SQL_OUTPUT_LEAST);
	if (bound < last - GM_JOURNAL_MAX)
		bound = last - GM_JOURNAL_MAX;
	if (bound <= 0)
		return;
	gm_sql_bind(state, GM_SQL_JOURNAL_PRUNE, "ii", bound, most);
	gm_sql_run(state, GM_SQL_JOURNAL_PRUNE);
	if (sqlite3_changes(state->db) > 0)
		gm_sql_run(state, GM_SQL_COMMENT_PRUNE);
}

void gm_state_journal_retain(struct gm_state *state, int64_t keep, int64_t keep_for)
{
	state->keep = keep;
	state->keep_for = keep_for;
}

void gm_state_journal_prune(struct gm_state *state, int64_t now)
{
	if (now > state->newest)
		state->newest = now;
	prune(state, PRUNE_AT_ONCE);
}

/* Within a transaction. `record` is scratch, empty before and after. */
static int append(struct gm_state *state, const struct gm_transition *transition, int64_t sequence,
		  struct gm_buffer *record, struct gm_error *err)
{
	struct gm_json *object = gm_alarm_to_json(&transition->alarm);
	int rc = gm_json_write(object, 0, record);

	gm_json_free(object);
	if (rc < 0)
		return gm_error_set(err, rc, "journal: cannot write alarm %u as text",
				    transition->alarm.id);
	gm_sql_bind(state, GM_SQL_JOURNAL_ADD, "iiiiti", sequence, (int64_t)transition->kind,
		    transition->time, (int64_t)transition->alarm.id, record->data,
		    transition->journalled_at);
	if (gm_sql_run(state, GM_SQL_JOURNAL_ADD) < 0 ||
	    change_active(state, transition, record->data) < 0 ||
	    gm_state_comment_add(state, &transition->alarm) < 0)
		rc = gm_sql_failed(state, err, "journal");
	gm_buffer_consume(record, record->length);
	return rc;
}

/* What memory knows of the journal, once the rows are durable. */
static void count_appended(struct gm_state *state, struct gm_transition *transitions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		transitions[i].sequence = ++state->last_sequence;
		if (transitions[i].time > state->newest)
			state->newest = transitions[i].time;
	}
	state->since_prune += count;
	if (state->since_prune < PRUNE_EVERY)
		return;
	prune(state, PRUNE_SHARE * (int64_t)state->since_prune);
	state->since_prune = 0;
}

int gm_state_journal_batch(struct gm_state *state, struct gm_transition *transitions, size_t count,
			   struct gm_error *err)
{
	struct gm_buffer record = GM_BUFFER_INIT(RECORD_MAX);
	int64_t sequence = (int64_t)state->last_sequence;
	int rc = count == 0 ? 0 : gm_sql_begin(state, err);

	if (count == 0 || rc < 0)
		return rc;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = append(state, &transitions[i], ++sequence, &record, err);
	rc = gm_sql_end(state, rc, err);
	gm_buffer_free(&record);
	if (rc == 0)
		count_appended(state, transitions, count);
	return rc;
}

int gm_state_journal(struct gm_state *state, struct gm_transition *transition, struct gm_error *err)
{
	return gm_state_journal_batch(state, transition, 1, err);
}

uint64_t gm_state_last_sequence(const struct gm_state *state)
{
	return state->last_sequence;
}

uint64_t gm_state_first_sequence(struct gm_state *state)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_JOURNAL_FIRST, "");
	int64_t first = 0;

	if (gm_sql_step(state, GM_SQL_JOURNAL_FIRST) > 0)
		first = sqlite3_column_int64(statement, 0);
	gm_sql_done(state, GM_SQL_JOURNAL_FIRST);
	return (uint64_t)first;
}

int gm_state_record_parse(const char *text, struct gm_alarm *ret_alarm)
{
	struct gm_json *object = NULL;
	int rc = gm_json_parse(text, strlen(text), &object, NULL);

	if (rc == 0)
		rc = gm_alarm_from_json(object, ret_alarm, NULL);
	gm_json_free(object);
	return rc;
}

int gm_state_journal_after(struct gm_state *state, uint64_t after, size_t limit,
			   gm_state_transition_fn *each, void *user)
{
	sqlite3_stmt *statement =
		gm_sql_bind(state, GM_SQL_JOURNAL_AFTER, "ii", (int64_t)after, (int64_t)limit);
	struct gm_transition transition;
	int rc, rows = 0;

	while ((rc = gm_sql_step(state, GM_SQL_JOURNAL_AFTER)) > 0) {
		int kind = sqlite3_column_int(statement, 1);
		const char *record = (const char *)sqlite3_column_text(statement, 3);

		rows++;
		if (kind < GM_TRANSITION_RAISE || kind > GM_TRANSITION_CLEAR || !record ||
		    gm_state_record_parse(record, &transition.alarm) < 0)
			continue;
		transition.sequence = (uint64_t)sqlite3_column_int64(statement, 0);
		transition.kind = (enum gm_transition_kind)kind;
		transition.time = sqlite3_column_int64(statement, 2);
		transition.journalled_at = sqlite3_column_int64(statement, 4);
		each(user, &transition);
	}
	if (rc < 0)
		rows = gm_sql_failed(state, NULL, "read the journal");
	gm_sql_done(state, GM_SQL_JOURNAL_AFTER);
	return rows;
}
