/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keystone's answers, true and hostile: what is read of them, and that nothing else is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/openstack/token.h"

#define LIFE                                                                                  \
	"\"issued_at\":\"2026-01-01T00:00:00.000000Z\",\"expires_at\":\"2026-01-01T01:00:00." \
	"000000Z\""
#define CATALOG                                                                                   \
	"\"catalog\":[{\"type\":\"compute\",\"endpoints\":[{\"interface\":\"public\",\"region\":" \
	"\"R\","                                                                                  \
	"\"url\":\"http://"                                                                       \
	"nova\"}]},{\"type\":\"alarming\",\"endpoints\":[{\"interface\":\"admin\","               \
	"\"region\":\"R\",\"url\":\"http://admin/\"},{\"interface\":\"public\",\"region\":\"S\"," \
	"\"url\":\"https://s:8042/v2/\"},{\"interface\":\"public\",\"region\":\"R\","             \
	"\"url\":\"http://10.0.0.1:8042/\"}]}]"

static const char *const alarming[] = {"alarming", "alarm", NULL};

static int parse(const char *body, const struct gm_endpoint_wish *wish,
		 struct gm_token_answer *answer, struct gm_error *err)
{
	return gm_token_parse(body, strlen(body), 0, wish, answer, err);
}

static void test_token_and_endpoint(void **state)
{
	(void)state;
	struct gm_endpoint_wish wish = {alarming, "R", "public"};
	struct gm_token_answer answer;
	struct gm_error err;

	assert_int_equal(parse("{\"token\":{" LIFE "," CATALOG "}}", &wish, &answer, &err), 0);
	assert_int_equal(answer.lifetime, 3600 * GM_SECOND);
	assert_string_equal(answer.endpoint, "http://10.0.0.1:8042");
	wish.region = "S";
	assert_int_equal(parse("{\"token\":{" LIFE "," CATALOG "}}", &wish, &answer, &err), 0);
	assert_string_equal(answer.endpoint, "https://s:8042/v2");
	wish.region = "";
	wish.interface = "admin";
	assert_int_equal(parse("{\"token\":{" LIFE "," CATALOG "}}", &wish, &answer, &err), 0);
	assert_string_equal(answer.endpoint, "http://admin");
	wish.region = "T";
	assert_int_equal(parse("{\"token\":{" LIFE "," CATALOG "}}", &wish, &answer, &err),
			 -ENOENT);
	assert_string_equal(err.text, "the catalog has no endpoint of type alarming, interface "
				      "admin, region T");
}

static void test_hostile_answers(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"",
		"[]",
		"{}",
		"null",
		"{\"token\":[]}",
		"{\"token\":{}}",
		"{\"token\":{\"expires_at\":7}}",
		"{\"token\":{\"expires_at\":\"never\"}}",
		"{\"token\":{\"expires_at\":\"2026-01-01T00:00:00Z\",\"issued_at\":\"2026-01-01T00:"
		"00:00Z\"}}",
		"{\"token\":{\"expires_at\":\"2025-01-01T00:00:00Z\",\"issued_at\":\"2026-01-01T00:"
		"00:00Z\"}}",
		"{\"token\":{\"expires_at\":\"2226-01-01T00:00:00Z\",\"issued_at\":\"2026-01-01T00:"
		"00:00Z\"}}",
		"{\"token\":{" LIFE "}",
	};
	static const char *const catalogs[] = {
		"{\"token\":{" LIFE "}}",
		"{\"token\":{" LIFE ",\"catalog\":{}}}",
		"{\"token\":{" LIFE ",\"catalog\":[7,{\"type\":[]},{\"type\":\"alarming\"}]}}",
		"{\"token\":{" LIFE ",\"catalog\":[{\"type\":\"alarming\",\"endpoints\":[{"
		"\"interface\":\"public\",\"url\":7}]}]}}",
	};
	static const char *const urls[] = {
		"file:///etc/passwd",
		"gopher://x",
		"http://user:pw@host/",
		"http://h/?q=1",
		"http://h/#f",
		"http://h/\\nHost:",
		"http://h /",
		"http://h/%0d%0a",
		"//host",
		"",
	};
	struct gm_endpoint_wish wish = {alarming, "", "public"};
	struct gm_token_answer answer;
	struct gm_error err;
	char body[2048], endpoint[GM_ENDPOINT_MAX];

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(parse(bodies[i], NULL, &answer, &err), -EINVAL);
	for (size_t i = 0; i < sizeof(catalogs) / sizeof(catalogs[0]); i++)
		assert_int_equal(parse(catalogs[i], &wish, &answer, &err), -ENOENT);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(body, sizeof(body),
			 "{\"token\":{" LIFE ",\"catalog\":[{\"type\":\"alarming\",\"endpoints\":["
			 "{\"interface\":\"public\",\"url\":\"%s\"}]}]}}",
			 urls[i]);
		assert_int_equal(parse(body, &wish, &answer, &err), -EINVAL);
		assert_int_equal(gm_endpoint_copy(urls[i], NULL, endpoint, &err), -EINVAL);
	}
}

static void test_endpoints_and_versions(void **state)
{
	(void)state;
	static const struct {
		const char *url, *endpoint;
	} cases[] = {
		{"http://h:1", "http://h:1"},
		{"http://h:1///", "http://h:1"},
		{"http://h/v2", "http://h"},
		{"http://h/v2/0af3", "http://h"},
		{"http://h/alarm/v2/0af3/", "http://h/alarm"},
		{"http://h/v22/0af3", "http://h/v22/0af3"},
		{"http://h/v2/0af3/x", "http://h/v2/0af3/x"},
		{"http://h/v2/", "http://h"},
		{"http://h/a/v2", "http://h/a"},
		{"https://[::1]:8/metric", "https://[::1]:8/metric"},
		{"http://h/v2x", "http://h/v2x"},
	};
	char endpoint[GM_ENDPOINT_MAX], longest[2 * GM_ENDPOINT_MAX];
	struct gm_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(gm_endpoint_copy(cases[i].url, "/v2", endpoint, &err), 0);
		assert_string_equal(endpoint, cases[i].endpoint);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "http://", 7);
	assert_int_equal(gm_endpoint_copy(longest, NULL, endpoint, &err), -EINVAL);
}

static void test_what_is_a_token(void **state)
{
	(void)state;
	char longest[GM_TOKEN_MAX + 2];
	struct gm_error err;

	assert_int_equal(gm_token_check("gAAAAA-_=.", &err), 0);
	assert_int_equal(gm_token_check(NULL, &err), -EINVAL);
	assert_int_equal(gm_token_check("", &err), -EINVAL);
	assert_int_equal(gm_token_check("a b", &err), -EINVAL);
	assert_int_equal(gm_token_check("a\r\nHost: b", &err), -EINVAL);
	assert_int_equal(gm_token_check("\xc3\xa4", &err), -EINVAL);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(gm_token_check(longest, &err), -EINVAL);
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(gm_token_check(longest, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_and_endpoint),
		cmocka_unit_test(test_hostile_answers),
		cmocka_unit_test(test_endpoints_and_versions),
		cmocka_unit_test(test_what_is_a_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
