/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A synchronous connection that keeps its deadline whatever the server does: hiredis's own timeouts
 * are per read, so that a server that sends a byte now and then would hold the daemon's start for ever. One that
 * sends nothing at all is given up sooner.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/redis/private.h"

static int wait_for(struct gm_redis_link *link, short events, struct gm_error *err)
{
	struct pollfd descriptor = {.fd = link->context->fd, .events = events};
	uint64_t now = uv_hrtime();
	uint64_t left = now < link->end ? (link->end - now) / GM_MILLISECOND + 1 : 0;
	int patience = left < GM_REDIS_LOAD_SILENCE_MS ? (int)left : GM_REDIS_LOAD_SILENCE_MS;
	int ready = patience > 0 ? poll(&descriptor, 1, patience) : 0;

	if (ready == 0)
		return gm_error_set(err, -ETIMEDOUT, "no answer in time");
	if (ready < 0 && errno != EINTR)
		return gm_error_set(err, -errno, "%s", strerror(errno));
	return 0;
}

static int finish_connect(struct gm_redis_link *link, struct gm_error *err)
{
	int failure = 0;
	socklen_t size = sizeof(failure);
	int rc = wait_for(link, POLLOUT, err);

	if (rc < 0)
		return rc;
	if (getsockopt(link->context->fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
		failure = errno;
	return failure ? gm_error_set(err, -failure, "%s", strerror(failure)) : 0;
}

int gm_redis_link_send(struct gm_redis_link *link, struct gm_error *err)
{
	int done = 0, rc;

	rc = link->command.failed || redisAppendFormattedCommand(link->context, link->command.data,
								 link->command.length) != REDIS_OK
		     ? gm_error_set(err, -ENOMEM, "out of memory")
		     : 0;
	link->command.length = 0;
	while (rc == 0 && !done) {
		if (redisBufferWrite(link->context, &done) != REDIS_OK)
			return gm_error_set(err, -EIO, "%s", link->context->errstr);
		if (!done)
			rc = wait_for(link, POLLOUT, err);
	}
	return rc;
}

/*
 * Gives the parser what is there. hiredis's own function reads 16 kB at a time; windows are a hundred
 * megabytes.
 */
static int read_more(struct gm_redis_link *link, struct gm_error *err)
{
	ssize_t length;

	/* Where there always is something, nobody waits. */
	if (uv_hrtime() >= link->end)
		return gm_error_set(err, -ETIMEDOUT, "no answer in time");
	for (;;) {
		length = recv(link->context->fd, link->space, GM_REDIS_LOAD_SPACE, 0);
		if (length == 0)
			return gm_error_set(err, -ECONNRESET, "the server closed the connection");
		if (length > 0)
			break;
		if (errno != EAGAIN && errno != EINTR)
			return gm_error_set(err, -errno, "%s", strerror(errno));
		int rc = wait_for(link, POLLIN, err);
		if (rc < 0)
			return rc;
	}
	if (redisReaderFeed(link->context->reader, link->space, (size_t)length) != REDIS_OK)
		return gm_error_set(err, -ENOMEM, "out of memory");
	return 0;
}

int gm_redis_link_receive(struct gm_redis_link *link, const redisReply **ret_reply,
			  struct gm_error *err)
{
	redisReader *reader = link->context->reader;
	void *object = NULL;
	const redisReply *reply;
	char text[160];

	gm_redis_arena_clear(&link->arena);
	for (;;) {
		if (redisReaderGetReply(reader, &object) != REDIS_OK)
			return gm_error_set(err, -EPROTO, "unexpected reply: %s",
					    link->reader.refused ? "too long" : reader->errstr);
		if (object)
			break;
		if (reader->len > link->reader.max)
			return gm_error_set(err, -EPROTO, "unexpected reply: too long");
		int rc = read_more(link, err);
		if (rc < 0)
			return rc;
	}
	reply = object;
	if (reply->type == REDIS_REPLY_ERROR) {
		gm_redis_error_text(reply, text, sizeof(text));
		return gm_error_set(err, -EREMOTEIO, "%s", text);
	}
	*ret_reply = reply;
	return 0;
}

int gm_redis_link_ask(struct gm_redis_link *link, const redisReply **ret_reply,
		      struct gm_error *err)
{
	int rc = gm_redis_link_send(link, err);

	return rc == 0 ? gm_redis_link_receive(link, ret_reply, err) : rc;
}

static int log_in(struct gm_redis_link *link, const struct gm_redis_options *options,
		  struct gm_error *err)
{
	const redisReply *reply;
	char password[512];
	int rc = 0;

	if (options->password_file[0] != '\0') {
		rc = gm_redis_password(options, password, err);
		if (rc < 0)
			return rc;
		gm_redis_array(&link->command, options->username[0] ? 3 : 2);
		gm_redis_text(&link->command, "AUTH");
		if (options->username[0])
			gm_redis_text(&link->command, options->username);
		gm_redis_text(&link->command, password);
		explicit_bzero(password, sizeof(password));
		rc = gm_redis_link_ask(link, &reply, err);
	}
	if (rc == 0 && options->database != 0) {
		gm_redis_array(&link->command, 2);
		gm_redis_text(&link->command, "SELECT");
		gm_redis_integer(&link->command, (uint64_t)options->database);
		rc = gm_redis_link_ask(link, &reply, err);
	}
	return rc;
}

static void hang_up(struct gm_redis_link *link)
{
	if (link->context)
		redisFree(link->context);
	link->context = NULL;
}

static int ask_sentinel(struct gm_redis_link *link, struct gm_error *err)
{
	const redisReply *reply;

	gm_redis_route_ask(&link->command, link->options);
	int rc = gm_redis_link_ask(link, &reply, err);
	if (rc < 0)
		return rc;
	return gm_redis_route_master(&link->route, reply, err);
}

/* Connects to the address of now. */
static int call(struct gm_redis_link *link, struct gm_error *err)
{
	const struct gm_redis_address *address = gm_redis_route_now(&link->route);
	int rc;

	link->command.length = 0;
	link->context = address->port == 0 ? redisConnectUnixNonBlock(address->host)
					   : redisConnectNonBlock(address->host, address->port);
	if (!link->context)
		return gm_error_set(err, -ENOMEM, "out of memory");
	rc = link->context->err ? gm_error_set(err, -ENOTCONN, "%s", link->context->errstr)
				: finish_connect(link, err);
	if (rc < 0)
		return rc;
	gm_redis_reader_arena(&link->reader, link->context, GM_REDIS_LOAD_MAX, &link->arena);
	link->context->reader->maxbuf = 0; /* keeps its room from one reply to the next */
	return gm_redis_route_asks(&link->route) ? 0 : log_in(link, link->options, err);
}

/* Connects to the server that the address of now is or names. */
static int call_server(struct gm_redis_link *link, struct gm_error *err)
{
	int rc = call(link, err);

	if (rc < 0 || !gm_redis_route_asks(&link->route))
		return rc;
	rc = ask_sentinel(link, err);
	hang_up(link);
	return rc == 0 ? call(link, err) : rc;
}

int gm_redis_link_open(struct gm_redis_link *link, const struct gm_redis_options *options,
		       int64_t deadline, struct gm_error *err)
{
	*link = (struct gm_redis_link){
		.end = uv_hrtime() + (uint64_t)deadline,
		.command = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX),
		.options = options,
	};
	link->space = malloc(GM_REDIS_LOAD_SPACE);
	int rc = link->space ? gm_redis_route_init(&link->route, options, err)
			     : gm_error_set(err, -ENOMEM, "out of memory");
	bool last = rc < 0;

	while (!last) {
		rc = call_server(link, err);
		if (rc == 0)
			return 0;
		hang_up(link);
		last = gm_redis_route_failed(&link->route);
	}
	gm_redis_link_close(link);
	return rc;
}

int gm_redis_link_follow(struct gm_redis_link *link, struct gm_error *err)
{
	if (!gm_redis_route_moved(&link->route, err->text))
		return -EREMOTEIO;
	hang_up(link);
	return call(link, err);
}

void gm_redis_link_close(struct gm_redis_link *link)
{
	hang_up(link);
	gm_redis_arena_free(&link->arena);
	gm_buffer_free(&link->command);
	free(link->space);
	link->space = NULL;
}
