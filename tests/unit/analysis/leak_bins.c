/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bins below the leak detector: what they hold, at which scale, and what time does to them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/leak_bins.h"
#include "base/clock.h"

#define START (INT64_C(1700006400) * GM_SECOND) /* midnight: every scale begins a bin */

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

static void a_bin_holds_floor_and_peak(void **state)
{
	struct gm_leak_bins *bins = *state;
	static const float values[] = {5, 3, 9, 4};

	for (int i = 0; i < 4; i++)
		assert_int_equal(
			gm_leak_bins_add(bins, START + i * 250 * GM_MILLISECOND, values[i]), 0);
	assert_int_equal(gm_leak_bins_add(bins, START + GM_SECOND, 7), 1);
	assert_int_equal(bins->scales[0].count, 1);
	assert_float_equal(gm_leak_bin(&bins->scales[0], 0)->floor, 3, 0);
	assert_float_equal(gm_leak_bin(&bins->scales[0], 0)->peak, 9, 0);
}

static void scales_close_together_and_keep_crests(void **state)
{
	struct gm_leak_bins *bins = *state;
	unsigned closed = 0;

	for (int i = 0; i <= 20; i++)
		closed = gm_leak_bins_add(bins, START + i * GM_SECOND, (float)(i % 7));
	assert_int_equal(closed, 0x7); /* 1 s, 4 s, 20 s */
	assert_int_equal(bins->scales[1].count, 5);
	assert_float_equal(gm_leak_bin(&bins->scales[1], 0)->floor, 2, 0); /* 2 3 4 5 */
	assert_float_equal(gm_leak_bin(&bins->scales[1], 0)->crest, 5, 0);
	assert_float_equal(gm_leak_bin(&bins->scales[2], 0)->floor, 0, 0);
	assert_float_equal(gm_leak_bin(&bins->scales[2], 0)->crest, 2, 0); /* floors 0 0 1 0 2 */
	assert_float_equal(gm_leak_bin(&bins->scales[2], 0)->peak, 6, 0);
}

/* One minute in ten is higher: five minutes' floors hide it, the ridge of an hour does not. */
static void ridges_keep_what_minutes_reached(void **state)
{
	struct gm_leak_bins *bins = *state;
	const struct gm_leak_bin *hour;

	for (int i = 0; i <= 60 * 60; i++)
		gm_leak_bins_add(bins, START + i * GM_SECOND,
				 (float)(i % 60 == 30       ? 9
					 : i / 60 % 10 == 4 ? 6
							    : 1));
	hour = gm_leak_bin(&bins->scales[6], 0);
	assert_float_equal(hour->floor, 1, 0);
	assert_float_equal(hour->crest, 1, 0);
	assert_float_equal(hour->ridge, 6, 0);
	assert_float_equal(hour->peak, 9, 0);
	assert_float_equal(gm_leak_bin(&bins->scales[4], 0)->ridge, 1, 0); /* minutes 55 to 59 */
	assert_float_equal(gm_leak_bin(&bins->scales[4], 1)->ridge, 6, 0);
	assert_float_equal(gm_leak_bin(&bins->scales[4], 1)->crest, 6, 0);
}

static void silence_leaves_empty_bins(void **state)
{
	struct gm_leak_bins *bins = *state;

	gm_leak_bins_add(bins, START, 1);
	gm_leak_bins_add(bins, START + 5 * GM_SECOND, 2);
	gm_leak_bins_add(bins, START + 6 * GM_SECOND, 3);
	assert_int_equal(bins->scales[0].count, 6);
	assert_float_equal(gm_leak_bin(&bins->scales[0], 0)->floor, 2, 0);
	for (size_t age = 1; age <= 4; age++)
		assert_true(isnan(gm_leak_bin(&bins->scales[0], age)->floor));
	assert_float_equal(gm_leak_bin(&bins->scales[0], 5)->floor, 1, 0);
}

static void long_silence_forgets_the_short_scales_only(void **state)
{
	struct gm_leak_bins *bins = *state;

	for (int i = 0; i < 1000; i++)
		gm_leak_bins_add(bins, START + i * GM_SECOND, 1);
	gm_leak_bins_add(bins, START + 1000 * GM_SECOND + 600 * GM_SECOND, 1);
	assert_int_equal(bins->scales[0].count, 0);
	assert_int_equal(bins->scales[1].count, 0);
	assert_true(bins->scales[2].count > 0);
	assert_int_equal(bins->scales[3].count, 26);
}

static void what_is_late_is_dropped(void **state)
{
	struct gm_leak_bins *bins = *state;

	gm_leak_bins_add(bins, START + 10 * GM_SECOND, 5);
	assert_int_equal(gm_leak_bins_add(bins, START + 8 * GM_SECOND, 1), 0);
	gm_leak_bins_add(bins, START + 11 * GM_SECOND, 6);
	assert_float_equal(gm_leak_bin(&bins->scales[0], 0)->floor, 5, 0);
}

static void the_rings_never_grow(void **state)
{
	struct gm_leak_bins *bins = *state;

	assert_true(sizeof(*bins) <= 8192);
	for (int64_t i = 0; i < 200000; i++)
		gm_leak_bins_add(bins, START + i * 7 * GM_SECOND, (float)i);
	for (size_t i = 0; i < GM_LEAK_SCALES; i++)
		assert_true(bins->scales[i].count <= GM_LEAK_BINS);
	assert_int_equal(bins->scales[GM_LEAK_SCALES - 1].count, GM_LEAK_BINS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(a_bin_holds_floor_and_peak),
		TEST(scales_close_together_and_keep_crests),
		TEST(ridges_keep_what_minutes_reached),
		TEST(silence_leaves_empty_bins),
		TEST(long_silence_forgets_the_short_scales_only),
		TEST(what_is_late_is_dropped),
		TEST(the_rings_never_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
