/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The asynchronous connection: connect, back-off, deadline, orderly end. It knows what a command is
 * for only as far as whom its answer goes to. Runs in the loop's callbacks on the main thread.
 *
 * Only the timer starts a connection, and gm_redis_fail() or the server ends it: so there is never
 * more than one, and what was pending on the old one has been answered with NULL before the next.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hiredis/adapters/libuv.h>

#include "base/text.h"
#include "store/redis/private.h"

enum { REASON = 512 };

static void set_condition(struct gm_redis *redis, enum gm_redis_condition condition,
			  const char *reason)
{
	bool changed = redis->condition != condition;

	gm_text_copy(redis->reason, sizeof(redis->reason), reason);
	redis->condition = condition;
	if (!changed)
		return;
	redis->since = redis->now;
	if (redis->host.changed)
		redis->host.changed(redis->host.user, condition == GM_REDIS_WORKING, reason);
}

/* What remains to be done once the connection is no longer ours. */
static void after_disconnect(struct gm_redis *redis)
{
	redis->context = NULL;
	redis->draining = false;
	redis->retry_ticks = (int)(redis->retry_ms / GM_REDIS_TICK_MS);
	if (gm_redis_route_failed(&redis->route))
		redis->retry_ms *= 2;
	if (redis->retry_ms > GM_REDIS_RETRY_MAX_MS)
		redis->retry_ms = GM_REDIS_RETRY_MAX_MS;
	gm_redis_disconnected(redis);
}

static void end_connection(struct gm_redis *redis)
{
	redisAsyncContext *context = redis->context;

	after_disconnect(redis);
	/* Answers what is pending with NULL; within a callback of its own, once that has returned. */
	if (context)
		redisAsyncFree(context);
}

/* Before the connection ends, of which the arguments may be a part. */
static void explain(const struct gm_redis *redis, char reason[REASON], const char *format,
		    va_list arguments)
{
	size_t length = (size_t)snprintf(reason, REASON, "%s: ", redis->where);

	vsnprintf(reason + length, REASON - length, format, arguments);
}

void gm_redis_fail(struct gm_redis *redis, enum gm_redis_condition condition, const char *format,
		   ...)
{
	char reason[REASON];
	va_list arguments;

	va_start(arguments, format);
	explain(redis, reason, format, arguments);
	va_end(arguments);
	end_connection(redis);
	set_condition(redis, condition, reason);
}

void gm_redis_leave(struct gm_redis *redis, enum gm_redis_condition condition, const char *format,
		    ...)
{
	char reason[REASON];
	va_list arguments;

	if (redis->draining)
		return; /* what comes after the first reason is of no interest */
	va_start(arguments, format);
	explain(redis, reason, format, arguments);
	va_end(arguments);
	if (redis->context && redis->pending_count > 0) {
		redis->draining = true;
		gm_redis_disconnected(redis);
	} else {
		end_connection(redis);
	}
	set_condition(redis, condition, reason);
}

void gm_redis_redirect(struct gm_redis *redis)
{
	redisAsyncContext *context = redis->context;

	redis->context = NULL;
	redis->draining = false;
	redis->retry_ticks = 0;
	gm_redis_disconnected(redis);
	if (context)
		redisAsyncFree(context);
}

static void on_connect(const redisAsyncContext *context, int status)
{
	struct gm_redis *redis = context->data;

	if (status == REDIS_OK || redis->context != context)
		return;
	/* hiredis frees the context after this: it must not be freed here. */
	redis->context = NULL;
	gm_redis_fail(redis, GM_REDIS_AWAY, "%s", context->errstr);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct gm_redis *redis = context->data;

	if (redis->context != context)
		return; /* given up by gm_redis_fail(), which has said why */
	redis->context = NULL;
	if (status == REDIS_OK || redis->draining)
		after_disconnect(redis);
	else if (redis->reader.refused)
		gm_redis_fail(redis, GM_REDIS_AWAY, "unexpected reply: too long, or not asked for");
	else
		gm_redis_fail(redis, GM_REDIS_AWAY, "%s", context->errstr);
}

/*
 * In the place of the loop adapter's own functions, for two reasons. It arms the poll handle for every
 * command anew, for which libuv takes the descriptor out of epoll and puts it back: two system calls.
 * And it overlooks errors, so that a refused connection looks like one that is silent.
 */
static void on_poll(uv_poll_t *handle, int status, int happened)
{
	redisLibuvEvents *events = handle->data;

	if (status != 0)
		happened = UV_READABLE | UV_WRITABLE;
	if (events->context && happened & UV_READABLE)
		redisAsyncHandleRead(events->context);
	if (events->context && happened & UV_WRITABLE)
		redisAsyncHandleWrite(events->context);
}

static void arm(redisLibuvEvents *events, int wanted)
{
	/* libuv disarms a handle whose descriptor has an error. */
	if (events->events == wanted && uv_is_active((const uv_handle_t *)&events->handle))
		return;
	events->events = wanted;
	uv_poll_start(&events->handle, wanted, on_poll);
}

/* Called by hiredis after each read: looks at how much of an unfinished reply has piled up. */
static void add_read(void *data)
{
	redisLibuvEvents *events = data;
	struct gm_redis *redis = events->context->data;

	if (events->context->c.reader->len > GM_REDIS_REPLY_MAX)
		redis->flooded = true; /* the timer ends it */
	arm(events, redis->flooded ? events->events & ~UV_READABLE : events->events | UV_READABLE);
}

static void add_write(void *data)
{
	redisLibuvEvents *events = data;

	arm(events, events->events | UV_WRITABLE);
}

static void delete_write(void *data)
{
	redisLibuvEvents *events = data;

	arm(events, events->events & ~UV_WRITABLE);
}

/* What helps where a socket cannot be reached; empty for what is not known. Debian's server makes none by itself. */
static const char *advice(const struct gm_redis_address *address)
{
	if (address->port != 0)
		return "";
	if (access(address->host, F_OK) < 0)
		return errno == ENOENT ? " (is the server running, and does unixsocket in "
					 "redis.conf name this?)"
				       : "";
	if (access(address->host, W_OK) < 0)
		return " (unixsocketperm 770 in redis.conf opens it to the server's group, of "
		       "which the daemon's user "
		       "has to be)";
	return "";
}

void gm_redis_connect(struct gm_redis *redis)
{
	const struct gm_redis_address *address = gm_redis_route_now(&redis->route);
	redisAsyncContext *context = address->port == 0
					     ? redisAsyncConnectUnix(address->host)
					     : redisAsyncConnect(address->host, address->port);

	gm_redis_address_text(address, redis->where, sizeof(redis->where));
	if (!context) {
		gm_redis_fail(redis, GM_REDIS_AWAY, "out of memory");
		return;
	}
	context->data = redis;
	if (context->err || redisLibuvAttach(context, redis->loop) != REDIS_OK) {
		char text[128];

		gm_text_copy(text, sizeof(text), context->err ? context->errstr : "no event");
		redisAsyncFree(context);
		gm_redis_fail(redis, GM_REDIS_AWAY, "%s%s", text, advice(address));
		return;
	}
	context->ev.addRead = add_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = delete_write;
	gm_redis_reader_bound(&redis->reader, &context->c, GM_REDIS_REPLY_MAX,
			      &redis->pending_count);
	redis->context = context;
	redis->flooded = false;
	redis->silent_ticks = redis->working_ticks = 0;
	redis->pending_first = redis->pending_count = 0;
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	gm_redis_greet(redis);
}

/* The handshake is through. */
void gm_redis_up(struct gm_redis *redis)
{
	char reason[sizeof(redis->reason) + 128];

	snprintf(reason, sizeof(reason), "%s: windows are mirrored", redis->where);
	redis->route.hops = 0;
	set_condition(redis, GM_REDIS_WORKING, reason);
	gm_redis_connected(redis);
	gm_redis_budget_begin(redis);
	redis->compat_refused = false;
}

static void on_reply(redisAsyncContext *context, void *reply, void *user)
{
	struct gm_redis *redis = user;
	struct gm_redis_pending pending;

	if (redis->pending_count == 0)
		return;
	pending = redis->pending[redis->pending_first];
	redis->pending_first = (redis->pending_first + 1) % GM_REDIS_PENDING_MAX;
	redis->pending_count--;
	redis->silent_ticks = 0;
	/* Of a connection that was given up only the account is kept. */
	if (redis->context != context)
		reply = NULL;
	if (pending.purpose == GM_REDIS_PAGE)
		gm_redis_take_page(redis, reply);
	else if (pending.purpose >= GM_REDIS_CHORE)
		gm_redis_take(redis, &pending, reply);
	else if (reply && !redis->draining)
		gm_redis_take_greeting(redis, pending.purpose, reply);
	else if (reply)
		gm_redis_take_schema(redis, pending.purpose, reply);
	if (redis->context == context && redis->draining && redis->pending_count == 0)
		end_connection(redis);
}

bool gm_redis_writable(const struct gm_redis *redis)
{
	return redis->context && redis->condition == GM_REDIS_WORKING && !redis->stopping &&
	       redis->pending_count < GM_REDIS_PENDING_MAX;
}

bool gm_redis_send(struct gm_redis *redis, enum gm_redis_purpose purpose,
		   struct gm_redis_entity *entity)
{
	struct gm_buffer *command = &redis->command;
	bool sent = redis->context && !redis->draining && !command->failed &&
		    redis->pending_count < GM_REDIS_PENDING_MAX &&
		    redisAsyncFormattedCommand(redis->context, on_reply, redis, command->data,
					       command->length) == REDIS_OK;

	command->length = 0;
	command->failed = false;
	if (!sent)
		return false;
	if (redis->pending_count == 0)
		redis->silent_ticks = 0;
	redis->pending[(redis->pending_first + redis->pending_count) % GM_REDIS_PENDING_MAX] =
		(struct gm_redis_pending){.purpose = purpose, .entity = entity};
	redis->pending_count++;
	if (entity)
		entity->pending++;
	return true;
}

static void on_timer_closed(uv_handle_t *handle)
{
	((struct gm_redis *)handle->data)->timer_open = false;
}

static void tick_stopping(struct gm_redis *redis)
{
	if (redis->context && redis->stop_ticks-- > 0)
		return;
	if (redis->context) {
		redisAsyncContext *context = redis->context;

		redis->context = NULL;
		redisAsyncFree(context);
	}
	uv_timer_stop(&redis->timer);
	uv_close((uv_handle_t *)&redis->timer, on_timer_closed);
}

/* Nothing comes back. One that was never reached, or that there are others for, is not waited for. */
static void be_patient(struct gm_redis *redis)
{
	gm_redis_leave(redis, GM_REDIS_AWAY, "no answer within 3 s");
	if (redis->silent_ticks > GM_REDIS_PATIENCE_TICKS ||
	    !(redis->context->c.flags & REDIS_CONNECTED) ||
	    gm_redis_route_has_others(&redis->route))
		end_connection(redis);
}

/*
 * Time is counted in ticks that ran: where the loop itself stood still, the answers that wait in the
 * socket are read before the server is blamed.
 */
void gm_redis_tick(struct gm_redis *redis)
{
	gm_redis_reads_tick(redis);
	if (redis->stopping) {
		tick_stopping(redis);
		return;
	}
	if (!redis->context) {
		if (redis->retry_ticks-- <= 0)
			gm_redis_connect(redis);
		return;
	}
	if (redis->flooded) {
		gm_redis_fail(redis, GM_REDIS_AWAY, "unexpected reply: too long");
		return;
	}
	if (redis->pending_count > 0 && ++redis->silent_ticks > GM_REDIS_SILENT_TICKS) {
		be_patient(redis);
		return;
	}
	if (redis->condition != GM_REDIS_WORKING)
		return;
	/* One that takes a few frames and no more is not to be tried ten times a second. */
	if (++redis->working_ticks == GM_REDIS_STEADY_TICKS)
		redis->retry_ms = GM_REDIS_RETRY_MIN_MS;
	if (++redis->heartbeat_ticks >= GM_REDIS_HEARTBEAT_TICKS) {
		redis->heartbeat_ticks = 0;
		gm_redis_heartbeat(redis);
	}
	gm_redis_pump(redis);
	gm_redis_budget_tick(redis);
}

void gm_redis_disconnect(struct gm_redis *redis)
{
	if (redis->stopping || !redis->timer_open)
		return;
	if (gm_redis_writable(redis))
		gm_redis_finish(redis);
	redis->stopping = true;
	redis->stop_ticks = GM_REDIS_STOP_TICKS;
	if (redis->context)
		redisAsyncDisconnect(redis->context); /* once all answers are there */
}
