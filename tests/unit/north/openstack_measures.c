/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From packed series to rates and peaks, and the ring in which measures wait: what is filled in later, what
 * is dropped, and what becomes of a batch while it is under way.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/openstack/backfill.h"
#include "north/openstack/measures.h"

enum { SAMPLES = 30 };
#define STEP (100 * GM_MILLISECOND)

static void put(uint8_t *octets, size_t size, uint64_t number)
{
	for (size_t i = size; i-- > 0; number >>= 8)
		octets[i] = (uint8_t)number;
}

/* Samples every 100 ms from `begin` on. */
static struct gm_packed_row pack(uint8_t *records, int64_t begin, const uint64_t *counts,
				 uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		put(records + i * GM_PACKED_RECORD, 4, i * (uint64_t)(STEP / GM_MICROSECOND));
		put(records + i * GM_PACKED_RECORD + 4, 8, counts[i]);
	}
	return (struct gm_packed_row){.series = GM_PACKED_RX_OCTETS,
				      .count = count,
				      .first_at = begin,
				      .last_at = begin + (count - 1) * STEP,
				      .records = records};
}

static void test_a_peak_that_the_mean_hides(void **state)
{
	(void)state;
	uint8_t records[SAMPLES * GM_PACKED_RECORD];
	uint64_t counts[11];
	struct gm_packed_row row;
	double mean, peak;

	for (size_t i = 0; i < 11; i++)
		counts[i] = i < 5 ? 0 : 1250000; /* 100 Mbit/s for one tenth of the second */
	row = pack(records, 1000 * GM_SECOND, counts, 11);
	assert_int_equal(gm_measures_rates(&row, 0, &mean, &peak), row.last_at);
	assert_true(mean > 9.99e6 && mean < 10.01e6);
	assert_true(peak > 99.9e6 && peak < 100.1e6);
	/* Only what is new counts. */
	assert_int_equal(gm_measures_rates(&row, row.first_at + 5 * STEP, &mean, &peak),
			 row.last_at);
	assert_true(mean == 0 && peak == 0);
	assert_int_equal(gm_measures_rates(&row, row.last_at, &mean, &peak), 0);
}

static void test_a_counter_that_goes_back(void **state)
{
	(void)state;
	static const uint64_t counts[] = {1000000, 1000100, 0, 12500};
	uint8_t records[SAMPLES * GM_PACKED_RECORD];
	struct gm_packed_row row = pack(records, GM_SECOND, counts, 4);
	double mean, peak;

	assert_int_equal(gm_measures_rates(&row, 0, &mean, &peak), row.last_at);
	assert_true(peak > 0.99e6 && peak < 1.01e6);
	row.count = 1;
	assert_int_equal(gm_measures_rates(&row, 0, &mean, &peak), 0);
	row.count = 0;
	assert_int_equal(gm_measures_rates(&row, 0, &mean, &peak), 0);
}

static struct gm_resource resource(const char *id)
{
	struct gm_resource made = {0};

	snprintf(made.id, sizeof(made.id), "%s", id);
	return made;
}

static void expect_batch(struct gm_backfill *backfill, size_t max, size_t taken,
			 const char *expected)
{
	struct gm_buffer text = GM_BUFFER_INIT(65536);
	size_t got;
	struct gm_json *body = gm_backfill_batch(backfill, max, "p", &got);

	assert_int_equal(got, taken);
	if (expected) {
		assert_int_equal(gm_json_write(body, 0, &text), 0);
		assert_string_equal(text.data, expected);
	} else {
		assert_null(body);
	}
	gm_json_free(body);
	gm_buffer_free(&text);
}

#define M(time, value) "{\"timestamp\":" time ",\"value\":" value "}"
#define METRIC(name, measures) \
	"\"" name "\":{\"archive_policy_name\":\"p\",\"unit\":\"B\",\"measures\":[" measures "]}"

static void test_batches(void **state)
{
	(void)state;
	struct gm_backfill *backfill;
	struct gm_resource node = resource("node"), guest = resource("uuid");

	assert_int_equal(gm_backfill_create(100 * GM_BACKFILL_RECORD, &backfill), 0);
	expect_batch(backfill, 10, 0, NULL);
	gm_backfill_add(backfill, &node, "m", "B", GM_SECOND, 1);
	gm_backfill_add(backfill, &guest, "m", "B", GM_SECOND, 2);
	gm_backfill_add(backfill, &node, "n", "B", GM_SECOND, 3);
	gm_backfill_add(backfill, &node, "m", "B", 2250 * GM_MILLISECOND, 4);
	expect_batch(
		backfill, 10, 4,
		"{\"node\":{" METRIC("m", M("1.0", "1.0") "," M("2.25", "4.0")) "," METRIC(
			"n", M("1.0", "3.0")) "},\"uuid\":{" METRIC("m", M("1.0", "2.0")) "}}");
	assert_int_equal(gm_backfill_length(backfill), 4);
	expect_batch(backfill, 2, 2,
		     "{\"node\":{" METRIC("m", M("1.0", "1.0")) "},\"uuid\":{" METRIC(
			     "m", M("1.0", "2.0")) "}}");
	gm_backfill_remove(backfill, 2);
	gm_backfill_resource(backfill, "node")->refused = true;
	gm_backfill_add(backfill, &guest, "m", "B", 3 * GM_SECOND, 5);
	expect_batch(backfill, 10, 3, "{\"uuid\":{" METRIC("m", M("3.0", "5.0")) "}}");
	gm_backfill_remove(backfill, 3);
	assert_int_equal(gm_backfill_length(backfill), 0);
	assert_null(gm_backfill_resource(backfill, "node")); /* names go with the last measure */
	gm_backfill_free(backfill);
}

static void test_a_full_ring(void **state)
{
	(void)state;
	struct gm_backfill *backfill;
	struct gm_resource node = resource("node");
	size_t taken, capacity = 4;
	struct gm_json *body;

	assert_int_equal(gm_backfill_create((capacity - 1) * GM_BACKFILL_RECORD, &backfill), 0);
	for (int i = 1; i <= 4; i++)
		gm_backfill_add(backfill, &node, "m", "B", i * GM_SECOND, i);
	body = gm_backfill_batch(backfill, 3, "p", &taken); /* 1, 2, 3 are under way */
	gm_json_free(body);
	assert_int_equal(taken, 3);
	gm_backfill_add(backfill, &node, "m", "B", 5 * GM_SECOND, 5); /* drops 1 */
	gm_backfill_add(backfill, &node, "m", "B", 6 * GM_SECOND, 6); /* drops 2 */
	assert_int_equal(gm_backfill_dropped(backfill), 2);
	gm_backfill_remove(backfill, taken);
	expect_batch(backfill, 10, 3,
		     "{\"node\":{" METRIC(
			     "m", M("4.0", "4.0") "," M("5.0", "5.0") "," M("6.0", "6.0")) "}}");
	for (int i = 0; i < 100; i++)
		gm_backfill_add(backfill, &node, "m", "B", GM_SECOND, i);
	assert_int_equal(gm_backfill_length(backfill), capacity);
	gm_backfill_remove(backfill, 3);
	assert_int_equal(gm_backfill_length(backfill), capacity); /* all that was taken is gone */
	gm_backfill_free(backfill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_peak_that_the_mean_hides),
		cmocka_unit_test(test_a_counter_that_goes_back),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_a_full_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
