/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of libvirt's lanes while libvirtd is frozen. The calls that would wait for it are put in front
 * of libvirt's own: they stand still while the test holds the gate, and what is behind it is libvirt's
 * test driver. Whoever stops a lane waits for no call and makes none; threads that are left behind free
 * all that they have when the gate opens (a leak, a use after free or a race is the sanitizers' to find).
 */
#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/left.h"
#include "source/libvirt/libvirt.h"
#include "source/runner.h"

#define PATIENCE (300 * GM_MILLISECOND)
#define AT_MOST  (5 * GM_SECOND) /* a busy machine's; a frozen call waits for ever */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool frozen;
	int waiting;
	pthread_t owner; /* who must make no call */
	int owners_calls;
	int open;         /* connections */
	int periods, set; /* calls of the closer look, and what the last one has set */
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .set = -1};

static atomic_int batches;

/* Stands still while the daemon is frozen. */
static void pass_gate(void)
{
	pthread_mutex_lock(&fake.lock);
	fake.owners_calls += pthread_equal(pthread_self(), fake.owner) != 0;
	fake.waiting++;
	pthread_cond_broadcast(&fake.changed);
	while (fake.frozen)
		pthread_cond_wait(&fake.changed, &fake.lock);
	fake.waiting--;
	pthread_mutex_unlock(&fake.lock);
}

static void add_open(int connections)
{
	pthread_mutex_lock(&fake.lock);
	fake.open += connections;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

#define NEXT(name) ((__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name))

virConnectPtr virConnectOpen(const char *name)
{
	pass_gate();
	virConnectPtr conn = NEXT(virConnectOpen)(name);
	add_open(conn != NULL);
	return conn;
}

virConnectPtr virConnectOpenReadOnly(const char *name)
{
	pass_gate();
	virConnectPtr conn = NEXT(virConnectOpenReadOnly)(name);
	add_open(conn != NULL);
	return conn;
}

int virConnectClose(virConnectPtr conn)
{
	pass_gate();
	int rc = NEXT(virConnectClose)(conn);
	add_open(-1);
	return rc;
}

int virConnectGetAllDomainStats(virConnectPtr conn, unsigned stats,
				virDomainStatsRecordPtr **records, unsigned flags)
{
	pass_gate();
	return NEXT(virConnectGetAllDomainStats)(conn, stats, records, flags);
}

int virConnectListAllDomains(virConnectPtr conn, virDomainPtr **domains, unsigned flags)
{
	pass_gate();
	return NEXT(virConnectListAllDomains)(conn, domains, flags);
}

/* The test driver's guests have no period: it is kept here. */
int virDomainSetMemoryStatsPeriod(virDomainPtr domain, int period, unsigned flags)
{
	(void)domain;
	(void)flags;
	pass_gate();
	pthread_mutex_lock(&fake.lock);
	fake.periods++;
	fake.set = period;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

static void freeze(bool frozen)
{
	pthread_mutex_lock(&fake.lock);
	fake.frozen = frozen;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

static void await(bool (*done)(void))
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&fake.lock);
	while (!done())
		assert_int_equal(pthread_cond_timedwait(&fake.changed, &fake.lock, &until), 0);
	pthread_mutex_unlock(&fake.lock);
}

static bool one_waits(void)
{
	return fake.waiting > 0;
}

static bool all_are_closed(void)
{
	return fake.open == 0;
}

static bool is_looked_at(void)
{
	return fake.periods >= 6 && fake.set == 1;
}

static void sink_samples(void *user, struct gm_batch *batch)
{
	(void)user;
	atomic_fetch_add(&batches, 1);
	gm_batch_free(batch);
}

static void sink_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	(void)user;
	(void)source;
	(void)info;
}

static void sink_status(void *user, const struct gm_source_status *status)
{
	(void)user;
	assert_int_equal(status->failures, 0);
}

static const struct gm_source_sink sink = {
	.samples = sink_samples, .seen = sink_seen, .status = sink_status};

static struct gm_runner *start(int (*create)(const struct gm_libvirt_options *options, unsigned uri,
					     struct gm_source **ret_source),
			       struct gm_source **ret_source)
{
	struct gm_runner_options cadence = {.interval = 20 * GM_MILLISECOND};
	struct gm_libvirt_options options = {0};
	struct gm_runner *runner = NULL;

	gm_option_defaults(gm_libvirt_option_table, &options);
	snprintf(options.uri, sizeof(options.uri), "test:///default");
	options.slow_workers = 2;
	options.slow_deadline = 60 * GM_SECOND;
	options.balloon_period = GM_SECOND;
	options.fresh_guests = 1;
	options.fresh_interval = 50 * GM_MILLISECOND;
	options.fresh_time = 60 * GM_SECOND;
	fake.owner = pthread_self();
	fake.owners_calls = fake.periods = 0;
	atomic_store(&batches, 0);
	gm_libvirt_prepare();
	assert_int_equal(create(&options, 0, ret_source), 0);
	assert_int_equal(gm_runner_start(*ret_source, &cadence, &sink, &runner), 0);
	while (atomic_load(&batches) < 3)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	return runner;
}

/* After the last close a thread has some steps to go, which nothing can be seen of. */
static void let_them_end(void)
{
	await(all_are_closed);
	nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
	assert_int_equal(fake.owners_calls, 0);
}

static bool none_is_left(void)
{
	return gm_left_count() == 0;
}

/* Stops a lane whose calls do not return: soon, and for good. */
static void stop_frozen(struct gm_runner *runner)
{
	int64_t begin = gm_clock_monotonic();

	assert_int_equal(gm_runner_stop(runner, PATIENCE), -ETIMEDOUT);
	assert_true(gm_clock_monotonic() - begin < AT_MOST);
	int told = atomic_load(&batches);
	assert_true(gm_left_count() > 0);
	freeze(false);
	let_them_end();
	await(none_is_left);
	assert_int_equal(atomic_load(&batches), told);
}

static void the_fast_lane_is_left(void **state)
{
	struct gm_source *source;
	struct gm_runner *runner = start(gm_libvirt_create, &source);

	(void)state;
	freeze(true);
	await(one_waits);
	stop_frozen(runner);
}

static void the_slow_lane_is_left(void **state)
{
	struct gm_source *source;
	struct gm_runner *runner = start(gm_libvirt_slow_create, &source);

	(void)state;
	freeze(true);
	await(one_waits);
	stop_frozen(runner);
}

/* The lane itself is asked to end at once by the lanes' owner, though its worker is not to be had. */
static void the_slow_lane_gives_up_waiting(void **state)
{
	struct gm_source *source;
	struct gm_runner *runner = start(gm_libvirt_slow_create, &source);

	(void)state;
	freeze(true);
	await(one_waits);
	gm_runner_quit(runner);
	/* Not the job's deadline of a minute: as long as it waits for its threads. */
	int64_t begin = gm_clock_monotonic();
	assert_int_equal(gm_runner_stop(runner, 30 * GM_SECOND), 0);
	assert_true(gm_clock_monotonic() - begin < AT_MOST);
	freeze(false);
	let_them_end();
}

static void look_closely(struct gm_source *source)
{
	static const uint8_t uuid[GM_UUID_SIZE] = {0x66, 0x95, 0xeb, 0x01, 0xf6, 0xa4, 0x83, 0x04,
						   0x79, 0xaa, 0x97, 0xf2, 0x50, 0x2e, 0x19, 0x3f};
	struct gm_entity_key key = gm_entity_guest(uuid);

	source->ops->suspect(source, &key);
	await(is_looked_at);
}

static void a_period_is_restored(void **state)
{
	struct gm_source *source;
	struct gm_runner *runner = start(gm_libvirt_slow_create, &source);

	(void)state;
	look_closely(source);
	assert_int_equal(gm_runner_stop(runner, 30 * GM_SECOND), 0);
	assert_int_equal(fake.open, 0);
	assert_int_equal(fake.set, 0); /* the guest's XML names none */
}

static void a_period_is_restored_at_last(void **state)
{
	struct gm_source *source;
	struct gm_runner *runner = start(gm_libvirt_slow_create, &source);

	(void)state;
	look_closely(source);
	freeze(true);
	await(one_waits);
	stop_frozen(runner);
	assert_int_equal(fake.set, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fast_lane_is_left),
		cmocka_unit_test(the_slow_lane_is_left),
		cmocka_unit_test(the_slow_lane_gives_up_waiting),
		cmocka_unit_test(a_period_is_restored),
		cmocka_unit_test(a_period_is_restored_at_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
