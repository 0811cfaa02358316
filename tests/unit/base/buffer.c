/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded buffer: its ceiling holds, and a failure stays until somebody looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void test_grows_to_its_ceiling_and_no_further(void **state)
{
	(void)state;
	struct gm_buffer buffer = GM_BUFFER_INIT(1000);
	for (int i = 0; i < 100; i++)
		gm_buffer_printf(&buffer, "%010d", i);
	assert_int_equal(buffer.length, 1000);
	assert_false(buffer.failed);
	gm_buffer_append(&buffer, "x", 1);
	assert_true(buffer.failed);
	assert_int_equal(buffer.length, 1000);
	gm_buffer_append(&buffer, "", 0);
	assert_true(buffer.failed);
	gm_buffer_free(&buffer);
	assert_false(buffer.failed);
}

static void test_consume(void **state)
{
	(void)state;
	struct gm_buffer buffer = GM_BUFFER_INIT(100);
	gm_buffer_consume(&buffer, 10);
	gm_buffer_append(&buffer, "one\ntwo", 7);
	gm_buffer_consume(&buffer, 4);
	assert_string_equal(buffer.data, "two");
	gm_buffer_consume(&buffer, 100);
	assert_int_equal(buffer.length, 0);
	assert_string_equal(buffer.data, "");
	gm_buffer_free(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_to_its_ceiling_and_no_further),
		cmocka_unit_test(test_consume),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
