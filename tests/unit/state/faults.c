/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not lose or corrupt the state: kill -9, a full disk, damaged files, a second copy. And how long one
 * waits for who has locked it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fixture.h"
#include "state/action.h"
#include "support/state_sql.h"

struct seen {
	uint64_t count, last;
	size_t active;
};

static void see_transition(void *user, const struct gm_transition *transition)
{
	struct seen *seen = user;

	seen->count++;
	assert_true(transition->sequence == seen->count); /* no hole, no order but this */
	seen->last = transition->sequence;
}

static void see_alarm(void *user, const struct gm_alarm *alarm)
{
	(void)alarm;
	((struct seen *)user)->active++;
}

/* Journals raises and clears for ever and reports each sequence number once it is durable. */
static void journal_for_ever(const char *directory, int report)
{
	struct gm_state *state;

	if (gm_state_open(directory, &state, NULL) < 0)
		_exit(3);
	for (uint32_t i = 0, id = 0;; i++) {
		id = i % 2 ? id : gm_state_new_alarm_id(state);
		struct gm_transition transition =
			transition_of(id, i % 2 ? GM_TRANSITION_CLEAR : GM_TRANSITION_RAISE, i);

		if (gm_state_journal(state, &transition, NULL) < 0 ||
		    write(report, &transition.sequence, sizeof(transition.sequence)) < 0)
			_exit(4);
	}
}

static void test_kill_9(void **state)
{
	struct fixture *f = *state;
	uint64_t reported = kill_in_writing(f, journal_for_ever, 1000);
	struct seen seen = {0};

	open_state(f); /* the lock went with its process */
	assert_true(gm_state_last_sequence(f->state) >= reported);
	assert_true(gm_state_last_sequence(f->state) <= reported + 1);
	gm_state_journal_after(f->state, 0, 1000000, see_transition, &seen);
	assert_int_equal(seen.last, gm_state_last_sequence(f->state));
	gm_state_active(f->state, see_alarm, &seen);
	assert_int_equal(seen.active, seen.last % 2); /* raise and active set never part */
	assert_true(gm_state_new_alarm_id(f->state) > (seen.last + 1) / 2);
	assert_int_equal(gm_state_boots(f->state), 2);
}

static void test_second_copy(void **state)
{
	struct fixture *f = *state;
	struct gm_state *second = NULL;
	char pid[32];

	open_state(f);
	assert_int_equal(gm_state_open(f->directory, &second, &f->err), -EBUSY);
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_non_null(strstr(f->err.text, pid));
	assert_null(second);
	pid_t child = fork();
	if (child == 0)
		_exit(gm_state_open(f->directory, &second, NULL) == -EBUSY ? 0 : 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	reopen_state(f);
}

static void fill(struct fixture *f, int count)
{
	open_state(f);
	for (int i = 0; i < count; i++) {
		struct gm_transition raise = transition_of((uint32_t)i + 1, GM_TRANSITION_RAISE, i);

		assert_int_equal(gm_state_journal(f->state, &raise, &f->err), 0);
	}
	gm_state_close(f->state);
	f->state = NULL;
}

static long size_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static void expect_refused(struct fixture *f, const char *path, const char *word)
{
	struct gm_state *opened = NULL;
	long before = size_of(path);

	assert_int_equal(gm_state_open(f->directory, &opened, &f->err), -EBADMSG);
	assert_null(opened);
	if (!strstr(f->err.text, word) || !strstr(f->err.text, path))
		fail_msg("message: %s", f->err.text);
	assert_int_equal(size_of(path), before); /* left as it is */
}

static void test_damaged_files(void **state)
{
	struct fixture *f = *state;
	char path[128], garbage[8192];

	path_of(f, "state.db", path);
	fill(f, 100);
	assert_int_equal(truncate(path, size_of(path) / 2 + 100), 0);
	expect_refused(f, path, "mv ");

	memset(garbage, 'x', sizeof(garbage));
	int fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
	close(fd);
	expect_refused(f, path, "mv ");
	assert_int_equal(unlink(path), 0);
	fill(f, 1); /* and after the advice was followed it starts */
}

static void test_flipped_page(void **state)
{
	struct fixture *f = *state;
	char path[128], garbage[4096];

	path_of(f, "state.db", path);
	fill(f, 200);
	memset(garbage, 0xff, sizeof(garbage));
	int fd = open(path, O_WRONLY);
	for (off_t page = 2; page < size_of(path) / 4096; page++)
		assert_int_equal(pwrite(fd, garbage, 4096, page * 4096), 4096);
	close(fd);
	expect_refused(f, path, "damaged");
}

/* Bytes 60 to 63 of the file are user_version, big-endian (sqlite.org/fileformat2.html, 1.3). */
static void test_newer_schema(void **state)
{
	struct fixture *f = *state;
	char path[128];

	path_of(f, "state.db", path);
	fill(f, 3);
	char version[4];
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, version, 4, 60), 4);
	assert_int_equal(pwrite(fd, "\0\0\0\x63", 4, 60), 4);
	close(fd);
	expect_refused(f, path, "newer");
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 60), 4);
	close(fd);
	expect_refused(f, path, "not a guestmon");
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, version, 4, 60), 4);
	close(fd);
	open_state(f);
	assert_int_equal(gm_state_last_sequence(f->state), 3); /* nothing was lost by refusing */
}

static void test_disk_full(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tight;
	struct seen seen = {0};
	uint64_t kept = 0;
	int rc = 0;

	assert_true(sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL) == 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	open_state(f);
	tight = before;
	tight.rlim_cur = 256 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (uint32_t i = 1; i < 2000 && rc == 0; i++) {
		struct gm_transition raise = transition_of(i, GM_TRANSITION_RAISE, i);

		rc = gm_state_journal(f->state, &raise, &f->err);
		if (rc == 0)
			kept = raise.sequence;
		else
			assert_int_equal(raise.sequence, 0);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(rc < 0);
	assert_true(kept > 10);
	assert_true(f->err.text[0] != '\0');
	assert_int_equal(gm_state_last_sequence(f->state), kept);

	struct gm_transition next = transition_of(5000, GM_TRANSITION_RAISE, 1);
	assert_int_equal(gm_state_journal(f->state, &next, &f->err), 0); /* room again */
	assert_int_equal(next.sequence, kept + 1);
	reopen_state(f);
	gm_state_journal_after(f->state, 0, 1000000, see_transition, &seen);
	assert_int_equal(seen.last, kept + 1);
	gm_state_active(f->state, see_alarm, &seen);
	assert_int_equal(seen.active, kept + 1);
}

static void test_not_a_directory(void **state)
{
	struct fixture *f = *state;
	struct gm_state *opened = NULL;
	char path[128];

	path_of(f, "lock", path);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(gm_state_open(path, &opened, &f->err), -ENOTDIR);
	assert_non_null(strstr(f->err.text, path));
}

static int write_index(struct fixture *f, unsigned i)
{
	char name[16];
	uint32_t index;

	snprintf(name, sizeof(name), "name-%u", i);
	return gm_state_index(f->state, "guest", name, &index, &f->err);
}

static int write_action(struct fixture *f, unsigned i)
{
	const struct gm_action_row row = {.output = "move", .action = "migrate", .sequence = i};

	return gm_state_action_put(f->state, &row, &f->err);
}

/* All that would write wait together for a fifth of a second in each; then it is as if nothing had been. */
static void test_long_lock(void **state)
{
	enum { CALLS = 20 };
	struct fixture *f = *state;

	open_state(f);
	sqlite3 *database = lock_database(f->directory);
	int64_t begin = gm_clock_monotonic();
	for (unsigned i = 1; i <= CALLS; i++) {
		struct gm_transition raise = transition_of(i, GM_TRANSITION_RAISE, 1);

		assert_int_equal(write_index(f, i), -EBUSY);
		assert_int_equal(write_action(f, i), -EBUSY);
		assert_int_equal(gm_state_journal(f->state, &raise, &f->err), -EBUSY);
	}
	int64_t took = gm_clock_monotonic() - begin;
	assert_true(took >= 190 * GM_MILLISECOND); /* a short lock would have cost nothing */
	assert_true(took < GM_SECOND);
	sqlite3_close(database);
	assert_int_equal(write_index(f, 1), 0);
	assert_int_equal(write_action(f, 1), 0);
}

static void *unlock_soon(void *database)
{
	usleep(10 * 1000);
	sqlite3_close(database);
	return NULL;
}

static void test_short_lock(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	open_state(f);
	sqlite3 *database = lock_database(f->directory);
	assert_int_equal(pthread_create(&thread, NULL, unlock_soon, database), 0);
	int rc = write_index(f, 1);
	pthread_join(thread, NULL);
	assert_int_equal(rc, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_kill_9),          TEST(test_second_copy),  TEST(test_damaged_files),
		TEST(test_flipped_page),    TEST(test_newer_schema), TEST(test_disk_full),
		TEST(test_not_a_directory), TEST(test_long_lock),    TEST(test_short_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
