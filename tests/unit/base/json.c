/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON from strangers is refused with its place; what is written can be read by anybody.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void assert_written(struct gm_json *value, const char *text)
{
	struct gm_buffer buffer = GM_BUFFER_INIT(1024);
	assert_int_equal(gm_json_write(value, 0, &buffer), 0);
	assert_string_equal(buffer.data, text);
	gm_buffer_free(&buffer);
	gm_json_free(value);
}

static void test_write(void **state)
{
	(void)state;
	struct gm_json *object = gm_json_object(), *array = gm_json_array();
	gm_json_set_text(object, "name", "a\"\n");
	gm_json_set_text(object, "broken", "x\xFF");
	gm_json_set_text(object, "none", NULL);
	gm_json_set_integer(object, "big", INT64_MAX);
	gm_json_set_number(object, "nan", NAN);
	gm_json_set_number(object, "tenth", 0.1);
	gm_json_set_bool(object, "yes", true);
	gm_json_append(array, gm_json_integer(1));
	gm_json_set(object, "list", array);
	assert_written(object,
		       "{\"name\":\"a\\\"\\n\",\"broken\":\"x\xEF\xBF\xBD\",\"none\":null,"
		       "\"big\":9223372036854775807,\"nan\":null,\"tenth\":0.1,\"yes\":true,"
		       "\"list\":[1]}");
}

static void test_write_stops_at_the_buffers_end(void **state)
{
	(void)state;
	struct gm_buffer buffer = GM_BUFFER_INIT(4);
	struct gm_json *value = gm_json_text("much too long");
	assert_int_equal(gm_json_write(value, 0, &buffer), -ENOMEM);
	gm_json_free(value);
	gm_buffer_free(&buffer);
}

static void test_refuses(void **state)
{
	(void)state;
	static const char *const inputs[] = {
		"",    "{",   "[1,]",      "{\"a\":1,\"a\":2}", "\"\xFF\"",
		"nul", "1 2", "{\"a\" 1}", "[1e999]",
	};
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		struct gm_json *value = NULL;
		struct gm_error err = {.text = ""};
		assert_int_equal(gm_json_parse(inputs[i], strlen(inputs[i]), &value, &err),
				 -EINVAL);
		assert_null(value);
		assert_non_null(strstr(err.text, "line 1"));
	}
}

static void test_depth_is_bounded(void **state)
{
	(void)state;
	char deep[200000];
	memset(deep, '[', sizeof(deep));
	struct gm_json *value = NULL;
	struct gm_error err;
	assert_int_equal(gm_json_parse(deep, sizeof(deep), &value, &err), -EINVAL);
}

static void test_getters_of_other_types_give_the_alternative(void **state)
{
	(void)state;
	static const char text[] = "{\"n\":1.5,\"t\":\"x\",\"l\":[7],\"b\":true}";
	struct gm_json *value;
	assert_int_equal(gm_json_parse(text, sizeof(text) - 1, &value, NULL), 0);
	assert_null(gm_json_get_text(value, "n"));
	assert_int_equal(gm_json_get_integer(value, "n", -1), -1);
	assert_true(isnan(gm_json_get_number(value, "t", NAN)));
	assert_false(gm_json_get_bool(value, "t"));
	assert_true(gm_json_get_bool(value, "b"));
	assert_int_equal(gm_json_size(gm_json_get(value, "l")), 1);
	assert_null(gm_json_at(gm_json_get(value, "l"), 1));
	assert_null(gm_json_get(NULL, "x"));
	gm_json_free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_stops_at_the_buffers_end),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_getters_of_other_types_give_the_alternative),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
