/* SPDX-License-Identifier: Apache-2.0 */
/* A change to a state's database behind its back, or a lock on it. For cmocka tests; include after <cmocka.h>. */
#ifndef GM_TEST_STATE_SQL_H
#define GM_TEST_STATE_SQL_H

#include <sqlite3.h>
#include <stdio.h>

static inline sqlite3 *open_database(const char *directory)
{
	char path[64];
	sqlite3 *database;

	snprintf(path, sizeof(path), "%s/state.db", directory);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	return database;
}

static inline void run_sql(const char *directory, const char *text)
{
	sqlite3 *database = open_database(directory);

	assert_int_equal(sqlite3_exec(database, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
}

/* Nobody else can write until it is closed. */
static inline sqlite3 *lock_database(const char *directory)
{
	sqlite3 *database = open_database(directory);

	assert_int_equal(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return database;
}

#endif
