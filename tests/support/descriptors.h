/* SPDX-License-Identifier: Apache-2.0 */
/* How many descriptors this process has open, and one or two more: for comparing. */
#ifndef GM_TEST_DESCRIPTORS_H
#define GM_TEST_DESCRIPTORS_H

#include <dirent.h>

static inline unsigned open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL) {
		count++;
	}
	closedir(folder);
	return count;
}

#endif
