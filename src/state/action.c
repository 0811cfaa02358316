/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of actions; see action.h. Written by north/action.c, read by guestmonctl's `actions`.
 */
#include "state/action.h"

#include <errno.h>

#include "base/text.h"
#include "state/private.h"

enum { PRUNE_EVERY = 64 };

const char *gm_action_state_name(enum gm_action_state state)
{
	static const char *const names[GM_ACTION_STATES] = {
		"decided", "dry-run", "withheld", "sent", "accepted", "refused", "unsure"};

	return names[state];
}

static void copy_column(char *text, size_t size, sqlite3_stmt *statement, int column)
{
	gm_text_copy(text, size, (const char *)sqlite3_column_text(statement, column));
}

static void read_row(sqlite3_stmt *statement, struct gm_action_row *row)
{
	int64_t state = sqlite3_column_int64(statement, 9);

	row->id = sqlite3_column_int64(statement, 0);
	copy_column(row->output, sizeof(row->output), statement, 1);
	row->sequence = (uint64_t)sqlite3_column_int64(statement, 2);
	copy_column(row->action, sizeof(row->action), statement, 3);
	copy_column(row->target, sizeof(row->target), statement, 4);
	copy_column(row->name, sizeof(row->name), statement, 5);
	row->alarm = (uint32_t)sqlite3_column_int64(statement, 6);
	copy_column(row->detector, sizeof(row->detector), statement, 7);
	copy_column(row->rule, sizeof(row->rule), statement, 8);
	row->state = state >= 0 && state < GM_ACTION_STATES ? (enum gm_action_state)state
							    : GM_ACTION_UNSURE;
	row->attempts = (unsigned)sqlite3_column_int64(statement, 10);
	row->made_at = sqlite3_column_int64(statement, 11);
	row->changed_at = sqlite3_column_int64(statement, 12);
	copy_column(row->answer, sizeof(row->answer), statement, 13);
}

int gm_state_action_get(struct gm_state *state, const char *output, uint64_t sequence,
			struct gm_action_row *ret_row)
{
	sqlite3_stmt *statement =
		gm_sql_bind(state, GM_SQL_ACTION_GET, "ti", output, (int64_t)sequence);
	int rc = gm_sql_step(state, GM_SQL_ACTION_GET);

	if (rc > 0)
		read_row(statement, ret_row);
	gm_sql_done(state, GM_SQL_ACTION_GET);
	return rc > 0 ? 0 : rc == 0 ? -ENOENT : -EIO;
}

int gm_state_action_put(struct gm_state *state, const struct gm_action_row *row,
			struct gm_error *err)
{
	int rc = gm_sql_begin(state, err);

	if (rc < 0)
		return rc;
	gm_sql_bind(state, GM_SQL_ACTION_PUT, "titttittiiiit", row->output, (int64_t)row->sequence,
		    row->action, row->target, row->name, (int64_t)row->alarm, row->detector,
		    row->rule, (int64_t)row->state, (int64_t)row->attempts, row->made_at,
		    row->changed_at, row->answer);
	if (gm_sql_run(state, GM_SQL_ACTION_PUT) < 0)
		rc = gm_sql_failed(state, err, "journal an action");
	if (rc < 0 || sqlite3_last_insert_rowid(state->db) % PRUNE_EVERY != 0)
		return gm_sql_end(state, rc, err);
	gm_sql_bind(state, GM_SQL_ACTION_PRUNE, "iii", row->changed_at - GM_ACTIONS_AGE,
		    (int64_t)GM_ACTIONS_KEEP, (int64_t)GM_ACTION_WITHHELD);
	if (gm_sql_run(state, GM_SQL_ACTION_PRUNE) < 0)
		rc = gm_sql_failed(state, err, "forget old actions");
	return gm_sql_end(state, rc, err);
}

int64_t gm_state_actions_count(struct gm_state *state, const struct gm_action_row *row,
			       const struct gm_action_query *query)
{
	int64_t count = -EIO;
	sqlite3_stmt *statement = gm_sql_bind(
		state, GM_SQL_ACTION_COUNT, "tiiiti", row->output, (int64_t)row->sequence,
		query->since, (int64_t)query->states, query->target ? row->target : "",
		query->alarm ? (int64_t)row->alarm : 0);

	if (gm_sql_step(state, GM_SQL_ACTION_COUNT) > 0)
		count = sqlite3_column_int64(statement, 0);
	gm_sql_done(state, GM_SQL_ACTION_COUNT);
	return count;
}

int gm_state_actions_interrupted(struct gm_state *state, const char *output, int64_t now,
				 const char *answer)
{
	gm_sql_bind(state, GM_SQL_ACTION_INTERRUPTED, "tiiiti", output, (int64_t)GM_ACTION_SENT,
		    (int64_t)GM_ACTION_UNSURE, now, answer, INT64_MAX);
	return gm_sql_run(state, GM_SQL_ACTION_INTERRUPTED);
}

int gm_state_actions_outdated(struct gm_state *state, const char *output, int64_t before,
			      int64_t now, const char *answer)
{
	gm_sql_bind(state, GM_SQL_ACTION_INTERRUPTED, "tiiiti", output, (int64_t)GM_ACTION_DECIDED,
		    (int64_t)GM_ACTION_WITHHELD, now, answer, before);
	return gm_sql_run(state, GM_SQL_ACTION_INTERRUPTED);
}

int gm_state_actions(struct gm_state *state, const char *output, int64_t since,
		     void (*each)(void *user, const struct gm_action_row *row), void *user,
		     struct gm_error *err)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_ACTION_LIST, "ti", output, since);
	int rc, rows = 0;

	while ((rc = gm_sql_step(state, GM_SQL_ACTION_LIST)) > 0) {
		struct gm_action_row row;

		read_row(statement, &row);
		each(user, &row);
		rows++;
	}
	gm_sql_done(state, GM_SQL_ACTION_LIST);
	return rc < 0 ? gm_sql_failed(state, err, "read the actions") : rows;
}
