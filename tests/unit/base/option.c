/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables: what is taken, what is refused and with which words, and that a value that is
 * printed can be read back.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/option.h"

struct sample {
	bool flag;
	int64_t count, interval, size, rate;
	double factor, limit;
	char name[8];
	int level;
};

static const char *const levels[] = {"low", "high", NULL};

static const struct gm_option table[] = {
	{.key = "flag",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct sample, flag),
	 .fallback = "true"},
	{.key = "count",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct sample, count),
	 .min = 1,
	 .max = 10,
	 .fallback = "3"},
	{.key = "interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct sample, interval),
	 .min = 1e6,
	 .max = 3600e9,
	 .fallback = "100ms"},
	{.key = "size",
	 .type = GM_OPTION_SIZE,
	 GM_OPTION_AT(struct sample, size),
	 .min = 0,
	 .max = 1e12,
	 .fallback = "64Ki"},
	{.key = "rate",
	 .type = GM_OPTION_BITRATE,
	 GM_OPTION_AT(struct sample, rate),
	 .min = 0,
	 .max = 1e12,
	 .fallback = "10G"},
	{.key = "factor",
	 .type = GM_OPTION_NUMBER,
	 GM_OPTION_AT(struct sample, factor),
	 .min = 0,
	 .max = 1,
	 .fallback = "0.5"},
	{.key = "limit",
	 .type = GM_OPTION_LIMIT,
	 GM_OPTION_AT(struct sample, limit),
	 .fallback = "none"},
	{.key = "name",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct sample, name),
	 .fallback = "abc"},
	{.key = "level",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct sample, level),
	 .fallback = "high",
	 .choices = levels},
	GM_OPTION_END,
};

static void test_defaults(void **state)
{
	(void)state;
	struct sample sample;
	gm_option_defaults(table, &sample);
	assert_true(sample.flag);
	assert_int_equal(sample.count, 3);
	assert_int_equal(sample.interval, 100000000);
	assert_int_equal(sample.size, 65536);
	assert_int_equal(sample.rate, 10000000000);
	assert_true(fabs(sample.factor - 0.5) < 1e-12);
	assert_string_equal(sample.name, "abc");
	assert_int_equal(sample.level, 1);
}

static void test_accepts(void **state)
{
	(void)state;
	struct sample sample;
	gm_option_defaults(table, &sample);
	struct gm_error err;
	assert_int_equal(gm_option_set(table, &sample, "interval", "0.25", &err), 0);
	assert_int_equal(sample.interval, 250000000);
	assert_int_equal(gm_option_set(table, &sample, "interval", "2 m", &err), 0);
	assert_int_equal(sample.interval, 120000000000);
	assert_int_equal(gm_option_set(table, &sample, "rate", "2.5G", &err), 0);
	assert_int_equal(sample.rate, 2500000000);
	assert_int_equal(gm_option_set(table, &sample, "flag", "off", &err), 0);
	assert_false(sample.flag);
	assert_int_equal(gm_option_set(table, &sample, "name", "1234567", &err), 0);
	assert_int_equal(gm_option_set(table, &sample, "level", "low", &err), 0);
	assert_int_equal(sample.level, 0);
}

static void test_limit_may_be_absent(void **state)
{
	(void)state;
	struct sample sample;
	struct gm_error err;
	char text[32];
	const struct gm_option *limit = gm_option_find(table, "limit");

	gm_option_defaults(table, &sample);
	assert_true(isnan(sample.limit));
	assert_string_equal(gm_option_format(limit, &sample, text, sizeof(text)), "none");
	assert_int_equal(gm_option_set(table, &sample, "limit", "-3.75", &err), 0);
	assert_true(sample.limit == -3.75);
	assert_string_equal(gm_option_format(limit, &sample, text, sizeof(text)), "-3.75");
	assert_int_equal(gm_option_set(table, &sample, "limit", "2Gi", &err), 0);
	assert_true(sample.limit == 2147483648.0);
	assert_int_equal(gm_option_set(table, &sample, "limit", "nan", &err), -EINVAL);
	assert_non_null(strstr(err.text, "allowed: a number or none"));
	assert_true(sample.limit == 2147483648.0);
	assert_int_equal(gm_option_set(table, &sample, "limit", "none", &err), 0);
	assert_true(isnan(sample.limit));
}

static void test_refuses_and_says_what_is_allowed(void **state)
{
	(void)state;
	static const struct {
		const char *key, *text;
		int code;
		const char *says;
	} cases[] = {
		{"nope", "1", -ENOENT, "allowed: flag, count, interval"},
		{"flag", "maybe", -EINVAL, "true or false"},
		{"count", "0", -ERANGE, "is out of range; allowed: a whole number from 1 to 10"},
		{"count", "2.5", -EINVAL, "a whole number"},
		{"count", "0x5", -EINVAL, "a whole number"},
		{"count", "", -EINVAL, "a whole number"},
		{"count", "nan", -EINVAL, "a whole number"},
		{"count", "1e999", -EINVAL, "a whole number"},
		{"interval", "5 parsecs", -EINVAL, "from 1ms to 1h"},
		{"interval", "2h", -ERANGE, "from 1ms to 1h"},
		{"interval", "-1s", -ERANGE, "from 1ms to 1h"},
		{"factor", "1.01", -ERANGE, "from 0 to 1"},
		{"name", "12345678", -ERANGE, "is too long; allowed: text of at most 7 bytes"},
		{"name", "\xFF", -EINVAL, "text"},
		{"level", "medium", -ERANGE, "is not known; allowed: one of low, high"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample sample, before;
		memset(&sample, 0, sizeof(sample));
		gm_option_defaults(table, &sample);
		memcpy(&before, &sample, sizeof(sample));
		struct gm_error err = {.text = ""};
		assert_int_equal(gm_option_set(table, &sample, cases[i].key, cases[i].text, &err),
				 cases[i].code);
		if (!strstr(err.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
		assert_memory_equal(&before, &sample, sizeof(sample));
	}
}

static void test_what_is_printed_is_read_back(void **state)
{
	(void)state;
	static const char *const values[][2] = {
		{"interval", "100ms"}, {"interval", "1h"},  {"interval", "1500us"},
		{"interval", "61s"},   {"size", "64Ki"},    {"size", "65537"},
		{"rate", "2.5G"},      {"factor", "0.125"},
	};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct sample one, other;
		gm_option_defaults(table, &one);
		gm_option_defaults(table, &other);
		char text[64];
		const struct gm_option *option = gm_option_find(table, values[i][0]);
		assert_int_equal(gm_option_set(table, &one, option->key, values[i][1], NULL), 0);
		gm_option_format(option, &one, text, sizeof(text));
		assert_int_equal(gm_option_set(table, &other, option->key, text, NULL), 0);
		assert_memory_equal((char *)&one + option->offset, (char *)&other + option->offset,
				    option->size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_limit_may_be_absent),
		cmocka_unit_test(test_refuses_and_says_what_is_allowed),
		cmocka_unit_test(test_what_is_printed_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
