/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing: every byte comes back, damage and bombs are refused, bounds hold.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pack.h"

enum { SIZE = 200000 };

static void fill(unsigned char *bytes, size_t size, unsigned noise)
{
	uint64_t seed = 88172645463325252u;

	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = noise > 0 && i % noise == 0 ? (unsigned char)(seed >> 40) : 0;
	}
}

static void test_there_and_back(void **state)
{
	static const size_t sizes[] = {0, 1, 16383, 16384, 16385, SIZE};
	static unsigned char bytes[SIZE];

	(void)state;
	for (unsigned noise = 0; noise < 20; noise += 1 + noise) {
		fill(bytes, SIZE, noise);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct gm_buffer packed = GM_BUFFER_INIT(2 * SIZE);
			struct gm_buffer back = GM_BUFFER_INIT(sizes[i]);

			assert_int_equal(gm_pack(bytes, sizes[i], &packed), 0);
			assert_int_equal(gm_unpack(packed.data, packed.length, &back), 0);
			assert_int_equal(back.length, sizes[i]);
			if (sizes[i] > 0)
				assert_memory_equal(back.data, bytes, sizes[i]);
			if (noise == 0 && sizes[i] == SIZE)
				assert_true(packed.length < SIZE / 100);
			gm_buffer_free(&back);
			/* One byte less than there is: a bomb is the same with more zeros. */
			back.max = sizes[i] - 1;
			if (sizes[i] > 0)
				assert_int_equal(gm_unpack(packed.data, packed.length, &back),
						 -EFBIG);
			gm_buffer_free(&back);
			gm_buffer_free(&packed);
		}
	}
}

static void test_no_room(void **state)
{
	static unsigned char bytes[SIZE];
	struct gm_buffer packed = GM_BUFFER_INIT(1000);

	(void)state;
	fill(bytes, SIZE, 1);
	assert_int_equal(gm_pack(bytes, SIZE, &packed), -ENOMEM);
	assert_true(packed.failed);
	gm_buffer_free(&packed);
}

static void test_damage(void **state)
{
	static unsigned char bytes[4000];
	struct gm_buffer packed = GM_BUFFER_INIT(SIZE), back = GM_BUFFER_INIT(SIZE);

	(void)state;
	fill(bytes, sizeof(bytes), 3);
	assert_int_equal(gm_pack(bytes, sizeof(bytes), &packed), 0);
	for (size_t cut = 0; cut < packed.length; cut++) {
		char *copy = malloc(cut + 1); /* of just that size: overruns are seen */

		memcpy(copy, packed.data, cut);
		assert_int_equal(gm_unpack(copy, cut, &back), -EINVAL);
		free(copy);
		gm_buffer_free(&back);
	}
	for (size_t i = 0; i < packed.length; i++) {
		packed.data[i] ^= 0x10;
		/* A few bits mean nothing. */
		if (gm_unpack(packed.data, packed.length, &back) == 0) {
			assert_int_equal(back.length, sizeof(bytes));
			assert_memory_equal(back.data, bytes, sizeof(bytes));
		}
		packed.data[i] ^= 0x10;
		gm_buffer_free(&back);
	}
	gm_buffer_append(&packed, "x", 1);
	assert_int_equal(gm_unpack(packed.data, packed.length, &back), -EINVAL);
	gm_buffer_free(&back);
	gm_buffer_free(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
