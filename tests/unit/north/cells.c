/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the MIB shows of a row: hostile names, values that are not known, numbers at the ends of their
 * types; through the resolver, as an agent would ask.
 */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/mib/cells.h"
#include "north/mib/tree.h"
#include "support/mib/fixture.h"

static int setup(void **state)
{
	struct gm_snapshot_slot *slot;
	struct gm_snapshot *snapshot = fixture_snapshot(2, 1, 42);
	if (!snapshot || gm_snapshot_slot_create(&slot) < 0)
		return -1;
	gm_snapshot_publish(slot, snapshot);
	*state = slot;
	return 0;
}

static int teardown(void **state)
{
	gm_snapshot_slot_free(*state);
	return 0;
}

/* The fixture's snapshot, to be changed by a test: nobody else has it. */
static struct gm_snapshot *open_snapshot(void **state)
{
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(*state);
	gm_snapshot_release(*state, snapshot);
	return (struct gm_snapshot *)(uintptr_t)snapshot;
}

static int get(const struct gm_snapshot *snapshot, struct gm_mib_value *ret_value, size_t length,
	       const uint32_t *id)
{
	const struct gm_mib_view view = {.snapshot = snapshot, .now = FIXTURE_TIME + GM_SECOND};
	return gm_mib_get(&gm_mib_modules[GM_MIB_GUESTMON], &view, id, length, ret_value);
}
#define GET(snapshot, value, ...)                                                        \
	get(snapshot, value, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), \
	    (const uint32_t[]){__VA_ARGS__})

static void assert_octets(const struct gm_mib_value *value, const char *octets, size_t length)
{
	assert_int_equal(value->length, length);
	assert_memory_equal(value->octets, octets, length);
}

static void test_hostile_names(void **state)
{
	static const char *const names[] = {
		"\"quotes'` $(reboot); DROP TABLE\\",
		"line\nend\r\ttab\x1b[31m",
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7",
		"%s%n%1000000d",
	};
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(snapshot->guests[0].info.name, GM_NAME_SIZE, "%s", names[i]);
		assert_int_equal(GET(snapshot, &value, 1, 4, 1, 4, 1), GM_MIB_FOUND);
		assert_octets(&value, names[i], strlen(names[i]));
	}
}

static void test_broken_utf8_is_mended(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	snprintf(snapshot->guests[0].info.name, GM_NAME_SIZE, "a\xff\xc3z");
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 4, 1), GM_MIB_FOUND);
	assert_octets(&value, "a\xef\xbf\xbd\xef\xbf\xbdz", 8);

	memset(snapshot->guests[0].info.name, 0xfe, GM_NAME_SIZE - 1);
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 4, 1), GM_MIB_FOUND);
	assert_true(value.length < sizeof(value.buffer));
}

static void test_unknown_is_absent(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 9, 1), GM_MIB_NO_INSTANCE);  /* flavor */
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 22, 1), GM_MIB_NO_INSTANCE); /* unused */
	assert_int_equal(GET(snapshot, &value, 1, 1, 16, 0), GM_MIB_NO_INSTANCE);    /* resident */
	assert_int_equal(GET(snapshot, &value, 1, 1, 10, 0), GM_MIB_NO_INSTANCE);    /* store */

	/* A counter of which nobody knows a rate yet. */
	struct gm_last *rx = (struct gm_last *)(uintptr_t)gm_last_find(
		&snapshot->interfaces[0].last, GM_METRIC_NET_RX_BYTES);
	rx->has_rate = false;
	assert_int_equal(GET(snapshot, &value, 1, 5, 1, 13, 1, 1), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 5, 1, 9, 1, 1), GM_MIB_FOUND);

	/* An alarm without a guest, a leak without an alarm. */
	snapshot->alarms[0].guest_index = 0;
	memset(snapshot->alarms[0].guest, 0, GM_UUID_SIZE);
	snapshot->leaks[0].alarm_id = 0;
	assert_int_equal(GET(snapshot, &value, 1, 8, 1, 3, 1), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 8, 1, 5, 1), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 11, 1), GM_MIB_NO_INSTANCE);
}

static void test_no_object_and_no_instance(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	assert_int_equal(GET(snapshot, &value, 1), GM_MIB_NO_OBJECT);
	assert_int_equal(GET(snapshot, &value, 1, 4, 1), GM_MIB_NO_OBJECT);
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 1, 1), GM_MIB_NO_OBJECT); /* an index */
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 200, 1), GM_MIB_NO_OBJECT);
	assert_int_equal(GET(snapshot, &value, 2, 1), GM_MIB_NO_OBJECT);
	assert_int_equal(GET(snapshot, &value, 1, 10, 1, 0), GM_MIB_NO_OBJECT); /* for notify */
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 4), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 4, 2), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 4, 1, 1), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 1, 1, 1), GM_MIB_NO_INSTANCE);
}

static void test_numbers_at_the_ends(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	static const struct {
		double gauge;
		uint64_t shown;
	} cases[] = {{-5, 0},
		     {0.6, 1},
		     {1e18, UINT64_C(1000000000000000000)},
		     {1e30, UINT64_MAX},
		     {INFINITY, UINT64_MAX},
		     {0x1p64, UINT64_MAX}};
	struct gm_last *used = (struct gm_last *)(uintptr_t)gm_last_find(&snapshot->guests[0].last,
									 GM_METRIC_MEMORY_USED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		used->value.gauge = cases[i].gauge;
		assert_int_equal(GET(snapshot, &value, 1, 4, 1, 20, 1), GM_MIB_FOUND);
		assert_true(value.number == cases[i].shown);
	}
	used->value.gauge = NAN;
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 20, 1), GM_MIB_NO_INSTANCE);

	/* A Gauge32 stays at its largest value. */
	snapshot->agent.sample_rate = 1e12;
	assert_int_equal(GET(snapshot, &value, 1, 1, 8, 0), GM_MIB_FOUND);
	assert_true(value.number == UINT32_MAX);

	/* All 64 bits of a counter. */
	struct gm_last *rx = (struct gm_last *)(uintptr_t)gm_last_find(
		&snapshot->interfaces[0].last, GM_METRIC_NET_RX_BYTES);
	rx->value.counter = UINT64_MAX - 1;
	assert_int_equal(GET(snapshot, &value, 1, 5, 1, 9, 1, 1), GM_MIB_FOUND);
	assert_true(value.number == UINT64_MAX - 1);
}

static void test_times_and_ages(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	snapshot->alarms[0].raised_at = FIXTURE_TIME + 59 * GM_SECOND + 950 * GM_MILLISECOND;
	assert_int_equal(GET(snapshot, &value, 1, 8, 1, 12, 1), GM_MIB_FOUND);
	assert_octets(&value, "\x07\xea\x01\x01\x00\x00\x3b\x09+\x00\x00", 11);
	snapshot->alarms[0].raised_at = 0;
	assert_int_equal(GET(snapshot, &value, 1, 8, 1, 12, 1), GM_MIB_NO_INSTANCE);

	/* Measured a moment after the clock was read: not an age of 600 years. */
	snapshot->leaks[0].finding.time = FIXTURE_TIME + 2 * GM_SECOND;
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 13, 1), GM_MIB_FOUND);
	assert_true(value.number == 0);
	snapshot->leaks[0].finding.time = FIXTURE_TIME - 250 * GM_MILLISECOND;
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 13, 1), GM_MIB_FOUND);
	assert_true(value.number == 1250);

	/* Evidence of a time that is beyond the clock, or that no calendar has. */
	static const double never[] = {9223372037.0, 1e11, 1e300, INFINITY, NAN, -1};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		gm_evidence_set(&snapshot->leaks[0].finding.evidence, GM_EVIDENCE_ONSET, never[i]);
		assert_int_equal(GET(snapshot, &value, 1, 6, 1, 7, 1), GM_MIB_NO_INSTANCE);
	}
	gm_evidence_set(&snapshot->leaks[0].finding.evidence, GM_EVIDENCE_ONSET, 9223372035.5);
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 7, 1), GM_MIB_FOUND);
	assert_octets(&value, "\x08\xd6\x04\x0b\x17\x2f\x0f\x05+\x00\x00", 11);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {"", "52:54:00:ab:01", "52:54:00:ab:01:0g",
					  "52-54-00-ab-01-01", "52:54:00:ab:01:01"};
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	assert_int_equal(GET(snapshot, &value, 1, 5, 1, 5, 1, 1), GM_MIB_FOUND);
	assert_octets(&value, "\x52\x54\x00\xab\x01\x01", 6);
	for (size_t i = 0; i < 5; i++) {
		char *mac = snapshot->interfaces[0].info.mac;
		snprintf(mac, sizeof(snapshot->interfaces[0].info.mac), "%s", bad[i]);
		assert_int_equal(GET(snapshot, &value, 1, 5, 1, 5, 1, 1),
				 i < 4 ? GM_MIB_NO_INSTANCE : GM_MIB_FOUND);
	}
	char *port = snapshot->interfaces[0].info.port_uuid;
	assert_int_equal(GET(snapshot, &value, 1, 5, 1, 6, 1, 1), GM_MIB_NO_INSTANCE);
	snprintf(port, GM_UUID_TEXT, "0123456789abcdef");
	assert_int_equal(GET(snapshot, &value, 1, 5, 1, 6, 1, 1), GM_MIB_NO_INSTANCE);
	snprintf(port, GM_UUID_TEXT, "00112233-4455-6677-8899-aabbccddeeff");
	assert_int_equal(GET(snapshot, &value, 1, 5, 1, 6, 1, 1), GM_MIB_FOUND);
	assert_octets(&value, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
		      16);
}

static void test_states(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	struct gm_last *guest = (struct gm_last *)(uintptr_t)gm_last_find(&snapshot->guests[0].last,
									  GM_METRIC_GUEST_STATE);
	guest->value.gauge = 7;
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 11, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, 8);
	guest->value.gauge = 8; /* a state that a later libvirt may have */
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 11, 1), GM_MIB_NO_INSTANCE);

	snapshot->leaks[0].finding.active = false;
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 2, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, 1);
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 3, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, GM_SEVERITY_CLEARED);
	snapshot->log[0].kind = GM_TRANSITION_CLEAR;
	assert_int_equal(GET(snapshot, &value, 1, 9, 1, 12, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, GM_SEVERITY_CLEARED);
}

static void test_findings_that_are_not_judged(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	/* The first process of a guest has no judgement of the leak detector, the second has. */
	for (uint32_t column = 9; column <= 22; column++)
		assert_int_equal(GET(snapshot, &value, 1, 11, 1, column, 1, 17),
				 GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 11, 1, 9, 1, 4242), GM_MIB_FOUND);
	assert_int_equal(value.number, 2);
	assert_int_equal(GET(snapshot, &value, 1, 11, 1, 4, 1, 17), GM_MIB_FOUND);

	/* An upper end without a bound, bursts of no storm. */
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 17, 1), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 7, 1, 19, 1, 1, 1), GM_MIB_NO_INSTANCE);
	/* A lower end below zero. */
	assert_int_equal(GET(snapshot, &value, 1, 6, 1, 14, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, 0);
}

static void test_buckets(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	assert_int_equal(GET(snapshot, &value, 1, 15, 1, 3, 1, 1, 1, 1, 17), GM_MIB_FOUND);
	assert_true(value.number == 1 << 17);
	assert_int_equal(GET(snapshot, &value, 1, 15, 1, 4, 1, 1, 1, 1, 17), GM_MIB_FOUND);
	assert_int_equal(value.number, 17);
	/* The last bucket of all holds also what is more. */
	assert_int_equal(GET(snapshot, &value, 1, 15, 1, 3, 1, 1, 1, 4, 32), GM_MIB_NO_INSTANCE);
	assert_int_equal(GET(snapshot, &value, 1, 15, 1, 4, 1, 1, 1, 4, 32), GM_MIB_FOUND);
	snapshot->burst_buckets[1].bucket = 31;
	snapshot->burst_buckets[1].last = false;
	assert_int_equal(GET(snapshot, &value, 1, 15, 1, 3, 1, 1, 1, 4, 31), GM_MIB_FOUND);
	assert_true(value.number == UINT64_C(1) << 31);
	assert_int_equal(GET(snapshot, &value, 1, 15, 1, 4, 1, 1, 1, 1), GM_MIB_NO_INSTANCE);
}

static void test_series(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_mib_value value;
	assert_int_equal(GET(snapshot, &value, 1, 20, 1, 8, 1, 1, 4), GM_MIB_FOUND);
	assert_octets(&value, "\0\0\0\0\0\0\0\0\0\x4c\x4b\x40\0\x01\x86\xa0\0\0\0\0\0\x4c\x4b\x47",
		      24);
	assert_int_equal(GET(snapshot, &value, 1, 20, 1, 5, 1, 1, 4), GM_MIB_FOUND);
	assert_true(value.number == UINT64_C(1767225599900));
	assert_int_equal(GET(snapshot, &value, 1, 20, 1, 6, 1, 1, 4), GM_MIB_FOUND);
	assert_int_equal(value.number, 100000);
	assert_int_equal(GET(snapshot, &value, 1, 20, 1, 8, 1, 1, 5), GM_MIB_NO_INSTANCE);
}

static void test_numbers_as_text(void **state)
{
	static const struct {
		double number;
		const char *text; /* NULL: absent */
	} cases[] = {{-1.5, "-1.5"},    {0, "0"},
		     {1e300, "1e+300"}, {-1.23456789e-300, "-1.23456789e-300"},
		     {NAN, NULL},       {-INFINITY, NULL}};
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_evidence *evidence = &snapshot->alarms[0].evidence;
	struct gm_mib_value value;
	assert_int_equal(GET(snapshot, &value, 1, 8, 1, 18, 1), GM_MIB_NO_INSTANCE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gm_evidence_set(evidence, GM_EVIDENCE_VALUE, 1);
		evidence->number[GM_EVIDENCE_VALUE] = cases[i].number;
		int found = GET(snapshot, &value, 1, 8, 1, 18, 1);
		assert_int_equal(found, cases[i].text ? GM_MIB_FOUND : GM_MIB_NO_INSTANCE);
		if (cases[i].text)
			assert_octets(&value, cases[i].text, strlen(cases[i].text));
	}
}

static void test_snmpd_inside(void **state)
{
	struct gm_snapshot *snapshot = open_snapshot(state);
	struct gm_last items[2] = {
		{.metric = GM_METRIC_SNMP_UP, .measured_at = FIXTURE_TIME, .value.gauge = 1},
		{.metric = GM_METRIC_SNMP_LATENCY, .value.gauge = 2.5e6},
	};
	struct gm_mib_value value;
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 33, 1), GM_MIB_NO_INSTANCE);
	snapshot->guests[0].last = (struct gm_last_set){2, items};
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 33, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, 1);
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 34, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, 2500); /* µs */
	items[0].value.gauge = 0;
	assert_int_equal(GET(snapshot, &value, 1, 4, 1, 33, 1), GM_MIB_FOUND);
	assert_int_equal(value.number, 2);
}

/* A line of tables_*.c that names a member of another size than its getter reads would read astray. */
static void check_sizes(const struct gm_mib_table *table)
{
	static const struct {
		gm_mib_cell_fn *get;
		size_t size;
	} sizes[] = {
		{gm_cell_u32, 4},
		{gm_cell_u32_known, 4},
		{gm_cell_u64, 8},
		{gm_cell_u64_known, 8},
		{gm_cell_size, 8},
		{gm_cell_double, 8},
		{gm_cell_bool, 1},
		{gm_cell_enum, 4},
		{gm_cell_microseconds, 8},
		{gm_cell_span, 8},
		{gm_cell_time, 8},
		{gm_cell_epoch, 8},
		{gm_cell_age, 8},
		{gm_cell_uuid, 16},
		{gm_cell_uuid_name, 16},
		{gm_cell_mac, 18},
		{gm_cell_uuid_text, GM_UUID_TEXT},
		{gm_cell_entity, sizeof(struct gm_entity_key)},
		{gm_cell_finding_state, sizeof(struct gm_finding)},
		{gm_cell_finding_severity, sizeof(struct gm_finding)},
		{gm_cell_bucket_edge, 1},
		{gm_cell_known, 1},
		{gm_cell_kibibytes, 8},
		{gm_cell_since, 8},
		{gm_cell_stamp, 8},
	};
	for (size_t c = 0; c < table->column_count; c++) {
		const struct gm_mib_column *column = &table->columns[c];
		assert_non_null(column->get);
		assert_true(c == 0 || column->number > table->columns[c - 1].number);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			if (column->get == sizes[i].get)
				assert_int_equal(column->size, sizes[i].size);
		if (column->get == gm_cell_text)
			assert_in_range(column->size, 16, GM_MIB_BUFFER);
	}
}

static void test_tables_are_sound(void **state)
{
	(void)state;
	for (size_t m = 0; m < GM_MIB_MODULES; m++)
		for (size_t t = 0; t < gm_mib_modules[m].table_count; t++)
			check_sizes(gm_mib_modules[m].tables[t]);
	check_sizes(&gm_mib_notify_table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hostile_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_utf8_is_mended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_is_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_object_and_no_instance, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_at_the_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times_and_ages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_findings_that_are_not_judged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buckets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_series, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_snmpd_inside, setup, teardown),
		cmocka_unit_test(test_tables_are_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
