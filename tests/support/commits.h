/* SPDX-License-Identifier: Apache-2.0 */
/* How many transactions SQLite commits in this process, of databases that are opened after count_commits(). */
#ifndef GM_TEST_COMMITS_H
#define GM_TEST_COMMITS_H

#include <stdint.h>

#include <sqlite3.h>

static uint64_t commits;

static inline int on_commit(void *user)
{
	(void)user;
	commits++;
	return 0;
}

/* An extension of SQLite that every database is opened with. */
static inline int watch_commits(sqlite3 *database, const char **ret_text, const void *functions)
{
	(void)ret_text;
	(void)functions;
	sqlite3_commit_hook(database, on_commit, NULL);
	return SQLITE_OK;
}

static inline void count_commits(void)
{
	sqlite3_auto_extension((void (*)(void))watch_commits);
}

#endif
