/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registrations are kept over a restart, replaced under their id, taken back once, and bounded.
 */
#include <errno.h>

#include "fixture.h"

struct list {
	int count;
	char text[256];
};

static void collect(void *user, const char *id, const char *record)
{
	struct list *list = user;
	size_t used = strlen(list->text);
	snprintf(list->text + used, sizeof(list->text) - used, "%s=%s ", id, record);
	list->count++;
}

static void assert_list(struct fixture *f, const char *kind, const char *expected)
{
	struct list list = {0};
	int rows = gm_state_registrations(f->state, kind, collect, &list, &f->err);
	assert_int_equal(rows, list.count);
	assert_string_equal(list.text, expected);
}

static void put(struct fixture *f, const char *kind, const char *id, const char *record)
{
	assert_int_equal(gm_state_registration_put(f->state, kind, id, record, &f->err), 0);
}

static void test_kept(void **state)
{
	struct fixture *f = *state;
	open_state(f);
	put(f, "x", "b", "{}");
	put(f, "x", "a", "1");
	put(f, "y", "a", "other");
	put(f, "x", "b", "2");
	assert_list(f, "x", "a=1 b=2 ");
	gm_state_close(f->state);
	f->state = NULL;
	open_state(f);
	assert_list(f, "x", "a=1 b=2 ");
	assert_int_equal(gm_state_registration_remove(f->state, "x", "a", &f->err), 0);
	assert_int_equal(gm_state_registration_remove(f->state, "x", "a", &f->err), -ENOENT);
	assert_list(f, "x", "b=2 ");
	assert_list(f, "y", "a=other ");
	assert_list(f, "z", "");
}

static void test_bounded(void **state)
{
	struct fixture *f = *state;
	char id[16];
	open_state(f);
	for (int i = 0; i < GM_REGISTRATIONS_KEEP; i++) {
		snprintf(id, sizeof(id), "%d", i);
		put(f, "x", id, "1");
	}
	assert_int_equal(gm_state_registration_put(f->state, "y", "more", "1", &f->err), -ENOSPC);
	/* What is there can still be changed. */
	put(f, "x", "7", "2");
	assert_int_equal(gm_state_registration_remove(f->state, "x", "7", &f->err), 0);
	put(f, "y", "more", "1");
}

static uint64_t position_of(struct fixture *f, const char *output)
{
	uint64_t position = 0;
	bool paused;
	assert_int_equal(gm_state_output_position(f->state, output, &position, &paused), 0);
	return position;
}

static void journal(struct fixture *f, int count)
{
	for (int i = 0; i < count; i++) {
		struct gm_transition change = transition_of(1, GM_TRANSITION_CHANGE, i);
		assert_int_equal(gm_state_journal(f->state, &change, &f->err), 0);
	}
}

/* The face is off for a start: its subscribers go on from where they were. */
static void test_their_outputs_are_not_forgotten(void **state)
{
	struct fixture *f = *state;
	static const char *const kept[] = {"x/a", "file"};
	open_state(f);
	put(f, "x", "a", "1");
	assert_int_equal(position_of(f, "x/a"), 0);
	assert_int_equal(position_of(f, "x/b"), 0);
	assert_int_equal(position_of(f, "file"), 0);
	journal(f, 3);
	assert_int_equal(gm_state_outputs_keep(f->state, kept + 1, 1), 0);
	reopen_state(f);
	assert_int_equal(position_of(f, "x/a"), 0);
	assert_int_equal(position_of(f, "x/b"), 3); /* as a new one: it is nobody's */
	assert_int_equal(gm_state_registration_remove(f->state, "x", "a", &f->err), 0);
	assert_int_equal(gm_state_outputs_keep(f->state, kept + 1, 1), 0);
	reopen_state(f);
	assert_int_equal(position_of(f, "x/a"), 3);
}

/* They may be off for good. */
static void test_the_journal_keeps_nothing_for_one_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	open_state(f);
	put(f, "x", "a", "1");
	assert_int_equal(position_of(f, "x/a"), 0);
	gm_state_journal_retain(f->state, 100, 0);
	journal(f, 600);
	assert_int_equal(gm_state_first_sequence(f->state), 1);
	assert_int_equal(gm_state_outputs_keep(f->state, NULL, 0), 0);
	journal(f, 600);
	assert_true(gm_state_first_sequence(f->state) > 600);
	reopen_state(f);
	assert_int_equal(position_of(f, "x/a"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bounded, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_their_outputs_are_not_forgotten, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_the_journal_keeps_nothing_for_one_that_is_not_there, fixture_setup,
			fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
