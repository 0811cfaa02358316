/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms of a webhook, each read back as its receiver would, with names that want to break out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "north/webhook/format.h"
#include "support/message.h"

enum { BODY = 1 << 20 };

static struct gm_webhook_context context_of(const char *template, int escape)
{
	return (struct gm_webhook_context){
		.output = "oncall",
		.generator_url = "http://nms/",
		.hold = 240 * GM_SECOND,
		.template = template,
		.escape = escape,
	};
}

static struct gm_json *body_of(enum gm_webhook_format_id format,
			       const struct gm_webhook_context *context,
			       const struct gm_message *message)
{
	struct gm_buffer body = GM_BUFFER_INIT(BODY);
	struct gm_json *value = NULL;

	assert_int_equal(gm_webhook_formats[format].write(context, message, &body), 0);
	assert_int_equal(gm_json_parse(body.data, body.length, &value, NULL), 0);
	gm_buffer_free(&body);
	return value;
}

static void assert_text(const struct gm_json *object, const char *key, const char *text)
{
	assert_non_null(gm_json_get_text(object, key));
	assert_string_equal(gm_json_get_text(object, key), text);
}

static void test_names_are_those_of_the_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < GM_WEBHOOK_FORMATS; i++)
		assert_string_equal(gm_webhook_format_names[i], gm_webhook_formats[i].name);
	assert_null(gm_webhook_format_names[GM_WEBHOOK_FORMATS]);
}

static void test_alertmanager_raise_and_clear(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_webhook_context context = context_of(NULL, 0);
	struct gm_json *array = body_of(GM_WEBHOOK_ALERTMANAGER, &context, &message);
	const struct gm_json *alert = gm_json_at(array, 0), *labels = gm_json_get(alert, "labels");

	assert_int_equal(gm_json_size(array), 1);
	assert_text(labels, "alertname", "GuestmonLeak");
	assert_text(labels, "alarm", "5");
	assert_text(labels, "node", "node1");
	assert_text(labels, "guest", GM_TEST_HOSTILE);
	assert_text(labels, "severity", "warning");
	assert_null(gm_json_get(labels, "rule")); /* empty: none */
	assert_text(gm_json_get(alert, "annotations"), "key", "node1/17");
	assert_text(alert, "startsAt", "2023-11-14T22:13:20.123Z");
	assert_text(alert, "endsAt", "2023-11-14T22:17:20.128Z"); /* unless repeated */
	assert_text(alert, "generatorURL", "http://nms/");
	gm_json_free(array);

	gm_test_go_on(&transition, GM_TRANSITION_CLEAR, GM_SEVERITY_WARNING, 7);
	array = body_of(GM_WEBHOOK_ALERTMANAGER, &context, &message);
	assert_text(gm_json_at(array, 0), "endsAt", "2023-11-14T22:13:27.123Z");
	gm_json_free(array);

	transition.kind = GM_TRANSITION_CHANGE; /* an old alarm is commented: it stays over */
	array = body_of(GM_WEBHOOK_ALERTMANAGER, &context, &message);
	assert_text(gm_json_at(array, 0), "endsAt", "2023-11-14T22:13:27.123Z");
	gm_json_free(array);

	transition.alarm.cleared_at = transition.alarm.raised_at - GM_SECOND; /* a clock set back */
	array = body_of(GM_WEBHOOK_ALERTMANAGER, &context, &message);
	assert_text(gm_json_at(array, 0), "endsAt", "2023-11-14T22:13:20.123Z");
	gm_json_free(array);
}

static void test_alertmanager_change_of_severity_ends_the_other_alert(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_webhook_context context = context_of(NULL, 0);

	gm_test_go_on(&transition, GM_TRANSITION_CHANGE, GM_SEVERITY_CRITICAL, 9);
	context.told = 1U << GM_SEVERITY_WARNING;
	struct gm_json *array = body_of(GM_WEBHOOK_ALERTMANAGER, &context, &message);
	assert_int_equal(gm_json_size(array), 2);
	assert_text(gm_json_get(gm_json_at(array, 0), "labels"), "severity", "critical");
	assert_text(gm_json_get(gm_json_at(array, 1), "labels"), "severity", "warning");
	assert_text(gm_json_at(array, 1), "endsAt", "2023-11-14T22:13:29.123Z");
	gm_json_free(array);

	context.told = 1U << GM_SEVERITY_CRITICAL; /* evidence alone has changed */
	array = body_of(GM_WEBHOOK_ALERTMANAGER, &context, &message);
	assert_int_equal(gm_json_size(array), 1);
	gm_json_free(array);
}

static void test_alertmanager_webhook(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_webhook_context context = context_of(NULL, 0);
	struct gm_json *value = body_of(GM_WEBHOOK_ALERTMANAGER_WEBHOOK, &context, &message);
	const struct gm_json *alert = gm_json_at(gm_json_get(value, "alerts"), 0);

	assert_text(value, "version", "4");
	assert_text(value, "status", "firing");
	assert_text(value, "receiver", "oncall");
	assert_text(value, "groupKey", "{}:{alarm=\"5\", node=\"node1\"}");
	assert_text(gm_json_get(value, "commonLabels"), "severity", "warning");
	assert_text(alert, "status", "firing");
	assert_text(alert, "endsAt", "0001-01-01T00:00:00Z");
	assert_int_equal(strlen(gm_json_get_text(alert, "fingerprint")), 16);
	gm_json_free(value);

	gm_test_go_on(&transition, GM_TRANSITION_CHANGE, GM_SEVERITY_MAJOR, 3);
	context.told = 1U << GM_SEVERITY_WARNING;
	value = body_of(GM_WEBHOOK_ALERTMANAGER_WEBHOOK, &context, &message);
	assert_text(value, "status", "firing");
	assert_null(gm_json_get(gm_json_get(value, "commonLabels"), "severity"));
	assert_text(gm_json_at(gm_json_get(value, "alerts"), 0), "status", "firing");
	assert_text(gm_json_at(gm_json_get(value, "alerts"), 1), "status", "resolved");
	gm_json_free(value);

	gm_test_go_on(&transition, GM_TRANSITION_CLEAR, GM_SEVERITY_MAJOR, 4);
	context.told = 1U << GM_SEVERITY_MAJOR;
	value = body_of(GM_WEBHOOK_ALERTMANAGER_WEBHOOK, &context, &message);
	assert_text(value, "status", "resolved");
	assert_int_equal(gm_json_size(gm_json_get(value, "alerts")), 1);
	gm_json_free(value);

	context.told |= 1U << GM_SEVERITY_WARNING | 1U << GM_SEVERITY_INDETERMINATE;
	value = body_of(GM_WEBHOOK_ALERTMANAGER_WEBHOOK, &context, &message);
	assert_int_equal(gm_json_size(gm_json_get(value, "alerts")), 3);
	assert_text(gm_json_at(gm_json_get(value, "alerts"), 2), "status", "resolved");
	gm_json_free(value);
}

/* CloudEvents 1.0.2: the required attributes, their forms, the names' alphabet. */
static void test_cloudevents(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_webhook_context context = context_of(NULL, 0);
	void *iterator = NULL;
	const char *key;
	const struct gm_json *member;

	message.node = "rack 1/n\xC3\xB6"
		       "de\"";
	struct gm_json *value = body_of(GM_WEBHOOK_CLOUDEVENTS, &context, &message);
	assert_text(value, "specversion", "1.0");
	assert_text(value, "id", "node1/17");
	assert_text(value, "source", "/guestmon/rack%201%2Fn%C3%B6de%22");
	assert_text(value, "type", "guestmon.alarm.raise");
	assert_text(value, "time", "2023-11-14T22:13:20.123Z");
	assert_text(gm_json_get(gm_json_get(value, "data"), "guest"), "name", GM_TEST_HOSTILE);
	while (gm_json_next(value, &iterator, &key, &member))
		assert_int_equal(strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789"), strlen(key));
	gm_json_free(value);
}

static void test_ves(void **state)
{
	(void)state;
	static const char *const required[] = {"domain",
					       "eventId",
					       "eventName",
					       "lastEpochMicrosec",
					       "priority",
					       "sequence",
					       "version",
					       "sourceName",
					       "reportingEntityName",
					       "startEpochMicrosec",
					       "vesEventListenerVersion"};
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_webhook_context context = context_of(NULL, 0);
	struct gm_json *value = body_of(GM_WEBHOOK_VES, &context, &message);
	const struct gm_json *event = gm_json_get(value, "event"),
			     *header = gm_json_get(event, "commonEventHeader"),
			     *fields = gm_json_get(event, "faultFields");

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		assert_non_null(gm_json_get(header, required[i]));
	assert_text(header, "domain", "fault");
	assert_text(header, "eventName", "Fault_Guestmon_leak");
	assert_text(header, "eventId", "guestmon:node1:5");
	assert_text(header, "sourceName", GM_TEST_HOSTILE);
	assert_int_equal(gm_json_get_integer(header, "startEpochMicrosec", 0),
			 INT64_C(1700000000123000));
	assert_text(fields, "faultFieldsVersion", "4.0");
	assert_text(fields, "eventSeverity", "WARNING");
	assert_text(fields, "eventSourceType", "virtualMachine");
	assert_text(fields, "specificProblem", "leak of memory.used");
	assert_text(gm_json_get(fields, "alarmAdditionalInformation"), "slope_bytes_per_s",
		    "1048576");
	gm_json_free(value);

	gm_test_go_on(&transition, GM_TRANSITION_CLEAR, GM_SEVERITY_CRITICAL, 4);
	value = body_of(GM_WEBHOOK_VES, &context, &message);
	event = gm_json_get(value, "event");
	assert_text(gm_json_get(event, "faultFields"), "eventSeverity", "NORMAL");
	assert_text(gm_json_get(event, "commonEventHeader"), "eventId", "guestmon:node1:5");
	assert_int_equal(
		gm_json_get_integer(gm_json_get(event, "commonEventHeader"), "sequence", 0), 18);
	gm_json_free(value);
}

static void assert_filled(const char *template, enum gm_webhook_escape escape, const char *text)
{
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_webhook_context context = context_of(template, escape);
	struct gm_buffer body = GM_BUFFER_INIT(BODY);

	snprintf(transition.alarm.guest_name, GM_NAME_SIZE, "a\"\n<&\x01\xC3\xA9");
	assert_int_equal(gm_webhook_template_check(template, NULL), 0);
	assert_int_equal(gm_webhook_template(&context, &message, &body), 0);
	assert_string_equal(body.data, text);
	gm_buffer_free(&body);
}

static void test_template_escapes(void **state)
{
	(void)state;
	assert_filled("{{\"g\": \"{guest}\"}}", GM_WEBHOOK_ESCAPE_JSON,
		      "{\"g\": \"a\\\"\\n<&\\u0001\xC3\xA9\"}");
	assert_filled("<g>{guest}</g>", GM_WEBHOOK_ESCAPE_XML, "<g>a&quot;&lt;&amp;\xC3\xA9</g>");
	assert_filled("g={guest}", GM_WEBHOOK_ESCAPE_URL, "g=a%22%0A%3C%26%01%C3%A9");
	assert_filled("{guest}", GM_WEBHOOK_ESCAPE_TEXT, "a\\\"\\n<&\\x01\xC3\xA9");
	assert_filled("{key} {sequence} {alarm} {state} {severity} {found} {slope_bytes_per_s}",
		      GM_WEBHOOK_ESCAPE_TEXT,
		      "node1/17 17 5 raise warning 2023-11-14T22:13:20.123Z 1048576");
	assert_filled("[{value}]", GM_WEBHOOK_ESCAPE_JSON, "[null]");
	assert_filled("[{value}]", GM_WEBHOOK_ESCAPE_URL, "[]");
}

static void test_template_holds_the_whole_message(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_webhook_context context = context_of("{{\"alarm\": {json}}}", 0);
	struct gm_json *value = body_of(GM_WEBHOOK_TEMPLATE, &context, &message);

	assert_text(gm_json_get(gm_json_get(value, "alarm"), "guest"), "name", GM_TEST_HOSTILE);
	gm_json_free(value);
}

static void test_template_is_refused_with_its_line(void **state)
{
	(void)state;
	struct gm_error err;

	assert_int_equal(gm_webhook_template_check("{{\n\n \"x\": {colour}", &err), -EINVAL);
	assert_non_null(strstr(err.text, "line 3"));
	assert_non_null(strstr(err.text, "colour"));
	assert_int_equal(gm_webhook_template_check("{", &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_those_of_the_option),
		cmocka_unit_test(test_alertmanager_raise_and_clear),
		cmocka_unit_test(test_alertmanager_change_of_severity_ends_the_other_alert),
		cmocka_unit_test(test_alertmanager_webhook),
		cmocka_unit_test(test_cloudevents),
		cmocka_unit_test(test_ves),
		cmocka_unit_test(test_template_escapes),
		cmocka_unit_test(test_template_holds_the_whole_message),
		cmocka_unit_test(test_template_is_refused_with_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
