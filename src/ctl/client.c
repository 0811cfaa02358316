/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end of the control protocol: one request, one reply, one deadline. Called by
 * guestmonctl.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl.h"

static int dial(const char *path, struct gm_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		return gm_error_set(err, -ENAMETOOLONG, "the socket's path is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path));

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return gm_error_set(err, -errno, "cannot make a socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int code = -errno;
	close(fd);
	const char *hint = code == -EACCES ? "run it as root or as a member of the socket's group"
					   : "is guestmond running, and with this control.socket?";
	return gm_error_set(err, code, "%s: %s (%s)", path, strerror(-code), hint);
}

static int send_all(int fd, const struct gm_buffer *buffer, struct gm_error *err)
{
	for (size_t sent = 0; sent < buffer->length;) {
		ssize_t n = send(fd, buffer->data + sent, buffer->length - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return gm_error_set(err, -errno, "sending the request: %s",
					    strerror(errno));
		if (n > 0)
			sent += (size_t)n;
	}
	return 0;
}

/* Reads up to the line's end; the deadline is on the monotonic clock. */
static int receive_line(int fd, int64_t deadline, struct gm_buffer *buffer, struct gm_error *err)
{
	char piece[65536];
	while (!buffer->data || buffer->data[buffer->length - 1] != '\n') {
		int64_t left = (deadline - gm_clock_monotonic()) / GM_MILLISECOND;
		struct pollfd waiting = {.fd = fd, .events = POLLIN};
		int ready = left > 0 ? poll(&waiting, 1, (int)left) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return gm_error_set(err, -ETIMEDOUT, "the daemon did not answer in time");
		ssize_t n = recv(fd, piece, sizeof(piece), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return gm_error_set(err, -ECONNRESET, "the daemon closed the connection");
		gm_buffer_append(buffer, piece, (size_t)n);
		if (buffer->failed)
			return gm_error_set(err, -EMSGSIZE, "the reply is larger than %d bytes",
					    GM_CTL_REPLY_MAX);
	}
	return 0;
}

int gm_ctl_call(const char *socket_path, const struct gm_json *request, int timeout_ms,
		struct gm_json **ret_reply, struct gm_error *err)
{
	struct gm_buffer out = GM_BUFFER_INIT(GM_CTL_REQUEST_MAX);
	struct gm_buffer in = GM_BUFFER_INIT(GM_CTL_REPLY_MAX);
	struct gm_json *reply = NULL;
	int64_t deadline = gm_clock_monotonic() + timeout_ms * GM_MILLISECOND;

	int fd = dial(socket_path, err);
	int result = fd < 0 ? fd : 0;
	if (result == 0 && gm_json_write(request, 0, &out) < 0)
		result = gm_error_set(err, -ENOMEM, "out of memory");
	if (result < 0)
		goto cleanup;
	gm_buffer_append(&out, "\n", 1);
	if ((result = send_all(fd, &out, err)) < 0 ||
	    (result = receive_line(fd, deadline, &in, err)) < 0)
		goto cleanup;
	result = gm_json_parse(in.data, in.length, &reply, err);
	if (result < 0) {
		result = gm_error_prefix(err, -EPROTO, "the daemon's reply");
	} else if (!gm_json_get_bool(reply, "ok")) {
		const char *text = gm_json_get_text(reply, "error");
		result =
			gm_error_set(err, gm_json_get_bool(reply, "invalid") ? -EINVAL : -EREMOTEIO,
				     "%s", text ? text : "the daemon refused");
	} else {
		*ret_reply = reply;
		reply = NULL;
	}

cleanup:
	gm_json_free(reply);
	gm_buffer_free(&out);
	gm_buffer_free(&in);
	if (fd >= 0)
		close(fd);
	return result;
}
