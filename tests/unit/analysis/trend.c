/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The robust line and its tests, against values worked out by hand or known from the literature.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/trend.h"

static void a_straight_line_is_found_exactly(void **state)
{
	(void)state;
	float values[20];
	struct gm_trend trend;

	for (size_t i = 0; i < 20; i++)
		values[i] = 100 + 2.5F * (float)i;
	assert_int_equal(gm_trend_fit(values, 20, &trend), 0);
	assert_float_equal(trend.slope, 2.5, 1e-6);
	assert_float_equal(trend.end, 147.5, 1e-4);
	assert_float_equal(trend.scatter, 0, 1e-4);
	assert_float_equal(trend.order, 1, 0);
	/* S = 190, variance = 20 * 19 * 45 / 18 = 950 */
	assert_float_equal(trend.z, 189 / sqrt(950), 1e-9);
}

static void outliers_do_not_bend_it(void **state)
{
	(void)state;
	float values[21];
	struct gm_trend trend;

	for (size_t i = 0; i < 21; i++)
		values[i] = 3.0F * (float)i;
	values[4] = 5000;
	values[11] = -7000;
	values[18] = 900;
	assert_int_equal(gm_trend_fit(values, 21, &trend), 0);
	assert_float_equal(trend.slope, 3, 1e-5);
	assert_float_equal(trend.end, 60, 1e-4);
	assert_true(trend.order > 0.6 && trend.order < 1);
}

static void missing_values_leave_holes_not_shifts(void **state)
{
	(void)state;
	float values[12];
	struct gm_trend trend;

	for (size_t i = 0; i < 12; i++)
		values[i] = i % 3 == 1 ? NAN : 4.0F * (float)i;
	assert_int_equal(gm_trend_fit(values, 12, &trend), 0);
	assert_int_equal(trend.count, 8);
	assert_float_equal(trend.slope, 4, 1e-5);
	assert_float_equal(trend.end, 44, 1e-4);
}

static void ties_widen_the_variance(void **state)
{
	(void)state;
	/* Groups of 2 and 3 equal values: S = 11, variance = (6 5 17 - 2 1 9 - 3 2 11) / 18 = 426 / 18. */
	static const float values[] = {1, 1, 2, 3, 3, 3};
	struct gm_trend trend;

	assert_int_equal(gm_trend_fit(values, 6, &trend), 0);
	assert_float_equal(trend.z, 10 / sqrt(426.0 / 18), 1e-9);
	assert_float_equal(trend.order, 1, 0);
}

static void a_constant_has_no_trend(void **state)
{
	(void)state;
	static const float values[] = {7, 7, 7, 7};
	struct gm_trend trend;

	assert_int_equal(gm_trend_fit(values, 4, &trend), 0);
	assert_float_equal(trend.slope, 0, 0);
	assert_float_equal(trend.z, 0, 0);
	assert_float_equal(trend.order, 0, 0);
}

static void too_few_or_too_many_are_refused(void **state)
{
	(void)state;
	static const float few[] = {1, NAN, 2, NAN};
	float many[GM_TREND_MAX + 1] = {0};
	struct gm_trend trend = {.count = 99};

	assert_int_equal(gm_trend_fit(few, 4, &trend), -EINVAL);
	assert_int_equal(gm_trend_fit(few, 0, &trend), -EINVAL);
	assert_int_equal(gm_trend_fit(many, GM_TREND_MAX + 1, &trend), -EINVAL);
	assert_int_equal(trend.count, 99);
	assert_int_equal(gm_trend_fit(many, GM_TREND_MAX, &trend), 0);
}

static void the_median_of_every_length(void **state)
{
	(void)state;
	/* A fixed scramble of 0 … n - 1: its median is (n - 1) / 2. */
	for (size_t n = 1; n <= 47; n++) {
		float values[47];

		for (size_t i = 0; i < n; i++)
			values[i] = (float)(n % 2 ? i * 2 % n : n - 1 - i);
		assert_float_equal(gm_trend_median(values, n), (double)(n - 1) / 2, 0);
	}
}

/* 40 values about a line of slope 2, moved by 10 as `moved` says. */
static double error_about(bool (*moved)(size_t i))
{
	float values[40];
	struct gm_trend trend;

	for (size_t i = 0; i < 40; i++)
		values[i] = 2 * (float)i + (moved(i) ? 10 : -10);
	assert_int_equal(gm_trend_fit(values, 40, &trend), 0);
	return trend.error;
}

static bool never(size_t i)
{
	(void)i;
	return false;
}

static bool every_other(size_t i)
{
	return i % 2;
}

static bool for_a_while(size_t i)
{
	return i / 5 % 2;
}

static void neighbours_that_stray_together_widen_the_error(void **state)
{
	(void)state;
	/* Least squares: sigma / sqrt(sum of squares of the abscissa), which is n (n^2 - 1) / 12. */
	double plain = 1.4826 * 10 / sqrt(40.0 * (40 * 40 - 1) / 12);

	assert_float_equal(error_about(never), 0, 1e-6);
	assert_float_equal(error_about(every_other), plain, 0.1 * plain);
	assert_true(error_about(for_a_while) > 2 * plain);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_straight_line_is_found_exactly),
		cmocka_unit_test(outliers_do_not_bend_it),
		cmocka_unit_test(missing_values_leave_holes_not_shifts),
		cmocka_unit_test(ties_widen_the_variance),
		cmocka_unit_test(a_constant_has_no_trend),
		cmocka_unit_test(too_few_or_too_many_are_refused),
		cmocka_unit_test(neighbours_that_stray_together_widen_the_error),
		cmocka_unit_test(the_median_of_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
