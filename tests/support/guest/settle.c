/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settle MIB SECONDS: takes MIB the way that a service does which starts up and fills its caches: fast
 * at first, ever slower, two thirds of it within SECONDS; then it holds what it has. Runs in the test
 * guest: growth that ends by itself, which is not a leak.
 */
#include <math.h>

#include "tool.h"

static const double step = 0.05;

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: settle MIB SECONDS\n");
		return 2;
	}
	size_t size = (size_t)tool_number("MIB", argv[1], 1, 1 << 16) << 20;
	double pace = tool_number("SECONDS", argv[2], 0.1, 86400);
	char *memory = tool_reserve(size);
	double start = tool_clock(CLOCK_MONOTONIC);
	size_t taken = 0;

	for (;;) {
		double part = 1 - exp(-(tool_clock(CLOCK_MONOTONIC) - start) / pace);
		size_t to = (size_t)(part * (double)size) / PAGE * PAGE;

		tool_touch(memory, taken, to);
		taken = to;
		tool_sleep(step);
	}
}
