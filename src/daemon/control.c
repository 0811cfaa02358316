/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control server; see control.h. One struct per connection, in a fixed table.
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
	AHEAD_MAX = 16384, /* bytes of further requests that are taken while an answer is owed */
};

struct gm_control_asker {
	struct gm_control *control;
	bool open;
	uv_pipe_t pipe;
	uv_timer_t idle;
	unsigned closing; /* handles whose close is under way */
	struct gm_buffer in;
	char read_space[READ_SIZE];
	void (*cancel)(void *deferred); /* NULL: no answer is owed */
	void *deferred;
};

struct gm_control {
	uv_pipe_t listener;
	struct gm_control_host host;
	struct gm_control_asker clients[GM_CTL_CLIENTS];
	unsigned owed;
};

struct writing {
	uv_write_t request;
	struct gm_control_asker *client;
	struct gm_buffer out;
	bool last; /* close when it is out */
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct gm_control_asker *client = handle->data;
	if (--client->closing > 0)
		return;
	gm_buffer_free(&client->in);
	client->open = false;
}

/* Nothing is owed any more: it was answered, or `cancel` says so to who would have. */
static void settle(struct gm_control_asker *client, bool cancel)
{
	void (*tell)(void *deferred) = client->cancel;
	if (!tell)
		return;
	client->cancel = NULL;
	client->control->owed--;
	if (cancel)
		tell(client->deferred);
}

static void close_client(struct gm_control_asker *client)
{
	if (client->closing > 0)
		return;
	settle(client, true);
	client->closing = 2;
	uv_close((uv_handle_t *)&client->pipe, on_handle_closed);
	uv_close((uv_handle_t *)&client->idle, on_handle_closed);
}

static void send_error(struct gm_control_asker *client, const struct gm_error *err, bool last);

static void on_idle(uv_timer_t *timer)
{
	struct gm_error err;
	struct gm_control_asker *client = timer->data;
	if (!client->cancel) {
		close_client(client);
		return;
	}
	settle(client, true);
	uv_read_stop((uv_stream_t *)&client->pipe);
	gm_error_set(&err, -ETIMEDOUT, "there was no answer in time");
	send_error(client, &err, false);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *space);
static bool take_line(struct gm_control_asker *client);

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *space)
{
	(void)suggested;
	struct gm_control_asker *client = handle->data;
	*space = uv_buf_init(client->read_space, READ_SIZE);
}

static int start_reading(struct gm_control_asker *client)
{
	return uv_read_start((uv_stream_t *)&client->pipe, give_space, on_read);
}

static void on_written(uv_write_t *request, int status)
{
	struct writing *writing = request->data;
	struct gm_control_asker *client = writing->client;
	bool last = writing->last;
	gm_buffer_free(&writing->out);
	free(writing);
	if (client->closing > 0)
		return;
	uv_timer_start(&client->idle, on_idle, IDLE_MS, IDLE_MS);
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

/* Sends a line, which is taken. */
static void send_line(struct gm_control_asker *client, struct gm_buffer *line, bool last)
{
	struct writing *writing = calloc(1, sizeof(*writing));
	int result = -ENOMEM;
	if (writing) {
		*writing = (struct writing){.client = client, .out = *line, .last = last};
		writing->request.data = writing;
		uv_buf_t piece = uv_buf_init(line->data, (unsigned)line->length);
		result = uv_write(&writing->request, (uv_stream_t *)&client->pipe, &piece, 1,
				  on_written);
	}
	if (result == 0)
		return;
	gm_buffer_free(line);
	free(writing);
	close_client(client);
}

/* Sends `reply` (taken) as one line. */
static void send_reply(struct gm_control_asker *client, struct gm_json *reply, bool last)
{
	struct gm_buffer line;
	int result = write_line(&line, reply);
	gm_json_free(reply);
	if (result == 0) {
		send_line(client, &line, last);
		return;
	}
	gm_buffer_free(&line);
	close_client(client);
}

static void send_error(struct gm_control_asker *client, const struct gm_error *err, bool last)
{
	struct gm_json *reply = gm_json_object();
	gm_json_set_bool(reply, "ok", false);
	gm_json_set_text(reply, "error", err->text);
	if (err->code == -EINVAL)
		gm_json_set_bool(reply, "invalid", true);
	send_reply(client, reply, last);
}

static void give(struct gm_control_asker *client, struct gm_json *reply, const struct gm_error *err)
{
	if (!reply) {
		send_error(client, err, false);
		return;
	}
	gm_json_set_bool(reply, "ok", true);
	send_reply(client, reply, false);
}

/* Reads on, for nothing else tells that the client has left. What it asks meanwhile waits. */
static void await(struct gm_control_asker *client)
{
	uv_timer_start(&client->idle, on_idle, GM_CONTROL_DEFERRED_MS, IDLE_MS);
	if (start_reading(client) < 0)
		close_client(client);
}

int gm_control_defer(struct gm_control_asker *asker, void (*cancel)(void *deferred), void *deferred,
		     struct gm_error *err)
{
	if (asker->control->owed >= GM_CONTROL_DEFERRED_MAX)
		return gm_error_set(err, -EBUSY, "too many wait for an answer: ask again");
	asker->control->owed++;
	asker->cancel = cancel;
	asker->deferred = deferred;
	return 0;
}

static void end_wait(struct gm_control_asker *client)
{
	settle(client, false);
	uv_read_stop((uv_stream_t *)&client->pipe);
	uv_timer_start(&client->idle, on_idle, IDLE_MS, IDLE_MS);
}

void gm_control_answer(struct gm_control_asker *asker, struct gm_json *reply,
		       const struct gm_error *err)
{
	end_wait(asker);
	give(asker, reply, err);
}

/* A reply that is made apart. */
struct making {
	uv_work_t request;
	struct gm_control_asker *client; /* NULL: nobody waits any more */
	struct gm_json *(*make)(void *work);
	void (*release)(void *work);
	void *work;
	struct gm_buffer line;
	int result;
};

static void on_unwanted(void *deferred)
{
	struct making *making = deferred;
	making->client = NULL;
}

static void make_apart(uv_work_t *request)
{
	struct making *making = request->data;
	struct gm_json *reply = making->make(making->work);
	gm_json_set_bool(reply, "ok", true);
	making->result = reply ? write_line(&making->line, reply) : -ENOMEM;
	gm_json_free(reply);
}

static void on_made(uv_work_t *request, int status)
{
	struct making *making = request->data;
	struct gm_control_asker *client = making->client;
	struct gm_error err = {.text = "out of memory"};
	if (client && status == 0 && making->result == 0) {
		end_wait(client);
		send_line(client, &making->line, false);
	} else {
		gm_buffer_free(&making->line);
		if (client)
			gm_control_answer(client, NULL, &err);
	}
	making->release(making->work);
	free(making);
}

void gm_control_answer_apart(struct gm_control_asker *asker, struct gm_json *(*make)(void *work),
			     void (*release)(void *work), void *work)
{
	struct gm_error err = {.text = "out of memory"};
	struct making *making = calloc(1, sizeof(*making));
	if (making) {
		*making = (struct making){
			.client = asker, .make = make, .release = release, .work = work};
		making->request.data = making;
	}
	if (!making || uv_queue_work(asker->pipe.loop, &making->request, make_apart, on_made) < 0) {
		free(making);
		gm_control_answer(asker, NULL, &err);
		release(work);
		return;
	}
	asker->cancel = on_unwanted;
	asker->deferred = making;
}

static void answer_line(struct gm_control_asker *client, const char *line, size_t length)
{
	struct gm_error err = {.text = "out of memory"};
	struct gm_json *request = NULL, *reply = NULL;
	if (gm_json_parse(line, length, &request, &err) == 0) {
		const struct gm_ctl_command *command = gm_ctl_check(request, &err);
		const struct gm_control_host *host = &client->control->host;
		if (command)
			reply = host->answer(host->user, command, request, client, &err);
	}
	gm_json_free(request);
	if (client->cancel)
		await(client);
	else
		give(client, reply, &err);
}

/*
 * Answers one line (false: there is none); the next has to wait until that answer is out, so that a
 * client that asks without reading cannot make answers pile up here.
 */
static bool take_line(struct gm_control_asker *client)
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
	struct gm_control_asker *client = stream->data;
	struct gm_error err;
	if (count < 0) {
		close_client(client);
		return;
	}
	if (!client->cancel)
		uv_timer_again(&client->idle);
	gm_buffer_append(&client->in, space->base, (size_t)count);
	if (client->in.failed) {
		uv_read_stop(stream);
		settle(client, true);
		gm_error_set(&err, -EINVAL, "the request is too long");
		send_error(client, &err, true);
		return;
	}
	if (!client->cancel)
		take_line(client);
	else if (client->in.length > AHEAD_MAX)
		uv_read_stop(stream); /* that it leaves is not heard until there is an answer */
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

int64_t gm_control_uid(const struct gm_control_asker *asker)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	uv_os_fd_t fd;

	if (!asker || uv_fileno((const uv_handle_t *)&asker->pipe, &fd) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -1;
	return peer.uid;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct gm_control *control = listener->data;
	struct gm_control_asker *client = control->clients;
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
