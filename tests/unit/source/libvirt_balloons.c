/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The balloons' periods, on libvirt's test driver: what could not be set is tried again, what was set is not. The
 * driver has no periods, so virDomainSetMemoryStatsPeriod() is the test's own here.
 */
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/balloons.h"

/* The next so many tries fail; while `hangs`, none returns. What was tried. */
static atomic_int failures, hangs, tries;
static atomic_int no_writer; /* a connection that may write cannot be had */

int virDomainSetMemoryStatsPeriod(virDomainPtr domain, int period, unsigned int flags)
{
	(void)domain;
	(void)flags;
	assert_int_equal(period, 1);
	atomic_fetch_add(&tries, 1);
	while (atomic_load(&hangs))
		nanosleep(&(struct timespec){.tv_nsec = GM_MILLISECOND}, NULL);
	return atomic_fetch_sub(&failures, 1) > 0 ? -1 : 0;
}

/* With a balloon that has no period. */
char *virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
	(void)domain;
	(void)flags;
	return strdup("<domain type='test'><name>test</name>"
		      "<uuid>00000001-0000-4000-8000-000000000000</uuid><devices>"
		      "<memballoon model='virtio'/></devices></domain>");
}

virConnectPtr virConnectOpen(const char *uri)
{
	if (atomic_load(&no_writer))
		return NULL;
	return ((__typeof__(virConnectOpen) *)(uintptr_t)dlsym(RTLD_NEXT, "virConnectOpen"))(uri);
}

struct rig {
	struct gm_lv_crew *crew;
	struct gm_lv_roster roster;
	struct gm_lv_balloons balloons;
	struct gm_lv_member *member; /* the driver's guest */
	int64_t now;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct gm_libvirt_options options = {0};
	virDomainPtr domain;
	uint8_t uuid[GM_UUID_SIZE];

	assert_non_null(rig);
	atomic_store(&failures, 0);
	atomic_store(&hangs, 0);
	atomic_store(&tries, 0);
	atomic_store(&no_writer, 0);
	gm_option_defaults(gm_libvirt_option_table, &options);
	snprintf(options.uri, sizeof(options.uri), "test:///default");
	options.slow_workers = 2;
	options.balloon_period = GM_SECOND;
	virConnectPtr conn = virConnectOpenReadOnly(options.uri);
	assert_non_null(conn);
	domain = virDomainLookupByName(conn, "test");
	assert_non_null(domain);
	assert_int_equal(virDomainGetUUID(domain, uuid), 0);
	virDomainFree(domain);
	virConnectClose(conn);
	assert_int_equal(gm_lv_crew_create(&options, gm_lv_records_read, &rig->crew), 0);
	rig->member = gm_lv_roster_list(&rig->roster, uuid, "test", 1);
	assert_non_null(rig->member);
	rig->now = gm_clock_monotonic();
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	atomic_store(&hangs, 0);
	gm_lv_crew_free(rig->crew, gm_clock_monotonic() + 10 * GM_SECOND);
	gm_lv_roster_free(&rig->roster);
	free(rig);
	return 0;
}

static void tick(struct rig *rig, int64_t later)
{
	rig->now += later;
	gm_lv_balloons_tick(&rig->balloons, rig->crew, &rig->roster, rig->now);
}

/* A tick, and one that takes what came of it. */
static void settle(struct rig *rig, int64_t later)
{
	int64_t deadline = gm_clock_monotonic() + 30 * GM_SECOND;

	tick(rig, later);
	while (gm_lv_crew_busy(rig->crew, GM_LV_JOB_PERIOD) > 0) {
		assert_true(gm_clock_monotonic() < deadline);
		nanosleep(&(struct timespec){.tv_nsec = GM_MILLISECOND}, NULL);
	}
	tick(rig, 0);
}

static void test_once_for_each_start(void **state)
{
	struct rig *rig = *state;

	settle(rig, 0);
	assert_true(rig->member->period.done);
	for (int i = 0; i < 5; i++)
		settle(rig, 600 * GM_SECOND);
	assert_int_equal(atomic_load(&tries), 1);
	gm_lv_roster_list(&rig->roster, rig->member->uuid, "test", 2);
	assert_false(rig->member->period.done);
	settle(rig, GM_SECOND);
	assert_true(rig->member->period.done);
	assert_int_equal(atomic_load(&tries), 2);
}

/* What another call held up, or the guest did not take, is tried ever more rarely until it is done. */
static void test_failures(void **state)
{
	struct rig *rig = *state;

	atomic_store(&failures, 20);
	settle(rig, 0);
	assert_false(rig->member->period.done);
	settle(rig, 4 * GM_SECOND);
	assert_int_equal(atomic_load(&tries), 1);
	settle(rig, GM_SECOND);
	assert_int_equal(atomic_load(&tries), 2);
	settle(rig, 9 * GM_SECOND);
	assert_int_equal(atomic_load(&tries), 2);
	settle(rig, GM_SECOND);
	assert_int_equal(atomic_load(&tries), 3);
	for (int i = 0; i < 360; i++)
		settle(rig, 10 * GM_SECOND);
	assert_in_range(atomic_load(&tries), 12, 18); /* in an hour */
	assert_false(rig->member->period.done);
	atomic_store(&failures, 0);
	settle(rig, 300 * GM_SECOND);
	assert_true(rig->member->period.done);
}

/* How often the log says the word: of what is written to standard error from here on. */
static FILE *log_begin(int *ret_standard)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	*ret_standard = dup(STDERR_FILENO);
	assert_true(*ret_standard >= 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	return file;
}

static unsigned log_end(FILE *file, int standard, const char *word)
{
	char line[512];
	unsigned count = 0;

	assert_true(dup2(standard, STDERR_FILENO) >= 0);
	close(standard);
	rewind(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, word) != NULL;
	fclose(file);
	return count;
}

/* Told once; and set as soon as a connection may write. */
static void test_read_only(void **state)
{
	struct rig *rig = *state;
	int standard;
	FILE *file = log_begin(&standard);

	atomic_store(&no_writer, 1);
	for (int i = 0; i < 100; i++)
		settle(rig, 60 * GM_SECOND);
	assert_int_equal(log_end(file, standard, "read-only"), 1);
	assert_int_equal(atomic_load(&tries), 0);
	assert_false(rig->member->period.done);
	atomic_store(&no_writer, 0);
	settle(rig, 300 * GM_SECOND);
	assert_true(rig->member->period.done);
}

/* One that hangs is not given to one worker after the other. */
static void test_one_hangs(void **state)
{
	struct rig *rig = *state;
	int64_t deadline = gm_clock_monotonic() + 30 * GM_SECOND;

	atomic_store(&hangs, 1);
	tick(rig, 0);
	while (atomic_load(&tries) == 0)
		assert_true(gm_clock_monotonic() < deadline);
	for (int i = 0; i < 100; i++)
		tick(rig, 60 * GM_SECOND);
	assert_int_equal(atomic_load(&tries), 1);
	assert_int_equal(gm_lv_crew_idle(rig->crew), 1);
	/* What the earlier start was told is not this one's. */
	gm_lv_roster_list(&rig->roster, rig->member->uuid, "test", 2);
	atomic_store(&hangs, 0);
	while (gm_lv_crew_idle(rig->crew) < 2)
		assert_true(gm_clock_monotonic() < deadline);
	settle(rig, GM_SECOND);
	assert_int_equal(atomic_load(&tries), 2);
	assert_true(rig->member->period.done);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_once_for_each_start),
		TEST(test_failures),
		TEST(test_read_only),
		TEST(test_one_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
