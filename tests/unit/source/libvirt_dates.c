/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When that which libvirt tells was true: over steps of the clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/stats.h"

#define SECOND  INT64_C(1700000009) /* of the epoch */
#define READ_AT (SECOND * GM_SECOND + 300 * GM_MILLISECOND)

static const uint8_t uuid[GM_UUID_SIZE] = {1, 2, 3};

static virTypedParameter number(const char *field, uint64_t value)
{
	virTypedParameter param = {.type = VIR_TYPED_PARAM_ULLONG, .value.ul = value};

	snprintf(param.field, sizeof(param.field), "%s", field);
	return param;
}

/* When the guest's account of its memory was true, or 0 when it was left out. */
static int64_t told_at(int64_t last_update, int64_t read_at, struct gm_lv_history *history)
{
	const virTypedParameter params[] = {number("balloon.available", 1024),
					    number("balloon.last-update", (uint64_t)last_update)};
	struct gm_lv_record record = {
		.uuid = uuid, .params = params, .count = 2, .read_at = read_at};
	struct gm_batch *batch = gm_batch_create();

	assert_non_null(batch);
	gm_lv_stats_slow(&record, history, batch);
	int64_t time = batch->frame_count > 0 ? batch->frames[0].measured_at : 0;
	gm_batch_free(batch);
	return time;
}

/* The node's time was set back by an hour: what the guest tells then is as good as before. */
static void test_memory_over_a_step_back(void **state)
{
	(void)state;
	struct gm_lv_history history = {0};
	int64_t hour = 3600;

	assert_int_equal(told_at(SECOND, READ_AT, &history), SECOND * GM_SECOND);
	for (int64_t i = 1; i < 4; i++)
		assert_int_equal(
			told_at(SECOND - hour + i, READ_AT + (i - hour) * GM_SECOND, &history),
			(SECOND - hour + i) * GM_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_over_a_step_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
