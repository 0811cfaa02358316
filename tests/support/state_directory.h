/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state directory (state/state.h) for one test, and its removal with all that the daemon puts there.
 * For cmocka tests; include after <cmocka.h>.
 */
#ifndef GM_TEST_STATE_DIRECTORY_H
#define GM_TEST_STATE_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STATE_DIRECTORY = 32 };

static inline void state_directory_make(char directory[STATE_DIRECTORY])
{
	snprintf(directory, STATE_DIRECTORY, "/tmp/gm-state-XXXXXX");
	assert_non_null(mkdtemp(directory));
}

/* The same in memory, where there is such a place: for a test that writes so often that a disk's time tells. */
static inline void state_directory_make_fast(char directory[STATE_DIRECTORY])
{
	snprintf(directory, STATE_DIRECTORY, "/dev/shm/gm-state-XXXXXX");
	if (!mkdtemp(directory))
		state_directory_make(directory);
}

/* Fails the test when anything else is left in it. */
static inline void state_directory_remove(const char *directory)
{
	static const char *const files[] = {"state.db", "state.db-wal", "state.db-shm", "lock"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[64];
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(directory), 0);
}

#endif
