/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client against a server of our own on the loopback, which does what servers do on bad days.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/http/http.h"
#include "north/verdict.h"

enum { REQUEST_MAX = 65536, ENDLESS = 8 << 20 };

/* ---- the server: a thread, one connection after the other ---- */

struct server {
	int listener;
	uint16_t port;
	pthread_t thread;
	int elsewhere; /* requests that came where a redirect pointed */
	char last[REQUEST_MAX];
};

static void say(int fd, const char *text)
{
	size_t length = strlen(text);
	assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
}

/* Reads a request with its body; false when there is none. */
static bool hear(int fd, char *text, size_t size)
{
	size_t used = 0, wanted = 0;
	while (used + 1 < size) {
		ssize_t got = recv(fd, text + used, size - used - 1, 0);
		if (got <= 0)
			return false;
		used += (size_t)got;
		text[used] = '\0';
		const char *end = strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		const char *length = strcasestr(text, "content-length:");
		wanted = (size_t)(end + 4 - text) +
			 (length && length < end ? strtoul(length + 15, NULL, 10) : 0);
		if (used >= wanted)
			return true;
	}
	return false;
}

static void endless(int fd)
{
	static const char block[4096];
	say(fd, "HTTP/1.1 200 OK\r\n\r\n");
	for (size_t sent = 0; sent < ENDLESS; sent += sizeof(block)) {
		if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0)
			return;
	}
}

static void answer(struct server *server, int fd)
{
	static const struct {
		const char *path, *reply;
	} replies[] = {
		{"/ok ",
		 "HTTP/1.1 201 Created\r\nConnection: close\r\nX-One: a\r\nX-Two: b\r\nX-Two: c\r\n"
		 "Content-Length: 5\r\n\r\nhello"},
		{"/empty ", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"},
		{"/half ", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"},
		{"/busy ", "HTTP/1.1 429 Too Many\r\nConnection: close\r\nRetry-After: "
			   "7\r\nContent-Length: 0\r\n\r\n"},
		{"/late-clock ",
		 "HTTP/1.1 503 Busy\r\nConnection: close\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
		 "Retry-After: Mon, 01 Jan 2024 00:00:09 GMT\r\nContent-Length: 0\r\n\r\n"},
		{"/past ",
		 "HTTP/1.1 503 Busy\r\nConnection: close\r\nDate: Mon, 01 Jan 2024 00:00:09 GMT\r\n"
		 "Retry-After: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"},
		{"/later ", "HTTP/1.1 503 Busy\r\nConnection: close\r\nRetry-After: soon\r\n"
			    "Content-Length: 0\r\n\r\n"},
		{"/no ",
		 "HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: 9\r\n\r\n<b>\"\x01</b>"},
		{"/nonsense ", "\x16\x03\x01 what?\r\n\r\n"},
	};
	char head[64];
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		if (strstr(server->last, replies[i].path))
			say(fd, replies[i].reply);
	}
	if (strstr(server->last, "/endless "))
		endless(fd);
	if (strstr(server->last, "/elsewhere "))
		server->elsewhere++;
	if (strstr(server->last, "/redirect ")) {
		say(fd,
		    "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: ");
		snprintf(head, sizeof(head), "http://127.0.0.1:%u/elsewhere\r\n\r\n", server->port);
		say(fd, head);
	}
	if (strstr(server->last, "/hang "))
		hear(fd, head, sizeof(head)); /* until the client gives up */
}

static void *serve(void *user)
{
	struct server *server = user;
	int fd;
	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		/* One request a connection: the next goes over a new one. */
		if (hear(fd, server->last, sizeof(server->last)))
			answer(server, fd);
		close(fd);
	}
	return NULL;
}

static void start_server(struct server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->listener, 16), 0);
	getsockname(server->listener, (struct sockaddr *)&address, &size);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* ---- the client ---- */

struct fixture {
	struct server server;
	uv_loop_t loop;
	struct gm_http *http;
	struct gm_http_transport transport;
	int done;
	int status;
	int64_t retry_after;
	char body[64], error[512], one[16], two[16];
	struct gm_verdict verdict;
	char reason[GM_VERDICT_REASON], plain[GM_VERDICT_REASON];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	start_server(&fixture->server);
	uv_loop_init(&fixture->loop);
	assert_int_equal(gm_http_create(&fixture->loop, &fixture->http), 0);
	fixture->transport.timeout = 20 * GM_SECOND;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	gm_http_close(fixture->http);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	gm_http_free(fixture->http);
	assert_int_equal(uv_loop_close(&fixture->loop), 0); /* nothing is left open */
	shutdown(fixture->server.listener, SHUT_RDWR);
	pthread_join(fixture->server.thread, NULL);
	close(fixture->server.listener);
	free(fixture);
	return 0;
}

static void on_done(void *user, const struct gm_http_response *response)
{
	struct fixture *fixture = user;
	const char *one = gm_http_header(response, "x-one");
	const char *two = gm_http_header(response, "X-Two");
	fixture->done++;
	fixture->status = response->status;
	fixture->retry_after = response->retry_after;
	snprintf(fixture->body, sizeof(fixture->body), "%s", response->body);
	snprintf(fixture->error, sizeof(fixture->error), "%s",
		 response->error ? response->error : "");
	snprintf(fixture->one, sizeof(fixture->one), "%s", one ? one : "none");
	snprintf(fixture->two, sizeof(fixture->two), "%s", two ? two : "none");
	gm_verdict_of_status(response, fixture->plain);
	fixture->verdict = gm_verdict_of(response, fixture->reason);
	uv_stop(&fixture->loop);
}

static struct gm_http_call *begin(struct fixture *fixture, const char *path, const char *body,
				  const char *const *headers)
{
	char url[128];
	struct gm_http_call *call;
	struct gm_error err;
	snprintf(url, sizeof(url), "http://user:pass@127.0.0.1:%u%s", fixture->server.port, path);
	const struct gm_http_request request = {
		.transport = &fixture->transport,
		.method = body ? "PUT" : "GET",
		.url = url,
		.headers = headers,
		.body = body,
		.length = body ? strlen(body) : 0,
		.max_response = 1 << 20,
		.done = on_done,
		.user = fixture,
	};
	assert_int_equal(gm_http_send(fixture->http, &request, &call, &err), 0);
	assert_int_equal(fixture->done, 0); /* never from within send() */
	return call;
}

static void ask(struct fixture *fixture, const char *path)
{
	fixture->done = 0;
	begin(fixture, path, NULL, NULL);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(fixture->done, 1);
}

static void test_an_answer_with_its_headers(void **state)
{
	struct fixture *fixture = *state;
	ask(fixture, "/ok");
	assert_int_equal(fixture->status, 201);
	assert_string_equal(fixture->body, "hello");
	assert_string_equal(fixture->one, "a");
	assert_string_equal(fixture->two, "c");
	assert_int_equal(fixture->verdict.kind, GM_VERDICT_DELIVERED);
	ask(fixture, "/empty");
	assert_int_equal(fixture->status, 204);
	assert_string_equal(fixture->body, "");
	assert_string_equal(fixture->one, "none");
}

static void test_what_is_sent(void **state)
{
	struct fixture *fixture = *state;
	static const char *const headers[] = {"X-Key: 7", "Content-Type: text/plain", NULL};
	begin(fixture, "/ok", "the body", headers);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	const char *last = fixture->server.last;
	assert_memory_equal(last, "PUT /ok HTTP/1.1\r\n", 18);
	assert_non_null(strstr(last, "\r\nX-Key: 7\r\n"));
	assert_non_null(strstr(last, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(last, "\r\n\r\nthe body"));
	assert_null(strcasestr(last, "expect:"));
}

static void test_a_redirect_is_not_followed(void **state)
{
	struct fixture *fixture = *state;
	ask(fixture, "/redirect");
	assert_int_equal(fixture->status, 302);
	assert_int_equal(fixture->verdict.kind, GM_VERDICT_REFUSED);
	ask(fixture, "/empty"); /* the server has had time */
	assert_int_equal(fixture->server.elsewhere, 0);
}

static void test_a_server_that_is_busy(void **state)
{
	struct fixture *fixture = *state;
	ask(fixture, "/busy");
	assert_int_equal(fixture->status, 429);
	assert_int_equal(fixture->retry_after, 7 * GM_SECOND);
	assert_int_equal(fixture->verdict.kind, GM_VERDICT_RETRY);
	assert_int_equal(fixture->verdict.retry_after, 7 * GM_SECOND);
	ask(fixture, "/late-clock"); /* the server's clock counts */
	assert_int_equal(fixture->verdict.retry_after, 9 * GM_SECOND);
	ask(fixture, "/past");
	assert_int_equal(fixture->verdict.retry_after, 0);
	ask(fixture, "/later");
	assert_int_equal(fixture->verdict.retry_after, 0);
}

static void test_a_refusal_is_quoted(void **state)
{
	struct fixture *fixture = *state;
	ask(fixture, "/no");
	assert_int_equal(fixture->verdict.kind, GM_VERDICT_REFUSED);
	assert_string_equal(fixture->verdict.reason, "the answer is 400: \"<b>\\\"\\x01</b>\"");
	assert_string_equal(fixture->plain, "the answer is 400");
}

static void assert_no_answer(struct fixture *fixture, const char *says)
{
	assert_int_equal(fixture->status, 0);
	assert_int_equal(fixture->verdict.kind, GM_VERDICT_RETRY);
	if (!strstr(fixture->error, says))
		fail_msg("\"%s\" does not say \"%s\"", fixture->error, says);
	assert_null(strstr(fixture->error, "pass"));
}

static void test_no_whole_answer(void **state)
{
	struct fixture *fixture = *state;
	ask(fixture, "/half");
	assert_no_answer(fixture, "transfer closed");
	ask(fixture, "/nonsense");
	assert_no_answer(fixture, "HTTP/0.9");
	ask(fixture, "/endless");
	assert_no_answer(fixture, "longer than 1048576 bytes");
	fixture->transport.timeout = 200 * GM_MILLISECOND;
	ask(fixture, "/hang");
	assert_no_answer(fixture, "timed out");
	fixture->transport.timeout = 20 * GM_SECOND;
	shutdown(fixture->server.listener, SHUT_RDWR);
	ask(fixture, "/ok");
	assert_no_answer(fixture, "onnect");
}

static void test_a_cancelled_call_says_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct gm_http_call *call = begin(fixture, "/hang", NULL, NULL);
	begin(fixture, "/hang", "x", NULL); /* ended by teardown */
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	gm_http_cancel(call);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->done, 0);
}

static void test_what_is_no_request(void **state)
{
	struct fixture *fixture = *state;
	static const char *const split[] = {"X-A: b\r\nX-Evil: c", NULL};
	struct gm_error err;
	struct gm_http_request request = {
		.transport = &fixture->transport, .method = "GET", .done = on_done};
	static const char *const urls[] = {"", "file:///etc/passwd", "ftp://127.0.0.1/", "http:/x"};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		request.url = urls[i];
		assert_int_equal(gm_http_send(fixture->http, &request, NULL, &err), -EINVAL);
	}
	request.url = "http://127.0.0.1:1/";
	request.headers = split;
	assert_int_equal(gm_http_send(fixture->http, &request, NULL, &err), -EINVAL);
	assert_string_equal(err.text, "a header holds a line end");
}

static void test_a_url_for_the_log(void **state)
{
	static const char *const urls[][2] = {
		{"https://u:p@h:8/a/b?token=x#y", "https://h:8/a/b"},
		{"http://h", "http://h"},
		{"http://h?t=x", "http://h"},
		{"http://h/a@b", "http://h/a@b"},
		{"h/a?b", "h/a"},
	};
	char text[64];
	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_string_equal(gm_http_url_public(urls[i][0], text, sizeof(text)), urls[i][1]);
}

static void test_options_name_what_is_wrong(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err;
	assert_int_equal(gm_http_check(&fixture->transport, &err), 0);
	snprintf(fixture->transport.proxy, sizeof(fixture->transport.proxy), "10.0.0.1:3128");
	assert_int_equal(gm_http_check(&fixture->transport, &err), -EINVAL);
	assert_string_equal(err.text, "proxy: not a URL that begins with http://");
	snprintf(fixture->transport.ca_file, sizeof(fixture->transport.ca_file),
		 "/nonexistent/ca.pem");
	assert_int_equal(gm_http_check(&fixture->transport, &err), -ENOENT);
	assert_non_null(strstr(err.text, "ca-file: /nonexistent/ca.pem: "));
	memset(&fixture->transport.proxy, 0, sizeof(fixture->transport.proxy));
}

int main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_an_answer_with_its_headers),
		WITH_SERVER(test_what_is_sent),
		WITH_SERVER(test_a_redirect_is_not_followed),
		WITH_SERVER(test_a_server_that_is_busy),
		WITH_SERVER(test_a_refusal_is_quoted),
		WITH_SERVER(test_no_whole_answer),
		WITH_SERVER(test_a_cancelled_call_says_nothing),
		WITH_SERVER(test_what_is_no_request),
		cmocka_unit_test(test_a_url_for_the_log),
		WITH_SERVER(test_options_name_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
