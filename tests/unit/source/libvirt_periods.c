/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose the balloon's period is: a look that begins while an earlier one still owes the guest its period
 * learns that, and not what the earlier look has set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/libvirt/periods.h"

static const uint8_t one[GM_UUID_SIZE] = {1}, two[GM_UUID_SIZE] = {2};

static void what_is_owed_is_the_guests(void **state)
{
	(void)state;
	assert_int_equal(gm_lv_periods_own(one, 1), 1);
	gm_lv_periods_touch(one, 10);
	assert_int_equal(gm_lv_periods_own(one, 1), 10);
	assert_int_equal(gm_lv_periods_own(one, 0), 10);
	assert_int_equal(gm_lv_periods_own(one, 30), 30); /* somebody has set it since */
	assert_int_equal(gm_lv_periods_own(two, 1), 1);
	/* The second look goes on when the first restores at last. */
	gm_lv_periods_touch(one, 10);
	gm_lv_periods_restored(one);
	assert_int_equal(gm_lv_periods_own(one, 1), 10);
	gm_lv_periods_restored(one);
	assert_int_equal(gm_lv_periods_own(one, 1), 1);
	gm_lv_periods_restored(one);
}

static void the_oldest_makes_room(void **state)
{
	(void)state;
	uint8_t uuid[GM_UUID_SIZE] = {9};
	for (uint8_t i = 0; i <= GM_LV_PERIODS_OWED; i++) {
		uuid[1] = i;
		gm_lv_periods_touch(uuid, 10U + i);
	}
	for (uint8_t i = 0; i <= GM_LV_PERIODS_OWED; i++) {
		uuid[1] = i;
		assert_int_equal(gm_lv_periods_own(uuid, 1), i == 0 ? 1U : 10U + i);
		gm_lv_periods_restored(uuid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_owed_is_the_guests),
		cmocka_unit_test(the_oldest_makes_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
