/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running SQL: the prepared statements in one table, transactions, and what SQLite's failures mean as
 * an errno. Knows no indexes and no alarms.
 */
#include <errno.h>
#include <stdarg.h>

#include "state/private.h"

#define ACTION_COLUMNS                                                                        \
	"id, output, sequence, action, target, name, alarm, detector, rule, state, attempts," \
	" made_at, changed_at, answer"

static const char *const texts[GM_SQL_COUNT] = {
	[GM_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[GM_SQL_COMMIT] = "COMMIT",
	[GM_SQL_ROLLBACK] = "ROLLBACK",
	[GM_SQL_META_GET] = "SELECT value FROM meta WHERE name = ?1",
	[GM_SQL_META_SET] = "INSERT INTO meta (name, value) VALUES (?1, ?2)"
			    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[GM_SQL_INDEX_FIND] =
		"SELECT number, retired_at IS NOT NULL FROM indexes WHERE scope = ?1 AND name = ?2",
	[GM_SQL_INDEX_USED] = "SELECT number, retired_at FROM indexes WHERE scope = ?1"
			      " AND (retired_at IS NULL OR retired_at > ?2) AND number >= ?3"
			      " ORDER BY number",
	[GM_SQL_INDEX_HELD] = "SELECT 1 FROM indexes WHERE scope = ?1 AND number = ?2",
	[GM_SQL_INDEX_REVIVE] =
		"UPDATE indexes SET retired_at = NULL WHERE scope = ?1 AND name = ?2",
	[GM_SQL_INDEX_LOSE] = "DELETE FROM indexes WHERE scope = ?1 AND number = ?2",
	[GM_SQL_INDEX_LOSE_SCOPES] =
		"DELETE FROM indexes WHERE EXISTS (SELECT 1 FROM indexes AS holder"
		" WHERE holder.scope = ?1 AND holder.number = ?2"
		" AND substr(indexes.scope, -length(holder.name) - 1) = ':' || holder.name)",
	[GM_SQL_INDEX_ADD] = "INSERT INTO indexes (scope, name, number) VALUES (?1, ?2, ?3)",
	[GM_SQL_INDEX_RETIRE] = "UPDATE indexes SET retired_at = ?3 WHERE scope = ?1 AND name = ?2",
	[GM_SQL_ACTIVE_PUT] = "INSERT INTO active (id, record) VALUES (?1, ?2)"
			      " ON CONFLICT (id) DO UPDATE SET record = excluded.record",
	[GM_SQL_ACTIVE_DELETE] = "DELETE FROM active WHERE id = ?1",
	[GM_SQL_ACTIVE_ALL] = "SELECT record FROM active ORDER BY id",
	[GM_SQL_JOURNAL_ADD] =
		"INSERT INTO journal (sequence, kind, time, alarm, record, journalled)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[GM_SQL_JOURNAL_FIRST] = "SELECT coalesce(min(sequence), 0) FROM journal",
	[GM_SQL_JOURNAL_AFTER] = "SELECT sequence, kind, time, record, journalled FROM journal"
				 " WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
	/* The newest stays however old it is: by it the next start knows which numbers were given. */
	[GM_SQL_JOURNAL_PRUNE] = "DELETE FROM journal WHERE sequence IN"
				 " (SELECT sequence FROM journal WHERE sequence <= ?1"
				 "  AND sequence < (SELECT max(sequence) FROM journal)"
				 "  ORDER BY sequence LIMIT ?2)",
	/* Before the first that is young enough; 0: there is none. */
	[GM_SQL_JOURNAL_OLD] =
		"SELECT coalesce((SELECT sequence - 1 FROM journal WHERE time >= ?1"
		" ORDER BY sequence LIMIT 1), (SELECT max(sequence) FROM journal), 0)",
	[GM_SQL_OUTPUT_GET] = "SELECT sequence, paused FROM outputs WHERE name = ?1",
	[GM_SQL_OUTPUT_ADD] = "INSERT INTO outputs (name, sequence) VALUES (?1, ?2)",
	[GM_SQL_OUTPUT_SET] = "UPDATE outputs SET sequence = ?2 WHERE name = ?1 AND sequence < ?2",
	[GM_SQL_OUTPUT_REWIND] = "UPDATE outputs SET sequence = ?2 WHERE name = ?1",
	[GM_SQL_OUTPUT_REPLAY] = "UPDATE outputs SET sequence = ?2, replay = ?3 WHERE name = ?1",
	[GM_SQL_OUTPUT_REPLAYING] = "SELECT replay FROM outputs WHERE name = ?1",
	[GM_SQL_OUTPUT_PAUSE] = "UPDATE outputs SET paused = ?2 WHERE name = ?1",
	[GM_SQL_OUTPUT_NAMES] = "SELECT name FROM outputs"
				" WHERE name NOT IN (SELECT name FROM asleep) ORDER BY name",
	[GM_SQL_OUTPUT_REMOVE] = "DELETE FROM outputs WHERE name = ?1",
	/* The output of a registration is called by its kind and its id. */
	[GM_SQL_OUTPUT_SLEEP] = "INSERT INTO asleep SELECT ?1 WHERE EXISTS"
				" (SELECT 1 FROM registrations WHERE kind || '/' || id = ?1)",
	[GM_SQL_OUTPUT_LEAST] = "SELECT min(sequence) FROM outputs"
				" WHERE name NOT IN (SELECT name FROM asleep)",
	[GM_SQL_REGISTRATION_COUNT] =
		"SELECT count(*) FROM registrations WHERE NOT (kind = ?1 AND id = ?2)",
	[GM_SQL_REGISTRATION_PUT] =
		"INSERT INTO registrations (kind, id, record) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (kind, id) DO UPDATE SET record = excluded.record",
	[GM_SQL_REGISTRATION_REMOVE] = "DELETE FROM registrations WHERE kind = ?1 AND id = ?2",
	[GM_SQL_REGISTRATION_LIST] =
		"SELECT id, record FROM registrations WHERE kind = ?1 ORDER BY id",
	[GM_SQL_LESSON_COUNT] = "SELECT count(*) FROM lessons",
	[GM_SQL_LESSON_ADD] = "INSERT INTO lessons"
			      " (entity, kind, label, begin, end, author, made_at, record)"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[GM_SQL_LESSON_REMOVE] =
		"DELETE FROM lessons WHERE (entity, made_at) ="
		" (SELECT entity, made_at FROM lessons WHERE id = ?1 AND kind <> 'rest')",
	[GM_SQL_LESSON_LIST] = "SELECT id, entity, kind, label, begin, end, author, made_at, record"
			       " FROM lessons WHERE ?1 = '' OR entity = ?1 ORDER BY id",
	[GM_SQL_COMMENT_ADD] = "INSERT OR IGNORE INTO comments (alarm, number, time, author, text)"
			       " VALUES (?1, ?2, ?3, ?4, ?5)",
	[GM_SQL_COMMENT_CUT] = "DELETE FROM comments WHERE alarm = ?1 AND number <= ?2",
	[GM_SQL_COMMENT_PRUNE] = "DELETE FROM comments WHERE alarm NOT IN (SELECT id FROM active)"
				 " AND time < (SELECT time FROM journal ORDER BY sequence LIMIT 1)",
	[GM_SQL_COMMENT_LIST] = "SELECT alarm, number, time, author, text FROM comments"
				" WHERE ?1 = 0 OR alarm = ?1 ORDER BY alarm, number",
	[GM_SQL_MAINTENANCE_COUNT] = "SELECT count(*) FROM maintenance",
	[GM_SQL_MAINTENANCE_ADD] = "INSERT INTO maintenance"
				   " (target, begin, end, made_at, author, comment)"
				   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[GM_SQL_MAINTENANCE_REMOVE] = "DELETE FROM maintenance WHERE id = ?1",
	[GM_SQL_MAINTENANCE_LIST] = "SELECT id, target, begin, end, made_at, author, comment"
				    " FROM maintenance ORDER BY id",
	[GM_SQL_ACTION_GET] =
		"SELECT " ACTION_COLUMNS " FROM actions WHERE output = ?1 AND sequence = ?2",
	[GM_SQL_ACTION_PUT] =
		"INSERT INTO actions (output, sequence, action, target, name, alarm, detector,"
		" rule, state, attempts, made_at, changed_at, answer)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
		" ON CONFLICT (output, sequence) DO UPDATE SET state = excluded.state,"
		" attempts = excluded.attempts, changed_at = excluded.changed_at,"
		" answer = excluded.answer",
	/* The oldest by age, and by number what was withheld before what was done. */
	[GM_SQL_ACTION_PRUNE] =
		"DELETE FROM actions WHERE id IN (SELECT id FROM actions WHERE made_at < ?1"
		" AND id IN (SELECT id FROM actions ORDER BY id LIMIT 100)) OR id IN"
		" (SELECT id FROM actions ORDER BY state <> ?3, id"
		" LIMIT max(0, (SELECT count(*) FROM actions) - ?2))",
	[GM_SQL_ACTION_COUNT] = "SELECT count(*) FROM actions WHERE output = ?1 AND sequence <> ?2"
				" AND changed_at > ?3 AND (1 << state) & ?4 <> 0"
				" AND (?5 = '' OR target = ?5) AND (?6 = 0 OR alarm = ?6)",
	[GM_SQL_ACTION_INTERRUPTED] =
		"UPDATE actions SET state = ?3, changed_at = ?4,"
		" answer = ?5 || CASE answer WHEN '' THEN '' ELSE '; last: ' || answer END"
		" WHERE output = ?1 AND state = ?2 AND made_at < ?6",
	[GM_SQL_ACTION_LIST] = "SELECT " ACTION_COLUMNS
			       " FROM actions WHERE (?1 = '' OR output = ?1) AND made_at > ?2"
			       " ORDER BY id",
};

/* What is not listed is an I/O error. */
static const struct {
	int sqlite, code;
} codes[] = {
	{SQLITE_CORRUPT, -EBADMSG}, {SQLITE_NOTADB, -EBADMSG}, {SQLITE_FULL, -ENOSPC},
	{SQLITE_READONLY, -EROFS},  {SQLITE_NOMEM, -ENOMEM},   {SQLITE_BUSY, -EBUSY},
	{SQLITE_CANTOPEN, -EACCES}, {SQLITE_PERM, -EACCES},
};

int gm_sql_failed(struct gm_state *state, struct gm_error *err, const char *doing)
{
	int result = sqlite3_errcode(state->db) & 0xff, code = -EIO;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].sqlite == result)
			code = codes[i].code;
	}
	if (code == -EBADMSG)
		return gm_error_set(err, code,
				    "%s is damaged (%s); to start without it (indexes and alarms "
				    "begin anew): mv %s %s.damaged, with its -wal and -shm files",
				    state->path, sqlite3_errmsg(state->db), state->path,
				    state->path);
	return gm_error_set(err, code, "%s: %s: %s", state->path, doing, sqlite3_errmsg(state->db));
}

int gm_sql_exec(struct gm_state *state, const char *text)
{
	return sqlite3_exec(state->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

int gm_sql_prepare(struct gm_state *state)
{
	for (int i = 0; i < GM_SQL_COUNT; i++) {
		if (sqlite3_prepare_v3(state->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &state->statements[i], NULL) != SQLITE_OK)
			return -1;
	}
	return 0;
}

void gm_sql_finalise(struct gm_state *state)
{
	for (int i = 0; i < GM_SQL_COUNT; i++)
		sqlite3_finalize(state->statements[i]);
}

sqlite3_stmt *gm_sql_bind(struct gm_state *state, enum gm_sql id, const char *types, ...)
{
	sqlite3_stmt *statement = state->statements[id];
	va_list arguments;

	va_start(arguments, types);
	for (int i = 0; types[i] != '\0'; i++) {
		if (types[i] == 't')
			sqlite3_bind_text(statement, i + 1, va_arg(arguments, const char *), -1,
					  SQLITE_STATIC);
		else
			sqlite3_bind_int64(statement, i + 1, va_arg(arguments, int64_t));
	}
	va_end(arguments);
	return statement;
}

int gm_sql_step(struct gm_state *state, enum gm_sql id)
{
	switch (sqlite3_step(state->statements[id])) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return -1;
	}
}

/* After a failure, sqlite3_reset() repeats its code: the connection's message stays the failure's. */
void gm_sql_done(struct gm_state *state, enum gm_sql id)
{
	sqlite3_reset(state->statements[id]);
	sqlite3_clear_bindings(state->statements[id]);
}

int gm_sql_run(struct gm_state *state, enum gm_sql id)
{
	int rc = gm_sql_step(state, id);

	gm_sql_done(state, id);
	return rc < 0 ? -1 : 0;
}

int gm_sql_begin(struct gm_state *state, struct gm_error *err)
{
	return gm_sql_run(state, GM_SQL_BEGIN) < 0 ? gm_sql_failed(state, err, "begin") : 0;
}

int gm_sql_end(struct gm_state *state, int rc, struct gm_error *err)
{
	if (rc == 0 && gm_sql_run(state, GM_SQL_COMMIT) < 0)
		rc = gm_sql_failed(state, err, "commit");
	/* Some failures (disk full, I/O) have rolled back by themselves. */
	if (rc < 0 && !sqlite3_get_autocommit(state->db))
		gm_sql_run(state, GM_SQL_ROLLBACK);
	return rc;
}

int gm_state_meta_get(struct gm_state *state, const char *name, int64_t *ret_value)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_META_GET, "t", name);
	int rc = gm_sql_step(state, GM_SQL_META_GET);

	if (rc > 0)
		*ret_value = sqlite3_column_int64(statement, 0);
	gm_sql_done(state, GM_SQL_META_GET);
	return rc > 0 ? 0 : rc == 0 ? -ENOENT : -EIO;
}

int gm_state_meta_set(struct gm_state *state, const char *name, int64_t value)
{
	gm_sql_bind(state, GM_SQL_META_SET, "ti", name, value);
	return gm_sql_run(state, GM_SQL_META_SET);
}
