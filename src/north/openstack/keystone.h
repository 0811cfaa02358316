/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to one OpenStack service with a token of Keystone's (Identity API v3), on the main loop. The
 * token is fetched when it is first needed and renewed while 120 s of it remain (half its life, if that
 * is shorter); requests that come meanwhile wait in a bounded list where there is no good one. Upon a 401
 * the token is fetched anew, once, and the request is sent once more; a second 401 is the answer,
 * because some services mean by it that the role does not allow the thing. What changes something is otherwise
 * sent once.
 *
 * The token goes to the endpoint that the catalog names for the service, or that is configured, and
 * nowhere else: redirects are not followed. Neither token nor password is in any text that comes from
 * here. Main thread only.
 */
#ifndef GM_NORTH_OPENSTACK_KEYSTONE_H
#define GM_NORTH_OPENSTACK_KEYSTONE_H

#include <stdint.h>

#include "base/error.h"
#include "north/http/http.h"
#include "north/openstack/cloud.h"

struct gm_keystone;
struct gm_keystone_call;

struct gm_keystone_service {
	const char *const *types; /* in the catalog, the best first, NULL at the end; outlive it */
	const char *version; /* "/v2": what paths begin with; an endpoint may end with it or not */
};

/* `options` outlives the session; `service` is copied. -ENOMEM or what gm_cloud_resolve() says. */
int gm_keystone_create(const struct gm_cloud_options *options,
		       const struct gm_keystone_service *service, struct gm_http *http,
		       struct gm_keystone **ret_keystone, struct gm_error *err);
/* Ends all calls without their done(), forgets the secrets. NULL-safe. */
void gm_keystone_free(struct gm_keystone *keystone);

/* Fetches a token ahead of need. About once a second, `now` monotonic; cheap. */
void gm_keystone_tick(struct gm_keystone *keystone, int64_t now);

/* All is copied. */
struct gm_keystone_request {
	const char *method, *path; /* "/v2/alarms?limit=1", below the endpoint */
	const void *body;          /* JSON; NULL: none */
	size_t length;
	size_t max_response;
	/* Once per call, never from within gm_keystone_send(), not after cancel(). Without its text where that
	 * repeats the token and is no success. Status 0 also where
	 * no token was to be had; `call` is then NULL. */
	void (*done)(void *user, const struct gm_http_response *response);
	void *user;
};
/* -ENOBUFS: too many wait; -ENOMEM, -EINVAL. `ret_call` is valid until done(). */
int gm_keystone_send(struct gm_keystone *keystone, const struct gm_keystone_request *request,
		     struct gm_keystone_call **ret_call, struct gm_error *err);
void gm_keystone_cancel(struct gm_keystone_call *call);

#endif
