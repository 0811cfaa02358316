/* SPDX-License-Identifier: Apache-2.0 */
/* A change to a state's database behind its back. For cmocka tests; include after <cmocka.h>. */
#ifndef GM_TEST_STATE_SQL_H
#define GM_TEST_STATE_SQL_H

#include <sqlite3.h>
#include <stdio.h>

static inline void run_sql(const char *directory, const char *text)
{
	char path[64];
	sqlite3 *database;

	snprintf(path, sizeof(path), "%s/state.db", directory);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
}

#endif
