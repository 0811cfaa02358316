/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver for Gnocchi; see gnocchi.h. One request at a time:
 *
 *   policy ─▶ batch ──202──▶ batch … until nothing waits
 *               └──400, unknown resources──▶ create, one by one ─▶ the same batch
 *
 * Where resources that are there are still unknown to the batch it is sent a few times more, after
 * pauses; then they are left out.
 *
 * What fails is tried again after a pause; nothing is taken out of the ring before it has arrived.
 */
#include "north/openstack/gnocchi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "north/openstack/backfill.h"
#include "north/openstack/keystone.h"
#include "north/openstack/measures.h"
#include "north/verdict.h"

enum { BATCH_MAX = 2000, BATCH_MIN = 50, UNKNOWN_MAX = 256, ANSWER = 1 << 20, BODY = 4 << 20 };
enum { MADE_IN_VAIN = 6 }; /* times that a batch does not know what has been made for it */

#define PAUSE_MIN  GM_SECOND
#define PAUSE_MAX  (30 * GM_SECOND)
#define PAUSE_WISH (3600 * GM_SECOND) /* the longest Retry-After that is heeded */

struct gm_gnocchi_options {
	struct gm_cloud_options cloud;
	char policy[64], type[64];
	int64_t backlog;
};

struct gm_output {
	struct gm_gnocchi_options options;
	struct gm_output_host host;
	struct gm_keystone *keystone;
	struct gm_measures *measures;
	struct gm_backfill *backfill;
	struct gm_resource node;
	struct gm_keystone_call *call; /* under way */
	bool has_policy;
	size_t batch, taken; /* measures of a request; of the one under way */
	char unknown[UNKNOWN_MAX][GM_RESOURCE_ID];
	size_t unknown_count;
	unsigned made; /* times in a row that resources were made, and no batch went well since */
	int64_t not_before, pause; /* monotonic; the next pause */
	bool failing;
	struct gm_log_limit limit, dropped_limit;
	uint64_t dropped_told;
};

static const struct gm_option option_table[] = {
	GM_CLOUD_OPTIONS(struct gm_gnocchi_options, cloud),
	{.key = "archive-policy",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_gnocchi_options, policy),
	 .fallback = "guestmon",
	 .help = "Archive policy of new metrics; it is made, with max, where it is missing and the "
		 "role allows."},
	{.key = "resource-type",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_gnocchi_options, type),
	 .fallback = "generic",
	 .help = "Type of the resources that are made for guests that Gnocchi does not know; "
		 "instance where Ceilometer is in use."},
	{.key = "backlog-size",
	 .type = GM_OPTION_SIZE,
	 GM_OPTION_AT(struct gm_gnocchi_options, backlog),
	 .min = 65536,
	 .max = 1 << 30,
	 .fallback = "32Mi",
	 .help = "Memory for measures that wait while Gnocchi is away, 24 bytes each."},
	GM_OPTION_END,
};

static const char *const service_types[] = {"metric", NULL};

static void go_on(struct gm_output *output);

/* ---- options ---- */

/* Names become parts of a URL. */
static bool is_name(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] ==
		       '\0';
}

static int check(const void *options, struct gm_error *err)
{
	const struct gm_gnocchi_options *gnocchi = options;
	struct gm_cloud cloud;
	int rc = gm_http_check(&gnocchi->cloud.transport, err);

	if (rc == 0 && (!is_name(gnocchi->policy) || !is_name(gnocchi->type)))
		rc = gm_error_set(err, -EINVAL, "%s: not a word of letters, digits, _, - and .",
				  is_name(gnocchi->policy) ? "resource-type" : "archive-policy");
	if (rc == 0)
		rc = gm_cloud_resolve(&gnocchi->cloud, &cloud, err);
	if (rc == 0)
		gm_cloud_forget(&cloud);
	return rc;
}

static void close_output(struct gm_output *output)
{
	if (output->call)
		gm_keystone_cancel(output->call);
	gm_keystone_free(output->keystone);
	gm_measures_free(output->measures);
	gm_backfill_free(output->backfill);
	free(output);
}

/* What a resource's id may not hold becomes an underscore, as Gnocchi itself does it. */
static void name_node(struct gm_output *output)
{
	gm_text_copy(output->node.name, sizeof(output->node.name), output->host.node);
	gm_text_copy(output->node.id, sizeof(output->node.id), output->host.node);
	for (char *letter = output->node.id; *letter; letter++) {
		if (*letter == '/' || *letter == ' ')
			*letter = '_';
	}
}

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	const struct gm_keystone_service service = {.types = service_types, .version = "/v1"};
	struct gm_output *output = calloc(1, sizeof(*output));
	int rc;

	if (!output)
		return gm_error_set(err, -ENOMEM, "out of memory");
	output->options = *(const struct gm_gnocchi_options *)options;
	output->host = *host;
	output->batch = BATCH_MAX;
	output->pause = PAUSE_MIN;
	name_node(output);
	rc = gm_keystone_create(&output->options.cloud, &service, host->http, &output->keystone,
				err);
	if (rc == 0 && (gm_measures_create(&output->measures) < 0 ||
			gm_backfill_create((size_t)output->options.backlog, &output->backfill) < 0))
		rc = gm_error_set(err, -ENOMEM, "out of memory");
	if (rc < 0) {
		close_output(output);
		return rc;
	}
	*ret_output = output;
	return 0;
}

/* Alarms are for others. */
static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	(void)message;
	output->host.done(output->host.user, ticket,
			  &(struct gm_verdict){.kind = GM_VERDICT_DELIVERED});
}

/* ---- failures ---- */

static void wait_after(struct gm_output *output, const char *reason, int64_t wish)
{
	if (!output->failing)
		gm_log(GM_LOG_WARNING, "output %s: %s", output->host.name, reason);
	output->failing = true;
	if (wish > PAUSE_WISH)
		wish = PAUSE_WISH;
	output->not_before = gm_clock_monotonic() + (wish > 0 ? wish : output->pause);
	output->pause = output->pause * 2 < PAUSE_MAX ? output->pause * 2 : PAUSE_MAX;
}

static void wait_after_answer(struct gm_output *output, const struct gm_http_response *response)
{
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_verdict_of(response, reason);

	wait_after(output, verdict.reason ? reason : "the answer is not what was asked for",
		   verdict.retry_after);
}

static void works(struct gm_output *output)
{
	if (output->failing)
		gm_log(GM_LOG_NOTICE, "output %s: works again, %zu measures wait",
		       output->host.name, gm_backfill_length(output->backfill));
	output->failing = false;
	output->pause = PAUSE_MIN;
	output->not_before = 0;
}

/* A refusal that time does not mend: told at most once a minute. */
static void complain(struct gm_output *output, const char *what,
		     const struct gm_http_response *response)
{
	char reason[GM_VERDICT_REASON] = "";

	gm_verdict_of(response, reason);
	if (gm_log_allowed(&output->limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_ERROR, "output %s: %s: %s", output->host.name, what, reason);
}

/* ---- requests ---- */

static void request(struct gm_output *output, const char *method, const char *path,
		    struct gm_json *body,
		    void (*done)(void *user, const struct gm_http_response *response))
{
	struct gm_buffer text = GM_BUFFER_INIT(BODY);
	struct gm_error err = {.text = "out of memory"};

	if ((body && gm_json_write(body, 0, &text) < 0) ||
	    gm_keystone_send(output->keystone,
			     &(struct gm_keystone_request){
				     .method = method,
				     .path = path,
				     .body = text.data,
				     .length = text.length,
				     .max_response = ANSWER,
				     .done = done,
				     .user = output,
			     },
			     &output->call, &err) < 0)
		wait_after(output, err.text, 0);
	gm_buffer_free(&text);
	gm_json_free(body);
}

/* ---- resources ---- */

static void make_unknown(struct gm_output *output);

static void resource_made(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;
	struct gm_resource *resource;
	const char *id = output->unknown[output->unknown_count - 1];

	output->call = NULL;
	if (response->status == 400 || response->status == 403 || response->status == 404) {
		complain(output, "a resource is refused, its measures are dropped", response);
		resource = gm_backfill_resource(output->backfill, id);
		if (resource)
			resource->refused = true;
	} else if (response->status != 201 && response->status != 409) { /* 409: it is there */
		output->unknown_count = 0;
		wait_after_answer(output, response);
		return;
	}
	output->unknown_count--;
	make_unknown(output);
}

static void make_unknown(struct gm_output *output)
{
	const struct gm_resource *resource = NULL;
	struct gm_json *body;
	bool is_node;
	char path[96];

	while (output->unknown_count > 0) {
		resource = gm_backfill_resource(output->backfill,
						output->unknown[output->unknown_count - 1]);
		if (resource)
			break;
		output->unknown_count--;
	}
	if (output->unknown_count == 0) {
		if (++output->made > 1)
			wait_after(output, "resources that are there are not known to a batch", 0);
		go_on(output);
		return;
	}
	is_node = strcmp(resource->id, output->node.id) == 0;
	snprintf(path, sizeof(path), "/v1/resource/%s", is_node ? "generic" : output->options.type);
	body = gm_json_object();
	gm_json_set_text(body, "id", resource->id);
	if (resource->project[0] != '\0')
		gm_json_set_text(body, "project_id", resource->project);
	if (resource->user[0] != '\0')
		gm_json_set_text(body, "user_id", resource->user);
	if (!is_node && strcmp(output->options.type, "instance") == 0)
		gm_json_set_text(body, "display_name", resource->name);
	request(output, "POST", path, body, resource_made);
}

/* What Gnocchi says it does not know, of what we have sent. False: the answer is another one. */
static bool note_unknown(struct gm_output *output, const struct gm_http_response *response)
{
	struct gm_json *root = NULL;
	const struct gm_json *description, *detail;
	const char *cause;

	if (gm_json_parse(response->body, response->length, &root, NULL) < 0)
		return false;
	description = gm_json_get(root, "description");
	cause = gm_json_get_text(description, "cause");
	detail = gm_json_get(description, "detail");
	output->unknown_count = 0;
	for (size_t i = 0; cause && strcmp(cause, "Unknown resources") == 0 &&
			   i < gm_json_size(detail) && output->unknown_count < UNKNOWN_MAX;
	     i++) {
		const char *id = gm_json_get_text(gm_json_at(detail, i), "original_resource_id");

		if (id && gm_backfill_resource(output->backfill, id))
			gm_text_copy(output->unknown[output->unknown_count++], GM_RESOURCE_ID, id);
	}
	gm_json_free(root);
	return output->unknown_count > 0;
}

/* ---- batches ---- */

/* They have been made, again and again, and are still not known. */
static void give_up_unknown(struct gm_output *output, const struct gm_http_response *response)
{
	complain(output, "resources stay unknown, their measures are dropped", response);
	while (output->unknown_count > 0) {
		struct gm_resource *resource = gm_backfill_resource(
			output->backfill, output->unknown[--output->unknown_count]);
		if (resource)
			resource->refused = true;
	}
	output->made = 0;
	go_on(output);
}

static void batch_refused(struct gm_output *output, const struct gm_http_response *response)
{
	if (response->status == 400 && note_unknown(output, response)) {
		if (output->made < MADE_IN_VAIN)
			make_unknown(output);
		else
			give_up_unknown(output, response);
	} else if (response->status == 413 && output->batch > BATCH_MIN) {
		output->batch /= 2;
		go_on(output);
	} else if (response->status == 400 || response->status == 413) {
		complain(output, "measures are refused and dropped", response);
		gm_backfill_remove(output->backfill, output->taken);
		go_on(output);
	} else {
		wait_after_answer(output, response);
	}
}

static void batch_sent(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;

	output->call = NULL;
	if (response->status != 202) {
		batch_refused(output, response);
		return;
	}
	works(output);
	output->made = 0;
	gm_backfill_remove(output->backfill, output->taken);
	go_on(output);
}

static void send_batch(struct gm_output *output)
{
	struct gm_json *body = gm_backfill_batch(output->backfill, output->batch,
						 output->options.policy, &output->taken);

	if (body)
		request(output, "POST", "/v1/batch/resources/metrics/measures?create_metrics=true",
			body, batch_sent);
	else
		gm_backfill_remove(output->backfill, output->taken); /* nobody wants them */
}

/* ---- the archive policy ---- */

static void policy_made(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;

	output->call = NULL;
	if (response->status == 201 || response->status == 409) {
		output->has_policy = true;
		go_on(output);
		return;
	}
	if (response->status == 403)
		complain(output, "the archive policy is missing, and the role may not make it",
			 response);
	wait_after_answer(output, response);
}

static struct gm_json *span(const char *granularity, const char *timespan)
{
	struct gm_json *object = gm_json_object();

	gm_json_set_text(object, "granularity", granularity);
	gm_json_set_text(object, "timespan", timespan);
	return object;
}

static void make_policy(struct gm_output *output)
{
	static const char *const methods[] = {"mean", "max", "min", "last", "count"};
	struct gm_json *body = gm_json_object(), *list = gm_json_array(),
		       *definition = gm_json_array();

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		gm_json_append(list, gm_json_text(methods[i]));
	gm_json_append(definition, span("1s", "1h"));
	gm_json_append(definition, span("1m", "7d"));
	gm_json_append(definition, span("1h", "365d"));
	gm_json_set_text(body, "name", output->options.policy);
	gm_json_set(body, "aggregation_methods", list);
	/* In units of the coarsest granularity: what is filled in late is still taken. */
	gm_json_set_integer(body, "back_window", 1);
	gm_json_set(body, "definition", definition);
	request(output, "POST", "/v1/archive_policy", body, policy_made);
}

static void policy_came(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;

	output->call = NULL;
	if (response->status == 200) {
		output->has_policy = true;
		go_on(output);
	} else if (response->status == 404) {
		make_policy(output);
	} else {
		wait_after_answer(output, response);
	}
}

static void ask_policy(struct gm_output *output)
{
	char path[128];

	snprintf(path, sizeof(path), "/v1/archive_policy/%s", output->options.policy);
	request(output, "GET", path, NULL, policy_came);
}

/* ---- once a second ---- */

static void go_on(struct gm_output *output)
{
	if (output->call || gm_clock_monotonic() < output->not_before ||
	    gm_backfill_length(output->backfill) == 0)
		return;
	if (output->has_policy)
		send_batch(output);
	else
		ask_policy(output);
}

static void take(void *user, const struct gm_measure *measure)
{
	struct gm_output *output = user;
	struct gm_resource guest = {0};

	if (measure->guest) {
		gm_uuid_text(measure->guest->uuid, guest.id);
		gm_text_copy(guest.name, sizeof(guest.name), gm_guest_label(&measure->guest->info));
		gm_text_copy(guest.project, sizeof(guest.project),
			     measure->guest->info.project_uuid);
		gm_text_copy(guest.user, sizeof(guest.user), measure->guest->info.user_uuid);
	}
	gm_backfill_add(output->backfill, measure->guest ? &guest : &output->node, measure->name,
			measure->unit, measure->time, measure->value);
}

static void tell_dropped(struct gm_output *output, int64_t now)
{
	uint64_t dropped = gm_backfill_dropped(output->backfill);

	if (dropped == output->dropped_told ||
	    !gm_log_allowed(&output->dropped_limit, now, 60 * GM_SECOND, NULL))
		return;
	gm_log(GM_LOG_WARNING, "output %s: %llu measures were dropped: backlog-size is reached",
	       output->host.name, (unsigned long long)(dropped - output->dropped_told));
	output->dropped_told = dropped;
}

static void tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t unused)
{
	int64_t now = gm_clock_monotonic();

	(void)unused;
	gm_keystone_tick(output->keystone, now);
	gm_measures_take(output->measures, snapshot, take, output);
	tell_dropped(output, now);
	go_on(output);
}

const struct gm_output_ops gm_gnocchi_output = {
	.type = "gnocchi",
	.help = "Rates, peaks, bursts and leaks once a second into OpenStack's Gnocchi; no alarms.",
	.options = option_table,
	.options_size = sizeof(struct gm_gnocchi_options),
	.in_flight = 64,
	.check = check,
	.create = create,
	.send = send_message,
	.tick = tick,
	.close = close_output,
};
