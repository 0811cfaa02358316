/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators taught, kept until they take it back. The records are not looked into here.
 */
#include <errno.h>

#include "base/text.h"
#include "state/private.h"

static int count(struct gm_state *state, int64_t *ret_count)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_LESSON_COUNT, "");
	int rc = gm_sql_step(state, GM_SQL_LESSON_COUNT);

	if (rc > 0)
		*ret_count = sqlite3_column_int64(statement, 0);
	gm_sql_done(state, GM_SQL_LESSON_COUNT);
	return rc > 0 ? 0 : -1;
}

int gm_state_lesson_add(struct gm_state *state, const struct gm_lesson_row *row, int64_t *ret_id,
			struct gm_error *err)
{
	int64_t kept = 0;

	if (row->size > GM_LESSON_RECORD_MAX)
		return gm_error_set(err, -EFBIG, "a lesson of %zu bytes is too large", row->size);
	if (count(state, &kept) < 0)
		return gm_sql_failed(state, err, "count the lessons");
	if (kept >= GM_LESSONS_KEEP)
		return gm_error_set(err, -ENOSPC, "%d lessons are kept already: take some back",
				    GM_LESSONS_KEEP);
	sqlite3_stmt *statement =
		gm_sql_bind(state, GM_SQL_LESSON_ADD, "tttiiti", row->entity, row->kind, row->label,
			    row->begin, row->end, row->author, row->made_at);
	sqlite3_bind_blob(statement, 8, row->record, (int)row->size, SQLITE_STATIC);
	if (gm_sql_run(state, GM_SQL_LESSON_ADD) < 0)
		return gm_sql_failed(state, err, "keep a lesson");
	*ret_id = sqlite3_last_insert_rowid(state->db);
	return 0;
}

int gm_state_lesson_remove(struct gm_state *state, int64_t id, struct gm_error *err)
{
	gm_sql_bind(state, GM_SQL_LESSON_REMOVE, "i", id);
	if (gm_sql_run(state, GM_SQL_LESSON_REMOVE) < 0)
		return gm_sql_failed(state, err, "take a lesson back");
	if (sqlite3_changes(state->db) == 0)
		return gm_error_set(err, -ENOENT, "there is no lesson %lld", (long long)id);
	return 0;
}

static void copy_column(char *text, size_t size, sqlite3_stmt *statement, int column)
{
	gm_text_copy(text, size, (const char *)sqlite3_column_text(statement, column));
}

static void read_row(sqlite3_stmt *statement, struct gm_lesson_row *row)
{
	row->id = sqlite3_column_int64(statement, 0);
	copy_column(row->entity, sizeof(row->entity), statement, 1);
	copy_column(row->kind, sizeof(row->kind), statement, 2);
	copy_column(row->label, sizeof(row->label), statement, 3);
	row->begin = sqlite3_column_int64(statement, 4);
	row->end = sqlite3_column_int64(statement, 5);
	copy_column(row->author, sizeof(row->author), statement, 6);
	row->made_at = sqlite3_column_int64(statement, 7);
	row->record = sqlite3_column_blob(statement, 8);
	row->size = (size_t)sqlite3_column_bytes(statement, 8);
}

int gm_state_lessons(struct gm_state *state, const char *entity,
		     void (*each)(void *user, const struct gm_lesson_row *row), void *user,
		     struct gm_error *err)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_LESSON_LIST, "t", entity ? entity : "");
	struct gm_lesson_row row;
	int rc, rows = 0;

	while ((rc = gm_sql_step(state, GM_SQL_LESSON_LIST)) > 0) {
		read_row(statement, &row);
		each(user, &row);
		rows++;
	}
	gm_sql_done(state, GM_SQL_LESSON_LIST);
	return rc < 0 ? gm_sql_failed(state, err, "read the lessons") : rows;
}
