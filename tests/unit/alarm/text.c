/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentences of alarms: units, missing evidence, hostile names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alarm/text.h"
#include "base/text.h"

static struct gm_alarm alarm_of(const char *detector, const char *name)
{
	struct gm_alarm alarm = {.id = 1, .key = gm_entity_interface("tap0")};

	snprintf(alarm.detector, sizeof(alarm.detector), "%s", detector);
	snprintf(alarm.metric, sizeof(alarm.metric), "memory.used");
	gm_text_copy(alarm.guest_name, sizeof(alarm.guest_name), name);
	return alarm;
}

static void test_leak(void **state)
{
	struct gm_alarm alarm = alarm_of("leak", "web-1");

	(void)state;
	alarm.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory of web-1 leaks");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SLOPE, 1048576);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_EXHAUSTION, 38);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory of web-1 grows 1.0 MiB/s, exhausted in 38 s");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SLOPE, 300);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_EXHAUSTION, 86400 * 3);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory of web-1 grows 300 B/s, exhausted in 3 days");
	alarm.cleared_at = 1;
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_USED, 2.5 * 1073741824.0);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory of web-1 no longer grows, 2.5 GiB in use");
}

static void a_leak_names_where_it_is(void **state)
{
	struct gm_alarm alarm = alarm_of("leak", "web-1");

	(void)state;
	alarm.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SLOPE, 1048576);
	gm_text_copy(alarm.evidence.contributors, sizeof(alarm.evidence.contributors),
		     "12/bad\x1bname");
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text,
			    "memory of web-1 grows 1.0 MiB/s, from \"12/bad\\x1Bname\"");
	alarm.evidence.contributors[0] = '\0';
	snprintf(alarm.metric, sizeof(alarm.metric), "memory.resident");
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory of the host's process for web-1 grows 1.0 MiB/s");
}

static void test_burst(void **state)
{
	struct gm_alarm alarm = alarm_of("burst", "web-1");

	(void)state;
	snprintf(alarm.evidence.direction, sizeof(alarm.evidence.direction), "rx");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_PEAK, 930e6);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SPEED, 1e9);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_DURATION, 0.05);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VOLUME, 6 * 1048576);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "burst received by web-1 (tap0), peak 930 Mbit/s of 1.0 "
					"Gbit/s for 50 ms, 6.0 MiB");
	alarm.guest_name[0] = '\0';
	snprintf(alarm.evidence.direction, sizeof(alarm.evidence.direction), "tx");
	gm_alarm_describe(&alarm, "");
	assert_memory_equal(alarm.text, "burst sent by if:tap0, peak", 27);
}

static void test_others(void **state)
{
	struct gm_alarm alarm = alarm_of("threshold", "a b");

	(void)state;
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VALUE, 97.5);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_LIMIT, 90);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text,
			    "memory.used of \"a b\" (tap0) is past its limit: 97.5, limit 90");
	/* With the unit, where the detector tells it, and so that the two differ. */
	snprintf(alarm.evidence.unit, sizeof(alarm.evidence.unit), "B");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VALUE, 1550320000);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_LIMIT, 3145728);
	gm_alarm_describe(&alarm, "{value} of {limit}");
	assert_string_equal(alarm.text, "1.444 GiB of 3 MiB");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_LIMIT, 1550319999);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory.used of \"a b\" (tap0) is past its limit: "
					"1.443848014 GiB, limit 1.443848013 GiB");
	snprintf(alarm.detector, sizeof(alarm.detector), "forest");
	gm_alarm_describe(&alarm, "");
	assert_non_null(strstr(alarm.text, "forest"));
	snprintf(alarm.detector, sizeof(alarm.detector), "anomaly");
	snprintf(alarm.evidence.contributors, sizeof(alarm.evidence.contributors), "cpu.time,x");
	gm_alarm_describe(&alarm, "");
	assert_non_null(strstr(alarm.text, "cpu.time,x"));
}

static void test_anomalies(void **state)
{
	struct gm_alarm alarm = alarm_of("anomaly", "web-1");

	(void)state;
	snprintf(alarm.metric, sizeof(alarm.metric), "score");
	alarm.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SCORE, 0.9);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_PEER_COUNT, 9);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_PEERS_ALIKE, 7);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(
		alarm.text,
		"web-1 behaves abnormally, score 0.90; so do 7 of 9 guests of its flavor");
	alarm.cleared_at = 1;
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "web-1 behaves as usual again");

	alarm = (struct gm_alarm){.detector = "anomaly", .metric = "hw.memory.corrected"};
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VALUE, 0.25);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_LIMIT, 0.0001);
	gm_text_copy(alarm.evidence.contributors, sizeof(alarm.evidence.contributors),
		     "hw.memory.corrected");
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "node counts errors, 0.25/s where 0.0001/s is usual, from "
					"\"hw.memory.corrected\"");
	alarm.cleared_at = 1;
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "hw.memory.corrected of node is as usual again");
}

static void test_learned_and_self(void **state)
{
	struct gm_alarm alarm = alarm_of("learned", "web-1");

	(void)state;
	snprintf(alarm.metric, sizeof(alarm.metric), "gc-storm");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SCORE, 0.987);
	snprintf(alarm.evidence.contributors, sizeof(alarm.evidence.contributors), "cpu.time");
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "web-1 (tap0) shows the known fault gc-storm, "
					"probability 0.987, from \"cpu.time\"");

	alarm = (struct gm_alarm){.detector = "self", .metric = "sourceUnavailable", .rule = "tap"};
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_DURATION, 16);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text,
			    "node: the source of samples (tap) is unavailable for 16 s");
	alarm.cleared_at = 1;
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "node: the source of samples (tap) is available again");
	alarm = (struct gm_alarm){.detector = "self", .metric = "outputLoss", .rule = "oncall"};
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VALUE, 42);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text,
			    "node: the output (oncall) has given up messages, 42 so far");
}

static void test_external(void **state)
{
	struct gm_alarm alarm = alarm_of("leak", "web-1");

	(void)state;
	snprintf(alarm.detector, sizeof(alarm.detector), "forest");
	snprintf(alarm.evidence.origin, sizeof(alarm.evidence.origin), "external 1-0");
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory.used of web-1 (tap0): found by forest (external)");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SLOPE, 1048576);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_CONFIDENCE, 0.5);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory.used of web-1 (tap0): found by forest (external): "
					"slope_bytes_per_s 1048576, confidence 0.5");
	alarm.evidence.present = 0;
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VALUE, 1048577 * 1024.0);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_LIMIT, 1048576 * 1024.0);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_SCORE, 0.5);
	snprintf(alarm.evidence.unit, sizeof(alarm.evidence.unit), "B");
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory.used of web-1 (tap0): found by forest (external): "
					"value 1.000001 GiB, limit 1 GiB, score 0.5");
	alarm.cleared_at = 1;
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory.used of web-1 (tap0): forest (external) finds "
					"nothing any more");
}

static void test_hostile_names(void **state)
{
	static const char *const names[] = {"a\nCLEAR all", "\x1b[2J", "\"", "quo\"te", "\xff\xfe"};
	char longest[GM_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct gm_alarm alarm = alarm_of("burst", names[i]);

		gm_alarm_describe(&alarm, "");
		assert_true(gm_text_is_utf8(alarm.text));
		for (const char *at = alarm.text; *at; at++)
			assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
	}
	memset(longest, '\n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	struct gm_alarm alarm = alarm_of("anomaly", longest);
	memset(alarm.evidence.contributors, 'x', sizeof(alarm.evidence.contributors) - 1);
	gm_alarm_describe(&alarm, "");
	assert_true(strlen(alarm.text) < sizeof(alarm.text));
	assert_true(strlen(alarm.text) > 100);
}

static void test_rules(void **state)
{
	struct gm_alarm alarm = alarm_of("threshold", "web-1");

	(void)state;
	alarm.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	snprintf(alarm.rule, sizeof(alarm.rule), "low-memory");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VALUE, 5);
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_LIMIT, 4.5);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text,
			    "memory.used of web-1 is past its limit (low-memory): 5, limit 4.5");
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_DURATION, 30);
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text, "memory.used of web-1 has no value for 30 s (low-memory)");
	alarm.cleared_at = 1;
	gm_alarm_describe(&alarm, "");
	assert_string_equal(alarm.text,
			    "memory.used of web-1 is told again (low-memory): 5, limit 4.5");
}

static void test_messages(void **state)
{
	static const char message[] =
		"{guest}/{project} {{{severity}}}: {metric} {value} > {limit} "
		"by {rule} on {entity}";
	struct gm_alarm alarm = alarm_of("policy", "a \"\033[2J\n{value}");

	(void)state;
	alarm.severity = GM_SEVERITY_MAJOR;
	snprintf(alarm.rule, sizeof(alarm.rule), "full");
	snprintf(alarm.project, sizeof(alarm.project), "shop");
	alarm.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_VALUE, 5);
	gm_alarm_describe(&alarm, message);
	/* What a guest calls itself is quoted, and not taken for a template. */
	assert_string_equal(
		alarm.text,
		"\"a \\\"\\x1B[2J\\n{value}\"/shop {major}: memory.used 5 > ? by full on "
		"guest:01000000-0000-0000-0000-000000000000");
	alarm.cleared_at = 1;
	gm_alarm_describe(&alarm, message);
	assert_non_null(strstr(alarm.text, ": policy full applies no longer: 5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leak),      cmocka_unit_test(a_leak_names_where_it_is),
		cmocka_unit_test(test_burst),     cmocka_unit_test(test_others),
		cmocka_unit_test(test_external),  cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_rules),     cmocka_unit_test(test_messages),
		cmocka_unit_test(test_anomalies), cmocka_unit_test(test_learned_and_self),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
