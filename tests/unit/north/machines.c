/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which changes of guests are told, with which state before: between any two snapshots, at the start of the
 * daemon, for a guest whose state or start is not known yet, for an index that becomes another's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/mib/machines.h"
#include "support/mib/fixture.h"

enum { RUNNING = 1, PAUSED = 3, CRASHED = 6, NOBODY = 0 };

/* What was told, as "event index before; …". */
struct told {
	char text[512];
};

static void tell(void *user, enum gm_machine_event event, const struct gm_machine *machine)
{
	struct told *told = user;
	size_t length = strlen(told->text);
	snprintf(told->text + length, sizeof(told->text) - length, "%d %u %u; ", (int)event,
		 machine->index, machine->state);
}

/* Guests 1, 3, 5 …; the first is in `state`. */
static void compare(struct gm_machines *machines, size_t guests, int state, const char *expected)
{
	struct told told = {{0}};
	struct gm_snapshot *snapshot = fixture_snapshot(guests, 1, 1);
	if (guests)
		snapshot->guests[0].last.items[0].value.gauge = state;
	assert_int_equal(gm_machines_compare(machines, snapshot, tell, &told), 0);
	assert_string_equal(told.text, expected);
	gm_snapshot_destroy(snapshot);
}

static void test_changes(void **state)
{
	(void)state;
	struct gm_machines *machines = gm_machines_create();
	compare(machines, 0, NOBODY, "");
	compare(machines, 2, RUNNING, "1 1 11; 1 3 11; ");
	compare(machines, 2, RUNNING, "");
	compare(machines, 2, PAUSED, "4 1 4; ");
	compare(machines, 2, CRASHED, "9 1 8; ");
	compare(machines, 1, RUNNING, "1 1 12; 3 3 4; 10 3 11; ");
	compare(machines, 3, RUNNING, "1 3 11; 1 5 11; ");
	compare(machines, 0, NOBODY, "3 1 4; 10 1 11; 3 3 4; 10 3 11; 3 5 4; 10 5 11; ");
	gm_machines_free(machines);
}

/* A state that nobody can be told is no change, nor is what cannot be read for a while. */
static void test_state_not_known(void **state)
{
	(void)state;
	struct gm_machines *machines = gm_machines_create();
	compare(machines, 1, 0, ""); /* no state yet: it is waited for */
	compare(machines, 1, RUNNING, "1 1 11; ");
	compare(machines, 1, 0, "");
	compare(machines, 1, 99, "");
	compare(machines, 1, RUNNING, "");
	gm_machines_free(machines);
}

/* Guests that ran before the daemon did have not been started. */
static void test_start_of_the_daemon(void **state)
{
	(void)state;
	struct told told = {{0}};
	struct gm_machines *machines = gm_machines_create();
	struct gm_snapshot *snapshot = fixture_snapshot(2, 1, 1);
	snapshot->guests[0].started_at = snapshot->agent.started_at - GM_SECOND;
	snapshot->guests[1].started_at = 0;
	assert_int_equal(gm_machines_compare(machines, snapshot, tell, &told), 0);
	assert_string_equal(told.text, "");
	snapshot->taken_at +=
		3 * GM_SECOND; /* longer than anybody waits for the time of its start */
	assert_int_equal(gm_machines_compare(machines, snapshot, tell, &told), 0);
	assert_string_equal(told.text, "1 3 11; ");
	told.text[0] = '\0';
	snapshot->guests[0].last.items[0].value.gauge = PAUSED;
	assert_int_equal(gm_machines_compare(machines, snapshot, tell, &told), 0);
	assert_string_equal(told.text, "4 1 4; ");
	gm_snapshot_destroy(snapshot);
	gm_machines_free(machines);
}

static void test_index_becomes_anothers(void **state)
{
	(void)state;
	struct told told = {{0}};
	struct gm_machines *machines = gm_machines_create();
	compare(machines, 1, RUNNING, "1 1 11; ");
	struct gm_snapshot *snapshot = fixture_snapshot(1, 1, 1);
	snapshot->guests[0].uuid[5] = 77;
	assert_int_equal(gm_machines_compare(machines, snapshot, tell, &told), 0);
	assert_string_equal(told.text, "3 1 4; 10 1 11; 1 1 11; ");
	gm_snapshot_destroy(snapshot);
	gm_machines_free(machines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_state_not_known),
		cmocka_unit_test(test_start_of_the_daemon),
		cmocka_unit_test(test_index_becomes_anothers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
