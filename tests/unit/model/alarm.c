/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm's record: the journal reads back what it wrote, and refuses what it did not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/alarm.h"

static struct gm_alarm example(void)
{
	uint8_t uuid[GM_UUID_SIZE] = {1, 2, 3};
	struct gm_alarm alarm = {
		.id = 4000000000U,
		.key = gm_entity_interface("vnet0"),
		.detector = "burst",
		.metric = "net.rx.bytes",
		.rule = "busy-port",
		.severity = GM_SEVERITY_MINOR,
		.worst = GM_SEVERITY_MAJOR,
		.told_before = GM_SEVERITY_WARNING,
		.worst_before = GM_SEVERITY_MAJOR,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_CONGESTION,
		.raised_at = INT64_C(1700000000123456789),
		.changed_at = INT64_C(1700000000123456790),
		.guest_index = 7,
		.guest_name = "we\"b\n-1 \xC3\xBC",
		.project = "tenant-a",
		.text = "a sentence",
	};
	memcpy(alarm.guest, uuid, sizeof(uuid));
	gm_evidence_set(&alarm.evidence, GM_EVIDENCE_PEAK, 1e9);
	return alarm;
}

static void test_round_trip(void **state)
{
	(void)state;
	struct gm_alarm one = example(), other;
	struct gm_json *object = gm_alarm_to_json(&one), *again;
	struct gm_buffer text = GM_BUFFER_INIT(65536);
	assert_int_equal(gm_json_write(object, 0, &text), 0);
	assert_int_equal(gm_json_parse(text.data, text.length, &again, NULL), 0);
	assert_int_equal(gm_alarm_from_json(again, &other, NULL), 0);
	assert_memory_equal(&one, &other, sizeof(one));
	gm_json_free(object);
	gm_json_free(again);
	gm_buffer_free(&text);
}

/* All that the engine and people make of an alarm comes back, word by word. */
static void test_round_trip_of_what_is_said(void **state)
{
	(void)state;
	for (int i = 0; i < GM_NEWS_COUNT; i++) {
		struct gm_alarm one = example(), other;
		one.news = (enum gm_alarm_news)i;
		one.suppressed = (enum gm_suppression)(i % GM_SUPPRESSION_COUNT);
		one.ended_at = INT64_C(1700000000123456791);
		one.flaps = UINT32_MAX;
		one.correlation = 17;
		one.acknowledged_at = INT64_C(1700000000123456792);
		memset(one.acknowledged_by, 'a', sizeof(one.acknowledged_by) - 1);
		one.comments = 3;
		one.commented_at = INT64_C(1700000000123456793);
		snprintf(one.commented_by, sizeof(one.commented_by), "o\"x\n");
		memset(one.comment, '\1', sizeof(one.comment) - 1);
		struct gm_json *object = gm_alarm_to_json(&one);
		assert_int_equal(gm_alarm_from_json(object, &other, NULL), 0);
		assert_memory_equal(&one, &other, sizeof(one));
		gm_json_free(object);
	}
}

/* Of a newer version, or from a hand that meant it well: what is not understood is left out. */
static void test_words_that_are_not_known(void **state)
{
	(void)state;
	static const char text[] =
		"{\"id\":9,\"entity\":\"node\",\"severity\":\"major\",\"news\":\"melted\","
		"\"suppressed\":7,\"flaps\":-1,\"correlation\":4294967296,\"comments\":\"x\","
		"\"acknowledged_by\":[],\"comment\":{},\"unheard\":1}";
	struct gm_json *object;
	struct gm_alarm alarm;
	assert_int_equal(gm_json_parse(text, strlen(text), &object, NULL), 0);
	assert_int_equal(gm_alarm_from_json(object, &alarm, NULL), 0);
	assert_int_equal(alarm.news, GM_NEWS_CONDITION);
	assert_int_equal(alarm.suppressed, GM_SUPPRESSION_NONE);
	assert_int_equal(alarm.flaps, 0);
	assert_int_equal(alarm.correlation, 0);
	assert_int_equal(alarm.comments, 0);
	assert_string_equal(alarm.acknowledged_by, "");
	assert_string_equal(alarm.comment, "");
	gm_json_free(object);
}

/* As journals hold them that were written before alarms had rules. */
static void test_record_without_rule(void **state)
{
	(void)state;
	static const char text[] =
		"{\"id\":9,\"entity\":\"node\",\"severity\":\"major\",\"detector\":"
		"\"leak\",\"metric\":\"memory.used\"}";
	struct gm_json *object;
	struct gm_alarm alarm;
	assert_int_equal(gm_json_parse(text, strlen(text), &object, NULL), 0);
	assert_int_equal(gm_alarm_from_json(object, &alarm, NULL), 0);
	assert_string_equal(alarm.detector, "leak");
	assert_string_equal(alarm.rule, "");
	gm_json_free(object);
}

static void test_refuses(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{}",
		"{\"id\":0,\"entity\":\"node\",\"severity\":\"major\"}",
		"{\"id\":1,\"entity\":\"nobody\",\"severity\":\"major\"}",
		"{\"id\":1,\"entity\":\"node\",\"severity\":\"grave\"}",
		"{\"id\":1,\"entity\":\"node\",\"severity\":\"major\",\"guest\":\"x\"}",
		"{\"id\":4294967296,\"entity\":\"node\",\"severity\":\"major\"}",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gm_json *object;
		struct gm_alarm alarm;
		struct gm_error err = {.text = ""};
		assert_int_equal(gm_json_parse(texts[i], strlen(texts[i]), &object, NULL), 0);
		assert_int_equal(gm_alarm_from_json(object, &alarm, &err), -EINVAL);
		assert_non_null(strstr(err.text, "alarm"));
		gm_json_free(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_what_is_said),
		cmocka_unit_test(test_words_that_are_not_known),
		cmocka_unit_test(test_record_without_rule),
		cmocka_unit_test(test_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
