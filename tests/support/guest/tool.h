/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the test guest's tools share: checked numbers from the command line, a monotonic clock, a
 * sleep that survives signals, and memory that is really there. Header only: each tool is one static
 * program. Not part of the daemon.
 */
#ifndef GM_GUEST_TOOL_H
#define GM_GUEST_TOOL_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE = 4096 };

/* The number `text` within [min, max]; ends the tool with a sentence when it is anything else. */
static inline double tool_number(const char *what, const char *text, double min, double max)
{
	char *end;

	errno = 0;
	double number = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !(number >= min && number <= max)) {
		fprintf(stderr, "%s must be a number from %g to %g, not \"%s\"\n", what, min, max,
			text);
		exit(2);
	}
	return number;
}

static inline double tool_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void tool_sleep(double seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/*
 * Address space that costs nothing until tool_touch(). Without huge pages: one touch of a huge page
 * would take 2 MiB at once and make a slow leak a staircase.
 */
static inline char *tool_reserve(size_t bytes)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	return memory;
}

/* Makes the pages of [from, to) resident; both multiples of PAGE. */
static inline void tool_touch(char *memory, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += PAGE)
		((volatile char *)memory)[at] = 1;
}

#endif
