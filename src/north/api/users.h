/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use the API: a file that only its owner may read, a user a line:
 *
 *     NAME read|write SECRET
 *
 * `#` begins a comment. The secret is Basic's password, and a bearer token (RFC 6750) as well. One
 * thread.
 */
#ifndef GM_NORTH_API_USERS_H
#define GM_NORTH_API_USERS_H

#include <stdbool.h>

#include "base/error.h"
#include "north/api/api.h"

enum { GM_API_SECRET = 256, GM_API_USERS = 256, GM_API_SECRET_MIN = 8 };

enum gm_api_role { GM_API_READ, GM_API_WRITE }; /* who may write may read */

struct gm_api_user {
	char name[GM_API_NAME];
	enum gm_api_role role;
	char secret[GM_API_SECRET];
};

struct gm_api_users;

/*
 * -EACCES: others may read the file; -EINVAL: a line is wrong (its number is told, never its content), or
 * there is no user; else what open() says.
 */
int gm_api_users_read(const char *path, struct gm_api_users **ret_users, struct gm_error *err);
void gm_api_users_free(struct gm_api_users *users); /* overwrites the secrets; NULL-safe */

/*
 * The user that an Authorization header (NULL: there was none) speaks for, or NULL. Takes the same time
 * for every wrong secret.
 */
const struct gm_api_user *gm_api_users_find(const struct gm_api_users *users,
					    const char *authorization);

#endif
