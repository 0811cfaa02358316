/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See wire.h. One non-blocking socket, watched by the loop; while a message is on its way a timer asks
 * what became of it.
 */
#include "north/syslog/wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/text.h"

#ifndef SIOCOUTQ
#define SIOCOUTQ TIOCOUTQ /* tcp(7): bytes that the peer has not acknowledged */
#endif

enum { STEP_MS = 5, DRAIN = 1024 };
static const int64_t ICMP_WAIT = 50 * GM_MILLISECOND;

struct item {
	uint64_t ticket;
	struct gm_buffer bytes;
	size_t written;
	int64_t deadline, written_at; /* monotonic; written_at 0: not wholly written */
	struct item *prev, *next;
};

/* A socket and its watch; outlives its end until libuv has closed the watch. */
struct line {
	uv_poll_t poll;
	int fd;
};

enum state { DOWN, RESOLVING, CONNECTING, UP };

struct gm_wire {
	uv_loop_t *loop;
	struct gm_wire_setup setup;
	enum state state;
	struct line *line;
	struct item *items; /* in order; those that are written come first */
	uv_timer_t timer;
	uv_getaddrinfo_t request;
	bool resolving, closing, timer_closed;
	struct addrinfo *found;      /* a name's addresses */
	const struct addrinfo *next; /* of them, the one whose turn it is */
	size_t untried;              /* of them, in this attempt */
	size_t turn;                 /* which one an attempt begins with */
};

static void step(struct gm_wire *wire);
static void open_next(struct gm_wire *wire);

/* ---- the end of things ---- */

static void on_line_closed(uv_handle_t *handle)
{
	struct line *line = (struct line *)handle;

	close(line->fd);
	free(line);
}

static void drop_line(struct gm_wire *wire)
{
	if (wire->line)
		uv_close((uv_handle_t *)&wire->line->poll, on_line_closed);
	wire->line = NULL;
	wire->state = wire->resolving ? RESOLVING : DOWN;
}

static void free_item(struct item *item)
{
	gm_buffer_free(&item->bytes);
	free(item);
}

static void finish(struct gm_wire *wire, struct item *item, int result, const char *reason)
{
	uint64_t ticket = item->ticket;

	DL_DELETE(wire->items, item);
	free_item(item);
	wire->setup.done(wire->setup.user, ticket, result, reason);
}

/* The socket is of no use any more: whatever was given to it has to be sent again. */
static void fail(struct gm_wire *wire, int code, const char *what)
{
	struct item *items = wire->items, *item, *next;
	char reason[GM_WIRE_REASON], where[GM_WIRE_ADDRESS];

	gm_text_quote(where, sizeof(where), wire->setup.address);
	snprintf(reason, sizeof(reason), "%s: %s", where, what);
	if (wire->state != UP || wire->setup.kind == GM_WIRE_UDP)
		wire->turn++; /* another one of the name's may answer */
	drop_line(wire);
	wire->items = NULL;
	DL_FOREACH_SAFE(items, item, next)
	{
		uint64_t ticket = item->ticket;
		DL_DELETE(items, item);
		free_item(item);
		wire->setup.done(wire->setup.user, ticket, code, reason);
	}
}

static void fail_errno(struct gm_wire *wire, int number)
{
	fail(wire, -number, strerror(number));
}

/* No connection to that address: the name may have others. */
static void fail_address(struct gm_wire *wire, int number)
{
	if (wire->untried == 0 || !wire->items) {
		fail_errno(wire, number);
		return;
	}
	drop_line(wire);
	wire->turn++;
	open_next(wire);
}

/* ---- writing ---- */

/* An error that the socket has met since; 0: none. */
static int pending_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return errno;
	return error;
}

/* True when the item is written as a whole. */
static bool write_item(struct gm_wire *wire, struct item *item)
{
	while (item->written < item->bytes.length) {
		ssize_t sent =
			send(wire->line->fd, item->bytes.data + item->written,
			     item->bytes.length - item->written, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS))
			return false;
		if (sent < 0 && errno == EMSGSIZE && wire->setup.kind != GM_WIRE_TCP) {
			finish(wire, item, -EMSGSIZE, "the message is too large for the socket");
			return false;
		}
		if (sent < 0) {
			fail_errno(wire, errno);
			return false;
		}
		item->written += (size_t)sent;
	}
	item->written_at = gm_clock_monotonic();
	return true;
}

static void write_items(struct gm_wire *wire)
{
	struct item *item, *next;

	DL_FOREACH_SAFE(wire->items, item, next)
	{
		if (item->written_at != 0)
			continue;
		if (!write_item(wire, item))
			return;
		if (wire->setup.kind == GM_WIRE_LOCAL)
			finish(wire, item, 0, NULL);
	}
}

/* Of what is written: what has arrived. */
static void settle(struct gm_wire *wire)
{
	struct item *item, *next;
	int64_t now = gm_clock_monotonic();
	int waiting = 0, error = pending_error(wire->line->fd);

	if (error != 0) {
		fail_errno(wire, error);
		return;
	}
	if (wire->setup.kind == GM_WIRE_TCP && ioctl(wire->line->fd, SIOCOUTQ, &waiting) < 0)
		waiting = 1;
	DL_FOREACH_SAFE(wire->items, item, next)
	{
		bool arrived = wire->setup.kind == GM_WIRE_TCP
				       ? waiting == 0
				       : now - item->written_at >= ICMP_WAIT;
		if (item->written_at == 0 || !arrived)
			return;
		finish(wire, item, 0, NULL);
	}
}

/* ---- events ---- */

/* A receiver says nothing; an end or an error is what there is to learn. */
static void drain(struct gm_wire *wire)
{
	char nothing[DRAIN];
	ssize_t got = recv(wire->line->fd, nothing, sizeof(nothing), MSG_DONTWAIT);

	if (got == 0 && wire->setup.kind == GM_WIRE_TCP)
		fail(wire, -ECONNRESET, "the connection was closed");
	else if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		fail_errno(wire, errno);
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	struct gm_wire *wire = poll->data;

	int error = status < 0 || wire->state == CONNECTING ? pending_error(wire->line->fd) : 0;
	if (status < 0 && error == 0)
		error = -status; /* libuv says EBADF for all of them */
	if (error != 0 && wire->state == CONNECTING) {
		fail_address(wire, error);
		step(wire);
		return;
	}
	if (error != 0) {
		fail_errno(wire, error);
		return;
	}
	if (wire->state == CONNECTING) {
		wire->state = UP;
	} else if (events & UV_READABLE) {
		drain(wire);
	}
	step(wire);
}

static void on_timer(uv_timer_t *timer)
{
	struct gm_wire *wire = timer->data;

	if (wire->items && gm_clock_monotonic() >= wire->items->deadline)
		fail(wire, -ETIMEDOUT,
		     wire->state == UP ? "not acknowledged in time" : "no connection in time");
	step(wire);
}

/* ---- the way up ---- */

static void open_line(struct gm_wire *wire, int family, const struct sockaddr *address,
		      socklen_t length)
{
	int type = wire->setup.kind == GM_WIRE_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct line *line = calloc(1, sizeof(*line));
	int fd = line ? socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
	int result = fd >= 0 ? 0 : line ? -errno : -ENOMEM;

	if (result == 0)
		result = uv_poll_init(wire->loop, &line->poll, fd);
	if (result < 0) {
		if (fd >= 0)
			close(fd);
		free(line);
		fail_address(wire, -result);
		return;
	}
	line->fd = fd;
	line->poll.data = wire;
	wire->line = line;
	if (connect(fd, address, length) == 0)
		wire->state = UP;
	else if (errno == EINPROGRESS)
		wire->state = CONNECTING;
	else
		fail_address(wire, errno);
}

static void open_next(struct gm_wire *wire)
{
	const struct addrinfo *one = wire->next;

	wire->next = one->ai_next ? one->ai_next : wire->found;
	wire->untried--;
	open_line(wire, one->ai_family, one->ai_addr, one->ai_addrlen);
}

static void open_local(struct gm_wire *wire)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	gm_text_copy(address.sun_path, sizeof(address.sun_path), wire->setup.address);
	open_line(wire, AF_UNIX, (const struct sockaddr *)&address, sizeof(address));
}

static void free_when_closed(struct gm_wire *wire)
{
	if (!wire->closing || !wire->timer_closed || wire->resolving)
		return;
	uv_freeaddrinfo(wire->found);
	free(wire);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct gm_wire *wire = request->data;

	wire->resolving = false;
	if (wire->closing) {
		uv_freeaddrinfo(found);
		free_when_closed(wire);
		return;
	}
	wire->state = DOWN;
	uv_freeaddrinfo(wire->found);
	wire->found = found;
	wire->untried = 0;
	for (wire->next = found; wire->next; wire->next = wire->next->ai_next)
		wire->untried++;
	wire->next = found;
	for (size_t i = wire->untried ? wire->turn % wire->untried : 0; i > 0; i--)
		wire->next = wire->next->ai_next;
	if (!wire->items) /* they were given up meanwhile */
		;
	else if (status < 0)
		fail(wire, -EHOSTUNREACH, uv_strerror(status));
	else
		open_next(wire);
	step(wire);
}

static void begin(struct gm_wire *wire)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = wire->setup.kind == GM_WIRE_TCP ? SOCK_STREAM : SOCK_DGRAM,
	};
	char port[8];

	if (wire->setup.kind == GM_WIRE_LOCAL) {
		open_local(wire);
		return;
	}
	snprintf(port, sizeof(port), "%u", wire->setup.port);
	int result = uv_getaddrinfo(wire->loop, &wire->request, on_resolved, wire->setup.address,
				    port, &hints);
	if (result < 0) {
		fail(wire, -EHOSTUNREACH, uv_strerror(result));
		return;
	}
	wire->resolving = true;
	wire->state = RESOLVING;
}

/* Does what can be done now, and has the socket and the clock watched for the rest. */
static void step(struct gm_wire *wire)
{
	if (wire->state == DOWN && wire->items)
		begin(wire);
	if (wire->state == UP)
		write_items(wire);
	if (wire->state == UP && wire->items)
		settle(wire);
	if (wire->line) {
		const struct item *last = wire->items ? wire->items->prev : NULL;
		bool writes = wire->state == CONNECTING || (last && last->written_at == 0);
		uv_poll_start(&wire->line->poll, UV_READABLE | (writes ? UV_WRITABLE : 0),
			      on_events);
	}
	if (!wire->items)
		uv_timer_stop(&wire->timer);
	else if (!uv_is_active((const uv_handle_t *)&wire->timer))
		uv_timer_start(&wire->timer, on_timer, STEP_MS, 0);
}

/* ---- life ---- */

int gm_wire_create(uv_loop_t *loop, const struct gm_wire_setup *setup, struct gm_wire **ret_wire)
{
	struct gm_wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return -ENOMEM;
	wire->loop = loop;
	wire->setup = *setup;
	uv_timer_init(loop, &wire->timer);
	wire->timer.data = wire;
	wire->request.data = wire;
	*ret_wire = wire;
	return 0;
}

void gm_wire_send(struct gm_wire *wire, uint64_t ticket, struct gm_buffer *message)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item) {
		gm_buffer_free(message);
		wire->setup.done(wire->setup.user, ticket, -ENOMEM, "out of memory");
		return;
	}
	item->ticket = ticket;
	item->bytes = *message;
	item->deadline = gm_clock_monotonic() + wire->setup.timeout;
	*message = GM_BUFFER_INIT(message->max);
	DL_APPEND(wire->items, item);
	step(wire);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct gm_wire *wire = handle->data;

	wire->timer_closed = true;
	free_when_closed(wire);
}

void gm_wire_close(struct gm_wire *wire)
{
	struct item *item, *next;

	if (!wire)
		return;
	wire->closing = true;
	drop_line(wire);
	DL_FOREACH_SAFE(wire->items, item, next)
	{
		DL_DELETE(wire->items, item);
		free_item(item);
	}
	if (wire->resolving)
		uv_cancel((uv_req_t *)&wire->request);
	uv_close((uv_handle_t *)&wire->timer, on_timer_closed);
}
