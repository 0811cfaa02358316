/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms of guests that are gone: that of a crash stays, through the sweeps of orphans, for an hour; the
 * others go with the guest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/faults.h"
#include "daemon/orphans.h"

#define T0     (INT64_C(1700000000) * GM_SECOND)
#define MINUTE (60 * GM_SECOND)

struct fixture {
	struct gm_alarms *alarms;
	struct gm_entities *entities;
	uint32_t ids;
	size_t raised, cleared;
};

static void on_transition(void *user, struct gm_transition *transition)
{
	struct fixture *fixture = user;
	fixture->raised += transition->kind == GM_TRANSITION_RAISE;
	fixture->cleared += transition->kind == GM_TRANSITION_CLEAR;
}

static uint32_t new_id(void *user)
{
	return ++((struct fixture *)user)->ids;
}

static void open_alarms(struct fixture *fixture, int64_t soak)
{
	const struct gm_alarm_options options = {
		.damping = true, .raise_limit = 10000, .soak = soak};
	const struct gm_alarm_sink sink = {
		.emit = on_transition, .new_id = new_id, .user = fixture};
	gm_alarms_free(fixture->alarms);
	assert_int_equal(gm_alarms_create(&options, &sink, &fixture->alarms), 0);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	assert_int_equal(gm_entities_create(&fixture->entities), 0);
	open_alarms(fixture, 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	gm_alarms_free(fixture->alarms);
	gm_entities_free(fixture->entities);
	free(fixture);
	return 0;
}

static struct gm_entity_key key_of(unsigned guest)
{
	const uint8_t uuid[GM_UUID_SIZE] = {(uint8_t)(guest >> 8), (uint8_t)guest, 1};
	return gm_entity_guest(uuid);
}

static void find(struct fixture *fixture, unsigned guest, const char *metric, int64_t time)
{
	struct gm_finding finding = {.key = key_of(guest),
				     .detector = GM_EVENT_DETECTOR,
				     .active = true,
				     .severity = GM_SEVERITY_CRITICAL,
				     .time = time};
	snprintf(finding.metric, sizeof(finding.metric), "%s", metric);
	assert_int_equal(gm_alarms_finding(fixture->alarms, &finding), 0);
}

static void goes(struct fixture *fixture, unsigned guest, int64_t time)
{
	struct gm_entity_key key = key_of(guest);
	gm_orphans_leave(fixture->alarms, &key, time);
}

static void sweep(struct fixture *fixture, int64_t time)
{
	gm_alarms_tick(fixture->alarms, time);
	assert_int_equal(gm_orphans_end(fixture->alarms, fixture->entities, NULL, true, time), 0);
}

static void a_crash_stays_for_an_hour(void **state)
{
	struct fixture *fixture = *state;
	find(fixture, 1, "guestCrashed", T0);
	find(fixture, 1, "guestDiskError", T0);
	goes(fixture, 1, T0);
	assert_int_equal(fixture->raised, 2);
	assert_int_equal(fixture->cleared, 1);
	sweep(fixture, T0 + 59 * MINUTE);
	assert_int_equal(fixture->cleared, 1);
	sweep(fixture, T0 + 61 * MINUTE);
	assert_int_equal(fixture->cleared, 2);
}

static void a_crash_is_told_after_its_soak(void **state)
{
	struct fixture *fixture = *state;
	open_alarms(fixture, 30 * GM_SECOND);
	find(fixture, 1, "guestCrashed", T0);
	find(fixture, 1, "guestDiskError", T0);
	goes(fixture, 1, T0);
	sweep(fixture, T0 + 10 * GM_SECOND);
	assert_int_equal(fixture->raised, 0);
	sweep(fixture, T0 + 40 * GM_SECOND);
	assert_int_equal(fixture->raised, 1);
	const struct gm_entity_key key = key_of(1);
	assert_non_null(
		gm_alarms_find(fixture->alarms, &key, GM_EVENT_DETECTOR, "guestCrashed", ""));
	assert_int_equal(fixture->cleared, 0);
}

static void they_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	for (unsigned guest = 0; guest < GM_FAULTS_ABSENT + 10; guest++) {
		find(fixture, guest, "guestCrashed", T0 + guest);
		goes(fixture, guest, T0 + guest);
	}
	sweep(fixture, T0 + GM_SECOND);
	assert_int_equal(fixture->cleared, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_crash_stays_for_an_hour, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_is_told_after_its_soak, setup, teardown),
		cmocka_unit_test_setup_teardown(they_are_bounded, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
