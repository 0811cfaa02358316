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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_OUTBOX(test_a_position_beyond_the_journal_is_taken_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
