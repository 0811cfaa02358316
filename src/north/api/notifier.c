/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message at a time to one subscriber; see notifier.h. Called through its ops.
 */
#include "north/api/notifier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "north/verdict.h"

enum { KEY = 160 };
#define GAP_PAUSE (5 * GM_SECOND) /* until the subscriber is told of a gap again, alone */

struct gm_output {
	struct gm_output_host host;
	struct gm_notifier_options options;
	struct gm_callback *callback;
	uint64_t last;        /* the newest sequence number that was handed over; 0: none yet */
	bool gap;             /* the subscriber has to read the list anew */
	bool gap_alone;       /* before there is a message */
	bool gap_under_way;   /* it is being told so */
	int64_t gap_noted_at; /* node's time */
	int64_t gap_at;       /* monotonic: not before, without a message */
	uint32_t revision;    /* of what guests are as VNFs, as far as the subscriber knows */
	uint64_t ticket;      /* of the message under way */
	struct gm_json *body; /* what follows the notification of a gap */
};

static uint32_t revision_of(const struct gm_output *output)
{
	const struct gm_vnffm_view *view = &output->options.view;
	return view->revision ? view->revision(view->user) : 0;
}

static int create(const void *all, const struct gm_output_host *host, struct gm_output **ret_output,
		  struct gm_error *err)
{
	const struct gm_notifier_options *options = all;
	struct gm_output *output = calloc(1, sizeof(*output));
	if (!output || gm_callback_create(host->http, options->transport,
					  &options->subscription->target, &output->callback) < 0) {
		free(output);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	output->host = *host;
	output->options = *options;
	output->revision = revision_of(output);
	*ret_output = output;
	return 0;
}

static void tell(struct gm_output *output, const struct gm_verdict *verdict)
{
	gm_json_free(output->body);
	output->body = NULL;
	output->host.done(output->host.user, output->ticket, verdict);
}

static void tell_of(struct gm_output *output, const struct gm_http_response *response)
{
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_verdict_of_status(response, reason);
	tell(output, &verdict);
}

static void tell_retry(struct gm_output *output, const char *reason)
{
	tell(output, &(struct gm_verdict){.kind = GM_VERDICT_RETRY, .reason = reason});
}

static void on_answer(void *user, const struct gm_http_response *response)
{
	tell_of(user, response);
}

static void send_body(struct gm_output *output)
{
	struct gm_error err;
	if (gm_callback_send(output->callback, "POST", output->body, on_answer, output, &err) < 0)
		tell_retry(output, err.text);
}

/* A subscriber that refuses to hear of the gap hears of what comes next all the same. */
static void on_gap_answer(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;
	char reason[GM_VERDICT_REASON];
	output->gap_under_way = false;
	if (gm_verdict_of_status(response, reason).kind == GM_VERDICT_RETRY) {
		output->gap_at = gm_clock_monotonic() + GAP_PAUSE;
		if (output->body)
			tell_of(output, response);
		return;
	}
	output->gap = output->gap_alone = false;
	if (output->body)
		send_body(output);
}

static void send_gap(struct gm_output *output, const char *key, int64_t now)
{
	struct gm_error err;
	struct gm_json *body = gm_subscription_rebuilt(output->options.subscription,
						       &output->options.view, key, now);
	output->gap_under_way = true;
	if (gm_callback_send(output->callback, "POST", body, on_gap_answer, output, &err) < 0) {
		output->gap_under_way = false;
		output->gap_at = gm_clock_monotonic() + GAP_PAUSE;
		if (output->body)
			tell_retry(output, err.text);
	}
	gm_json_free(body);
}

/* "node1/17" has no place in a path. */
static void make_id(char id[KEY], const char *key)
{
	gm_text_copy(id, KEY, key);
	for (char *at = id; (at = strchr(at, '/'));)
		*at = '-';
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	const struct gm_subscription *subscription = output->options.subscription;
	const struct gm_transition *transition = message->transition;
	char id[KEY], reason[128];
	if (output->last != 0 && transition->sequence > output->last + 1 &&
	    gm_subscription_wants_rebuilt(subscription))
		output->gap = true;
	if (transition->sequence > output->last)
		output->last = transition->sequence;
	output->ticket = ticket;
	if (!gm_subscription_wants(subscription, &output->options.view, transition)) {
		tell(output, &(struct gm_verdict){.kind = GM_VERDICT_DELIVERED});
		return;
	}
	if (output->options.forbidden) {
		snprintf(reason, sizeof(reason), "%s is not among those that api.callbacks allows",
			 output->options.forbidden);
		tell_retry(output, reason);
		return;
	}
	make_id(id, message->key);
	output->body = gm_subscription_notification(subscription, &output->options.view, transition,
						    id, message->sent_at);
	if (output->gap_under_way)
		return; /* goes on when that is answered */
	if (output->gap)
		send_gap(output, id, message->sent_at);
	else
		send_body(output);
}

/* Its filter may stand for other alarms than before: nothing that it is told from now on says so. */
static void note_vnfs(struct gm_output *output, int64_t now)
{
	const struct gm_subscription *subscription = output->options.subscription;
	uint32_t revision = revision_of(output);
	if (revision == output->revision)
		return;
	output->revision = revision;
	if (!gm_subscription_selects_vnfs(subscription) ||
	    !gm_subscription_wants_rebuilt(subscription))
		return;
	output->gap = output->gap_alone = true;
	output->gap_noted_at = now;
	output->gap_at = 0;
}

static void tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now)
{
	char key[KEY], id[KEY];
	(void)snapshot;
	note_vnfs(output, now);
	if (!output->gap || !output->gap_alone || output->gap_under_way || output->body ||
	    output->options.forbidden || gm_clock_monotonic() < output->gap_at)
		return;
	snprintf(key, sizeof(key), "%.100s/%lld", output->host.node,
		 (long long)output->gap_noted_at);
	make_id(id, key);
	send_gap(output, id, now);
}

static void close_output(struct gm_output *output)
{
	gm_callback_free(output->callback);
	gm_json_free(output->body);
	free(output);
}

static const struct gm_option no_options[] = {GM_OPTION_END};

const struct gm_output_ops gm_notifier_ops = {
	.type = "vnffm",
	.help = "Notifications of SOL 003 to a subscriber.",
	.options = no_options,
	.options_size = sizeof(struct gm_notifier_options),
	.in_flight = 1,
	.create = create,
	.send = send_message,
	.tick = tick,
	.close = close_output,
};
