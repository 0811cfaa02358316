/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the state: lock, checks, schema. A file that is damaged, foreign or newer is left exactly as
 * it is. The daemon opens it first of all and closes it last.
 */
#include "state/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/private.h"

/* How long calls wait for another's lock, all together, in a second; and until they look again. */
#define BUSY_MOST (200 * GM_MILLISECOND)
enum { BUSY_STEP_MS = 5 };

/* What makes schema N + 1 of schema N; a new file runs them all. They are never changed, only added. */
static const char *const schema_steps[] = {
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE indexes (scope TEXT NOT NULL, name TEXT NOT NULL,"
	" number INTEGER NOT NULL, retired_at INTEGER,"
	" PRIMARY KEY (scope, name), UNIQUE (scope, number)) WITHOUT ROWID;"
	"CREATE TABLE active (id INTEGER PRIMARY KEY, record TEXT NOT NULL);"
	"CREATE TABLE journal (sequence INTEGER PRIMARY KEY,"
	" kind INTEGER NOT NULL, time INTEGER NOT NULL,"
	" alarm INTEGER NOT NULL, record TEXT NOT NULL);"
	"CREATE TABLE outputs (name TEXT PRIMARY KEY,"
	" sequence INTEGER NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version = 1;",
	"CREATE TABLE lessons (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" entity TEXT NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,"
	" begin INTEGER NOT NULL, end INTEGER NOT NULL,"
	" author TEXT NOT NULL, made_at INTEGER NOT NULL, record BLOB NOT NULL);"
	"CREATE INDEX lessons_of ON lessons (entity);"
	"PRAGMA user_version = 2;",
	"ALTER TABLE journal ADD COLUMN journalled INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE outputs ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"
	"PRAGMA user_version = 3;",
	"CREATE TABLE comments (alarm INTEGER NOT NULL, number INTEGER NOT NULL,"
	" time INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL,"
	" PRIMARY KEY (alarm, number)) WITHOUT ROWID;"
	"CREATE TABLE maintenance (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" target TEXT NOT NULL, begin INTEGER NOT NULL, end INTEGER NOT NULL,"
	" made_at INTEGER NOT NULL, author TEXT NOT NULL, comment TEXT NOT NULL);"
	"PRAGMA user_version = 4;",
	"CREATE TABLE registrations (kind TEXT NOT NULL, id TEXT NOT NULL,"
	" record TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;"
	"PRAGMA user_version = 5;",
	"CREATE TABLE actions (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" output TEXT NOT NULL, sequence INTEGER NOT NULL, action TEXT NOT NULL,"
	" target TEXT NOT NULL, name TEXT NOT NULL, alarm INTEGER NOT NULL,"
	" detector TEXT NOT NULL, rule TEXT NOT NULL, state INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL, made_at INTEGER NOT NULL,"
	" changed_at INTEGER NOT NULL, answer TEXT NOT NULL, UNIQUE (output, sequence));"
	"PRAGMA user_version = 6;",
	"ALTER TABLE outputs ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;"
	"PRAGMA user_version = 7;",
};
enum { SCHEMA_VERSION = sizeof(schema_steps) / sizeof(schema_steps[0]) };

/*
 * FULL: in WAL mode NORMAL may lose the last commits at a power cut, and a transition that was sent
 * must not be forgotten (https://www.sqlite.org/pragma.html#pragma_synchronous). The log is cut back
 * after a checkpoint so that one busy hour does not keep its size.
 */
static const char settings[] =
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = FULL;"
	"PRAGMA journal_size_limit = 8388608;"
	/* Outputs of registrations that are not told anything in this run. */
	"PRAGMA temp_store = MEMORY;"
	"CREATE TEMP TABLE asleep (name TEXT PRIMARY KEY) WITHOUT ROWID;";

/* The first column of the first row of `text`. */
static int query(struct gm_state *state, const char *text, sqlite3_stmt **ret_statement)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(state->db, text, -1, &statement, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(statement) != SQLITE_ROW) {
		sqlite3_finalize(statement);
		return -1;
	}
	*ret_statement = statement;
	return 0;
}

static int query_number(struct gm_state *state, const char *text, int64_t *ret_number)
{
	sqlite3_stmt *statement;

	if (query(state, text, &statement) < 0)
		return -1;
	*ret_number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return 0;
}

/* Only reads. The version of the schema, 0 for a new and empty file; or a negative errno. */
static int check(struct gm_state *state, struct gm_error *err)
{
	int64_t version, tables;
	sqlite3_stmt *statement;
	int rc = 0;

	if (query_number(state, "PRAGMA user_version", &version) < 0 ||
	    query_number(state, "SELECT count(*) FROM sqlite_master", &tables) < 0)
		return gm_sql_failed(state, err, "read");
	if (version == 0 && tables == 0)
		return 0;
	if (version == 0)
		return gm_error_set(err, -EBADMSG, "%s is not a guestmon state file; move it away",
				    state->path);
	if (version > SCHEMA_VERSION)
		return gm_error_set(err, -EBADMSG,
				    "%s was written by a newer guestmon (schema %lld, this one "
				    "knows %d); run that one, or move the file away",
				    state->path, (long long)version, SCHEMA_VERSION);
	if (query(state, "PRAGMA quick_check(1)", &statement) < 0)
		return gm_sql_failed(state, err, "check");
	const char *verdict = (const char *)sqlite3_column_text(statement, 0);
	if (!verdict || strcmp(verdict, "ok") != 0)
		rc = gm_error_set(err, -EBADMSG,
				  "%s is damaged (%.200s); to start without it (indexes and alarms "
				  "begin anew): mv %s %s.damaged, with its -wal and -shm files",
				  state->path, verdict ? verdict : "no verdict", state->path,
				  state->path);
	sqlite3_finalize(statement);
	return rc < 0 ? rc : (int)version;
}

/* SQLite's numbers have a sign: 63 bits are drawn. */
static int find_engine(struct gm_state *state, struct gm_error *err)
{
	int64_t engine = 0;
	int rc = gm_state_meta_get(state, "engine", &engine);

	if (rc == -ENOENT) {
		if (getrandom(&engine, sizeof(engine), 0) != sizeof(engine))
			return gm_error_set(err, -EIO, "%s: no random number", state->path);
		engine &= INT64_MAX;
		rc = gm_state_meta_set(state, "engine", engine);
	}
	if (rc < 0)
		return gm_sql_failed(state, err, "keep the engine's number");
	state->engine = (uint64_t)engine;
	return 0;
}

static int count_boot(struct gm_state *state, struct gm_error *err)
{
	int64_t boots = 0;
	int rc = gm_state_meta_get(state, "boots", &boots);

	if ((rc < 0 && rc != -ENOENT) || gm_state_meta_set(state, "boots", boots + 1) < 0)
		return gm_sql_failed(state, err, "count the start");
	state->boots = (uint32_t)(boots + 1);
	return 0;
}

/* From schema `version` to the newest: all of it or nothing. */
static int update_schema(struct gm_state *state, int version, struct gm_error *err)
{
	int result = 0;

	if (version == SCHEMA_VERSION)
		return 0;
	if (gm_sql_exec(state, "BEGIN IMMEDIATE") < 0)
		return gm_sql_failed(state, err, "begin");
	for (int step = version; step < SCHEMA_VERSION && result == 0; step++)
		result = gm_sql_exec(state, schema_steps[step]);
	if (result < 0 || gm_sql_exec(state, "COMMIT") < 0) {
		int rc = gm_sql_failed(state, err, "create the tables");

		gm_sql_exec(state, "ROLLBACK");
		return rc;
	}
	return 0;
}

/*
 * Somebody who looks at the file with a tool must not cost a transition; nor must one who holds the lock for
 * long stop the main loop with each call that would write.
 */
static int on_busy(void *user, int tries)
{
	struct gm_state *state = user;
	int64_t before = gm_clock_monotonic();

	(void)tries;
	if (before - state->busy_since >= GM_SECOND) {
		state->busy_since = before;
		state->waited = 0;
	}
	if (state->waited >= BUSY_MOST)
		return 0;
	sqlite3_sleep(BUSY_STEP_MS);
	state->waited += gm_clock_monotonic() - before;
	return 1;
}

static int open_database(struct gm_state *state, struct gm_error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int rc = gm_state_make_private(state->path, err);

	if (rc < 0)
		return rc;
	int result = sqlite3_open_v2(state->path, &state->db, flags, NULL);

	if (!state->db)
		return -ENOMEM;
	if (result != SQLITE_OK)
		return gm_sql_failed(state, err, "open");
	sqlite3_busy_handler(state->db, on_busy, state);
	rc = check(state, err);
	if (rc < 0)
		return rc;
	if (gm_sql_exec(state, settings) < 0)
		return gm_sql_failed(state, err, "set up");
	rc = update_schema(state, rc, err);
	if (rc < 0)
		return rc;
	if (gm_sql_prepare(state) < 0)
		return gm_sql_failed(state, err, "prepare");
	rc = count_boot(state, err);
	if (rc == 0)
		rc = find_engine(state, err);
	if (rc < 0)
		return rc;
	return gm_state_journal_open(state, err);
}

int gm_state_open(const char *directory, struct gm_state **ret_state, struct gm_error *err)
{
	struct gm_state *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return gm_error_set(err, -ENOMEM, "state: out of memory");
	state->lock = -1;
	rc = gm_state_lock(directory, &state->lock, err);
	if (rc < 0)
		goto out;
	if (snprintf(state->path, sizeof(state->path), "%s/state.db", directory) >=
	    (int)sizeof(state->path)) {
		rc = gm_error_set(err, -ENAMETOOLONG, "state directory: the path is too long");
		goto out;
	}
	rc = open_database(state, err);
	if (rc < 0)
		goto out;
	*ret_state = state;
	return 0;
out:
	gm_state_close(state);
	return rc;
}

void gm_state_close(struct gm_state *state)
{
	if (!state)
		return;
	if (state->statements[GM_SQL_COUNT - 1])
		gm_state_journal_close(state);
	gm_sql_finalise(state);
	sqlite3_close(state->db);
	if (state->lock >= 0)
		close(state->lock);
	free(state);
}

uint32_t gm_state_boots(const struct gm_state *state)
{
	return state->boots;
}

uint64_t gm_state_engine(const struct gm_state *state)
{
	return state->engine;
}
