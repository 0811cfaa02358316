/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source has heard of entities: what is kept, what counts as a change, and how much there is room for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "source/heard.h"

static struct gm_entity_key device(unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "tap%u", number);
	return gm_entity_interface(name);
}

static void put(struct gm_heard *heard, unsigned number, int value)
{
	const struct gm_entity_key key = device(number);

	gm_heard_put(heard, &key, &value);
}

static int get(struct gm_heard *heard, unsigned number)
{
	const struct gm_entity_key key = device(number);
	int value = -1;

	return gm_heard_get(heard, &key, &value) ? value : -1;
}

static int setup(void **state)
{
	return gm_heard_create(sizeof(int), (struct gm_heard **)state);
}

static int teardown(void **state)
{
	gm_heard_free(*state);
	return 0;
}

static void test_newest_value_is_kept(void **state)
{
	struct gm_heard *heard = *state;
	const struct gm_entity_key first = device(1);

	assert_int_equal(get(heard, 1), -1);
	put(heard, 1, 10);
	put(heard, 2, 20);
	put(heard, 1, 11);
	assert_int_equal(get(heard, 1), 11);
	assert_int_equal(get(heard, 2), 20);
	gm_heard_drop(heard, &first);
	assert_int_equal(get(heard, 1), -1);
	assert_int_equal(get(heard, 2), 20);
}

static void test_version_is_that_of_changes(void **state)
{
	struct gm_heard *heard = *state;
	const struct gm_entity_key first = device(1), second = device(2);
	uint64_t before = gm_heard_version(heard);

	assert_int_not_equal(before, 0);
	put(heard, 1, 10);
	uint64_t added = gm_heard_version(heard);
	assert_int_not_equal(added, before);
	put(heard, 1, 10);
	gm_heard_drop(heard, &second);
	assert_int_equal(gm_heard_version(heard), added);
	put(heard, 1, 11);
	uint64_t changed = gm_heard_version(heard);
	assert_int_not_equal(changed, added);
	gm_heard_drop(heard, &first);
	assert_int_not_equal(gm_heard_version(heard), changed);
}

static bool is_same(const void *value, const void *wanted)
{
	return *(const int *)value == *(const int *)wanted;
}

static void test_found_by_value(void **state)
{
	struct gm_heard *heard = *state;
	const struct gm_entity_key second = device(2);
	const int twice = 10, once = 20, never = 30;
	struct gm_entity_key key;

	put(heard, 1, twice);
	put(heard, 2, once);
	put(heard, 3, twice);
	assert_int_equal(gm_heard_find(heard, is_same, &twice, &key), 2);
	assert_int_equal(gm_heard_find(heard, is_same, &once, &key), 1);
	assert_memory_equal(&key, &second, sizeof(key));
	assert_int_equal(gm_heard_find(heard, is_same, &never, &key), 0);
}

static void test_room_is_bounded(void **state)
{
	struct gm_heard *heard = *state;
	const struct gm_entity_key first = device(0);

	for (unsigned i = 0; i <= GM_HEARD_MAX; i++)
		put(heard, i, (int)i);
	assert_int_equal(get(heard, GM_HEARD_MAX - 1), GM_HEARD_MAX - 1);
	assert_int_equal(get(heard, GM_HEARD_MAX), -1);
	put(heard, 1, 7); /* one that is known has its room */
	assert_int_equal(get(heard, 1), 7);
	gm_heard_drop(heard, &first);
	put(heard, GM_HEARD_MAX, 8);
	assert_int_equal(get(heard, GM_HEARD_MAX), 8);
}

static void test_without_values(void **state)
{
	const struct gm_entity_key first = device(1), second = device(2);
	struct gm_heard *heard;

	(void)state;
	assert_int_equal(gm_heard_create(0, &heard), 0);
	gm_heard_put(heard, &first, NULL);
	uint64_t version = gm_heard_version(heard);
	gm_heard_put(heard, &first, NULL);
	assert_int_equal(gm_heard_version(heard), version);
	assert_true(gm_heard_get(heard, &first, NULL));
	assert_false(gm_heard_get(heard, &second, NULL));
	gm_heard_free(heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_newest_value_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_is_that_of_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found_by_value, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room_is_bounded, setup, teardown),
		cmocka_unit_test(test_without_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
