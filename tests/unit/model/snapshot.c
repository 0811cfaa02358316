/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots: readers on other threads see one whole picture for as long as they hold it. Run under
 * ThreadSanitizer too.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/snapshot.h"

enum { READERS = 3, ROUNDS = 2000, ROWS = 50 };

static struct gm_snapshot *make(uint32_t stamp)
{
	struct gm_snapshot *snapshot = gm_snapshot_create();
	snapshot->taken_at = stamp;
	snapshot->guest_count = ROWS;
	snapshot->guests = gm_snapshot_alloc(snapshot, ROWS, sizeof(*snapshot->guests));
	for (size_t i = 0; snapshot->guests && i < ROWS; i++)
		snapshot->guests[i].index = stamp;
	return snapshot;
}

struct reading {
	struct gm_snapshot_slot *slot;
	atomic_bool *stop;
	bool torn, backwards;
};

static void *read_rows(void *argument)
{
	struct reading *reading = argument;
	int64_t last = 0;
	while (!atomic_load(reading->stop)) {
		const struct gm_snapshot *snapshot = gm_snapshot_acquire(reading->slot);
		for (size_t i = 0; i < snapshot->guest_count; i++)
			reading->torn |= snapshot->guests[i].index != snapshot->taken_at;
		reading->backwards |= snapshot->taken_at < last;
		last = snapshot->taken_at;
		gm_snapshot_release(reading->slot, snapshot);
	}
	return NULL;
}

static void test_readers_see_whole_snapshots(void **state)
{
	(void)state;
	struct gm_snapshot_slot *slot;
	assert_int_equal(gm_snapshot_slot_create(&slot), 0);
	assert_null(gm_snapshot_acquire(slot));
	gm_snapshot_publish(slot, make(1));

	atomic_bool stop = false;
	pthread_t threads[READERS];
	struct reading readings[READERS];
	for (int i = 0; i < READERS; i++) {
		readings[i] = (struct reading){slot, &stop, false, false};
		assert_int_equal(pthread_create(&threads[i], NULL, read_rows, &readings[i]), 0);
	}
	for (uint32_t stamp = 2; stamp < ROUNDS; stamp++)
		gm_snapshot_publish(slot, make(stamp));
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		assert_false(readings[i].torn);
		assert_false(readings[i].backwards);
	}
	gm_snapshot_slot_free(slot);
}

static void test_a_held_snapshot_outlives_its_successors(void **state)
{
	(void)state;
	struct gm_snapshot_slot *slot;
	assert_int_equal(gm_snapshot_slot_create(&slot), 0);
	gm_snapshot_publish(slot, make(1));
	const struct gm_snapshot *held = gm_snapshot_acquire(slot);
	gm_snapshot_publish(slot, make(2));
	gm_snapshot_publish(slot, make(3));
	assert_int_equal(held->guests[ROWS - 1].index, 1);
	gm_snapshot_release(slot, held);
	gm_snapshot_slot_free(slot);
}

static void test_alloc_is_zeroed_and_bounded(void **state)
{
	(void)state;
	struct gm_snapshot *snapshot = gm_snapshot_create();
	assert_null(gm_snapshot_alloc(snapshot, SIZE_MAX / 2, 4));
	unsigned char *large = gm_snapshot_alloc(snapshot, 1, 200000);
	for (size_t i = 0; i < 200000; i++)
		assert_int_equal(large[i], 0);
	gm_snapshot_destroy(snapshot);
}

static void test_last_find(void **state)
{
	(void)state;
	struct gm_last items[] = {{.metric = 2}, {.metric = 5}, {.metric = 9}};
	struct gm_last_set set = {3, items};
	assert_ptr_equal(gm_last_find(&set, 5), &items[1]);
	assert_ptr_equal(gm_last_find(&set, 2), &items[0]);
	assert_ptr_equal(gm_last_find(&set, 9), &items[2]);
	assert_null(gm_last_find(&set, 1));
	assert_null(gm_last_find(&set, 10));
	assert_null(gm_last_find(&(struct gm_last_set){0}, 1));
}

static void test_alarm_is_found_by_its_number(void **state)
{
	(void)state;
	struct gm_alarm alarms[] = {{.id = 3}, {.id = 7}, {.id = 8}};
	const struct gm_snapshot snapshot = {.alarms = alarms, .alarm_count = 3}, none = {0};
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(gm_snapshot_alarm(&snapshot, alarms[i].id), &alarms[i]);
	assert_null(gm_snapshot_alarm(&snapshot, 0));
	assert_null(gm_snapshot_alarm(&snapshot, 5));
	assert_null(gm_snapshot_alarm(&snapshot, 9));
	assert_null(gm_snapshot_alarm(&none, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers_see_whole_snapshots),
		cmocka_unit_test(test_a_held_snapshot_outlives_its_successors),
		cmocka_unit_test(test_alloc_is_zeroed_and_bounded),
		cmocka_unit_test(test_last_find),
		cmocka_unit_test(test_alarm_is_found_by_its_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
