/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store without Redis: takes everything, keeps nothing, says so.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "store/memory/memory.h"

static void test_takes_everything(void **state)
{
	const struct gm_entity_info info = {.key = gm_entity_node()};
	const struct gm_frame frame = {.key = gm_entity_node()};
	struct gm_store_status status;
	struct gm_store *store = NULL;
	struct gm_error err;

	(void)state;
	assert_int_equal(gm_memory_store_create(&store), 0);
	assert_string_equal(store->ops->name, "memory");
	assert_int_equal(store->ops->load(store, 1, &err), 0);
	store->ops->start(store);
	store->ops->identify(store, &info);
	store->ops->append(store, &frame, NULL);
	struct gm_store_read *read;
	assert_int_equal(store->ops->read(store, &(struct gm_store_range){.key = frame.key},
					  &(struct gm_store_reader){0}, &read, &err),
			 -ENOTSUP);
	store->ops->flush(store, 1);
	store->ops->forget(store, &info.key);
	store->ops->status(store, &status);
	assert_true(status.connected);
	assert_non_null(strstr(status.state, "memory"));
	assert_int_equal(status.written + status.dropped + status.pending, 0);
	store->ops->stop(store);
	store->ops->destroy(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_takes_everything)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
