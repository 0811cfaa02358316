/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow lane: workers whose call hangs (a reading that waits for the test stands in for a
 * guest's monitor), and the whole lane on libvirt's test driver.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/crew.h"
#include "source/libvirt/libvirt.h"
#include "source/libvirt/roster.h"

#define DEADLINE (200 * GM_MILLISECOND)

/* The hanging monitor: the next `hangs` readings wait for `resume`. */
static atomic_int hangs;
static atomic_int returned;
static sem_t resume;

/* The whole lane's: while `frozen`, no reading of all guests returns. */
static atomic_int frozen;

int virConnectGetAllDomainStats(virConnectPtr conn, unsigned stats,
				virDomainStatsRecordPtr **records, unsigned flags)
{
	while (atomic_load(&frozen))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return ((__typeof__(virConnectGetAllDomainStats) *)(uintptr_t)dlsym(
		RTLD_NEXT, "virConnectGetAllDomainStats"))(conn, stats, records, flags);
}

static int collect(virConnectPtr conn, const struct gm_lv_plan *plan,
		   const struct gm_lv_scope *scope, struct gm_lv_record_list *ret_list,
		   struct gm_error *err)
{
	int rc;

	if (atomic_fetch_sub(&hangs, 1) > 0) {
		sem_wait(&resume);
		rc = gm_lv_records_read(conn, plan, scope, ret_list, err);
		atomic_fetch_add(&returned, 1);
		return rc;
	}
	atomic_store(&hangs, 0);
	return gm_lv_records_read(conn, plan, scope, ret_list, err);
}

static struct gm_libvirt_options options_for(int64_t workers)
{
	struct gm_libvirt_options options = {0};

	gm_option_defaults(gm_libvirt_option_table, &options);
	snprintf(options.uri, sizeof(options.uri), "test:///default");
	options.slow_workers = workers;
	options.slow_deadline = DEADLINE;
	return options;
}

static struct gm_lv_crew *crew_create(int64_t workers)
{
	struct gm_libvirt_options options = options_for(workers);
	struct gm_lv_crew *crew = NULL;

	atomic_store(&hangs, 0);
	atomic_store(&returned, 0);
	assert_int_equal(sem_init(&resume, 0, 0), 0);
	assert_int_equal(gm_lv_crew_create(&options, collect, &crew), 0);
	return crew;
}

/* One reading. 0 or the code of whatever failed. */
static int read_once(struct gm_lv_crew *crew, int64_t patience)
{
	struct gm_lv_job job = {.kind = GM_LV_JOB_COLLECT};
	struct gm_lv_answer answer = {0};
	int64_t deadline = gm_clock_monotonic() + patience;
	size_t worker;

	int rc = gm_lv_crew_give(crew, &job, deadline, &worker);
	if (rc == 0) {
		rc = gm_lv_crew_wait(crew, worker, deadline, &answer);
		if (rc == -ETIMEDOUT)
			gm_lv_crew_abandon(crew, worker);
	}
	if (rc == 0)
		rc = answer.rc;
	if (rc == 0)
		assert_int_equal(answer.list.count, 1);
	gm_lv_records_free(&answer.list);
	return rc;
}

static void wait_for(bool (*done)(struct gm_lv_crew *crew), struct gm_lv_crew *crew)
{
	int64_t deadline = gm_clock_monotonic() + 10 * GM_SECOND;

	while (!done(crew)) {
		assert_true(gm_clock_monotonic() < deadline);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

static bool is_late(struct gm_lv_crew *crew)
{
	return gm_lv_crew_late(crew) == 1;
}

static bool none_stuck(struct gm_lv_crew *crew)
{
	return gm_lv_crew_stuck(crew) == 0;
}

static void test_one_hangs(void **state)
{
	(void)state;
	struct gm_lv_crew *crew = crew_create(2);

	assert_int_equal(read_once(crew, 10 * GM_SECOND), 0);
	atomic_store(&hangs, 1);
	assert_int_equal(read_once(crew, DEADLINE), -ETIMEDOUT);
	assert_int_equal(gm_lv_crew_stuck(crew), 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(read_once(crew, 10 * GM_SECOND), 0);
	assert_int_equal(gm_lv_crew_stuck(crew), 1);
	assert_int_equal(gm_lv_crew_late(crew), 0);
	sem_post(&resume);
	wait_for(is_late, crew);
	assert_int_equal(gm_lv_crew_stuck(crew), 0);
	assert_int_equal(read_once(crew, 10 * GM_SECOND), 0);
	gm_lv_crew_free(crew, gm_clock_monotonic() + 10 * GM_SECOND);
	sem_destroy(&resume);
}

static void test_all_hang(void **state)
{
	(void)state;
	struct gm_lv_crew *crew = crew_create(2);

	atomic_store(&hangs, 2);
	assert_int_equal(read_once(crew, DEADLINE), -ETIMEDOUT);
	assert_int_equal(read_once(crew, DEADLINE), -ETIMEDOUT);
	assert_int_equal(gm_lv_crew_stuck(crew), 2);
	/* Whoever asks now is told at once. */
	int64_t start = gm_clock_monotonic();
	assert_int_equal(read_once(crew, 30 * GM_SECOND), -EBUSY);
	assert_true(gm_clock_monotonic() - start < 10 * GM_SECOND);
	sem_post(&resume);
	sem_post(&resume);
	wait_for(none_stuck, crew);
	assert_int_equal(read_once(crew, 10 * GM_SECOND), 0);
	assert_int_equal(gm_lv_crew_late(crew), 2);
	gm_lv_crew_free(crew, gm_clock_monotonic() + 10 * GM_SECOND);
	sem_destroy(&resume);
}

/* A hung worker does not keep the daemon from ending, and cleans up after itself. */
static void test_end_while_hanging(void **state)
{
	(void)state;
	struct gm_lv_crew *crew = crew_create(2);

	atomic_store(&hangs, 1);
	assert_int_equal(read_once(crew, DEADLINE), -ETIMEDOUT);
	int64_t start = gm_clock_monotonic();
	gm_lv_crew_free(crew, start + DEADLINE);
	assert_true(gm_clock_monotonic() - start < 10 * GM_SECOND);
	assert_int_equal(atomic_load(&returned), 0);
	sem_post(&resume);
	int64_t deadline = gm_clock_monotonic() + 10 * GM_SECOND;
	while (atomic_load(&returned) == 0)
		assert_true(gm_clock_monotonic() < deadline);
	/* The thread's last steps; a leak or a use after free is the sanitizers' to find. */
	nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
	sem_destroy(&resume);
}

/* Setting periods is nobody's to wait for, and its worker is free again. */
static void test_periods(void **state)
{
	(void)state;
	struct gm_lv_crew *crew = crew_create(1);
	struct gm_lv_job job = {.kind = GM_LV_JOB_PERIOD, .guest_count = 1};
	size_t worker;

	assert_int_equal(read_once(crew, 10 * GM_SECOND), 0);
	assert_int_equal(gm_lv_crew_give(crew, &job, gm_clock_monotonic() + GM_SECOND, &worker), 0);
	assert_int_equal(read_once(crew, 10 * GM_SECOND), 0);
	assert_int_equal(gm_lv_crew_late(crew), 0);
	gm_lv_crew_free(crew, gm_clock_monotonic() + 10 * GM_SECOND);
	sem_destroy(&resume);
}

/* A worker that asks for something else does not make the statistics of those that it asks for suspect. */
static void test_stuck_reading(void **state)
{
	(void)state;
	struct gm_lv_crew *crew = crew_create(2);
	struct gm_lv_job job = {.kind = GM_LV_JOB_PROBE, .guest_count = 1};
	size_t worker;

	atomic_store(&hangs, 1);
	assert_int_equal(gm_lv_crew_give(crew, &job, gm_clock_monotonic() + GM_SECOND, &worker), 0);
	gm_lv_crew_abandon(crew, worker);
	assert_int_equal(gm_lv_crew_stuck(crew), 1);
	assert_int_equal(gm_lv_crew_stuck_reading(crew), 1);
	/* Of the other job's answer nobody knows before it has come: past its time at once. */
	job.kind = GM_LV_JOB_MOVES;
	assert_int_equal(gm_lv_crew_give(crew, &job, gm_clock_monotonic() + GM_SECOND, &worker), 0);
	gm_lv_crew_abandon(crew, worker);
	assert_int_equal(gm_lv_crew_stuck_reading(crew), 1);
	sem_post(&resume);
	wait_for(none_stuck, crew);
	assert_int_equal(gm_lv_crew_stuck_reading(crew), 0);
	gm_lv_crew_free(crew, gm_clock_monotonic() + 10 * GM_SECOND);
	sem_destroy(&resume);
}

/* One guest alone, and all but one. */
static void test_probe_and_skip(void **state)
{
	(void)state;
	struct gm_lv_crew *crew = crew_create(1);
	struct gm_lv_job job = {.kind = GM_LV_JOB_COLLECT};
	struct gm_lv_answer answer = {0};
	int64_t deadline = gm_clock_monotonic() + 20 * GM_SECOND;
	size_t worker;

	assert_int_equal(gm_lv_crew_give(crew, &job, deadline, &worker), 0);
	assert_int_equal(gm_lv_crew_wait(crew, worker, deadline, &answer), 0);
	assert_int_equal(answer.rc, 0);
	assert_int_equal(answer.list.count, 1);
	assert_true(answer.list.items[0].param_count > 0);
	job.guest_count = 1;
	memcpy(job.guests[0], answer.list.items[0].uuid, GM_UUID_SIZE);
	gm_lv_records_free(&answer.list);

	assert_int_equal(gm_lv_crew_give(crew, &job, deadline, &worker), 0);
	assert_int_equal(gm_lv_crew_wait(crew, worker, deadline, &answer), 0);
	assert_int_equal(answer.list.count, 1); /* it is listed, but not read */
	assert_true(answer.list.items[0].skipped);
	assert_int_equal(answer.list.items[0].param_count, 0);
	gm_lv_records_free(&answer.list);

	job.kind = GM_LV_JOB_PROBE;
	assert_int_equal(gm_lv_crew_give(crew, &job, deadline, &worker), 0);
	assert_int_equal(gm_lv_crew_idle(crew), 0);
	assert_int_equal(gm_lv_crew_wait(crew, worker, deadline, &answer), 0);
	assert_int_equal(answer.list.count, 1);
	assert_false(answer.list.items[0].skipped);
	assert_true(answer.list.items[0].param_count > 0);
	gm_lv_records_free(&answer.list);
	job.guests[0][0] ^= 1; /* nobody's */
	assert_int_equal(gm_lv_crew_give(crew, &job, deadline, &worker), 0);
	assert_int_equal(gm_lv_crew_wait(crew, worker, deadline, &answer), 0);
	assert_int_equal(answer.rc, 0);
	assert_int_equal(answer.list.count, 0);
	gm_lv_records_free(&answer.list);
	assert_int_equal(gm_lv_crew_idle(crew), 1);
	gm_lv_crew_free(crew, gm_clock_monotonic() + 10 * GM_SECOND);
	sem_destroy(&resume);
}

static struct gm_lv_member *list_member(struct gm_lv_roster *roster, uint8_t number, int id)
{
	const uint8_t uuid[GM_UUID_SIZE] = {number};
	struct gm_lv_member *member = gm_lv_roster_list(roster, uuid, "guest", id);

	assert_non_null(member);
	return member;
}

/* Who is hung, and when it is probed. */
static void test_hung(void **state)
{
	(void)state;
	struct gm_lv_roster roster = {.tick = 1};
	uint8_t hung[2][GM_UUID_SIZE];
	struct gm_lv_member *one = list_member(&roster, 1, 10), *two = list_member(&roster, 2, 11);

	assert_true(gm_lv_member_judge(one, true, false, 0));
	/* Nothing was ever told by its monitor: it has nothing to tell, as long as nobody hangs. */
	assert_true(gm_lv_member_judge(two, false, false, 0));
	assert_int_equal(gm_lv_roster_hung(&roster, hung, 2), 0);
	/* Once may be by chance. */
	assert_true(gm_lv_member_judge(one, false, false, 0));
	assert_true(gm_lv_member_judge(one, true, false, 0));
	assert_true(gm_lv_member_judge(one, false, false, 0));
	assert_false(gm_lv_member_judge(one, false, false, 0));
	assert_false(gm_lv_member_judge(two, false, true, 0));
	assert_int_equal(gm_lv_roster_hung(&roster, hung, 2), 2);
	assert_int_equal(gm_lv_roster_hung(&roster, hung, 1), 1);
	assert_null(gm_lv_roster_due(&roster, 0, false));
	assert_true(gm_lv_member_judge(two, false, false, 0));

	/* Ever more rarely, but early when somebody came back. */
	int64_t now = 0;
	unsigned probes = 0;
	for (; now <= 60 * GM_SECOND; now += 100 * GM_MILLISECOND)
		probes += gm_lv_roster_due(&roster, now, false) == one;
	assert_in_range(probes, 8, 11);
	assert_null(gm_lv_roster_due(&roster, now - GM_SECOND, false));
	assert_ptr_equal(gm_lv_roster_due(&roster, now, true), one);
	one->probing = true;
	assert_null(gm_lv_roster_due(&roster, now + 60 * GM_SECOND, true));
	one->probing = false;
	assert_true(gm_lv_member_judge(one, true, false, now));
	assert_int_equal(gm_lv_roster_hung(&roster, hung, 2), 0);

	/* Started anew, it may say nothing for a while. */
	list_member(&roster, 1, 12);
	assert_true(gm_lv_member_judge(one, false, false, now));
	roster.tick = 2;
	list_member(&roster, 1, 12);
	struct gm_lv_member *gone = gm_lv_roster_take_unlisted(&roster);
	assert_ptr_equal(gone, two);
	free(gone);
	assert_null(gm_lv_roster_take_unlisted(&roster));
	gm_lv_roster_free(&roster);
}

struct seen {
	size_t batches, totals, cpus;
};

static void on_samples(void *user, struct gm_batch *batch)
{
	struct seen *seen = user;

	assert_int_equal(batch->source, GM_SOURCE_LIBVIRT_SLOW);
	seen->batches++;
	for (size_t i = 0; i < batch->reading_count; i++) {
		seen->totals += batch->readings[i].metric == GM_METRIC_MEMORY_TOTAL;
		seen->cpus += batch->readings[i].metric == GM_METRIC_CPU_TIME;
	}
	gm_batch_free(batch);
}

static void test_source(void **state)
{
	(void)state;
	struct gm_libvirt_options options = options_for(1);
	struct seen seen = {0};
	struct gm_source_sink sink = {.samples = on_samples, .user = &seen};
	struct gm_source *source;
	struct gm_error err = {.text = ""};
	uint32_t entities;

	options.slow_deadline = 10 * GM_SECOND;
	options.slow_interval = 20 * GM_MILLISECOND;
	assert_int_equal(gm_libvirt_slow_create(&options, 0, &source), 0);
	assert_int_equal(source->ops->open(source, &err), 0);
	/* A poll that was held up tells no counters (dating.h). */
	for (int i = 0; i < 100 && seen.cpus < 3; i++) {
		usleep(20000);
		assert_int_equal(source->ops->poll(source, gm_clock_now(), &sink, &entities, &err),
				 0);
		assert_int_equal(entities, 1);
		assert_string_equal(err.text, "");
	}
	assert_true(seen.batches >= 3);
	assert_int_equal(seen.cpus, 3);
	/* The test driver's date of the balloon never changes: one sample, not three. */
	assert_int_equal(seen.totals, 1);
	source->ops->close(source);
	source->ops->destroy(source);
}

/* Where no batch can be in time, each is waited for all the same, and none is asked for in vain. */
static void test_always_overdue(void **state)
{
	(void)state;
	struct gm_libvirt_options options = options_for(2);
	struct seen seen = {0};
	struct gm_source_sink sink = {.samples = on_samples, .user = &seen};
	struct gm_source *source;
	struct gm_error err = {.text = ""};
	uint32_t entities = 0;

	options.slow_deadline = 1;
	options.slow_interval = 20 * GM_MILLISECOND;
	assert_int_equal(gm_libvirt_slow_create(&options, 0, &source), 0);
	for (int i = 0; i < 500 && seen.cpus < 3; i++) {
		err.text[0] = '\0';
		assert_int_equal(source->ops->poll(source, gm_clock_now(), &sink, &entities, &err),
				 0);
		usleep(20000);
	}
	assert_true(seen.batches >= 3);
	assert_int_equal(seen.cpus, 3);
	assert_int_equal(entities, 1);
	source->ops->close(source);
	source->ops->destroy(source);
}

/* The batch that all were lost with comes while the lane is closed: its worker is free to connect again. */
static void test_overdue_over_a_close(void **state)
{
	(void)state;
	struct gm_libvirt_options options = options_for(1);
	struct seen seen = {0};
	struct gm_source_sink sink = {.samples = on_samples, .user = &seen};
	struct gm_source *source;
	struct gm_error err = {.text = ""};
	uint32_t entities = 0;
	int rc = 0;

	assert_int_equal(gm_libvirt_slow_create(&options, 0, &source), 0);
	atomic_store(&frozen, 1);
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = source->ops->poll(source, gm_clock_now(), &sink, &entities, &err);
	assert_true(rc < 0);
	source->ops->close(source);
	assert_true(source->ops->open(source, &err) < 0);
	assert_non_null(strstr(err.text, "1 of 1 workers waits"));
	atomic_store(&frozen, 0);
	for (int i = 0; i < 500 && rc < 0; i++) {
		usleep(20000);
		rc = source->ops->open(source, &err);
	}
	assert_int_equal(rc, 0);
	for (int i = 0; i < 500 && seen.batches == 0; i++)
		assert_int_equal(source->ops->poll(source, gm_clock_now(), &sink, &entities, &err),
				 0);
	assert_int_equal(entities, 1);
	source->ops->close(source);
	source->ops->destroy(source);
}

static void test_no_connection(void **state)
{
	(void)state;
	struct gm_libvirt_options options = options_for(2);
	struct gm_source *source;
	struct gm_error err = {.text = ""};

	snprintf(options.uri, sizeof(options.uri), "qemu+unix:///system?socket=/nonexistent/sock");
	options.slow_deadline = 10 * GM_SECOND;
	assert_int_equal(gm_libvirt_slow_create(&options, 0, &source), 0);
	assert_true(source->ops->open(source, &err) < 0);
	assert_non_null(strstr(err.text, "nonexistent"));
	source->ops->destroy(source);
}

static void test_never_opened(void **state)
{
	(void)state;
	struct gm_libvirt_options options = options_for(2);
	struct gm_source *source;

	assert_int_equal(gm_libvirt_slow_create(&options, 0, &source), 0);
	source->ops->destroy(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_hangs),
		cmocka_unit_test(test_all_hang),
		cmocka_unit_test(test_end_while_hanging),
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_stuck_reading),
		cmocka_unit_test(test_probe_and_skip),
		cmocka_unit_test(test_hung),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_always_overdue),
		cmocka_unit_test(test_overdue_over_a_close),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_never_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
