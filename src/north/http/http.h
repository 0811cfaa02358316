/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests on the main loop (libcurl's multi interface driven by libuv): no thread, connections
 * are kept and used again, HTTP/2 where it is offered. Every request has a deadline and a bound on its
 * answer. Where a name server is silent, requests fail without asking it once some look-ups of that name have no
 * answer yet (lookup.h). A redirect is never followed: what is sent (a token, say) reaches no other host. Only http
 * and https. Main thread only.
 *
 * Nothing here logs; error texts hold neither headers nor what is in a URL beyond its host and path.
 */
#ifndef GM_NORTH_HTTP_HTTP_H
#define GM_NORTH_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/option.h"

struct gm_http;      /* the client: one for all outputs */
struct gm_http_call; /* a request under way */

int gm_http_create(uv_loop_t *loop, struct gm_http **ret_http);
/* Ends all calls without their done(), closes the handles; free once the loop has run dry. NULL-safe. */
void gm_http_close(struct gm_http *http);
void gm_http_free(struct gm_http *http);

/* How to reach a server: options of each output that speaks HTTP, put into its table by GM_HTTP_OPTIONS. */
enum { GM_HTTP_PATH = 256 };
struct gm_http_transport {
	int64_t timeout;                /* ns for a request as a whole */
	char ca_file[GM_HTTP_PATH];     /* PEM; empty: the system's */
	char certificate[GM_HTTP_PATH]; /* PEM, the client's; empty: none */
	char key[GM_HTTP_PATH]; /* PEM of the certificate's key; empty: in the certificate's file */
	char proxy
		[GM_HTTP_PATH]; /* http://ADDRESS:PORT; empty: none, whatever the environment says */
};
/* clang-format off */
#define GM_HTTP_OPTIONS(structure, transport)                                                     \
	{.key = "timeout", .type = GM_OPTION_DURATION,                                            \
	 GM_OPTION_AT(structure, transport.timeout), .min = 100e6, .max = 300e9, .fallback = "10s", \
	 .help = "How long a request may take, the answer included."},                            \
	{.key = "ca-file", .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, transport.ca_file),    \
	 .is_file = true, .fallback = "", .help = "PEM file of the authorities that the server's certificate is held against; " \
				 "empty: the system's."},                                         \
	{.key = "certificate", .type = GM_OPTION_TEXT,                                            \
	 GM_OPTION_AT(structure, transport.certificate), .is_file = true, .fallback = "",                          \
	 .help = "PEM file of the certificate that is shown to the server; empty: none."},        \
	{.key = "key", .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, transport.key),            \
	 .is_file = true, .fallback = "", .help = "PEM file of that certificate's key; empty: in the same file."}, \
	{.key = "proxy", .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, transport.proxy),        \
	 .fallback = "", .help = "A proxy, http://ADDRESS:PORT; empty: none."}
/* clang-format on */

/* Whether the files can be read and the proxy is a URL; the sentence names the option. */
int gm_http_check(const struct gm_http_transport *transport, struct gm_error *err);

struct gm_http_response {
	int status;        /* 0: no (whole) answer came */
	const char *error; /* one sentence where status is 0, else NULL */
	bool sent;         /* the server may have got the request, or a part of it */
	const char *body;  /* terminated, `length` without that */
	size_t length;
	int64_t retry_after;             /* ns, of the Retry-After header in either form; 0: none */
	const struct gm_http_call *call; /* for gm_http_header() */
};

/* The value of the answer's header of that name (any case), the last if there are several; or NULL. */
const char *gm_http_header(const struct gm_http_response *response, const char *name);

/* All is copied but `transport`, which outlives the call. */
struct gm_http_request {
	const struct gm_http_transport *transport;
	const char *method; /* "GET", "POST", "PUT", "DELETE", … */
	const char *url;
	const char *const
		*headers; /* "Name: value", NULL at the end; or NULL. No line ends within. */
	const void *body; /* NULL: none */
	size_t length;
	/* A connection of its own: on one that is kept, and that the server closes instead of answering, libcurl
	 * sends all once more, unasked. */
	bool once;
	size_t max_response; /* bytes of body; more is an error; 0: GM_HTTP_RESPONSE */
	/* Once per call, never from within gm_http_send(), not after cancel(). `response` dies with it. */
	void (*done)(void *user, const struct gm_http_response *response);
	void *user;
};
enum { GM_HTTP_RESPONSE = 1 << 20 };

/* -EINVAL: no http(s) URL, or a line end in a header; -ENOMEM. `ret_call` may be NULL. */
int gm_http_send(struct gm_http *http, const struct gm_http_request *request,
		 struct gm_http_call **ret_call, struct gm_error *err);
void gm_http_cancel(struct gm_http_call *call);

/* A URL without user, password, query and fragment, for logs and errors. Returns `text`. */
char *gm_http_url_public(const char *url, char *text, size_t size);

#endif
