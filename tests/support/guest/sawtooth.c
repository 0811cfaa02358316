/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sawtooth MIB SECONDS: grows to MIB within SECONDS, gives all of it back at once, and starts again,
 * until it is killed. Runs in the test guest: what a garbage-collected heap looks like from outside,
 * which is not a leak.
 */
#include <unistd.h>

#include "tool.h"

static const double step = 0.05;

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: sawtooth MIB SECONDS\n");
		return 2;
	}
	size_t size = (size_t)tool_number("MIB", argv[1], 1, 1 << 16) << 20;
	double period = tool_number("SECONDS", argv[2], 0.1, 3600);
	char *memory = tool_reserve(size);

	for (;;) {
		double start = tool_clock(CLOCK_MONOTONIC);
		size_t taken = 0;

		while (taken < size) {
			double share = (tool_clock(CLOCK_MONOTONIC) - start) / period;
			size_t to = share < 1 ? (size_t)(share * (double)size) / PAGE * PAGE : size;

			tool_touch(memory, taken, to);
			taken = to;
			tool_sleep(step);
		}
		madvise(memory, size, MADV_DONTNEED);
	}
}
