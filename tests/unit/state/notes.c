/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people said, maintenance that they asked for, and how long the journal is.
 */
#include <errno.h>

#include "base/text.h"
#include "fixture.h"
#include "state/comment.h"
#include "state/maintenance.h"
#include "support/state_sql.h"

struct seen {
	size_t count;
	uint32_t alarm, first, last;
	int64_t time;
	char author[GM_AUTHOR], text[GM_COMMENT];
	struct gm_maintenance_row row;
};

static void see_comment(void *user, const struct gm_comment_row *row)
{
	struct seen *seen = user;

	if (seen->count++ == 0)
		seen->first = row->number;
	seen->alarm = row->alarm;
	seen->last = row->number;
	seen->time = row->time;
	gm_text_copy(seen->author, sizeof(seen->author), row->author);
	gm_text_copy(seen->text, sizeof(seen->text), row->text);
}

static void see_maintenance(void *user, const struct gm_maintenance_row *row)
{
	struct seen *seen = user;

	seen->count++;
	seen->row = *row;
}

static struct gm_transition comment_of(uint32_t id, uint32_t number, enum gm_alarm_news news)
{
	struct gm_transition made = transition_of(id, GM_TRANSITION_CHANGE, 100 + number);

	made.alarm.news = news;
	made.alarm.comments = number;
	made.alarm.commented_at = 100 + number;
	snprintf(made.alarm.commented_by, GM_AUTHOR, "anna");
	snprintf(made.alarm.comment, GM_COMMENT, "'; DROP TABLE comments; -- %u", number);
	return made;
}

static void journal(struct fixture *f, struct gm_transition transition)
{
	assert_int_equal(gm_state_journal(f->state, &transition, &f->err), 0);
}

static void test_comments(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	open_state(f);
	journal(f, transition_of(1, GM_TRANSITION_RAISE, 1));
	journal(f, comment_of(1, 1, GM_NEWS_COMMENTED));
	journal(f, comment_of(1, 2, GM_NEWS_ACKNOWLEDGED));
	journal(f, comment_of(1, 2, GM_NEWS_UNACKNOWLEDGED)); /* brings no other one */
	journal(f, comment_of(1, 2, GM_NEWS_CONDITION));
	journal(f, comment_of(2, 1, GM_NEWS_COMMENTED));
	reopen_state(f);
	assert_int_equal(gm_state_comments(f->state, 1, see_comment, &seen, &f->err), 2);
	assert_int_equal(seen.first, 1);
	assert_int_equal(seen.last, 2);
	assert_int_equal(seen.time, 102);
	assert_string_equal(seen.author, "anna");
	assert_string_equal(seen.text, "'; DROP TABLE comments; -- 2");
	assert_int_equal(gm_state_comments(f->state, 0, see_comment, &seen, &f->err), 3);
	assert_int_equal(gm_state_comments(f->state, 9, see_comment, &seen, &f->err), 0);

	for (uint32_t i = 3; i <= 250; i++)
		journal(f, comment_of(1, i, GM_NEWS_COMMENTED));
	seen = (struct seen){0};
	assert_int_equal(gm_state_comments(f->state, 1, see_comment, &seen, &f->err),
			 GM_COMMENTS_KEEP);
	assert_int_equal(seen.first, 151);
	assert_int_equal(seen.last, 250);
}

/* Comments go with the last that the journal knows of their alarm; not those of active ones. */
static void test_comments_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	open_state(f);
	gm_state_journal_retain(f->state, 1000, 0);
	journal(f, comment_of(1, 1, GM_NEWS_COMMENTED));
	journal(f, comment_of(2, 1, GM_NEWS_COMMENTED)); /* stays active */
	journal(f, transition_of(1, GM_TRANSITION_CLEAR, 110));
	for (int i = 0; i < 1500; i++)
		journal(f, transition_of(3, GM_TRANSITION_CHANGE, 200 + i));
	assert_int_equal(gm_state_comments(f->state, 0, see_comment, &seen, &f->err), 1);
	assert_int_equal(seen.alarm, 2);
}

static void count_one(void *user, const struct gm_transition *transition)
{
	(void)transition;
	++*(size_t *)user;
}

static size_t length(struct fixture *f)
{
	size_t count = 0;

	gm_state_journal_after(f->state, 0, SIZE_MAX / 2, count_one, &count);
	return count;
}

static void test_journal_by_age(void **state)
{
	struct fixture *f = *state;
	uint64_t position;
	bool paused;

	open_state(f);
	gm_state_journal_retain(f->state, 5000, 100 * GM_SECOND);
	for (int i = 0; i < 2000; i++)
		journal(f, transition_of(1, GM_TRANSITION_CHANGE, i * GM_SECOND));
	size_t kept = length(f);
	assert_true(kept >= 100 && kept <= 100 + 256);
	/* On a node where nothing happens, time alone makes it shorter, but not before it was told. */
	assert_int_equal(gm_state_output_position(f->state, "slow", &position, &paused), 0);
	journal(f, transition_of(1, GM_TRANSITION_CHANGE, 2000 * GM_SECOND));
	journal(f, transition_of(1, GM_TRANSITION_CHANGE, 2000 * GM_SECOND));
	gm_state_journal_prune(f->state, 2050 * GM_SECOND);
	assert_int_equal(length(f), 50 + 2);
	gm_state_journal_prune(f->state, 9000 * GM_SECOND);
	assert_int_equal(length(f), 2);
	assert_int_equal(gm_state_output_delivered(f->state, "slow", position + 2), 0);
	gm_state_journal_prune(f->state, 9000 * GM_SECOND);
	assert_int_equal(length(f), 1); /* by the newest the next start knows the numbers */
	reopen_state(f);
	assert_int_equal(gm_state_last_sequence(f->state), 2002);
	journal(f, transition_of(1, GM_TRANSITION_CHANGE, 9000 * GM_SECOND));
	reopen_state(f);
	assert_int_equal(gm_state_last_sequence(f->state), 2003); /* numbers go on */
}

/* As versions that deleted the newest, too, left it behind. */
static void test_numbers_go_on_without_a_journal(void **state)
{
	struct fixture *f = *state;
	uint64_t position;
	bool paused;

	open_state(f);
	assert_int_equal(gm_state_output_position(f->state, "o", &position, &paused), 0);
	for (int i = 0; i < 20; i++)
		journal(f, transition_of(1, GM_TRANSITION_CHANGE, i));
	assert_int_equal(gm_state_output_delivered(f->state, "o", 20), 0);
	run_sql(f->directory, "DELETE FROM journal");
	reopen_state(f);
	assert_int_equal(gm_state_last_sequence(f->state), 20);
	run_sql(f->directory,
		"DELETE FROM outputs;"
		"INSERT INTO actions VALUES (1, 'a', 19, '', '', '', 1, '', '', 1, 1, 1, 1, '')");
	reopen_state(f);
	assert_int_equal(gm_state_last_sequence(f->state), 19);
}

/* The longest record that there can be, all of it escaped, is one that the journal takes. */
static void test_longest_record(void **state)
{
	struct fixture *f = *state;
	struct gm_transition long_one = comment_of(UINT32_MAX, UINT32_MAX, GM_NEWS_COMMENTED);
	struct gm_alarm *alarm = &long_one.alarm;
#define FILL(member) memset(alarm->member, 1, sizeof(alarm->member) - 1)

	FILL(detector);
	FILL(metric);
	FILL(rule);
	FILL(guest_name);
	FILL(project);
	FILL(text);
	FILL(acknowledged_by);
	FILL(commented_by);
	FILL(comment);
	FILL(evidence.contributors);
	FILL(evidence.origin);
	FILL(evidence.unit);
	alarm->acknowledged_at = alarm->ended_at = alarm->cleared_at = INT64_MAX;
	alarm->flaps = alarm->correlation = UINT32_MAX;
	alarm->suppressed = GM_SUPPRESSION_MAINTENANCE;
	for (int i = 0; i < GM_EVIDENCE_COUNT; i++)
		gm_evidence_set(&alarm->evidence, i, -1.2345678901234567e-300);
	open_state(f);
	journal(f, long_one);
	assert_int_equal(length(f), 1);
}

static void test_maintenance(void **state)
{
	struct fixture *f = *state;
	struct gm_maintenance_row row = {.begin = 10, .end = 20, .made_at = 5};
	struct seen seen = {0};
	int64_t id, second;

	snprintf(row.target, sizeof(row.target), "web-*");
	snprintf(row.author, sizeof(row.author), "anna");
	snprintf(row.comment, sizeof(row.comment), "new kernel");
	open_state(f);
	assert_int_equal(gm_state_maintenance_add(f->state, &row, &id, &f->err), 0);
	reopen_state(f);
	assert_int_equal(gm_state_maintenance(f->state, see_maintenance, &seen, &f->err), 1);
	row.id = id;
	assert_memory_equal(&seen.row, &row, sizeof(row));
	assert_int_equal(gm_state_maintenance_remove(f->state, id, &f->err), 0);
	assert_int_equal(gm_state_maintenance_remove(f->state, id, &f->err), -ENOENT);
	for (int i = 0; i < GM_MAINTENANCE_KEEP; i++)
		assert_int_equal(gm_state_maintenance_add(f->state, &row, &second, &f->err), 0);
	assert_true(second >= id + GM_MAINTENANCE_KEEP); /* a number is never given twice */
	assert_int_equal(gm_state_maintenance_add(f->state, &row, &second, &f->err), -ENOSPC);
	assert_true(f->err.text[0] != '\0');
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_comments),       TEST(test_comments_are_forgotten),
		TEST(test_journal_by_age), TEST(test_numbers_go_on_without_a_journal),
		TEST(test_maintenance),    TEST(test_longest_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
