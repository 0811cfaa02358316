/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the stream of findings; see findings.h. One question at a time: what was pending first, then
 * what is new, for which the server waits up to a second, so that an answer comes in any case and a
 * server that hangs is noticed. The acknowledgements of a batch go out before the next question.
 *
 * A batch that is too large to be read ends the connection. It is asked for again entry by entry; one
 * that is too large by itself is rejected by its id.
 */
#include "store/redis/findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/adapters/libuv.h>

#include "base/text.h"
#include "store/redis/findings_private.h"

enum {
	SILENT_TICKS = 5000 / GM_FINDINGS_TICK_MS,
	RETRY_MIN_MS = 200,
	RETRY_MAX_MS = 5000,
	REASON_MAX = 400,
};

static void next_step(struct gm_redis_findings *findings);

static void set_condition(struct gm_redis_findings *findings, enum gm_findings_condition condition,
			  const char *reason)
{
	if (findings->status.condition == condition)
		return;
	findings->status.condition = condition;
	findings->host.changed(findings->host.user, condition, reason);
}

static void after_disconnect(struct gm_redis_findings *findings)
{
	findings->context = NULL;
	findings->asked = false;
	if (findings->reader.refused || findings->flooded)
		findings->too_large++;
	findings->retry_ticks = findings->retry_ms / GM_FINDINGS_TICK_MS;
	findings->retry_ms *= 2;
	if (findings->retry_ms > RETRY_MAX_MS)
		findings->retry_ms = RETRY_MAX_MS;
}

/* Gives the connection up; the timer tries again. */
static void __attribute__((format(printf, 3, 4)))
fail(struct gm_redis_findings *findings, enum gm_findings_condition condition, const char *format,
     ...)
{
	redisAsyncContext *context = findings->context;
	char reason[REASON_MAX];
	size_t length = (size_t)snprintf(reason, sizeof(reason), "%s: ", findings->where);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason + length, sizeof(reason) - length, format, arguments);
	va_end(arguments);
	after_disconnect(findings);
	if (context)
		redisAsyncFree(context);
	set_condition(findings, condition, reason);
}

/* Sends what stands in `command`. */
static bool issue(struct gm_redis_findings *findings, redisCallbackFn *answer)
{
	struct gm_buffer *command = &findings->command;
	bool sent = findings->context && !command->failed &&
		    redisAsyncFormattedCommand(findings->context, answer, findings, command->data,
					       command->length) == REDIS_OK;

	command->length = 0;
	command->failed = false;
	if (!sent)
		return false;
	if (findings->pending++ == 0)
		findings->silent_ticks = 0;
	return true;
}

/* What every answer begins with. NULL: of a connection that was given up. */
static const redisReply *answered(redisAsyncContext *context, void *reply,
				  struct gm_redis_findings *findings)
{
	findings->pending--;
	findings->silent_ticks = 0;
	return findings->context == context ? reply : NULL;
}

static bool is_error(const redisReply *reply, const char *code)
{
	return reply->type == REDIS_REPLY_ERROR && reply->str &&
	       strncmp(reply->str, code, strlen(code)) == 0;
}

static void refused(struct gm_redis_findings *findings, const redisReply *reply)
{
	char text[160];

	gm_redis_error_text(reply, text, sizeof(text));
	fail(findings, GM_FINDINGS_REFUSED, "%s", text);
}

/* ---- greeting ---- */

/* Of those whose success shows in what follows. */
static void on_done(redisAsyncContext *context, void *reply, void *user)
{
	const redisReply *answer = answered(context, reply, user);

	if (answer && answer->type == REDIS_REPLY_ERROR)
		refused(user, answer);
}

/* Of those that may fail: an entry that is not kept for people to look at (no memory) is no fault. */
static void on_chore(redisAsyncContext *context, void *reply, void *user)
{
	answered(context, reply, user);
}

static void on_group(redisAsyncContext *context, void *reply, void *user)
{
	struct gm_redis_findings *findings = user;
	const redisReply *answer = answered(context, reply, findings);

	if (!answer)
		return;
	if (answer->type == REDIS_REPLY_ERROR && !is_error(answer, "BUSYGROUP")) {
		refused(findings, answer);
		return;
	}
	if (answer->type !=
	    REDIS_REPLY_ERROR) /* a new stream: its ids need not follow the old ones */
		findings->last = (struct gm_redis_id){0, 0};
	findings->step = findings->too_large > 1 ? GM_FINDINGS_SKIP : GM_FINDINGS_DRAIN;
	findings->drained = (struct gm_redis_id){0, 0};
	findings->asked = false;
	char reason[REASON_MAX];
	snprintf(reason, sizeof(reason), "%s: findings of other programs are read",
		 findings->where);
	set_condition(findings, GM_FINDINGS_READING, reason);
	next_step(findings);
}

static bool send_password(struct gm_redis_findings *findings)
{
	const struct gm_redis_options *options = &findings->store->options;
	char password[512];
	struct gm_error err;

	if (gm_redis_password(options, password, &err) < 0) {
		fail(findings, GM_FINDINGS_REFUSED, "%s", err.text);
		return false;
	}
	gm_redis_array(&findings->command, options->username[0] ? 3 : 2);
	gm_redis_text(&findings->command, "AUTH");
	if (options->username[0])
		gm_redis_text(&findings->command, options->username);
	gm_redis_text(&findings->command, password);
	explicit_bzero(password, sizeof(password));
	issue(findings, on_done);
	return true;
}

static void greet(struct gm_redis_findings *findings)
{
	const struct gm_redis_options *options = &findings->store->options;

	if (options->password_file[0] != '\0' && !send_password(findings))
		return;
	if (options->database != 0) {
		gm_redis_array(&findings->command, 2);
		gm_redis_text(&findings->command, "SELECT");
		gm_redis_integer(&findings->command, (uint64_t)options->database);
		issue(findings, on_done);
	}
	gm_findings_make_group(findings);
	issue(findings, on_group);
}

/* ---- reading ---- */

static bool is_after(struct gm_redis_id a, struct gm_redis_id b)
{
	return a.ms > b.ms || (a.ms == b.ms && a.sequence > b.sequence);
}

static void reject(struct gm_redis_findings *findings, const struct gm_entry *entry,
		   const char *reason)
{
	gm_findings_reject(findings, entry, reason);
	issue(findings, on_chore);
}

static void acknowledge(struct gm_redis_findings *findings, struct gm_redis_id id)
{
	gm_findings_acknowledge(findings, id);
	issue(findings, on_done);
}

/* False: its id is none that can be gone on from. */
static bool take_entry(struct gm_redis_findings *findings, const redisReply *reply)
{
	struct gm_entry entry;
	struct gm_error err;
	int rc = gm_findings_parse(reply, &entry);

	if (rc < 0)
		return false;
	struct gm_redis_id id = {entry.ms, entry.sequence};
	findings->drained = id;
	if (rc == 0 && !is_after(id, findings->last)) {
		findings->status.repeated++;
	} else if (rc == 0) {
		findings->last = id;
		findings->status.read++;
		if (findings->host.take(findings->host.user, &entry, &err) < 0)
			reject(findings, &entry, err.text);
	}
	acknowledge(findings, id);
	return true;
}

/*
 * An id beyond all times, which only a client can have made: no other can follow it, so that nobody
 * could write any more. The stream begins anew.
 */
static void begin_anew(struct gm_redis_findings *findings)
{
	gm_findings_delete(findings);
	issue(findings, on_done);
	gm_findings_make_group(findings);
	issue(findings, on_group);
}

static void on_entries(redisAsyncContext *context, void *reply, void *user)
{
	struct gm_redis_findings *findings = user;
	const redisReply *answer = answered(context, reply, findings), *entries;
	size_t count;

	if (!answer)
		return;
	if (is_error(answer, "NOGROUP") || is_error(answer, "UNBLOCKED")) {
		gm_findings_make_group(findings); /* emptied under the connection */
		issue(findings, on_group);
		return;
	}
	if (answer->type == REDIS_REPLY_ERROR) {
		refused(findings, answer);
		return;
	}
	entries = gm_findings_entries(answer, &count);
	if (!entries) {
		fail(findings, GM_FINDINGS_AWAY, "unexpected reply to XREADGROUP");
		return;
	}
	findings->retry_ms = RETRY_MIN_MS;
	for (size_t i = 0; i < count; i++) {
		if (take_entry(findings, entries->element[i]))
			continue;
		begin_anew(findings);
		return;
	}
	if (count > 0) {
		gm_findings_trim(findings);
		issue(findings, on_chore);
	} else if (findings->step == GM_FINDINGS_DRAIN) {
		findings->step = GM_FINDINGS_FOLLOW;
		findings->too_large = 0;
	}
	findings->asked = false;
	findings->resting = count == GM_FINDINGS_BATCH;
	next_step(findings);
}

/* [[id, consumer, ms, times]] */
static void on_oldest(redisAsyncContext *context, void *reply, void *user)
{
	struct gm_redis_findings *findings = user;
	const redisReply *answer = answered(context, reply, findings), *first;
	struct gm_redis_id id;

	if (!answer)
		return;
	if (answer->type == REDIS_REPLY_ERROR) {
		refused(findings, answer);
		return;
	}
	first = answer->type == REDIS_REPLY_ARRAY && answer->elements == 1 ? answer->element[0]
									   : NULL;
	if (first && first->type == REDIS_REPLY_ARRAY && first->elements > 0 &&
	    gm_redis_parse_id(first->element[0], &id) == 0) {
		struct gm_entry entry = {.ms = id.ms, .sequence = id.sequence};

		findings->status.oversize++;
		reject(findings, &entry, "too large to be read");
		acknowledge(findings, id);
	}
	findings->step = GM_FINDINGS_DRAIN;
	findings->too_large = 1; /* there may be another */
	findings->asked = false;
	next_step(findings);
}

/* Asks what the step wants to know, unless that is under way already or this tick has had its share. */
static void next_step(struct gm_redis_findings *findings)
{
	size_t count = findings->too_large > 0 ? 1 : GM_FINDINGS_BATCH;
	redisCallbackFn *answer = on_entries;

	if (!findings->context || findings->asked || findings->resting)
		return;
	switch (findings->step) {
	case GM_FINDINGS_GREET:
		return;
	case GM_FINDINGS_DRAIN:
		gm_findings_read(findings, &findings->drained, count);
		break;
	case GM_FINDINGS_SKIP:
		gm_findings_oldest_pending(findings);
		answer = on_oldest;
		break;
	case GM_FINDINGS_FOLLOW:
		gm_findings_read(findings, NULL, count);
		break;
	}
	findings->asked = issue(findings, answer);
}

/* ---- connection ---- */

static void on_connect(const redisAsyncContext *context, int status)
{
	struct gm_redis_findings *findings = context->data;

	if (status == REDIS_OK || findings->context != context)
		return;
	findings->context = NULL; /* hiredis frees it after this */
	fail(findings, GM_FINDINGS_AWAY, "%s", context->errstr);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct gm_redis_findings *findings = context->data;

	if (findings->context != context)
		return;
	findings->context = NULL;
	if (findings->reader.refused)
		fail(findings, GM_FINDINGS_AWAY, "unexpected reply: too long, or not asked for");
	else
		fail(findings, GM_FINDINGS_AWAY, "%s",
		     status == REDIS_OK ? "closed" : context->errstr);
}

/* Called by hiredis after each read: looks at how much of an unfinished reply has piled up. */
static void add_read(void *events)
{
	redisLibuvEvents *own = events;
	redisAsyncContext *context = own->context;
	struct gm_redis_findings *findings = context->data;

	findings->add_read(events);
	if (context->c.reader->len > GM_FINDINGS_REPLY_MAX) {
		findings->flooded = true;
		context->ev.delRead(events); /* the timer ends it */
	}
}

static void connect_to(struct gm_redis_findings *findings)
{
	const struct gm_redis_address *address = gm_redis_route_now(&findings->store->route);
	redisAsyncContext *context = address->port == 0
					     ? redisAsyncConnectUnix(address->host)
					     : redisAsyncConnect(address->host, address->port);

	gm_redis_address_text(address, findings->where, sizeof(findings->where));
	findings->reader.refused = findings->flooded = false;
	if (!context) {
		fail(findings, GM_FINDINGS_AWAY, "out of memory");
		return;
	}
	context->data = findings;
	if (context->err || redisLibuvAttach(context, findings->store->loop) != REDIS_OK) {
		char text[128];

		gm_text_copy(text, sizeof(text), context->err ? context->errstr : "no event");
		redisAsyncFree(context);
		fail(findings, GM_FINDINGS_AWAY, "%s", text);
		return;
	}
	findings->add_read = context->ev.addRead;
	context->ev.addRead = add_read;
	gm_redis_reader_bound(&findings->reader, &context->c, GM_FINDINGS_REPLY_MAX,
			      &findings->pending);
	findings->context = context;
	findings->silent_ticks = 0;
	findings->step = GM_FINDINGS_GREET;
	findings->asked = findings->resting = false;
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	greet(findings);
}

static void on_tick(uv_timer_t *timer)
{
	struct gm_redis_findings *findings = timer->data;

	if (!findings->context) {
		if (findings->retry_ticks > 0)
			findings->retry_ticks--;
		else if (findings->store->condition == GM_REDIS_WORKING)
			connect_to(findings);
		return;
	}
	if (findings->flooded) {
		fail(findings, GM_FINDINGS_AWAY, "unexpected reply: too long");
		return;
	}
	if (findings->pending > 0 && ++findings->silent_ticks > SILENT_TICKS) {
		fail(findings, GM_FINDINGS_AWAY, "no answer within 5 s");
		return;
	}
	findings->resting = false;
	next_step(findings);
}

/* ---- life ---- */

int gm_redis_findings_create(const struct gm_store *store, const struct gm_findings_host *host,
			     uint64_t ms, uint64_t sequence,
			     struct gm_redis_findings **ret_findings)
{
	struct gm_redis_findings *findings = calloc(1, sizeof(*findings));

	if (!findings)
		return -ENOMEM;
	findings->store = (const struct gm_redis *)store;
	findings->host = *host;
	findings->last = (struct gm_redis_id){ms, sequence};
	findings->retry_ms = RETRY_MIN_MS;
	findings->command = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);
	*ret_findings = findings;
	return 0;
}

void gm_redis_findings_start(struct gm_redis_findings *findings)
{
	if (findings->timer_open || uv_timer_init(findings->store->loop, &findings->timer) != 0)
		return;
	findings->timer.data = findings;
	findings->timer_open = true;
	uv_timer_start(&findings->timer, on_tick, 0, GM_FINDINGS_TICK_MS);
}

void gm_redis_findings_status(const struct gm_redis_findings *findings,
			      struct gm_findings_status *ret_status)
{
	*ret_status = findings->status;
}

void gm_redis_findings_stop(struct gm_redis_findings *findings)
{
	if (!findings || !findings->timer_open)
		return;
	redisAsyncContext *context = findings->context;
	findings->context = NULL;
	findings->timer_open = false;
	uv_close((uv_handle_t *)&findings->timer, NULL);
	if (context)
		redisAsyncFree(context);
}

void gm_redis_findings_destroy(struct gm_redis_findings *findings)
{
	if (!findings)
		return;
	gm_buffer_free(&findings->command);
	free(findings);
}
