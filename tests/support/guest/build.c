/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build JOBS MIB SECONDS: keeps JOBS processes going as a build does: each takes up to MIB over up to
 * SECONDS of work, ends, and another takes its place, until it is killed. Runs in the test guest: much
 * memory that comes and goes, which is not a leak. The same sequence of sizes in every run.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

enum { JOBS_MAX = 64, STEPS = 20 };

/* Uniform in [0, 1) (Knuth's MMIX generator). */
static double uniform(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*random >> 11) * 0x1p-53;
}

/* One job: grows in steps, keeps the processor busy for half of the time, ends. */
static void work(size_t size, double seconds)
{
	char *memory = tool_reserve(size);
	size_t taken = 0;

	for (int i = 1; i <= STEPS; i++) {
		size_t to = size / STEPS * (size_t)i / PAGE * PAGE;
		double until = tool_clock(CLOCK_MONOTONIC) + seconds / STEPS / 2;

		tool_touch(memory, taken, to);
		taken = to;
		while (tool_clock(CLOCK_MONOTONIC) < until)
			;
		tool_sleep(seconds / STEPS / 2);
	}
}

static void begin(double most, double seconds, uint64_t *random)
{
	double part = uniform(random), length = uniform(random);
	/* Small ones are the most frequent, as in a build. */
	size_t size = (size_t)(most * part * part * 1048576) + PAGE;
	pid_t parent = getpid(), child = fork();

	if (child < 0) {
		tool_sleep(0.1); /* no room just now: the next turn tries again */
	} else if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		work(size, 0.1 + seconds * length);
		_exit(0);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: build JOBS MIB SECONDS\n");
		return 2;
	}
	int jobs = (int)tool_number("JOBS", argv[1], 1, JOBS_MAX);
	double most = tool_number("MIB", argv[2], 1, 1 << 16);
	double seconds = tool_number("SECONDS", argv[3], 0.1, 3600);
	uint64_t random = 1;

	for (int i = 0; i < jobs; i++)
		begin(most, seconds, &random);
	for (;;) {
		while (wait(NULL) < 0 && errno == EINTR)
			;
		begin(most, seconds, &random);
	}
}
