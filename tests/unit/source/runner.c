/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner with a scripted source on its real thread: cadence, missed deadlines, back-off, stop,
 * and a thread that is stuck. Bounds on time are wide: the machine may be busy.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/runner.h"

enum { TICKS = 1024, STATUSES = 128 };

/* The scripted source and all that it and the sink see. The test reads it when the thread is gone. */
struct script {
	struct gm_source base;
	int open_failures; /* how many opens fail before one succeeds */
	int poll_fails_at; /* tick number whose poll fails; 0: none */
	int64_t slow_at, slow_for;
	sem_t *stuck; /* the poll waits here */

	atomic_int opens, polls, quits, closes, destroyed, samples;
	int64_t open_times[64];
	int64_t tick_times[TICKS];
	char thread_name[16];
	struct gm_source_status statuses[STATUSES];
	atomic_int status_count;
};

static void pause_for(int64_t duration)
{
	struct timespec time = {.tv_sec = duration / GM_SECOND, .tv_nsec = duration % GM_SECOND};

	nanosleep(&time, NULL);
}

static int script_open(struct gm_source *source, struct gm_error *err)
{
	struct script *script = (struct script *)source;
	int number = atomic_fetch_add(&script->opens, 1);

	if (number < 64) {
		script->open_times[number] = gm_clock_monotonic();
	}
	pthread_getname_np(pthread_self(), script->thread_name, sizeof(script->thread_name));
	if (number < script->open_failures) {
		return gm_error_set(err, -ECONNREFUSED, "attempt %d refused", number);
	}
	return 0;
}

static int script_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		       uint32_t *ret_entities, struct gm_error *err)
{
	struct script *script = (struct script *)source;
	int number = atomic_fetch_add(&script->polls, 1) + 1;

	assert_true(now > 0);
	if (number <= TICKS) {
		script->tick_times[number - 1] = gm_clock_monotonic();
	}
	if (script->stuck != NULL) {
		sem_wait(script->stuck);
	}
	sink->samples(sink->user, gm_batch_create());
	if (number == script->slow_at) {
		pause_for(script->slow_for);
	}
	if (number == script->poll_fails_at) {
		return gm_error_set(err, -EPIPE, "connection lost");
	}
	*ret_entities = 7;
	return 0;
}

static void script_quit(struct gm_source *source)
{
	atomic_fetch_add(&((struct script *)source)->quits, 1);
}

static void script_close(struct gm_source *source)
{
	atomic_fetch_add(&((struct script *)source)->closes, 1);
}

static void script_destroy(struct gm_source *source)
{
	atomic_fetch_add(&((struct script *)source)->destroyed, 1);
}

static const struct gm_source_ops script_ops = {
	.id = GM_SOURCE_HOST,
	.open = script_open,
	.poll = script_poll,
	.quit = script_quit,
	.close = script_close,
	.destroy = script_destroy,
};

static void sink_samples(void *user, struct gm_batch *batch)
{
	atomic_fetch_add(&((struct script *)user)->samples, 1);
	gm_batch_free(batch);
}

static void sink_status(void *user, const struct gm_source_status *status)
{
	struct script *script = user;
	int number = atomic_fetch_add(&script->status_count, 1);

	if (number < STATUSES) {
		script->statuses[number] = *status;
	}
}

static struct gm_runner *start(struct script *script, int64_t interval)
{
	struct gm_source_sink sink = {
		.samples = sink_samples, .status = sink_status, .user = script};
	struct gm_runner_options options = {.interval = interval, .phase = 3 * GM_MILLISECOND};
	struct gm_runner *runner = NULL;

	script->base.ops = &script_ops;
	assert_int_equal(gm_runner_start(&script->base, &options, &sink, &runner), 0);
	return runner;
}

static const struct gm_source_status *last_status(const struct script *script)
{
	int count = atomic_load(&script->status_count);

	assert_in_range(count, 1, STATUSES);
	return &script->statuses[count - 1];
}

static void wait_for(atomic_int *what, int count)
{
	int64_t limit = gm_clock_monotonic() + 10 * GM_SECOND;

	while (atomic_load(what) < count) {
		assert_true(gm_clock_monotonic() < limit);
		pause_for(GM_MILLISECOND);
	}
}

/* The point of the grid whose tick was polled at `time`. */
static int64_t slot_of(int64_t time)
{
	return (time - 3 * GM_MILLISECOND) / (10 * GM_MILLISECOND);
}

static void ticks_keep_to_the_grid(void **state)
{
	struct script script = {.open_failures = 0};
	struct gm_runner *runner = start(&script, 10 * GM_MILLISECOND);
	int polls;

	(void)state;
	pause_for(1300 * GM_MILLISECOND);
	assert_int_equal(gm_runner_stop(runner, GM_SECOND), 0);
	polls = script.polls;
	assert_true(polls > 20);
	/*
	 * A tick begins at its own point of the grid or after it, so no two share one: no drift. How
	 * late each is depends on the machine.
	 */
	for (int i = 1; i < polls; i++) {
		assert_true(slot_of(script.tick_times[i]) > slot_of(script.tick_times[i - 1]));
	}
	assert_true(script.polls > 60 || last_status(&script)->missed > 0);
	assert_string_equal(script.thread_name, "host");
	assert_int_equal(script.closes, 1);
	assert_int_equal(script.destroyed, 1);
	assert_int_equal(script.samples, polls);
}

static void status_comes_once_a_second(void **state)
{
	struct script script = {.open_failures = 0};
	struct gm_runner *runner = start(&script, 10 * GM_MILLISECOND);
	const struct gm_source_status *status;

	(void)state;
	pause_for(2500 * GM_MILLISECOND);
	assert_int_equal(gm_runner_stop(runner, GM_SECOND), 0);
	assert_in_range(script.status_count, 2, 4);
	status = last_status(&script);
	assert_int_equal(status->id, GM_SOURCE_HOST);
	assert_true(status->connected);
	assert_int_equal(status->interval, 10 * GM_MILLISECOND);
	assert_int_equal(status->entities, 7);
	assert_string_equal(status->error, "");
	assert_true(status->ticks > 50);
	assert_in_range(status->ticks + status->missed, 100, 250);
	assert_true(status->lag_max > 0);
	assert_true(status->duration_p50 > 0);
	assert_true(status->duration_p99 >= status->duration_p50);
	assert_true(status->duration_max >= status->duration_p99);
	assert_int_equal(status->failures, 0);
	assert_int_equal(status->reconnects, 0);
}

static void a_slow_poll_skips_deadlines(void **state)
{
	struct script script = {.slow_at = 3, .slow_for = 550 * GM_MILLISECOND};
	struct gm_runner *runner = start(&script, 100 * GM_MILLISECOND);
	const struct gm_source_status *status;
	int64_t phase;

	(void)state;
	pause_for(2600 * GM_MILLISECOND);
	assert_int_equal(gm_runner_stop(runner, GM_SECOND), 0);
	status = last_status(&script);
	/*
	 * 550 ms from a point of the grid: the points at 100 … 400 are missed, 500 is ticked late; a busy
	 * machine adds some.
	 */
	assert_in_range(status->missed, 4, 12);
	assert_true(status->late >= 1);
	assert_true(script.tick_times[3] - script.tick_times[2] >= 550 * GM_MILLISECOND);
	/* Not caught up in a rush, and back on the grid. */
	assert_true(script.tick_times[5] - script.tick_times[4] > 50 * GM_MILLISECOND);
	phase = script.tick_times[5] % (100 * GM_MILLISECOND);
	assert_in_range(phase, 3 * GM_MILLISECOND, 60 * GM_MILLISECOND);
	assert_true(status->duration_p99 >= 550 * GM_MILLISECOND);
	assert_true(status->duration_p50 < 100 * GM_MILLISECOND);
	assert_true(script.polls < 24);
}

static void open_is_retried_with_backoff(void **state)
{
	struct script script = {.open_failures = 4};
	struct gm_runner *runner = start(&script, 10 * GM_MILLISECOND);
	const int64_t expected[] = {100, 200, 400, 800};
	const struct gm_source_status *status;

	(void)state;
	wait_for(&script.polls, 1);
	assert_int_equal(gm_runner_stop(runner, GM_SECOND), 0);
	assert_int_equal(script.opens, 5);
	for (int i = 0; i < 4; i++) {
		int64_t pause = script.open_times[i + 1] - script.open_times[i];

		assert_true(pause >= expected[i] * GM_MILLISECOND);
		assert_true(pause < expected[i] * GM_MILLISECOND + 500 * GM_MILLISECOND);
	}
	/* While it fails, its status says so with the last sentence. */
	assert_false(script.statuses[0].connected);
	assert_string_equal(script.statuses[0].error, "attempt 0 refused");
	status = last_status(&script);
	assert_true(status->connected);
	assert_int_equal(status->failures, 4);
	assert_int_equal(status->reconnects, 0);
	assert_string_equal(status->error, "");
	assert_int_equal(status->missed, 0);
}

static void stop_does_not_wait_for_backoff_or_interval(void **state)
{
	struct script script = {.open_failures = 1000};
	struct gm_runner *runner = start(&script, GM_SECOND);
	struct script slow = {.open_failures = 0};
	struct gm_runner *rare;
	int64_t before;

	(void)state;
	wait_for(&script.opens, 4); /* the next attempt is 0.8 s away */
	before = gm_clock_monotonic();
	assert_int_equal(gm_runner_stop(runner, 500 * GM_MILLISECOND), 0);
	assert_true(gm_clock_monotonic() - before < 400 * GM_MILLISECOND);
	assert_int_equal(script.closes, 0); /* never opened */
	assert_int_equal(script.destroyed, 1);

	rare = start(&slow, 3600 * GM_SECOND);
	wait_for(&slow.opens, 1);
	before = gm_clock_monotonic();
	while (gm_runner_busy(rare, gm_clock_monotonic()) > 0) {
		assert_true(gm_clock_monotonic() - before < 10 * GM_SECOND);
	}
	before = gm_clock_monotonic();
	assert_int_equal(gm_runner_stop(rare, 500 * GM_MILLISECOND), 0);
	assert_true(gm_clock_monotonic() - before < 400 * GM_MILLISECOND);
	assert_int_equal(slow.polls, 0);
	assert_int_equal(gm_runner_stop(NULL, 0), 0);
}

static void a_failed_poll_reconnects(void **state)
{
	struct script script = {.poll_fails_at = 5};
	struct gm_runner *runner = start(&script, 10 * GM_MILLISECOND);
	bool told = false;

	(void)state;
	wait_for(&script.polls, 10);
	pause_for(1100 * GM_MILLISECOND);
	assert_int_equal(gm_runner_stop(runner, GM_SECOND), 0);
	assert_int_equal(script.opens, 2);
	assert_int_equal(script.closes, 2);
	assert_true(script.open_times[1] - script.tick_times[4] >= 100 * GM_MILLISECOND);
	for (int i = 0; i < script.status_count; i++) {
		const struct gm_source_status *status = &script.statuses[i];

		told = told || (!status->connected && status->entities == 0 &&
				strcmp(status->error, "connection lost") == 0);
	}
	assert_true(told);
	assert_int_equal(last_status(&script)->reconnects, 1);
	assert_int_equal(last_status(&script)->failures, 1);
	assert_true(last_status(&script)->connected);
}

static void a_stuck_thread_is_left_behind(void **state)
{
	static struct script script; /* outlives the test, if the thread should not come back */
	struct gm_runner *runner;
	sem_t stuck;
	int64_t before;

	(void)state;
	assert_int_equal(sem_init(&stuck, 0, 0), 0);
	script.stuck = &stuck;
	runner = start(&script, 10 * GM_MILLISECOND);
	wait_for(&script.polls, 1);
	before = gm_clock_monotonic();
	assert_in_range(gm_runner_busy(runner, before + GM_SECOND), GM_SECOND, 10 * GM_SECOND);
	assert_int_equal(gm_runner_stop(runner, 100 * GM_MILLISECOND), -ETIMEDOUT);
	assert_true(gm_clock_monotonic() - before >= 100 * GM_MILLISECOND);
	assert_true(gm_clock_monotonic() - before < 2 * GM_SECOND);
	assert_int_equal(script.destroyed, 0);
	/*
	 * When it comes back at last, it lets go of its connection, reaches no sink, and leaves nothing:
	 * the runner, too (that is LeakSanitizer's to see).
	 */
	sem_post(&stuck);
	wait_for(&script.destroyed, 1);
	pause_for(50 * GM_MILLISECOND);
	assert_int_equal(script.closes, 1);
	assert_int_equal(script.samples, 0);
	assert_int_equal(script.polls, 1);
	sem_destroy(&stuck);
}

/* What is asked to end first and waited for later has the time between for it. */
static void asked_and_waited_for(void **state)
{
	struct script script = {.slow_at = 1, .slow_for = 200 * GM_MILLISECOND};
	struct gm_runner *runner = start(&script, 10 * GM_MILLISECOND);

	(void)state;
	wait_for(&script.polls, 1);
	assert_int_equal(script.quits, 0);
	gm_runner_quit(runner);
	assert_int_equal(script.quits, 1);
	wait_for(&script.destroyed, 1);
	assert_int_equal(gm_runner_stop(runner, GM_SECOND), 0);
	assert_int_equal(script.quits, 1);
	assert_int_equal(script.polls, 1);
	assert_int_equal(script.closes, 1);
	gm_runner_quit(NULL);
}

static void wrong_options_are_refused(void **state)
{
	struct script script = {.base = {.ops = &script_ops}};
	struct gm_source_sink sink = {.user = &script};
	struct gm_runner_options options = {.interval = GM_MILLISECOND - 1};
	struct gm_runner *runner = NULL;

	(void)state;
	assert_int_equal(gm_runner_start(&script.base, &options, &sink, &runner), -EINVAL);
	options = (struct gm_runner_options){.interval = GM_SECOND, .phase = -1};
	assert_int_equal(gm_runner_start(&script.base, &options, &sink, &runner), -EINVAL);
	assert_null(runner);
	assert_int_equal(script.destroyed, 0); /* not taken */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_keep_to_the_grid),
		cmocka_unit_test(status_comes_once_a_second),
		cmocka_unit_test(a_slow_poll_skips_deadlines),
		cmocka_unit_test(open_is_retried_with_backoff),
		cmocka_unit_test(stop_does_not_wait_for_backoff_or_interval),
		cmocka_unit_test(a_failed_poll_reconnects),
		cmocka_unit_test(a_stuck_thread_is_left_behind),
		cmocka_unit_test(asked_and_waited_for),
		cmocka_unit_test(wrong_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
