/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's time; see clock.h. The offset between the monotonic and the wall clock is the only state.
 */
#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DISCIPLINE_STEP_MS = 5 };

/* Wall clock less monotonic clock, ns; 0 until the first use. */
static _Atomic int64_t wall_offset;

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * GM_SECOND + now.tv_nsec;
}

int64_t gm_clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t gm_clock_now(void)
{
	int64_t offset = atomic_load_explicit(&wall_offset, memory_order_relaxed);
	if (offset == 0) {
		int64_t fresh = read_clock(CLOCK_REALTIME) - gm_clock_monotonic();
		/* Of several threads that come first, one wins; all then use its offset. */
		if (atomic_compare_exchange_strong(&wall_offset, &offset, fresh))
			offset = fresh;
	}
	return gm_clock_monotonic() + offset;
}

int64_t gm_clock_discipline(void)
{
	int64_t error = read_clock(CLOCK_REALTIME) - gm_clock_now();
	int64_t limit = DISCIPLINE_STEP_MS * GM_MILLISECOND;
	bool step = error > GM_SECOND || error < -GM_SECOND;
	int64_t correction = step ? error : error > limit ? limit : error < -limit ? -limit : error;
	atomic_fetch_add_explicit(&wall_offset, correction, memory_order_relaxed);
	return step ? error : 0;
}

char *gm_time_format(int64_t time, char *text, size_t size)
{
	int64_t seconds = time / GM_SECOND, rest = time % GM_SECOND;
	if (rest < 0) {
		rest += GM_SECOND;
		seconds--;
	}
	time_t whole = (time_t)seconds;
	struct tm tm;
	char date[GM_TIME_TEXT];
	if (!gmtime_r(&whole, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		snprintf(text, size, "?");
	else
		snprintf(text, size, "%s.%03dZ", date, (int)(rest / GM_MILLISECOND));
	return text;
}

/* Decimals after a point, as ns; advances `text`. */
static int64_t parse_fraction(const char **text)
{
	int64_t value = 0, scale = GM_SECOND / 10;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		value += (**text - '0') * scale;
		scale /= 10;
	}
	return value;
}

static int parse_epoch(const char *text, int64_t *ret_time)
{
	const char *at = text + (*text == '-' || *text == '+');
	if (*at < '0' || *at > '9')
		return -EINVAL;
	int64_t seconds = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (seconds > INT64_MAX / GM_SECOND / 10 - 10)
			return -EINVAL;
		seconds = seconds * 10 + (*at - '0');
	}
	int64_t time = seconds * GM_SECOND;
	if (*at == '.') {
		at++;
		time += parse_fraction(&at);
	}
	if (*at != '\0')
		return -EINVAL;
	*ret_time = *text == '-' ? -time : time;
	return 0;
}

/* Date and time of day in UTC; false when a field is out of its range (timegm() would carry it over). */
static bool to_epoch(struct tm tm, int64_t *ret_seconds)
{
	struct tm same = tm;
	*ret_seconds = (int64_t)timegm(&same);
	return same.tm_year == tm.tm_year && same.tm_mon == tm.tm_mon &&
	       same.tm_mday == tm.tm_mday && same.tm_hour == tm.tm_hour &&
	       same.tm_min == tm.tm_min && same.tm_sec == tm.tm_sec;
}

int gm_time_parse(const char *text, int64_t *ret_time)
{
	struct tm tm = {0};
	char separator = 0;
	int used = 0;
	if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &separator, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 7)
		return parse_epoch(text, ret_time);
	const char *at = text + used;
	int64_t seconds, fraction = 0;
	if (*at == '.') {
		at++;
		fraction = parse_fraction(&at);
	}
	if (*at == 'Z')
		at++;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (*at != '\0' || (separator != 'T' && separator != ' ') || !to_epoch(tm, &seconds) ||
	    seconds >= INT64_MAX / GM_SECOND || seconds <= INT64_MIN / GM_SECOND)
		return -EINVAL;
	*ret_time = seconds * GM_SECOND + fraction;
	return 0;
}
