/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence as JSON and back; what is not finite is absent.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/finding.h"

static void test_round_trip(void **state)
{
	(void)state;
	struct gm_evidence one = {.direction = "rx",
				  .contributors = "cpu.time,net.rx.bytes",
				  .unit = "B/s",
				  .origin = "external 1-2"},
			   other;
	gm_evidence_set(&one, GM_EVIDENCE_SLOPE, 1048576.5);
	gm_evidence_set(&one, GM_EVIDENCE_START, 1700000000.125);
	gm_evidence_set(&one, GM_EVIDENCE_PEAK, INFINITY);
	struct gm_json *object = gm_evidence_to_json(&one);
	assert_null(gm_json_get(object, "peak_bps"));
	gm_evidence_from_json(object, &other);
	gm_json_free(object);
	assert_memory_equal(&one, &other, sizeof(one));
}

static void test_from_what_is_no_evidence(void **state)
{
	(void)state;
	static const char text[] = "{\"slope_bytes_per_s\":\"fast\",\"direction\":7,"
				   "\"contributors\":[1,\"a\",null],\"other\":{}}";
	struct gm_json *object;
	struct gm_evidence evidence;
	assert_int_equal(gm_json_parse(text, sizeof(text) - 1, &object, NULL), 0);
	gm_evidence_from_json(object, &evidence);
	assert_int_equal(evidence.present, 0);
	assert_string_equal(evidence.direction, "");
	assert_string_equal(evidence.contributors, "a");
	gm_evidence_from_json(NULL, &evidence);
	gm_json_free(object);
}

static void test_severities(void **state)
{
	(void)state;
	enum gm_severity severity;
	for (int i = GM_SEVERITY_CLEARED; i <= GM_SEVERITY_WARNING; i++) {
		assert_int_equal(
			gm_severity_parse(gm_severity_name((enum gm_severity)i), &severity), 0);
		assert_int_equal(severity, i);
	}
	assert_int_equal(gm_severity_parse("bad", &severity), -EINVAL);
	assert_int_equal(gm_severity_parse(NULL, &severity), -EINVAL);
	assert_string_equal(gm_severity_name((enum gm_severity)99), "indeterminate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_from_what_is_no_evidence),
		cmocka_unit_test(test_severities),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
