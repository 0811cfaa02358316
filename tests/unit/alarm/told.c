/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transition says of the severities that were told before it: outputs judge it by them.
 */
#include "fixture.h"

static void become(struct fixture *f, enum gm_severity severity, int64_t seconds)
{
	struct gm_finding what = finding(1, true, T0 + seconds * GM_SECOND);
	what.severity = severity;
	tell(f, what);
}

static void clear(struct fixture *f, int64_t seconds)
{
	tell(f, finding(1, false, T0 + seconds * GM_SECOND));
	gm_alarms_tick(f->alarms, T0 + (seconds + 4) * GM_SECOND);
	assert_int_equal(f->log[f->count - 1].kind, GM_TRANSITION_CLEAR);
}

static void expect(const struct fixture *f, size_t count, enum gm_severity told_before,
		   enum gm_severity worst_before, enum gm_severity worst)
{
	assert_int_equal(f->count, count);
	assert_int_equal(newest(f)->told_before, told_before);
	assert_int_equal(newest(f)->worst_before, worst_before);
	assert_int_equal(newest(f)->worst, worst);
}

static void test_up_and_down(void **state)
{
	struct fixture *f = *state;
	open_engine(f, &plain);
	become(f, GM_SEVERITY_WARNING, 0);
	expect(f, 1, 0, 0, GM_SEVERITY_WARNING);
	become(f, GM_SEVERITY_CRITICAL, 1);
	expect(f, 2, GM_SEVERITY_WARNING, GM_SEVERITY_WARNING, GM_SEVERITY_CRITICAL);
	become(f, GM_SEVERITY_MINOR, 2);
	expect(f, 3, GM_SEVERITY_CRITICAL, GM_SEVERITY_CRITICAL, GM_SEVERITY_CRITICAL);
	clear(f, 3);
	expect(f, 4, GM_SEVERITY_MINOR, GM_SEVERITY_CRITICAL, GM_SEVERITY_CRITICAL);
	become(f, GM_SEVERITY_WARNING, 20); /* another alarm */
	expect(f, 5, 0, 0, GM_SEVERITY_WARNING);
}

static void test_worst_begins_at_the_raise(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;
	options.soak = 10 * GM_SECOND;
	open_engine(f, &options);
	become(f, GM_SEVERITY_CRITICAL, 0);
	become(f, GM_SEVERITY_WARNING, 5);
	gm_alarms_tick(f->alarms, T0 + 11 * GM_SECOND);
	expect(f, 1, 0, 0, GM_SEVERITY_WARNING);
	clear(f, 20);
	expect(f, 2, GM_SEVERITY_WARNING, GM_SEVERITY_WARNING, GM_SEVERITY_WARNING);
}

static void test_what_comes_while_suppressed_is_not_told(void **state)
{
	struct fixture *f = *state;
	int by_guest[3] = {GM_SUPPRESSION_NONE};
	const struct gm_alarm_judge judge = {.suppression = suppressed_guest, .user = by_guest};
	open_engine(f, &plain);
	gm_alarms_set_judge(f->alarms, &judge);
	become(f, GM_SEVERITY_WARNING, 0);
	by_guest[1] = GM_SUPPRESSION_MAINTENANCE;
	gm_alarms_reassess(f->alarms, T0 + GM_SECOND);
	become(f, GM_SEVERITY_CRITICAL, 2);
	assert_int_equal(f->count, 2);
	const struct gm_alarm_note note = {.author = "me", .text = "x", .time = T0 + 3 * GM_SECOND};
	assert_int_equal(gm_alarms_comment(f->alarms, newest(f)->id, &note, NULL), 0);
	expect(f, 3, GM_SEVERITY_WARNING, GM_SEVERITY_WARNING, GM_SEVERITY_WARNING);
	by_guest[1] = GM_SUPPRESSION_NONE;
	gm_alarms_reassess(f->alarms, T0 + 4 * GM_SECOND);
	expect(f, 4, GM_SEVERITY_CRITICAL, GM_SEVERITY_WARNING, GM_SEVERITY_CRITICAL);
}

static uint32_t number; /* the guest's */

static void describe_numbered(void *user, struct gm_alarm *alarm)
{
	(void)user;
	alarm->guest_index = number;
	memcpy(alarm->guest, alarm->key.uuid, GM_UUID_SIZE);
}

/* The state could not be written when the alarm began: its number came later. */
static void test_a_number_that_comes_later(void **state)
{
	struct fixture *f = *state;
	int by_guest[3] = {GM_SUPPRESSION_NONE};
	const struct gm_alarm_judge judge = {.suppression = suppressed_guest, .user = by_guest};
	const struct gm_alarm_sink sink = {
		.emit = take, .describe = describe_numbered, .new_id = new_id, .user = f};
	struct gm_alarm listed;
	gm_alarms_free(f->alarms);
	assert_int_equal(gm_alarms_create(&plain, &sink, &f->alarms), 0);
	gm_alarms_set_judge(f->alarms, &judge);
	number = 0;
	become(f, GM_SEVERITY_WARNING, 0);
	assert_int_equal(newest(f)->guest_index, 0);
	number = 5;
	gm_alarms_reassess(f->alarms, T0 + GM_SECOND);
	assert_int_equal(f->count, 1); /* that is no news */
	assert_int_equal(gm_alarms_active(f->alarms, &listed, 1), 1);
	assert_int_equal(listed.guest_index, 5);
	clear(f, 2);
	assert_int_equal(newest(f)->guest_index, 5);
}

static void test_restored(void **state)
{
	struct fixture *f = *state;
	open_engine(f, &plain);
	become(f, GM_SEVERITY_MAJOR, 0);
	become(f, GM_SEVERITY_MINOR, 1);
	struct gm_alarm kept = *newest(f), old = kept;
	old.worst = old.told_before = old.worst_before =
		0; /* of a version that did not know of it */
	open_engine(f, &plain);
	assert_int_equal(gm_alarms_restore(f->alarms, &kept), 0);
	become(f, GM_SEVERITY_CRITICAL, 2);
	expect(f, 1, GM_SEVERITY_MINOR, GM_SEVERITY_MAJOR, GM_SEVERITY_CRITICAL);
	open_engine(f, &plain);
	assert_int_equal(gm_alarms_restore(f->alarms, &old), 0);
	become(f, GM_SEVERITY_WARNING, 2);
	expect(f, 1, GM_SEVERITY_MINOR, GM_SEVERITY_MINOR, GM_SEVERITY_MINOR);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_up_and_down),
		TEST(test_worst_begins_at_the_raise),
		TEST(test_what_comes_while_suppressed_is_not_told),
		TEST(test_a_number_that_comes_later),
		TEST(test_restored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
