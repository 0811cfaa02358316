/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One authenticated call at a time; see callback.h. Called by notifier.c, tacker.c and by what tests a
 * subscriber's endpoint.
 */
#include "north/api/callback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	BODY = 256 << 10,
	CREDENTIALS = 2 * GM_CALLBACK_NAME,
	TOKEN = 4096,
	ANSWER = 64 << 10,
	TOKEN_LIFE_S = 3600, /* where the answer does not say */
};
#define TOKEN_MARGIN (30 * GM_SECOND)

struct gm_callback {
	struct gm_http *http;
	const struct gm_http_transport *transport;
	struct gm_callback_target target;
	char token[TOKEN];
	int64_t token_until; /* monotonic */

	struct gm_http_call *call; /* NULL: none is under way */
	bool renewed;              /* the token, for this call */
	char method[8];
	struct gm_buffer body; /* empty: none */
	void (*done)(void *user, const struct gm_http_response *response);
	void *user;
};

/* ---- registrations ---- */

bool gm_callback_url_is_good(const char *url)
{
	size_t scheme = strncmp(url, "http://", 7) == 0    ? 7
			: strncmp(url, "https://", 8) == 0 ? 8
							   : 0;
	if (scheme == 0 || strlen(url) >= GM_CALLBACK_URL || strchr("/:?#", url[scheme]))
		return false;
	for (const char *at = url; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7F ||
		    strchr("\"<>\\^`{|}", *at))
			return false;
	return true;
}

static bool take(const struct gm_json *object, const char *key, char *text, size_t size)
{
	const char *value = gm_json_get_text(object, key);
	if (!value || strlen(value) >= size || strpbrk(value, "\r\n"))
		return false;
	gm_text_copy(text, size, value);
	return true;
}

/* SOL 013 has a list of schemes, releases before it one word. */
static bool offers(const struct gm_json *types, const char *wanted)
{
	const char *word = gm_json_value_text(types);
	for (size_t i = 0; !word && i < gm_json_size(types); i++) {
		const char *one = gm_json_value_text(gm_json_at(types, i));
		if (one && strcmp(one, wanted) == 0)
			return true;
	}
	return word && strcmp(word, wanted) == 0;
}

int gm_callback_parse(const struct gm_json *authentication, struct gm_callback_target *target,
		      struct gm_error *err)
{
	const struct gm_json *types = gm_json_get(authentication, "authType");
	const struct gm_json *basic = gm_json_get(authentication, "paramsBasic");
	const struct gm_json *oauth = gm_json_get(authentication, "paramsOauth2ClientCredentials");
	target->scheme = GM_CALLBACK_OPEN;
	if (!authentication)
		return 0;
	if (offers(types, "BASIC") && take(basic, "userName", target->user, sizeof(target->user)) &&
	    take(basic, "password", target->secret, sizeof(target->secret))) {
		target->scheme = GM_CALLBACK_BASIC;
		return strchr(target->user, ':')
			       ? gm_error_set(err, -EINVAL, "authentication: a userName has no ':'")
			       : 0;
	}
	if (offers(types, "OAUTH2_CLIENT_CREDENTIALS") &&
	    take(oauth, "clientId", target->user, sizeof(target->user)) &&
	    take(oauth, "clientPassword", target->secret, sizeof(target->secret)) &&
	    take(oauth, "tokenEndpoint", target->token_url, sizeof(target->token_url)) &&
	    gm_callback_url_is_good(target->token_url)) {
		target->scheme = GM_CALLBACK_OAUTH2;
		return 0;
	}
	return gm_error_set(
		err, -EINVAL,
		"authentication: wanted is authType BASIC with paramsBasic userName and "
		"password, or OAUTH2_CLIENT_CREDENTIALS with "
		"paramsOauth2ClientCredentials clientId, clientPassword and "
		"tokenEndpoint");
}

/* ---- calls ---- */

static void encode_base64(const char *text, char *encoded, size_t size)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(text), used = 0;
	for (size_t i = 0; i < length && used + 5 <= size; i += 3) {
		uint32_t bits = 0;
		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < length ? (unsigned char)text[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			encoded[used++] =
				i + j <= length ? letters[bits >> (18 - 6 * j) & 63] : '=';
	}
	encoded[used] = '\0';
}

static void basic_header(const struct gm_callback_target *target, char header[2 * CREDENTIALS])
{
	char pair[CREDENTIALS], encoded[2 * CREDENTIALS - 32];
	snprintf(pair, sizeof(pair), "%s:%s", target->user, target->secret);
	encode_base64(pair, encoded, sizeof(encoded));
	snprintf(header, 2 * CREDENTIALS, "Authorization: Basic %s", encoded);
	explicit_bzero(pair, sizeof(pair));
	explicit_bzero(encoded, sizeof(encoded));
}

static int post(struct gm_callback *callback, struct gm_error *err);
static int ask_for_token(struct gm_callback *callback, struct gm_error *err);

static void end(struct gm_callback *callback, const struct gm_http_response *response)
{
	gm_buffer_free(&callback->body);
	callback->done(callback->user, response);
}

static void end_with(struct gm_callback *callback, const char *sentence)
{
	end(callback, &(struct gm_http_response){.status = 0, .error = sentence, .body = ""});
}

static void on_answer(void *user, const struct gm_http_response *response)
{
	struct gm_callback *callback = user;
	struct gm_error err;
	callback->call = NULL;
	bool stale = response->status == 401 && callback->target.scheme == GM_CALLBACK_OAUTH2 &&
		     !callback->renewed;
	if (!stale) {
		end(callback, response);
		return;
	}
	callback->token_until = 0; /* it may have been revoked: one new one, no loop */
	if (ask_for_token(callback, &err) < 0)
		end_with(callback, err.text);
}

static bool keep_token(struct gm_callback *callback, const struct gm_http_response *response)
{
	struct gm_json *answer = NULL;
	bool kept = response->status == 200 &&
		    gm_json_parse(response->body, response->length, &answer, NULL) == 0 &&
		    take(answer, "access_token", callback->token, sizeof(callback->token));
	int64_t life = gm_json_get_integer(answer, "expires_in", TOKEN_LIFE_S);
	if (life < 0 || life > 30 * 86400)
		life = TOKEN_LIFE_S;
	callback->token_until = kept ? gm_clock_monotonic() + life * GM_SECOND - TOKEN_MARGIN : 0;
	gm_json_free(answer);
	return kept;
}

static void on_token(void *user, const struct gm_http_response *response)
{
	struct gm_callback *callback = user;
	struct gm_error err;
	char sentence[GM_ERROR_TEXT];
	callback->call = NULL;
	if (keep_token(callback, response)) {
		if (post(callback, &err) < 0)
			end_with(callback, err.text);
		return;
	}
	if (response->status == 0)
		snprintf(sentence, sizeof(sentence), "the token endpoint: %s", response->error);
	else
		snprintf(sentence, sizeof(sentence), "the token endpoint answers %d",
			 response->status);
	end_with(callback, sentence);
}

static int ask_for_token(struct gm_callback *callback, struct gm_error *err)
{
	static const char form[] = "grant_type=client_credentials";
	char authorization[2 * CREDENTIALS];
	basic_header(&callback->target, authorization);
	const char *const headers[] = {authorization,
				       "Content-Type: application/x-www-form-urlencoded",
				       "Accept: application/json", NULL};
	const struct gm_http_request request = {
		.transport = callback->transport,
		.method = "POST",
		.url = callback->target.token_url,
		.headers = headers,
		.body = form,
		.length = sizeof(form) - 1,
		.max_response = ANSWER,
		.done = on_token,
		.user = callback,
	};
	callback->renewed = true;
	int result = gm_http_send(callback->http, &request, &callback->call, err);
	explicit_bzero(authorization, sizeof(authorization));
	return result;
}

static int post(struct gm_callback *callback, struct gm_error *err)
{
	char authorization[TOKEN + 32] = "X-Content-Type-Options: nosniff";
	if (callback->target.scheme == GM_CALLBACK_BASIC)
		basic_header(&callback->target, authorization);
	if (callback->target.scheme == GM_CALLBACK_OAUTH2)
		snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
			 callback->token);
	bool body = callback->body.length > 0;
	const char *const headers[] = {authorization, "Accept: application/json",
				       body ? "Content-Type: application/json" : NULL, NULL};
	const struct gm_http_request request = {
		.transport = callback->transport,
		.method = callback->method,
		.url = callback->target.url,
		.headers = headers,
		.body = body ? callback->body.data : NULL,
		.length = callback->body.length,
		.once = callback->target.once,
		.max_response = ANSWER,
		.done = on_answer,
		.user = callback,
	};
	int result = gm_http_send(callback->http, &request, &callback->call, err);
	explicit_bzero(authorization, sizeof(authorization));
	return result;
}

int gm_callback_send(struct gm_callback *callback, const char *method, const struct gm_json *body,
		     void (*done)(void *user, const struct gm_http_response *response), void *user,
		     struct gm_error *err)
{
	if (callback->call)
		return gm_error_set(err, -EBUSY, "another call is under way");
	callback->body = GM_BUFFER_INIT(BODY);
	if (body && (gm_json_write(body, 0, &callback->body) < 0 || callback->body.failed)) {
		gm_buffer_free(&callback->body);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	callback->done = done;
	callback->user = user;
	callback->renewed = false;
	gm_text_copy(callback->method, sizeof(callback->method), method);
	bool token = callback->target.scheme == GM_CALLBACK_OAUTH2 &&
		     gm_clock_monotonic() >= callback->token_until;
	int result = token ? ask_for_token(callback, err) : post(callback, err);
	if (result < 0)
		gm_buffer_free(&callback->body);
	return result;
}

int gm_callback_create(struct gm_http *http, const struct gm_http_transport *transport,
		       const struct gm_callback_target *target, struct gm_callback **ret_callback)
{
	struct gm_callback *callback = calloc(1, sizeof(*callback));
	if (!callback)
		return -ENOMEM;
	callback->http = http;
	callback->transport = transport;
	callback->target = *target;
	*ret_callback = callback;
	return 0;
}

void gm_callback_free(struct gm_callback *callback)
{
	if (!callback)
		return;
	if (callback->call)
		gm_http_cancel(callback->call);
	gm_buffer_free(&callback->body);
	explicit_bzero(callback, sizeof(*callback));
	free(callback);
}
