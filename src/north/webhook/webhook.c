/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request per message; see webhook.h. The outbox decides what is sent and when again.
 */
#include "north/webhook/webhook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/message.h"
#include "north/webhook/private.h"

enum { HEADER = 1024, OWN_HEADERS = 4 };

struct gm_webhook_call {
	struct gm_output *output;
	uint64_t ticket;
	uint32_t alarm;
	enum gm_severity severity; /* CLEARED: it is over */
	bool remembered;           /* the memory has begun it */
	struct gm_http_call *http;
	struct gm_buffer body; /* while it is held */
	char key[2 * GM_NAME_SIZE];
	struct gm_webhook_call *prev, *next;
};

/* A structured field's string (RFC 8941, 3.3.3), as draft-ietf-httpapi-idempotency-key-header wants it. */
static void key_header(const char *key, char header[HEADER])
{
	size_t used = (size_t)snprintf(header, HEADER, "Idempotency-Key: \"");

	for (; *key != '\0' && used + 6 < HEADER; key++) {
		bool plain = (unsigned char)*key >= 0x20 && (unsigned char)*key < 0x7F &&
			     !strchr("\"\\%", *key);
		used += (size_t)snprintf(header + used, HEADER - used, plain ? "%c" : "%%%02X",
					 (unsigned char)*key);
	}
	snprintf(header + used, HEADER - used, "\"");
}

int gm_webhook_request(struct gm_output *output, const struct gm_buffer *body, const char *key,
		       void (*done)(void *user, const struct gm_http_response *response),
		       void *user, struct gm_http_call **ret_call, struct gm_error *err)
{
	const struct gm_webhook_material *material = &output->material;
	char type[HEADER], idempotency[HEADER], signature[HEADER];
	const char *headers[GM_WEBHOOK_HEADERS + OWN_HEADERS];
	size_t count = 0;

	snprintf(type, sizeof(type), "Content-Type: %s",
		 output->options.content_type[0] ? output->options.content_type
						 : output->format->content_type);
	headers[count++] = type;
	if (key) {
		key_header(key, idempotency);
		headers[count++] = idempotency;
	}
	if (material->key[0] != '\0') {
		char value[GM_WEBHOOK_SIGNATURE];
		gm_webhook_sign(material->key, body->data, body->length, value);
		snprintf(signature, sizeof(signature), "%s: %s", output->options.signature_header,
			 value);
		headers[count++] = signature;
	}
	for (size_t i = 0; i < material->headers.count; i++)
		headers[count++] = material->headers.lines[i];
	headers[count] = NULL;

	struct gm_http_request request = {
		.transport = &output->options.transport,
		.method = gm_webhook_methods[output->options.method],
		.url = material->url,
		.headers = headers,
		.body = body->data,
		.length = body->length,
		.done = done,
		.user = user,
	};
	return gm_http_send(output->host.http, &request, ret_call, err);
}

/* What follows the host in the URL: a secret where it comes from a file. */
static bool tells_url(const struct gm_output *output, const char *text)
{
	const char *host = strstr(output->material.url, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;
	char public[GM_WEBHOOK_URL];

	if (output->options.url_file[0] == '\0' || !path || strlen(path) < 2)
		return false;
	gm_text_copy(public, sizeof(public), path);
	public[strcspn(public, "?#")] = '\0';
	return strstr(text, path) || (strlen(public) > 1 && strstr(text, public));
}

/* "USER:PASSWORD@" is sent as a header, in a form of its own. */
static bool has_password(const char *url)
{
	const char *host = strstr(url, "://");

	return host && memchr(host + 3, '@', strcspn(host + 3, "/?#"));
}

/* Whether an answer's text has what only we and the receiver are to know. */
static bool tells_secret(const struct gm_output *output, const struct gm_http_response *response)
{
	const struct gm_webhook_material *material = &output->material;

	if (response->length == 0)
		return false;
	return tells_url(output, response->body) ||
	       gm_webhook_headers_within(&material->headers, response->body, response->length) ||
	       (material->key[0] != '\0' &&
		memmem(response->body, response->length, material->key, strlen(material->key)));
}

struct gm_verdict gm_webhook_verdict(const struct gm_output *output,
				     const struct gm_http_response *response,
				     char reason[GM_VERDICT_REASON])
{
	struct gm_verdict verdict = has_password(output->material.url)
					    ? gm_verdict_of_status(response, reason)
					    : gm_verdict_of(response, reason);

	if (!verdict.reason)
		return verdict;
	/* Without an answer the reason is libcurl's, which may name the URL. */
	if (response->status == 0) {
		if (output->options.url_file[0] != '\0')
			snprintf(reason, GM_VERDICT_REASON, "no answer");
	} else if (tells_url(output, reason) || tells_secret(output, response)) {
		snprintf(reason, GM_VERDICT_REASON,
			 "the answer is %d; its text repeats a secret and is not shown",
			 response->status);
	}
	return verdict;
}

static void end_call(struct gm_webhook_call *call)
{
	DL_DELETE(call->output->calls, call);
	gm_buffer_free(&call->body);
	free(call);
}

/* Frees the call, then says what became of it: the outbox may send the next at once. */
static void finish(struct gm_webhook_call *call, const struct gm_verdict *verdict)
{
	struct gm_output *output = call->output;
	uint64_t ticket = call->ticket;
	bool arrived = verdict->kind == GM_VERDICT_DELIVERED;

	if (call->remembered)
		gm_webhook_memory_end(output->memory, call->alarm, arrived ? &call->severity : NULL,
				      gm_clock_monotonic());
	end_call(call);
	output->host.done(output->host.user, ticket, verdict);
}

static void on_answer(void *user, const struct gm_http_response *response)
{
	struct gm_webhook_call *call = user;
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_webhook_verdict(call->output, response, reason);

	call->http = NULL;
	finish(call, &verdict);
}

static void start(struct gm_webhook_call *call)
{
	struct gm_error err;
	int result = gm_webhook_request(call->output, &call->body, call->key, on_answer, call,
					&call->http, &err);

	gm_buffer_free(&call->body);
	if (result < 0) {
		struct gm_verdict verdict = {
			.kind = result == -ENOMEM ? GM_VERDICT_RETRY : GM_VERDICT_REFUSED,
			.reason = tells_url(call->output, err.text) ? "no request can be made"
								    : err.text,
		};
		finish(call, &verdict);
	}
}

void gm_webhook_release(struct gm_output *output)
{
	struct gm_webhook_call *call, *next;

	DL_FOREACH_SAFE(output->calls, call, next)
	{
		if (!call->http && call->body.data)
			start(call);
	}
}

/* What memory does not know was told by a daemon before this one: the record says as what, or as what it may have been. */
static unsigned told_before(const struct gm_output *output, const struct gm_transition *transition)
{
	enum gm_severity told = gm_webhook_memory_told(output->memory, transition->alarm.id);
	unsigned before = told != GM_SEVERITY_CLEARED ? 1U << told : 0;

	if (gm_webhook_memory_is_guess(output->memory, transition->alarm.id))
		before |= gm_output_told_before(&output->common, &transition->alarm);
	return before;
}

static int write_body(struct gm_output *output, const struct gm_message *message,
		      struct gm_buffer *body)
{
	struct gm_webhook_context context = {
		.output = output->host.name,
		.generator_url = output->options.generator_url,
		.hold = 4 * output->options.repeat,
		.template = output->material.template,
		.escape = output->options.escape,
	};

	if (output->memory)
		context.told = told_before(output, message->transition);
	return output->format->write(&context, message, body);
}

static void webhook_send(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	const struct gm_alarm *alarm = &message->transition->alarm;
	struct gm_webhook_call *call = calloc(1, sizeof(*call));
	struct gm_verdict verdict = {.kind = GM_VERDICT_RETRY, .reason = "out of memory"};

	if (!call) {
		output->host.done(output->host.user, ticket, &verdict);
		return;
	}
	call->output = output;
	call->ticket = ticket;
	call->alarm = alarm->id;
	call->severity =
		gm_transition_is_over(message->transition) ? GM_SEVERITY_CLEARED : alarm->severity;
	call->body = GM_BUFFER_INIT(GM_WEBHOOK_BODY);
	gm_text_copy(call->key, sizeof(call->key), message->key);
	DL_APPEND(output->calls, call);
	if (write_body(output, message, &call->body) < 0) {
		finish(call, &verdict);
		return;
	}
	call->remembered = output->memory && gm_webhook_memory_begin(output->memory, alarm->id,
								     gm_clock_monotonic()) == 0;
	if (!output->memory || !gm_webhook_memory_is_repeating(output->memory, alarm->id))
		start(call);
}

static bool is_alertmanagers(int format)
{
	return format == GM_WEBHOOK_ALERTMANAGER || format == GM_WEBHOOK_ALERTMANAGER_WEBHOOK;
}

static int webhook_create(const void *options, const struct gm_output_host *host,
			  struct gm_output **ret_output, struct gm_error *err)
{
	struct gm_output *output = calloc(1, sizeof(*output));
	int result = output ? 0 : gm_error_set(err, -ENOMEM, "out of memory");

	if (result == 0) {
		output->host = *host;
		output->common = *host->options;
		output->options = *(const struct gm_webhook_options *)options;
		output->format = &gm_webhook_formats[output->options.format];
		result = gm_webhook_material_read(&output->options, &output->material, err);
	}
	if (result == 0 && is_alertmanagers(output->options.format))
		result = gm_webhook_memory_create(&output->memory);
	if (result < 0) {
		if (output)
			gm_webhook_material_forget(&output->material);
		free(output);
		return result;
	}
	*ret_output = output;
	return 0;
}

static void webhook_tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now)
{
	if (!output->memory)
		return;
	gm_webhook_memory_tidy(output->memory, snapshot, gm_clock_monotonic());
	if (output->options.format == GM_WEBHOOK_ALERTMANAGER)
		gm_webhook_repeat_tick(output, snapshot, now);
}

static void webhook_close(struct gm_output *output)
{
	struct gm_webhook_call *call, *next;

	DL_FOREACH_SAFE(output->calls, call, next)
	{
		if (call->http)
			gm_http_cancel(call->http);
		end_call(call);
	}
	if (output->repeat)
		gm_http_cancel(output->repeat);
	gm_webhook_memory_free(output->memory);
	gm_webhook_material_forget(&output->material);
	free(output);
}

const struct gm_output_ops gm_webhook_ops = {
	.type = "webhook",
	.help = "HTTP requests: Alertmanager, CloudEvents, ONAP VES, JSON or a template.",
	.options = gm_webhook_option_table,
	.options_size = sizeof(struct gm_webhook_options),
	.in_flight = GM_WEBHOOK_IN_FLIGHT,
	.check = gm_webhook_check,
	.create = webhook_create,
	.send = webhook_send,
	.tick = webhook_tick,
	.close = webhook_close,
};
