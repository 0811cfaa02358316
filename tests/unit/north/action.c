/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an action is done: a kind that only counts, on a real journal. What the limits say, what is an occasion and
 * what is not, and what becomes of one whose answer never came.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "north/action.h"
#include "state/action.h"
#include "support/message.h"
#include "support/state_directory.h"
#include "support/state_sql.h"

struct fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_action_options options;
	struct gm_output *output;
	unsigned performed, told;
	bool locks;       /* before the kind answers somebody locks the journal */
	sqlite3 *locking; /* until it is closed */
	enum gm_verdict_kind last;
	struct gm_transition transition;
	struct gm_message message;
};

/* What the kind answers, one after another: a letter each, '-' never. */
static const char *answers;
static struct fixture *current;

struct gm_action {
	struct gm_action_host host;
};

static int create(const struct gm_action_ops *ops, const void *options,
		  const struct gm_action_host *host, struct gm_action **ret_action,
		  struct gm_error *err)
{
	(void)ops, (void)options, (void)err;
	*ret_action = calloc(1, sizeof(**ret_action));
	assert_non_null(*ret_action);
	(*ret_action)->host = *host;
	return 0;
}

static bool name(const struct gm_action *action, const struct gm_alarm *alarm, char *text,
		 size_t size)
{
	(void)action;
	snprintf(text, size, "count");
	return strcmp(alarm->rule, "nothing") != 0;
}

static void perform(struct gm_action *action, const struct gm_message *message)
{
	(void)message;
	current->performed++;
	char letter = *answers != '\0' ? *answers++ : 't';
	if (letter == '-')
		return;
	if (current->locks)
		current->locking = lock_database(current->directory);
	current->locks = false;
	const struct gm_action_answer answer = {
		.outcome = letter == 't'   ? GM_ACTION_TAKEN
			   : letter == 'a' ? GM_ACTION_TRY_AGAIN
			   : letter == 'n' ? GM_ACTION_NOT_TAKEN
			   : letter == 'v' ? GM_ACTION_IN_VAIN
					   : GM_ACTION_NOT_KNOWN,
		.text = "so it is",
	};
	action->host.done(action->host.user, &answer);
}

static void close_action(struct gm_action *action)
{
	free(action);
}

static const struct gm_action_ops once = {
	.create = create, .name = name, .perform = perform, .close = close_action};
static const struct gm_action_ops repeatable = {.repeatable = true,
						.create = create,
						.name = name,
						.perform = perform,
						.close = close_action};

static void on_done(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	struct fixture *f = user;
	assert_int_equal(ticket, 7);
	f->told++;
	f->last = verdict->kind;
}

static void begin(struct fixture *f, const struct gm_action_ops *ops)
{
	const struct gm_output_host host = {
		.state = f->state, .name = "act", .node = "node1", .done = on_done, .user = f};
	assert_int_equal(gm_action_create(ops, &f->options, &host, &f->output, NULL), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(f->directory);
	assert_int_equal(gm_state_open(f->directory, &f->state, NULL), 0);
	f->options = (struct gm_action_options){.limit = 3,
						.interval = 100 * GM_SECOND,
						.again_after = 10 * GM_SECOND,
						.max_age = 60 * GM_SECOND};
	answers = "";
	current = f;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	if (f->output)
		gm_action_close(f->output);
	gm_state_close(f->state);
	state_directory_remove(f->directory);
	free(f);
	return 0;
}

/* A raise of an alarm of its own, `age` ago, of a guest of that number (0: of the node). */
static void make(struct fixture *f, uint32_t alarm, uint8_t guest, int64_t age)
{
	f->message = gm_test_message(&f->transition);
	f->message.sent_at = gm_clock_now();
	f->transition.kind = GM_TRANSITION_RAISE;
	f->transition.sequence = 100 + alarm;
	f->transition.time = f->message.sent_at - age;
	f->transition.alarm.id = alarm;
	f->transition.alarm.cleared_at = f->transition.alarm.ended_at = 0;
	f->transition.alarm.news = GM_NEWS_CONDITION;
	f->transition.alarm.suppressed = GM_SUPPRESSION_NONE;
	memset(f->transition.alarm.guest, guest, GM_UUID_SIZE);
}

/* What the journal says of it; "none". */
static const char *journal(struct fixture *f)
{
	static struct gm_action_row row;
	if (gm_state_action_get(f->state, "act", f->transition.sequence, &row) < 0)
		return "none";
	return gm_action_state_name(row.state);
}

static const char *deliver(struct fixture *f)
{
	gm_action_send(f->output, &f->message, 7);
	return journal(f);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	begin(f, &once);
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "accepted");
	make(f, 2, 1, 0); /* the same guest */
	assert_string_equal(deliver(f), "withheld");
	make(f, 3, 2, 61 * GM_SECOND);
	assert_string_equal(deliver(f), "withheld");
	make(f, 4, 2, 0);
	assert_string_equal(deliver(f), "accepted");
	make(f, 5, 0, 0);
	assert_string_equal(deliver(f), "accepted");
	make(f, 6, 3, 0); /* one too many */
	assert_string_equal(deliver(f), "withheld");
	assert_int_equal(f->performed, 3);
	assert_int_equal(f->told, 6);
	assert_int_equal(f->last, GM_VERDICT_DELIVERED);
}

static void test_occasions(void **state)
{
	struct fixture *f = *state;
	snprintf(f->options.rules, sizeof(f->options.rules), "hard-*, !hard-ware");
	begin(f, &once);
	static const char *const rules[] = {"soft", "hard-ware", ""};
	for (size_t i = 0; i < 3; i++) {
		make(f, 1, 1, 0);
		snprintf(f->transition.alarm.rule, GM_RULE_NAME, "%s", rules[i]);
		assert_string_equal(deliver(f), "none");
	}
	for (int i = 0; i < 5; i++) {
		make(f, 1, 1, 0);
		snprintf(f->transition.alarm.rule, GM_RULE_NAME, "hard-1");
		if (i == 0)
			f->transition.kind = GM_TRANSITION_CLEAR;
		else if (i == 1)
			f->transition.alarm.news = GM_NEWS_ACKNOWLEDGED;
		else if (i == 2)
			f->transition.alarm.suppressed = GM_SUPPRESSION_MAINTENANCE;
		else if (i == 3)
			f->transition.alarm.ended_at = 1;
		assert_string_equal(deliver(f), i < 4 ? "none" : "accepted");
	}
	/* It changes: once for an alarm. */
	f->transition.sequence++;
	f->transition.kind = GM_TRANSITION_CHANGE;
	assert_string_equal(deliver(f), "none");
	assert_int_equal(f->performed, 1);
	assert_int_equal(f->told, 9);
}

static void test_dry(void **state)
{
	struct fixture *f = *state;
	f->options.dry_run = true;
	begin(f, &once);
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "dry-run");
	make(f, 2, 1, 0);
	assert_string_equal(deliver(f), "withheld"); /* as it would be */
	assert_int_equal(f->performed, 0);
}

static void test_answers(void **state)
{
	struct fixture *f = *state;
	begin(f, &once);
	answers = "aant";
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "decided");
	assert_int_equal(f->last, GM_VERDICT_RETRY);
	assert_string_equal(deliver(f), "decided");
	assert_string_equal(deliver(f), "refused");
	assert_int_equal(f->last, GM_VERDICT_REFUSED);
	assert_string_equal(deliver(f), "accepted");
	assert_string_equal(deliver(f),
			    "accepted"); /* the outbox gives it again: nothing is done */
	assert_int_equal(f->performed, 4);
	answers = "v";
	make(f, 2, 2, 0);
	assert_string_equal(deliver(f), "refused");
	assert_int_equal(f->last, GM_VERDICT_DELIVERED);
	answers = "u";
	make(f, 3, 3, 0);
	assert_string_equal(deliver(f), "unsure");
	assert_int_equal(f->last, GM_VERDICT_DELIVERED);
}

/* The output ends (with the daemon, say) before the answer came. */
static void ends_without(struct fixture *f, const struct gm_action_ops *ops)
{
	begin(f, ops);
	answers = "-";
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "sent");
	assert_int_equal(f->told, 0);
	gm_action_close(f->output);
	begin(f, ops);
	assert_string_equal(journal(f), "unsure");
	deliver(f);
	assert_int_equal(f->told, 1);
	assert_int_equal(f->last, GM_VERDICT_DELIVERED);
}

static void test_not_done_twice(void **state)
{
	struct fixture *f = *state;
	ends_without(f, &once);
	assert_string_equal(journal(f), "unsure");
	assert_int_equal(f->performed, 1);
	make(f, 2, 1, 0);
	assert_string_equal(deliver(f), "withheld"); /* it counts */
}

static void test_one_that_may_be_repeated(void **state)
{
	struct fixture *f = *state;
	ends_without(f, &repeatable);
	assert_string_equal(journal(f), "accepted");
	assert_int_equal(f->performed, 2);
}

/* Whatever its later attempts come to: the first one may have been taken, and counts. */
static void test_doubt_stays(void **state)
{
	struct fixture *f = *state;
	begin(f, &repeatable);
	answers = "uan";
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "unsure");
	assert_int_equal(f->last, GM_VERDICT_RETRY);
	assert_string_equal(deliver(f), "unsure");
	assert_int_equal(f->last, GM_VERDICT_RETRY);
	make(f, 2, 1, 0);
	assert_string_equal(deliver(f), "withheld");
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "unsure");
	assert_int_equal(f->last, GM_VERDICT_REFUSED);
	make(f, 1, 1, 61 * GM_SECOND); /* too late for a further attempt */
	assert_string_equal(deliver(f), "unsure");
	assert_int_equal(f->last, GM_VERDICT_DELIVERED);
	assert_int_equal(f->performed, 3);
	f->options.dry_run = true;
	gm_action_close(f->output);
	begin(f, &repeatable);
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "unsure");
}

static void test_what_was_tried_in_vain_is_withheld(void **state)
{
	struct fixture *f = *state;
	begin(f, &once);
	make(f, 1, 1, 61 * GM_SECOND);
	assert_string_equal(deliver(f), "withheld");
	answers = "a";
	make(f, 1, 1, 0);
	f->transition.sequence++; /* it became worse */
	assert_string_equal(deliver(f), "decided");
	f->transition.time -= 61 * GM_SECOND;
	assert_string_equal(deliver(f), "withheld");
}

/* The outbox has given its message up, and says so to nobody. */
static void test_what_was_given_up_is_withheld(void **state)
{
	struct fixture *f = *state;
	begin(f, &once);
	for (uint32_t alarm = 1; alarm <= 2; alarm++) {
		answers = "a";
		make(f, alarm, 1, 0);
		if (alarm == 1)
			f->message.sent_at = f->transition.time -= 600 * GM_SECOND;
		assert_string_equal(deliver(f), "decided");
	}
	gm_action_tick(f->output, NULL, gm_clock_now());
	assert_string_equal(journal(f), "decided"); /* its time is not over */
	make(f, 1, 1, 0);
	assert_string_equal(journal(f), "withheld");
	struct gm_action_row row;
	assert_int_equal(gm_state_action_get(f->state, "act", f->transition.sequence, &row), 0);
	assert_string_equal(row.answer, "it could not be done within max-age; last: so it is");
}

/* Nothing is done while the journal cannot be read, and nothing is lost. */
static void test_unreadable_journal(void **state)
{
	struct fixture *f = *state;
	begin(f, &once);
	make(f, 1, 1, 0);
	run_sql(f->directory, "ALTER TABLE actions RENAME TO away");
	deliver(f);
	assert_int_equal(f->last, GM_VERDICT_RETRY);
	assert_int_equal(f->performed, 0);
	run_sql(f->directory, "ALTER TABLE away RENAME TO actions");
	assert_string_equal(deliver(f), "accepted");
	assert_int_equal(f->performed, 1);
}

static void unlock(struct fixture *f)
{
	assert_non_null(f->locking);
	sqlite3_close(f->locking);
	f->locking = NULL;
}

/* It was certainly not taken, but the journal could not be told: it is tried again, not taken for done. */
static void test_what_the_journal_could_not_be_told(void **state)
{
	struct fixture *f = *state;
	begin(f, &once);
	answers = "at";
	f->locks = true;
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "sent");
	assert_int_equal(f->last, GM_VERDICT_RETRY);
	assert_string_equal(deliver(f), "sent");
	assert_int_equal(f->last, GM_VERDICT_RETRY);
	assert_int_equal(f->performed, 1);
	unlock(f);
	assert_string_equal(deliver(f), "accepted");
	assert_int_equal(f->last, GM_VERDICT_DELIVERED);
	assert_int_equal(f->performed, 2);
	/* The outbox does not give again what was taken: time alone brings it into the journal. */
	f->locks = true;
	make(f, 2, 2, 0);
	assert_string_equal(deliver(f), "sent");
	assert_int_equal(f->last, GM_VERDICT_DELIVERED);
	unlock(f);
	gm_action_tick(f->output, NULL, gm_clock_now());
	assert_string_equal(journal(f), "accepted");
	/* Or the end of the output. */
	answers = "a";
	f->locks = true;
	make(f, 3, 3, 0);
	assert_string_equal(deliver(f), "sent");
	unlock(f);
	gm_action_close(f->output);
	f->output = NULL;
	assert_string_equal(journal(f), "decided");
}

/* Nor could it when the output began, what is left of the time before. */
static void test_what_is_left_of_before(void **state)
{
	struct fixture *f = *state;
	begin(f, &once);
	answers = "-";
	make(f, 1, 1, 0);
	assert_string_equal(deliver(f), "sent");
	f->locking = lock_database(f->directory);
	gm_action_close(f->output);
	begin(f, &once);
	gm_action_tick(f->output, NULL, gm_clock_now());
	assert_string_equal(journal(f), "sent");
	make(f, 2, 2, 0);
	assert_string_equal(deliver(f), "none");
	assert_int_equal(f->last, GM_VERDICT_RETRY);
	unlock(f);
	gm_action_tick(f->output, NULL, gm_clock_now());
	make(f, 1, 1, 0);
	assert_string_equal(journal(f), "unsure");
	make(f, 2, 2, 0);
	assert_string_equal(deliver(f), "accepted");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_limits),
		TEST(test_occasions),
		TEST(test_dry),
		TEST(test_answers),
		TEST(test_not_done_twice),
		TEST(test_one_that_may_be_repeated),
		TEST(test_doubt_stays),
		TEST(test_what_was_tried_in_vain_is_withheld),
		TEST(test_unreadable_journal),
		TEST(test_what_was_given_up_is_withheld),
		TEST(test_what_the_journal_could_not_be_told),
		TEST(test_what_is_left_of_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
