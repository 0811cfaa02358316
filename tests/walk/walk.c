/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the whole tree in-process, without snmpd: against tests/walk/expected for a small snapshot,
 * and, for GET and GETNEXT of random identifiers, against a reference that makes a list of every cell
 * and looks through it from the beginning. Argument: the file of the expected tree.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "north/mib/cells.h"
#include "north/mib/notify.h"
#include "north/mib/scope.h"
#include "north/mib/tree.h"
#include "support/mib/fixture.h"

enum { CELLS_MAX = 1200000 };

static struct gm_mib_view view_of(const struct gm_snapshot *snapshot)
{
	return (struct gm_mib_view){.snapshot = snapshot,
				    .now = FIXTURE_TIME + 1500 * GM_MILLISECOND,
				    .master_started = FIXTURE_TIME - 300 * GM_SECOND};
}

static void let_go(struct gm_snapshot *snapshot)
{
	struct gm_snapshot_slot *slot;
	assert_int_equal(gm_snapshot_slot_create(&slot), 0);
	gm_snapshot_publish(slot, snapshot);
	gm_snapshot_slot_free(slot);
}

static void write_line(struct gm_buffer *text, const struct gm_mib_oid *oid,
		       const struct gm_mib_value *value)
{
	static const char *const types[] = {"integer", "unsigned", "counter64", "octets",
					    "time",    "ticks",    "counter32", "object"};
	for (size_t i = 0; i < oid->length; i++)
		gm_buffer_printf(text, "%s%u", i ? "." : "", oid->id[i]);
	gm_buffer_printf(text, " %s ", types[value->type]);
	if (value->type != GM_MIB_OCTETS && value->type != GM_MIB_TIME &&
	    value->type != GM_MIB_OBJECT)
		gm_buffer_printf(text, "%lld", (long long)value->number);
	for (size_t i = 0; i < value->length / 4 && value->type == GM_MIB_OBJECT; i++)
		gm_buffer_printf(text, ".%u", ((const uint32_t *)value->octets)[i]);
	bool octets = value->type == GM_MIB_OCTETS || value->type == GM_MIB_TIME;
	for (size_t i = 0; octets && i < value->length; i++) {
		bool plain = value->octets[i] > ' ' && value->octets[i] < 127;
		gm_buffer_printf(text, plain ? "%c" : "\\%02x", value->octets[i]);
	}
	gm_buffer_printf(text, "\n");
}

static void test_expected_tree(void **state)
{
	struct gm_snapshot *snapshot = fixture_snapshot(2, 1, 42);
	struct gm_mib_view view = view_of(snapshot);
	struct gm_buffer text = GM_BUFFER_INIT(1 << 20);
	struct gm_mib_oid oid = {0};
	struct gm_mib_value value;
	for (size_t m = 0; m < GM_MIB_MODULES; m++) {
		gm_buffer_printf(&text, "%s\n", gm_mib_modules[m].name);
		oid.length = 0;
		while (gm_mib_next(&gm_mib_modules[m], &view, oid.id, oid.length, &oid, &value))
			write_line(&text, &oid, &value);
	}
	assert_false(text.failed);

	static char expected[1 << 20];
	FILE *file = fopen(*state, "r");
	assert_non_null(file);
	expected[fread(expected, 1, sizeof(expected) - 1, file)] = '\0';
	fclose(file);
	if (strcmp(text.data, expected) != 0)
		fputs(text.data, stderr); /* what there is: compare, then replace the file */
	assert_string_equal(text.data, expected);
	gm_buffer_free(&text);
	let_go(snapshot);
}

/* The reference: every cell that is known, by tables, columns and rows, which is their order. */
struct cells {
	size_t count;
	struct gm_mib_oid *list;
};

static void add_table(struct cells *cells, const struct gm_mib_view *view,
		      const struct gm_mib_table *table)
{
	size_t count = 1;
	uint32_t parts = table->parts ? table->parts : 1;
	const char *first = (const char *)view->snapshot;
	if (table->parts_at)
		memcpy(&parts, first + table->parts_at, sizeof(parts));
	if (table->fixed) {
		first = table->fixed;
		count = table->fixed_count;
	} else if (table->index) {
		memcpy(&count, (const char *)view->snapshot + table->count_at, sizeof(count));
		first += table->rows_at;
		if (!table->embedded)
			memcpy(&first, first, sizeof(first));
	}
	for (size_t c = 0; c < table->column_count; c++) {
		for (size_t i = 0; i < count * parts; i++) {
			struct gm_mib_value value;
			const void *row = first + i / parts * table->row_size;
			if (table->indirect)
				memcpy(&row, row, sizeof(row));
			if (!gm_mib_cell(view, row, (uint32_t)(i % parts), &table->columns[c],
					 &value))
				continue;
			assert_true(cells->count < CELLS_MAX);
			struct gm_mib_oid *oid = &cells->list[cells->count++];
			oid->length = 0;
			for (size_t k = 0; k < table->prefix_length; k++)
				oid->id[oid->length++] = table->prefix[k];
			if (!table->leaf)
				oid->id[oid->length++] = table->columns[c].number;
			if (table->index)
				oid->length += table->index(row, &oid->id[oid->length]);
			else
				oid->id[oid->length++] = 0;
			if (table->parts_at || table->parts)
				oid->id[oid->length++] = table->first_part + (uint32_t)(i % parts);
		}
	}
}

static struct cells all_cells(const struct gm_mib_module *module, const struct gm_mib_view *view)
{
	struct cells cells = {.list = calloc(CELLS_MAX, sizeof(struct gm_mib_oid))};
	assert_non_null(cells.list);
	for (size_t t = 0; t < module->table_count; t++)
		add_table(&cells, view, module->tables[t]);
	for (size_t i = 1; i < cells.count; i++)
		assert_true(gm_mib_compare(cells.list[i - 1].id, cells.list[i - 1].length,
					   cells.list[i].id, cells.list[i].length) < 0);
	return cells;
}

/* xorshift64: the same numbers on every run, so that a failure can be seen again. */
static uint32_t number(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 32);
}

/* An identifier near one that exists, or none at all. */
static size_t invent(const struct cells *cells, uint64_t *seed, uint32_t *id)
{
	size_t length = 0;
	if (cells->count && number(seed) % 4) {
		const struct gm_mib_oid *oid = &cells->list[number(seed) % cells->count];
		length = oid->length;
		memcpy(id, oid->id, sizeof(oid->id));
	}
	switch (number(seed) % 6) {
	case 0:
		return length ? number(seed) % (length + 1) : 0;
	case 1:
		id[length] = number(seed) % 3;
		return length + 1;
	case 2:
		if (length)
			id[number(seed) % length] += number(seed) % 3 - 1;
		return length;
	case 3:
		if (length)
			id[number(seed) % length] = number(seed);
		return length;
	case 4:
		for (length = 0; length < 8; length++)
			id[length] = number(seed) % 12;
		return number(seed) % 9;
	default:
		return length;
	}
}

static void compare_with_reference(const struct gm_mib_module *module,
				   const struct gm_mib_view *view, const struct cells *cells,
				   const uint32_t *id, size_t length)
{
	size_t i = 0;
	int order = -1;
	while (i < cells->count &&
	       (order = gm_mib_compare(cells->list[i].id, cells->list[i].length, id, length)) < 0)
		i++;
	bool there = i < cells->count && order == 0;

	struct gm_mib_value value;
	assert_int_equal(gm_mib_get(module, view, id, length, &value) == GM_MIB_FOUND, there);
	i += there;
	struct gm_mib_oid next;
	bool found = gm_mib_next(module, view, id, length, &next, &value);
	assert_int_equal(found, i < cells->count);
	if (found)
		assert_int_equal(gm_mib_compare(next.id, next.length, cells->list[i].id,
						cells->list[i].length),
				 0);
}

static void try_identifiers(const struct gm_mib_module *modules, const struct gm_mib_view *view,
			    size_t tries)
{
	for (size_t m = 0; m < GM_MIB_MODULES; m++) {
		struct cells cells = all_cells(&modules[m], view);
		uint64_t seed = 88172645463325252;
		for (size_t i = 0; i < tries; i++) {
			uint32_t id[GM_MIB_DEPTH + 8] = {0};
			size_t length = invent(&cells, &seed, id);
			compare_with_reference(&modules[m], view, &cells, id, length);
		}
		free(cells.list);
	}
}

static void property(size_t guests, size_t interfaces, size_t tries)
{
	struct gm_snapshot *snapshot = fixture_snapshot(guests, interfaces, 7);
	assert_non_null(snapshot);
	if (guests > 2)
		snapshot->guests[1].last.count = 0; /* holes in the middle of columns */
	struct gm_mib_view view = view_of(snapshot);
	size_t last = 12345; /* wherever a search begins, it finds the same */
	view.last = &last;
	try_identifiers(gm_mib_modules, &view, tries);
	for (size_t t = 0; t < FIXTURE_TENANTS; t++) {
		struct gm_snapshot *scope = gm_mib_scope(snapshot, fixture_tenants[t]);
		assert_non_null(scope);
		view.snapshot = scope;
		try_identifiers(gm_mib_tenant_modules, &view, tries / 4);
		gm_snapshot_destroy(scope);
	}
	let_go(snapshot);
}

static void test_next_in_empty_tables(void **state)
{
	(void)state;
	property(0, 0, 20000);
}

static void test_next_with_one_row(void **state)
{
	(void)state;
	property(1, 1, 20000);
}

static void test_next_with_many_rows(void **state)
{
	(void)state;
	property(20, 3, 10000);
}

static size_t rows_in(const struct gm_mib_table *table, const struct gm_snapshot *snapshot)
{
	size_t count;
	memcpy(&count, (const char *)snapshot + table->count_at, sizeof(count));
	return count;
}

static const struct gm_mib_table *same_place(const struct gm_mib_module *module,
					     const struct gm_mib_table *wanted)
{
	for (size_t t = 0; t < module->table_count; t++)
		if (memcmp(module->tables[t]->prefix, wanted->prefix, sizeof(wanted->prefix)) == 0)
			return module->tables[t];
	return NULL;
}

/* What tenants see together is what there is of them, table by table; what another's is, nobody else sees. */
static void test_tenants_share_everything(void **state)
{
	(void)state;
	struct gm_snapshot *snapshot = fixture_snapshot(7, 2, 3);
	struct gm_snapshot *scopes[FIXTURE_TENANTS];
	for (size_t t = 0; t < FIXTURE_TENANTS; t++) {
		scopes[t] = gm_mib_scope(snapshot, fixture_tenants[t]);
		assert_non_null(scopes[t]);
	}
	assert_int_equal(scopes[0]->guest_count, 4);
	for (size_t m = 0; m < GM_MIB_MODULES; m++) {
		const struct gm_mib_module *module = &gm_mib_tenant_modules[m];
		for (size_t i = 0; i < module->table_count; i++) {
			const struct gm_mib_table *table = module->tables[i];
			assert_non_null(same_place(&gm_mib_modules[m], table));
			if (!table->index || table->fixed)
				continue;
			size_t all = rows_in(table, snapshot);
			assert_true(all > 0);
			assert_int_equal(rows_in(table, scopes[0]) + rows_in(table, scopes[1]),
					 all);
			assert_true(rows_in(table, scopes[1]) > 0);
		}
	}
	for (size_t i = 0; i < scopes[0]->burst_count; i++)
		assert_string_equal(scopes[0]->bursts[i].finding.evidence.contributors, "");
	struct gm_snapshot *nobody = gm_mib_scope(snapshot, "nobody");
	assert_int_equal(nobody->guest_count + nobody->alarm_count + nobody->burst_count, 0);
	gm_snapshot_destroy(nobody);
	for (size_t t = 0; t < FIXTURE_TENANTS; t++)
		gm_snapshot_destroy(scopes[t]);
	let_go(snapshot);
}

/* Each step goes forward, and the walk is as long as the list. */
static void test_walk_of_ten_thousand_rows(void **state)
{
	(void)state;
	struct gm_snapshot *snapshot = fixture_snapshot(2500, 4, 1);
	assert_non_null(snapshot);
	assert_int_equal(snapshot->interface_count, 10000);
	/* To stay below CELLS_MAX. */
	snapshot->leak_count = snapshot->burst_count = snapshot->packet_burst_count = 0;
	struct gm_mib_view view = view_of(snapshot);
	const struct gm_mib_module *module = &gm_mib_modules[GM_MIB_GUESTMON];
	struct cells cells = all_cells(module, &view);
	struct gm_mib_oid oid = {0};
	struct gm_mib_value value;
	size_t count = 0;
	for (; gm_mib_next(module, &view, oid.id, oid.length, &oid, &value); count++) {
		assert_true(count < cells.count);
		assert_int_equal(gm_mib_compare(oid.id, oid.length, cells.list[count].id,
						cells.list[count].length),
				 0);
	}
	assert_int_equal(count, cells.count);
	free(cells.list);
	let_go(snapshot);
}

/* What a notification's variable is to be in alarmActiveVariableTable: its name, and its value in one column. */
struct variables {
	const struct gm_mib_view *view;
	uint32_t alarm, count;
};

static bool read_variable(const struct variables *of, uint32_t column,
			  struct gm_mib_value *ret_value)
{
	const uint32_t id[] = {1, 2, 3, 1, column, 0, of->alarm, of->count};
	return gm_mib_get(&gm_mib_modules[GM_MIB_ALARM], of->view, id, 8, ret_value) ==
	       GM_MIB_FOUND;
}

static void expect_variable(void *user, const struct gm_mib_oid *oid,
			    const struct gm_mib_value *value)
{
	static const uint8_t columns[] = {[1] = 4, 5, 6, 7, 9, 8, 10, 11}; /* by value type */
	struct variables *of = user;
	struct gm_mib_value seen;
	size_t root = gm_mib_modules[GM_MIB_GUESTMON].root_length;
	of->count++;
	assert_true(read_variable(of, 2, &seen));
	assert_int_equal(seen.length, (root + oid->length) * sizeof(uint32_t));
	assert_memory_equal((const uint32_t *)seen.octets + root, oid->id,
			    oid->length * sizeof(uint32_t));
	assert_true(read_variable(of, 3, &seen));
	uint32_t column = columns[seen.number];
	assert_true(read_variable(of, column, &seen));
	if (value->type == GM_MIB_OCTETS || value->type == GM_MIB_TIME) {
		assert_int_equal(seen.length, value->length);
		assert_memory_equal(seen.octets, value->octets, value->length);
	} else {
		assert_true(seen.number == value->number);
	}
	for (uint32_t other = 4; other <= 12; other++)
		assert_true(other == column || !read_variable(of, other, &seen));
}

/* The variables of an active alarm are those of its notification, after sysUpTime.0 and snmpTrapOID.0. */
static void test_variables_of_alarms(void **state)
{
	(void)state;
	struct gm_snapshot *snapshot = fixture_snapshot(4, 1, 42);
	const struct gm_mib_view view = view_of(snapshot);
	for (size_t i = 0; i < snapshot->alarm_count; i++) {
		struct variables of = {.view = &view, .alarm = snapshot->alarms[i].id, .count = 2};
		/* The log of the fixture has no raise of some: that of others is logged at their place. */
		bool logged = snapshot->log[i].kind == GM_TRANSITION_RAISE;
		struct gm_transition raise = {.sequence = logged ? i + 1 : UINT64_MAX,
					      .time = snapshot->alarms[i].raised_at,
					      .alarm = snapshot->alarms[i]};
		struct gm_mib_value seen;
		gm_mib_notify_transition(&raise,
					 &(struct gm_mib_notify_sink){expect_variable, &of});
		assert_true(of.count > 2 + 16);
		uint32_t last = of.count++;
		assert_false(read_variable(&of, 2, &seen));
		of.count = 2;
		assert_true(read_variable(&of, 10, &seen));
		assert_int_equal(((const uint32_t *)seen.octets)[seen.length / 4 - 1],
				 gm_mib_notification_of(&raise));
		uint32_t id[5 + GM_MIB_INDEX] = {1, 2, 2, 1, 8};
		size_t length = 5 + gm_mib_alarm_index(&raise.alarm, raise.time, id + 5);
		assert_int_equal(
			gm_mib_get(&gm_mib_modules[GM_MIB_ALARM], &view, id, length, &seen),
			GM_MIB_FOUND);
		assert_int_equal(seen.number, last);
	}
	let_go(snapshot);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_expected_tree, argv[1]),
		cmocka_unit_test(test_variables_of_alarms),
		cmocka_unit_test(test_next_in_empty_tables),
		cmocka_unit_test(test_next_with_one_row),
		cmocka_unit_test(test_next_with_many_rows),
		cmocka_unit_test(test_tenants_share_everything),
		cmocka_unit_test(test_walk_of_ten_thousand_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
