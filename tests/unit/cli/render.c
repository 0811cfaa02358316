/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for people: the lines of --help, and what is said in a table's last column: as it is, but for what would
 * steer the terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/render.h"

static void assert_entry(const char *synopsis, const char *help, const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	gm_render_entry(out, synopsis, help);
	fclose(out);
	assert_string_equal(text, wanted);
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
		assert_in_range(strcspn(line, "\n"), 1, GM_HELP_WIDTH);
	free(text);
}

#define MARGIN "                              "

static void test_help_stands_in_its_column(void **state)
{
	(void)state;
	assert_entry("status", "the daemon", "  status                      the daemon\n");
	assert_entry(
		"status", "the daemon, its sources, its store, its session",
		"  status                      the daemon, its sources, its store, its session\n");
	assert_entry("status", "the daemon, its sources, its store, its SNMP session",
		     "  status                      the daemon, its sources, its store, its "
		     "SNMP\n" MARGIN "session\n");
}

static void test_a_long_synopsis_has_lines_of_its_own(void **state)
{
	(void)state;
	assert_entry("actions [OUTPUT] [--since 1d]", "what was done",
		     "  actions [OUTPUT] [--since 1d]\n" MARGIN "what was done\n");
	/* An option and its value stay together. */
	assert_entry(
		"replay --detector NAME [--set KEY=VALUE]... [--entity NAME] [--link-speed BITS]",
		"runs",
		"  replay --detector NAME [--set KEY=VALUE]... [--entity NAME]\n"
		"      [--link-speed BITS]     runs\n");
}

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
		cmocka_unit_test(test_help_stands_in_its_column),
		cmocka_unit_test(test_a_long_synopsis_has_lines_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
