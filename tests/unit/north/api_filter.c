/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribute-based filters: what is one, what is not and where, and what they select.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "north/api/filter.h"

static const char alarm[] = "{\"id\":\"7\",\"perceivedSeverity\":\"MINOR\",\"isRootCause\":false,"
			    "\"eventTime\":\"2026-01-02T03:04:05.000Z\",\"size\":10,"
			    "\"rootCauseFaultyResource\":{\"faultyResourceType\":\"COMPUTE\"},"
			    "\"faultDetails\":[\"grows 1.0 MiB/s\",\"guest=it's, (odd)\"],"
			    "\"a/b\":{\"c~d\":\"x\"},\"nothing\":null}";

static bool selects(const char *text)
{
	struct gm_filter *filter;
	struct gm_json *object;
	struct gm_error err;
	assert_int_equal(gm_json_parse(alarm, strlen(alarm), &object, NULL), 0);
	if (gm_filter_parse(text, &filter, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	bool matched = gm_filter_matches(filter, object);
	gm_filter_free(filter);
	gm_json_free(object);
	return matched;
}

static void test_selects(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool selected;
	} cases[] = {
		{"(eq,perceivedSeverity,MINOR)", true},
		{"(eq,perceivedSeverity,MINO)", false},
		{"(neq,perceivedSeverity,MINOR)", false},
		{"(neq,perceivedSeverity,MAJOR)", true},
		{"(in,perceivedSeverity,MAJOR,MINOR)", true},
		{"(nin,perceivedSeverity,MAJOR,MINOR)", false},
		{"(nin,perceivedSeverity,MAJOR,CRITICAL)", true},
		{"(eq,rootCauseFaultyResource/faultyResourceType,COMPUTE)", true},
		{"(eq,rootCauseFaultyResource/faultyResourceType,NETWORK)", false},
		{"(eq,rootCauseFaultyResource,COMPUTE)", false},
		{"(eq,isRootCause,false)", true},
		{"(eq,isRootCause,true)", false},
		{"(gt,size,9)", true},
		{"(gt,size,10)", false},
		{"(gte,size,10)", true},
		{"(lt,size,10.5)", true},
		{"(lte,size,9)", false},
		{"(gt,eventTime,2026-01-02T03:04:04.000Z)", true},
		{"(lt,eventTime,2026-01-02T03:04:04.000Z)", false},
		{"(cont,faultDetails,MiB)", true},
		{"(cont,faultDetails,GiB,MiB)", true},
		{"(cont,faultDetails,GiB)", false},
		{"(ncont,faultDetails,GiB)", true},
		{"(ncont,faultDetails,MiB)", false},
		{"(eq,faultDetails,'guest=it''s, (odd)')", true},
		{"(eq,a~1b/c~0d,x)", true},
		{"(eq,absent,x)", false},
		{"(neq,absent,x)", true},
		{"(eq,nothing,null)", false},
		{"(eq,id/x,7)", false},
		{"(eq,id,7);(eq,perceivedSeverity,MINOR)", true},
		{"(eq,id,7);(eq,perceivedSeverity,MAJOR)", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (selects(cases[i].text) != cases[i].selected)
			fail_msg("%s", cases[i].text);
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "character 1: '(' is expected"},
		{"eq,a,b", "character 1: '(' is expected"},
		{"(eq,a,b", "character 8: ')' is expected"},
		{"(eq,a)", "character 6: a value is missing"},
		{"(eq,,b)", "character 5: a name or a value is missing"},
		{"(eq,a,)", "character 7: a name or a value is missing"},
		{"(like,a,b)", "character 6: operators are"},
		{"(eq,a,b,c)", "one value"},
		{"(eq,a,b);", "character 10: '(' is expected"},
		{"(eq,a,b)x", "character 9: ';' or the end"},
		{"(eq,a,'b)", "a quote is not closed"},
		{"(eq,a,b'c')", "')' is expected"},
		{"(eq,a,\xff)", "not UTF-8"},
		{"((eq,a,b))", "a name or a value is missing"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_filter *filter;
		struct gm_error err = {.text = ""};
		assert_int_equal(gm_filter_parse(cases[i].text, &filter, &err), -EINVAL);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, err.text,
				 cases[i].says);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	struct gm_filter *filter;
	struct gm_buffer terms = GM_BUFFER_INIT(10000), values = GM_BUFFER_INIT(10000),
			 longest = GM_BUFFER_INIT(10000);
	for (int i = 0; i < GM_FILTER_TERMS; i++)
		gm_buffer_printf(&terms, "%s(eq,a,b)", i > 0 ? ";" : "");
	assert_int_equal(gm_filter_parse(terms.data, &filter, NULL), 0);
	gm_filter_free(filter);
	gm_buffer_printf(&terms, ";(eq,a,b)");
	assert_int_equal(gm_filter_parse(terms.data, &filter, NULL), -EINVAL);

	gm_buffer_printf(&values, "(in,a");
	for (int i = 0; i < GM_FILTER_VALUES; i++)
		gm_buffer_printf(&values, ",%d", i);
	struct gm_buffer one_more = GM_BUFFER_INIT(10000);
	gm_buffer_printf(&one_more, "%s,x)", values.data);
	gm_buffer_printf(&values, ")");
	assert_int_equal(gm_filter_parse(values.data, &filter, NULL), 0);
	gm_filter_free(filter);
	assert_int_equal(gm_filter_parse(one_more.data, &filter, NULL), -EINVAL);

	gm_buffer_printf(&longest, "(eq,a,");
	while (longest.length < GM_FILTER_TEXT - 1)
		gm_buffer_append(&longest, "x", 1);
	gm_buffer_append(&longest, ")", 1);
	assert_int_equal(gm_filter_parse(longest.data, &filter, NULL), 0);
	gm_filter_free(filter);
	gm_buffer_append(&longest, " ", 1);
	assert_int_equal(gm_filter_parse(longest.data, &filter, NULL), -EINVAL);
	gm_buffer_free(&terms);
	gm_buffer_free(&values);
	gm_buffer_free(&one_more);
	gm_buffer_free(&longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selects),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
