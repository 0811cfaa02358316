/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What survives a restart: indexes, ids, the journal, the active set, positions of outputs.
 */
#include <errno.h>

#include "fixture.h"

static const int64_t DAY = 86400 * GM_SECOND;

static uint32_t index_of(struct fixture *f, const char *scope, const char *name)
{
	uint32_t index = 0;

	assert_int_equal(gm_state_index(f->state, scope, name, &index, &f->err), 0);
	return index;
}

static void test_indexes(void **state)
{
	struct fixture *f = *state;

	open_state(f);
	assert_int_equal(index_of(f, "guest", "a"), 1);
	assert_int_equal(index_of(f, "guest", "b"), 2);
	assert_int_equal(index_of(f, "if:a", "tap0"), 1);
	assert_int_equal(index_of(f, "guest", "a"), 1);
	reopen_state(f);
	assert_int_equal(index_of(f, "guest", "b"), 2);
	assert_int_equal(index_of(f, "guest", "c"), 3);
	assert_int_equal(index_of(f, "if:a", "tap0"), 1);
}

static void test_retired_indexes(void **state)
{
	struct fixture *f = *state;

	open_state(f);
	index_of(f, "guest", "a");
	index_of(f, "guest", "b");
	index_of(f, "if:a", "tap0");
	index_of(f, "if:a", "tap1");
	assert_int_equal(gm_state_index_retire(f->state, "guest", "a", DAY * 100), 0);
	assert_int_equal(index_of(f, "guest", "c"), 3); /* not within a day */
	assert_int_equal(index_of(f, "guest", "a"), 1); /* its own at any time */
	assert_int_equal(gm_state_index_retire(f->state, "guest", "a", DAY * 100), 0);
	assert_int_equal(gm_state_index_retire(f->state, "guest", "c", DAY * 101 - 1), 0);
	assert_int_equal(index_of(f, "guest", "d"), 4);
	assert_int_equal(gm_state_index_retire(f->state, "guest", "d", DAY * 101 + 1), 0);
	reopen_state(f);
	assert_int_equal(index_of(f, "guest", "e"), 1);   /* a's day is over */
	assert_int_equal(index_of(f, "guest", "a"), 5);   /* a has lost it for good */
	assert_int_equal(index_of(f, "if:a", "tap1"), 1); /* and the interfaces of old a too */
	assert_int_equal(index_of(f, "guest", "c"), 3);
	assert_int_equal(gm_state_index_retire(f->state, "guest", "nobody", DAY), 0);
}

static void test_names_are_data(void **state)
{
	struct fixture *f = *state;

	open_state(f);
	assert_int_equal(index_of(f, "guest", "'; DROP TABLE indexes; --"), 1);
	assert_int_equal(index_of(f, "guest", "%"), 2);
	assert_int_equal(index_of(f, "guest", "x"), 3);
	assert_int_equal(index_of(f, "guest", "%"), 2);
}

static void test_alarm_ids_are_never_given_twice(void **state)
{
	struct fixture *f = *state;
	uint32_t last = 0;
	uint64_t engine;

	open_state(f);
	engine = gm_state_engine(f->state);
	assert_true(engine > 0 && engine <= INT64_MAX);
	for (int start = 0; start < 5; start++) {
		for (int i = 0; i < 300; i++) {
			uint32_t id = gm_state_new_alarm_id(f->state);

			assert_true(id > last);
			last = id;
		}
		reopen_state(f);
	}
	assert_int_equal(last, 1500); /* an orderly end gives back what was reserved */
	assert_int_equal(gm_state_boots(f->state), 6);
	assert_int_equal(gm_state_engine(f->state), engine); /* it is drawn once */
}

struct seen {
	size_t count;
	uint64_t first, last;
	struct gm_alarm alarm;
};

static void see_alarm(void *user, const struct gm_alarm *alarm)
{
	struct seen *seen = user;

	seen->count++;
	seen->alarm = *alarm;
}

static void see_transition(void *user, const struct gm_transition *transition)
{
	struct seen *seen = user;

	if (seen->count++ == 0)
		seen->first = transition->sequence;
	else
		assert_true(transition->sequence == seen->last + 1);
	seen->last = transition->sequence;
	seen->alarm = transition->alarm;
}

static void test_journal_and_active_set(void **state)
{
	struct fixture *f = *state;
	struct gm_transition raise = transition_of(7, GM_TRANSITION_RAISE, 1700000000123456789);
	struct gm_transition change = raise, clear = raise;
	struct seen seen = {0};

	open_state(f);
	assert_int_equal(gm_state_last_sequence(f->state), 0);
	assert_int_equal(gm_state_journal(f->state, &raise, &f->err), 0);
	assert_int_equal(raise.sequence, 1);
	change.kind = GM_TRANSITION_CHANGE;
	change.alarm.severity = GM_SEVERITY_CRITICAL;
	assert_int_equal(gm_state_journal(f->state, &change, &f->err), 0);
	reopen_state(f);
	assert_int_equal(gm_state_last_sequence(f->state), 2);
	assert_int_equal(gm_state_active(f->state, see_alarm, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_memory_equal(&seen.alarm, &change.alarm, sizeof(seen.alarm)); /* every member */
	assert_true(gm_state_new_alarm_id(f->state) > 7);

	clear.kind = GM_TRANSITION_CLEAR;
	clear.alarm.cleared_at = 1700000001000000000;
	assert_int_equal(gm_state_journal(f->state, &clear, &f->err), 0);
	assert_int_equal(clear.sequence, 3);
	reopen_state(f);
	seen = (struct seen){0};
	assert_int_equal(gm_state_active(f->state, see_alarm, &seen), 0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(gm_state_journal_after(f->state, 0, 2, see_transition, &seen), 2);
	assert_int_equal(seen.first, 1);
	assert_int_equal(gm_state_journal_after(f->state, 2, 100, see_transition, &seen), 1);
	assert_int_equal(seen.last, 3);
	assert_int_equal(seen.alarm.cleared_at, clear.alarm.cleared_at);
	assert_int_equal(gm_state_journal_after(f->state, 3, 100, see_transition, &seen), 0);
}

static void test_output_positions(void **state)
{
	struct fixture *f = *state;
	struct gm_transition raise = transition_of(1, GM_TRANSITION_RAISE, 1);
	uint64_t position = 99;
	bool paused = true;

	open_state(f);
	assert_int_equal(gm_state_output_position(f->state, "trap", &position, &paused), 0);
	assert_int_equal(position, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(gm_state_journal(f->state, &raise, &f->err), 0);
	assert_int_equal(gm_state_output_position(f->state, "trap", &position, &paused), 0);
	assert_int_equal(position, 0); /* has still to tell them */
	assert_int_equal(gm_state_output_position(f->state, "webhook", &position, &paused), 0);
	assert_int_equal(position, 5); /* new: starts at the newest */
	assert_int_equal(gm_state_output_delivered(f->state, "trap", 3), 0);
	assert_int_equal(gm_state_output_delivered(f->state, "trap", 2), 0); /* never back */
	reopen_state(f);
	assert_int_equal(gm_state_output_position(f->state, "trap", &position, &paused), 0);
	assert_int_equal(position, 3);
	assert_false(paused);
}

static void test_outputs_are_paused_rewound_and_forgotten(void **state)
{
	struct fixture *f = *state;
	struct gm_transition raise = transition_of(1, GM_TRANSITION_RAISE, 1);
	static const char *const kept[] = {"webhook"};
	uint64_t position;
	bool paused;

	open_state(f);
	assert_int_equal(gm_state_first_sequence(f->state), 0);
	assert_int_equal(gm_state_output_position(f->state, "trap", &position, &paused), 0);
	assert_int_equal(gm_state_output_position(f->state, "webhook", &position, &paused), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(gm_state_journal(f->state, &raise, &f->err), 0);
	assert_int_equal(gm_state_first_sequence(f->state), 1);
	assert_int_equal(gm_state_output_pause(f->state, "webhook", true), 0);
	assert_int_equal(gm_state_output_delivered(f->state, "webhook", 4), 0);
	assert_int_equal(gm_state_output_rewind(f->state, "webhook", 2), 0);
	assert_int_equal(gm_state_outputs_keep(f->state, kept, 1), 0);
	reopen_state(f);
	assert_int_equal(gm_state_output_position(f->state, "webhook", &position, &paused), 0);
	assert_int_equal(position, 2);
	assert_true(paused);
	assert_int_equal(gm_state_output_position(f->state, "trap", &position, &paused), 0);
	assert_int_equal(position, 5); /* as a new one */
}

static void test_journal_is_pruned(void **state)
{
	struct fixture *f = *state;
	struct gm_transition change = transition_of(1, GM_TRANSITION_CHANGE, 1);
	struct seen seen = {0};
	uint64_t position;
	bool paused;

	open_state(f);
	assert_int_equal(gm_state_output_position(f->state, "slow", &position, &paused), 0);
	assert_int_equal(gm_state_output_delivered(f->state, "slow", 0), 0);
	for (int i = 0; i < GM_JOURNAL_KEEP + 600; i++)
		assert_int_equal(gm_state_journal(f->state, &change, &f->err), 0);
	assert_int_equal(gm_state_journal_after(f->state, 0, 1, see_transition, &seen), 1);
	assert_int_equal(seen.first, 1); /* an output has still to deliver it */
	assert_int_equal(gm_state_output_delivered(f->state, "slow", GM_JOURNAL_KEEP + 600), 0);
	for (int i = 0; i < 600; i++)
		assert_int_equal(gm_state_journal(f->state, &change, &f->err), 0);
	seen = (struct seen){0};
	int rows = gm_state_journal_after(f->state, 0, SIZE_MAX / 2, see_transition, &seen);
	assert_true(rows >= GM_JOURNAL_KEEP && rows < GM_JOURNAL_KEEP + 256 + 1);
	assert_int_equal(seen.last, GM_JOURNAL_KEEP + 1200);
}

static void test_creates_its_directory(void **state)
{
	struct fixture *f = *state;
	char inner[128], path[160];
	struct gm_state *opened = NULL;
	struct stat info;

	path_of(f, "inner", inner);
	assert_int_equal(gm_state_open(inner, &opened, &f->err), 0);
	assert_int_equal(stat(inner, &info), 0);
	assert_int_equal(info.st_mode & 0777 & ~0750, 0);
	gm_state_close(opened);
	snprintf(path, sizeof(path), "%s/state.db", inner);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/lock", inner);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(inner), 0);
	path_of(f, "no/such", inner);
	assert_int_equal(gm_state_open(inner, &opened, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no/such"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_indexes),
		TEST(test_retired_indexes),
		TEST(test_names_are_data),
		TEST(test_alarm_ids_are_never_given_twice),
		TEST(test_journal_and_active_set),
		TEST(test_output_positions),
		TEST(test_outputs_are_paused_rewound_and_forgotten),
		TEST(test_journal_is_pruned),
		TEST(test_creates_its_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
