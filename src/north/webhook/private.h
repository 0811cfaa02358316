/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The webhook output as its own files see it: options.c (what it is told), webhook.c (messages),
 * repeat.c (repeats to Alertmanager).
 */
#ifndef GM_NORTH_WEBHOOK_PRIVATE_H
#define GM_NORTH_WEBHOOK_PRIVATE_H

#include "base/log.h"
#include "north/secret.h"
#include "north/verdict.h"
#include "north/webhook/format.h"
#include "north/webhook/headers.h"
#include "north/webhook/memory.h"
#include "north/webhook/webhook.h"

enum {
	GM_WEBHOOK_URL = 512,
	GM_WEBHOOK_TEMPLATE_BYTES = 32 << 10,
	GM_WEBHOOK_BODY = 1 << 20, /* bytes of the largest body */
	GM_WEBHOOK_IN_FLIGHT = 16,
};

struct gm_webhook_options {
	char url[GM_WEBHOOK_URL];
	char url_file[GM_HTTP_PATH];
	int format; /* enum gm_webhook_format_id */
	int method;
	char content_type[64];
	char template[GM_HTTP_PATH];
	int escape; /* enum gm_webhook_escape */
	char headers_file[GM_HTTP_PATH];
	char hmac_file[GM_HTTP_PATH];
	char signature_header[GM_WEBHOOK_HEADER_NAME];
	char generator_url[GM_WEBHOOK_URL];
	int64_t repeat;
	struct gm_http_transport transport;
};
extern const struct gm_option gm_webhook_option_table[];
extern const char *const gm_webhook_methods[]; /* by the option `method` */

/* What the options name, read and checked. */
struct gm_webhook_material {
	char url[GM_WEBHOOK_URL];
	char key[GM_SECRET]; /* empty: nothing is signed */
	struct gm_webhook_headers headers;
	char template[GM_WEBHOOK_TEMPLATE_BYTES];
};
int gm_webhook_material_read(const struct gm_webhook_options *options,
			     struct gm_webhook_material *ret_material, struct gm_error *err);
void gm_webhook_material_forget(struct gm_webhook_material *material);
int gm_webhook_check(const void *options, struct gm_error *err);

struct gm_webhook_call;

struct gm_output {
	struct gm_output_host host;
	struct gm_output_options common;
	struct gm_webhook_options options;
	struct gm_webhook_material material;
	const struct gm_webhook_format *format;
	struct gm_webhook_call *calls; /* on their way, or held while a repeat is */

	/* Alertmanager's forms only: */
	struct gm_webhook_memory *memory;
	struct gm_http_call *repeat; /* on its way */
	uint32_t repeated;           /* the last alarm of the round under way */
	bool in_round;
	int64_t next_round; /* monotonic */
	struct gm_log_limit repeat_limit;
};

/* Starts a request with the output's headers. `key`: of the message, or NULL. */
int gm_webhook_request(struct gm_output *output, const struct gm_buffer *body, const char *key,
		       void (*done)(void *user, const struct gm_http_response *response),
		       void *user, struct gm_http_call **ret_call, struct gm_error *err);

/* The verdict, without what is secret. */
struct gm_verdict gm_webhook_verdict(const struct gm_output *output,
				     const struct gm_http_response *response,
				     char reason[GM_VERDICT_REASON]);

/* Sends what was held. */
void gm_webhook_release(struct gm_output *output);

/* repeat.c */
void gm_webhook_repeat_tick(struct gm_output *output, const struct gm_snapshot *snapshot,
			    int64_t now);

#endif
