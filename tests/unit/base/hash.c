/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest, held against values that its authors publish.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

static void test_known_values(void **state)
{
	(void)state;
	assert_true(gm_hash(GM_HASH_FIRST, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(gm_hash(GM_HASH_FIRST, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(gm_hash(GM_HASH_FIRST, "foobar", 6) == UINT64_C(0x85944171f73967e8));
	assert_true(gm_hash(gm_hash(GM_HASH_FIRST, "foo", 3), "bar", 3) ==
		    UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
