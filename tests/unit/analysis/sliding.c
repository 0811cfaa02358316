/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sliding windows: each function against the same thing computed from all samples, the far edge, clocks
 * that jump.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/sliding.h"

#define SECOND INT64_C(1000000000)
#define T0     (INT64_C(1700000000) * SECOND)

static double read_now(struct gm_sliding *sliding, int64_t now, enum gm_function function)
{
	return gm_sliding_read(sliding, now, function, 95);
}

static void nothing_is_known_at_first(void **state)
{
	(void)state;
	struct gm_sliding *sliding;

	assert_int_equal(gm_sliding_create(SECOND, true, &sliding), 0);
	for (int function = GM_FUNCTION_VALUE; function <= GM_FUNCTION_PERCENTILE; function++)
		assert_true(isnan(read_now(sliding, T0, function)));
	gm_sliding_add(sliding, T0, 5);
	assert_true(isnan(read_now(sliding, T0, GM_FUNCTION_RATE)));
	assert_true(read_now(sliding, T0, GM_FUNCTION_AVG) == 5);
	assert_true(read_now(sliding, T0, GM_FUNCTION_PERCENTILE) == 5);
	/* It has left the window, and nothing has come after it. */
	assert_true(isnan(read_now(sliding, T0 + 2 * SECOND, GM_FUNCTION_AVG)));
	assert_true(isnan(read_now(sliding, T0 + 2 * SECOND, GM_FUNCTION_PERCENTILE)));
	gm_sliding_free(sliding);
	gm_sliding_free(NULL);
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* The newest 101 samples are those of the last 10 s, both ends included. */
static void check_against(struct gm_sliding *sliding, const double *values, int count)
{
	int64_t now = T0 + (count - 1) * SECOND / 10;
	double sum = 0, sorted[101];

	for (int i = 0; i < 101; i++)
		sum += sorted[i] = values[count - 101 + i];
	qsort(sorted, 101, sizeof(*sorted), compare);
	/* The far edge may reach back by up to a 32nd of the window, 3 samples. */
	assert_float_equal(read_now(sliding, now, GM_FUNCTION_AVG), sum / 101, 0.02 * sum / 101);
	assert_float_equal(read_now(sliding, now, GM_FUNCTION_PERCENTILE), sorted[95], 2);
	assert_true(read_now(sliding, now, GM_FUNCTION_MIN) <= sorted[0]);
	assert_true(read_now(sliding, now, GM_FUNCTION_MAX) >= sorted[100]);
	assert_true(read_now(sliding, now, GM_FUNCTION_VALUE) == values[count - 1]);
}

static void functions_are_those_of_the_window(void **state)
{
	(void)state;
	struct gm_sliding *sliding;
	double values[1000];
	uint32_t noise = 1;

	assert_int_equal(gm_sliding_create(10 * SECOND, true, &sliding), 0);
	for (int i = 0; i < 1000; i++) {
		noise = noise * 1664525u + 1013904223u;
		values[i] = 1000 + (double)(noise >> 16 & 127) + (i > 500 ? i : 0);
		gm_sliding_add(sliding, T0 + i * SECOND / 10, values[i]);
		if (i >= 101)
			check_against(sliding, values, i + 1);
	}
	gm_sliding_free(sliding);
}

static void a_spike_leaves_with_the_window(void **state)
{
	(void)state;
	struct gm_sliding *sliding;

	assert_int_equal(gm_sliding_create(10 * SECOND, false, &sliding), 0);
	for (int i = 0; i < 200; i++) {
		int64_t now = T0 + i * SECOND / 10;

		gm_sliding_add(sliding, now, i == 50 ? 100 : 1);
		bool seen = read_now(sliding, now, GM_FUNCTION_MAX) == 100;
		if (i < 50 || i > 50 + 100 + 4)
			assert_false(seen);
		else if (i <= 50 + 100)
			assert_true(seen);
		assert_true(isnan(read_now(sliding, now, GM_FUNCTION_PERCENTILE)));
	}
	gm_sliding_free(sliding);
}

static void the_rate_reaches_over_the_whole_window(void **state)
{
	(void)state;
	struct gm_sliding *sliding;

	/* One sample in a window's length: the one at its far edge counts, a little late too. */
	assert_int_equal(gm_sliding_create(SECOND, false, &sliding), 0);
	for (int i = 0; i < 20; i++) {
		int64_t now = T0 + i * SECOND + (i % 2) * SECOND / 100;

		gm_sliding_add(sliding, now, 3.0 * (double)(now - T0) / 1e9);
		if (i > 0)
			assert_float_equal(read_now(sliding, now, GM_FUNCTION_RATE), 3, 1e-9);
	}
	gm_sliding_free(sliding);
}

static void late_samples_are_taken_and_old_clocks_begin_anew(void **state)
{
	(void)state;
	struct gm_sliding *sliding;

	assert_int_equal(gm_sliding_create(10 * SECOND, true, &sliding), 0);
	for (int i = 0; i < 10; i++)
		gm_sliding_add(sliding, T0 + i * SECOND, i);
	gm_sliding_add(sliding, T0 + 4 * SECOND + SECOND / 2, 500); /* late */
	assert_true(read_now(sliding, T0 + 9 * SECOND, GM_FUNCTION_MAX) == 500);
	assert_float_equal(read_now(sliding, T0 + 9 * SECOND, GM_FUNCTION_RATE), 1, 1e-9);
	gm_sliding_add(sliding, T0 - 3600 * SECOND, 7);
	assert_true(read_now(sliding, T0 - 3600 * SECOND, GM_FUNCTION_MAX) == 7);
	assert_true(read_now(sliding, T0 - 3600 * SECOND, GM_FUNCTION_PERCENTILE) == 7);
	gm_sliding_add(sliding, -5, 8); /* before the epoch: no slot is out of bounds */
	assert_true(read_now(sliding, -5, GM_FUNCTION_VALUE) == 8);
	gm_sliding_free(sliding);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(functions_are_those_of_the_window),
		cmocka_unit_test(a_spike_leaves_with_the_window),
		cmocka_unit_test(the_rate_reaches_over_the_whole_window),
		cmocka_unit_test(late_samples_are_taken_and_old_clocks_begin_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
