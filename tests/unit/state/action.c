/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of actions: one row for an output and a transition, over a restart; counted as the limits
 * need it; bounded, and what was done is kept longest.
 */
#include <errno.h>

#include "fixture.h"
#include "state/action.h"

static struct gm_action_row row_of(uint64_t sequence, const char *target, uint32_t alarm,
				   enum gm_action_state state, int64_t time)
{
	struct gm_action_row row = {
		.output = "move",
		.action = "live-migrate",
		.name = "web",
		.detector = "policy",
		.rule = "it's \"hard\"",
		.alarm = alarm,
		.sequence = sequence,
		.state = state,
		.attempts = 1,
		.made_at = time,
		.changed_at = time,
	};
	snprintf(row.target, sizeof(row.target), "%s", target);
	return row;
}

static void put(struct fixture *f, struct gm_action_row row)
{
	if (gm_state_action_put(f->state, &row, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

struct list {
	int count;
	uint64_t first, last;
};

static void collect(void *user, const struct gm_action_row *row)
{
	struct list *list = user;
	if (list->count++ == 0)
		list->first = row->sequence;
	list->last = row->sequence;
}

static struct list list_of(struct fixture *f, const char *output, int64_t since)
{
	struct list list = {0};
	int rows = gm_state_actions(f->state, output, since, collect, &list, &f->err);
	assert_int_equal(rows, list.count);
	return list;
}

static void test_kept(void **state)
{
	struct fixture *f = *state;
	struct gm_action_row row = row_of(7, "a", 1, GM_ACTION_SENT, 100), found;

	open_state(f);
	assert_int_equal(gm_state_action_get(f->state, "move", 7, &found), -ENOENT);
	put(f, row);
	row.state = GM_ACTION_ACCEPTED;
	row.attempts = 3;
	row.changed_at = 200;
	snprintf(row.answer, sizeof(row.answer), "202");
	put(f, row);
	reopen_state(f);
	assert_int_equal(gm_state_action_get(f->state, "other", 7, &found), -ENOENT);
	assert_int_equal(gm_state_action_get(f->state, "move", 7, &found), 0);
	assert_int_equal(found.state, GM_ACTION_ACCEPTED);
	assert_int_equal(found.attempts, 3);
	assert_int_equal(found.made_at, 100);
	assert_int_equal(found.changed_at, 200);
	assert_string_equal(found.answer, "202");
	assert_string_equal(found.rule, row.rule);
	assert_string_equal(found.target, "a");
	assert_int_equal(list_of(f, "", 0).count, 1);
	assert_int_equal(list_of(f, "move", 99).count, 1);
	assert_int_equal(list_of(f, "move", 100).count, 0);
	assert_int_equal(list_of(f, "other", 0).count, 0);
}

static int64_t count(struct fixture *f, struct gm_action_row row, struct gm_action_query query)
{
	return gm_state_actions_count(f->state, &row, &query);
}

static void test_counted(void **state)
{
	struct fixture *f = *state;
	const unsigned done = 1U << GM_ACTION_ACCEPTED | 1U << GM_ACTION_UNSURE;
	struct gm_action_row other = row_of(4, "a", 4, GM_ACTION_ACCEPTED, 400), found;

	open_state(f);
	put(f, row_of(1, "a", 1, GM_ACTION_ACCEPTED, 100));
	put(f, row_of(2, "b", 2, GM_ACTION_WITHHELD, 200));
	put(f, row_of(3, "b", 3, GM_ACTION_SENT, 300));
	snprintf(other.output, sizeof(other.output), "else");
	put(f, other);
	const struct gm_action_row now = row_of(9, "b", 3, GM_ACTION_DECIDED, 900);
	assert_int_equal(count(f, now, (struct gm_action_query){.states = done}), 1);
	assert_int_equal(count(f, now, (struct gm_action_query){.states = done, .since = 100}), 0);
	assert_int_equal(count(f, now, (struct gm_action_query){.states = done, .target = true}),
			 0);
	/* What was on its way when the output ended may have been done. */
	assert_int_equal(gm_state_actions_interrupted(f->state, "move", 350, "ended"), 0);
	assert_int_equal(count(f, now, (struct gm_action_query){.states = done, .target = true}),
			 1);
	assert_int_equal(count(f, now, (struct gm_action_query){.states = done, .alarm = true}), 1);
	assert_int_equal(count(f, row_of(3, "b", 3, 0, 0),
			       (struct gm_action_query){.states = done, .alarm = true}),
			 0);
	assert_int_equal(gm_state_action_get(f->state, "move", 3, &found), 0);
	assert_int_equal(found.state, GM_ACTION_UNSURE);
	assert_string_equal(found.answer, "ended");
}

static void test_bounded(void **state)
{
	struct fixture *f = *state;
	struct gm_action_row found;
	enum { LAST = GM_ACTIONS_KEEP + 100 };

	open_state(f);
	put(f, row_of(1, "a", 1, GM_ACTION_ACCEPTED, 1));
	for (uint64_t i = 2; i <= LAST; i++)
		put(f, row_of(i, "a", 1, GM_ACTION_WITHHELD, (int64_t)i));
	struct list list = list_of(f, "", 0);
	assert_in_range(list.count, GM_ACTIONS_KEEP, GM_ACTIONS_KEEP + 64);
	assert_int_equal(list.first, 1);
	assert_int_equal(list.last, LAST);
	assert_int_equal(gm_state_action_get(f->state, "move", 6, &found), -ENOENT);
	/* By age. */
	for (uint64_t i = 0; i < 64; i++)
		put(f, row_of(99999 + i, "a", 1, GM_ACTION_DRY, GM_ACTIONS_AGE + 150));
	list = list_of(f, "", 0);
	assert_in_range(list.first, 100, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_counted, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bounded, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
