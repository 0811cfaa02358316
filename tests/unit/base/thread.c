/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that leave signals to the main thread, and deadlines of the monotonic clock. */
#include "base/thread.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void *look_at_signals(void *user)
{
	pthread_sigmask(SIG_SETMASK, NULL, user);
	return NULL;
}

static void test_signals_are_not_theirs(void **state)
{
	(void)state;
	sigset_t before, seen, after;
	pthread_t thread;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	assert_int_equal(gm_thread_start(&thread, look_at_signals, &seen), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(sigismember(&seen, SIGTERM) == 1);
	assert_true(sigismember(&seen, SIGHUP) == 1);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_true(sigismember(&after, SIGUSR1) == 1);
	assert_true(sigismember(&after, SIGTERM) == 0);
}

/* On the wall clock the same moment is decades ago: it would be over at once. */
static void test_deadlines_are_monotonic(void **state)
{
	(void)state;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int64_t begun = gm_clock_monotonic();
	int64_t deadline = begun + 30 * GM_MILLISECOND;
	struct timespec until = gm_thread_until(deadline);

	assert_int_equal(gm_thread_locks(&lock, &changed), 0);
	pthread_mutex_lock(&lock);
	int rc = 0;
	while (rc == 0)
		rc = pthread_cond_timedwait(&changed, &lock, &until);
	pthread_mutex_unlock(&lock);
	assert_int_equal(rc, ETIMEDOUT);
	assert_true(gm_clock_monotonic() >= deadline);
	pthread_cond_destroy(&changed);
	pthread_mutex_destroy(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_are_not_theirs),
		cmocka_unit_test(test_deadlines_are_monotonic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
