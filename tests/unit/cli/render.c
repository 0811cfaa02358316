/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said in a table's last column: as it is, but for what would steer the terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/render.h"

static void test_a_sentence_stands_without_quotes(void **state)
{
	static const struct {
		const char *sentence, *shown;
	} cases[] = {
		{"the receiver does not acknowledge", "the receiver does not acknowledge"},
		{"the answer is 500: \"no\\n\"", "the answer is 500: \"no\\\\n\""},
		{"\\\"", "\\\\\""},
		{"two\nlines\x1B[2J", "two\\nlines\\x1B[2J"},
		{"", "-"},
		{NULL, "-"},
	};
	char cell[GM_CELL], text[2 * GM_CELL];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(gm_render_sentence(cell, cases[i].sentence), cases[i].shown);
	memset(text, '"', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_true(strlen(gm_render_sentence(cell, text)) < sizeof(cell));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sentence_stands_without_quotes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
