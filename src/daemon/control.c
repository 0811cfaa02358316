/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control server; see control.h. One struct client per connection, in a fixed table.
 */
#include "daemon/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

enum {
	READ_SIZE = 4096,
	IDLE_MS = 30000, /* a client that neither asks nor reads for so long is closed */
	BACKLOG = 16,
	SOCKET_MODE = 0660,
};

struct client {
	struct gm_control *control;
	bool open;
	uv_pipe_t pipe;
	uv_timer_t idle;
	unsigned closing; /* handles whose close is under way */
	struct gm_buffer in;
	char read_space[READ_SIZE];
};

struct gm_control {
	uv_pipe_t listener;
	struct gm_control_host host;
	struct client clients[GM_CTL_CLIENTS];
};

struct writing {
	uv_write_t request;
	struct client *client;
	struct gm_buffer out;
	bool last; /* close when it is out */
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;
	if (--client->closing > 0)
		return;
	gm_buffer_free(&client->in);
	client->open = false;
}

static void close_client(struct client *client)
{
	if (client->closing > 0)
		return;
	client->closing = 2;
	uv_close((uv_handle_t *)&client->pipe, on_handle_closed);
	uv_close((uv_handle_t *)&client->idle, on_handle_closed);
}

static void on_idle(uv_timer_t *timer)
{
	close_client(timer->data);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *space);
static bool take_line(struct client *client);

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *space)
{
	(void)suggested;
	struct client *client = handle->data;
	*space = uv_buf_init(client->read_space, READ_SIZE);
}

static int start_reading(struct client *client)
{
	return uv_read_start((uv_stream_t *)&client->pipe, give_space, on_read);
}

static void on_written(uv_write_t *request, int status)
{
	struct writing *writing = request->data;
	struct client *client = writing->client;
	bool last = writing->last;
	gm_buffer_free(&writing->out);
	free(writing);
	if (client->closing > 0)
		return;
	uv_timer_again(&client->idle);
	if (status < 0 || last || (!take_line(client) && start_reading(client) < 0))
		close_client(client);
}

/* The line of `reply`; of an error instead where it is too long to be sent. */
static int write_line(struct gm_buffer *out, const struct gm_json *reply)
{
	*out = GM_BUFFER_INIT(GM_CTL_REPLY_MAX);
	int result = gm_json_write(reply, 0, out);
	gm_buffer_append(out, "\n", 1);
	if (result == 0 && !out->failed)
		return 0;
	gm_buffer_free(out);
	gm_buffer_printf(out,
			 "{\"ok\":false,\"error\":\"the reply would be larger than %d bytes\"}\n",
			 GM_CTL_REPLY_MAX);
	return out->failed ? -ENOMEM : 0;
}

/* Sends `reply` (taken) as one line. */
static void send_reply(struct client *client, struct gm_json *reply, bool last)
{
	struct writing *writing = calloc(1, sizeof(*writing));
	int result = writing ? write_line(&writing->out, reply) : -ENOMEM;
	gm_json_free(reply);
	if (result == 0) {
		writing->client = client;
		writing->last = last;
		writing->request.data = writing;
		uv_buf_t piece = uv_buf_init(writing->out.data, (unsigned)writing->out.length);
		result = uv_write(&writing->request, (uv_stream_t *)&client->pipe, &piece, 1,
				  on_written);
	}
	if (result == 0)
		return;
	if (writing)
		gm_buffer_free(&writing->out);
	free(writing);
	close_client(client);
}

static void send_error(struct client *client, const char *text, bool last)
{
	struct gm_json *reply = gm_json_object();
	gm_json_set_bool(reply, "ok", false);
	gm_json_set_text(reply, "error", text);
	send_reply(client, reply, last);
}

static void answer_line(struct client *client, const char *line, size_t length)
{
	struct gm_error err = {.text = "out of memory"};
	struct gm_json *request = NULL, *reply = NULL;
	if (gm_json_parse(line, length, &request, &err) == 0) {
		const struct gm_ctl_command *command = gm_ctl_check(request, &err);
		const struct gm_control_host *host = &client->control->host;
		if (command)
			reply = host->answer(host->user, command, request, &err);
	}
	gm_json_free(request);
	if (!reply) {
		send_error(client, err.text, false);
		return;
	}
	gm_json_set_bool(reply, "ok", true);
	send_reply(client, reply, false);
}

/*
 * Answers one line (false: there is none); the next has to wait until that answer is out, so that a
 * client that asks without reading cannot make answers pile up here.
 */
static bool take_line(struct client *client)
{
	char *end = NULL;
	if (client->in.length > 0)
		end = memchr(client->in.data, '\n', client->in.length);
	if (!end)
		return false;
	size_t length = (size_t)(end - client->in.data);
	uv_read_stop((uv_stream_t *)&client->pipe);
	answer_line(client, client->in.data, length);
	gm_buffer_consume(&client->in, length + 1);
	return true;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *space)
{
	struct client *client = stream->data;
	if (count < 0) {
		close_client(client);
		return;
	}
	uv_timer_again(&client->idle);
	gm_buffer_append(&client->in, space->base, (size_t)count);
	if (client->in.failed) {
		uv_read_stop(stream);
		send_error(client, "the request is too long", true);
		return;
	}
	take_line(client);
}

static void on_rejected(uv_handle_t *handle)
{
	free(handle);
}

/* Takes a connection that there is no place for, and closes it: left alone it would be offered again. */
static void reject(uv_stream_t *listener)
{
	uv_pipe_t *pipe = calloc(1, sizeof(*pipe));
	if (!pipe)
		return;
	uv_pipe_init(listener->loop, pipe, 0);
	uv_accept(listener, (uv_stream_t *)pipe);
	uv_close((uv_handle_t *)pipe, on_rejected);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct gm_control *control = listener->data;
	struct client *client = control->clients;
	while (client < control->clients + GM_CTL_CLIENTS && client->open)
		client++;
	if (status < 0)
		return;
	if (client == control->clients + GM_CTL_CLIENTS) {
		reject(listener);
		return;
	}
	client->control = control;
	client->open = true;
	client->in = GM_BUFFER_INIT(GM_CTL_REQUEST_MAX);
	uv_pipe_init(listener->loop, &client->pipe, 0);
	uv_timer_init(listener->loop, &client->idle);
	client->pipe.data = client->idle.data = client;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) < 0 || start_reading(client) < 0)
		close_client(client);
	else
		uv_timer_start(&client->idle, on_idle, IDLE_MS, IDLE_MS);
}

/* A socket left by a daemon that died may be removed; one that is answered, or another file, not. */
static int clear_the_way(const char *path, struct gm_error *err)
{
	struct stat status;
	if (lstat(path, &status) < 0)
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return gm_error_set(err, -EADDRINUSE, "%s is in the way and is no socket", path);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int answered = fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
				   errno != ECONNREFUSED);
	if (fd >= 0)
		close(fd);
	if (answered)
		return gm_error_set(err, -EADDRINUSE, "another daemon answers at %s", path);
	unlink(path);
	return 0;
}

int gm_control_start(uv_loop_t *loop, const char *path, const struct gm_control_host *host,
		     struct gm_control **ret_control, struct gm_error *err)
{
	int result = clear_the_way(path, err);
	if (result < 0)
		return result;
	struct gm_control *control = calloc(1, sizeof(*control));
	if (!control)
		return gm_error_set(err, -ENOMEM, "out of memory");
	control->host = *host;
	uv_pipe_init(loop, &control->listener, 0);
	control->listener.data = control;

	mode_t mask = umask(0777 & ~SOCKET_MODE);
	result = uv_pipe_bind(&control->listener, path);
	umask(mask);
	if (result == 0)
		result = uv_listen((uv_stream_t *)&control->listener, BACKLOG, on_connection);
	if (result < 0) {
		uv_close((uv_handle_t *)&control->listener, NULL);
		uv_run(loop, UV_RUN_NOWAIT);
		free(control);
		/* libuv says "permission denied" where the directory is missing, too. */
		return gm_error_set(err, result, "control socket %s: %s%s", path,
				    uv_strerror(result),
				    result == UV_EACCES ? " (or there is no such directory)" : "");
	}
	*ret_control = control;
	return 0;
}

void gm_control_stop(struct gm_control *control)
{
	if (!control)
		return;
	uv_close((uv_handle_t *)&control->listener, NULL); /* libuv removes the socket's file */
	for (size_t i = 0; i < GM_CTL_CLIENTS; i++)
		if (control->clients[i].open)
			close_client(&control->clients[i]);
}

void gm_control_free(struct gm_control *control)
{
	free(control);
}
