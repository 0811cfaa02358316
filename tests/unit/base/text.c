/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile text: cut, quoted and matched without ever making it longer than its room or less than UTF-8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void test_copy_replaces_what_is_malformed(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"web-1", "web-1"},
		{"J\xC3\xBCrgen", "J\xC3\xBCrgen"},
		{"a\xFFz", "a\xEF\xBF\xBDz"},
		{"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* overlong '/' */
		{"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* surrogate */
		{"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
		{"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"}, /* ends in the middle */
		{NULL, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char copy[64];
		size_t length = gm_text_copy(copy, sizeof(copy), cases[i].in);
		assert_string_equal(copy, cases[i].out);
		assert_int_equal(length, strlen(cases[i].out));
		assert_true(gm_text_is_utf8(copy));
	}
}

static void test_copy_cuts_between_characters(void **state)
{
	(void)state;
	char copy[4];
	assert_int_equal(gm_text_copy(copy, sizeof(copy), "ab\xC3\xBC"), 2);
	assert_string_equal(copy, "ab");
	char one[1] = {'x'};
	assert_int_equal(gm_text_copy(one, sizeof(one), "abc"), 0);
	assert_string_equal(one, "");
}

static void test_quote_leaves_nothing_that_steers(void **state)
{
	(void)state;
	char quoted[64];
	gm_text_quote(quoted, sizeof(quoted), "a\"b\\c\nd\x1B[31m\x7F");
	assert_string_equal(quoted, "\"a\\\"b\\\\c\\nd\\x1B[31m\\x7F\"");
	gm_text_quote(quoted, sizeof(quoted), "\xC2\x9B");
	assert_string_equal(quoted, "\"\\x9B\"");
	/* From right to left, isolated, a line's end: and what only looks like them. */
	gm_text_quote(quoted, sizeof(quoted), "\u202Ea\u2066\u2028\u200F\u061C");
	assert_string_equal(quoted, "\"\\u202Ea\\u2066\\u2028\\u200F\\u061C\"");
	gm_text_quote(quoted, sizeof(quoted), "\u202F\u2065\u206A\u200D\u20AC\u061B");
	assert_string_equal(quoted, "\"\u202F\u2065\u206A\u200D\u20AC\u061B\"");
}

static void test_quote_of_random_bytes_is_one_line_in_its_room(void **state)
{
	(void)state;
	uint32_t seed = 12345;
	for (int round = 0; round < 20000; round++) {
		char source[40], quoted[48];
		size_t length = 0;
		for (; length < sizeof(source) - 1; length++) {
			seed = seed * 1664525 + 1013904223;
			source[length] = (char)(seed >> 24);
			if (source[length] == '\0')
				break;
		}
		source[length] = '\0';
		size_t size = 1 + seed % sizeof(quoted);
		size_t written = gm_text_quote(quoted, size, source);
		assert_true(written < size || size < 3);
		assert_true(gm_text_is_utf8(quoted));
		for (const char *at = quoted; *at != '\0'; at++)
			assert_true((unsigned char)*at >= 0x20 && *at != 0x7F);
	}
}

static void test_match(void **state)
{
	(void)state;
	static const struct {
		const char *patterns, *text;
		bool matches;
	} cases[] = {
		{"*", "eth0", true},          {"*,!lo", "lo", false},
		{"*, !lo ", "eth0", true},    {"vnet*", "vnet12", true},
		{"vnet?", "vnet12", false},   {"", "x", false},
		{"!x", "y", false},           {"a,b", "b", true},
		{"*a*b*c", "xaybzc", true},   {"*a*b*c", "xaybz", false},
		{"!eth*,eth1", "eth1", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(gm_text_match(cases[i].patterns, cases[i].text), cases[i].matches);
}

static void test_match_of_many_stars_ends(void **state)
{
	(void)state;
	char text[4096];
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_false(gm_text_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab", text));
}

static void test_shorten_tells_that_it_cut(void **state)
{
	char text[8];
	(void)state;
	gm_text_shorten(text, sizeof(text), "1234567");
	assert_string_equal(text, "1234567");
	gm_text_shorten(text, sizeof(text), "12345678");
	assert_string_equal(text, "1234\xE2\x80\xA6");
	gm_text_shorten(text, sizeof(text), "123\xC3\xBC\xC3\xBC\xC3\xBC");
	assert_string_equal(text, "123\xE2\x80\xA6");
	gm_text_shorten(text, sizeof(text), NULL);
	assert_string_equal(text, "");
}

static void test_hexadecimal_digits(void **state)
{
	(void)state;
	assert_int_equal(gm_text_hex('0'), 0);
	assert_int_equal(gm_text_hex('9'), 9);
	assert_int_equal(gm_text_hex('a'), 10);
	assert_int_equal(gm_text_hex('F'), 15);
	for (const char *none = "/:@G`g \x01\x10\x19\xc1"; *none; none++)
		assert_int_equal(gm_text_hex(*none), -1);
	assert_int_equal(gm_text_hex('\0'), -1);
}

static void test_decimal_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text, *rest; /* NULL: none */
		double number;
	} cases[] = {
		{"1", "", 1},     {"-1.5e3", "", -1500},  {"+.5", "", 0.5},  {"10M", "M", 10},
		{"1e", "e", 1},   {"1-2", "-2", 1},       {"", NULL, 0},     {" 1", NULL, 0},
		{"e5", NULL, 0},  {"-", NULL, 0},         {"0x10", NULL, 0}, {"-0x1p3", NULL, 0},
		{"inf", NULL, 0}, {"-infinity", NULL, 0}, {"nan", NULL, 0},  {"1e999", NULL, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double number = 7;
		const char *end = gm_text_number(cases[i].text, &number);
		if (cases[i].rest)
			assert_string_equal(end, cases[i].rest);
		else
			assert_null(end);
		assert_true(number == (cases[i].rest ? cases[i].number : 7));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shorten_tells_that_it_cut),
		cmocka_unit_test(test_hexadecimal_digits),
		cmocka_unit_test(test_decimal_numbers),
		cmocka_unit_test(test_copy_replaces_what_is_malformed),
		cmocka_unit_test(test_copy_cuts_between_characters),
		cmocka_unit_test(test_quote_leaves_nothing_that_steers),
		cmocka_unit_test(test_quote_of_random_bytes_is_one_line_in_its_room),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_of_many_stars_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
