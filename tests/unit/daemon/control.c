/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control server against clients that send nonsense, too much, nothing, or come in crowds. The
 * server runs on a loop of its own in a thread, as in the daemon; the clients are plain sockets.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/control.h"

struct server {
	char directory[32], path[64];
	uv_loop_t loop;
	uv_async_t stop;
	struct gm_control *control;
	pthread_t thread;
	int left_open; /* a client of which an answer is owed when the server stops; 0: none */
};

enum { LONG_REPLY = 100000 };

static atomic_uint long_replies;

static struct gm_json *text_of(size_t length)
{
	char *text = malloc(length + 1);
	struct gm_json *reply = gm_json_object();
	assert_non_null(text);
	memset(text, 'x', length);
	text[length] = '\0';
	gm_json_set_text(reply, "text", text);
	free(text);
	return reply;
}

/* An answer that is owed: given when the timer fires, where it was started. */
struct owed {
	uv_timer_t timer;
	struct gm_control_asker *asker;
};

static atomic_uint deferred, cancelled;

static void on_owed_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_cancel(void *user)
{
	struct owed *owed = user;
	atomic_fetch_add(&cancelled, 1);
	uv_close((uv_handle_t *)&owed->timer, on_owed_closed);
}

static void on_due(uv_timer_t *timer)
{
	struct owed *owed = timer->data;
	gm_control_answer(owed->asker, text_of(3), NULL);
	uv_close((uv_handle_t *)timer, on_owed_closed);
}

/* After `ms`; 0: never. */
static void defer(struct server *server, struct gm_control_asker *asker, uint64_t ms,
		  uv_timer_cb due, struct gm_error *err)
{
	struct owed *owed = calloc(1, sizeof(*owed));
	if (gm_control_defer(asker, on_cancel, owed, err) < 0) {
		free(owed);
		return;
	}
	atomic_fetch_add(&deferred, 1);
	owed->asker = asker;
	owed->timer.data = owed;
	uv_timer_init(&server->loop, &owed->timer);
	if (ms > 0)
		uv_timer_start(&owed->timer, due, ms, 0);
}

static struct gm_json *make_slowly(void *work)
{
	(void)work;
	usleep(300000);
	return text_of(LONG_REPLY);
}

static atomic_uint released;

static void on_released(void *work)
{
	struct owed *owed = work;
	atomic_fetch_add(&released, 1);
	uv_close((uv_handle_t *)&owed->timer, on_owed_closed);
}

static void on_due_apart(uv_timer_t *timer)
{
	struct owed *owed = timer->data;
	gm_control_answer_apart(owed->asker, make_slowly, on_released, owed);
}

/* "learn" and "check" answer later, after 200 ms and never. Tells the command's name back; "guests" fails; "alarms" is long, "windows" too long. */
static struct gm_json *answer(void *user, const struct gm_ctl_command *command,
			      const struct gm_json *request, struct gm_control_asker *asker,
			      struct gm_error *err)
{
	if (strcmp(command->name, "learn") == 0 || strcmp(command->name, "check") == 0) {
		defer(user, asker, command->name[0] == 'l' ? 200 : 0, on_due, err);
		return NULL;
	}
	if (strcmp(command->name, "unlearn") == 0) {
		defer(user, asker, 1, on_due_apart, err);
		return NULL;
	}
	(void)request;
	if (strcmp(command->name, "windows") == 0)
		return text_of(GM_CTL_REPLY_MAX);
	if (strcmp(command->name, "alarms") == 0) {
		atomic_fetch_add(&long_replies, 1);
		return text_of(LONG_REPLY);
	}
	if (strcmp(command->name, "guests") == 0) {
		gm_error_set(err, -ENOENT, "no guests \"here\"\n");
		return NULL;
	}
	struct gm_json *reply = gm_json_object();
	gm_json_set_text(reply, "name", command->name);
	return reply;
}

static void on_stop(uv_async_t *stop)
{
	struct server *server = stop->data;
	gm_control_stop(server->control);
	uv_close((uv_handle_t *)stop, NULL);
}

static void *run_loop(void *argument)
{
	struct server *server = argument;
	uv_run(&server->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int setup(void **state)
{
	struct server *server = calloc(1, sizeof(*server));
	struct gm_control_host host = {answer, server};
	struct gm_error err = {.text = ""};
	snprintf(server->directory, sizeof(server->directory), "/tmp/gm-control-XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	snprintf(server->path, sizeof(server->path), "%s/control.sock", server->directory);
	uv_loop_init(&server->loop);
	uv_async_init(&server->loop, &server->stop, on_stop);
	server->stop.data = server;
	assert_int_equal(
		gm_control_start(&server->loop, server->path, &host, &server->control, &err), 0);
	atomic_store(&deferred, 0);
	atomic_store(&cancelled, 0);
	atomic_store(&released, 0);
	assert_int_equal(pthread_create(&server->thread, NULL, run_loop, server), 0);
	*state = server;
	return 0;
}

static int teardown(void **state)
{
	struct server *server = *state;
	uv_async_send(&server->stop);
	pthread_join(server->thread, NULL);
	assert_int_equal(uv_loop_close(&server->loop), 0);
	gm_control_free(server->control);
	if (server->left_open > 0) {
		assert_int_equal(atomic_load(&cancelled), 1);
		close(server->left_open);
	}
	assert_int_equal(access(server->path, F_OK), -1);
	assert_int_equal(rmdir(server->directory), 0);
	free(server);
	return 0;
}

static int dial(const struct server *server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 8};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Reads until `lines` lines came or the server closed; returns how many came. */
static int read_lines(int fd, int lines, char *text, size_t size)
{
	size_t used = 0;
	int seen = 0;
	while (seen < lines && used + 1 < size) {
		ssize_t n = recv(fd, text + used, 1, 0);
		if (n <= 0)
			break;
		seen += text[used] == '\n';
		used++;
	}
	text[used] = '\0';
	return seen;
}

static void assert_answer(struct server *server, const char *request, const char *says)
{
	char text[1024];
	int fd = dial(server);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	assert_int_equal(read_lines(fd, 1, text, sizeof(text)), 1);
	if (!strstr(text, says))
		fail_msg("%s answered with %s", request, text);
	close(fd);
}

static void test_answers(void **state)
{
	assert_answer(*state, "{\"command\":\"status\"}\n", "{\"name\":\"status\",\"ok\":true}");
	assert_answer(*state, "{\"command\":\"guests\"}\n",
		      "{\"ok\":false,\"error\":\"no guests \\\"here\\\"\\n\"}");
	/* A mistake of who asks, not of what is asked for. */
	assert_answer(*state, "{\"command\":\"nonsense\"}\n", "\"invalid\":true}");
}

static void test_nonsense_gets_a_message_and_the_connection_lives(void **state)
{
	static const char *const requests[] = {
		"\n",
		"hello\n",
		"{\n",
		"[]\n",
		"null\n",
		"{\"command\":null}\n",
		"{\"command\":\"x\"}\n",
		"{\"command\":\"status\",\"command\":\"status\"}\n",
		"\xFF\xFE\n",
		"{\"command\":\"status\",\"x\":1}\n",
	};
	char text[1024];
	int fd = dial(*state);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		send(fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL);
		assert_int_equal(read_lines(fd, 1, text, sizeof(text)), 1);
		assert_non_null(strstr(text, "\"ok\":false"));
	}
	static const char good[] = "{\"command\":\"status\"}\n";
	send(fd, good, sizeof(good) - 1, MSG_NOSIGNAL);
	assert_int_equal(read_lines(fd, 1, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "\"ok\":true"));
	close(fd);
}

static void test_many_requests_in_one_packet_and_one_in_many(void **state)
{
	static const char good[] = "{\"command\":\"status\"}\n";
	char text[4096], many[sizeof(good) * 20] = "";
	size_t length = 0;
	for (int i = 0; i < 20; i++, length += sizeof(good) - 1)
		memcpy(many + length, good, sizeof(good));
	int fd = dial(*state);
	send(fd, many, length, MSG_NOSIGNAL);
	assert_int_equal(read_lines(fd, 20, text, sizeof(text)), 20);
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		send(fd, good + i, 1, MSG_NOSIGNAL);
		usleep(1000);
	}
	assert_int_equal(read_lines(fd, 1, text, sizeof(text)), 1);
	close(fd);
}

static void test_a_request_without_end_is_cut_off(void **state)
{
	char piece[4096], text[256];
	memset(piece, 'x', sizeof(piece));
	int fd = dial(*state);
	for (int i = 0; i < 2 * GM_CTL_REQUEST_MAX / (int)sizeof(piece); i++)
		if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL) < 0)
			break;
	assert_int_equal(read_lines(fd, 1, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "too long"));
	close(fd);
	test_answers(state);
}

static void test_a_crowd_is_turned_away_and_places_come_free(void **state)
{
	int fds[GM_CTL_CLIENTS];
	char text[64];
	for (int i = 0; i < GM_CTL_CLIENTS; i++)
		fds[i] = dial(*state);
	int one_more = dial(*state);
	assert_int_equal(recv(one_more, text, sizeof(text), 0), 0);
	close(one_more);
	for (int i = 0; i < GM_CTL_CLIENTS; i++)
		close(fds[i]);
	usleep(100000);
	test_answers(state);
}

static void test_a_client_that_leaves_before_the_answer(void **state)
{
	static const char good[] = "{\"command\":\"status\"}\n";
	for (int i = 0; i < 200; i++) {
		int fd = dial(*state);
		send(fd, good, sizeof(good) - 1, MSG_NOSIGNAL);
		close(fd);
	}
	usleep(100000);
	test_answers(state);
}

static void test_a_reply_that_is_too_large_is_an_error(void **state)
{
	assert_answer(*state, "{\"command\":\"windows\"}\n", "the reply would be larger than");
}

static void test_one_who_asks_without_reading_is_not_answered_ahead(void **state)
{
	static const char ask[] = "{\"command\":\"alarms\"}\n";
	enum { ASKED = 500, LENGTH = ASKED * (sizeof(ask) - 1) };
	static char asked[LENGTH + 1];
	for (size_t i = 0; i < ASKED; i++)
		memcpy(asked + i * (sizeof(ask) - 1), ask, sizeof(ask));
	int fd = dial(*state);
	atomic_store(&long_replies, 0);
	assert_int_equal(send(fd, asked, LENGTH, MSG_NOSIGNAL), LENGTH);
	usleep(200000);
	/* What fits into the sockets' buffers, and one that waits. */
	assert_in_range(atomic_load(&long_replies), 1, 20);

	static char text[1 << 16];
	size_t lines = 0;
	while (lines < ASKED) {
		ssize_t n = recv(fd, text, sizeof(text), 0);
		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	}
	assert_int_equal(atomic_load(&long_replies), ASKED);
	close(fd);
}

static const char later[] = "{\"command\":\"learn\"}\n", never[] = "{\"command\":\"check\"}\n";

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool wait_for(atomic_uint *count, unsigned value)
{
	for (int i = 0; i < 200 && atomic_load(count) != value; i++)
		usleep(10000);
	return atomic_load(count) == value;
}

static void test_an_answer_comes_later_and_others_do_not_wait(void **state)
{
	char text[1024];
	int fd = dial(*state);
	/* What is asked meanwhile waits for its turn. */
	say(fd, later);
	say(fd, "{\"command\":\"status\"}\n{\"command\":\"learn\"}\n{\"command\":\"x\"}\n");
	assert_true(wait_for(&deferred, 1));
	test_answers(state);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(read_lines(fd, 4, text, sizeof(text)), 4);
	assert_non_null(strstr(text,
			       "{\"text\":\"xxx\",\"ok\":true}\n{\"name\":\"status\",\"ok\":true}"
			       "\n{\"text\":\"xxx\",\"ok\":true}\n{\"ok\":false"));
	assert_int_equal(atomic_load(&cancelled), 0);
	close(fd);
}

static void test_a_client_that_leaves_cancels(void **state)
{
	for (int i = 0; i < 3; i++) {
		int fd = dial(*state);
		say(fd, i == 1 ? later : never);
		assert_true(wait_for(&deferred, (unsigned)i + 1));
		close(fd);
		assert_true(wait_for(&cancelled, (unsigned)i + 1));
	}
	usleep(300000); /* the answer that was under way is given to nobody */
	test_answers(state);
}

static void test_no_answer_in_time(void **state)
{
	char text[1024];
	int fd = dial(*state);
	say(fd, never);
	say(fd, "{\"command\":\"status\"}\n");
	assert_int_equal(read_lines(fd, 2, text, sizeof(text)), 2);
	assert_non_null(strstr(text, "no answer in time"));
	assert_non_null(strstr(text, "{\"name\":\"status\",\"ok\":true}"));
	assert_int_equal(atomic_load(&cancelled), 1);
	close(fd);
}

static void test_no_more_than_so_many_are_owed(void **state)
{
	int fds[GM_CONTROL_DEFERRED_MAX];
	char text[256];
	for (int i = 0; i < GM_CONTROL_DEFERRED_MAX; i++) {
		fds[i] = dial(*state);
		say(fds[i], never);
	}
	assert_true(wait_for(&deferred, GM_CONTROL_DEFERRED_MAX));
	assert_answer(*state, never, "too many wait");
	/* One that goes on asking is bounded, too, and is rid of when it leaves and the time is over. */
	static char flood[GM_CTL_REQUEST_MAX];
	memset(flood, 'x', sizeof(flood));
	say(fds[0], "\n");
	for (int i = 0;
	     i < 64 && send(fds[0], flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL) > 0; i++)
		;
	for (int i = 1; i < GM_CONTROL_DEFERRED_MAX; i++)
		close(fds[i]);
	assert_true(wait_for(&cancelled, GM_CONTROL_DEFERRED_MAX - 1));
	assert_answer(*state, later, "xxx");
	assert_int_equal(read_lines(fds[0], 1, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "no answer in time"));
	close(fds[0]);
}

static void test_the_server_stops_while_answers_are_owed(void **state)
{
	int fd = dial(*state);
	say(fd, never);
	assert_true(wait_for(&deferred, 1));
	((struct server *)*state)->left_open = fd;
}

static void test_a_long_answer_is_made_apart(void **state)
{
	static const char apart[] = "{\"command\":\"unlearn\"}\n";
	static char text[2 * LONG_REPLY];
	int fd = dial(*state), other = dial(*state);
	say(fd, apart);
	say(other, apart);
	assert_true(wait_for(&deferred, 2));
	usleep(100000);
	test_answers(state);
	assert_int_equal(atomic_load(&released), 0);
	close(other); /* while its answer is made */
	assert_int_equal(read_lines(fd, 1, text, sizeof(text)), 1);
	assert_int_equal(strlen(text), LONG_REPLY + sizeof("{\"text\":\"\",\"ok\":true}"));
	assert_true(wait_for(&released, 2));
	assert_int_equal(atomic_load(&cancelled), 0);
	say(fd, apart); /* and the server may stop meanwhile */
	assert_true(wait_for(&deferred, 3));
	usleep(100000);
	close(fd);
}

static void test_the_place_is_taken(void **state)
{
	struct server *server = *state;
	uv_loop_t loop;
	struct gm_control_host host = {answer, NULL};
	struct gm_control *second;
	struct gm_error err;
	uv_loop_init(&loop);
	assert_int_equal(gm_control_start(&loop, server->path, &host, &second, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "another daemon answers"));

	char file[96];
	snprintf(file, sizeof(file), "%s/file", server->directory);
	FILE *stream = fopen(file, "w");
	fclose(stream);
	assert_int_equal(gm_control_start(&loop, file, &host, &second, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "is no socket"));
	unlink(file);
	snprintf(file, sizeof(file), "%s/no/such/place", server->directory);
	assert_true(gm_control_start(&loop, file, &host, &second, &err) < 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_a_dead_daemons_socket_is_replaced(void **state)
{
	struct server *server = *state;
	char path[96];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(path, sizeof(path), "%s/dead", server->directory);
	memcpy(address.sun_path, path, sizeof(path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);

	uv_loop_t loop;
	struct gm_control_host host = {answer, NULL};
	struct gm_control *second;
	struct stat status;
	uv_loop_init(&loop);
	assert_int_equal(gm_control_start(&loop, path, &host, &second, NULL), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0660);
	gm_control_stop(second);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	gm_control_free(second);
}

int main(void)
{
	/* As the daemon does: a client that has left is an error of that write. */
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &ignore, NULL);
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_answers),
		WITH_SERVER(test_nonsense_gets_a_message_and_the_connection_lives),
		WITH_SERVER(test_many_requests_in_one_packet_and_one_in_many),
		WITH_SERVER(test_a_request_without_end_is_cut_off),
		WITH_SERVER(test_a_crowd_is_turned_away_and_places_come_free),
		WITH_SERVER(test_a_client_that_leaves_before_the_answer),
		WITH_SERVER(test_a_reply_that_is_too_large_is_an_error),
		WITH_SERVER(test_one_who_asks_without_reading_is_not_answered_ahead),
		WITH_SERVER(test_an_answer_comes_later_and_others_do_not_wait),
		WITH_SERVER(test_a_client_that_leaves_cancels),
		WITH_SERVER(test_no_answer_in_time),
		WITH_SERVER(test_no_more_than_so_many_are_owed),
		WITH_SERVER(test_the_server_stops_while_answers_are_owed),
		WITH_SERVER(test_a_long_answer_is_made_apart),
		WITH_SERVER(test_the_place_is_taken),
		WITH_SERVER(test_a_dead_daemons_socket_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
