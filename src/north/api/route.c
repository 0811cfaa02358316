/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of routes and the search in it; see route.h. Called by connection.c.
 */
#include "north/api/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "north/api/vnffm.h"

static const char name_characters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

static const char *const methods[] = {"GET", "POST", "PATCH", "DELETE"};

/* clang-format off */
static const struct gm_api_route routes[] = {
	{GM_API_GET, "/v1/status", GM_API_READ, .job = GM_API_SHOW, .argument = "status"},
	{GM_API_GET, "/v1/guests", GM_API_READ, .job = GM_API_SHOW, .argument = "guests"},
	{GM_API_GET, "/v1/alarms", GM_API_READ, .job = GM_API_SHOW, .argument = "alarms"},
	{GM_API_GET, "/v1/outputs", GM_API_READ, .job = GM_API_SHOW, .argument = "outputs"},
	{GM_API_GET, "/vnffm/api_versions", GM_API_READ, .answer = gm_vnffm_versions},
	{GM_API_GET, "/vnffm/v1/api_versions", GM_API_READ, .answer = gm_vnffm_versions},
	{GM_API_GET, "/vnffm/v1/alarms", GM_API_READ, .versioned = true, .answer = gm_vnffm_list},
	{GM_API_GET, "/vnffm/v1/alarms/{}", GM_API_READ, .versioned = true, .answer = gm_vnffm_show},
	{GM_API_PATCH, "/vnffm/v1/alarms/{}", GM_API_WRITE, .versioned = true, .body = true, .job = GM_API_ACKNOWLEDGE},
	{GM_API_POST, "/vnffm/v1/alarms/{}/escalate", GM_API_WRITE, .versioned = true, .body = true, .job = GM_API_ESCALATE},
	{GM_API_POST, "/vnffm/v1/subscriptions", GM_API_WRITE, .versioned = true, .body = true, .job = GM_API_SUBSCRIBE},
	{GM_API_GET, "/vnffm/v1/subscriptions", GM_API_READ, .versioned = true, .job = GM_API_SUBSCRIPTIONS},
	{GM_API_GET, "/vnffm/v1/subscriptions/{}", GM_API_READ, .versioned = true, .job = GM_API_SUBSCRIPTION},
	{GM_API_DELETE, "/vnffm/v1/subscriptions/{}", GM_API_WRITE, .versioned = true, .job = GM_API_UNSUBSCRIBE},
	{GM_API_POST, "/v2/{}/servers/{}/alarms", GM_API_WRITE, .body = true, .job = GM_API_REGISTER},
	{GM_API_DELETE, "/v2/{}/servers/{}/alarms/{}", GM_API_WRITE, .job = GM_API_UNREGISTER},
};
/* clang-format on */

enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

void gm_api_problem(struct gm_api_reply *reply, int status, const char *format, ...)
{
	char detail[GM_ERROR_TEXT];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	gm_json_free(reply->body);
	reply->body = gm_json_object();
	gm_json_set_integer(reply->body, "status", status);
	gm_json_set_text(reply->body, "detail", detail);
	reply->status = status;
}

static bool matches(const char *pattern, const char *path,
		    char ret_arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT])
{
	size_t count = 0;
	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t length = strspn(path, name_characters);
		if (length == 0 || length >= GM_API_ARGUMENT)
			return false;
		memcpy(ret_arguments[count], path, length);
		ret_arguments[count++][length] = '\0';
		pattern += 2;
		path += length;
	}
	return *path == '\0';
}

/* "GET, POST": what may be asked for at a path, by the methods' bits. */
static const char *allowed(unsigned present)
{
	static const char *const lists[] = {
		"",
		"GET",
		"POST",
		"GET, POST",
		"PATCH",
		"GET, PATCH",
		"POST, PATCH",
		"GET, POST, PATCH",
		"DELETE",
		"GET, DELETE",
		"POST, DELETE",
		"GET, POST, DELETE",
		"PATCH, DELETE",
		"GET, PATCH, DELETE",
		"POST, PATCH, DELETE",
		"GET, POST, PATCH, DELETE",
	};
	return lists[present & 15];
}

const struct gm_api_route *gm_api_route_find(const char *method, const char *path,
					     char ret_arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT],
					     struct gm_api_reply *reply)
{
	unsigned present = 0;
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	for (size_t i = 0; i < ROUTES; i++) {
		memset(ret_arguments, 0, GM_API_ARGUMENTS * sizeof(ret_arguments[0]));
		if (!matches(routes[i].path, path, ret_arguments))
			continue;
		if (strcmp(methods[routes[i].method], wanted) == 0) {
			if (routes[i].argument)
				snprintf(ret_arguments[0], GM_API_ARGUMENT, "%s",
					 routes[i].argument);
			return &routes[i];
		}
		present |= 1U << routes[i].method;
	}
	if (present == 0) {
		gm_api_problem(reply, 404, "there is nothing at this path");
	} else {
		gm_api_problem(reply, 405, "this path takes %s", allowed(present));
		reply->allow = allowed(present);
	}
	return NULL;
}
