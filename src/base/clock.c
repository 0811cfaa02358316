/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's time; see clock.h. How far the wall clock is ahead of the monotonic one is the only state. One
 * thread at a time writes it, between two changes of `version`; readers take it when that was even and the
 * same before and after.
 */
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An error is worked off by so much in this time: a rate is off by no more than their ratio. */
#define SLEW_MOST (5 * GM_MILLISECOND)
#define SLEW_TIME GM_SECOND

/* Two clocks are read together that often at most, and as far apart at best. */
enum { TRIES = 5 };
#define TOGETHER (20 * GM_MICROSECOND)

static struct {
	pthread_once_t once;
	_Atomic unsigned version; /* odd while it changes */
	_Atomic int64_t offset;   /* wall clock less monotonic clock, ns, at `since` */
	_Atomic int64_t slew;     /* what is added to it in SLEW_TIME from then on, ns */
	_Atomic int64_t since;    /* monotonic */
} state = {.once = PTHREAD_ONCE_INIT};

/* What is needed to tell the time. */
struct offset {
	int64_t offset, slew, since;
};

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

int64_t gm_clock_uptime(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

/*
 * Wall clock less monotonic clock, as of a moment when both were read at nearly the same time: a thread
 * that is held up in between would take its waiting for an error of the clock.
 */
static int64_t measure_offset(int64_t *ret_doubt)
{
	int64_t least = INT64_MAX, offset = 0;
	for (int i = 0; i < TRIES && least > TOGETHER; i++) {
		int64_t before = gm_clock_monotonic();
		int64_t wall = read_clock(CLOCK_REALTIME);
		int64_t apart = gm_clock_monotonic() - before;
		if (apart >= least)
			continue;
		least = apart;
		offset = wall - before - apart / 2;
	}
	*ret_doubt = least / 2;
	return offset;
}

static void write_offset(const struct offset *told)
{
	unsigned version = atomic_load_explicit(&state.version, memory_order_relaxed);
	atomic_store_explicit(&state.version, version + 1, memory_order_relaxed);
	atomic_store_explicit(&state.offset, told->offset, memory_order_release);
	atomic_store_explicit(&state.slew, told->slew, memory_order_release);
	atomic_store_explicit(&state.since, told->since, memory_order_release);
	atomic_store_explicit(&state.version, version + 2, memory_order_release);
}

static void begin(void)
{
	int64_t doubt;
	const struct offset first = {.offset = measure_offset(&doubt)};
	write_offset(&first);
}

static struct offset read_offset(void)
{
	struct offset told;
	unsigned before, after;
	if (atomic_load_explicit(&state.version, memory_order_acquire) == 0)
		pthread_once(&state.once, begin);
	do {
		before = atomic_load_explicit(&state.version, memory_order_acquire);
		told.offset = atomic_load_explicit(&state.offset, memory_order_acquire);
		told.slew = atomic_load_explicit(&state.slew, memory_order_acquire);
		told.since = atomic_load_explicit(&state.since, memory_order_acquire);
		after = atomic_load_explicit(&state.version, memory_order_relaxed);
	} while (before != after || before % 2 != 0);
	return told;
}

/* The offset at a moment of the monotonic clock. */
static int64_t offset_at(const struct offset *told, int64_t monotonic)
{
	int64_t since = monotonic - told->since;
	if (told->slew == 0 || since <= 0)
		return told->offset;
	if (since >= SLEW_TIME)
		return told->offset + told->slew;
	return told->offset + told->slew * since / SLEW_TIME;
}

int64_t gm_clock_now(void)
{
	const struct offset told = read_offset();
	int64_t monotonic = gm_clock_monotonic();
	return monotonic + offset_at(&told, monotonic);
}

int64_t gm_clock_discipline(void)
{
	const struct offset told = read_offset();
	int64_t doubt, wanted = measure_offset(&doubt);
	int64_t now = gm_clock_monotonic();
	struct offset next = {.offset = offset_at(&told, now), .since = now};
	int64_t error = wanted - next.offset;
	bool step = error > GM_SECOND + doubt || error < -GM_SECOND - doubt;
	if (step)
		next.offset = wanted;
	else if (error > doubt || error < -doubt)
		next.slew = error > SLEW_MOST ? SLEW_MOST : error < -SLEW_MOST ? -SLEW_MOST : error;
	write_offset(&next);
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
