/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms in Aodh's words: names that stay apart, marks that tell a repeat from a new transition, answers
 * that are no answers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/openstack/alarm_text.h"

static const uint8_t uuid[GM_UUID_SIZE] = {0x11, 0x22, 0x33};

static struct gm_transition transition(uint64_t sequence, int64_t time,
				       enum gm_transition_kind kind)
{
	struct gm_transition made = {.sequence = sequence, .kind = kind, .time = time};

	made.alarm = (struct gm_alarm){.id = 7,
				       .key = gm_entity_guest(uuid),
				       .detector = "leak",
				       .metric = "memory.used",
				       .severity = GM_SEVERITY_MAJOR,
				       .guest_name = "web-1",
				       .text = "web-1 grows"};
	memcpy(made.alarm.guest, uuid, sizeof(uuid));
	gm_evidence_set(&made.alarm.evidence, GM_EVIDENCE_SLOPE, 1048576);
	return made;
}

static void test_names(void **state)
{
	(void)state;
	struct gm_transition made = transition(1, 1, GM_TRANSITION_RAISE);
	char name[GM_AODH_NAME], other[GM_AODH_NAME], prefix[GM_AODH_NAME], node[300];
	uint8_t guest[GM_UUID_SIZE];

	assert_string_equal(
		gm_aodh_name("n1", &made.alarm, name),
		"guestmon/n1/guest:11223300-0000-0000-0000-000000000000/leak/memory.used");
	assert_true(gm_aodh_name_guest(name, gm_aodh_prefix("n1", prefix), guest));
	assert_memory_equal(guest, uuid, sizeof(uuid));
	assert_false(gm_aodh_name_guest(name, gm_aodh_prefix("n2", prefix), guest));
	assert_false(gm_aodh_name_guest("guestmon/n2/node/x", prefix, guest));
	assert_false(gm_aodh_name_guest("guestmon/n2/guest:1122", prefix, guest));
	snprintf(made.alarm.rule, sizeof(made.alarm.rule), "r");
	assert_non_null(strstr(gm_aodh_name("n1", &made.alarm, name), "/memory.used/r"));

	memset(node, 'n', sizeof(node) - 1);
	node[sizeof(node) - 1] = '\0';
	gm_aodh_name(node, &made.alarm, name);
	node[sizeof(node) - 2] = 'm';
	gm_aodh_name(node, &made.alarm, other);
	assert_true(strlen(name) <= 250);
	assert_string_not_equal(name, other);
	gm_aodh_prefix(node, prefix);
	assert_int_equal(strncmp(other, prefix, strlen(prefix)), 0);
}

static struct gm_json *described(const struct gm_transition *made, const char *alarm_state)
{
	struct gm_buffer text = GM_BUFFER_INIT(4096);
	struct gm_json *alarm = gm_json_object();

	gm_aodh_describe("n1", made, made->time + GM_MILLISECOND, &text);
	gm_json_set_text(alarm, "description", text.data);
	gm_json_set_text(alarm, "state", alarm_state);
	gm_buffer_free(&text);
	return alarm;
}

static void test_description(void **state)
{
	(void)state;
	struct gm_transition made = transition(12, 1767225600 * GM_SECOND, GM_TRANSITION_RAISE);
	struct gm_json *alarm = described(&made, "alarm");

	assert_string_equal(
		gm_json_get_text(alarm, "description"),
		"web-1 grows\nguest:11223300-0000-0000-0000-000000000000 on node n1: raise, "
		"severity major, alarm 7, guest web-1\nslope_bytes_per_s 1048576\n"
		"found 2026-01-01T00:00:00.000Z, sent 2026-01-01T00:00:00.001Z\n"
		"guestmon: n1/12@1767225600000000000");
	gm_json_free(alarm);
}

static void test_marks(void **state)
{
	(void)state;
	struct gm_transition fifth = transition(5, 500, GM_TRANSITION_RAISE);
	struct gm_transition fourth = transition(4, 400, GM_TRANSITION_CLEAR);
	struct gm_transition sixth = transition(6, 600, GM_TRANSITION_CLEAR);
	struct gm_transition anew = transition(1, 900, GM_TRANSITION_RAISE); /* state was emptied */
	struct gm_transition back = transition(6, 100, GM_TRANSITION_CLEAR); /* clock set back */
	struct gm_json *alarm = described(&fifth, "alarm");

	assert_true(gm_aodh_is_told(alarm, &fifth));
	assert_true(gm_aodh_is_told(alarm, &fourth));
	assert_false(gm_aodh_is_told(alarm, &sixth));
	assert_false(gm_aodh_is_told(alarm, &anew));
	assert_false(gm_aodh_is_told(alarm, &back));
	gm_json_free(alarm);
	alarm = described(&fifth, "ok"); /* somebody has reset it */
	assert_false(gm_aodh_is_told(alarm, &fifth));
	fifth.sequence = fourth.sequence = 0; /* what holds now */
	assert_false(gm_aodh_is_told(alarm, &fifth));
	assert_true(gm_aodh_is_told(alarm, &fourth));
	gm_json_free(alarm);
}

static void test_marks_of_others(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"guestmon: n1/9@999",
		"x\nguestmon: ",
		"x\nguestmon: /",
		"x\nguestmon: n1/@",
		"x\nguestmon: n1/9@",
		"x\nguestmon: n1/9@x",
		"x\nguestmon: n1/9@999\nchanged by hand",
		"x\nother: n1/9@999",
	};
	struct gm_transition made = transition(1, 1, GM_TRANSITION_RAISE);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gm_json *alarm = gm_json_object();

		gm_json_set_text(alarm, "description", texts[i]);
		gm_json_set_text(alarm, "state", "alarm");
		assert_false(gm_aodh_is_told(alarm, &made));
		gm_json_free(alarm);
	}
	assert_false(gm_aodh_is_told(NULL, &made));
}

static void test_lists(void **state)
{
	(void)state;
	static const char list[] =
		"[{\"name\":\"b\",\"alarm_id\":\"1\"},"
		"{\"name\":\"a\",\"alarm_id\":\"2\",\"timestamp\":\"2026-01-02\"},"
		"{\"name\":\"a\",\"alarm_id\":\"3\",\"timestamp\":\"2026-01-01\",\"state\":\"ok\"}"
		"]";
	static const char *const wrong[] = {"[7]",
					    "[{}]",
					    "[[]]",
					    "[{\"alarm_id\":\"../../x\"}]",
					    "[{\"alarm_id\":\"a?b\"}]",
					    "[{\"alarm_id\":7}]"};
	static const char *const no_list[] = {"", "{}", "7", "\"x\"", "null", "[", "  {}", "[]x"};
	const struct gm_json *found;
	struct gm_aodh_alarm alarm;
	struct gm_json *root;

	assert_int_equal(gm_aodh_list(list, strlen(list), &root), 0);
	assert_int_equal(gm_aodh_find(root, "a", &found), 0);
	assert_int_equal(gm_aodh_read(found, &alarm), 0);
	assert_string_equal(alarm.id, "3");
	assert_string_equal(alarm.state, "ok");
	assert_int_equal(gm_aodh_find(root, "c", &found), 0);
	assert_null(found);
	gm_json_free(root);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(gm_aodh_list(wrong[i], strlen(wrong[i]), &root), 0);
		assert_int_equal(gm_aodh_find(root, "a", &found), -EINVAL);
		gm_json_free(root);
	}
	for (size_t i = 0; i < sizeof(no_list) / sizeof(no_list[0]); i++)
		assert_int_equal(gm_aodh_list(no_list[i], strlen(no_list[i]), &root), -EINVAL);
}

static void test_bodies(void **state)
{
	(void)state;
	static const char held[] =
		"{\"name\":\"a\",\"alarm_actions\":[\"http://x\"],\"state\":\"ok\","
		"\"severity\":\"low\",\"description\":\"\"}";
	struct gm_buffer text = GM_BUFFER_INIT(4096);
	struct gm_json *body = gm_aodh_creation("a", "P", "low", "d", "http://x, http://y"), *found;

	assert_int_equal(gm_json_write(body, 0, &text), 0);
	assert_string_equal(
		text.data,
		"{\"name\":\"a\",\"type\":\"event\",\"description\":\"d\",\"severity\":\"low\","
		"\"state\":\"ok\",\"enabled\":true,\"repeat_actions\":false,\"event_rule\":"
		"{\"event_type\":\"guestmon.alarm\",\"query\":[{\"field\":\"traits.alarm\","
		"\"type\":"
		"\"string\",\"op\":\"eq\",\"value\":\"a\"}]},\"alarm_actions\":[\"http://x\","
		"\"http://y\"],\"project_id\":\"P\"}");
	gm_json_free(body);
	gm_buffer_free(&text);

	assert_int_equal(gm_json_parse(held, strlen(held), &found, NULL), 0);
	body = gm_aodh_changed(found, "alarm", "critical", "new");
	assert_int_equal(gm_json_write(body, 0, &text), 0);
	assert_string_equal(text.data,
			    "{\"name\":\"a\",\"alarm_actions\":[\"http://x\"],\"state\":\"alarm\","
			    "\"severity\":\"critical\",\"description\":\"new\"}");
	gm_json_free(body);
	gm_json_free(found);
	gm_buffer_free(&text);

	gm_aodh_escape(&text, "a/b c&d=\xc3\xa4~");
	assert_string_equal(text.data, "a%2Fb%20c%26d%3D%C3%A4~");
	gm_buffer_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_description),
		cmocka_unit_test(test_marks), cmocka_unit_test(test_marks_of_others),
		cmocka_unit_test(test_lists), cmocka_unit_test(test_bodies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
