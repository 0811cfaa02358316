/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of RFC 5424 and entries of the journal, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gm_version.h"
#include "north/syslog/message.h"
#include "support/message.h"

enum { DAEMON = 3, LOCAL7 = 23 };

static void test_plain_message(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_buffer buffer = GM_BUFFER_INIT(GM_SYSLOG_MAX);
	char expected[2048];

	snprintf(transition.alarm.guest_name, GM_NAME_SIZE, "web-1");
	snprintf(transition.alarm.project, GM_NAME_SIZE, "blue");
	snprintf(transition.alarm.text, GM_ALARM_TEXT, "memory of web-1 grows");
	snprintf(expected, sizeof(expected),
		 "<28>1 2023-11-14T22:13:20.123Z node1 guestmond %d RAISE "
		 "[alarm resource=\"guest:6c766d67-1f00-4000-8a10-100000000001\" "
		 "probableCause=\"resourceAtOrNearingCapacity\" perceivedSeverity=\"warning\" "
		 "eventType=\"processingErrorAlarm\"][meta sequenceId=\"17\"]"
		 "[origin software=\"guestmon\" swVersion=\"%s\"]"
		 "[guestmon@8072.9999.9999.7666 key=\"node1/17\" state=\"raise\" alarm=\"5\" "
		 "severity=\"warning\" detector=\"leak\" metric=\"memory.used\" guest=\"web-1\" "
		 "guestUuid=\"6c766d67-1f00-4000-8a10-100000000001\" project=\"blue\" "
		 "raised=\"2023-11-14T22:13:20.123Z\" journalled=\"2023-11-14T22:13:20.125Z\" "
		 "sent=\"2023-11-14T22:13:20.128Z\" slope_bytes_per_s=\"1048576\" "
		 "confidence=\"0.875\"] memory of web-1 grows",
		 (int)getpid(), GM_VERSION);
	assert_int_equal(gm_syslog_write(DAEMON, &message, &buffer), 0);
	assert_string_equal(buffer.data, expected);
	gm_buffer_free(&buffer);
}

static void test_hostile_names_stay_in_their_place(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_buffer buffer = GM_BUFFER_INIT(GM_SYSLOG_MAX);

	message.node = "no de\n\xC3\xB6";
	snprintf(transition.alarm.text, GM_ALARM_TEXT, "m\xC3\xA9mory of \"a\\\"b\"\n");
	gm_test_go_on(&transition, GM_TRANSITION_CLEAR, GM_SEVERITY_CRITICAL, 1);
	assert_int_equal(gm_syslog_write(LOCAL7, &message, &buffer), 0);
	assert_null(strpbrk(buffer.data, "\n\t\x01"));
	assert_ptr_equal(strstr(buffer.data, "<189>1 2023-11-14T22:13:21.123Z no_de___ guestmond "),
			 buffer.data);
	assert_non_null(strstr(buffer.data, " CLEAR [alarm "));
	assert_non_null(strstr(buffer.data, "perceivedSeverity=\"cleared\""));
	assert_non_null(strstr(buffer.data, " severity=\"critical\""));
	assert_non_null(
		strstr(buffer.data, "guest=\"web\\\"1\\\\\\n\\t<&>'{x}\\]%=\\x01\\u202E\xC3\xA9 "));
	assert_non_null(strstr(buffer.data, "project=\"tenant \\\"a\\\"\\]\""));
	const char text[] = "] \xEF\xBB\xBFm\xC3\xA9mory of \"a\\\"b\"\\n";
	assert_string_equal(buffer.data + buffer.length - (sizeof(text) - 1), text);
	gm_buffer_free(&buffer);
}

static void test_severities(void **state)
{
	(void)state;
	static const struct {
		enum gm_severity severity;
		int expected;
	} cases[] = {{GM_SEVERITY_CRITICAL, 1}, {GM_SEVERITY_MAJOR, 2},
		     {GM_SEVERITY_MINOR, 3},    {GM_SEVERITY_WARNING, 4},
		     {GM_SEVERITY_CLEARED, 5},  {GM_SEVERITY_INDETERMINATE, 5},
		     {(enum gm_severity)99, 5}, {(enum gm_severity)0, 5}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_transition transition = {.alarm.severity = cases[i].severity};
		assert_int_equal(gm_syslog_severity(&transition), cases[i].expected);
	}
}

/* Everything as long as it can be, and every byte of it escaped. */
static void test_the_largest_fits(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_buffer syslog = GM_BUFFER_INIT(GM_SYSLOG_MAX),
			 journal = GM_BUFFER_INIT(GM_SYSLOG_MAX);
	struct gm_alarm *alarm = &transition.alarm;

	memset(alarm->guest_name, 1, sizeof(alarm->guest_name) - 1);
	memset(alarm->project, ']', sizeof(alarm->project) - 1);
	memset(alarm->text, '\n', sizeof(alarm->text) - 1);
	memset(alarm->rule, '"', sizeof(alarm->rule) - 1);
	memset(alarm->evidence.contributors, '\\', sizeof(alarm->evidence.contributors) - 1);
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++)
		gm_evidence_set(&alarm->evidence, (enum gm_evidence_id)id,
				-1.2345678901234567e-300);
	assert_int_equal(gm_syslog_write(LOCAL7, &message, &syslog), 0);
	assert_int_equal(gm_journal_write(LOCAL7, &message, &journal), 0);
	gm_buffer_free(&syslog);
	gm_buffer_free(&journal);
}

/* The value of a field as journald would read it; NULL: there is none. */
static const char *field(const struct gm_buffer *buffer, const char *name, size_t *ret_length)
{
	const char *at = buffer->data, *end = buffer->data + buffer->length;

	while (at < end) {
		size_t word = strcspn(at, "=\n");
		const char *value = at + word + 1;
		size_t length = 0;
		if (at[word] == '=') {
			length = strcspn(value, "\n");
		} else {
			for (size_t i = 0; i < 8; i++)
				length |= (size_t)(unsigned char)value[i] << 8 * i;
			value += 8;
		}
		assert_true(value + length < end);
		assert_int_equal(value[length], '\n');
		if (word == strlen(name) && strncmp(at, name, word) == 0) {
			*ret_length = length;
			return value;
		}
		for (size_t i = 0; i < word; i++)
			assert_true((at[i] >= 'A' && at[i] <= 'Z') || at[i] == '_' ||
				    (at[i] >= '0' && at[i] <= '9'));
		at = value + length + 1;
	}
	return NULL;
}

static void assert_field(const struct gm_buffer *buffer, const char *name, const char *text)
{
	size_t length = 0;
	const char *value = field(buffer, name, &length);

	assert_non_null(value);
	assert_int_equal(length, strlen(text));
	assert_memory_equal(value, text, length);
}

static void test_journal(void **state)
{
	(void)state;
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_buffer buffer = GM_BUFFER_INIT(GM_SYSLOG_MAX);
	size_t length;

	assert_int_equal(gm_journal_write(DAEMON, &message, &buffer), 0);
	assert_field(&buffer, "MESSAGE", transition.alarm.text);
	assert_field(&buffer, "PRIORITY", "4");
	assert_field(&buffer, "SYSLOG_FACILITY", "3");
	assert_field(&buffer, "GUESTMON_KEY", "node1/17");
	assert_field(&buffer, "GUESTMON_GUEST", GM_TEST_HOSTILE); /* with its line end */
	assert_field(&buffer, "GUESTMON_PROJECT", "tenant \"a\"]");
	assert_field(&buffer, "GUESTMON_FOUND", "2023-11-14T22:13:20.123Z");
	assert_field(&buffer, "GUESTMON_SLOPE_BYTES_PER_S", "1048576");
	assert_null(field(&buffer, "GUESTMON_RULE", &length));
	gm_buffer_free(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_message),
		cmocka_unit_test(test_hostile_names_stay_in_their_place),
		cmocka_unit_test(test_severities),
		cmocka_unit_test(test_the_largest_fits),
		cmocka_unit_test(test_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
