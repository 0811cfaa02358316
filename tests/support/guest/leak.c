/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leak KIB_PER_S MAX_MIB: takes memory at a steady rate and never gives it back; at MAX_MIB it holds
 * what it has until it is killed. Runs in the test guest; the truth that leak alarms are judged by.
 */
#include <unistd.h>

#include "tool.h"

static const double step = 0.05;

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: leak KIB_PER_S MAX_MIB\n");
		return 2;
	}
	double rate = tool_number("KIB_PER_S", argv[1], 1, 1 << 20) * 1024;
	size_t max = (size_t)tool_number("MAX_MIB", argv[2], 1, 1 << 16) << 20;

	char *memory = tool_reserve(max);
	double start = tool_clock(CLOCK_MONOTONIC);
	size_t taken = 0;

	while (taken < max) {
		double due = (tool_clock(CLOCK_MONOTONIC) - start) * rate;
		size_t to = due < (double)max ? (size_t)due / PAGE * PAGE : max;

		tool_touch(memory, taken, to);
		taken = to;
		tool_sleep(step);
	}
	pause();
	return 0;
}
