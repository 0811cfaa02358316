/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of the week; see calendar.h.
 */
#include "daemon/calendar.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { DAYS = 7, DAY_MINUTES = 24 * 60 };

static const char *const day_names[DAYS] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int day_of(const char *text, size_t length)
{
	for (int day = 0; day < DAYS; day++) {
		if (length == 3 && strncmp(day_names[day], text, 3) == 0)
			return day;
	}
	return -1;
}

/* One item of a list: "mon", "fri-mon"; 0: it is none. */
static unsigned parse_item(const char *text, size_t length)
{
	const char *dash = memchr(text, '-', length);
	size_t first = dash ? (size_t)(dash - text) : length;
	int day = day_of(text, first);
	int end = dash ? day_of(dash + 1, length - first - 1) : day;
	unsigned days = 0;

	if (day < 0 || end < 0)
		return 0;
	for (; day != end; day = (day + 1) % DAYS)
		days |= 1U << day;
	return days | 1U << end;
}

int gm_calendar_parse_days(const char *text, unsigned *ret_days, struct gm_error *err)
{
	unsigned days = 0;

	if (text && strcmp(text, "daily") == 0) {
		*ret_days = (1U << DAYS) - 1;
		return 0;
	}
	while (text && *text != '\0') {
		size_t length = strcspn(text, ", ");
		unsigned item = parse_item(text, length);

		if (item == 0)
			days = 0;
		if (item == 0)
			break;
		days |= item;
		text += length + strspn(text + length, ", ");
	}
	if (days == 0)
		return gm_error_set(err, -EINVAL,
				    "days: daily, or of mon tue wed thu fri sat sun some with "
				    "commas between, or a range such as mon-fri");
	*ret_days = days;
	return 0;
}

int gm_calendar_parse_time(const char *text, int *ret_minutes, struct gm_error *err)
{
	bool plain = text && strlen(text) == 5 && isdigit((unsigned char)text[0]) &&
		     isdigit((unsigned char)text[1]) && text[2] == ':' &&
		     isdigit((unsigned char)text[3]) && isdigit((unsigned char)text[4]);
	int hours = plain ? 10 * (text[0] - '0') + text[1] - '0' : 0;
	int minutes = plain ? 10 * (text[3] - '0') + text[4] - '0' : 0;

	if (!plain || minutes > 59 || 60 * hours + minutes > DAY_MINUTES)
		return gm_error_set(err, -EINVAL, "a time of the day is expected, such as 02:30");
	*ret_minutes = 60 * hours + minutes;
	return 0;
}

bool gm_calendar_holds(const struct gm_calendar *calendar, int64_t time)
{
	time_t seconds = (time_t)(time / GM_SECOND);
	struct tm shown;

	if (!(calendar->utc ? gmtime_r(&seconds, &shown) : localtime_r(&seconds, &shown)))
		return false;
	int minute = 60 * shown.tm_hour + shown.tm_min;
	bool today = calendar->days >> shown.tm_wday & 1;
	bool yesterday = calendar->days >> (shown.tm_wday + DAYS - 1) % DAYS & 1;

	if (calendar->from < calendar->to)
		return today && minute >= calendar->from && minute < calendar->to;
	return (today && minute >= calendar->from) || (yesterday && minute < calendar->to);
}

char *gm_calendar_text(const struct gm_calendar *calendar, char text[GM_CALENDAR_TEXT])
{
	size_t used = 0;

	for (int i = 1; i <= DAYS; i++) { /* the week begins on Monday */
		if (calendar->days >> i % DAYS & 1)
			used += (size_t)snprintf(text + used, GM_CALENDAR_TEXT - used, "%s%s",
						 used ? "," : "", day_names[i % DAYS]);
	}
	snprintf(text + used, GM_CALENDAR_TEXT - used, " %02d:%02d-%02d:%02d%s",
		 calendar->from / 60, calendar->from % 60, calendar->to / 60, calendar->to % 60,
		 calendar->utc ? " UTC" : "");
	return text;
}
