/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. All times are int64_t nanoseconds since the epoch (1970, UTC), all durations int64_t
 * nanoseconds. Only source/, north/ and daemon/ ask for the time; everything below gets it as an
 * argument, so that a recording can be replayed, and has the monotonic one for what it waits for.
 */
#ifndef GM_BASE_CLOCK_H
#define GM_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define GM_MICROSECOND INT64_C(1000)
#define GM_MILLISECOND INT64_C(1000000)
#define GM_SECOND      INT64_C(1000000000)

/*
 * What is kept as older may be at most so much newer than what is read now: more is a clock that was set
 * back, less came out of order.
 */
#define GM_CLOCK_SET_BACK GM_SECOND

/*
 * The node's time: the monotonic clock plus an offset that gm_clock_discipline() keeps near the
 * system's wall clock, so that time never jumps between two samples unless a step is adopted there.
 * Any thread.
 */
int64_t gm_clock_now(void);

/* CLOCK_MONOTONIC, for deadlines. Any thread. */
int64_t gm_clock_monotonic(void);

/* How long ago the machine was started, times of suspension included. Any thread. */
int64_t gm_clock_uptime(void);

/*
 * Compares the node's time with the wall clock. Of an error of up to a second, at most 5 ms are worked off,
 * evenly over the second that follows: no span is longer or shorter by more than 0.5 %. A larger one is
 * adopted at once and returned (ns, positive when the wall clock is ahead). Returns 0 otherwise. One
 * thread, about once a second.
 */
int64_t gm_clock_discipline(void);

/* "2026-01-31T12:00:00.123Z"; size at least GM_TIME_TEXT. Returns `text`. */
enum { GM_TIME_TEXT = 32 };
char *gm_time_format(int64_t time, char *text, size_t size);

/*
 * Parses seconds since the epoch with decimals ("1700000000.25") or ISO 8601 in UTC
 * ("2026-01-31 12:00:00.5", with T or space, with or without Z). 0, or -EINVAL.
 */
int gm_time_parse(const char *text, int64_t *ret_time);

#endif
