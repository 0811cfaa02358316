/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes into a request beside the body: headers of an operator's file, the signature, the key.
 */
#ifndef GM_NORTH_WEBHOOK_HEADERS_H
#define GM_NORTH_WEBHOOK_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
	GM_WEBHOOK_HEADERS = 32,         /* lines of a file */
	GM_WEBHOOK_HEADERS_BYTES = 8192, /* of a file */
	GM_WEBHOOK_SIGNATURE = 64 + 8,   /* "sha256=" and 64 digits, terminated */
	GM_WEBHOOK_HEADER_NAME = 64,
};

/* Secrets; zero-initialised it is empty. */
struct gm_webhook_headers {
	size_t count;
	const char *lines[GM_WEBHOOK_HEADERS]; /* "Name: value" */
	char text[GM_WEBHOOK_HEADERS_BYTES];
};

/*
 * Reads "Name: value" lines from a file that nobody but its owner may read; empty lines and those that begin
 * with # are skipped. -EINVAL with file and line: no header, one that the client sets itself, too many.
 */
int gm_webhook_headers_read(const char *path, struct gm_webhook_headers *ret_headers,
			    struct gm_error *err);
void gm_webhook_headers_forget(struct gm_webhook_headers *headers);

/* Whether `name` is a token of RFC 9110 that gm_webhook_headers_read() would take as a name. */
bool gm_webhook_header_name(const char *name);

/* Whether the value of one of the headers stands in `text`: then it must not be shown. */
bool gm_webhook_headers_within(const struct gm_webhook_headers *headers, const char *text,
			       size_t length);

/* "sha256=" and the HMAC-SHA256 (RFC 2104) of the body in hex. */
void gm_webhook_sign(const char *key, const void *body, size_t length,
		     char ret_signature[GM_WEBHOOK_SIGNATURE]);

#endif
