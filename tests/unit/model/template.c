/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: what is put in, what is refused and where.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/template.h"

static void put(void *user, size_t name, struct gm_buffer *out)
{
	(void)user;
	gm_buffer_printf(out, "<%zu>", name);
}

static void assert_expands(const char *text, const char *expected)
{
	struct gm_buffer out = GM_BUFFER_INIT(256);
	size_t at = 0;

	assert_int_equal(gm_template_check(text, gm_template_names, &at, NULL), 0);
	gm_template_expand(text, gm_template_names, &out, put, NULL);
	assert_string_equal(out.data ? out.data : "", expected);
	gm_buffer_free(&out);
}

static void names_are_replaced(void **state)
{
	(void)state;
	assert_expands("", "");
	assert_expands("plain", "plain");
	assert_expands("{guest}", "<0>");
	assert_expands("a {value}, {limit}.", "a <6>, <7>.");
	assert_expands("{{x}}", "{x}");
	assert_expands("{{{rule}}}", "{<4>}");
}

static void assert_refused(const char *text, size_t where, const char *message)
{
	struct gm_buffer out = GM_BUFFER_INIT(256);
	struct gm_error err;
	size_t at = SIZE_MAX;

	assert_int_equal(gm_template_check(text, gm_template_names, &at, &err), -EINVAL);
	assert_int_equal(at, where);
	if (!strstr(err.text, message))
		fail_msg("%s", err.text);
	gm_template_expand(text, gm_template_names, &out, put, NULL); /* ends */
	gm_buffer_free(&out);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	(void)state;
	assert_refused("abc {", 4, "a '{' without its '}'");
	assert_refused("abc {guest", 4, "a '{' without its '}'");
	assert_refused("abc } d", 4, "a '}' without its '{'");
	assert_refused("{guest}{", 7, "a '{' without its '}'");
	assert_refused("{guest {value}", 0, "a '{' without its '}'");
	assert_refused("ab {guests}", 3,
		       "nothing called \"guests\" to put in; there are {guest}, ");
	assert_refused("{}", 0, "nothing called \"\"");
	assert_refused("{a very long name that no template would ever have in it}", 0,
		       "nothing called");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_replaced),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
