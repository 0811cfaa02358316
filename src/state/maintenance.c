/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maintenance that somebody has asked for; see maintenance.h.
 */
#include "state/maintenance.h"

#include <errno.h>

#include "base/text.h"
#include "state/private.h"

static int count(struct gm_state *state, int64_t *ret_count)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_MAINTENANCE_COUNT, "");
	int rc = gm_sql_step(state, GM_SQL_MAINTENANCE_COUNT);

	if (rc > 0)
		*ret_count = sqlite3_column_int64(statement, 0);
	gm_sql_done(state, GM_SQL_MAINTENANCE_COUNT);
	return rc > 0 ? 0 : -1;
}

int gm_state_maintenance_add(struct gm_state *state, const struct gm_maintenance_row *row,
			     int64_t *ret_id, struct gm_error *err)
{
	int64_t kept = 0;

	if (count(state, &kept) < 0)
		return gm_sql_failed(state, err, "count the maintenance");
	if (kept >= GM_MAINTENANCE_KEEP)
		return gm_error_set(err, -ENOSPC, "%d are there already: remove some",
				    GM_MAINTENANCE_KEEP);
	gm_sql_bind(state, GM_SQL_MAINTENANCE_ADD, "tiiitt", row->target, row->begin, row->end,
		    row->made_at, row->author, row->comment);
	if (gm_sql_run(state, GM_SQL_MAINTENANCE_ADD) < 0)
		return gm_sql_failed(state, err, "keep a maintenance");
	*ret_id = sqlite3_last_insert_rowid(state->db);
	return 0;
}

int gm_state_maintenance_remove(struct gm_state *state, int64_t id, struct gm_error *err)
{
	gm_sql_bind(state, GM_SQL_MAINTENANCE_REMOVE, "i", id);
	if (gm_sql_run(state, GM_SQL_MAINTENANCE_REMOVE) < 0)
		return gm_sql_failed(state, err, "remove a maintenance");
	if (sqlite3_changes(state->db) == 0)
		return gm_error_set(err, -ENOENT, "there is no maintenance %lld", (long long)id);
	return 0;
}

static void copy_column(char *text, size_t size, sqlite3_stmt *statement, int column)
{
	gm_text_copy(text, size, (const char *)sqlite3_column_text(statement, column));
}

int gm_state_maintenance(struct gm_state *state,
			 void (*each)(void *user, const struct gm_maintenance_row *row), void *user,
			 struct gm_error *err)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_MAINTENANCE_LIST, "");
	int rc, rows = 0;

	while ((rc = gm_sql_step(state, GM_SQL_MAINTENANCE_LIST)) > 0) {
		struct gm_maintenance_row row = {.id = sqlite3_column_int64(statement, 0)};

		copy_column(row.target, sizeof(row.target), statement, 1);
		row.begin = sqlite3_column_int64(statement, 2);
		row.end = sqlite3_column_int64(statement, 3);
		row.made_at = sqlite3_column_int64(statement, 4);
		copy_column(row.author, sizeof(row.author), statement, 5);
		copy_column(row.comment, sizeof(row.comment), statement, 6);
		each(user, &row);
		rows++;
	}
	gm_sql_done(state, GM_SQL_MAINTENANCE_LIST);
	return rc < 0 ? gm_sql_failed(state, err, "read the maintenance") : rows;
}
