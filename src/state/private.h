/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of state/ share: the open database and its prepared statements. state.c opens and
 * closes, sql.c runs, the others use. Nobody else includes this.
 */
#ifndef GM_STATE_PRIVATE_H
#define GM_STATE_PRIVATE_H

#include <sqlite3.h>

#include "state/state.h"

enum gm_sql {
	GM_SQL_BEGIN,
	GM_SQL_COMMIT,
	GM_SQL_ROLLBACK,
	GM_SQL_META_GET,
	GM_SQL_META_SET,
	GM_SQL_INDEX_FIND,
	GM_SQL_INDEX_USED,
	GM_SQL_INDEX_HELD,
	GM_SQL_INDEX_REVIVE,
	GM_SQL_INDEX_LOSE,
	GM_SQL_INDEX_LOSE_SCOPES,
	GM_SQL_INDEX_ADD,
	GM_SQL_INDEX_RETIRE,
	GM_SQL_ACTIVE_PUT,
	GM_SQL_ACTIVE_DELETE,
	GM_SQL_ACTIVE_ALL,
	GM_SQL_JOURNAL_ADD,
	GM_SQL_JOURNAL_AFTER,
	GM_SQL_JOURNAL_OLD,
	GM_SQL_JOURNAL_PRUNE,
	GM_SQL_JOURNAL_FIRST,
	GM_SQL_OUTPUT_GET,
	GM_SQL_OUTPUT_ADD,
	GM_SQL_OUTPUT_SET,
	GM_SQL_OUTPUT_REWIND,
	GM_SQL_OUTPUT_REPLAY,
	GM_SQL_OUTPUT_REPLAYING,
	GM_SQL_OUTPUT_PAUSE,
	GM_SQL_OUTPUT_NAMES,
	GM_SQL_OUTPUT_REMOVE,
	GM_SQL_OUTPUT_SLEEP,
	GM_SQL_OUTPUT_LEAST,
	GM_SQL_REGISTRATION_COUNT,
	GM_SQL_REGISTRATION_PUT,
	GM_SQL_REGISTRATION_REMOVE,
	GM_SQL_REGISTRATION_LIST,
	GM_SQL_LESSON_COUNT,
	GM_SQL_LESSON_ADD,
	GM_SQL_LESSON_REMOVE,
	GM_SQL_LESSON_LIST,
	GM_SQL_COMMENT_ADD,
	GM_SQL_COMMENT_CUT,
	GM_SQL_COMMENT_PRUNE,
	GM_SQL_COMMENT_LIST,
	GM_SQL_MAINTENANCE_COUNT,
	GM_SQL_MAINTENANCE_ADD,
	GM_SQL_MAINTENANCE_REMOVE,
	GM_SQL_MAINTENANCE_LIST,
	GM_SQL_ACTION_GET,
	GM_SQL_ACTION_PUT,
	GM_SQL_ACTION_PRUNE,
	GM_SQL_ACTION_COUNT,
	GM_SQL_ACTION_INTERRUPTED,
	GM_SQL_ACTION_LIST,
	GM_SQL_COUNT
};

/* Where the search for a free number goes on: see index.c. */
struct gm_state_gap {
	int64_t from;       /* all below it are taken; 0: not known */
	int64_t retired_at; /* the earliest among those; INT64_MAX: none */
};

struct gm_state {
	sqlite3 *db;
	sqlite3_stmt *statements[GM_SQL_COUNT];
	char path[4096]; /* of the database */
	int lock;        /* file descriptor, -1 when not held */
	int64_t busy_since,
		waited; /* for another's lock: the second (monotonic), and how long in it */
	uint32_t boots;
	uint64_t engine;
	uint32_t next_alarm_id;
	uint32_t reserved_alarm_id;   /* ids below it are reserved on disk */
	uint32_t unreserved_alarm_id; /* ids below it are given without that: it failed */
	uint32_t unreserved;          /* how many at a time */
	uint64_t last_sequence;
	int64_t keep, keep_for; /* the journal: transitions, and ns or 0 */
	int64_t newest;         /* the newest time that retire and journal were told */
	size_t since_prune;     /* transitions journalled since then */
	struct gm_state_gap gap;
};

/* directory.c: makes DIRECTORY and takes its lock (until the descriptor is closed). */
int gm_state_lock(const char *directory, int *ret_lock, struct gm_error *err);

/* directory.c: the database at `path` and its companions are its owner's alone: passwords are in it. */
int gm_state_make_private(const char *path, struct gm_error *err);

/* Writes what SQLite says of the last failure and returns the errno that fits it. */
int gm_sql_failed(struct gm_state *state, struct gm_error *err, const char *doing);

/* Runs text that gives no rows. 0, or -1: ask gm_sql_failed(). */
int gm_sql_exec(struct gm_state *state, const char *text);

/* Prepares all statements, once the tables are there. */
int gm_sql_prepare(struct gm_state *state);
void gm_sql_finalise(struct gm_state *state);

/*
 * Binds one parameter per letter of `types`: i int64_t, t const char *. The text must live until the
 * statement is done.
 */
sqlite3_stmt *gm_sql_bind(struct gm_state *state, enum gm_sql id, const char *types, ...);

/* Steps to a row: 1; at the end: 0; -1: ask gm_sql_failed(). */
int gm_sql_step(struct gm_state *state, enum gm_sql id);

/* Ends a statement that was stepped. */
void gm_sql_done(struct gm_state *state, enum gm_sql id);

/* Binds nothing, steps to the end, ends: 0 or -1. */
int gm_sql_run(struct gm_state *state, enum gm_sql id);

/* A transaction; end() commits, or rolls back when `rc` (which it returns then) is negative. */
int gm_sql_begin(struct gm_state *state, struct gm_error *err);
int gm_sql_end(struct gm_state *state, int rc, struct gm_error *err);

/* A number under a name; -ENOENT when there is none. */
int gm_state_meta_get(struct gm_state *state, const char *name, int64_t *ret_value);
int gm_state_meta_set(struct gm_state *state, const char *name, int64_t value);

/* journal.c: what open() reads of the journal and the ids; close() gives unused ids back. */
int gm_state_journal_open(struct gm_state *state, struct gm_error *err);
void gm_state_journal_close(struct gm_state *state);

/* journal.c: an alarm from the text of its record. Any thread. */
int gm_state_record_parse(const char *text, struct gm_alarm *ret_alarm);

/* comment.c: the comment that a transition tells, within its transaction. 0 or -1: ask gm_sql_failed(). */
int gm_state_comment_add(struct gm_state *state, const struct gm_alarm *alarm);

#endif
