/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as text, and how the node's time follows the wall clock: the two clocks are this test's own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

#define BEGIN (INT64_C(1700000000) * GM_SECOND)
#define READ  INT64_C(30) /* ns that a reading takes */

static int64_t monotonic = 7 * GM_SECOND; /* the machine runs */
static int64_t ahead = BEGIN;             /* the wall clock less that */
static int64_t hold[8];                   /* how long the next readings are held up, ns */

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int64_t told = monotonic + (clock == CLOCK_REALTIME ? ahead : 0);

	monotonic += READ + hold[0];
	memmove(hold, hold + 1, sizeof(hold) - sizeof(hold[0]));
	hold[sizeof(hold) / sizeof(hold[0]) - 1] = 0;
	*time = (struct timespec){.tv_sec = told / GM_SECOND, .tv_nsec = told % GM_SECOND};
	return 0;
}

/* How far the node's time is behind the wall clock. */
static int64_t behind(void)
{
	int64_t now = gm_clock_now();

	return monotonic + ahead - now;
}

/* Whether the node's time is the wall clock's, to some readings. */
static bool is_right(void)
{
	return llabs(behind()) <= 10 * READ;
}

/* Until nothing is left of what a test did. */
static void settle(void)
{
	ahead = BEGIN;
	for (int i = 0; i < 300; i++) {
		gm_clock_discipline();
		monotonic += GM_SECOND;
	}
	gm_clock_discipline();
	assert_true(is_right());
}

static void test_parse(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t time;
	} cases[] = {
		{"0", 0},
		{"1700000000.25", INT64_C(1700000000250000000)},
		{"1700000000.123456789", INT64_C(1700000000123456789)},
		{"-1.5", INT64_C(-1500000000)},
		{"2023-11-14T22:13:20Z", INT64_C(1700000000000000000)},
		{"2023-11-14 22:13:20.5", INT64_C(1700000000500000000)},
		{"2024-02-29T00:00:00", INT64_C(1709164800000000000)},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t time = 1;
		assert_int_equal(gm_time_parse(cases[i].text, &time), 0);
		assert_true(time == cases[i].time);
	}
}

static void test_parse_refuses(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"now",
		"1e9",
		"1700000000x",
		"2023-02-30T00:00:00",
		"2023-13-01T00:00:00",
		"2023-11-14T25:00:00",
		"2023-11-14X22:13:20",
		"2023-11-14T22:13:20+01:00",
		"9999-01-01T00:00:00Z",
		"99999999999999999999999",
		"inf",
		".",
		"-",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t time = 42;
		assert_int_equal(gm_time_parse(texts[i], &time), -EINVAL);
		assert_true(time == 42);
	}
}

static void test_format_is_read_back(void **state)
{
	(void)state;
	char text[GM_TIME_TEXT];
	int64_t time;
	gm_time_format(INT64_C(1700000000123000000), text, sizeof(text));
	assert_string_equal(text, "2023-11-14T22:13:20.123Z");
	assert_int_equal(gm_time_parse(text, &time), 0);
	assert_true(time == INT64_C(1700000000123000000));
	gm_time_format(-500000000, text, sizeof(text));
	assert_string_equal(text, "1969-12-31T23:59:59.500Z");
	gm_time_format(INT64_MIN, text, sizeof(text));
	gm_time_format(INT64_MAX, text, sizeof(text));
}

static void test_begins_with_the_wall_clock(void **state)
{
	(void)state;
	hold[0] = hold[1] = 300 * GM_MILLISECOND; /* held up between the two readings */
	assert_true(is_right());
	monotonic += 100 * GM_SECOND;
	assert_true(is_right());
}

/* The wall clock is 12 ms ahead: 5 ms a second, and no tick of 10 ms is longer by more than 0.5 %. */
static void test_error_is_worked_off_evenly(void **state)
{
	(void)state;
	settle();
	ahead += 12 * GM_MILLISECOND;
	for (int second = 0; second < 4; second++) {
		assert_true(gm_clock_discipline() == 0);
		for (int tick = 0; tick < 100; tick++) {
			int64_t before = gm_clock_now(), since = monotonic;
			monotonic += 10 * GM_MILLISECOND;
			int64_t span = gm_clock_now() - before;
			int64_t truth = monotonic - since;
			assert_in_range(span, truth, truth + truth / 200 + 10 * READ);
		}
		int64_t left = (12 - 5 * (second + 1)) * GM_MILLISECOND;
		assert_true(llabs(behind() - (left > 0 ? left : 0)) < 100 * GM_MICROSECOND);
	}
	assert_true(is_right());
	/* What is to be added is not added for longer than it was meant for. */
	ahead -= 3 * GM_MILLISECOND;
	gm_clock_discipline();
	monotonic += 1000 * GM_SECOND;
	assert_true(is_right());
}

/* Who is held up between the readings has not found an error. */
static void test_held_up_is_no_error(void **state)
{
	(void)state;
	settle();
	/* The first two tries are: before the wall clock is read, and after. */
	hold[0] = hold[4] = 1500 * GM_MILLISECOND;
	assert_true(gm_clock_discipline() == 0);
	monotonic += GM_SECOND;
	assert_true(is_right());
	/* All of them are. */
	for (size_t i = 0; i < sizeof(hold) / sizeof(hold[0]); i++)
		hold[i] = GM_SECOND + (int64_t)i * GM_MILLISECOND;
	assert_true(gm_clock_discipline() == 0);
	monotonic += GM_SECOND;
	assert_true(is_right());
}

static void test_clock_that_is_set_is_followed(void **state)
{
	static const int64_t steps[] = {3600 * GM_SECOND, -3600 * GM_SECOND, 1100 * GM_MILLISECOND};
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		settle();
		ahead += steps[i];
		assert_true(llabs(gm_clock_discipline() - steps[i]) <= 10 * READ);
		assert_true(is_right());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_format_is_read_back),
		cmocka_unit_test(test_begins_with_the_wall_clock), /* the first that asks */
		cmocka_unit_test(test_error_is_worked_off_evenly),
		cmocka_unit_test(test_held_up_is_no_error),
		cmocka_unit_test(test_clock_that_is_set_is_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
