/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounds of what managers can make, on drafts and snapshots made by hand: what the parts of a request
 * before add and take counts, and so does what no snapshot has yet. What a real manager sees of SET is
 * tests/functional/nms/test_set_rows.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "north/mib/agent.h"
#include "north/mib/tables.h"
#include "north/mib/threshold.h"
#include "support/mib/fixture.h"

enum { GUESTS = 4, TRANSACTION = 7, STATUS = 30, NAME = 8 };

struct fixture {
	struct gm_mib mib;
	struct gm_snapshot *snapshot;
	struct gm_mib_view view;
};

static void defaults(struct gm_threshold_row *row)
{
	memset(row, 0, sizeof(*row));
	row->storage = GM_STORAGE_KEPT;
}

static int any_is_whole(const struct gm_threshold_row *row, struct gm_error *err)
{
	(void)row, (void)err;
	return 0;
}

static int start(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->snapshot = fixture_snapshot(GUESTS, 1, 1);
	assert_non_null(fixture->snapshot);
	fixture->mib.host.threshold_defaults = defaults;
	fixture->mib.host.threshold_check = any_is_whole;
	fixture->view.snapshot = fixture->snapshot;
	*state = fixture;
	return 0;
}

static int stop(void **state)
{
	struct fixture *fixture = *state;

	gm_snapshot_destroy(fixture->snapshot);
	free(fixture);
	return 0;
}

/* One variable through all that is asked before a commit. */
static int set(struct fixture *fixture, const uint32_t *id, size_t length, long value)
{
	netsnmp_variable_list variable = {
		.type = ASN_INTEGER, .val.integer = &value, .val_len = sizeof(value)};
	struct gm_mib_change change;
	int error = gm_mib_row_read(&fixture->view, id, length, &variable, &change);

	if (error == SNMP_ERR_NOERROR)
		error = gm_mib_row_keep(&fixture->mib, &fixture->view, TRANSACTION, id, &variable,
					&change);
	return error != SNMP_ERR_NOERROR
		       ? error
		       : gm_mib_row_settle(&fixture->mib, &fixture->view, TRANSACTION, &change);
}

static int set_row(struct fixture *fixture, const char *name, enum gm_row_status status)
{
	uint32_t id[4 + 1 + NAME] = {1, GM_THRESHOLD_ENTRY, 1, STATUS, (uint32_t)strlen(name)};

	for (size_t i = 0; name[i]; i++)
		id[5 + i] = (uint8_t)name[i];
	return set(fixture, id, 5 + strlen(name), status);
}

/* 1: on, 2: off; of the column that says so, or of the one that takes it back. */
static int set_detector(struct fixture *fixture, uint32_t column, uint32_t guest, long value)
{
	const uint32_t id[] = {1, GM_DETECTOR_ENTRY, 1, column, guest, 1};

	return set(fixture, id, sizeof(id) / sizeof(id[0]), value);
}

/* The changes are committed; the view is what a reader is shown now. */
static struct gm_snapshot *commit(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->mib.set_count; i++)
		gm_mib_row_commit(&fixture->mib, &fixture->mib.sets[i].change);
	fixture->mib.set_count = 0;
	struct gm_snapshot *shown = gm_mib_row_overlay(&fixture->mib, fixture->snapshot);
	assert_non_null(shown);
	fixture->view.snapshot = shown;
	return shown;
}

static void switches_are_counted_with_those_before(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < fixture->snapshot->guest_count; i++)
		fixture->snapshot->guests[i].switched_detectors = 0;
	fixture->snapshot->switch_count = GM_SWITCHES_MAX - 1;
	assert_int_equal(set_detector(fixture, GM_DETECTOR_ENABLED, 1, 2), SNMP_ERR_NOERROR);
	assert_int_equal(set_detector(fixture, GM_DETECTOR_ENABLED, 3, 2),
			 SNMP_ERR_RESOURCEUNAVAILABLE);
	struct gm_snapshot *shown = commit(fixture);
	assert_int_equal(shown->switch_count, GM_SWITCHES_MAX);
	/* No snapshot has it yet: it counts. What is there can be changed and taken back, what is not, too. */
	assert_int_equal(set_detector(fixture, GM_DETECTOR_ENABLED, 3, 2),
			 SNMP_ERR_RESOURCEUNAVAILABLE);
	assert_int_equal(set_detector(fixture, GM_DETECTOR_ORIGIN, 5, 1), SNMP_ERR_NOERROR);
	assert_int_equal(set_detector(fixture, GM_DETECTOR_ORIGIN, 1, 1), SNMP_ERR_NOERROR);
	assert_int_equal(set_detector(fixture, GM_DETECTOR_ENABLED, 3, 1), SNMP_ERR_NOERROR);
	assert_int_equal(set_detector(fixture, GM_DETECTOR_ENABLED, 7, 1),
			 SNMP_ERR_RESOURCEUNAVAILABLE);
	gm_snapshot_destroy(shown);
	shown = commit(fixture);
	assert_int_equal(shown->switch_count, GM_SWITCHES_MAX);
	gm_snapshot_destroy(shown);
}

/* 63 rows of managers, of which files hide some: what is shown is not what is there. */
static void rows_are_counted_with_those_before(void **state)
{
	struct fixture *fixture = *state;

	fixture->snapshot->threshold_count = 0;
	fixture->snapshot->managed_count = GM_THRESHOLDS_MAX - 1;
	assert_int_equal(set_row(fixture, "a", GM_ROW_CREATE_AND_GO), SNMP_ERR_NOERROR);
	assert_int_equal(set_row(fixture, "b", GM_ROW_CREATE_AND_GO), SNMP_ERR_RESOURCEUNAVAILABLE);
	fixture->mib.set_count = 1; /* the refused one is dropped */
	struct gm_snapshot *shown = commit(fixture);
	assert_int_equal(shown->managed_count, GM_THRESHOLDS_MAX);
	assert_int_equal(set_row(fixture, "b", GM_ROW_CREATE_AND_GO), SNMP_ERR_RESOURCEUNAVAILABLE);
	fixture->mib.set_count = 0;
	assert_int_equal(set_row(fixture, "none", GM_ROW_DESTROY), SNMP_ERR_NOERROR);
	assert_int_equal(set_row(fixture, "a", GM_ROW_DESTROY), SNMP_ERR_NOERROR);
	assert_int_equal(set_row(fixture, "b", GM_ROW_CREATE_AND_GO), SNMP_ERR_NOERROR);
	assert_int_equal(set_row(fixture, "c", GM_ROW_CREATE_AND_GO), SNMP_ERR_RESOURCEUNAVAILABLE);
	gm_snapshot_destroy(shown);
}

/* One that the main thread never got is not shown for ever. */
static void what_was_lost_is_shown_no_longer(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_snapshot *snapshot = fixture->snapshot;

	assert_int_equal(set_row(fixture, "lost", GM_ROW_CREATE_AND_GO), SNMP_ERR_NOERROR);
	assert_int_equal(set_row(fixture, "new", GM_ROW_CREATE_AND_GO), SNMP_ERR_NOERROR);
	gm_snapshot_destroy(commit(fixture));
	gm_mib_row_shown(&fixture->mib, snapshot);
	assert_int_equal(fixture->mib.pending_count, 2);
	fixture->mib.pending[0].at -= 11 * GM_SECOND;
	gm_mib_row_shown(&fixture->mib, snapshot);
	assert_int_equal(fixture->mib.pending_count, 1);
	assert_string_equal(fixture->mib.pending[0].change.threshold.name, "new");
	fixture->snapshot->changes = 2;
	gm_mib_row_shown(&fixture->mib, snapshot);
	assert_int_equal(fixture->mib.pending_count, 0);
}

static void a_name_has_no_zero(void **state)
{
	static const uint32_t good[] = {3, 'a', '-', '9'}, zero[] = {1, 0},
			      alias[] = {3, 'a', 0, 'b'}, end[] = {2, 'a', 0}, wide[] = {1, 0x161};
	char name[GM_RULE_NAME];

	(void)state;
	assert_true(gm_mib_threshold_name(good, 4, name));
	assert_string_equal(name, "a-9");
	assert_false(gm_mib_threshold_name(zero, 2, name));
	assert_false(gm_mib_threshold_name(alias, 4, name));
	assert_false(gm_mib_threshold_name(end, 3, name));
	assert_false(gm_mib_threshold_name(wide, 2, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(switches_are_counted_with_those_before, start,
						stop),
		cmocka_unit_test_setup_teardown(rows_are_counted_with_those_before, start, stop),
		cmocka_unit_test_setup_teardown(what_was_lost_is_shown_no_longer, start, stop),
		cmocka_unit_test(a_name_has_no_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
