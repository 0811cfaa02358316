/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as text, and that the node's time runs with the monotonic clock.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

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

static void test_the_nodes_time_is_the_wall_clock_and_runs_forward(void **state)
{
	(void)state;
	int64_t last = gm_clock_now();
	for (int i = 0; i < 1000; i++) {
		int64_t now = gm_clock_now();
		assert_true(now >= last);
		last = now;
	}
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	int64_t error = wall.tv_sec * GM_SECOND + wall.tv_nsec - gm_clock_now();
	assert_true(error < GM_SECOND && error > -GM_SECOND);
	assert_true(gm_clock_discipline() == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_format_is_read_back),
		cmocka_unit_test(test_the_nodes_time_is_the_wall_clock_and_runs_forward),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
