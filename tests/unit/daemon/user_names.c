/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of users: remembered for a while, and not waited for where the name service hangs.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/user_names.h"

enum { HANGS = 7, NOBODY = 8 };

static atomic_uint asked;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER; /* by whoever lets the service hang */

static bool ask(uid_t uid, char *name, size_t size)
{
	asked++;
	if (uid == HANGS) {
		pthread_mutex_lock(&held);
		pthread_mutex_unlock(&held);
	}
	snprintf(name, size, "user%u", (unsigned)uid);
	return uid != NOBODY;
}

static const char *get(struct gm_user_names *names, uid_t uid, int64_t now)
{
	static char name[64];
	return gm_user_names_get(names, uid, now, name, sizeof(name));
}

/* A loaded machine may let main go on before the thread has run. */
static const char *get_in_the_end(struct gm_user_names *names, uid_t uid, int64_t now)
{
	const char *name = get(names, uid, now);
	for (int i = 0; i < 500 && strncmp(name, "uid ", 4) == 0; i++) {
		usleep(20000);
		name = get(names, uid, now);
	}
	return name;
}

static void test_remembered(void **state)
{
	(void)state;
	struct gm_user_names *names = gm_user_names_create(ask);
	assert_non_null(names);
	asked = 0;
	assert_string_equal(get_in_the_end(names, 1, 1), "user1");
	assert_string_equal(get(names, 1, 599 * GM_SECOND), "user1");
	assert_int_equal(asked, 1);
	assert_string_equal(get_in_the_end(names, 1, 601 * GM_SECOND), "user1");
	assert_int_equal(asked, 2);
	for (uid_t uid = 100; uid < 100 + 2 * GM_USER_NAMES; uid++)
		assert_int_equal(strncmp(get_in_the_end(names, uid, 601 * GM_SECOND), "user1", 5),
				 0);
	assert_string_equal(get_in_the_end(names, 1, 602 * GM_SECOND),
			    "user1"); /* it was forgotten */
	assert_int_equal(asked, 3 + 2 * GM_USER_NAMES);
	assert_string_equal(get(names, NOBODY, 1), "uid 8");
	gm_user_names_free(names);
	assert_string_equal(get(NULL, 5, 1), "uid 5");
}

static void test_a_service_that_hangs(void **state)
{
	(void)state;
	struct gm_user_names *names = gm_user_names_create(ask);
	asked = 0;
	pthread_mutex_lock(&held);
	assert_string_equal(get(names, HANGS, 1), "uid 7"); /* comes back at all */
	assert_string_equal(get(names, HANGS, 2), "uid 7");
	assert_string_equal(get(names, 1, 2), "uid 1"); /* one question at a time */
	pthread_mutex_unlock(&held);
	assert_string_equal(get_in_the_end(names, HANGS, 3), "user7");
	assert_int_equal(asked, 1);
	assert_string_equal(get_in_the_end(names, 1, 3), "user1");
	/* Nor does the end wait. */
	pthread_mutex_lock(&held);
	assert_string_equal(get(names, HANGS, 1000 * GM_SECOND), "uid 7");
	gm_user_names_free(names);
	pthread_mutex_unlock(&held);
}

static void test_the_system(void **state)
{
	(void)state;
	char name[64] = "";
	assert_true(gm_user_names_ask_system(0, name, sizeof(name)));
	assert_string_equal(name, "root");
	assert_false(gm_user_names_ask_system(4123456789U, name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_a_service_that_hangs),
		cmocka_unit_test(test_the_system),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
