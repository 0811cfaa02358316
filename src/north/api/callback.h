/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to who has registered for them: to one URL, with the credentials that came with the registration
 * (HTTP Basic, or OAuth 2.0 client credentials after RFC 6749, section 4.4, whose token is kept until it
 * ends or is refused). One call at a time. Main thread only.
 */
#ifndef GM_NORTH_API_CALLBACK_H
#define GM_NORTH_API_CALLBACK_H

#include "base/json.h"
#include "north/http/http.h"

enum { GM_CALLBACK_URL = 1024, GM_CALLBACK_NAME = 256 };

enum gm_callback_scheme { GM_CALLBACK_OPEN, GM_CALLBACK_BASIC, GM_CALLBACK_OAUTH2 };

struct gm_callback_target {
	char url[GM_CALLBACK_URL];
	enum gm_callback_scheme scheme;
	char user[GM_CALLBACK_NAME], secret[GM_CALLBACK_NAME]; /* or the client's id and password */
	char token_url[GM_CALLBACK_URL];
	bool once; /* a call must not arrive twice: gm_http_request.once */
};

/*
 * From SubscriptionAuthentication of SOL 013, clause 8.3.4 (NULL: none). -EINVAL: a scheme that is not
 * known, or parameters are missing; the sentence has no secret in it.
 */
int gm_callback_parse(const struct gm_json *authentication, struct gm_callback_target *target,
		      struct gm_error *err);

/* http or https with a host, and nothing that has no place in a URL. */
bool gm_callback_url_is_good(const char *url);

struct gm_callback;

/* `http` and `transport` outlive it; `target` is copied. 0 or -ENOMEM. */
int gm_callback_create(struct gm_http *http, const struct gm_http_transport *transport,
		       const struct gm_callback_target *target, struct gm_callback **ret_callback);

/*
 * Sends `body` (NULL: none; not kept) by `method`. done() is called once, never from within; where no token
 * was to be had it is told as an answer that did not come. 0, -ENOMEM, -EINVAL, -EBUSY.
 */
int gm_callback_send(struct gm_callback *callback, const char *method, const struct gm_json *body,
		     void (*done)(void *user, const struct gm_http_response *response), void *user,
		     struct gm_error *err);

/* Ends what is under way without its done(). NULL-safe. */
void gm_callback_free(struct gm_callback *callback);

#endif
