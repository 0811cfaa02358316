/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of the week: on some days from one time of the day to another, which may be of the next day. Judged by
 * what the clock on the wall shows, local or UTC, so that a change to summer time moves nothing. Pure but for
 * the time zone, which the C library knows.
 */
#ifndef GM_DAEMON_CALENDAR_H
#define GM_DAEMON_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct gm_calendar {
	unsigned days; /* bits 1 << 0 (Sunday) … 1 << 6; the days on which it begins */
	int from, to;  /* minutes of the day; to <= from: until then on the next day */
	bool utc;
};

/* "daily", "mon-fri", "sat,sun". -EINVAL with what is allowed. */
int gm_calendar_parse_days(const char *text, unsigned *ret_days, struct gm_error *err);

/* "02:30", "24:00" as the end of a day. -EINVAL. */
int gm_calendar_parse_time(const char *text, int *ret_minutes, struct gm_error *err);

bool gm_calendar_holds(const struct gm_calendar *calendar, int64_t time);

/* "mon,tue 22:00-04:00 UTC". Returns `text`. */
enum { GM_CALENDAR_TEXT = 64 };
char *gm_calendar_text(const struct gm_calendar *calendar, char text[GM_CALENDAR_TEXT]);

#endif
