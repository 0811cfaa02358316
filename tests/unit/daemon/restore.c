/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engine, outlet and state together: what was lost on the way from one to the other is made up for, at once
 * or at the next start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/restore.h"
#include "support/state_directory.h"
#include "support/state_sql.h"

enum { ACTIVE_MAX = GM_OUTLET_PENDING + 100 };
static const int64_t T0 = 1700000000 * GM_SECOND + 123456789;

struct active {
	size_t count;
	struct {
		uint32_t id;
		enum gm_severity severity;
	} list[ACTIVE_MAX];
};

struct fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_outlet *outlet;
	struct gm_alarms *alarms;
	struct gm_outputalarms output_alarms;
	struct active active; /* of the state */
};

static void emit(void *user, struct gm_transition *transition)
{
	gm_outlet_transition(((struct fixture *)user)->outlet, transition);
}

static uint32_t new_id(void *user)
{
	return gm_state_new_alarm_id(((struct fixture *)user)->state);
}

static void start(struct fixture *fixture)
{
	const struct gm_alarm_options options = {.damping = false};
	const struct gm_alarm_sink sink = {.emit = emit, .new_id = new_id, .user = fixture};
	struct gm_error err = {.text = ""};
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, &err), 0);
	assert_int_equal(gm_outlet_create(fixture->state, &fixture->outlet), 0);
	assert_int_equal(gm_alarms_create(&options, &sink, &fixture->alarms), 0);
	assert_int_equal(gm_restore_alarms(fixture->state, fixture->alarms, fixture->outlet,
					   &fixture->output_alarms, &err),
			 0);
}

static void stop(struct fixture *fixture)
{
	gm_alarms_free(fixture->alarms);
	gm_outlet_free(fixture->outlet);
	gm_state_close(fixture->state);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	gm_log_set_level((enum gm_log_level) - 1);
	state_directory_make(fixture->directory);
	start(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	stop(fixture);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static void find(struct fixture *fixture, unsigned which, bool active, enum gm_severity severity)
{
	struct gm_finding finding = {
		.key = gm_entity_node(),
		.detector = "leak",
		.metric = "memory.used",
		.active = active,
		.severity = severity,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_CONGESTION,
		.time = T0 + which,
	};
	snprintf(finding.rule, sizeof(finding.rule), "%u", which);
	assert_int_equal(gm_alarms_finding(fixture->alarms, &finding), 0);
}

static void note_active(void *user, const struct gm_alarm *alarm)
{
	struct active *active = user;
	assert_true(active->count < ACTIVE_MAX);
	active->list[active->count].id = alarm->id;
	active->list[active->count++].severity = alarm->severity;
}

/* What would be there after a crash is what the engine has. */
static void assert_same(struct fixture *fixture)
{
	static struct gm_alarm list[ACTIVE_MAX];
	size_t count = gm_alarms_active(fixture->alarms, list, ACTIVE_MAX);
	fixture->active.count = 0;
	assert_int_equal(gm_state_active(fixture->state, note_active, &fixture->active), 0);
	assert_int_equal(fixture->active.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(fixture->active.list[i].id, list[i].id);
		assert_int_equal(fixture->active.list[i].severity, list[i].severity);
	}
}

static void pass_a_second(struct fixture *fixture)
{
	gm_restore_journal(fixture->state, fixture->alarms, fixture->outlet, T0 + 10 * GM_SECOND);
}

static void note_change(void *user, const struct gm_transition *transition)
{
	if (transition->kind == GM_TRANSITION_CHANGE)
		*(struct gm_transition *)user = *transition;
}

static void test_what_was_lost_is_made_up_for(void **state)
{
	struct fixture *fixture = *state;
	for (unsigned i = 1; i <= 3; i++)
		find(fixture, i, true, GM_SEVERITY_MINOR);
	sqlite3 *database = lock_database(fixture->directory);
	gm_outlet_begin(fixture->outlet);
	for (unsigned i = 0; i < GM_OUTLET_PENDING; i++)
		find(fixture, 100 + i, true, GM_SEVERITY_MINOR);
	find(fixture, 1, false, GM_SEVERITY_MINOR); /* its clear is lost, */
	find(fixture, 2, true, GM_SEVERITY_MAJOR);  /* two changes, */
	find(fixture, 2, true, GM_SEVERITY_CRITICAL);
	find(fixture, 100 + GM_OUTLET_PENDING, true, GM_SEVERITY_MINOR); /* and a raise */
	assert_int_equal(gm_outlet_lost(fixture->outlet), 4);
	gm_outlet_end(fixture->outlet);
	pass_a_second(fixture); /* too early: the journal does not work */
	sqlite3_close(database);
	usleep(1100 * 1000); /* the pause after a failure */
	gm_outlet_tick(fixture->outlet);
	assert_false(gm_outlet_waits(fixture->outlet));
	uint64_t before = gm_state_last_sequence(fixture->state);
	pass_a_second(fixture);
	assert_int_equal(gm_state_last_sequence(fixture->state), before + 3);
	assert_same(fixture);
	/* For an output that begins at major this is the raise: it was told as minor before. */
	struct gm_transition change = {.kind = GM_TRANSITION_RAISE};
	assert_int_equal(gm_state_journal_after(fixture->state, before, 3, note_change, &change),
			 3);
	assert_int_equal(change.kind, GM_TRANSITION_CHANGE);
	assert_int_equal(change.alarm.severity, GM_SEVERITY_CRITICAL);
	assert_int_equal(change.alarm.worst_before, GM_SEVERITY_MINOR);
	assert_int_equal(change.alarm.told_before, GM_SEVERITY_MINOR);
	pass_a_second(fixture); /* once is enough */
	assert_int_equal(gm_state_last_sequence(fixture->state), before + 3);
}

static void test_of_two_of_one_identity_the_newer_stays(void **state)
{
	struct fixture *fixture = *state;
	find(fixture, 1, true, GM_SEVERITY_MINOR);
	find(fixture, 2, true, GM_SEVERITY_MINOR);
	/* As if the clear between the two had been lost. */
	struct gm_transition again = {.kind = GM_TRANSITION_RAISE, .time = T0 + GM_SECOND};
	gm_alarms_active(fixture->alarms, &again.alarm, 1);
	again.alarm.id = gm_state_new_alarm_id(fixture->state);
	again.alarm.raised_at = again.alarm.changed_at = again.time;
	gm_outlet_transition(fixture->outlet, &again);
	uint64_t before = gm_state_last_sequence(fixture->state);
	stop(fixture);
	start(fixture);
	assert_same(fixture);
	assert_int_equal(fixture->active.count, 2);
	assert_int_equal(fixture->active.list[1].id, again.alarm.id);
	assert_int_equal(gm_state_last_sequence(fixture->state), before + 2);
	stop(fixture);
	start(fixture);
	assert_int_equal(gm_state_last_sequence(fixture->state), before + 2);
}

int main(void)
{
#define WITH_ALL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_ALL(test_what_was_lost_is_made_up_for),
		WITH_ALL(test_of_two_of_one_identity_the_newer_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
