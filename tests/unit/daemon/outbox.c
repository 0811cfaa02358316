/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox on a real journal, with a driver that does what the test says: order, retries, pauses,
 * bounds, and the position over a restart.
 */
#include "outbox_fixture.h"

static void test_a_new_output_begins_at_the_newest(void **state)
{
	struct fixture *fixture = *state;
	journal(fixture, 1, GM_SEVERITY_MAJOR);
	fixture->setup.name = "later";
	restart(fixture);
	journal(fixture, 2, GM_SEVERITY_MAJOR);
	pump(fixture);
	ASSERT_SENT(fixture, 2);
}

static void test_one_after_the_other(void **state)
{
	struct fixture *fixture = *state;
	for (uint32_t id = 1; id <= 3; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	pump(fixture);
	ASSERT_SENT(fixture, 1);
	assert_string_equal(fixture->output.sent[0].key, "n1/1");
	deliver_all(fixture);
	ASSERT_SENT(fixture, 1, 2, 3);
	struct gm_output_row row = row_of(fixture);
	assert_int_equal(row.delivered, 3);
	assert_int_equal(row.position, 3);
	assert_int_equal(row.backlog, 0);
	assert_int_equal(row.state, GM_OUTPUT_WORKING);
}

static void test_of_one_alarm_never_two_at_a_time(void **state)
{
	struct fixture *fixture = *state;
	become(fixture, &some_ops);
	journal(fixture, 7, GM_SEVERITY_MAJOR);
	journal(fixture, 7, GM_SEVERITY_CRITICAL);
	journal(fixture, 8, GM_SEVERITY_MAJOR);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 3);
	verdict(fixture, 1, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	assert_int_equal(row_of(fixture).position, 0); /* 1 is not done with */
	verdict(fixture, 0, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 3, 2);
	verdict(fixture, 2, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	assert_int_equal(row_of(fixture).position, 3);
}

static void test_what_was_under_way_is_sent_again_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	become(fixture, &some_ops);
	for (uint32_t id = 1; id <= 5; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 2, 3, 4);
	verdict(fixture, 0, GM_VERDICT_DELIVERED, 0);
	verdict(fixture, 2, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	restart(fixture);
	pump(fixture);
	ASSERT_SENT(fixture, 2, 3, 4, 5); /* 3 again, with its key */
	assert_string_equal(fixture->output.sent[1].key, "n1/3");
}

static void test_a_receiver_that_is_away_gets_all_in_order(void **state)
{
	struct fixture *fixture = *state;
	become(fixture, &some_ops);
	for (uint32_t id = 1; id <= 6; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	for (size_t i = 0; i < 4; i++)
		verdict(fixture, i, GM_VERDICT_RETRY, 0);
	pump(fixture);
	assert_int_equal(fixture->output.count, 4);
	assert_int_equal(row_of(fixture).state, GM_OUTPUT_WAITING);
	assert_string_equal(row_of(fixture).error, "why");
	int64_t pauses[6];
	for (int i = 0; i < 6; i++) { /* one message feels the way, each time later */
		pauses[i] = row_of(fixture).next_try_at - fixture->now;
		fixture->now += pauses[i];
		pump(fixture);
		assert_int_equal(fixture->output.count, 5 + i);
		assert_int_equal(fixture->output.sent[4 + i].sequence, 1);
		assert_int_equal(fixture->output.sent[4 + i].attempt, 2 + i);
		verdict(fixture, (size_t)(4 + i), GM_VERDICT_RETRY, 0);
	}
	for (int i = 0; i < 6; i++) /* 1 s, 2 s, 4 s …, up to a quarter less */
		assert_in_range(pauses[i], (GM_SECOND << i) * 3 / 4, GM_SECOND << i);
	fixture->now += 3600 * GM_SECOND;
	pump(fixture);
	size_t first = fixture->output.count - 1;
	verdict(fixture, first, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	for (size_t i = first + 1; i < fixture->output.count; i++) {
		assert_int_equal(fixture->output.sent[i].sequence, i - first + 1);
		verdict(fixture, i, GM_VERDICT_DELIVERED, 0);
		pump(fixture);
	}
	assert_int_equal(row_of(fixture).position, 6);
	assert_int_equal(row_of(fixture).delivered, 6);
	assert_int_equal(row_of(fixture).state, GM_OUTPUT_WORKING);
}

static void test_the_receiver_may_say_how_long(void **state)
{
	struct fixture *fixture = *state;
	journal(fixture, 1, GM_SEVERITY_MAJOR);
	pump(fixture);
	verdict(fixture, 0, GM_VERDICT_RETRY, 17 * GM_SECOND);
	assert_int_equal(row_of(fixture).next_try_at - fixture->now, 17 * GM_SECOND);
	fixture->now += 17 * GM_SECOND;
	pump(fixture);
	verdict(fixture, 1, GM_VERDICT_RETRY, 86400 * GM_SECOND);
	assert_int_equal(row_of(fixture).next_try_at - fixture->now, 3600 * GM_SECOND);
}

/* It is kept although another one that was in flight arrives, or fails without a wish. */
static void test_a_wish_holds_for_all(void **state)
{
	struct fixture *fixture = *state;
	become(fixture, &some_ops);
	for (uint32_t id = 1; id <= 5; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	verdict(fixture, 0, GM_VERDICT_RETRY, 0);
	verdict(fixture, 1, GM_VERDICT_RETRY, 17 * GM_SECOND);
	verdict(fixture, 2, GM_VERDICT_DELIVERED, 0);
	verdict(fixture, 3, GM_VERDICT_RETRY, GM_SECOND);
	assert_int_equal(row_of(fixture).next_try_at - fixture->now, 17 * GM_SECOND);
	fixture->now += 17 * GM_SECOND - 1;
	pump(fixture);
	assert_int_equal(fixture->output.count, 4);
	fixture->now += 1;
	pump(fixture);
	assert_true(fixture->output.count > 4);
}

/* Unless the operator wants it at once. */
static void test_the_operator_overrules_a_wish(void **state)
{
	struct fixture *fixture = *state;
	journal(fixture, 1, GM_SEVERITY_MAJOR);
	pump(fixture);
	verdict(fixture, 0, GM_VERDICT_RETRY, 1000 * GM_SECOND);
	pump(fixture);
	ASSERT_SENT(fixture, 1);
	assert_int_equal(gm_outbox_replay(fixture->outbox, 1, NULL), 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 1);
	verdict(fixture, 1, GM_VERDICT_RETRY, 1000 * GM_SECOND);
	assert_int_equal(gm_outbox_pause(fixture->outbox, true), 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 1);
	assert_int_equal(gm_outbox_pause(fixture->outbox, false), 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 1, 1);
}

static void test_a_refused_message_holds_up_its_alarm_alone(void **state)
{
	struct fixture *fixture = *state;
	fixture->setup.options.refusals = 3;
	become(fixture, &some_ops);
	journal(fixture, 1, GM_SEVERITY_MAJOR);
	journal(fixture, 1, GM_SEVERITY_CRITICAL);
	journal(fixture, 2, GM_SEVERITY_MAJOR);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 3);
	verdict(fixture, 1, GM_VERDICT_DELIVERED, 0);
	verdict(fixture, 0, GM_VERDICT_REFUSED, 0);
	for (size_t i = 2; i < 4; i++) {
		pump(fixture);
		assert_int_equal(fixture->output.count, i);
		fixture->now += 100 * GM_SECOND;
		pump(fixture);
		assert_int_equal(fixture->output.count, i + 1);
		assert_int_equal(fixture->output.sent[i].sequence, 1);
		verdict(fixture, i, GM_VERDICT_REFUSED, 0);
	}
	pump(fixture); /* given up: the next of that alarm */
	assert_int_equal(fixture->output.sent[4].sequence, 2);
	verdict(fixture, 4, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	assert_int_equal(row_of(fixture).refused, 1);
	assert_int_equal(row_of(fixture).delivered, 2);
	assert_int_equal(row_of(fixture).position, 3);
}

static void test_only_what_is_wanted_is_sent(void **state)
{
	struct fixture *fixture = *state;
	fixture->setup.options.severity = 1; /* major */
	restart(fixture);
	journal(fixture, 1, GM_SEVERITY_WARNING);
	journal(fixture, 2, GM_SEVERITY_CRITICAL);
	journal(fixture, 3, GM_SEVERITY_INDETERMINATE);
	pump(fixture);
	ASSERT_SENT(fixture, 2);
	deliver_all(fixture);
	assert_int_equal(row_of(fixture).position, 3);
	assert_int_equal(row_of(fixture).delivered, 1);
}

static void test_patterns_choose_guests_projects_detectors(void **state)
{
	struct gm_output_options options;
	struct gm_transition transition = {
		.kind = GM_TRANSITION_CHANGE,
		.alarm = {.detector = "burst", .severity = GM_SEVERITY_MINOR}};
	(void)state;
	gm_option_defaults(gm_output_option_table, &options);
	assert_true(gm_output_wants(&options, &transition));
	options.changes = false;
	assert_false(gm_output_wants(&options, &transition));
	transition.kind = GM_TRANSITION_CLEAR;
	assert_true(gm_output_wants(&options, &transition));
	snprintf(options.detectors, sizeof(options.detectors), "*, !burst");
	assert_false(gm_output_wants(&options, &transition));
	snprintf(options.detectors, sizeof(options.detectors), "b*");
	snprintf(options.guests, sizeof(options.guests), "web-*");
	assert_false(gm_output_wants(&options, &transition));
	snprintf(options.guests, sizeof(options.guests), "web-*, -");
	assert_true(gm_output_wants(&options, &transition));
	snprintf(transition.alarm.guest_name, sizeof(transition.alarm.guest_name), "web-1");
	snprintf(transition.alarm.project, sizeof(transition.alarm.project), "red");
	snprintf(options.projects, sizeof(options.projects), "blue");
	assert_false(gm_output_wants(&options, &transition));
	snprintf(options.projects, sizeof(options.projects), "r?d");
	assert_true(gm_output_wants(&options, &transition));
}

static void test_too_many_and_too_old_are_given_up_and_counted(void **state)
{
	struct fixture *fixture = *state;
	fixture->setup.options.backlog = 10;
	fixture->setup.options.expiry = 60 * GM_SECOND;
	restart(fixture);
	gm_outbox_attach(fixture->outbox, NULL);
	for (uint32_t id = 1; id <= 400; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	struct gm_output_row row = row_of(fixture);
	assert_int_equal(row.overflowed, 390);
	assert_int_equal(row.position, 390);
	assert_int_equal(row.state, GM_OUTPUT_ABSENT);
	fixture->now += 61 * GM_SECOND;
	journal(fixture, 401, GM_SEVERITY_MAJOR);
	gm_outbox_attach(fixture->outbox, &fixture->output);
	pump(fixture);
	ASSERT_SENT(fixture, 401);
	row = row_of(fixture);
	assert_int_equal(row.overflowed + row.expired, 400);
}

static void test_a_window_is_bounded_however_long_the_backlog(void **state)
{
	struct fixture *fixture = *state;
	for (uint32_t id = 1; id <= 3 * GM_OUTBOX_WINDOW; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	deliver_all(fixture);
	assert_int_equal(fixture->output.count, 3 * GM_OUTBOX_WINDOW);
	for (size_t i = 0; i < fixture->output.count; i++)
		assert_int_equal(fixture->output.sent[i].sequence, i + 1);
	assert_int_equal(row_of(fixture).backlog, 0);
}

static void test_pause_holds_over_a_restart(void **state)
{
	struct fixture *fixture = *state;
	journal(fixture, 1, GM_SEVERITY_MAJOR);
	assert_int_equal(gm_outbox_pause(fixture->outbox, true), 0);
	pump(fixture);
	assert_int_equal(fixture->output.count, 0);
	restart(fixture);
	pump(fixture);
	assert_int_equal(fixture->output.count, 0);
	assert_int_equal(row_of(fixture).state, GM_OUTPUT_PAUSED);
	assert_int_equal(row_of(fixture).backlog, 1);
	assert_int_equal(gm_outbox_pause(fixture->outbox, false), 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1);
}

static void test_replay_tells_again(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	assert_int_equal(gm_outbox_replay(fixture->outbox, 1, &err), -ERANGE);
	for (uint32_t id = 1; id <= 4; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	deliver_all(fixture);
	assert_int_equal(gm_outbox_replay(fixture->outbox, 5, &err), -ERANGE);
	assert_string_equal(err.text, "the journal has the sequence numbers 1 to 4");
	assert_int_equal(gm_outbox_replay(fixture->outbox, 3, &err), 0);
	fixture->output.count = 0;
	restart(fixture); /* it is durable */
	pump(fixture);
	deliver_all(fixture);
	ASSERT_SENT(fixture, 3, 4);
}

static void test_a_replay_waits_for_what_is_under_way(void **state)
{
	struct fixture *fixture = *state;
	for (uint32_t id = 1; id <= 3; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	ASSERT_SENT(fixture, 1);
	assert_int_equal(gm_outbox_replay(fixture->outbox, 2, NULL), 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1); /* the driver has one at a time */
	verdict(fixture, 0, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 2);
	verdict(fixture, 1, GM_VERDICT_DELIVERED, 0);
	pump(fixture);
	ASSERT_SENT(fixture, 1, 2, 3);
}

static void test_what_was_told_is_told_to_its_end(void **state)
{
	struct gm_output_options options;
	struct gm_transition transition = {
		.kind = GM_TRANSITION_CLEAR,
		.alarm = {.severity = GM_SEVERITY_MINOR, .worst = GM_SEVERITY_MAJOR}};
	(void)state;
	gm_option_defaults(gm_output_option_table, &options);
	options.severity = 1; /* major */
	assert_true(gm_output_wants(&options, &transition));
	transition.kind = GM_TRANSITION_CHANGE;
	assert_true(gm_output_wants(&options, &transition));
	transition.alarm.worst = 0;
	assert_false(gm_output_wants(&options, &transition));
	transition.alarm.worst = GM_SEVERITY_MINOR;
	assert_false(gm_output_wants(&options, &transition));
}

static void test_a_verdict_that_comes_twice_or_late_is_ignored(void **state)
{
	struct fixture *fixture = *state;
	journal(fixture, 1, GM_SEVERITY_MAJOR);
	journal(fixture, 2, GM_SEVERITY_MAJOR);
	pump(fixture);
	verdict(fixture, 0, GM_VERDICT_RETRY, 0);
	verdict(fixture, 0, GM_VERDICT_DELIVERED, 0);
	assert_int_equal(row_of(fixture).delivered, 0);
	fixture->now += 2 * GM_SECOND;
	pump(fixture);
	ASSERT_SENT(fixture, 1, 1);
}

static void test_a_driver_that_keeps_the_order_is_given_many(void **state)
{
	struct fixture *fixture = *state;
	become(fixture, &ordered_ops);
	for (int i = 0; i < 20; i++)
		journal(fixture, 1, GM_SEVERITY_MAJOR);
	pump(fixture);
	assert_int_equal(fixture->output.count, 16);
	gm_outbox_done_through(fixture->outbox, 5, fixture->now);
	assert_int_equal(row_of(fixture).position, 5);
	pump(fixture);
	assert_int_equal(fixture->output.count, 20);
	/* The driver ends; what has arrived may still be told, the rest is sent again. */
	gm_outbox_attach(fixture->outbox, NULL);
	gm_outbox_done_through(fixture->outbox, 18, fixture->now);
	gm_outbox_attach(fixture->outbox, &fixture->output);
	pump(fixture);
	assert_int_equal(fixture->output.count, 22);
	assert_int_equal(fixture->output.sent[20].sequence, 19);
}

static void test_records_that_cannot_be_read_hold_up_nothing(void **state)
{
	struct fixture *fixture = *state;
	/* No guest has this UUID: its text is refused when the journal is read. */
	struct gm_transition unreadable = {
		.kind = GM_TRANSITION_RAISE,
		.alarm = {.id = 1, .key = {.kind = GM_ENTITY_GUEST}},
	};
	for (int i = 0; i < 40; i++)
		assert_int_equal(gm_state_journal(fixture->state, &unreadable, NULL), 0);
	journal(fixture, 41, GM_SEVERITY_MAJOR);
	for (int i = 0; i < 2 * GM_OUTBOX_WINDOW; i++)
		assert_int_equal(gm_state_journal(fixture->state, &unreadable, NULL), 0);
	pump(fixture);
	ASSERT_SENT(fixture, 41);
	deliver_all(fixture);
	assert_int_equal(row_of(fixture).backlog, 0);
	assert_int_equal(row_of(fixture).overflowed, 40 + 2 * GM_OUTBOX_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_OUTBOX(test_a_new_output_begins_at_the_newest),
		WITH_OUTBOX(test_one_after_the_other),
		WITH_OUTBOX(test_of_one_alarm_never_two_at_a_time),
		WITH_OUTBOX(test_what_was_under_way_is_sent_again_after_a_restart),
		WITH_OUTBOX(test_a_receiver_that_is_away_gets_all_in_order),
		WITH_OUTBOX(test_the_receiver_may_say_how_long),
		WITH_OUTBOX(test_a_wish_holds_for_all),
		WITH_OUTBOX(test_the_operator_overrules_a_wish),
		WITH_OUTBOX(test_a_refused_message_holds_up_its_alarm_alone),
		WITH_OUTBOX(test_only_what_is_wanted_is_sent),
		cmocka_unit_test(test_patterns_choose_guests_projects_detectors),
		WITH_OUTBOX(test_too_many_and_too_old_are_given_up_and_counted),
		WITH_OUTBOX(test_a_window_is_bounded_however_long_the_backlog),
		WITH_OUTBOX(test_pause_holds_over_a_restart),
		WITH_OUTBOX(test_replay_tells_again),
		WITH_OUTBOX(test_a_replay_waits_for_what_is_under_way),
		cmocka_unit_test(test_what_was_told_is_told_to_its_end),
		WITH_OUTBOX(test_a_verdict_that_comes_twice_or_late_is_ignored),
		WITH_OUTBOX(test_a_driver_that_keeps_the_order_is_given_many),
		WITH_OUTBOX(test_records_that_cannot_be_read_hold_up_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
