/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One registration's call, and its fence; see healer.h. Called through its ops.
 */
#include "north/api/healer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "north/message.h"
#include "north/verdict.h"

/* Tacker's API: physical server fault, its operating system; the VM's status, its reboot. */
static const char *const fault_types[] = {"10", "11", "20", "21", NULL};

const struct gm_option gm_healer_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_healer_options, enabled),
	 .fallback = "no",
	 .help = "Be the Server Notifier of Tacker's auto-healing, which deletes a faulty guest "
		 "and "
		 "makes it anew. Needs the section api."},
	{.key = "callbacks",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_healer_options, callbacks),
	 .fallback = "",
	 .help = "Patterns of the URLs that may be registered as fault_action, such as "
		 "https://tacker.example/*; empty: none."},
	{.key = "severity",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_healer_options, severity),
	 .choices = gm_output_severities,
	 .fallback = "critical",
	 .help = "The least severe alarm of a guest that is a fault."},
	{.key = "detectors",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_healer_options, detectors),
	 .fallback = "*",
	 .help = "Patterns of the detectors whose alarms are faults, separated by commas; !x "
		 "excludes x."},
	{.key = "fault-type",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_healer_options, fault_type),
	 .choices = fault_types,
	 .fallback = "20",
	 .help = "What is told as fault_type: 10 fault of the node, 11 of its operating system, 20 "
		 "wrong state of the guest, 21 its reboot."},
	{.key = "max-age",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_healer_options, max_age),
	 .min = 1e9,
	 .max = 86400e9,
	 .fallback = "10m",
	 .help = "A fault that could not be told for so long is given up."},
	GM_OPTION_END,
};

/* ---- registrations ---- */

int gm_registration_parse(const struct gm_json *request, struct gm_registration *ret_registration,
			  struct gm_error *err)
{
	const char *action = gm_json_get_text(request, "fault_action");
	const char *fault = gm_json_get_text(request, "fault_id");
	*ret_registration = (struct gm_registration){.id = ""};
	if (!action || !gm_callback_url_is_good(action))
		return gm_error_set(err, -EINVAL,
				    "fault_action: wanted is an http or https URL of less than %d "
				    "characters",
				    GM_CALLBACK_URL);
	if (!fault || fault[0] == '\0' || strlen(fault) >= GM_HEALER_TEXT)
		return gm_error_set(err, -EINVAL,
				    "fault_id: wanted is a text of less than %d characters",
				    GM_HEALER_TEXT);
	gm_text_copy(ret_registration->target.url, GM_CALLBACK_URL, action);
	ret_registration->target.once = true;
	gm_text_copy(ret_registration->fault_id, GM_HEALER_TEXT, fault);
	ret_registration->called_for = (uint32_t)gm_json_get_integer(request, "called_for", 0);
	return 0;
}

/* ---- the call ---- */

struct gm_output {
	struct gm_output_host host;
	struct gm_healer_setup setup;
	struct gm_callback *callback;
	uint64_t ticket;
	bool waits; /* for a snapshot that knows of the transition: */
	struct gm_transition transition;
};

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	const struct gm_healer_setup *setup = options;
	struct gm_output *output = calloc(1, sizeof(*output));
	if (!output || gm_callback_create(host->http, setup->transport,
					  &setup->registration->target, &output->callback) < 0) {
		free(output);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	output->host = *host;
	output->setup = *setup;
	*ret_output = output;
	return 0;
}

static void tell(struct gm_output *output, enum gm_verdict_kind kind, const char *reason)
{
	const struct gm_verdict verdict = {.kind = kind, .reason = reason};
	output->host.done(output->host.user, output->ticket, &verdict);
}

/* A tenant is a project by its UUID or its name; where the guest's is not known there is none to compare. */
static bool is_theirs(const struct gm_registration *registration, const struct gm_alarm *alarm)
{
	return (alarm->project_uuid[0] == '\0' && alarm->project[0] == '\0') ||
	       strcmp(registration->tenant, alarm->project_uuid) == 0 ||
	       strcmp(registration->tenant, alarm->project) == 0;
}

/* What it is now counts, not what it was at its worst: a guest is deleted for it. */
static bool is_severe(const struct gm_output *output, const struct gm_alarm *alarm)
{
	return gm_output_is_severe(output->setup.options->severity, alarm->severity);
}

static bool is_its_fault(const struct gm_output *output, const struct gm_transition *transition)
{
	char uuid[GM_UUID_TEXT];
	const struct gm_registration *registration = output->setup.registration;
	const struct gm_alarm *alarm = &transition->alarm;
	if (!gm_transition_is_occasion(transition) || !is_severe(output, alarm) ||
	    strcmp(gm_uuid_text(alarm->guest, uuid), registration->server) != 0)
		return false;
	if (is_theirs(registration, alarm))
		return true;
	gm_log(GM_LOG_WARNING,
	       "server notifier: registration %s is of another tenant than its server: not called",
	       registration->id);
	return false;
}

static struct gm_json *notification(const struct gm_output *output, const struct gm_alarm *alarm)
{
	const struct gm_registration *registration = output->setup.registration;
	struct gm_json *object = gm_json_object(), *inner = gm_json_object(),
		       *option = gm_json_object();
	gm_json_set_text(inner, "host_id", output->host.node);
	gm_json_set_text(inner, "alarm_id", registration->id);
	gm_json_set_text(inner, "fault_id", registration->fault_id);
	gm_json_set_text(inner, "fault_type", fault_types[output->setup.options->fault_type]);
	gm_json_set_text(option, "message", alarm->text);
	gm_json_set(inner, "fault_option", option);
	gm_json_set(object, "notification", inner);
	return object;
}

static void open_fence(struct gm_output *output)
{
	output->setup.registration->called_for = 0;
	output->setup.keep(output->setup.user, output->setup.registration);
}

static void on_answer(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;
	const struct gm_registration *registration = output->setup.registration;
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_verdict_of_status(response, reason);
	if (verdict.kind == GM_VERDICT_DELIVERED) {
		gm_log(GM_LOG_NOTICE,
		       "server notifier: fault of server %s told for registration %s",
		       registration->server, registration->id);
	} else if (response->status == 0 && response->sent) {
		gm_log(GM_LOG_ERROR,
		       "server notifier: whether the fault of server %s has arrived is not known, "
		       "and it is not told again: %s",
		       registration->server, reason);
		verdict = (struct gm_verdict){.kind = GM_VERDICT_DELIVERED};
	} else {
		open_fence(output);
	}
	output->host.done(output->host.user, output->ticket, &verdict);
}

/* First the fence, then the call. */
static void call(struct gm_output *output)
{
	struct gm_registration *registration = output->setup.registration;
	const struct gm_alarm *alarm = &output->transition.alarm;
	struct gm_error err;
	registration->called_for = alarm->id;
	if (output->setup.keep(output->setup.user, registration) < 0) {
		registration->called_for = 0;
		tell(output, GM_VERDICT_RETRY, "the state cannot be written");
		return;
	}
	gm_log(GM_LOG_NOTICE,
	       "server notifier: server %s is faulty by alarm %" PRIu32
	       ": registration %s is called",
	       registration->server, alarm->id, registration->id);
	struct gm_json *body = notification(output, alarm);
	if (gm_callback_send(output->callback, "POST", body, on_answer, output, &err) < 0) {
		open_fence(output);
		tell(output, GM_VERDICT_RETRY, err.text);
	}
	gm_json_free(body);
}

static void give_up(struct gm_output *output, const struct gm_transition *transition,
		    const char *why)
{
	const struct gm_registration *registration = output->setup.registration;
	gm_log(GM_LOG_WARNING,
	       "server notifier: alarm %" PRIu32
	       " of server %s is not told for registration %s: %s",
	       transition->alarm.id, registration->server, registration->id, why);
	tell(output, GM_VERDICT_DELIVERED, NULL);
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	struct gm_registration *registration = output->setup.registration;
	const struct gm_transition *transition = message->transition;
	output->ticket = ticket;
	if (registration->called_for != 0 || !is_its_fault(output, transition)) {
		tell(output, GM_VERDICT_DELIVERED, NULL);
	} else if (output->setup.forbidden) {
		/* Given up soon: it must not be called for an old fault once it is allowed. */
		tell(output, GM_VERDICT_REFUSED,
		     "fault_action is not among those that server-notifier.callbacks allows");
	} else if (message->sent_at - transition->time > output->setup.options->max_age) {
		give_up(output, transition, "it is older than server-notifier.max-age");
	} else {
		output->transition = *transition;
		output->waits = true;
	}
}

/*
 * A message may be long on its way while Tacker is away: what is called for is looked at as it is now, in a
 * picture that is no older than the message.
 */
static void tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now)
{
	(void)now;
	const struct gm_output_row *row = gm_snapshot_output(snapshot, output->host.name);
	if (!output->waits || snapshot->agent.last_sequence < output->transition.sequence ||
	    (row && row->state == GM_OUTPUT_PAUSED))
		return;
	output->waits = false;
	const struct gm_alarm *alarm = gm_snapshot_alarm(snapshot, output->transition.alarm.id);
	if (alarm && gm_alarm_is_on(alarm) && is_severe(output, alarm))
		call(output);
	else
		give_up(output, &output->transition, "it is no fault any more");
}

static void close_output(struct gm_output *output)
{
	gm_callback_free(output->callback);
	free(output);
}

static const struct gm_option no_options[] = {GM_OPTION_END};

const struct gm_output_ops gm_healer_ops = {
	.type = "server-notifier",
	.help = "The call that Tacker's auto-healing waits for.",
	.options = no_options,
	.options_size = sizeof(struct gm_healer_setup),
	.in_flight = 1,
	.create = create,
	.send = send_message,
	.tick = tick,
	.close = close_output,
};
