/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers from a file, and the signature; see headers.h.
 */
#include "north/webhook/headers.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "north/secret.h"

enum { SECRET_MIN = 4 }; /* shorter values stand in any text */

/* Those that frame the request, or that the output sets itself. */
static bool is_ours(const char *name)
{
	static const char *const ours[] = {
		"Host",    "Content-Length", "Transfer-Encoding", "Connection",   "TE", "Trailer",
		"Upgrade", "Expect",         "Idempotency-Key",   "Content-Type",
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strcasecmp(ours[i], name) == 0)
			return true;
	}
	return false;
}

bool gm_webhook_header_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= GM_WEBHOOK_HEADER_NAME || is_ours(name))
		return false;
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
			return false;
	}
	return true;
}

/* What is wrong with the line; NULL: nothing. */
static const char *flaw(char *line)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return "not \"Name: value\"";
	*colon = '\0';
	bool named = gm_webhook_header_name(line);
	*colon = ':';
	if (!named)
		return "no name of a header, or of one that is set by the output";
	for (const char *at = colon; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 && *at != '\t')
			return "a control character in the value";
	}
	return NULL;
}

int gm_webhook_headers_read(const char *path, struct gm_webhook_headers *ret_headers,
			    struct gm_error *err)
{
	struct gm_webhook_headers *headers = ret_headers;
	int result = gm_secret_read_text(path, headers->text, sizeof(headers->text), err);
	unsigned number = 0;
	char *rest = headers->text;

	headers->count = 0;
	while (result == 0 && rest) {
		char *line = strsep(&rest, "\n");
		size_t length = strlen(line);

		number++;
		/* Space around a value is no part of it (RFC 9110, 5.5). */
		while (length > 0 && strchr("\r \t", line[length - 1]))
			line[--length] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		const char *what =
			headers->count == GM_WEBHOOK_HEADERS ? "too many headers" : flaw(line);
		if (what)
			result = gm_error_set(err, -EINVAL, "%s:%u: %s", path, number, what);
		else
			headers->lines[headers->count++] = line;
	}
	if (result < 0)
		gm_webhook_headers_forget(headers);
	return result;
}

void gm_webhook_headers_forget(struct gm_webhook_headers *headers)
{
	gm_secret_forget(headers->text, sizeof(headers->text));
	headers->count = 0;
}

bool gm_webhook_headers_within(const struct gm_webhook_headers *headers, const char *text,
			       size_t length)
{
	for (size_t i = 0; i < headers->count; i++) {
		/* The last word: "Bearer" of "Authorization: Bearer TOKEN" is no secret. */
		const char *value = strchr(headers->lines[i], ':') + 1;
		const char *word = strrchr(value, ' ');
		value = word ? word + 1 : value;
		if (strlen(value) >= SECRET_MIN && memmem(text, length, value, strlen(value)))
			return true;
	}
	return false;
}

void gm_webhook_sign(const char *key, const void *body, size_t length,
		     char ret_signature[GM_WEBHOOK_SIGNATURE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	size_t used = (size_t)snprintf(ret_signature, GM_WEBHOOK_SIGNATURE, "sha256=");

	HMAC(EVP_sha256(), key, (int)strlen(key), body, length, digest, &size);
	for (unsigned i = 0; i < size && used + 2 < GM_WEBHOOK_SIGNATURE; i++)
		used += (size_t)snprintf(ret_signature + used, GM_WEBHOOK_SIGNATURE - used, "%02x",
					 digest[i]);
}
