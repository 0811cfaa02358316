/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: what they come to, and what is refused, where and why.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/policy_program.h"
#include "model/metric.h"

static struct gm_policy_program *compile(const char *text)
{
	struct gm_policy_program *program = NULL;
	struct gm_policy_place place;
	struct gm_error err;

	if (gm_policy_compile(text, &program, &place, &err) < 0)
		fail_msg("%s: %zu:%zu: %s", text, place.line, place.column, err.text);
	return program;
}

/* The result where load.1 is 2, load.5 is 5 and load.15 is not known. */
static struct gm_policy_result result_of(const char *text)
{
	struct gm_policy_program *program = compile(text);
	double values[GM_POLICY_SERIES];

	for (size_t i = 0; i < program->series_count; i++)
		values[i] = program->series[i].metric == GM_METRIC_LOAD_1   ? 2
			    : program->series[i].metric == GM_METRIC_LOAD_5 ? 5
									    : (double)NAN;
	struct gm_policy_result result = gm_policy_run(program, values);
	free(program);
	return result;
}

static void conditions_come_to_what_they_say(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double truth; /* -1: unknown */
	} cases[] = {
		{"load.1 < 2", 0},
		{"load.1 <= 2", 1},
		{"load.1 > 1.9", 1},
		{"load.1 >= 2", 1},
		{"load.1 == 2", 1},
		{"load.1 != 2", 0},
		{"1+load.1*load.5 == 11", 1},
		{"(1 + load.1) * load.5 == 15", 1},
		{"load.5 - load.1 - 1 == 2", 1},
		{"load.5 / load.1 / 5 == 0.5", 1},
		{"-load.1 + - -3 == 1", 1},
		{"load.1 == 200%", 1},
		{"load.1 * 512 == 1Ki and load.1 * 32k == 64000 and load.1 == 2e0", 1},
		{"load.1 < 1 or load.1 == 2 and load.5 == 5", 1},
		{"(load.1 < 1 or load.1 == 2) and load.5 < 5", 0},
		{"not load.1 > 2 and not not load.5 > 2", 1},
		{"not (load.1 > 2 or load.5 > 2)", 0},
		{"load.15 > 0", -1},
		{"load.15 > 0 and load.1 > 2", 0},
		{"load.15 > 0 and load.1 < 9", -1},
		{"load.15 > 0 or load.1 < 9", 1},
		{"load.15 > 0 or load.1 > 9", -1},
		{"not load.15 > 0", -1},
		{"load.1 / (load.5 - 5) > 0", -1},
		{"load.1\n\t>\r\n1", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double truth = result_of(cases[i].text).truth;

		if (cases[i].truth < 0 ? !isnan(truth) : truth != cases[i].truth)
			fail_msg("%s is %g", cases[i].text, truth);
	}
}

static void the_comparison_that_decided_is_shown(void **state)
{
	(void)state;
	struct gm_policy_result result = result_of("load.1 > 10 or load.5 > 4");

	assert_true(result.value == 5 && result.limit == 4);
	result = result_of("load.1 > 1 and load.5 > 8");
	assert_true(result.truth == 0 && result.value == 5 && result.limit == 8);
	result = result_of("not load.1 > 8");
	assert_true(result.truth == 1 && result.value == 2 && result.limit == 8);
	assert_true(isnan(result_of("load.15 > 1").value));
}

static void series_are_read_once_each(void **state)
{
	(void)state;
	struct gm_policy_program *program = compile(
		"avg(memory.used, 30s) / memory.total > 0.9 and rate(net.rx.dropped, 500ms) > "
		"100 and p95(memory.used, 5m) > avg(memory.used, 30s) and "
		"percentile(memory.used, 300s, 95) > 0");

	assert_int_equal(program->series_count, 4);
	assert_int_equal(program->series[0].metric, GM_METRIC_MEMORY_USED);
	assert_int_equal(program->series[0].function, GM_FUNCTION_AVG);
	assert_int_equal(program->series[0].window, INT64_C(30000000000));
	assert_int_equal(program->series[1].function, GM_FUNCTION_VALUE);
	assert_int_equal(program->series[1].window, 0);
	assert_int_equal(program->series[2].function, GM_FUNCTION_RATE);
	assert_int_equal(program->series[2].window, 500000000);
	assert_int_equal(program->series[3].function, GM_FUNCTION_PERCENTILE);
	assert_true(program->series[3].percentile == 95);
	free(program);
}

static void anukets_names_are_understood(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned metric;
	} names[] = {
		{"vm.vcpu", GM_METRIC_VCPU_TIME},
		{"vm.cpu-total", GM_METRIC_CPU_TIME},
		{"vm.memory-used", GM_METRIC_MEMORY_USED},
		{"vm.memory-swap_in", GM_METRIC_SWAP_IN},
		{"vm.if_octets.rx", GM_METRIC_NET_RX_BYTES},
		{"vm.if_packets.tx", GM_METRIC_NET_TX_PACKETS},
		{"vm.if_errors.rx", GM_METRIC_NET_RX_ERRORS},
		{"vm.if_dropped.tx", GM_METRIC_NET_TX_DROPPED},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "max(%s, 1s) > 0", names[i].name);
		struct gm_policy_program *program = compile(text);
		assert_int_equal(program->series[0].metric, names[i].metric);
		free(program);
	}
	assert_int_equal(gm_policy_metric("vm.if_octets"), GM_METRIC_NONE);
}

static void mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t line, column;
		const char *message;
	} cases[] = {
		{"", 1, 1, "the condition ends where a number, a metric or a function is expected"},
		{"load.1", 1, 1,
		 "a number stands where a condition is expected, such as a comparison"},
		{"load.1 >", 1, 9, "the condition ends where"},
		{"load.1 > > 2", 1, 10, "\">\" stands where a number, a metric or a function"},
		{"load.1 > 2 and load.5", 1, 16, "a number stands where a condition"},
		{"(load.1 > 2) + 1 > 2", 1, 1, "a condition stands where a number is expected"},
		{"1 < load.1 < 2", 1, 12, "\"<\" stands where `and`, `or` or the end"},
		{"load.2 > 1", 1, 1, "there is no metric \"load.2\""},
		{"load.1-1 > 1", 1, 1, "(a minus sign needs a space before it)"},
		{"load.1 > 2 &&\nload.5 > 1", 1, 12, "\"&\" stands where"},
		{"load.1 > 2 and\n  med(load.5, 1s) > 1", 2, 3, "there is no function \"med\""},
		{"max(load.1) > 1", 1, 11, "a comma and a window is expected"},
		{"max(load.1, 1) > 1", 1, 13, "a window from 10ms to 24h"},
		{"max(load.1, 5ms) > 1", 1, 13, "a window from 10ms to 24h"},
		{"max(load.1, 2d) > 1", 1, 13, "a window from 10ms to 24h"},
		{"max(load.1, 1s > 1", 1, 16, "a closing parenthesis is expected"},
		{"max(2, 1s) > 1", 1, 5, "the name of a metric is expected"},
		{"percentile(load.1, 1s) > 1", 1, 22, "the percentile, 1 to 99,"},
		{"percentile(load.1, 1s, 100) > 1", 1, 24, "a percentile from 1 to 99"},
		{"p100(load.1, 1s) > 1", 1, 1, "there is no function \"p100\""},
		{"load.1 > 3x", 1, 10, "\"3x\" stands where a number, such as"},
		{"load.1 > 0x10", 1, 10, "\"0x10\" stands where a number"},
		{"1 < 2", 1, 1, "the condition names no metric"},
		{"load.1 > \xC3\xBC", 1, 10, "\"\xC3\xBC\" stands where"},
		{"(load.1 > 1\n) )", 2, 3, "\")\" stands where `and`"},
		{"not and", 1, 5, "\"and\" stands where"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_policy_program *program = NULL;
		struct gm_policy_place place = {.at = 0};
		struct gm_error err = {.text = ""};

		assert_int_equal(gm_policy_compile(cases[i].text, &program, &place, &err), -EINVAL);
		assert_null(program);
		if (place.line != cases[i].line || place.column != cases[i].column ||
		    !strstr(err.text, cases[i].message))
			fail_msg("%s: %zu:%zu: %s", cases[i].text, place.line, place.column,
				 err.text);
	}
}

static int compile_repeated(const char *begin, const char *piece, size_t times, const char *end)
{
	struct gm_policy_program *program = NULL;
	char *text = calloc(1, strlen(begin) + times * strlen(piece) + strlen(end) + 1);
	size_t used = strlen(begin);

	memcpy(text, begin, used);
	for (size_t i = 0; i < times; i++, used += strlen(piece))
		memcpy(text + used, piece, strlen(piece));
	memcpy(text + used, end, strlen(end));
	int result = gm_policy_compile(text, &program, NULL, NULL);
	free(program);
	free(text);
	return result;
}

static void size_and_depth_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(compile_repeated("load.1 > 1", " and load.1 > 1", 40, ""), 0);
	assert_int_equal(compile_repeated("load.1 > 1", " and load.1 > 1", 1000, ""), -EINVAL);
	assert_int_equal(compile_repeated("", "not ", 20, "load.1 > 1"), 0);
	assert_int_equal(compile_repeated("", "not ", 100000, "load.1 > 1"), -EINVAL);
	assert_int_equal(compile_repeated("", "(", 100000, "load.1 > 1"), -EINVAL);
	assert_int_equal(compile_repeated("load.1 > ", "-", 100000, "1"), -EINVAL);
	assert_int_equal(compile_repeated("load.1 > ", "9", 100000, ""), -EINVAL);
	assert_int_equal(compile_repeated("", "a", 100000, " > 1"), -EINVAL);
}

/* Any bytes give a program or a place within the text. */
static void nonsense_is_survived(void **state)
{
	(void)state;
	static const char *const pieces[] = {
		"load.1", "(", ")", "and ", "or ", "not ", "<",       ">=", "max(", ", ",
		"1s",     "3", "-", "/",    "p95", "\xC3", "vm.vcpu", ".5", "1e+",  "%"};
	uint32_t noise = 7;

	for (int run = 0; run < 20000; run++) {
		char text[128] = "";
		size_t used = 0;

		while (used < 100) {
			noise = noise * 1664525u + 1013904223u;
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
						 pieces[(noise >> 16) % 20]);
			if (noise >> 29 == 0)
				break;
		}
		struct gm_policy_program *program = NULL;
		struct gm_policy_place place = {.at = SIZE_MAX};
		int result = gm_policy_compile(text, &program, &place, NULL);
		if (result == 0) {
			double values[GM_POLICY_SERIES] = {0};
			gm_policy_run(program, values);
			free(program);
		} else {
			assert_int_equal(result, -EINVAL);
			assert_true(place.at <= strlen(text));
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_come_to_what_they_say),
		cmocka_unit_test(the_comparison_that_decided_is_shown),
		cmocka_unit_test(series_are_read_once_each),
		cmocka_unit_test(anukets_names_are_understood),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(nonsense_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
