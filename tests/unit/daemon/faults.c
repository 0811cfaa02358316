/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libvirt tells of a guest as alarms: each fault is raised by its event and ended by what mends it;
 * what has no such end lapses while the guest runs; an agent is lost only where there was one, and not
 * while the guest boots.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/faults.h"

#define T0     (INT64_C(1700000000) * GM_SECOND)
#define MINUTE (60 * GM_SECOND)

enum { RUNNING = 1, PAUSED = 3, CRASHED = 6 };

struct fixture {
	struct gm_tracked guest;
	struct gm_finding_sink sink;
	int64_t now;
	struct gm_finding last, raised; /* of all, and of those that are active */
	size_t active, over;            /* since forget() */
};

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct fixture *fixture = user;
	assert_string_equal(finding->detector, GM_EVENT_DETECTOR);
	assert_true(gm_entity_equal(&finding->key, &fixture->guest.info.key));
	fixture->active += finding->active;
	fixture->over += !finding->active;
	fixture->last = *finding;
	if (finding->active)
		fixture->raised = *finding;
}

static int setup(void **state)
{
	const struct gm_window_options options = {.samples = 100, .length = 3600 * GM_SECOND};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const uint8_t uuid[GM_UUID_SIZE] = {7};
	assert_non_null(fixture);
	fixture->guest.info.key = gm_entity_guest(uuid);
	assert_int_equal(gm_window_create(&options, &fixture->guest.window), 0);
	fixture->sink = (struct gm_finding_sink){on_finding, fixture};
	fixture->now = T0;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	gm_window_free(fixture->guest.window);
	gm_faults_free(fixture->guest.faults);
	free(fixture);
	return 0;
}

static void on_point(void *user, const struct gm_point *point)
{
	(void)user;
	(void)point;
}

static void set_state(struct fixture *fixture, int number)
{
	struct gm_reading reading = {.metric = GM_METRIC_GUEST_STATE, .value.gauge = number};
	struct gm_frame frame = {.key = fixture->guest.info.key,
				 .measured_at = fixture->now,
				 .read_at = fixture->now,
				 .count = 1};
	assert_int_equal(gm_window_append(fixture->guest.window, &frame, &reading, on_point, NULL),
			 0);
}

static void forget(struct fixture *fixture)
{
	fixture->active = fixture->over = 0;
}

static void happens(struct fixture *fixture, enum gm_guest_event_kind kind, const char *detail)
{
	struct gm_guest_event event = {
		.key = fixture->guest.info.key, .kind = kind, .time = fixture->now};
	gm_text_copy(event.detail, sizeof(event.detail), detail);
	gm_faults_take(&fixture->guest, &event, &fixture->sink);
}

static void pass(struct fixture *fixture, int64_t time)
{
	fixture->now += time;
	gm_faults_evaluate(&fixture->guest, fixture->now, &fixture->sink);
}

static void each_is_raised_and_ended(void **state)
{
	static const struct {
		enum gm_guest_event_kind begins, ends;
		const char *metric;
		enum gm_severity severity;
		enum gm_event_type type;
		enum gm_probable_cause cause;
	} cases[] = {
		{GM_GUEST_CRASHED, GM_GUEST_STARTED, "guestCrashed", GM_SEVERITY_CRITICAL,
		 GM_EVENT_PROCESSING_ERROR, GM_CAUSE_PROGRAM_TERMINATED},
		{GM_GUEST_WATCHDOG, GM_GUEST_REBOOTED, "guestWatchdog", GM_SEVERITY_MAJOR,
		 GM_EVENT_PROCESSING_ERROR, GM_CAUSE_PROGRAM_ERROR},
		{GM_GUEST_IO_ERROR, GM_GUEST_RESUMED, "guestDiskError", GM_SEVERITY_MAJOR,
		 GM_EVENT_PROCESSING_ERROR, GM_CAUSE_RESOURCE_UNAVAILABLE},
		{GM_GUEST_CONTROL_ERROR, GM_GUEST_STOPPED, "guestMonitorBroken", GM_SEVERITY_MAJOR,
		 GM_EVENT_COMMUNICATIONS, GM_CAUSE_COMMUNICATION_FAILURE},
		{GM_GUEST_MEMORY_FAILURE, GM_GUEST_REBOOTED, "guestMemoryFailure",
		 GM_SEVERITY_CRITICAL, GM_EVENT_EQUIPMENT, GM_CAUSE_EQUIPMENT_MALFUNCTION},
	};
	struct fixture *fixture = *state;
	set_state(fixture, PAUSED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		forget(fixture);
		happens(fixture, cases[i].begins, "some detail");
		assert_int_equal(fixture->active, 1);
		assert_string_equal(fixture->raised.metric, cases[i].metric);
		assert_int_equal(fixture->raised.severity, cases[i].severity);
		assert_int_equal(fixture->raised.event_type, cases[i].type);
		assert_int_equal(fixture->raised.cause, cases[i].cause);
		assert_int_equal(fixture->raised.time, fixture->now);
		assert_string_equal(fixture->raised.evidence.contributors, "some detail");
		assert_true(gm_faults_may_hold(&fixture->guest, cases[i].metric));
		pass(fixture, MINUTE);
		assert_int_equal(fixture->active, 2); /* it goes on */
		forget(fixture);
		happens(fixture, cases[i].ends, "");
		assert_true(fixture->over >= 1);
		assert_int_equal(fixture->active, 0);
		pass(fixture, MINUTE);
		assert_int_equal(fixture->active, 0);
	}
}

/* What an event ends is ended, though nobody knows of it any more: the daemon was started anew. */
static void the_end_is_told_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	set_state(fixture, PAUSED);
	assert_true(gm_faults_may_hold(&fixture->guest, "guestDiskError"));
	happens(fixture, GM_GUEST_RESUMED, "");
	assert_true(fixture->over >= 1);
	assert_int_equal(fixture->active, 0);
	fixture->now += GM_SECOND;
	set_state(fixture, RUNNING);
	assert_false(gm_faults_may_hold(&fixture->guest, "guestDiskError"));
	assert_false(gm_faults_may_hold(&fixture->guest, "unheard of"));
}

static void some_lapse_while_the_guest_runs(void **state)
{
	struct fixture *fixture = *state;
	set_state(fixture, PAUSED);
	happens(fixture, GM_GUEST_IO_ERROR, "virtio-disk0 enospc pause");
	pass(fixture, 30 * MINUTE);
	assert_int_equal(fixture->active, 2); /* it waits for somebody */
	set_state(fixture, RUNNING);
	happens(fixture, GM_GUEST_IO_ERROR, "virtio-disk0  report");
	pass(fixture, 9 * MINUTE);
	assert_int_equal(fixture->over, 0);
	happens(fixture, GM_GUEST_IO_ERROR, "virtio-disk0  report");
	pass(fixture, 9 * MINUTE);
	assert_int_equal(fixture->over, 0);
	pass(fixture, 2 * MINUTE);
	assert_int_equal(fixture->over, 1);
	assert_string_equal(fixture->last.metric, "guestDiskError");
	forget(fixture);
	pass(fixture, MINUTE);
	assert_int_equal(fixture->active + fixture->over, 0);
}

static void an_agent_is_lost_where_there_was_one(void **state)
{
	struct fixture *fixture = *state;
	set_state(fixture, RUNNING);
	happens(fixture, GM_GUEST_AGENT_DOWN, "");
	pass(fixture, 10 * MINUTE);
	assert_int_equal(fixture->active, 0);
	/* A reboot. */
	happens(fixture, GM_GUEST_AGENT_UP, "");
	happens(fixture, GM_GUEST_AGENT_DOWN, "");
	pass(fixture, MINUTE);
	happens(fixture, GM_GUEST_AGENT_UP, "");
	pass(fixture, 10 * MINUTE);
	assert_int_equal(fixture->active, 0);
	happens(fixture, GM_GUEST_AGENT_DOWN, "");
	pass(fixture, MINUTE);
	assert_int_equal(fixture->active, 0);
	pass(fixture, 2 * MINUTE);
	assert_int_equal(fixture->active, 1);
	assert_string_equal(fixture->last.metric, "guestAgentLost");
	assert_int_equal(fixture->last.severity, GM_SEVERITY_WARNING);
	forget(fixture);
	happens(fixture, GM_GUEST_AGENT_UP, "");
	assert_true(fixture->over >= 1);
	pass(fixture, 10 * MINUTE);
	assert_int_equal(fixture->active, 0);
}

/* Whatever mended it was not heard. */
static void a_crash_ends_when_the_guest_is_seen_running(void **state)
{
	struct fixture *fixture = *state;
	set_state(fixture, RUNNING);
	happens(fixture, GM_GUEST_CRASHED, "");
	pass(fixture, GM_SECOND);
	assert_int_equal(fixture->active, 2); /* what is known is older than the crash */
	forget(fixture);                      /* with the end of others, whose guest has crashed */
	set_state(fixture, CRASHED);
	pass(fixture, GM_SECOND);
	assert_int_equal(fixture->over, 0);
	set_state(fixture, RUNNING);
	pass(fixture, GM_SECOND);
	assert_int_equal(fixture->over, 1);
	assert_string_equal(fixture->last.metric, "guestCrashed");
	forget(fixture);
	pass(fixture, GM_SECOND);
	assert_int_equal(fixture->active + fixture->over, 0);
}

static void a_clock_set_back_holds_nothing(void **state)
{
	struct fixture *fixture = *state;
	set_state(fixture, RUNNING);
	happens(fixture, GM_GUEST_IO_ERROR, "virtio-disk0  report");
	happens(fixture, GM_GUEST_AGENT_UP, "");
	happens(fixture, GM_GUEST_AGENT_DOWN, "");
	forget(fixture);
	pass(fixture, -600 * MINUTE);
	assert_int_equal(fixture->active, 1); /* it goes on */
	pass(fixture, 3 * MINUTE);
	assert_int_equal(fixture->active, 3); /* the agent is away by now */
	pass(fixture, 8 * MINUTE);
	assert_int_equal(fixture->over, 1);
}

/* The guest goes with its process, and what started it anew may be the first that is heard of it. */
static void a_crash_outlasts_its_guest(void **state)
{
	static const enum gm_guest_event_kind ends[] = {GM_GUEST_STARTED, GM_GUEST_RESUMED,
							GM_GUEST_STOPPED, GM_GUEST_MIGRATED,
							GM_GUEST_UNDEFINED};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct gm_guest_event event = {
			.key = fixture->guest.info.key, .kind = ends[i], .time = fixture->now};
		forget(fixture);
		gm_faults_take_absent(&event, &fixture->sink);
		assert_int_equal(fixture->over, 1);
		assert_string_equal(fixture->last.metric, "guestCrashed");
	}
	struct gm_guest_event other = {
		.key = fixture->guest.info.key, .kind = GM_GUEST_CRASHED, .time = fixture->now};
	forget(fixture);
	gm_faults_take_absent(&other, &fixture->sink);
	assert_int_equal(fixture->active + fixture->over, 0); /* whose alarm would that be */

	struct gm_alarm alarm = {
		.key = fixture->guest.info.key, .detector = GM_EVENT_DETECTOR, .raised_at = T0};
	gm_text_copy(alarm.metric, sizeof(alarm.metric), "guestDiskError");
	assert_false(gm_faults_stays(&alarm));
	assert_false(gm_faults_lasts(&alarm, T0));
	gm_text_copy(alarm.metric, sizeof(alarm.metric), "guestCrashed");
	assert_true(gm_faults_stays(&alarm));
	assert_true(gm_faults_lasts(&alarm, T0 + 59 * MINUTE));
	assert_false(gm_faults_lasts(&alarm, T0 + 61 * MINUTE));
	assert_false(gm_faults_lasts(&alarm, T0 - 61 * MINUTE)); /* the clock was set back */
	alarm.raised_at = 0;
	assert_true(gm_faults_lasts(&alarm, T0)); /* it soaks */
	alarm.suppressed = GM_SUPPRESSION_MAINTENANCE;
	assert_false(gm_faults_lasts(&alarm, T0));
}

/* What is no fault raises nothing. */
static void others_are_nothing(void **state)
{
	struct fixture *fixture = *state;
	for (int kind = 0; kind <= GM_GUEST_EVENTS; kind++) {
		if (kind == GM_GUEST_CRASHED || kind == GM_GUEST_WATCHDOG ||
		    kind == GM_GUEST_IO_ERROR || kind == GM_GUEST_CONTROL_ERROR ||
		    kind == GM_GUEST_MEMORY_FAILURE)
			continue;
		happens(fixture, (enum gm_guest_event_kind)kind, "x");
		pass(fixture, GM_SECOND);
	}
	assert_int_equal(fixture->active, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_raised_and_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_is_told_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(some_lapse_while_the_guest_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(an_agent_is_lost_where_there_was_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_crash_ends_when_the_guest_is_seen_running, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_clock_set_back_holds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_outlasts_its_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(others_are_nothing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
