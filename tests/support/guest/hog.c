/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hog MIB: takes that much memory at once and holds it until it is killed. Runs in the test guest: a
 * bulk allocation, which is not a leak.
 */
#include <unistd.h>

#include "tool.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: hog MIB\n");
		return 2;
	}
	size_t size = (size_t)tool_number("MIB", argv[1], 1, 1 << 16) << 20;

	tool_touch(tool_reserve(size), 0, size);
	printf("holding %zu MiB\n", size >> 20);
	fflush(stdout);
	pause();
	return 0;
}
