/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Aodh and Keystone are asked, as a server of our own on the loopback sees it that is both: how much at
 * a time, and how often. What they answer is tests/functional/openstack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "aodh_rig.h"
#include "aodh_server.h"
#include "base/clock.h"

struct fixture {
	struct gm_test_aodh_rig rig;
	struct gm_test_aodh server;
	size_t answered, refused, delivered, retried;
};

static void on_done(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	struct fixture *fixture = user;

	assert_int_equal(ticket, 7);
	fixture->refused += verdict->kind == GM_VERDICT_REFUSED;
	fixture->delivered += verdict->kind == GM_VERDICT_DELIVERED;
	fixture->retried += verdict->kind == GM_VERDICT_RETRY;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	gm_test_aodh_rig_start(&fixture->rig);
	unsigned port = gm_test_aodh_start(&fixture->server, &fixture->rig.loop);
	struct gm_aodh_options options = gm_test_aodh_options(&fixture->rig, port);
	snprintf(options.cloud.endpoint, sizeof(options.cloud.endpoint), "http://127.0.0.1:%u",
		 port);
	options.cloud.transport.timeout = 2 * GM_SECOND;
	gm_test_aodh_create(&fixture->rig, &options, on_done, fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	gm_test_aodh_stop(&fixture->server);
	gm_test_aodh_rig_stop(&fixture->rig);
	free(fixture);
	return 0;
}

static void compare(struct fixture *fixture)
{
	const struct gm_snapshot snapshot = {0};

	gm_aodh_sweep_start(fixture->rig.output, &snapshot, true);
	while (fixture->rig.output->sweep)
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
	assert_false(fixture->rig.output->holding);
}

/* New alarms wait while Aodh's are made right: some are at a time. */
static void test_compared_some_at_a_time(void **state)
{
	struct fixture *fixture = *state;

	compare(fixture);
	assert_true(fixture->rig.output->reconciled);
	assert_int_equal(fixture->server.changed, GM_TEST_AODH_SHOWN);
	assert_in_range(fixture->server.most_pending, 2, 16);
}

/* One cannot be made right: all are looked at anew, later. What was under way is not left to overtake others. */
static void test_compared_in_vain(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.refuses_state = true;
	compare(fixture);
	assert_false(fixture->rig.output->reconciled);
	assert_in_range(fixture->server.changed, GM_TEST_AODH_SHOWN / 2, GM_TEST_AODH_SHOWN - 1);
	assert_int_equal(fixture->server.pending, 0);
}

/* One is refused for good: the others are made right, and what is missing is told. */
static void test_compared_but_for_one(void **state)
{
	struct fixture *fixture = *state;
	struct gm_alarm missing = {
		.id = 1, .key = gm_entity_node(), .detector = "leak", .metric = "new"};
	const struct gm_snapshot snapshot = {.alarms = &missing, .alarm_count = 1};
	int64_t now = gm_clock_monotonic();

	fixture->server.refused = "PUT /v2/alarms/id-5/state ";
	gm_aodh_sweep_start(fixture->rig.output, &snapshot, true);
	while (fixture->rig.output->sweep || fixture->rig.output->jobs)
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
	assert_int_equal(fixture->server.changed, GM_TEST_AODH_SHOWN - 1);
	assert_int_equal(fixture->server.created, 1);
	assert_true(fixture->rig.output->compared);
	assert_false(fixture->rig.output->reconciled);
	/* Nor does it begin sooner because the one that is missing failed, too. */
	assert_true(fixture->rig.output->sweep_at >= now + GM_AODH_REFUSED_PAUSE);
}

/* One is not answered: what is new waits as long again, because it may be done yet. */
static void test_compared_without_an_answer(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_snapshot snapshot = {0};
	int64_t began = gm_clock_monotonic();

	fixture->server.slow = true;
	gm_aodh_sweep_start(fixture->rig.output, &snapshot, true);
	while (fixture->rig.output->sweep) {
		assert_true(fixture->rig.output->holding);
		uv_run(&fixture->rig.loop, UV_RUN_NOWAIT);
		gm_aodh_sweep_tick(fixture->rig.output, gm_clock_monotonic());
		usleep(1000);
	}
	assert_true(gm_clock_monotonic() >=
		    began + 2 * fixture->rig.output->options.cloud.transport.timeout);
	assert_false(fixture->rig.output->holding);
	assert_false(fixture->rig.output->reconciled);
}

/* More than fit into one look: none of them is taken for one that has ended. */
static void test_compared_with_many_active(void **state)
{
	enum { ACTIVE = 6000 };
	struct fixture *fixture = *state;
	struct gm_alarm *alarms = calloc(ACTIVE, sizeof(*alarms));
	const struct gm_snapshot snapshot = {.alarms = alarms, .alarm_count = ACTIVE};

	for (int i = 0; i < ACTIVE; i++) {
		alarms[i] = (struct gm_alarm){.id = 1, .key = gm_entity_node(), .detector = "leak"};
		snprintf(alarms[i].metric, sizeof(alarms[i].metric), "m%d", ACTIVE - 1 - i);
	}
	fixture->rig.output->common.severity = 0; /* nor is one told again */
	gm_aodh_sweep_start(fixture->rig.output, &snapshot, true);
	while (fixture->rig.output->sweep)
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
	assert_null(fixture->rig.output->jobs);
	assert_true(fixture->rig.output->reconciled);
	assert_int_equal(fixture->server.changed, 0);
	free(alarms);
}

static void on_answer(void *user, const struct gm_http_response *response)
{
	struct fixture *fixture = user;

	assert_int_equal(response->status, 200);
	fixture->answered++;
}

static void ask(struct fixture *fixture)
{
	struct gm_keystone_call *call;
	size_t before = fixture->answered;
	struct gm_error err;

	assert_int_equal(gm_aodh_request(fixture->rig.output, "GET", "/v2/alarms?x", NULL,
					 on_answer, fixture, &call, &err),
			 0);
	while (fixture->answered == before)
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
}

/* The token is to be renewed, and is still good: what Keystone refuses it is not asked for with each request. */
static void test_token_is_due_and_keystone_away(void **state)
{
	struct fixture *fixture = *state;

	ask(fixture);
	assert_int_equal(fixture->server.asked_tokens, 1);
	fixture->server.no_tokens = true;
	usleep(GM_TEST_AODH_LIFE_S * 1000000 / 2 + 100000);
	for (int i = 0; i < 20; i++)
		ask(fixture);
	assert_int_equal(fixture->server.asked_tokens, 2);
}

static void tell_first(struct fixture *fixture, enum gm_transition_kind kind)
{
	const struct gm_transition transition = {
		.kind = kind,
		.sequence = 1,
		.alarm = {.id = 1,
			  .key = gm_entity_node(),
			  .detector = "leak",
			  .metric = "m0",
			  .severity = GM_SEVERITY_CRITICAL},
	};
	uint64_t ticket = 7;

	assert_int_equal(gm_aodh_job_start(fixture->rig.output, &transition, 0, &ticket), 0);
	while (fixture->rig.output->jobs) {
		gm_aodh_jobs_tick(fixture->rig.output);
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
	}
}

/* The answer to a state does not come, and the state does later: it is not set a second time. */
static void test_state_set_late(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.slow = true;
	tell_first(fixture, GM_TRANSITION_CLEAR);
	assert_int_equal(fixture->delivered, 1);
	assert_int_equal(fixture->server.lists, 3);
	assert_int_equal(fixture->server.pending, 1); /* the one that was not answered */
	assert_int_equal(fixture->server.changed, 1); /* its description */
}

/* One of the looks for it fails: there are others. */
static void test_state_set_late_and_a_look_fails(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.lost = "PUT /v2/alarms/id-0/state ";
	fixture->server.lost_as = "504 Gateway Timeout"; /* as good as none, and sooner */
	fixture->server.failing_look = 2;
	tell_first(fixture, GM_TRANSITION_CLEAR);
	assert_int_equal(fixture->delivered, 1);
	assert_int_equal(fixture->retried, 0);
	assert_int_equal(fixture->server.lists, 3);
	assert_int_equal(fixture->server.changed, 1); /* its description */
}

/* Aodh stands still for longer than is looked, and has done it when it goes on. */
static void test_state_set_before_a_standstill(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.lost = "PUT /v2/alarms/id-0/state ";
	fixture->server.still = 3;
	tell_first(fixture, GM_TRANSITION_CLEAR);
	assert_int_equal(fixture->delivered, 1);
	assert_int_equal(fixture->retried, 0);
	assert_int_equal(fixture->server.still, 0);
	assert_int_equal(fixture->server.changed, 1); /* its description */
}

/* A proxy's word that Aodh has not answered is none on whether it has done it. */
static void test_state_set_behind_a_proxy(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.lost = "PUT /v2/alarms/id-0/state ";
	fixture->server.lost_as = "504 Gateway Timeout";
	tell_first(fixture, GM_TRANSITION_CLEAR);
	assert_int_equal(fixture->delivered, 1);
	assert_int_equal(fixture->retried, 0);
	assert_int_equal(fixture->server.changed, 1);
}

/* The severity that goes before an event is written without an answer: seen as done, it goes on. */
static void test_severity_written_late(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err;

	/* Where nobody listens, so that the API raises it then. */
	assert_int_equal(gm_event_bus_create(&fixture->rig.loop, "amqp://user:word@127.0.0.1:1/",
					     "", "topic", &fixture->rig.output->bus, &err),
			 0);
	fixture->server.state = "ok";
	fixture->server.lost = "PUT /v2/alarms/id-0 ";
	fixture->server.lost_as = "502 Bad Gateway";
	tell_first(fixture, GM_TRANSITION_RAISE);
	assert_int_equal(fixture->delivered, 1);
	assert_int_equal(fixture->retried, 0);
	assert_int_equal(fixture->server.changed, 2); /* its state, its description */
}

/* It was seen not long ago, so that its state is set at once. */
static void know_first(struct fixture *fixture)
{
	static const char known[] = "{\"alarm_id\":\"id-0\",\"name\":\"guestmon/n1/node/leak/m0\","
				    "\"state\":\"alarm\"}";
	struct gm_json *alarm;

	assert_int_equal(gm_json_parse(known, strlen(known), &alarm, NULL), 0);
	gm_aodh_known_put(fixture->rig.output, "guestmon/n1/node/leak/m0", alarm);
}

/* The server closes a connection that was kept, with the state set: it is not sent on another one. */
static void test_state_set_and_closed(void **state)
{
	struct fixture *fixture = *state;

	ask(fixture);
	know_first(fixture);
	fixture->server.lost = "PUT /v2/alarms/id-0/state ";
	fixture->server.closes = true;
	tell_first(fixture, GM_TRANSITION_CLEAR);
	assert_int_equal(fixture->delivered, 1);
	assert_int_equal(fixture->server.changed, 1); /* its description */
}

/* There was no token, so that nothing can come late: it is tried anew without a look. */
static void test_state_never_sent(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_transition transition = {
		.kind = GM_TRANSITION_CLEAR,
		.sequence = 1,
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak", .metric = "m0"},
	};
	uint64_t ticket = 7;

	know_first(fixture);
	fixture->server.no_tokens = true;
	assert_int_equal(gm_aodh_job_start(fixture->rig.output, &transition, 0, &ticket), 0);
	while (fixture->rig.output->jobs)
		uv_run(&fixture->rig.loop,
		       UV_RUN_ONCE); /* without a tick, so that no look is had */
	assert_int_equal(fixture->retried, 1);
}

/* The outbox may give up what is refused: Aodh and we are compared anew, though not at once, nor for ever. */
static void test_refused_is_a_doubt(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.sequence = 1,
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak"},
	};
	uint64_t ticket = 7;
	int64_t now = gm_clock_monotonic();

	compare(fixture);
	fixture->server.refuses_looks = true;
	assert_int_equal(gm_aodh_job_start(fixture->rig.output, &transition, 0, &ticket), 0);
	while (fixture->rig.output->jobs)
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
	assert_int_equal(fixture->refused, 1);
	assert_false(fixture->rig.output->reconciled);
	assert_true(fixture->rig.output->compared);
	assert_true(fixture->rig.output->sweep_at >= now + GM_AODH_REFUSED_PAUSE);
}

/* The first comparison may be what makes room: a refusal does not put it off. */
static void test_refused_before_compared(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.sequence = 1,
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak"},
	};
	uint64_t ticket = 7;

	fixture->server.refuses_looks = true;
	assert_int_equal(gm_aodh_job_start(fixture->rig.output, &transition, 0, &ticket), 0);
	while (fixture->rig.output->jobs)
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
	assert_int_equal(fixture->refused, 1);
	assert_true(fixture->rig.output->sweep_at <= gm_clock_monotonic());
}

/* What the outbox gives up without an attempt is a doubt, too. */
static void test_given_up_is_a_doubt(void **state)
{
	struct fixture *fixture = *state;
	struct gm_output_row row = {.name = "cloud", .backlog = 1};
	const struct gm_snapshot snapshot = {.outputs = &row, .output_count = 1};

	compare(fixture);
	gm_aodh_output.tick(fixture->rig.output, &snapshot, 0);
	assert_true(fixture->rig.output->reconciled);
	row.expired = 1;
	gm_aodh_output.tick(fixture->rig.output, &snapshot, 0);
	assert_false(fixture->rig.output->reconciled);
	fixture->rig.output->reconciled = true;
	gm_aodh_output.tick(fixture->rig.output, &snapshot, 0);
	assert_true(fixture->rig.output->reconciled);
}

int main(void)
{
#define WITH_OUTPUT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_OUTPUT(test_compared_some_at_a_time),
		WITH_OUTPUT(test_compared_in_vain),
		WITH_OUTPUT(test_compared_but_for_one),
		WITH_OUTPUT(test_compared_without_an_answer),
		WITH_OUTPUT(test_compared_with_many_active),
		WITH_OUTPUT(test_state_set_late),
		WITH_OUTPUT(test_state_set_late_and_a_look_fails),
		WITH_OUTPUT(test_state_set_before_a_standstill),
		WITH_OUTPUT(test_state_set_behind_a_proxy),
		WITH_OUTPUT(test_severity_written_late),
		WITH_OUTPUT(test_state_set_and_closed),
		WITH_OUTPUT(test_state_never_sent),
		WITH_OUTPUT(test_refused_is_a_doubt),
		WITH_OUTPUT(test_refused_before_compared),
		WITH_OUTPUT(test_given_up_is_a_doubt),
		WITH_OUTPUT(test_token_is_due_and_keystone_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
