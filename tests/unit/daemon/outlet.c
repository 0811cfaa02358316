/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outlet on a real journal: nothing is told before it is durable, what a full disk holds up comes
 * later in order, and the newest transitions are there after a restart.
 */
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/outlet.h"
#include "support/state_directory.h"
#include "support/state_sql.h"

struct fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_outlet *outlet;
};

static void open_all(struct fixture *fixture)
{
	struct gm_error err = {.text = ""};
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, &err), 0);
	assert_int_equal(gm_outlet_create(fixture->state, &fixture->outlet), 0);
}

static void close_all(struct fixture *fixture)
{
	gm_outlet_free(fixture->outlet);
	gm_state_close(fixture->state);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	/* What the journal fails with is what the test is about: it need not be on the terminal. */
	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(fixture->directory);
	open_all(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	close_all(fixture);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static void raise_one(struct fixture *fixture, uint32_t id)
{
	struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.time = GM_SECOND * id,
		.alarm = {.id = id,
			  .key = gm_entity_node(),
			  .detector = "leak",
			  .severity = GM_SEVERITY_MAJOR},
	};
	snprintf(transition.alarm.metric, sizeof(transition.alarm.metric), "m%u", id);
	gm_outlet_transition(fixture->outlet, &transition);
}

/* The pause after a failure. */
static void wait_for_the_next_try(void)
{
	usleep(1100 * 1000);
}

static void assert_log(const struct fixture *fixture, uint64_t first_sequence, size_t count)
{
	const struct gm_transition *first, *second;
	size_t first_count;
	assert_int_equal(gm_outlet_log(fixture->outlet, &first, &first_count, &second), count);
	for (size_t i = 0; i < count; i++) {
		const struct gm_transition *one =
			i < first_count ? &first[i] : &second[i - first_count];
		assert_int_equal(one->sequence, first_sequence + i);
		assert_int_equal(one->alarm.id, first_sequence + i);
	}
}

static void test_the_newest_are_there_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t total = GM_OUTLET_LOG + 10;
	for (uint32_t id = 1; id <= total; id++)
		raise_one(fixture, id);
	assert_log(fixture, 11, GM_OUTLET_LOG);
	close_all(fixture);
	open_all(fixture);
	assert_log(fixture, 11, GM_OUTLET_LOG);
}

static void test_what_a_full_disk_holds_up_comes_later_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit before, tight;
	sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = 64 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (uint32_t id = 1; id <= 200; id++)
		raise_one(fixture, id);
	uint64_t durable = gm_state_last_sequence(fixture->state);
	assert_true(durable < 200);
	assert_log(fixture, 1, (size_t)durable);
	gm_outlet_tick(fixture->outlet);
	assert_int_equal(gm_state_last_sequence(fixture->state), durable);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	wait_for_the_next_try();
	gm_outlet_tick(fixture->outlet);
	assert_int_equal(gm_state_last_sequence(fixture->state), 200);
	assert_log(fixture, 1, 200);
	assert_int_equal(gm_outlet_lost(fixture->outlet), 0);
	close_all(fixture);
	open_all(fixture);
	assert_log(fixture, 1, 200);
}

static void test_what_is_gathered_is_journalled_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	raise_one(fixture, 1);
	gm_outlet_begin(fixture->outlet);
	for (uint32_t id = 2; id <= 2000; id++)
		raise_one(fixture, id);
	assert_int_equal(gm_state_last_sequence(fixture->state), 1);
	gm_outlet_end(fixture->outlet);
	assert_int_equal(gm_state_last_sequence(fixture->state), 2000);
	assert_log(fixture, 2001 - GM_OUTLET_LOG, GM_OUTLET_LOG);
	raise_one(fixture, 2001);
	assert_int_equal(gm_state_last_sequence(fixture->state), 2001);
}

/* A second with one alarm is the rule: it costs what one alarm does. */
static void test_one_alarm_takes_little(void **state)
{
	struct fixture *fixture = *state;
	struct mallinfo2 before = mallinfo2();
	gm_outlet_begin(fixture->outlet);
	raise_one(fixture, 1);
	struct mallinfo2 after = mallinfo2();
	assert_true(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + (1 << 20));
	gm_outlet_end(fixture->outlet);
	assert_int_equal(gm_state_last_sequence(fixture->state), 1);
}

static void test_more_than_may_wait_is_counted(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit before, tight;
	sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = 64 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	gm_outlet_begin(fixture->outlet);
	for (uint32_t id = 1; id <= GM_OUTLET_PENDING + 5; id++)
		raise_one(fixture, id);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	wait_for_the_next_try();
	gm_outlet_end(fixture->outlet);
	assert_int_equal(gm_outlet_lost(fixture->outlet), 5);
	assert_int_equal(gm_state_last_sequence(fixture->state), GM_OUTLET_PENDING);
	assert_log(fixture, GM_OUTLET_PENDING + 1 - GM_OUTLET_LOG, GM_OUTLET_LOG);
}

/* A raise or a clear that is missed leaves an alarm wrong for ever; a change does not. */
static void test_changes_make_room(void **state)
{
	struct fixture *fixture = *state;
	struct gm_transition change = {
		.kind = GM_TRANSITION_CHANGE,
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak", .metric = "m1"},
	};
	sqlite3 *database = lock_database(fixture->directory);
	gm_outlet_begin(fixture->outlet);
	raise_one(fixture, 1);
	for (int i = 1; i < GM_OUTLET_PENDING / 2; i++)
		gm_outlet_transition(fixture->outlet, &change);
	for (uint32_t id = 2; id <= GM_OUTLET_PENDING / 2 + 100; id++)
		raise_one(fixture, id);
	change.kind = GM_TRANSITION_CLEAR;
	gm_outlet_transition(fixture->outlet, &change);
	assert_in_range(gm_outlet_lost(fixture->outlet), 100, 1000);
	sqlite3_close(database);
	wait_for_the_next_try();
	gm_outlet_end(fixture->outlet);
	assert_int_equal(gm_outlet_raised(fixture->outlet, GM_SEVERITY_MAJOR),
			 GM_OUTLET_PENDING / 2 + 100);
	const struct gm_transition *first, *second;
	size_t first_count, count;
	count = gm_outlet_log(fixture->outlet, &first, &first_count, &second);
	const struct gm_transition *last =
		count > first_count ? &second[count - first_count - 1] : &first[count - 1];
	assert_int_equal(last->kind, GM_TRANSITION_CLEAR);
}

/* They need not wait: the journal can be written. */
static void test_more_than_may_wait_is_gathered(void **state)
{
	struct fixture *fixture = *state;
	gm_outlet_begin(fixture->outlet);
	for (uint32_t id = 1; id <= GM_OUTLET_PENDING + 5; id++)
		raise_one(fixture, id);
	gm_outlet_end(fixture->outlet);
	assert_int_equal(gm_outlet_lost(fixture->outlet), 0);
	assert_int_equal(gm_state_last_sequence(fixture->state), GM_OUTLET_PENDING + 5);
	assert_log(fixture, GM_OUTLET_PENDING + 6 - GM_OUTLET_LOG, GM_OUTLET_LOG);
}

/* The disk is full when some are written, and more come. */
static void test_the_rest_of_a_batch_waits_with_what_comes(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit before, tight;
	sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = 1 << 20;
	gm_outlet_begin(fixture->outlet);
	for (uint32_t id = 1; id <= 4000; id++)
		raise_one(fixture, id);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	gm_outlet_end(fixture->outlet);
	assert_in_range(gm_state_last_sequence(fixture->state), 1, 3999);
	for (uint32_t id = 4001; id <= 7000; id++)
		raise_one(fixture, id);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	wait_for_the_next_try();
	gm_outlet_tick(fixture->outlet);
	assert_int_equal(gm_state_last_sequence(fixture->state), 7000);
	assert_int_equal(gm_outlet_lost(fixture->outlet), 0);
	assert_log(fixture, 7001 - GM_OUTLET_LOG, GM_OUTLET_LOG);
}

/* Each try waits for the lock: who calls once for each batch must not. */
static void test_a_locked_database_does_not_hold_up_the_loop(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *database = lock_database(fixture->directory);
	int64_t begin = gm_clock_monotonic();
	for (uint32_t id = 1; id <= 30; id++) {
		gm_outlet_begin(fixture->outlet);
		raise_one(fixture, id);
		gm_outlet_end(fixture->outlet);
	}
	raise_one(fixture, 31);
	assert_true(gm_clock_monotonic() - begin < 2 * GM_SECOND);
	sqlite3_close(database);
	wait_for_the_next_try();
	gm_outlet_end(fixture->outlet);
	assert_log(fixture, 1, 31);
}

static void test_ids_do_not_wait_for_a_lock_each(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *database = lock_database(fixture->directory);
	int64_t begin = gm_clock_monotonic();
	uint32_t first = gm_state_new_alarm_id(fixture->state);
	for (uint32_t i = 1; i < 2000; i++)
		assert_int_equal(gm_state_new_alarm_id(fixture->state), first + i);
	assert_true(gm_clock_monotonic() - begin < 2 * GM_SECOND);
	sqlite3_close(database);
	close_all(fixture);
	open_all(fixture); /* none is given twice all the same */
	assert_true(gm_state_new_alarm_id(fixture->state) >= first + 2000);
}

static void test_what_waits_at_the_end_is_tried_once_more(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *database = lock_database(fixture->directory);
	raise_one(fixture, 1);
	sqlite3_close(database);
	close_all(fixture);
	open_all(fixture);
	assert_log(fixture, 1, 1);
}

int main(void)
{
#define WITH_OUTLET(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_OUTLET(test_the_newest_are_there_after_a_restart),
		WITH_OUTLET(test_what_a_full_disk_holds_up_comes_later_in_order),
		WITH_OUTLET(test_what_is_gathered_is_journalled_at_the_end),
		WITH_OUTLET(test_one_alarm_takes_little),
		WITH_OUTLET(test_more_than_may_wait_is_counted),
		WITH_OUTLET(test_changes_make_room),
		WITH_OUTLET(test_more_than_may_wait_is_gathered),
		WITH_OUTLET(test_the_rest_of_a_batch_waits_with_what_comes),
		WITH_OUTLET(test_a_locked_database_does_not_hold_up_the_loop),
		WITH_OUTLET(test_ids_do_not_wait_for_a_lock_each),
		WITH_OUTLET(test_what_waits_at_the_end_is_tried_once_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
