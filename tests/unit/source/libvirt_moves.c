/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions after guests that are to be moved, on libvirt's test driver. It has no jobs, so virDomainGetJobInfo() is the
 * test's own here; tests/functional/test_migration.py asks the real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/libvirt.h"
#include "source/libvirt/moves.h"

#define PATIENCE (10 * GM_SECOND)

/* What libvirt answers: a job type, or -1. While `hangs`, nothing of the driver's own guest. */
static atomic_int job, hangs;

int virDomainGetJobInfo(virDomainPtr domain, virDomainJobInfoPtr info)
{
	bool own = strcmp(virDomainGetName(domain), "test") == 0;

	while (own && atomic_load(&hangs))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	*info = (virDomainJobInfo){.type = atomic_load(&job)};
	return info->type < 0 ? -1 : 0;
}

struct fixture {
	struct gm_lv_crew *crew;
	struct gm_lv_roster roster;
	struct gm_lv_moves *moves;
	uint8_t uuid[GM_UUID_SIZE]; /* the driver's guest */
	unsigned told;
	struct gm_guest_event last;
	struct gm_source_sink sink;
};

static void on_event(void *user, const struct gm_guest_event *event)
{
	struct fixture *f = user;

	f->told++;
	f->last = *event;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct gm_libvirt_options options = {0};
	struct gm_lv_answer answer = {0};
	size_t worker;

	gm_option_defaults(gm_libvirt_option_table, &options);
	snprintf(options.uri, sizeof(options.uri), "test:///default");
	options.slow_workers = 2;
	atomic_store(&job, VIR_DOMAIN_JOB_NONE);
	atomic_store(&hangs, 0);
	f->sink = (struct gm_source_sink){.event = on_event, .user = f};
	assert_int_equal(gm_lv_crew_create(&options, gm_lv_records_read, &f->crew), 0);
	assert_int_equal(gm_lv_moves_create(&f->moves), 0);
	int64_t deadline = gm_clock_monotonic() + PATIENCE;
	assert_int_equal(gm_lv_crew_give(f->crew, &(struct gm_lv_job){.kind = GM_LV_JOB_COLLECT},
					 deadline, &worker),
			 0);
	assert_int_equal(gm_lv_crew_wait(f->crew, worker, deadline, &answer), 0);
	assert_int_equal(answer.list.count, 1);
	memcpy(f->uuid, answer.list.items[0].uuid, GM_UUID_SIZE);
	gm_lv_records_free(&answer.list);
	assert_non_null(gm_lv_roster_list(&f->roster, f->uuid, "test", 1));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gm_lv_roster_free(&f->roster);
	gm_lv_crew_free(f->crew, gm_clock_monotonic() + PATIENCE);
	gm_lv_moves_free(f->moves);
	free(f);
	return 0;
}

static void tick(struct fixture *f)
{
	gm_lv_moves_tick(f->moves, f->crew, &f->roster, PATIENCE, &f->sink);
}

/* Until so many were told. */
static void wait_for(struct fixture *f, unsigned told)
{
	int64_t deadline = gm_clock_monotonic() + PATIENCE;

	while (f->told < told) {
		assert_true(gm_clock_monotonic() < deadline);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		tick(f);
	}
}

/* Until the worker has been listened to. */
static void wait_until_idle(struct fixture *f)
{
	int64_t deadline = gm_clock_monotonic() + PATIENCE;

	while (gm_lv_crew_idle(f->crew) < 2) {
		assert_true(gm_clock_monotonic() < deadline);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		tick(f);
	}
}

static void test_who_stays(void **state)
{
	struct fixture *f = *state;
	static const uint8_t other[GM_UUID_SIZE] = {9}, gone[GM_UUID_SIZE] = {8};

	tick(f);
	assert_int_equal(f->told, 0);
	assert_non_null(gm_lv_roster_list(&f->roster, gone, "gone", 2));
	gm_lv_moves_follow(f->moves, other); /* not one of the roster's */
	gm_lv_moves_follow(f->moves, gone);  /* which libvirt does not know any more */
	gm_lv_moves_follow(f->moves, f->uuid);
	gm_lv_moves_follow(f->moves, f->uuid);
	int64_t begin = gm_clock_now();
	tick(f);
	int64_t fetched = gm_clock_now();
	wait_for(f, 1);
	assert_int_equal(f->last.kind, GM_GUEST_STAYED);
	assert_memory_equal(f->last.key.uuid, f->uuid, GM_UUID_SIZE);
	assert_true(f->last.time >= begin);
	assert_true(f->last.time <= fetched); /* of the question, not of the answer */
	/* Nobody is asked for unless named again. */
	for (int i = 0; i < 5; i++)
		tick(f);
	assert_int_equal(gm_lv_crew_idle(f->crew), 2);
	assert_int_equal(f->told, 1);
	gm_lv_moves_follow(f->moves, f->uuid);
	atomic_store(&job, VIR_DOMAIN_JOB_UNBOUNDED);
	wait_for(f, 2);
	assert_int_equal(f->last.kind, GM_GUEST_MOVING);
	/* It runs no more: nothing is known. */
	atomic_store(&job, -1);
	gm_lv_moves_follow(f->moves, f->uuid);
	tick(f);
	wait_until_idle(f);
	assert_int_equal(f->told, 2);
}

static void test_many_names(void **state)
{
	struct fixture *f = *state;
	uint8_t uuid[GM_UUID_SIZE] = {7};

	for (unsigned i = 0; i < 10000; i++) {
		uuid[1] = (uint8_t)i, uuid[2] = (uint8_t)(i >> 8);
		gm_lv_moves_follow(f->moves, uuid);
	}
	gm_lv_moves_follow(f->moves, f->uuid);
	gm_lv_moves_follow(NULL, f->uuid);
	wait_for(f, 1);
	assert_int_equal(f->told, 1);
}

static void test_who_hangs_is_not_asked_for(void **state)
{
	struct fixture *f = *state;

	gm_lv_roster_find(&f->roster, f->uuid)->hung = true;
	gm_lv_moves_follow(f->moves, f->uuid);
	tick(f);
	assert_int_equal(gm_lv_crew_idle(f->crew), 2);
	assert_int_equal(f->told, 0);
}

/* No answer in time: it is dropped when it comes, and a while passes before the next question. */
static void test_no_answer(void **state)
{
	struct fixture *f = *state;

	atomic_store(&hangs, 1);
	gm_lv_moves_follow(f->moves, f->uuid);
	tick(f);
	assert_int_equal(gm_lv_crew_idle(f->crew), 1);
	gm_lv_moves_tick(f->moves, f->crew, &f->roster, 0, &f->sink);
	atomic_store(&hangs, 0);
	wait_until_idle(f);
	assert_int_equal(gm_lv_crew_late(f->crew), 1);
	gm_lv_moves_follow(f->moves, f->uuid);
	tick(f);
	assert_int_equal(gm_lv_crew_idle(f->crew), 2);
	assert_int_equal(f->told, 0);
}

/* One that gives no answer keeps nobody from theirs: from then on each is asked for alone. */
static void test_others_are_asked_for(void **state)
{
	static const char xml[] = "<domain type='test'><name>other</name><memory>1024</memory>"
				  "<os><type>hvm</type></os></domain>";
	struct fixture *f = *state;
	virConnectPtr conn = virConnectOpen("test:///default");
	virDomainPtr domain = virDomainCreateXML(conn, xml, 0);
	uint8_t other[GM_UUID_SIZE];

	assert_non_null(domain);
	assert_int_equal(virDomainGetUUID(domain, other), 0);
	assert_non_null(gm_lv_roster_list(&f->roster, other, "other", 2));
	atomic_store(&hangs, 1);
	gm_lv_moves_follow(f->moves, f->uuid);
	gm_lv_moves_follow(f->moves, other);
	tick(f);
	gm_lv_moves_tick(f->moves, f->crew, &f->roster, 0, &f->sink);
	atomic_store(&hangs, 0);
	wait_until_idle(f);
	assert_int_equal(f->told, 0);
	/* The first alone, in vain again; then the other, and of the first nothing. */
	atomic_store(&hangs, 1);
	gm_lv_moves_follow(f->moves, f->uuid);
	gm_lv_moves_follow(f->moves, other);
	tick(f);
	gm_lv_moves_tick(f->moves, f->crew, &f->roster, 0, &f->sink);
	atomic_store(&hangs, 0);
	wait_for(f, 1);
	assert_memory_equal(f->last.key.uuid, other, GM_UUID_SIZE);
	gm_lv_moves_follow(f->moves, f->uuid);
	gm_lv_moves_follow(f->moves, other);
	wait_for(f, 2);
	wait_until_idle(f);
	assert_memory_equal(f->last.key.uuid, other, GM_UUID_SIZE);
	assert_int_equal(f->told, 2);
	virDomainDestroy(domain);
	virDomainFree(domain);
	virConnectClose(conn);
}

/* What nobody waits for any more is not told when it comes. */
static void test_abandoned(void **state)
{
	struct fixture *f = *state;

	atomic_store(&hangs, 1);
	gm_lv_moves_follow(f->moves, f->uuid);
	tick(f);
	gm_lv_moves_abandon(f->moves, f->crew);
	gm_lv_moves_abandon(f->moves, f->crew);
	atomic_store(&hangs, 0);
	wait_until_idle(f);
	assert_int_equal(f->told, 0);
	gm_lv_moves_follow(f->moves, f->uuid);
	wait_for(f, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_who_stays),
		TEST(test_many_names),
		TEST(test_who_hangs_is_not_asked_for),
		TEST(test_no_answer),
		TEST(test_others_are_asked_for),
		TEST(test_abandoned),
	};
	gm_libvirt_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
