/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token's life and the requests that are sent with it; see keystone.h. Called by the drivers of
 * this folder.
 */
#include "north/openstack/keystone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "north/openstack/token.h"
#include "north/verdict.h"

enum { CALLS = 64, REQUEST_MAX = 8 << 20, ANSWER_MAX = 2 << 20 };

#define RENEW_BEFORE (120 * GM_SECOND)
/* A token so young is not fetched anew for a 401: what refuses it would refuse the next one, too. */
#define YOUNG (10 * GM_SECOND)
/* What ends within this is not used any more: it could end on the way. */
#define MARGIN GM_SECOND
/* After a failure, a fetch ahead of need waits; one that is needed does not. */
#define PAUSE (30 * GM_SECOND)

struct gm_keystone_call {
	struct gm_keystone *keystone;
	char *method, *path;
	struct gm_buffer body;
	size_t max_response;
	void (*done)(void *user, const struct gm_http_response *response);
	void *user;
	struct gm_http_call *http; /* NULL: waits for a token */
	uint64_t generation;       /* of the token it was sent with: */
	char *token;               /* NULL: not sent yet */
	bool again;                /* has had its second chance */
	bool doomed;               /* waits no longer: the fetch has failed */
	struct gm_keystone_call *prev, *next;
};

struct gm_keystone {
	struct gm_http *http;
	struct gm_cloud cloud;
	struct gm_http_transport transport;
	struct gm_keystone_service service;
	bool fixed; /* the endpoint is configured */
	char endpoint[GM_ENDPOINT_MAX];
	char *token;
	uint64_t generation;
	int64_t got_at, lifetime; /* monotonic */
	int64_t failed_at;        /* 0: the last fetch went well */
	bool warned;              /* of a catalog that leads from https to http */
	struct gm_http_call *fetch;
	struct gm_keystone_call *calls;
	size_t count;
};

/* ---- the token ---- */

static void forget(char **token)
{
	if (*token)
		gm_secret_forget(*token, strlen(*token));
	free(*token);
	*token = NULL;
}

static void forget_token(struct gm_keystone *keystone)
{
	forget(&keystone->token);
}

static int64_t remaining(const struct gm_keystone *keystone, int64_t now)
{
	return keystone->token ? keystone->got_at + keystone->lifetime - now : 0;
}

static bool is_good(const struct gm_keystone *keystone, int64_t now)
{
	return remaining(keystone, now) > MARGIN;
}

static bool is_due(const struct gm_keystone *keystone, int64_t now)
{
	int64_t before =
		keystone->lifetime / 2 < RENEW_BEFORE ? keystone->lifetime / 2 : RENEW_BEFORE;

	return remaining(keystone, now) < (before > MARGIN ? before : MARGIN);
}

/* A fetch has failed not long ago: what has a good token goes on with it. */
static bool is_pausing(const struct gm_keystone *keystone, int64_t now)
{
	return keystone->failed_at != 0 && now - keystone->failed_at < PAUSE;
}

static void unlink_call(struct gm_keystone_call *call)
{
	DL_DELETE(call->keystone->calls, call);
	call->keystone->count--;
}

static void free_call(struct gm_keystone_call *call)
{
	free(call->method);
	free(call->path);
	gm_buffer_free(&call->body);
	forget(&call->token);
	free(call);
}

static void finish(struct gm_keystone_call *call, const struct gm_http_response *response)
{
	unlink_call(call);
	call->done(call->user, response);
	free_call(call);
}

static void finish_without(struct gm_keystone_call *call, const char *sentence, int64_t retry_after)
{
	finish(call, &(struct gm_http_response){
			     .error = sentence, .body = "", .retry_after = retry_after});
}

/* ---- sending ---- */

static void answered(void *user, const struct gm_http_response *response);

static int transmit(struct gm_keystone_call *call, struct gm_error *err)
{
	struct gm_keystone *keystone = call->keystone;
	struct gm_buffer url = GM_BUFFER_INIT(64 << 10), header = GM_BUFFER_INIT(64 << 10);
	int rc;

	gm_buffer_printf(&url, "%s%s", keystone->endpoint, call->path);
	gm_buffer_printf(&header, "X-Auth-Token: %s", keystone->token);
	forget(&call->token);
	call->token = strdup(keystone->token);
	if (url.failed || header.failed || !call->token) {
		rc = gm_error_set(err, -ENOMEM, "out of memory");
	} else {
		const char *headers[] = {header.data, "Content-Type: application/json",
					 "Accept: application/json", NULL};

		rc = gm_http_send(keystone->http,
				  &(struct gm_http_request){
					  .transport = &keystone->transport,
					  .method = call->method,
					  .url = url.data,
					  .headers = headers,
					  .body = call->body.data,
					  .length = call->body.length,
					  .once = strcmp(call->method, "GET") != 0,
					  .max_response = call->max_response,
					  .done = answered,
					  .user = call,
				  },
				  &call->http, err);
	}
	call->generation = keystone->generation;
	if (header.data)
		gm_secret_forget(header.data, header.length);
	gm_buffer_free(&header);
	gm_buffer_free(&url);
	return rc;
}

static void fetch(struct gm_keystone *keystone);

/* The list is begun anew after each done(), which may send and cancel. */
static struct gm_keystone_call *first_waiting(const struct gm_keystone *keystone, bool doomed)
{
	struct gm_keystone_call *call;

	DL_FOREACH (keystone->calls, call) {
		if (!call->http && call->doomed == doomed)
			return call;
	}
	return NULL;
}

/* Sends all that waits. */
static void release(struct gm_keystone *keystone)
{
	struct gm_keystone_call *call;

	while ((call = first_waiting(keystone, false))) {
		struct gm_error err = {.text = ""};

		if (transmit(call, &err) < 0)
			finish_without(call, err.text, 0);
	}
}

/* True where the call goes on with another token. */
static bool second_chance(struct gm_keystone_call *call)
{
	struct gm_keystone *keystone = call->keystone;
	struct gm_error err;

	if (call->again)
		return false;
	if (call->generation == keystone->generation) {
		if (gm_clock_monotonic() - keystone->got_at < YOUNG)
			return false;
		forget_token(keystone);
	}
	call->again = true;
	call->http = NULL;
	if (!keystone->token) {
		fetch(keystone);
		return true;
	}
	return transmit(call, &err) == 0;
}

/* What is not as wanted is told to people: nothing of it, where it repeats the token. */
static bool is_telltale(const struct gm_keystone_call *call,
			const struct gm_http_response *response)
{
	return response->status >= 300 && call->token &&
	       memmem(response->body, response->length, call->token, strlen(call->token));
}

static void answered(void *user, const struct gm_http_response *response)
{
	struct gm_keystone_call *call = user;
	struct gm_http_response silent = *response;

	call->http = NULL;
	if (response->status == 401 && second_chance(call))
		return;
	if (is_telltale(call, response)) {
		silent.body = "";
		silent.length = 0;
	}
	finish(call, &silent);
}

/* ---- fetching ---- */

/* Tells all that waits; what is sent from within done() waits for the next fetch. */
static void fail_waiting(struct gm_keystone *keystone, const char *sentence, int64_t retry_after)
{
	struct gm_keystone_call *call;

	DL_FOREACH (keystone->calls, call)
		call->doomed = !call->http;
	while ((call = first_waiting(keystone, true)))
		finish_without(call, sentence, retry_after);
}

static int take_token(struct gm_keystone *keystone, const struct gm_http_response *response,
		      struct gm_error *err)
{
	struct gm_endpoint_wish wish = {
		.types = keystone->service.types,
		.region = keystone->cloud.region,
		.interface = keystone->cloud.interface,
	};
	struct gm_token_answer answer;
	const char *token = gm_http_header(response, "X-Subject-Token");
	int rc = gm_token_check(token, err);

	if (rc == 0)
		rc = gm_token_parse(response->body, response->length, gm_clock_now(),
				    keystone->fixed ? NULL : &wish, &answer, err);
	if (rc == 0 && !keystone->fixed)
		rc = gm_endpoint_copy(answer.endpoint, keystone->service.version,
				      keystone->endpoint, err);
	if (rc < 0)
		return rc;
	forget_token(keystone);
	keystone->token = strdup(token);
	if (!keystone->token)
		return gm_error_set(err, -ENOMEM, "out of memory");
	keystone->generation++;
	keystone->got_at = gm_clock_monotonic();
	keystone->lifetime = answer.lifetime;
	if (!keystone->warned && strncmp(keystone->cloud.auth_url, "https:", 6) == 0 &&
	    strncmp(keystone->endpoint, "http:", 5) == 0) {
		keystone->warned = true;
		gm_log(GM_LOG_WARNING,
		       "openstack: Keystone is reached by https, but the endpoint of %s by http: "
		       "the token is readable on its way",
		       keystone->service.types[0]);
	}
	return 0;
}

static void fetched(void *user, const struct gm_http_response *response)
{
	struct gm_keystone *keystone = user;
	struct gm_error err = {.text = ""};
	char reason[GM_VERDICT_REASON], sentence[GM_ERROR_TEXT];
	int rc = -EIO;

	keystone->fetch = NULL;
	if (response->status == 201)
		rc = take_token(keystone, response, &err);
	else if (response->status >= 200 && response->status < 300)
		gm_error_set(&err, rc, "the answer is %d", response->status);
	else
		gm_error_set(&err, rc, "%s", gm_verdict_of_status(response, reason).reason);
	if (rc == 0) {
		keystone->failed_at = 0;
		release(keystone);
		return;
	}
	keystone->failed_at = gm_clock_monotonic();
	snprintf(sentence, sizeof(sentence), "no token of Keystone: %s", err.text);
	fail_waiting(keystone, sentence, response->retry_after);
}

static int send_auth(struct gm_keystone *keystone, struct gm_error *err)
{
	static const char *const headers[] = {"Content-Type: application/json",
					      "Accept: application/json", NULL};
	struct gm_buffer body = GM_BUFFER_INIT(64 << 10), url = GM_BUFFER_INIT(4096);
	struct gm_json *auth = gm_cloud_auth(&keystone->cloud);
	int rc = gm_json_write(auth, 0, &body);

	gm_json_free(auth);
	gm_buffer_printf(&url, "%s/auth/tokens", keystone->cloud.auth_url);
	if (rc == 0 && !url.failed)
		rc = gm_http_send(keystone->http,
				  &(struct gm_http_request){
					  .transport = &keystone->transport,
					  .method = "POST",
					  .url = url.data,
					  .headers = headers,
					  .body = body.data,
					  .length = body.length,
					  .max_response = ANSWER_MAX,
					  .done = fetched,
					  .user = keystone,
				  },
				  &keystone->fetch, err);
	if (body.data)
		gm_secret_forget(body.data, body.length);
	gm_buffer_free(&body);
	gm_buffer_free(&url);
	return rc;
}

static void fetch(struct gm_keystone *keystone)
{
	struct gm_error err = {.text = ""};

	if (keystone->fetch)
		return;
	if (send_auth(keystone, &err) < 0) {
		/* Waiting calls stay until the next tick, which tries again. */
		keystone->failed_at = gm_clock_monotonic();
		gm_log(GM_LOG_WARNING, "openstack: %s", err.text);
	}
}

void gm_keystone_tick(struct gm_keystone *keystone, int64_t now)
{
	if (!keystone->fetch && (first_waiting(keystone, false) ||
				 (is_due(keystone, now) && !is_pausing(keystone, now))))
		fetch(keystone);
}

/* ---- the session ---- */

int gm_keystone_create(const struct gm_cloud_options *options,
		       const struct gm_keystone_service *service, struct gm_http *http,
		       struct gm_keystone **ret_keystone, struct gm_error *err)
{
	struct gm_keystone *keystone = calloc(1, sizeof(*keystone));
	int rc;

	if (!keystone)
		return gm_error_set(err, -ENOMEM, "out of memory");
	keystone->http = http;
	keystone->service = *service;
	keystone->transport = options->transport;
	keystone->fixed = options->endpoint[0] != '\0';
	rc = gm_cloud_resolve(options, &keystone->cloud, err);
	if (rc == 0 && keystone->fixed)
		rc = gm_endpoint_copy(options->endpoint, service->version, keystone->endpoint, err);
	if (rc < 0) {
		gm_keystone_free(keystone);
		return rc;
	}
	gm_text_copy(keystone->transport.ca_file, sizeof(keystone->transport.ca_file),
		     keystone->cloud.ca_file);
	*ret_keystone = keystone;
	return 0;
}

void gm_keystone_free(struct gm_keystone *keystone)
{
	if (!keystone)
		return;
	while (keystone->calls)
		gm_keystone_cancel(keystone->calls);
	if (keystone->fetch)
		gm_http_cancel(keystone->fetch);
	forget_token(keystone);
	gm_cloud_forget(&keystone->cloud);
	free(keystone);
}

int gm_keystone_send(struct gm_keystone *keystone, const struct gm_keystone_request *request,
		     struct gm_keystone_call **ret_call, struct gm_error *err)
{
	int64_t now = gm_clock_monotonic();
	struct gm_keystone_call *call;
	int rc = 0;

	if (keystone->count >= CALLS)
		return gm_error_set(err, -ENOBUFS, "%d requests are under way", CALLS);
	call = calloc(1, sizeof(*call));
	if (!call)
		return gm_error_set(err, -ENOMEM, "out of memory");
	*call = (struct gm_keystone_call){
		.keystone = keystone,
		.method = strdup(request->method),
		.path = strdup(request->path),
		.body = GM_BUFFER_INIT(REQUEST_MAX),
		.max_response = request->max_response,
		.done = request->done,
		.user = request->user,
	};
	if (request->body)
		gm_buffer_append(&call->body, request->body, request->length);
	if (!call->method || !call->path || call->body.failed)
		rc = gm_error_set(err, -ENOMEM, "out of memory");
	else if (is_good(keystone, now))
		rc = transmit(call, err);
	if (rc < 0) {
		free_call(call);
		return rc;
	}
	DL_APPEND(keystone->calls, call);
	keystone->count++;
	if (!is_good(keystone, now) || (is_due(keystone, now) && !is_pausing(keystone, now)))
		fetch(keystone);
	if (ret_call)
		*ret_call = call;
	return 0;
}

void gm_keystone_cancel(struct gm_keystone_call *call)
{
	if (call->http)
		gm_http_cancel(call->http);
	unlink_call(call);
	free_call(call);
}
