/* SPDX-License-Identifier: Apache-2.0 */
/* See aodh_server.h. */
#include "aodh_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/buffer.h"

enum { DELAY_MS = 10 };

static void on_written(uv_write_t *write, int status)
{
	(void)write;
	(void)status; /* the client may have gone */
}

static void reply(struct gm_test_aodh_client *client, const char *status, const char *header,
		  const char *body)
{
	uv_buf_t buffer;

	snprintf(client->answer, sizeof(client->answer),
		 "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, header, strlen(body),
		 body);
	buffer = uv_buf_init(client->answer, (unsigned)strlen(client->answer));
	client->length = 0;
	uv_write(&client->write, (uv_stream_t *)&client->tcp, &buffer, 1, on_written);
}

static void reply_token(struct gm_test_aodh_client *client)
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
		 GM_TEST_AODH_LIFE_S);
	reply(client, "201 Created", "X-Subject-Token: word\r\n", body);
}

static void write_alarm(const struct gm_test_aodh *server, int i, struct gm_buffer *body)
{
	bool done = server->lists > 2 && server->slow;
	const char *state = i > 0 || !server->state ? "alarm" : server->state;
	const char *severity = i > 0 || !server->severity ? "low" : server->severity;

	gm_buffer_printf(body,
			 "{\"alarm_id\":\"id-%d\",\"name\":\"guestmon/n1/node/leak/m%d\","
			 "\"state\":\"%s\",\"severity\":\"%s\",\"type\":\"event\"}",
			 i, i, i == 0 && done ? "ok" : state, severity);
}

/* All of them are in alarm, and of this node. Where it is slow, the first one is ok, in the end. */
static void reply_list(struct gm_test_aodh_client *client)
{
	struct gm_buffer body = GM_BUFFER_INIT(32 << 10);

	if (++client->server->lists == client->server->failing_look) {
		reply(client, "503 Away", "", "");
		return;
	}
	for (int i = 0; i < GM_TEST_AODH_SHOWN; i++) {
		gm_buffer_printf(&body, i == 0 ? "[" : ",");
		write_alarm(client->server, i, &body);
	}
	gm_buffer_printf(&body, "]");
	assert_false(body.failed);
	reply(client, "200 OK", "", body.data);
	gm_buffer_free(&body);
}

static void on_late(uv_timer_t *timer)
{
	struct gm_test_aodh_client *client = timer->data;

	client->server->pending--;
	client->server->changed++;
	if (client->server->refuses_state && client->server->changed == GM_TEST_AODH_SHOWN / 2)
		reply(client, "500 No", "", "");
	else
		reply(client, "200 OK", "", "\"ok\"");
}

static bool begins(const char *request, const char *with)
{
	return with && strncmp(request, with, strlen(with)) == 0;
}

/* The first alarm is changed, and nobody says so. */
static void lose(struct gm_test_aodh_client *client)
{
	struct gm_test_aodh *server = client->server;
	uv_os_fd_t fd;

	server->lost = NULL;
	if (strstr(client->request, "/state "))
		server->state = "ok";
	else
		server->severity = "critical";
	if (server->lost_as)
		reply(client, server->lost_as, "", "");
	else if (server->closes && uv_fileno((uv_handle_t *)&client->tcp, &fd) == 0)
		shutdown(fd, SHUT_RDWR);
}

static void answer(struct gm_test_aodh_client *client)
{
	struct gm_test_aodh *server = client->server;

	if (strncmp(client->request, "POST /v3/auth/tokens ", 21) == 0) {
		reply_token(client);
	} else if (server->refuses_looks) {
		reply(client, "403 No", "", "");
	} else if (strncmp(client->request, "GET /v2/alarms?", 15) == 0) {
		if (server->lists > 0 && server->still > 0)
			server->still--;
		else
			reply_list(client);
	} else if (begins(client->request, "POST /v2/alarms ")) {
		server->created++;
		reply(client, "500 No", "", "");
	} else if (begins(client->request, server->refused)) {
		reply(client, "403 No", "", "");
	} else if (begins(client->request, server->lost)) {
		lose(client);
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
	struct gm_test_aodh_client *client = handle->data;

	(void)wanted;
	*buffer = uv_buf_init(client->request + client->length,
			      (unsigned)(sizeof(client->request) - 1 - client->length));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct gm_test_aodh_client *client = stream->data;
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
	struct gm_test_aodh *server = stream->data;
	struct gm_test_aodh_client *client = &server->clients[server->client_count++];

	assert_int_equal(status, 0);
	assert_in_range(server->client_count, 1, GM_TEST_AODH_CLIENTS);
	client->server = server;
	client->tcp.data = client->late.data = client;
	uv_tcp_init(stream->loop, &client->tcp);
	uv_timer_init(stream->loop, &client->late);
	assert_int_equal(uv_accept(stream, (uv_stream_t *)&client->tcp), 0);
	uv_read_start((uv_stream_t *)&client->tcp, allocate, on_read);
}

unsigned gm_test_aodh_start(struct gm_test_aodh *server, uv_loop_t *loop)
{
	struct sockaddr_in address;
	int size = sizeof(address);

	server->tcp.data = server;
	uv_tcp_init(loop, &server->tcp);
	uv_ip4_addr("127.0.0.1", 0, &address);
	assert_int_equal(uv_tcp_bind(&server->tcp, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(
		uv_listen((uv_stream_t *)&server->tcp, GM_TEST_AODH_CLIENTS, on_connection), 0);
	uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
	return ntohs(address.sin_port);
}

void gm_test_aodh_stop(struct gm_test_aodh *server)
{
	uv_close((uv_handle_t *)&server->tcp, NULL);
	for (size_t i = 0; i < server->client_count; i++) {
		uv_close((uv_handle_t *)&server->clients[i].tcp, NULL);
		uv_close((uv_handle_t *)&server->clients[i].late, NULL);
	}
}
