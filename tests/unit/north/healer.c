/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For which alarms Tacker's notifier calls. The fence says no here, so that no call goes out: that it was asked is
 * the call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "north/api/healer.h"
#include "support/message.h"

#define SERVER "6c766d67-1f00-4000-8a10-100000000001"

struct fixture {
	struct gm_healer_options options;
	struct gm_registration registration;
	struct gm_output *output;
	unsigned calls, told;
	struct gm_transition transition;
	struct gm_message message;
	struct gm_snapshot snapshot;
	struct gm_alarm active; /* in the snapshot */
};

static int keep(void *user, const struct gm_registration *registration)
{
	struct fixture *f = user;
	assert_int_equal(registration->called_for, 5);
	f->calls++;
	return -1;
}

static void on_done(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	struct fixture *f = user;
	assert_int_equal(ticket, 7);
	assert_int_equal(verdict->kind, f->calls > 0 ? GM_VERDICT_RETRY : GM_VERDICT_DELIVERED);
	f->told++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	gm_log_set_level(GM_LOG_ERROR);
	gm_option_defaults(gm_healer_option_table, &f->options);
	snprintf(f->registration.server, sizeof(f->registration.server), "%s", SERVER);
	snprintf(f->registration.tenant, sizeof(f->registration.tenant), "tenant \"a\"]");
	const struct gm_healer_setup options = {
		.registration = &f->registration, .options = &f->options, .keep = keep, .user = f};
	const struct gm_output_host host = {
		.name = "healer/1", .node = "node1", .done = on_done, .user = f};
	assert_int_equal(gm_healer_ops.create(&options, &host, &f->output, NULL), 0);
	f->message = gm_test_message(&f->transition);
	f->transition.alarm.severity = f->transition.alarm.worst = GM_SEVERITY_CRITICAL;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	gm_healer_ops.close(f->output);
	free(f);
	return 0;
}

static void show(struct fixture *f, uint64_t sequence)
{
	f->snapshot.agent.last_sequence = sequence;
	f->snapshot.alarms = &f->active;
	gm_healer_ops.tick(f->output, &f->snapshot, f->message.sent_at);
}

/* Whether it calls for f->transition while the alarm is as `active` says; NULL: it is not active. */
static bool calls(struct fixture *f, const struct gm_alarm *active)
{
	f->calls = f->told = 0;
	f->snapshot.alarm_count = active ? 1 : 0;
	if (active)
		f->active = *active;
	f->message.transition = &f->transition;
	gm_healer_ops.send(f->output, &f->message, 7);
	if (f->told == 0)
		show(f, f->transition.sequence);
	assert_int_equal(f->told, 1);
	assert_int_equal(f->registration.called_for, 0);
	return f->calls > 0;
}

static bool calls_for(struct fixture *f)
{
	return calls(f, &f->transition.alarm);
}

static void test_conditions(void **state)
{
	struct fixture *f = *state;
	assert_true(calls_for(f));
	f->transition.kind = GM_TRANSITION_CHANGE;
	assert_true(calls_for(f));
	f->transition.alarm.news = GM_NEWS_RELEASED;
	assert_true(calls_for(f));
	f->transition.alarm.news = GM_NEWS_CONDITION;
	f->transition.kind = GM_TRANSITION_CLEAR;
	assert_false(calls_for(f));
}

static void test_not_for_what_people_do(void **state)
{
	static const enum gm_alarm_news news[] = {
		GM_NEWS_ACKNOWLEDGED, GM_NEWS_UNACKNOWLEDGED, GM_NEWS_COMMENTED, GM_NEWS_SUPPRESSED,
		GM_NEWS_LATCHED,      GM_NEWS_CORRELATED,     GM_NEWS_DISABLED};
	struct fixture *f = *state;
	f->transition.kind = GM_TRANSITION_CHANGE;
	for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
		f->transition.alarm.news = news[i];
		assert_false(calls_for(f));
	}
}

static void test_not_while_suppressed_or_over(void **state)
{
	struct fixture *f = *state;
	f->transition.alarm.suppressed = GM_SUPPRESSION_MAINTENANCE;
	assert_false(calls_for(f));
	f->transition.alarm.suppressed = GM_SUPPRESSION_NONE;
	f->transition.alarm.ended_at = GM_TEST_TIME;
	assert_false(calls_for(f));
	f->transition.alarm.ended_at = 0;
	f->transition.alarm.cleared_at = GM_TEST_TIME;
	assert_false(calls_for(f));
}

static void test_present_severity(void **state)
{
	struct fixture *f = *state;
	f->transition.kind = GM_TRANSITION_CHANGE;
	f->transition.alarm.severity = GM_SEVERITY_MINOR;
	assert_false(calls_for(f));
	f->options.severity = 2; /* minor */
	assert_true(calls_for(f));
}

static void test_old(void **state)
{
	struct fixture *f = *state;
	f->message.sent_at = f->transition.time + f->options.max_age;
	assert_true(calls_for(f));
	f->message.sent_at++;
	assert_false(calls_for(f));
}

static void test_over_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm now = f->transition.alarm;
	assert_false(calls(f, NULL));
	now.suppressed = GM_SUPPRESSION_MAINTENANCE;
	assert_false(calls(f, &now));
	now.suppressed = GM_SUPPRESSION_NONE;
	now.severity = GM_SEVERITY_WARNING;
	assert_false(calls(f, &now));
	now.severity = GM_SEVERITY_CRITICAL;
	now.id++;
	assert_false(calls(f, &now));
}

static void test_waits_for_a_picture_of_it(void **state)
{
	struct fixture *f = *state;
	gm_healer_ops.send(f->output, &f->message, 7);
	show(f, f->transition.sequence - 1);
	assert_int_equal(f->told, 0);
	f->active = f->transition.alarm;
	f->snapshot.alarm_count = 1;
	show(f, f->transition.sequence + 1);
	assert_int_equal(f->calls, 1);
	show(f, f->transition.sequence + 1);
	assert_int_equal(f->told, 1);
}

/* The operator has time to stop it until the picture is there. */
static void test_not_while_paused(void **state)
{
	struct fixture *f = *state;
	struct gm_output_row row = {.name = "healer/1", .state = GM_OUTPUT_PAUSED};
	f->snapshot.outputs = &row;
	f->snapshot.output_count = 1;
	f->active = f->transition.alarm;
	f->snapshot.alarm_count = 1;
	gm_healer_ops.send(f->output, &f->message, 7);
	show(f, f->transition.sequence);
	assert_int_equal(f->told, 0);
	row.state = GM_OUTPUT_WORKING;
	show(f, f->transition.sequence);
	assert_int_equal(f->calls, 1);
}

static void test_once(void **state)
{
	(void)state;
	struct gm_json *request = gm_json_object();
	struct gm_registration registration;
	gm_json_set_text(request, "fault_action", "http://127.0.0.1:1/");
	gm_json_set_text(request, "fault_id", "1");
	assert_int_equal(gm_registration_parse(request, &registration, NULL), 0);
	assert_true(registration.target.once);
	gm_json_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_for_what_people_do, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_while_suppressed_or_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_present_severity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old, setup, teardown),
		cmocka_unit_test_setup_teardown(test_over_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_a_picture_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_while_paused, setup, teardown),
		cmocka_unit_test(test_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
