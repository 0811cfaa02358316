/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which transitions an output tells, by what was told before them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "north/output.h"

static void test_the_change_that_makes_it_severe_is_its_raise(void **state)
{
	struct gm_output_options options;
	struct gm_transition transition = {.kind = GM_TRANSITION_CHANGE,
					   .alarm = {.severity = GM_SEVERITY_CRITICAL,
						     .worst = GM_SEVERITY_CRITICAL,
						     .worst_before = GM_SEVERITY_WARNING}};
	(void)state;
	gm_option_defaults(gm_output_option_table, &options);
	options.severity = 0; /* critical */
	assert_true(gm_output_wants(&options, &transition));
	options.changes = false;
	assert_true(gm_output_wants(&options, &transition));
	transition.alarm.worst_before = GM_SEVERITY_CRITICAL;
	assert_false(gm_output_wants(&options, &transition));
	transition.alarm.worst_before = 0; /* a record of before: not known */
	assert_false(gm_output_wants(&options, &transition));
	/* It grew worse while it was suppressed, and that was never told. */
	transition.alarm.worst = transition.alarm.worst_before = GM_SEVERITY_WARNING;
	assert_false(gm_output_wants(&options, &transition));
	transition.kind = GM_TRANSITION_CLEAR;
	assert_false(gm_output_wants(&options, &transition));
}

static void test_what_it_may_have_told(void **state)
{
	struct gm_output_options options;
	struct gm_alarm alarm = {.severity = GM_SEVERITY_MINOR,
				 .worst = GM_SEVERITY_MAJOR,
				 .told_before = GM_SEVERITY_WARNING,
				 .worst_before = GM_SEVERITY_MAJOR};
	(void)state;
	gm_option_defaults(gm_output_option_table, &options);
	assert_int_equal(gm_output_told_before(&options, &alarm), 1U << GM_SEVERITY_WARNING);
	options.changes = false;
	options.severity = 2; /* minor */
	assert_int_equal(gm_output_told_before(&options, &alarm),
			 1U << GM_SEVERITY_MAJOR | 1U << GM_SEVERITY_MINOR);
	options.severity = 0;
	assert_int_equal(gm_output_told_before(&options, &alarm), 0);
	options.severity = 4;
	alarm.worst_before = alarm.told_before = 0;
	assert_int_equal(gm_output_told_before(&options, &alarm), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_change_that_makes_it_severe_is_its_raise),
		cmocka_unit_test(test_what_it_may_have_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
