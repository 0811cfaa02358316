/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes for many names at once: dense, kept over a kill -9, all or none; and the search for the smallest
 * free one against a model that always begins at 1.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fixture.h"

#define DAY (24 * 3600 * GM_SECOND)

enum { MANY = 1500, NAME = 24 };

struct names {
	char text[MANY][NAME];
	struct gm_state_name list[MANY];
};

static struct names *make_names(const char *scope, unsigned first)
{
	struct names *names = calloc(1, sizeof(*names));

	assert_non_null(names);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names->text[i], NAME, "name-%u", first + i);
		names->list[i] = (struct gm_state_name){scope, names->text[i]};
	}
	return names;
}

static uint32_t index_of(struct fixture *f, const char *scope, const char *name)
{
	uint32_t index = 0;

	assert_int_equal(gm_state_index(f->state, scope, name, &index, &f->err), 0);
	return index;
}

static void test_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct names *names = make_names("guest", 0);
	const struct gm_state_name ports[] = {{"if:a", "tap1"}, {"if:a", "tap0"}, {"if:b", "tap0"}};

	open_state(f);
	assert_int_equal(gm_state_index_batch(f->state, names->list, 0, &f->err), 0);
	assert_int_equal(index_of(f, "guest", "name-7"), 1); /* had one before */
	assert_int_equal(gm_state_index_batch(f->state, names->list, MANY, &f->err), 0);
	assert_int_equal(gm_state_index_batch(f->state, names->list, MANY, &f->err), 0);
	assert_int_equal(gm_state_index_batch(f->state, ports, 3, &f->err), 0);
	reopen_state(f);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t expected = i < 7 ? i + 2 : i == 7 ? 1 : i + 1;
		assert_int_equal(index_of(f, "guest", names->text[i]), expected);
	}
	assert_int_equal(index_of(f, "guest", "another"), MANY + 1);
	assert_int_equal(index_of(f, "if:a", "tap1"), 1);
	assert_int_equal(index_of(f, "if:a", "tap0"), 2);
	assert_int_equal(index_of(f, "if:b", "tap0"), 1);
	free(names);
}

/* What was said to be given is there after the worst of ends. */
static void test_kill_9(void **state)
{
	struct fixture *f = *state;
	struct names *names = make_names("guest", 0);
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct gm_state *own;

		if (gm_state_open(f->directory, &own, NULL) < 0 ||
		    gm_state_index_batch(own, names->list, MANY, NULL) < 0)
			_exit(3);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	open_state(f);
	assert_int_equal(index_of(f, "guest", "another"), MANY + 1);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(index_of(f, "guest", names->text[i]), i + 1);
	free(names);
}

/* Where the disk is full nothing of a batch is given, and the numbers are not lost. */
static void test_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tight;
	int rc = 0;
	uint32_t given = 0;

	assert_true(sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL) == 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	open_state(f);
	tight = before;
	tight.rlim_cur = 400 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	while (rc == 0 && given < 100 * MANY) {
		struct names *names = make_names("guest", given);

		rc = gm_state_index_batch(f->state, names->list, MANY, &f->err);
		given += rc == 0 ? MANY : 0;
		free(names);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(rc < 0);
	assert_true(f->err.text[0] != '\0');
	assert_int_equal(index_of(f, "guest", "another"), given + 1);
}

/* ---- the smallest free number ---- */

enum { PEOPLE = 60, STEPS = 4000 };

struct person {
	uint32_t number; /* 0: none, or lost */
	bool retired;
	int64_t retired_at;
};

static uint32_t smallest_free(const struct person people[PEOPLE], int64_t newest)
{
	for (uint32_t number = 1;; number++) {
		bool taken = false;

		for (unsigned i = 0; i < PEOPLE; i++)
			taken |= people[i].number == number &&
				 (!people[i].retired || people[i].retired_at > newest - DAY);
		if (!taken)
			return number;
	}
}

static void arrive(struct fixture *f, struct person people[PEOPLE], unsigned who, int64_t newest)
{
	char name[NAME];
	uint32_t expected = people[who].number;

	if (expected == 0) {
		expected = smallest_free(people, newest);
		for (unsigned i = 0; i < PEOPLE; i++)
			if (people[i].number == expected)
				people[i].number = 0;
	}
	snprintf(name, sizeof(name), "person-%u", who);
	assert_int_equal(index_of(f, "guest", name), expected);
	people[who] = (struct person){.number = expected};
}

/* What the state knows of time when it is opened: the newest retirement that it holds. */
static int64_t newest_known(const struct person people[PEOPLE])
{
	int64_t newest = 0;

	for (unsigned i = 0; i < PEOPLE; i++)
		if (people[i].number != 0 && people[i].retired && people[i].retired_at > newest)
			newest = people[i].retired_at;
	return newest;
}

static void test_against_a_model(void **state)
{
	struct fixture *f = *state;
	struct person people[PEOPLE] = {{0}};
	int64_t now = 100 * DAY, newest = 0;
	unsigned seed = 1;

	open_state(f);
	index_of(f, "if:a", "tap0");
	for (unsigned step = 0; step < STEPS; step++) {
		char name[NAME];
		unsigned who = (unsigned)rand_r(&seed) % PEOPLE;

		if (step % 500 == 499) {
			reopen_state(f);
			newest = newest_known(people);
		}
		if (rand_r(&seed) % 2) {
			arrive(f, people, who, newest);
			continue;
		}
		now += (int64_t)(rand_r(&seed) % 100) * (DAY / 400);
		newest = now;
		snprintf(name, sizeof(name), "person-%u", who);
		assert_int_equal(gm_state_index_retire(f->state, "guest", name, newest), 0);
		if (people[who].number != 0) {
			people[who].retired = true;
			people[who].retired_at = newest;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_many_at_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_kill_9, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_all_or_nothing, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_against_a_model, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
