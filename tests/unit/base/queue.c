/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue between threads: order, the bound, and no item lost without being counted. Run under
 * ThreadSanitizer too.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/queue.h"

enum { WRITERS = 4, ITEMS = 20000 };

static atomic_uint freed, woken;

static void free_item(void *item)
{
	atomic_fetch_add(&freed, 1);
	free(item);
}

static void wake(void *user)
{
	(void)user;
	atomic_fetch_add(&woken, 1);
}

static int *number(int value)
{
	int *item = malloc(sizeof(*item));
	assert_non_null(item);
	*item = value;
	return item;
}

static struct gm_queue *make(size_t capacity)
{
	struct gm_queue_options options = {capacity, free_item, wake, NULL};
	struct gm_queue *queue;
	atomic_store(&freed, 0);
	atomic_store(&woken, 0);
	assert_int_equal(gm_queue_create(&options, &queue), 0);
	return queue;
}

static void test_a_full_queue_drops_its_oldest(void **state)
{
	(void)state;
	struct gm_queue *queue = make(3);
	for (int i = 1; i <= 5; i++)
		gm_queue_push(queue, number(i));
	assert_int_equal(gm_queue_dropped(queue), 2);
	assert_int_equal(atomic_load(&freed), 2);
	assert_int_equal(atomic_load(&woken), 1);
	for (int i = 3; i <= 5; i++) {
		int *item = gm_queue_pop(queue);
		assert_int_equal(*item, i);
		free(item);
	}
	assert_null(gm_queue_pop(queue));
	gm_queue_push(queue, number(6));
	assert_int_equal(atomic_load(&woken), 2);
	gm_queue_free(queue);
	assert_int_equal(atomic_load(&freed), 3);
}

static void *write_items(void *argument)
{
	struct gm_queue *queue = argument;
	for (int i = 0; i < ITEMS; i++) {
		int *item = malloc(sizeof(*item));
		*item = i;
		gm_queue_push(queue, item);
	}
	return NULL;
}

static void test_nothing_is_lost_uncounted(void **state)
{
	(void)state;
	struct gm_queue *queue = make(64);
	pthread_t writers[WRITERS];
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, write_items, queue), 0);
	uint64_t taken = 0;
	while (taken + gm_queue_dropped(queue) + gm_queue_length(queue) < WRITERS * ITEMS ||
	       gm_queue_length(queue) > 0) {
		int *item = gm_queue_pop(queue);
		taken += item != NULL;
		free(item);
		if (!item)
			sched_yield();
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	assert_int_equal(taken + gm_queue_dropped(queue), WRITERS * ITEMS);
	assert_int_equal(atomic_load(&freed), gm_queue_dropped(queue));
	gm_queue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_full_queue_drops_its_oldest),
		cmocka_unit_test(test_nothing_is_lost_uncounted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
