/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Aodh and Keystone are asked, as a server of our own on the loopback sees it that is both: how much at
 * a time, and how often. What they answer is tests/functional/openstack.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "north/openstack/aodh.h"
#include "north/openstack/aodh_private.h"

enum { SHOWN = 100, CLIENTS = 64, DELAY_MS = 10, LIFE_S = 6 };

/* ---- the server ---- */

struct server;
struct client {
	uv_tcp_t tcp; /* first: closed as one */
	uv_timer_t late;
	struct server *server;
	char request[8192];
	size_t length;
	uv_write_t write;
	char answer[64 << 10];
};

struct server {
	uv_tcp_t tcp;
	struct client clients[CLIENTS];
	size_t client_count;
	bool refuses_state, refuses_looks, no_tokens, slow;
	size_t asked_tokens, lists, changed, pending, most_pending;
};

static void on_written(uv_write_t *write, int status)
{
	(void)write;
	(void)status; /* the client may have gone */
}

static void reply(struct client *client, const char *status, const char *header, const char *body)
{
	uv_buf_t buffer;

	snprintf(client->answer, sizeof(client->answer),
		 "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, header, strlen(body),
		 body);
	buffer = uv_buf_init(client->answer, (unsigned)strlen(client->answer));
	client->length = 0;
	uv_write(&client->write, (uv_stream_t *)&client->tcp, &buffer, 1, on_written);
}

static void reply_token(struct client *client)
{
	char body[256];

	client->server->asked_tokens++;
	if (client->server->no_tokens) {
		reply(client, "503 Away", "", "");
		return;
	}
	snprintf(body, sizeof(body),
		 "{\"token\":{\"issued_at\":\"2026-01-01T00:00:00.000000Z\",\"expires_at\":\"2026-"
		 "01-01T00:00:%02d.000000Z\"}}",
		 LIFE_S);
	reply(client, "201 Created", "X-Subject-Token: word\r\n", body);
}

/* All of them are in alarm, and of this node. Where it is slow, the first one is ok, in the end. */
static void reply_list(struct client *client)
{
	struct gm_buffer body = GM_BUFFER_INIT(32 << 10);
	bool done = ++client->server->lists > 2 && client->server->slow;

	for (int i = 0; i < SHOWN; i++)
		gm_buffer_printf(&body,
				 "%s{\"alarm_id\":\"id-%d\",\"name\":\"guestmon/n1/node/leak/m%d\","
				 "\"state\":\"%s\",\"severity\":\"low\",\"type\":\"event\"}",
				 i == 0 ? "[" : ",", i, i, i == 0 && done ? "ok" : "alarm");
	gm_buffer_printf(&body, "]");
	assert_false(body.failed);
	reply(client, "200 OK", "", body.data);
	gm_buffer_free(&body);
}

static void on_late(uv_timer_t *timer)
{
	struct client *client = timer->data;

	client->server->pending--;
	client->server->changed++;
	if (client->server->refuses_state && client->server->changed == SHOWN / 2)
		reply(client, "500 No", "", "");
	else
		reply(client, "200 OK", "", "\"ok\"");
}

static void answer(struct client *client)
{
	struct server *server = client->server;

	if (strncmp(client->request, "POST /v3/auth/tokens ", 21) == 0) {
		reply_token(client);
	} else if (server->refuses_looks) {
		reply(client, "403 No", "", "");
	} else if (strncmp(client->request, "GET /v2/alarms?", 15) == 0) {
		reply_list(client);
	} else {
		assert_true(strncmp(client->request, "PUT /v2/alarms/id-", 18) == 0);
		if (++server->pending > server->most_pending)
			server->most_pending = server->pending;
		if (server->slow && strncmp(client->request, "PUT /v2/alarms/id-0/state ", 26) == 0)
			return;
		uv_timer_start(&client->late, on_late, DELAY_MS, 0);
	}
}

static void allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	struct client *client = handle->data;

	(void)wanted;
	*buffer = uv_buf_init(client->request + client->length,
			      (unsigned)(sizeof(client->request) - 1 - client->length));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct client *client = stream->data;
	const char *end, *length;

	(void)buffer;
	if (got <= 0) {
		uv_read_stop(stream);
		return;
	}
	client->length += (size_t)got;
	client->request[client->length] = '\0';
	end = strstr(client->request, "\r\n\r\n");
	length = strcasestr(client->request, "\r\ncontent-length:");
	if (end && client->length >= (size_t)(end + 4 - client->request) +
					     (length ? strtoul(length + 17, NULL, 10) : 0))
		answer(client);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct server *server = stream->data;
	struct client *client = &server->clients[server->client_count++];

	assert_int_equal(status, 0);
	assert_in_range(server->client_count, 1, CLIENTS);
	client->server = server;
	client->tcp.data = client->late.data = client;
	uv_tcp_init(stream->loop, &client->tcp);
	uv_timer_init(stream->loop, &client->late);
	assert_int_equal(uv_accept(stream, (uv_stream_t *)&client->tcp), 0);
	uv_read_start((uv_stream_t *)&client->tcp, allocate, on_read);
}

static unsigned start_server(struct server *server, uv_loop_t *loop)
{
	struct sockaddr_in address;
	int size = sizeof(address);

	server->tcp.data = server;
	uv_tcp_init(loop, &server->tcp);
	uv_ip4_addr("127.0.0.1", 0, &address);
	assert_int_equal(uv_tcp_bind(&server->tcp, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&server->tcp, CLIENTS, on_connection), 0);
	uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
	return ntohs(address.sin_port);
}

static void stop_server(struct server *server)
{
	uv_close((uv_handle_t *)&server->tcp, NULL);
	for (size_t i = 0; i < server->client_count; i++) {
		uv_close((uv_handle_t *)&server->clients[i].tcp, NULL);
		uv_close((uv_handle_t *)&server->clients[i].late, NULL);
	}
}

/* ---- the output ---- */

struct fixture {
	uv_loop_t loop;
	struct server server;
	struct gm_http *http;
	struct gm_output *output;
	char secret[32];
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

static void create_output(struct fixture *fixture, unsigned port)
{
	struct gm_aodh_options options;
	const struct gm_output_host host = {.loop = &fixture->loop,
					    .http = fixture->http,
					    .name = "cloud",
					    .node = "n1",
					    .done = on_done,
					    .user = fixture};
	struct gm_error err = {""};

	memset(&options, 0, sizeof(options));
	gm_option_defaults(gm_aodh_output.options, &options);
	snprintf(options.cloud.auth_url, sizeof(options.cloud.auth_url), "http://127.0.0.1:%u/v3",
		 port);
	snprintf(options.cloud.endpoint, sizeof(options.cloud.endpoint), "http://127.0.0.1:%u",
		 port);
	options.cloud.transport.timeout = 2 * GM_SECOND;
	snprintf(options.cloud.credential, sizeof(options.cloud.credential), "id");
	snprintf(options.cloud.secret_file, sizeof(options.cloud.secret_file), "%s",
		 fixture->secret);
	if (gm_aodh_output.create(&options, &host, &fixture->output, &err) < 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	gm_log_set_level((enum gm_log_level) - 1);
	snprintf(fixture->secret, sizeof(fixture->secret), "/tmp/gm-aodh-XXXXXX");
	int fd = mkstemp(fixture->secret);
	assert_int_equal(write(fd, "word\n", 5), 5);
	close(fd);
	uv_loop_init(&fixture->loop);
	assert_int_equal(gm_http_create(&fixture->loop, &fixture->http), 0);
	create_output(fixture, start_server(&fixture->server, &fixture->loop));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	gm_aodh_output.close(fixture->output);
	gm_http_close(fixture->http);
	stop_server(&fixture->server);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	gm_http_free(fixture->http);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	unlink(fixture->secret);
	free(fixture);
	return 0;
}

static void compare(struct fixture *fixture)
{
	const struct gm_snapshot snapshot = {0};

	gm_aodh_sweep_start(fixture->output, &snapshot, true);
	while (fixture->output->sweep)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_false(fixture->output->holding);
}

/* New alarms wait while Aodh's are made right: some are at a time. */
static void test_compared_some_at_a_time(void **state)
{
	struct fixture *fixture = *state;

	compare(fixture);
	assert_true(fixture->output->reconciled);
	assert_int_equal(fixture->server.changed, SHOWN);
	assert_in_range(fixture->server.most_pending, 2, 16);
}

/* One cannot be made right: all are looked at anew, later. */
static void test_compared_in_vain(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.refuses_state = true;
	compare(fixture);
	assert_false(fixture->output->reconciled);
	assert_in_range(fixture->server.changed, SHOWN / 2, SHOWN - 1);
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

	assert_int_equal(gm_aodh_request(fixture->output, "GET", "/v2/alarms?x", NULL, on_answer,
					 fixture, &call, &err),
			 0);
	while (fixture->answered == before)
		uv_run(&fixture->loop, UV_RUN_ONCE);
}

/* The token is to be renewed, and is still good: what Keystone refuses it is not asked for with each request. */
static void test_token_is_due_and_keystone_away(void **state)
{
	struct fixture *fixture = *state;

	ask(fixture);
	assert_int_equal(fixture->server.asked_tokens, 1);
	fixture->server.no_tokens = true;
	usleep(LIFE_S * 1000000 / 2 + 100000);
	for (int i = 0; i < 20; i++)
		ask(fixture);
	assert_int_equal(fixture->server.asked_tokens, 2);
}

/* The answer to a state does not come, and the state does later: it is not set a second time. */
static void test_state_set_late(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_transition transition = {
		.kind = GM_TRANSITION_CLEAR,
		.sequence = 1,
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak", .metric = "m0"},
	};
	uint64_t ticket = 7;

	fixture->server.slow = true;
	assert_int_equal(gm_aodh_job_start(fixture->output, &transition, 0, &ticket), 0);
	while (fixture->output->jobs) {
		gm_aodh_jobs_tick(fixture->output);
		uv_run(&fixture->loop, UV_RUN_ONCE);
	}
	assert_int_equal(fixture->delivered, 1);
	assert_int_equal(fixture->server.lists, 3);
	assert_int_equal(fixture->server.pending, 1); /* the one that was not answered */
	assert_int_equal(fixture->server.changed, 1); /* its description */
}

/* There was no token, so that nothing can come late: it is tried anew without a look. */
static void test_state_never_sent(void **state)
{
	static const char known[] = "{\"alarm_id\":\"id-0\",\"name\":\"guestmon/n1/node/leak/m0\","
				    "\"state\":\"alarm\"}";
	struct fixture *fixture = *state;
	const struct gm_transition transition = {
		.kind = GM_TRANSITION_CLEAR,
		.sequence = 1,
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak", .metric = "m0"},
	};
	uint64_t ticket = 7;
	struct gm_json *alarm;

	assert_int_equal(gm_json_parse(known, strlen(known), &alarm, NULL), 0);
	gm_aodh_known_put(fixture->output, "guestmon/n1/node/leak/m0", alarm);
	fixture->server.no_tokens = true;
	assert_int_equal(gm_aodh_job_start(fixture->output, &transition, 0, &ticket), 0);
	while (fixture->output->jobs)
		uv_run(&fixture->loop, UV_RUN_ONCE); /* without a tick, so that no look is had */
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
	assert_int_equal(gm_aodh_job_start(fixture->output, &transition, 0, &ticket), 0);
	while (fixture->output->jobs)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_int_equal(fixture->refused, 1);
	assert_false(fixture->output->reconciled);
	assert_true(fixture->output->compared);
	assert_true(fixture->output->sweep_at >= now + GM_AODH_REFUSED_PAUSE);
}

int main(void)
{
#define WITH_OUTPUT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_OUTPUT(test_compared_some_at_a_time),
		WITH_OUTPUT(test_compared_in_vain),
		WITH_OUTPUT(test_state_set_late),
		WITH_OUTPUT(test_state_never_sent),
		WITH_OUTPUT(test_refused_is_a_doubt),
		WITH_OUTPUT(test_token_is_due_and_keystone_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
