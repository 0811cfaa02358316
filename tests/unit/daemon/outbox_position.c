/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox's position and what the journal has: positions that are beyond it, and what an operator
 * has told again.
 */
#include "outbox_fixture.h"

static void test_a_position_beyond_the_journal_is_taken_back(void **state)
{
	struct fixture *fixture = *state;
	journal(fixture, 1, GM_SEVERITY_MAJOR);
	pump(fixture);
	deliver_all(fixture);
	assert_int_equal(gm_state_output_rewind(fixture->state, "o", 50), 0);
	gm_outbox_free(fixture->outbox);
	assert_int_equal(gm_outbox_create(&fixture->setup, fixture->state, &fixture->outbox), 0);
	gm_outbox_attach(fixture->outbox, &fixture->output);
	fixture->output.count = 0;
	assert_int_equal(row_of(fixture).backlog, 0);
	journal(fixture, 2, GM_SEVERITY_MAJOR);
	pump(fixture);
	deliver_all(fixture);
	ASSERT_SENT(fixture, 2);
	assert_int_equal(row_of(fixture).overflowed, 0);
	restart(fixture);
	assert_int_equal(row_of(fixture).position, 2);
}

/* So many, one by one. */
static void tell_each(struct fixture *fixture, uint32_t total)
{
	for (uint32_t id = 1; id <= total; id++) {
		journal(fixture, id, GM_SEVERITY_MAJOR);
		pump(fixture);
		verdict(fixture, id - 1, GM_VERDICT_DELIVERED, 0);
	}
}

/* What comes after a replay is as ever: it is given up after a minute, if that is its expiry. */
static void assert_new_expires(struct fixture *fixture, uint32_t id)
{
	gm_outbox_attach(fixture->outbox, NULL);
	journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	fixture->now += 61 * GM_SECOND;
	pump(fixture);
	assert_int_equal(row_of(fixture).expired, 1);
}

/* Who asks for what is old and long wants it all. */
static void test_a_replay_gives_up_nothing(void **state)
{
	struct fixture *fixture = *state;
	enum { TOTAL = 2 * GM_OUTBOX_WINDOW };
	fixture->setup.options.backlog = 10;
	fixture->setup.options.expiry = 60 * GM_SECOND;
	restart(fixture);
	tell_each(fixture, TOTAL);
	pump(fixture);
	assert_int_equal(row_of(fixture).position, TOTAL);
	fixture->now += 3600 * GM_SECOND;
	fixture->output.count = 0;
	assert_int_equal(gm_outbox_replay(fixture->outbox, 1, NULL), 0);
	pump(fixture);
	deliver_all(fixture);
	assert_int_equal(fixture->output.count, TOTAL);
	assert_int_equal(row_of(fixture).expired + row_of(fixture).overflowed, 0);
	assert_int_equal(row_of(fixture).backlog, 0);
	assert_new_expires(fixture, TOTAL + 1);
}

/* The daemon's end, or another option of the output, in the middle of it changes nothing of that. */
static void test_a_replay_goes_on_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	enum { TOTAL = 100 };
	fixture->setup.options.backlog = 10;
	fixture->setup.options.expiry = 60 * GM_SECOND;
	restart(fixture);
	tell_each(fixture, TOTAL);
	fixture->now += 3600 * GM_SECOND;
	fixture->output.count = 0;
	assert_int_equal(gm_outbox_replay(fixture->outbox, 1, NULL), 0);
	pump(fixture);
	for (size_t i = 0; i < 5; i++) {
		verdict(fixture, i, GM_VERDICT_DELIVERED, 0);
		pump(fixture);
	}
	restart(fixture);
	assert_int_equal(row_of(fixture).position, 5);
	pump(fixture);
	deliver_all(fixture);
	assert_int_equal(fixture->output.count, TOTAL - 5);
	assert_int_equal(row_of(fixture).expired + row_of(fixture).overflowed, 0);
	restart(fixture);
	assert_new_expires(fixture, TOTAL + 1);
}

/* Nor does what is new and too much for the backlog push out what is told again. */
static void test_during_a_replay_only_the_new_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	fixture->setup.options.backlog = 10;
	restart(fixture);
	tell_each(fixture, 20);
	fixture->output.count = 0;
	assert_int_equal(gm_outbox_replay(fixture->outbox, 1, NULL), 0);
	for (uint32_t id = 21; id <= 50; id++)
		journal(fixture, id, GM_SEVERITY_MAJOR);
	pump(fixture);
	pump(fixture);
	deliver_all(fixture);
	assert_int_equal(fixture->output.count, 30);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(fixture->output.sent[i].sequence, i < 20 ? i + 1 : i + 21);
	assert_int_equal(row_of(fixture).overflowed, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_OUTBOX(test_a_position_beyond_the_journal_is_taken_back),
		WITH_OUTBOX(test_a_replay_gives_up_nothing),
		WITH_OUTBOX(test_a_replay_goes_on_after_a_restart),
		WITH_OUTBOX(test_during_a_replay_only_the_new_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
