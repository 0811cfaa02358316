/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of the week, over midnight, over the week's end, and where summer time begins and ends.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/calendar.h"

static int64_t at(const char *text)
{
	int64_t time;

	assert_int_equal(gm_time_parse(text, &time), 0);
	return time;
}

static struct gm_calendar calendar_of(const char *days, const char *from, const char *to, bool utc)
{
	struct gm_calendar made = {.utc = utc};

	assert_int_equal(gm_calendar_parse_days(days, &made.days, NULL), 0);
	assert_int_equal(gm_calendar_parse_time(from, &made.from, NULL), 0);
	assert_int_equal(gm_calendar_parse_time(to, &made.to, NULL), 0);
	return made;
}

static void test_words(void **state)
{
	static const struct {
		const char *text;
		unsigned days;
	} good[] = {
		{"daily", 127},  {"sun", 1},       {"mon-fri", 62}, {"sat,sun", 65},
		{"fri-mon", 99}, {"mon, wed", 10}, {"sat-sat", 64},
	};
	static const char *const bad[] = {"", "monday", "mon-", "-fri", "mon;tue", "mon,x", "Mon"};
	static const char *const bad_times[] = {"", "2:30", "24:01", "12:60", "ab:cd", "12:30:00"};
	struct gm_error err;
	unsigned days;
	int minutes;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(gm_calendar_parse_days(good[i].text, &days, &err), 0);
		assert_int_equal(days, good[i].days);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(gm_calendar_parse_days(bad[i], &days, &err), -EINVAL);
	assert_int_equal(gm_calendar_parse_days(NULL, &days, &err), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_times) / sizeof(bad_times[0]); i++)
		assert_int_equal(gm_calendar_parse_time(bad_times[i], &minutes, &err), -EINVAL);
	assert_int_equal(gm_calendar_parse_time("24:00", &minutes, &err), 0);
	assert_int_equal(minutes, 1440);
}

/* 2026-01-05 is a Monday. */
static void test_days_and_nights(void **state)
{
	char text[GM_CALENDAR_TEXT];
	const struct gm_calendar day = calendar_of("mon-fri", "08:00", "17:30", true);
	const struct gm_calendar night = calendar_of("sat", "22:00", "04:00", true);
	const struct gm_calendar whole = calendar_of("tue", "00:00", "24:00", true);
	const struct gm_calendar around = calendar_of("wed", "12:00", "12:00", true);

	(void)state;
	assert_false(gm_calendar_holds(&day, at("2026-01-05 07:59:59")));
	assert_true(gm_calendar_holds(&day, at("2026-01-05 08:00:00")));
	assert_true(gm_calendar_holds(&day, at("2026-01-05 17:29:59")));
	assert_false(gm_calendar_holds(&day, at("2026-01-05 17:30:00")));
	assert_false(gm_calendar_holds(&day, at("2026-01-04 12:00:00")));
	assert_true(gm_calendar_holds(&night, at("2026-01-03 22:00:00")));
	assert_true(gm_calendar_holds(&night, at("2026-01-04 03:59:59")));
	assert_false(gm_calendar_holds(&night, at("2026-01-04 04:00:00")));
	assert_false(gm_calendar_holds(&night, at("2026-01-03 03:00:00")));
	assert_true(gm_calendar_holds(&whole, at("2026-01-06 23:59:59")));
	assert_false(gm_calendar_holds(&whole, at("2026-01-07 00:00:00")));
	assert_true(gm_calendar_holds(&around, at("2026-01-08 11:59:59")));
	assert_false(gm_calendar_holds(&around, at("2026-01-08 12:00:00")));
	assert_string_equal(gm_calendar_text(&night, text), "sat 22:00-04:00 UTC");
	assert_string_equal(gm_calendar_text(&day, text), "mon,tue,wed,thu,fri 08:00-17:30 UTC");
}

/* In Berlin, 2026-03-29 01:00 UTC shows 03:00: an hour is left out; 2026-10-25 01:00 UTC shows 02:00 again. */
static void test_summer_time(void **state)
{
	const struct gm_calendar local = calendar_of("daily", "01:30", "03:30", false);

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_true(gm_calendar_holds(&local, at("2026-01-05 00:30:00")));
	assert_false(gm_calendar_holds(&local, at("2026-01-05 02:30:00")));
	assert_true(gm_calendar_holds(&local, at("2026-03-29 01:29:59")));
	assert_false(gm_calendar_holds(&local, at("2026-03-29 01:30:00")));
	assert_true(gm_calendar_holds(&local, at("2026-10-24 23:30:00")));
	assert_true(gm_calendar_holds(&local, at("2026-10-25 02:29:59")));
	assert_false(gm_calendar_holds(&local, at("2026-10-25 02:30:00")));
	unsetenv("TZ");
	tzset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_days_and_nights),
		cmocka_unit_test(test_summer_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
