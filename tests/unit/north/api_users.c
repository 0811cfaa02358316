/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's users: the file and its mistakes, the Authorization header and its, and the table of routes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "north/api/route.h"
#include "north/api/users.h"

static int read_users(const char *text, mode_t mode, struct gm_api_users **ret_users,
		      struct gm_error *err)
{
	char path[] = "/tmp/gm-users-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	int result = gm_api_users_read(path, ret_users, err);
	unlink(path);
	return result;
}

static void test_find(void **state)
{
	(void)state;
	struct gm_api_users *users;
	static const struct {
		const char *authorization, *name;
	} cases[] = {
		{NULL, NULL},
		{"", NULL},
		{"Bearer just-looking", "look"},
		{"bearer s3cret:with", "nfvo"},
		{"Bearer ", NULL},
		{"Bearer just-lookin", NULL},
		{"Bearer just-looking2", NULL},
		{"Basic bG9vazpqdXN0LWxvb2tpbmc=", "look"}, /* look:just-looking */
		{"Basic bmZ2bzpzM2NyZXQ6d2l0aA==", "nfvo"}, /* nfvo:s3cret:with */
		{"Basic bmZ2bzpqdXN0LWxvb2tpbmc=", NULL},   /* nfvo:just-looking */
		{"Basic bG9vazpqdXN0LWxvb2tpbmcA", NULL},   /* with a NUL behind it */
		{"Basic bG9vazpqdXN0LWxvb2tpbmc", NULL},    /* its end cut off */
		{"Basic bG9vazpqdXN0LWxvb2tpbmc=x", NULL},
		{"Basic bG9v azpqdXN0LWxvb2tpbmc=", NULL},
		{"Basic bG9vaw==", NULL}, /* look */
		{"Digest username=\"look\"", NULL},
	};
	assert_int_equal(read_users("# who\n\nnfvo\twrite  s3cret:with \nlook read just-looking",
				    0600, &users, NULL),
			 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gm_api_user *user = gm_api_users_find(users, cases[i].authorization);
		if (cases[i].name) {
			assert_non_null(user);
			assert_string_equal(user->name, cases[i].name);
			assert_int_equal(user->role,
					 cases[i].name[0] == 'n' ? GM_API_WRITE : GM_API_READ);
		} else if (user) {
			fail_msg("%s", cases[i].authorization);
		}
	}
	gm_api_users_free(users);
}

static void test_long_credentials(void **state)
{
	(void)state;
	struct gm_api_users *users;
	char header[8192] = "Basic ";
	assert_int_equal(read_users("look read just-looking\n", 0600, &users, NULL), 0);
	memset(header + 6, 'A', sizeof(header) - 7);
	assert_null(gm_api_users_find(users, header));
	memset(header, 'A', sizeof(header) - 1);
	memcpy(header, "Bearer ", 7);
	assert_null(gm_api_users_find(users, header));
	gm_api_users_free(users);
}

static void test_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		mode_t mode;
		int result;
		const char *says;
	} cases[] = {
		{"look read just-looking\n", 0640, -EACCES, "chmod 600"},
		{"look read just-looking\n", 0604, -EACCES, "chmod 600"},
		{"", 0600, -EINVAL, "no user"},
		{"# nobody\n", 0600, -EINVAL, "no user"},
		{"look read just-looking\nme admin just-looking\n", 0600, -EINVAL, ":2: not"},
		{"look read short\n", 0600, -EINVAL, ":1: not"},
		{"look read\n", 0600, -EINVAL, ":1: not"},
		{"look read just looking\n", 0600, -EINVAL, ":1: not"},
		{"lo:ok read just-looking\n", 0600, -EINVAL, ":1: not"},
		{"l\xffk read just-looking\n", 0600, -EINVAL, ":1: not"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_api_users *users;
		struct gm_error err = {.text = ""};
		assert_int_equal(read_users(cases[i].text, cases[i].mode, &users, &err),
				 cases[i].result);
		if (!strstr(err.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
		assert_null(strstr(err.text, "looking"));
	}
	struct gm_api_users *users;
	assert_int_equal(gm_api_users_read("/nonexistent/users", &users, NULL), -ENOENT);
	assert_int_equal(gm_api_users_read("/", &users, NULL), -EINVAL);
}

static void test_routes(void **state)
{
	(void)state;
	static const struct {
		const char *method, *path;
		int status; /* 0: there is one */
		const char *argument;
	} cases[] = {
		{"GET", "/v1/status", 0, "status"},
		{"HEAD", "/v1/status", 0, "status"},
		{"GET", "/vnffm/v1/alarms", 0, ""},
		{"GET", "/vnffm/v1/alarms/12", 0, "12"},
		{"GET", "/vnffm/v1/alarms/", 404, ""},
		{"GET", "/vnffm/v1/alarms/12/", 404, ""},
		{"GET", "/vnffm/v1/alarms/../../etc", 404, ""},
		{"GET", "/vnffm/v1/alarms/a b", 404, ""},
		{"GET", "/vnffm/v1/alarms/%2e", 404, ""},
		{"GET", "", 404, ""},
		{"GET", "//", 404, ""},
		{"PUT", "/v1/status", 405, ""},
		{"TRACE", "/v1/nothing", 404, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT];
		struct gm_api_reply reply = {0};
		const struct gm_api_route *route =
			gm_api_route_find(cases[i].method, cases[i].path, arguments, &reply);
		if ((route != NULL) != (cases[i].status == 0) || reply.status != cases[i].status)
			fail_msg("%s %s", cases[i].method, cases[i].path);
		if (route)
			assert_string_equal(arguments[0], cases[i].argument);
		if (reply.status == 405)
			assert_non_null(strstr(reply.allow, "GET"));
		gm_json_free(reply.body);
	}
	char path[1024] = "/vnffm/v1/alarms/", arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT];
	struct gm_api_reply reply = {0};
	memset(path + strlen(path), '1', GM_API_ARGUMENT);
	assert_null(gm_api_route_find("GET", path, arguments, &reply));
	gm_json_free(reply.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_long_credentials),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_routes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
