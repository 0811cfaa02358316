/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading Keystone's answers; see token.h. What is in them may be anything.
 */
#include "north/openstack/token.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define LIFE_MIN GM_SECOND
#define LIFE_MAX (400 * INT64_C(86400) * GM_SECOND)

int gm_token_check(const char *token, struct gm_error *err)
{
	size_t length = token ? strlen(token) : 0;

	if (length == 0)
		return gm_error_set(err, -EINVAL, "Keystone's answer has no token");
	if (length > GM_TOKEN_MAX)
		return gm_error_set(err, -EINVAL, "Keystone's token is longer than %d bytes",
				    GM_TOKEN_MAX);
	for (size_t i = 0; i < length; i++) {
		if (token[i] <= ' ' || token[i] > '~')
			return gm_error_set(err, -EINVAL, "Keystone's token is no token");
	}
	return 0;
}

static size_t without_slashes(const char *url, size_t length)
{
	while (length > 0 && url[length - 1] == '/')
		length--;
	return length;
}

/* Old catalogs have the project's id behind the version: "http://h:8774/v2.1/PROJECT". */
static size_t without_project(const char *url, size_t length, const char *version)
{
	size_t more = strlen(version), end = length;

	while (end > 0 && url[end - 1] != '/')
		end--;
	return end > more + 1 && memcmp(url + end - 1 - more, version, more) == 0 ? end - 1
										  : length;
}

static size_t without_version(const char *url, size_t length, const char *version)
{
	size_t more = strlen(version);

	length = without_project(url, length, version);
	if (length > more && memcmp(url + length - more, version, more) == 0)
		length = without_slashes(url, length - more);
	return length;
}

static bool is_plain(const char *url)
{
	for (; *url; url++) {
		if (*url <= ' ' || *url > '~' || strchr("@?#\"<>\\%", *url))
			return false;
	}
	return true;
}

int gm_endpoint_copy(const char *url, const char *version, char ret_endpoint[GM_ENDPOINT_MAX],
		     struct gm_error *err)
{
	size_t length = without_slashes(url, strlen(url)), more = version ? strlen(version) : 0;

	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return gm_error_set(err, -EINVAL, "an endpoint is no http or https URL");
	if (length >= GM_ENDPOINT_MAX)
		return gm_error_set(err, -EINVAL, "an endpoint's URL is longer than %d bytes",
				    GM_ENDPOINT_MAX - 1);
	if (!is_plain(url))
		return gm_error_set(err, -EINVAL, "an endpoint's URL holds what it must not");
	if (more > 0)
		length = without_version(url, length, version);
	memcpy(ret_endpoint, url, length);
	ret_endpoint[length] = '\0';
	return 0;
}

/* ---- the catalog ---- */

static bool equals(const struct gm_json *object, const char *key, const char *wanted)
{
	const char *text = gm_json_get_text(object, key);

	return text && strcmp(text, wanted) == 0;
}

/* Whether `region` holds; older catalogs say `region`, newer ones `region_id` as well. */
static bool fits(const struct gm_json *endpoint, const struct gm_endpoint_wish *wish)
{
	return equals(endpoint, "interface", wish->interface) &&
	       (wish->region[0] == '\0' || equals(endpoint, "region", wish->region) ||
		equals(endpoint, "region_id", wish->region)) &&
	       gm_json_get_text(endpoint, "url");
}

static const char *find_of_type(const struct gm_json *catalog, const char *type,
				const struct gm_endpoint_wish *wish)
{
	for (size_t i = 0; i < gm_json_size(catalog); i++) {
		const struct gm_json *service = gm_json_at(catalog, i);
		const struct gm_json *endpoints = gm_json_get(service, "endpoints");

		if (!equals(service, "type", type))
			continue;
		for (size_t j = 0; j < gm_json_size(endpoints); j++) {
			const struct gm_json *endpoint = gm_json_at(endpoints, j);

			if (fits(endpoint, wish))
				return gm_json_get_text(endpoint, "url");
		}
	}
	return NULL;
}

static int find_endpoint(const struct gm_json *token, const struct gm_endpoint_wish *wish,
			 char ret_endpoint[GM_ENDPOINT_MAX], struct gm_error *err)
{
	const struct gm_json *catalog = gm_json_get(token, "catalog");
	const char *url = NULL;

	for (size_t i = 0; wish->types[i] && !url; i++)
		url = find_of_type(catalog, wish->types[i], wish);
	if (!url)
		return gm_error_set(err, -ENOENT,
				    "the catalog has no endpoint of type %s, interface %s%s%s",
				    wish->types[0], wish->interface,
				    wish->region[0] != '\0' ? ", region " : "", wish->region);
	return gm_endpoint_copy(url, NULL, ret_endpoint, err);
}

/* ---- the token ---- */

static int read_life(const struct gm_json *token, int64_t now, int64_t *ret_life,
		     struct gm_error *err)
{
	const char *expires = gm_json_get_text(token, "expires_at");
	const char *issued = gm_json_get_text(token, "issued_at");
	int64_t begin = now, end;

	if (!expires || gm_time_parse(expires, &end) < 0)
		return gm_error_set(err, -EINVAL,
				    "Keystone's answer does not say when the token ends");
	if (issued && gm_time_parse(issued, &begin) < 0)
		begin = now;
	if (end < begin || end - begin < LIFE_MIN || end - begin > LIFE_MAX)
		return gm_error_set(err, -EINVAL, "Keystone's token has a life that cannot be");
	*ret_life = end - begin;
	return 0;
}

int gm_token_parse(const char *body, size_t length, int64_t now,
		   const struct gm_endpoint_wish *wish, struct gm_token_answer *ret_answer,
		   struct gm_error *err)
{
	struct gm_token_answer answer = {0};
	struct gm_json *root = NULL;
	const struct gm_json *token;
	int rc = gm_json_parse(body, length, &root, NULL);

	if (rc < 0)
		return gm_error_set(err, rc, "Keystone's answer is no JSON");
	token = gm_json_get(root, "token");
	rc = token ? read_life(token, now, &answer.lifetime, err)
		   : gm_error_set(err, -EINVAL, "Keystone's answer tells of no token");
	if (rc == 0 && wish)
		rc = find_endpoint(token, wish, answer.endpoint, err);
	gm_json_free(root);
	if (rc == 0)
		*ret_answer = answer;
	return rc;
}
