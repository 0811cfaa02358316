/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request: who asks, for what, the body, the answer. Called by the library on the API thread; see
 * server.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/api/server.h"
#include "north/api/vnffm.h"

#define TASK_DEADLINE (20 * GM_SECOND)

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* ---- the client's time ---- */

static void wait_since(struct MHD_Connection *connection, int64_t since)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct gm_api_link *link = info ? info->socket_context : NULL;
	if (link)
		link->since = since;
}

/* What it returns is the exchange's place: there is none yet. */
void *gm_api_on_first_line(void *user, const char *uri, struct MHD_Connection *connection)
{
	(void)user;
	(void)uri;
	wait_since(connection, gm_clock_monotonic());
	return NULL;
}

/* ---- the answer ---- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value && value[0] != '\0')
		MHD_add_response_header(response, name, value);
}

static void add_headers(struct MHD_Response *response, const struct gm_api_exchange *exchange)
{
	const struct gm_api_reply *reply = &exchange->reply;
	if (reply->body)
		add_header(response, "Content-Type",
			   reply->status >= 400 ? "application/problem+json" : "application/json");
	add_header(response, "Cache-Control", "no-store");
	add_header(response, "X-Content-Type-Options", "nosniff");
	add_header(response, "ETag", reply->etag);
	add_header(response, "Location", reply->location);
	add_header(response, "Allow", reply->allow);
	if (reply->status == 401)
		add_header(response, "WWW-Authenticate",
			   "Basic realm=\"guestmon\", charset=\"UTF-8\"");
	if (reply->status == 503)
		add_header(response, "Retry-After", "1");
	if (exchange->route && exchange->route->versioned)
		add_header(response, "Version", GM_VNFFM_VERSION);
}

static enum MHD_Result send_reply(struct gm_api_exchange *exchange)
{
	struct gm_buffer text = GM_BUFFER_INIT(GM_API_REPLY);
	if (exchange->reply.body &&
	    (gm_json_write(exchange->reply.body, 0, &text) < 0 || text.failed)) {
		gm_buffer_free(&text);
		gm_api_problem(&exchange->reply, 500, "the answer would be too large");
		gm_json_write(exchange->reply.body, 0, &text);
	}
	struct MHD_Response *response =
		MHD_create_response_from_buffer(text.length, text.data, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		gm_buffer_free(&text);
		return MHD_NO;
	}
	add_headers(response, exchange);
	exchange->answered = true;
	wait_since(exchange->connection, gm_clock_monotonic());
	enum MHD_Result result = MHD_queue_response(exchange->connection,
						    (unsigned)exchange->reply.status, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- the beginning ---- */

static bool identify(struct gm_api *api, struct gm_api_exchange *exchange)
{
	const struct gm_api_route *route = exchange->route;
	const struct gm_api_user *user = gm_api_users_find(
		api->users, header(exchange->connection, MHD_HTTP_HEADER_AUTHORIZATION));
	uint64_t suppressed;
	if (!user) {
		gm_api_problem(&exchange->reply, 401, "a user and a secret, or a token, is needed");
		/* Nor from what would say of the resource. */
		exchange->reply.allow = NULL;
		exchange->route = NULL;
		if (header(exchange->connection, MHD_HTTP_HEADER_AUTHORIZATION) &&
		    gm_log_allowed(&api->refused, gm_clock_monotonic(), 60 * GM_SECOND,
				   &suppressed))
			gm_log(GM_LOG_WARNING,
			       "api: somebody was refused who gave a wrong secret (%llu more since "
			       "the last line)",
			       (unsigned long long)suppressed);
		return false;
	}
	gm_text_copy(exchange->user, sizeof(exchange->user), user->name);
	if (route && route->role == GM_API_WRITE && user->role != GM_API_WRITE) {
		gm_api_problem(&exchange->reply, 403, "this user may only read");
		return false;
	}
	return true;
}

static bool length_fits(struct gm_api_exchange *exchange)
{
	const char *length = header(exchange->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (!length || strtoull(length, NULL, 10) <= GM_API_BODY)
		return true;
	gm_api_problem(&exchange->reply, 413, "a request has at most %d bytes", GM_API_BODY);
	return false;
}

/* What can be said before the body is there. False: `reply` is the answer. */
static bool begin(struct gm_api *api, struct gm_api_exchange *exchange, const char *method,
		  const char *path)
{
	exchange->route = gm_api_route_find(method, path, exchange->arguments, &exchange->reply);
	/* Who is nobody learns nothing of what there is. */
	if (!identify(api, exchange) || !exchange->route || !length_fits(exchange))
		return false;
	if (!exchange->route->versioned)
		return true;
	return gm_vnffm_version(header(exchange->connection, "Version"), &exchange->reply);
}

/* ---- the end ---- */

static void answer_here(struct gm_api *api, struct gm_api_exchange *exchange)
{
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(api->slot);
	struct gm_api_request request = {
		.options = &api->options,
		.snapshot = snapshot,
		.filter = MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND,
						      "filter"),
	};
	memcpy(request.arguments, exchange->arguments, sizeof(request.arguments));
	if (snapshot)
		exchange->route->answer(&request, &exchange->reply);
	else
		gm_api_problem(&exchange->reply, 503, "not ready yet");
	if (snapshot)
		gm_snapshot_release(api->slot, snapshot);
}

/* The JSON of the body; NULL: `reply` says what is wrong with it. */
static struct gm_json *parse_body(struct gm_api_exchange *exchange)
{
	struct gm_error err;
	struct gm_json *body = NULL;
	const char *type = header(exchange->connection, MHD_HTTP_HEADER_CONTENT_TYPE);
	if (!type || (strncmp(type, "application/json", 16) != 0 &&
		      strncmp(type, "application/merge-patch+json", 28) != 0)) {
		gm_api_problem(&exchange->reply, 415,
			       "a body is application/json or application/merge-patch+json");
		return NULL;
	}
	if (gm_json_parse(exchange->body.data ? exchange->body.data : "", exchange->body.length,
			  &body, &err) < 0)
		gm_api_problem(&exchange->reply, 400, "%s", err.text);
	return body;
}

static void ask_main(struct gm_api *api, struct gm_api_exchange *exchange)
{
	struct gm_json *body = NULL;
	if (exchange->route->body && !(body = parse_body(exchange)))
		return;
	struct gm_api_task *task = calloc(1, sizeof(*task));
	if (!task) {
		gm_json_free(body);
		gm_api_problem(&exchange->reply, 503, "out of memory");
		return;
	}
	task->job = exchange->route->job;
	task->body = body;
	memcpy(task->arguments, exchange->arguments, sizeof(task->arguments));
	gm_text_copy(task->user, sizeof(task->user), exchange->user);
	gm_text_copy(task->if_match, sizeof(task->if_match),
		     header(exchange->connection, MHD_HTTP_HEADER_IF_MATCH));
	exchange->deadline = gm_clock_monotonic() + TASK_DEADLINE;
	gm_api_send(api, exchange, task);
}

static enum MHD_Result finish(struct gm_api *api, struct gm_api_exchange *exchange)
{
	if (exchange->body.failed)
		gm_api_problem(&exchange->reply, 413, "a request has at most %d bytes",
			       GM_API_BODY);
	else if (exchange->route->job == GM_API_NONE)
		answer_here(api, exchange);
	else
		ask_main(api, exchange);
	if (exchange->ticket != 0)
		wait_since(exchange->connection, 0);
	return exchange->ticket != 0 ? MHD_YES : send_reply(exchange);
}

static struct gm_api_exchange *new_exchange(struct MHD_Connection *connection)
{
	struct gm_api_exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange) {
		exchange->connection = connection;
		exchange->body = GM_BUFFER_INIT(GM_API_BODY);
	}
	return exchange;
}

enum MHD_Result gm_api_on_request(void *user, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **place)
{
	(void)version;
	struct gm_api *api = user;
	struct gm_api_exchange *exchange = *place;
	if (!exchange) {
		*place = exchange = new_exchange(connection);
		if (!exchange)
			return MHD_NO;
		return begin(api, exchange, method, url) ? MHD_YES : send_reply(exchange);
	}
	if (exchange->answered)
		return MHD_YES;
	if (*size > 0) {
		gm_buffer_append(&exchange->body, data, *size);
		exchange->discarded += exchange->body.failed ? *size : 0;
		*size = 0;
		return exchange->discarded <= GM_API_DISCARD ? MHD_YES : MHD_NO;
	}
	if (exchange->reply.status != 0) /* it waited for the main thread */
		return send_reply(exchange);
	return finish(api, exchange);
}

void gm_api_on_completed(void *user, struct MHD_Connection *connection, void **place,
			 enum MHD_RequestTerminationCode code)
{
	(void)user;
	(void)code;
	struct gm_api_exchange *exchange = *place;
	wait_since(connection, gm_clock_monotonic());
	if (!exchange)
		return;
	gm_buffer_free(&exchange->body);
	gm_json_free(exchange->reply.body);
	free(exchange);
	*place = NULL;
}

void gm_api_on_connection(void *user, struct MHD_Connection *connection, void **place,
			  enum MHD_ConnectionNotificationCode code)
{
	struct gm_api *api = user;
	struct gm_api_link *link = *place;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		link = calloc(1,
			      sizeof(*link)); /* without one it only has no deadline of its own */
		if (!link)
			return;
		link->connection = connection;
		link->since = gm_clock_monotonic();
		DL_APPEND(api->links, link);
		*place = link;
	} else if (link) {
		DL_DELETE(api->links, link);
		free(link);
		*place = NULL;
	}
}
