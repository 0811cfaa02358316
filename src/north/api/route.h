/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is at which path: one table, `gm_api_routes`, for everything that the server answers.
 */
#ifndef GM_NORTH_API_ROUTE_H
#define GM_NORTH_API_ROUTE_H

#include "north/api/api.h"
#include "north/api/users.h"

enum gm_api_method { GM_API_GET, GM_API_POST, GM_API_PATCH, GM_API_DELETE };

/* What an answer is made of; valid during the call. */
struct gm_api_request {
	const struct gm_api_options *options;
	const struct gm_snapshot *snapshot;                /* NULL: there is none yet */
	char arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT]; /* what stood in the place of each {} */
	const char *filter; /* the query's parameter of that name, decoded; or NULL */
};

struct gm_api_route {
	enum gm_api_method method;
	const char *path; /* {} stands for one name: letters, digits and any of -._~ */
	enum gm_api_role role;
	bool body;            /* JSON is expected */
	bool versioned;       /* SOL013's Version header: see gm_vnffm_version() */
	enum gm_api_job job;  /* what the main thread is asked; GM_API_NONE: */
	const char *argument; /* argument 0 of a job whose path has none */
	void (*answer)(const struct gm_api_request *request, struct gm_api_reply *reply);
};

/*
 * The line for `method` (as it stands in the request) and `path`, and the names in it. NULL: `reply` says
 * why, with 404 or 405.
 */
const struct gm_api_route *gm_api_route_find(const char *method, const char *path,
					     char ret_arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT],
					     struct gm_api_reply *reply);

#endif
