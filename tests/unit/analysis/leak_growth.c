/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the leak detector measures of a growth: onset, line, steps, pace and the past.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/leak_growth.h"
#include "base/clock.h"

#define START INT64_C(1700006400) /* seconds; midnight */

static int set_up(void **state)
{
	struct gm_leak_bins *bins = calloc(1, sizeof(*bins));

	if (!bins)
		return -1;
	gm_leak_bins_reset(bins);
	*state = bins;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void add(struct gm_leak_bins *bins, int64_t second, double value)
{
	gm_leak_bins_add(bins, (START + second) * GM_SECOND, (float)value);
}

static double seconds_of(int64_t time)
{
	return (double)time / (double)GM_SECOND - (double)START;
}

static void the_line_begins_at_the_corner(void **state)
{
	struct gm_leak_growth growth;

	for (int i = 0; i <= 40; i++)
		add(*state, i, 1000 + (i < 20 ? 0 : 10 * (i - 20)));
	assert_true(gm_leak_growth_find(*state, 0, 8, 100, &growth));
	assert_float_equal(seconds_of(growth.onset), 20, 1);
	assert_float_equal(seconds_of(growth.end), 40, 0);
	assert_float_equal(growth.slope, 10, 1e-3);
	assert_float_equal(growth.late, 10, 1e-3);
	assert_float_equal(growth.pace, 10, 1e-3);
	assert_float_equal(growth.level, 1190, 1);
	assert_float_equal(growth.top, 1190, 1);
	assert_float_equal(growth.rise, 190, 10);
	assert_float_equal(growth.order, 1, 0.01);
	gm_leak_growth_past(*state, &growth);
	assert_float_equal(growth.high, 1000, 0);
	assert_float_equal(growth.past, 20, 1);
	/* Less than what was asked for is none. */
	assert_false(gm_leak_growth_find(*state, 0, 8, 300, &growth));
	assert_false(gm_leak_growth_find(*state, 0, 30, 100, &growth));
}

static void an_allocation_before_it_is_left_out(void **state)
{
	struct gm_leak_growth growth;

	for (int i = 0; i <= 40; i++)
		add(*state, i, i < 20 ? 1000 : 3000 + 10 * (i - 20));
	assert_true(gm_leak_growth_find(*state, 0, 8, 100, &growth));
	assert_float_equal(seconds_of(growth.onset), 20, 1);
	assert_float_equal(growth.slope, 10, 1e-3);
	assert_true(growth.step < 0.2 * growth.rise);
}

static void what_is_left_may_still_be_a_step(void **state)
{
	struct gm_leak_growth growth;

	for (int i = 0; i <= 20; i++)
		add(*state, i, 1000 + i * 10 + i / 7 * 1000);
	assert_true(gm_leak_growth_find(*state, 0, 8, 100, &growth));
	assert_float_equal(growth.step, 1010, 15);
	assert_true(growth.step > 0.5 * growth.rise);
	/* A single one late in the series leaves too few bins on either side. */
	gm_leak_bins_reset(*state);
	for (int i = 0; i <= 20; i++)
		add(*state, i, 1000 + i * 10 + (i < 14 ? 0 : 2000));
	assert_false(gm_leak_growth_find(*state, 0, 8, 100, &growth));
}

static void a_dip_is_no_step(void **state)
{
	struct gm_leak_growth growth;

	for (int i = 0; i <= 40; i++)
		add(*state, i, i == 25 ? 1000 : 1000 + 50 * i);
	assert_true(gm_leak_growth_find(*state, 0, 8, 100, &growth));
	assert_true(growth.step < 0.2 * growth.rise);
	assert_float_equal(growth.slope, 50, 1);
}

static void a_plateau_has_no_pace(void **state)
{
	struct gm_leak_growth growth;

	for (int i = 0; i <= 30; i++)
		add(*state, i, 1000 + 10 * fmin(i, 22));
	assert_true(gm_leak_growth_find(*state, 0, 8, 100, &growth));
	assert_float_equal(growth.pace, 0, 1e-6);
	assert_true(growth.slope > 5);
	assert_float_equal(growth.top, 1220, 1e-3);
}

static void a_scale_finer_than_the_cadence_has_none(void **state)
{
	struct gm_leak_growth growth;

	for (int i = 0; i <= 400; i += 2)
		add(*state, i, 1000 + i);
	assert_false(gm_leak_growth_find(*state, 0, 8, 0, &growth));
	assert_true(gm_leak_growth_find(*state, 1, 8, 0, &growth));
	assert_float_equal(growth.slope, 1, 1e-3);
}

static void the_past_is_remembered_for_days(void **state)
{
	struct gm_leak_growth growth;

	/* Every day from 8 to 16 h up by 800, back at night; one spike of an hour on the third day. */
	for (int64_t minute = 0; minute <= 3 * 1440 + 15 * 60; minute += 5) {
		double hour = (double)(minute % 1440) / 60;
		double value = 1000 + (hour < 8 || hour >= 20 ? 0 : 100 * fmin(hour - 8, 8));

		if (minute >= 2 * 1440 + 180 && minute < 2 * 1440 + 240)
			value = 9000;
		add(*state, minute * 60, value);
	}
	assert_true(gm_leak_growth_find(*state, 5, 10, 100, &growth));
	assert_float_equal(seconds_of(growth.onset) / 3600, 72 + 8, 1);
	assert_float_equal(growth.slope * 3600, 100, 5);
	gm_leak_growth_past(*state, &growth);
	assert_float_equal(growth.high, 1800, 60); /* not the spike */
	assert_float_equal(growth.daily, 700, 150);
	assert_float_equal(growth.past / 3600, 80, 6);
}

static void following_keeps_the_onset(void **state)
{
	struct gm_leak_growth growth, before;
	int i;

	for (i = 0; i <= 30; i++)
		add(*state, i, 1000 + 10 * i);
	assert_true(gm_leak_growth_find(*state, 0, 8, 100, &growth));
	for (; i <= 60; i++)
		add(*state, i, 1000 + 10 * i);
	assert_true(gm_leak_growth_follow(*state, 1, &growth));
	assert_float_equal(seconds_of(growth.onset), 0, 1);
	assert_float_equal(seconds_of(growth.end), 60, 0);
	assert_float_equal(growth.slope, 10, 1e-3);
	assert_float_equal(growth.swing, 30, 1);
	before = growth;
	for (; i <= 200; i++)
		add(*state, i, 1600 - i);
	assert_false(gm_leak_growth_follow(*state, 0, &growth));
	assert_memory_equal(&growth, &before, sizeof(growth));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(the_line_begins_at_the_corner),
		TEST(an_allocation_before_it_is_left_out),
		TEST(what_is_left_may_still_be_a_step),
		TEST(a_dip_is_no_step),
		TEST(a_plateau_has_no_pace),
		TEST(a_scale_finer_than_the_cadence_has_none),
		TEST(the_past_is_remembered_for_days),
		TEST(following_keeps_the_onset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
