/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written is read back; what is cut, changed or out of its limits is refused, and the members
 * that it would have gone into stay as they were.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/archive.h"

struct thing {
	bool on;
	int64_t when;
	uint64_t count;
	size_t fill;
	uint32_t small;
	uint16_t tiny;
	double slope, open;
	float weight;
	double row[3];
	char name[16];
};

enum { FILL_MAX = 8 };

static void exchange(struct gm_archive *archive, struct thing *thing)
{
	gm_archive_tag(archive, "thing 1");
	gm_archive_bool(archive, &thing->on);
	gm_archive_int(archive, &thing->when, -5, INT64_MAX);
	gm_archive_counter(archive, &thing->count);
	gm_archive_size(archive, &thing->fill, FILL_MAX);
	gm_archive_u32(archive, &thing->small, UINT32_MAX);
	gm_archive_u16(archive, &thing->tiny, 1000);
	gm_archive_number(archive, &thing->slope);
	gm_archive_any_number(archive, &thing->open);
	gm_archive_float(archive, &thing->weight);
	gm_archive_numbers(archive, thing->row, 3);
	gm_archive_text(archive, thing->name, sizeof(thing->name));
}

static struct thing example(void)
{
	return (struct thing){
		.on = true,
		.when = -5,
		.count = UINT64_MAX,
		.fill = FILL_MAX,
		.small = UINT32_MAX,
		.tiny = 1000,
		.slope = -DBL_MIN,
		.open = NAN,
		.weight = 0.5F,
		.row = {1, -2.5, 1e300},
		.name = "d\303\251j\303\240 vu",
	};
}

static bool written(struct thing thing, struct gm_buffer *bytes)
{
	struct gm_archive archive = gm_archive_writer(bytes);
	exchange(&archive, &thing);
	return gm_archive_done(&archive);
}

static bool readable(const char *bytes, size_t size, struct thing *thing)
{
	/* A block of the very size: a read past it is seen by the sanitizer. */
	char *copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	struct gm_archive archive = gm_archive_reader(copy, size);
	exchange(&archive, thing);
	bool done = gm_archive_done(&archive);
	free(copy);
	return done;
}

static void test_round_trip(void **state)
{
	(void)state;
	struct gm_buffer bytes = GM_BUFFER_INIT(4096), again = GM_BUFFER_INIT(4096);
	struct thing thing = {0};
	assert_true(written(example(), &bytes));
	assert_true(readable(bytes.data, bytes.length, &thing));
	assert_true(isnan(thing.open));
	assert_int_equal(thing.when, -5);
	assert_string_equal(thing.name, "d\303\251j\303\240 vu");
	assert_true(written(thing, &again));
	assert_int_equal(bytes.length, again.length);
	assert_memory_equal(bytes.data, again.data, bytes.length);
	gm_buffer_free(&bytes);
	gm_buffer_free(&again);
}

static void test_cut_or_longer_is_refused(void **state)
{
	(void)state;
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);
	assert_true(written(example(), &bytes));
	for (size_t size = 0; size < bytes.length; size++) {
		struct thing thing = {0};
		assert_false(readable(bytes.data, size, &thing));
	}
	struct thing thing = {0};
	gm_buffer_append(&bytes, "", 1);
	assert_false(readable(bytes.data, bytes.length, &thing));
	gm_buffer_free(&bytes);
}

static void refused(struct thing bad)
{
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);
	struct thing thing = {0};
	assert_true(written(bad, &bytes));
	assert_false(readable(bytes.data, bytes.length, &thing));
	gm_buffer_free(&bytes);
}

static void test_limits(void **state)
{
	(void)state;
	struct thing bad = example();
	bad.when = -6;
	refused(bad);
	bad = example();
	bad.fill = FILL_MAX + 1;
	refused(bad);
	bad = example();
	bad.tiny = 1001;
	refused(bad);
	bad = example();
	memcpy(bad.name, "\377\376", 3);
	refused(bad);
}

static void test_not_finite_is_refused(void **state)
{
	(void)state;
	static const double values[] = {NAN, INFINITY, -INFINITY};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct gm_buffer bytes = GM_BUFFER_INIT(64);
		struct gm_archive out = gm_archive_writer(&bytes);
		double value = values[i], into = 7;
		gm_archive_any_number(&out, &value);
		struct gm_archive in = gm_archive_reader(bytes.data, bytes.length);
		gm_archive_number(&in, &into);
		assert_false(gm_archive_done(&in));
		assert_true(into == 7);
		gm_buffer_free(&bytes);
	}
}

static void test_other_tag(void **state)
{
	(void)state;
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);
	struct thing thing = {0};
	assert_true(written(example(), &bytes));
	bytes.data[6] = '2';
	assert_false(readable(bytes.data, bytes.length, &thing));
	assert_int_equal(thing.count, 0);
	struct gm_archive in = gm_archive_reader(bytes.data, bytes.length);
	assert_false(gm_archive_is_next(&in, "thing 1"));
	assert_true(gm_archive_is_next(&in, "thing 2"));
	assert_int_equal(in.left, bytes.length); /* it is still to be read */
	in.left = strlen("thing 2");
	assert_false(gm_archive_is_next(&in, "thing 2"));
	gm_buffer_free(&bytes);
}

static void test_full_buffer(void **state)
{
	(void)state;
	struct gm_buffer bytes = GM_BUFFER_INIT(20);
	assert_false(written(example(), &bytes));
	gm_buffer_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_cut_or_longer_is_refused),
		cmocka_unit_test(test_limits),     cmocka_unit_test(test_not_finite_is_refused),
		cmocka_unit_test(test_other_tag),  cmocka_unit_test(test_full_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
