/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: what was put in comes out, and the ceiling counts what it keeps out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/sample.h"

static void test_frames_keep_their_readings(void **state)
{
	(void)state;
	struct gm_batch *batch = gm_batch_create();
	struct gm_entity_key node = gm_entity_node();
	for (int i = 0; i < 100; i++) {
		assert_true(gm_batch_frame(batch, &node, i, i + 1, 0));
		for (int j = 0; j < i % 5; j++)
			gm_batch_counter(batch, GM_METRIC_CPU_TIME, (uint64_t)(i * 10 + j));
	}
	for (int i = 0; i < 100; i++) {
		const struct gm_frame *frame = &batch->frames[i];
		assert_int_equal(frame->measured_at, i);
		assert_int_equal(frame->count, i % 5);
		const struct gm_reading *readings = gm_batch_readings(batch, frame);
		for (int j = 0; j < i % 5; j++)
			assert_int_equal(readings[j].value.counter, i * 10 + j);
	}
	gm_batch_clear(batch);
	assert_int_equal(batch->frame_count + batch->reading_count, 0);
	gm_batch_free(batch);
}

static void test_a_reading_without_a_frame_is_lost_and_counted(void **state)
{
	(void)state;
	struct gm_batch *batch = gm_batch_create();
	gm_batch_gauge(batch, GM_METRIC_LOAD_1, 1);
	assert_int_equal(batch->lost, 1);
	assert_int_equal(batch->reading_count, 0);
	gm_batch_free(batch);
}

static void test_the_ceiling(void **state)
{
	(void)state;
	struct gm_batch *batch = gm_batch_create();
	struct gm_entity_key node = gm_entity_node();
	for (int i = 0; i < GM_BATCH_MAX; i++)
		assert_true(gm_batch_frame(batch, &node, i, i, 0));
	assert_false(gm_batch_frame(batch, &node, 0, 0, 0));
	assert_int_equal(batch->lost, 1);
	gm_batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_keep_their_readings),
		cmocka_unit_test(test_a_reading_without_a_frame_is_lost_and_counted),
		cmocka_unit_test(test_the_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
