/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keystone's answer to POST /v3/auth/tokens (Identity API v3, "Authenticating and scoping"): the token
 * and its life, and where a service is by the catalog. Pure: bytes in, values out.
 */
#ifndef GM_NORTH_OPENSTACK_TOKEN_H
#define GM_NORTH_OPENSTACK_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { GM_TOKEN_MAX = 8192, GM_ENDPOINT_MAX = 512 };

/* Which endpoint of the catalog is wanted. */
struct gm_endpoint_wish {
	const char *const *types; /* of the service, the best first, NULL at the end */
	const char *region;       /* empty: any */
	const char *interface;    /* "public", … */
};

struct gm_token_answer {
	int64_t lifetime; /* ns from issue to expiry, by Keystone's own clock */
	/* Without a slash at the end; empty where no wish was told. */
	char endpoint[GM_ENDPOINT_MAX];
};

/*
 * Reads the body. `now` (ns since the epoch) counts where the answer does not say when it was issued.
 * `wish` may be NULL. -EINVAL: not such an answer, or a life that is no time from 1 s to 400 days;
 * -ENOENT: the catalog has no such endpoint, and the sentence says what was looked for.
 */
int gm_token_parse(const char *body, size_t length, int64_t now,
		   const struct gm_endpoint_wish *wish, struct gm_token_answer *ret_answer,
		   struct gm_error *err);

/* Whether the header's value may be sent as a token: visible ASCII, not too long. */
int gm_token_check(const char *token, struct gm_error *err);

/*
 * Copies a URL without the slashes at its end and without VERSION (as "/v2") there, be it alone or with a
 * project's id behind it. -EINVAL: no http(s) URL,
 * one with a user, a query or blanks in it, or one that does not fit.
 */
int gm_endpoint_copy(const char *url, const char *version, char ret_endpoint[GM_ENDPOINT_MAX],
		     struct gm_error *err);

#endif
