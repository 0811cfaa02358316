/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control protocol's checks, and the client against sockets that misbehave.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/ctl.h"

static void test_check(void **state)
{
	(void)state;
	static const struct {
		const char *request, *says; /* says NULL: accepted */
	} cases[] = {
		{"{\"command\":\"status\"}", NULL},
		{"{\"command\":\"windows\",\"guest\":\"web-1\",\"since\":60}", NULL},
		{"{\"command\":\"alarms\",\"log\":true}", NULL},
		{"{}", "no text member"},
		{"[]", "no text member"},
		{"{\"command\":1}", "no text member"},
		{"{\"command\":\"stop\\n\"}", "unknown command \"stop\\n\""},
		{"{\"command\":\"status\",\"guest\":\"x\"}", "takes no argument \"guest\""},
		{"{\"command\":\"windows\",\"gue\":\"x\"}", "takes no argument \"gue\""},
		{"{\"command\":\"windows\",\"guest metric\":\"x\"}", "takes no argument"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_json *request;
		struct gm_error err = {.text = ""};
		assert_int_equal(
			gm_json_parse(cases[i].request, strlen(cases[i].request), &request, NULL),
			0);
		const struct gm_ctl_command *command = gm_ctl_check(request, &err);
		gm_json_free(request);
		assert_int_equal(command != NULL, cases[i].says == NULL);
		if (cases[i].says && !strstr(err.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
	}
}

struct server {
	char directory[32], path[48];
	int fd;
	const char *
		reply; /* sent as it is, then the connection is closed; NULL: nothing for a while */
	pthread_t thread;
};

static void *serve_one(void *argument)
{
	struct server *server = argument;
	char request[256];
	int client = accept(server->fd, NULL, NULL);
	ssize_t got = recv(client, request, sizeof(request), 0);
	if (server->reply && got > 0)
		send(client, server->reply, strlen(server->reply), MSG_NOSIGNAL);
	else
		usleep(300000);
	close(client);
	return NULL;
}

static void start(struct server *server, const char *reply)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(server->directory, sizeof(server->directory), "/tmp/gm-ctl-XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	snprintf(server->path, sizeof(server->path), "%s/s", server->directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->path);
	server->reply = reply;
	server->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve_one, server), 0);
}

static void stop(struct server *server)
{
	pthread_join(server->thread, NULL);
	close(server->fd);
	unlink(server->path);
	rmdir(server->directory);
}

static void test_call(void **state)
{
	(void)state;
	static const struct {
		const char *reply;
		int result;
		const char *says;
	} cases[] = {
		{"{\"ok\":true,\"n\":7}\n", 0, ""},
		{"{\"ok\":false,\"error\":\"no such guest\"}\n", -EREMOTEIO, "no such guest"},
		{"{}\n", -EREMOTEIO, "refused"},
		{"{\"ok\":false,\"error\":\"which?\",\"invalid\":true}\n", -EINVAL, "which?"},
		{"{\"ok\":tru\n", -EPROTO, "not JSON"},
		{"{\"ok\":true", -ECONNRESET, "closed"},
		{NULL, -ETIMEDOUT, "in time"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server server;
		struct gm_error err = {.text = ""};
		struct gm_json *request = gm_json_object(), *reply = NULL;
		gm_json_set_text(request, "command", "status");
		start(&server, cases[i].reply);
		assert_int_equal(gm_ctl_call(server.path, request, 150, &reply, &err),
				 cases[i].result);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_int_equal(reply != NULL, cases[i].result == 0);
		assert_int_equal(gm_json_get_integer(reply, "n", 0), cases[i].result == 0 ? 7 : 0);
		gm_json_free(request);
		gm_json_free(reply);
		stop(&server);
	}
}

static void test_call_without_a_daemon(void **state)
{
	(void)state;
	struct gm_error err;
	struct gm_json *request = gm_json_object(), *reply = NULL;
	assert_int_equal(gm_ctl_call("/nonexistent/guestmon.sock", request, 100, &reply, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "is guestmond running"));
	char longer[200];
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(gm_ctl_call(longer, request, 100, &reply, &err), -ENAMETOOLONG);
	gm_json_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_call_without_a_daemon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
