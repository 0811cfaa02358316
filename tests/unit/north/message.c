/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message as JSON: every member, whatever a guest calls itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "north/message.h"
#include "support/message.h"

static struct gm_json *written(const struct gm_message *message)
{
	struct gm_buffer buffer = GM_BUFFER_INIT(GM_MESSAGE_MAX);
	struct gm_json *value = NULL;

	assert_int_equal(gm_message_write(message, &buffer), 0);
	assert_null(memchr(buffer.data, '\n', buffer.length));
	assert_int_equal(gm_json_parse(buffer.data, buffer.length, &value, NULL), 0);
	gm_buffer_free(&buffer);
	return value;
}

static void assert_text(const struct gm_json *object, const char *key, const char *text)
{
	assert_non_null(gm_json_get_text(object, key));
	assert_string_equal(gm_json_get_text(object, key), text);
}

static void test_every_member(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_json *value = written(&message);

	assert_text(value, "node", "node1");
	assert_text(value, "key", "node1/17");
	assert_int_equal(gm_json_get_integer(value, "sequence", 0), 17);
	assert_int_equal(gm_json_get_integer(value, "attempt", 0), 1);
	assert_int_equal(gm_json_get_integer(value, "alarm", 0), 5);
	assert_text(value, "state", "raise");
	assert_text(gm_json_get(value, "severity"), "name", "warning");
	assert_int_equal(gm_json_get_integer(gm_json_get(value, "severity"), "number", 0), 6);
	assert_text(gm_json_get(value, "event_type"), "name", "processingErrorAlarm");
	assert_text(gm_json_get(value, "probable_cause"), "name", "resourceAtOrNearingCapacity");
	assert_int_equal(gm_json_get_integer(gm_json_get(value, "probable_cause"), "number", 0),
			 541);
	assert_text(value, "entity", "guest:6c766d67-1f00-4000-8a10-100000000001");
	assert_text(gm_json_get(value, "guest"), "name", GM_TEST_HOSTILE);
	assert_text(gm_json_get(value, "guest"), "uuid", "6c766d67-1f00-4000-8a10-100000000001");
	assert_text(gm_json_get(value, "guest"), "project", "tenant \"a\"]");
	assert_text(value, "detector", "leak");
	assert_text(value, "metric", "memory.used");
	assert_text(value, "rule", "");
	assert_text(value, "text", transition.alarm.text);
	const struct gm_json *times = gm_json_get(value, "times");
	assert_text(times, "raised", "2023-11-14T22:13:20.123Z");
	assert_text(times, "found", "2023-11-14T22:13:20.123Z");
	assert_text(times, "journalled", "2023-11-14T22:13:20.125Z");
	assert_text(times, "sent", "2023-11-14T22:13:20.128Z");
	assert_null(gm_json_get_text(times, "cleared"));
	double slope = gm_json_get_number(gm_json_get(value, "evidence"), "slope_bytes_per_s", 0);
	assert_true(slope == 1048576);
	assert_text(value, "news", "condition");
	assert_text(value, "suppressed", "none");
	assert_int_equal(gm_json_size(gm_json_get(value, "acknowledged")), 0);
	gm_json_free(value);
}

static void test_what_people_made_of_it(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_alarm *alarm = &transition.alarm;

	gm_test_go_on(&transition, GM_TRANSITION_CHANGE, GM_SEVERITY_WARNING, 2);
	alarm->news = GM_NEWS_COMMENTED;
	alarm->acknowledged_at = alarm->commented_at = transition.time;
	alarm->comments = 1;
	snprintf(alarm->acknowledged_by, sizeof(alarm->acknowledged_by), "ann");
	snprintf(alarm->comment, sizeof(alarm->comment), "a \"known\" leak");
	struct gm_json *value = written(&message);
	assert_text(value, "news", "commented");
	assert_text(gm_json_get(value, "acknowledged"), "by", "ann");
	assert_text(gm_json_get(value, "acknowledged"), "at", "2023-11-14T22:13:22.123Z");
	assert_text(gm_json_get(value, "comment"), "text", "a \"known\" leak");
	assert_false(gm_transition_is_over(&transition));
	alarm->cleared_at = transition.time - GM_SECOND; /* an old alarm is commented */
	assert_true(gm_transition_is_over(&transition));
	gm_json_free(value);
}

static void test_clear_of_the_node(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);

	gm_test_go_on(&transition, GM_TRANSITION_CLEAR, GM_SEVERITY_MAJOR, 60);
	transition.alarm.key = gm_entity_node();
	memset(transition.alarm.guest, 0, GM_UUID_SIZE);
	transition.alarm.guest_name[0] = '\0';
	transition.journalled_at = 0;
	struct gm_json *value = written(&message);
	assert_text(value, "state", "clear");
	assert_text(gm_json_get(value, "severity"), "name", "major");
	assert_int_equal(gm_json_size(gm_json_get(value, "guest")), 0);
	assert_text(gm_json_get(value, "times"), "cleared", "2023-11-14T22:14:20.123Z");
	assert_null(gm_json_get_text(gm_json_get(value, "times"), "journalled"));
	assert_string_equal(gm_alarm_source(&transition.alarm, "node1"), "node1");
	gm_json_free(value);
}

static void test_broken_names_become_text(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);

	memset(transition.alarm.guest_name, 0xFF, sizeof(transition.alarm.guest_name) - 1);
	memset(transition.alarm.text, 1, sizeof(transition.alarm.text) - 1);
	gm_json_free(written(&message));
}

static void test_numbers_that_have_no_name(void **state)
{
	(void)state;
	assert_string_equal(gm_cause_name((enum gm_probable_cause)1), "other");
	assert_string_equal(gm_event_type_name((enum gm_event_type)99), "other");
	assert_string_equal(gm_cause_name(GM_CAUSE_THRESHOLD_CROSSED), "thresholdCrossed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member),
		cmocka_unit_test(test_what_people_made_of_it),
		cmocka_unit_test(test_clear_of_the_node),
		cmocka_unit_test(test_broken_names_become_text),
		cmocka_unit_test(test_numbers_that_have_no_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
