/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many transitions as one transaction: all of them in order, or none, whatever ends it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "fixture.h"

enum { BATCH = 50 };

struct seen {
	uint64_t count, first, last;
	uint32_t newest_id;
	size_t active;
};

static void see_transition(void *user, const struct gm_transition *transition)
{
	struct seen *seen = user;

	if (seen->count++ == 0)
		seen->first = transition->sequence;
	else
		assert_true(transition->sequence == seen->last + 1);
	seen->last = transition->sequence;
	seen->newest_id = transition->alarm.id;
}

static void see_alarm(void *user, const struct gm_alarm *alarm)
{
	(void)alarm;
	((struct seen *)user)->active++;
}

/* Raises of the alarms `id`, `id` + 1 … */
static void make_raises(struct gm_transition batch[BATCH], uint32_t id)
{
	for (uint32_t i = 0; i < BATCH; i++)
		batch[i] = transition_of(id + i, GM_TRANSITION_RAISE, id + i);
}

static void test_order_and_active_set(void **state)
{
	struct fixture *f = *state;
	struct gm_transition batch[BATCH], single = transition_of(1, GM_TRANSITION_CLEAR, 100);
	struct seen seen = {0};

	open_state(f);
	make_raises(batch, 1);
	batch[BATCH - 1] =
		transition_of(7, GM_TRANSITION_CLEAR, 200); /* of one in the same batch */
	assert_int_equal(gm_state_journal_batch(f->state, batch, 0, &f->err), 0);
	assert_int_equal(gm_state_last_sequence(f->state), 0);
	assert_int_equal(gm_state_journal_batch(f->state, batch, BATCH, &f->err), 0);
	for (size_t i = 0; i < BATCH; i++)
		assert_int_equal(batch[i].sequence, i + 1);
	assert_int_equal(gm_state_journal(f->state, &single, &f->err), 0);
	assert_int_equal(single.sequence, BATCH + 1);
	reopen_state(f);
	assert_int_equal(gm_state_journal_after(f->state, 0, 1000, see_transition, &seen),
			 BATCH + 1);
	assert_int_equal(seen.last, BATCH + 1);
	assert_int_equal(seen.newest_id, 1);
	assert_int_equal(gm_state_active(f->state, see_alarm, &seen), 0);
	assert_int_equal(seen.active, BATCH - 3);
}

/* Where the disk is full in the middle of a batch, nothing of it is kept, and it can be tried again. */
static void test_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tight;
	struct gm_transition batch[BATCH];
	struct seen seen = {0};
	uint64_t kept = 0;
	int rc = 0;

	assert_true(sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL) == 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	open_state(f);
	tight = before;
	tight.rlim_cur = 512 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (uint32_t i = 0; i < 100 && rc == 0; i++) {
		make_raises(batch, i * BATCH + 1);
		rc = gm_state_journal_batch(f->state, batch, BATCH, &f->err);
		for (size_t j = 0; j < BATCH; j++)
			assert_int_equal(batch[j].sequence, rc < 0 ? 0 : ++kept);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(rc < 0);
	assert_true(kept >= BATCH);
	assert_true(f->err.text[0] != '\0');
	assert_int_equal(gm_state_last_sequence(f->state), kept);

	assert_int_equal(gm_state_journal_batch(f->state, batch, BATCH, &f->err), 0);
	assert_int_equal(batch[0].sequence, kept + 1);
	reopen_state(f);
	gm_state_journal_after(f->state, 0, 1000000, see_transition, &seen);
	assert_int_equal(seen.first, 1);
	assert_int_equal(seen.last, kept + BATCH);
	gm_state_active(f->state, see_alarm, &seen);
	assert_int_equal(seen.active, kept + BATCH);
}

struct order {
	size_t count;
	uint32_t last;
};

static void see_in_order(void *user, const struct gm_alarm *alarm)
{
	struct order *order = user;

	assert_true(alarm->id > order->last);
	order->last = alarm->id;
	order->count++;
}

/* Many are read by several threads at once: each once, in order, and what cannot be read is skipped. */
static void test_many_active(void **state)
{
	struct fixture *f = *state;
	enum { BATCHES = 120, UNREADABLE = 90 };
	struct gm_transition batch[BATCH];
	struct order order = {0};

	open_state(f);
	for (uint32_t i = 0; i < BATCHES; i++) {
		make_raises(batch, i * BATCH + 1);
		if (i == UNREADABLE) /* no guest has this UUID */
			batch[7].alarm.key = (struct gm_entity_key){.kind = GM_ENTITY_GUEST};
		assert_int_equal(gm_state_journal_batch(f->state, batch, BATCH, &f->err), 0);
		if (i > 0)
			continue;
		assert_int_equal(gm_state_active(f->state, see_in_order, &order), 0);
		assert_int_equal(order.count, BATCH);
	}
	order = (struct order){0};
	assert_int_equal(gm_state_active(f->state, see_in_order, &order), 1);
	assert_int_equal(order.count, BATCHES * BATCH - 1);
	assert_int_equal(order.last, BATCHES * BATCH);
}

static void journal_for_ever(const char *directory, int report)
{
	struct gm_transition batch[BATCH];
	struct gm_state *state;

	if (gm_state_open(directory, &state, NULL) < 0)
		_exit(3);
	for (uint32_t id = 1;; id += BATCH) {
		make_raises(batch, id);
		if (gm_state_journal_batch(state, batch, BATCH, NULL) < 0 ||
		    write(report, &batch[BATCH - 1].sequence, sizeof(batch[0].sequence)) < 0)
			_exit(4);
	}
}

static void test_kill_9(void **state)
{
	struct fixture *f = *state;
	uint64_t reported = kill_in_writing(f, journal_for_ever, 100 * BATCH);
	struct seen seen = {0};

	open_state(f);
	uint64_t last = gm_state_last_sequence(f->state);
	assert_true(last == reported || last == reported + BATCH); /* whole batches */
	gm_state_journal_after(f->state, 0, 10000000, see_transition, &seen);
	assert_int_equal(seen.last, last);
	gm_state_active(f->state, see_alarm, &seen);
	assert_int_equal(seen.active, last);
}

/* However large the batches are, the journal does not outgrow its bound. */
static void test_pruned(void **state)
{
	struct fixture *f = *state;
	enum { LARGE = 4000 };
	struct gm_transition *batch = calloc(LARGE, sizeof(*batch));
	struct seen seen = {0};

	assert_non_null(batch);
	open_state(f);
	for (int round = 0; round < 6; round++) {
		for (uint32_t i = 0; i < LARGE; i++)
			batch[i] = transition_of(1, GM_TRANSITION_CHANGE, i);
		assert_int_equal(gm_state_journal_batch(f->state, batch, LARGE, &f->err), 0);
	}
	free(batch);
	int rows = gm_state_journal_after(f->state, 0, SIZE_MAX / 2, see_transition, &seen);
	assert_int_equal(rows, GM_JOURNAL_KEEP);
	assert_int_equal(seen.last, 6 * LARGE);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_order_and_active_set),
		TEST(test_all_or_nothing),
		TEST(test_many_active),
		TEST(test_kill_9),
		TEST(test_pruned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
