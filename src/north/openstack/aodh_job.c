/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transition on its way to Aodh; called by aodh.c.
 *
 *   find ──none──▶ create ──▶ state ──▶ describe ──▶ told
 *     └──found, has the mark──────────────────────────▲
 *     └──found, other state────▶ state                │
 *     └──found, same state─────────────▶ describe ────┘
 *
 * Where there is a message bus, a raise goes that way instead of `state`: see aodh_event.c.
 *
 * So whatever was lost before (an answer, the daemon, the alarm itself) is seen by the look that
 * each attempt begins with, and no state is set twice in a row.
 *
 * An alarm that was seen not long ago (aodh_known.c), without a doubt since, has its state set at once:
 * that is what somebody waits for. It is looked at before it is described.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "north/openstack/aodh_job.h"
#include "north/openstack/aodh_private.h"
#include "north/openstack/aodh_queue.h"
#include "north/verdict.h"

enum {
	RUNNING = 12,
	UNHEARD_MAX = 5, /* looks without an answer, each of which takes the timeout */
};

typedef void step_fn(struct gm_aodh_job *job, const struct gm_http_response *response);

static void begin(struct gm_aodh_job *job);
static void find(struct gm_aodh_job *job);
static void refresh(struct gm_aodh_job *job);

/* ---- the end ---- */

static void free_job(struct gm_aodh_job *job)
{
	gm_aodh_queue_remove(job);
	gm_json_free(job->answer);
	free(job);
}

void gm_aodh_jobs_release(struct gm_output *output)
{
	struct gm_aodh_job *job;

	while (!output->holding && output->running < RUNNING && (job = gm_aodh_queue_next(output)))
		begin(job);
}

/*
 * What nobody waits for failed; or it was refused, and the outbox may give it up. That may be so for good: then
 * the comparison is not soon.
 */
static void doubt(struct gm_output *output, enum gm_verdict_kind kind, bool awaited)
{
	if (kind == GM_VERDICT_DELIVERED || (kind == GM_VERDICT_RETRY && awaited))
		return;
	gm_aodh_doubt(output,
		      kind == GM_VERDICT_REFUSED ? GM_AODH_REFUSED_PAUSE : GM_AODH_SWEEP_PAUSE);
}

static void conclude(struct gm_aodh_job *job, const struct gm_verdict *verdict)
{
	struct gm_output *output = job->output;
	uint64_t ticket = job->ticket;
	bool has_ticket = job->has_ticket;

	free_job(job);
	output->concluded_at = gm_clock_now();
	doubt(output, verdict->kind, has_ticket);
	if (has_ticket)
		output->host.done(output->host.user, ticket, verdict);
	gm_aodh_jobs_release(output);
}

static void conclude_told(struct gm_aodh_job *job)
{
	conclude(job, &(struct gm_verdict){.kind = GM_VERDICT_DELIVERED});
}

/* With the alarm as Aodh has just said that it holds it. */
static void conclude_known(struct gm_aodh_job *job, const struct gm_http_response *response)
{
	struct gm_aodh_alarm held;
	struct gm_json *alarm;

	if (gm_json_parse(response->body, response->length, &alarm, NULL) < 0)
		alarm = NULL;
	if (alarm && gm_aodh_read(alarm, &held) == 0 && strcmp(held.id, job->alarm.id) == 0)
		gm_aodh_known_put(job->output, job->name, alarm);
	else
		gm_json_free(alarm);
	conclude_told(job);
}

static void conclude_later(struct gm_aodh_job *job, const char *reason)
{
	conclude(job, &(struct gm_verdict){.kind = GM_VERDICT_RETRY, .reason = reason});
}

/*
 * Some answers do not concern this one message but tell of a service that is not itself: a
 * redirect, a path that is not there, a conflict.
 */
struct gm_verdict gm_aodh_verdict(const struct gm_http_response *response, char *reason)
{
	struct gm_verdict verdict = gm_verdict_of(response, reason);
	int status = response->status;

	if (verdict.kind == GM_VERDICT_REFUSED &&
	    ((status >= 300 && status < 400) || status == 404 || status == 405 || status == 409))
		verdict.kind = GM_VERDICT_RETRY;
	return verdict;
}

struct gm_verdict gm_aodh_change_verdict(const struct gm_http_response *response, char *reason)
{
	struct gm_verdict verdict = gm_aodh_verdict(response, reason);

	if (response->status == 403)
		verdict.kind = GM_VERDICT_REFUSED;
	return verdict;
}

/* A proxy before Aodh says 502 or 504 for one that it has passed on, too. */
bool gm_aodh_is_unanswered(const struct gm_http_response *response)
{
	return (response->status == 0 && response->sent) || response->status == 502 ||
	       response->status == 504;
}

void gm_aodh_job_conclude_by(struct gm_aodh_job *job, const struct gm_http_response *response)
{
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_aodh_change_verdict(response, reason);

	conclude(job, &verdict);
}

/* ---- steps ---- */

void gm_aodh_job_request(struct gm_aodh_job *job, const char *method, const char *path,
			 const char *text,
			 void (*done)(void *user, const struct gm_http_response *response))
{
	struct gm_error err = {.text = ""};

	if (gm_aodh_request(job->output, method, path, text, done, job, &job->call, &err) < 0)
		conclude_later(job, err.text);
}

void gm_aodh_job_request_json(struct gm_aodh_job *job, const char *method, const char *path,
			      struct gm_json *body,
			      void (*done)(void *user, const struct gm_http_response *response))
{
	struct gm_buffer text = GM_BUFFER_INIT(1 << 20);

	if (gm_json_write(body, 0, &text) < 0 || text.failed)
		conclude_later(job, "out of memory");
	else
		gm_aodh_job_request(job, method, path, text.data, done);
	gm_buffer_free(&text);
	gm_json_free(body);
}

bool gm_aodh_job_look_for(struct gm_aodh_job *job, enum gm_aodh_late what,
			  const struct gm_http_response *response)
{
	if (!gm_aodh_is_unanswered(response))
		return false;
	job->known = false;
	job->late = what;
	job->looks = 1 + (int)(job->output->options.cloud.transport.timeout / GM_SECOND);
	job->unheard = UNHEARD_MAX;
	return true;
}

static bool is_done(const struct gm_aodh_job *job, const struct gm_json *alarm)
{
	struct gm_aodh_alarm held;

	if (!alarm)
		return false;
	switch (job->late) {
	case GM_AODH_STATE_SET:
		return gm_aodh_read(alarm, &held) == 0 &&
		       strcmp(held.state, gm_aodh_state(&job->transition)) == 0;
	case GM_AODH_SEVERITY:
		return gm_aodh_has_severity(alarm, &job->transition);
	case GM_AODH_DESCRIPTION:
		return gm_aodh_is_told(alarm, &job->transition);
	default:
		return true; /* there it is */
	}
}

bool gm_aodh_job_begin_anew(struct gm_aodh_job *job)
{
	if (job->again)
		return false;
	job->again = true;
	job->known = false;
	job->looks = 0;
	find(job);
	return true;
}

void gm_aodh_job_not_done(struct gm_aodh_job *job, enum gm_aodh_late what,
			  const struct gm_http_response *response)
{
	if (!gm_aodh_job_look_for(job, what, response) &&
	    (response->status != 404 || !gm_aodh_job_begin_anew(job)))
		gm_aodh_job_conclude_by(job, response);
}

static void described(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_job *job = user;
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_aodh_verdict(response, reason);

	job->call = NULL;
	if ((response->status == 404 && gm_aodh_job_begin_anew(job)) ||
	    gm_aodh_job_look_for(job, GM_AODH_DESCRIPTION, response))
		return;
	if (verdict.kind == GM_VERDICT_REFUSED) {
		/* The state has arrived, which is what counts. */
		gm_log(GM_LOG_WARNING, "output %s: the description of an alarm is refused: %s",
		       job->output->host.name, reason);
		conclude_told(job);
		return;
	}
	if (response->status == 200)
		conclude_known(job, response);
	else
		conclude(job, &verdict);
}

void gm_aodh_job_describe(struct gm_aodh_job *job)
{
	struct gm_buffer text = GM_BUFFER_INIT(64 << 10);
	char path[GM_AODH_ID + 32];

	if (job->known) {
		refresh(job);
		return;
	}

	if (job->transition.sequence == 0) { /* the mark that is there stays */
		conclude_told(job);
		return;
	}
	snprintf(path, sizeof(path), "/v2/alarms/%s", job->alarm.id);
	gm_aodh_describe(job->output->host.node, &job->transition, job->sent_at, &text);
	gm_aodh_job_request_json(job, "PUT", path,
				 gm_aodh_changed(job->found, gm_aodh_state(&job->transition),
						 gm_aodh_severity(job->transition.alarm.severity),
						 text.data),
				 described);
	gm_buffer_free(&text);
}

static void state_set(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_job *job = user;

	job->call = NULL;
	if (response->status == 200)
		gm_aodh_job_describe(job);
	else
		gm_aodh_job_not_done(job, GM_AODH_STATE_SET, response);
}

void gm_aodh_job_set_state(struct gm_aodh_job *job)
{
	char path[GM_AODH_ID + 32], text[GM_AODH_STATE];

	snprintf(path, sizeof(path), "/v2/alarms/%s/state", job->alarm.id);
	snprintf(text, sizeof(text), "\"%s\"", gm_aodh_state(&job->transition));
	gm_aodh_job_request(job, "PUT", path, text, state_set);
}

/* ---- looks ---- */

static struct gm_aodh_job *first_due(const struct gm_output *output)
{
	struct gm_aodh_job *job;

	DL_FOREACH (output->jobs, job) {
		if (job->look_due)
			return job;
	}
	return NULL;
}

/* A look that cannot be had ends its job, and others begin: the list is begun anew each time. */
void gm_aodh_jobs_tick(struct gm_output *output)
{
	struct gm_aodh_job *job;

	DL_FOREACH (output->jobs, job)
		job->look_due = job->looks > 0 && !job->call;
	while ((job = first_due(output))) {
		job->look_due = false;
		if (job->late)
			find(job);
		else
			gm_aodh_event_look(job);
	}
}

/* ---- the decision ---- */

/* `job->found` is there. */
static void proceed(struct gm_aodh_job *job)
{
	if (gm_aodh_read(job->found, &job->alarm) < 0) {
		conclude_later(job, "the answer is no alarm");
	} else if (gm_aodh_is_told(job->found, &job->transition)) {
		conclude_told(job);
	} else if (strcmp(job->alarm.state, gm_aodh_state(&job->transition)) == 0) {
		gm_aodh_job_describe(job);
	} else if (job->output->bus && job->transition.kind != GM_TRANSITION_CLEAR) {
		gm_aodh_event_raise(job);
	} else {
		gm_aodh_job_set_state(job);
	}
}

static void keep(struct gm_aodh_job *job, struct gm_json *answer, const struct gm_json *found)
{
	gm_json_free(job->answer);
	job->answer = answer;
	job->found = found;
}

static void created(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_job *job = user;
	struct gm_json *answer = NULL;

	job->call = NULL;
	if (gm_aodh_job_look_for(job, GM_AODH_CREATION, response))
		return;
	if (gm_aodh_limit(job->output, response)) {
		find(job);
	} else if (response->status == 201) {
		if (gm_json_parse(response->body, response->length, &answer, NULL) < 0)
			answer = NULL;
		keep(job, answer, answer);
		proceed(job);
	} else {
		gm_aodh_job_conclude_by(job, response); /* a 403 is a quota's, most likely */
	}
}

/* The guest's project as it was when the alarm was raised; what old records lack the newest snapshot has. */
static const char *project_of(const struct gm_output *output, const struct gm_alarm *alarm)
{
	if (gm_aodh_is_limited(output) || output->options.owner == GM_AODH_OWNER_OWN)
		return "";
	return alarm->project_uuid[0] != '\0' ? alarm->project_uuid
					      : gm_aodh_project(output, alarm->guest);
}

/* Aodh has no such alarm: what is to be cleared need not be made. */
static void make(struct gm_aodh_job *job)
{
	struct gm_output *output = job->output;
	struct gm_transition unmarked = job->transition;
	struct gm_buffer text = GM_BUFFER_INIT(64 << 10);

	unmarked.sequence = 0;
	gm_aodh_describe(output->host.node, &unmarked, job->sent_at, &text);
	gm_aodh_job_request_json(job, "POST", "/v2/alarms",
				 gm_aodh_creation(job->name, project_of(output, &unmarked.alarm),
						  gm_aodh_severity(unmarked.alarm.severity),
						  text.data, output->options.actions),
				 created);
	gm_buffer_free(&text);
}

/*
 * A look that says nothing is one of those that were to be had: what is late may be done yet. One that is not
 * even answered is none, for a while: an API that stood still goes on with the change when it goes on.
 */
static bool look_again(struct gm_aodh_job *job, bool unanswered)
{
	if (!job->late || (unanswered ? job->unheard == 0 : job->looks <= 1))
		return false;
	if (unanswered)
		job->unheard--;
	else
		job->looks--;
	return true;
}

static void cannot_be_read(struct gm_aodh_job *job)
{
	if (!look_again(job, false))
		conclude_later(job, "the answer is no list of alarms");
}

static void found(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_job *job = user;
	const struct gm_json *alarm;
	struct gm_json *list;

	job->call = NULL;
	if (gm_aodh_limit(job->output, response)) {
		find(job);
		return;
	}
	if (response->status != 200) {
		if (!look_again(job, gm_aodh_is_unanswered(response)))
			gm_aodh_job_conclude_by(job, response);
		return;
	}
	if (gm_aodh_list(response->body, response->length, &list) < 0) {
		cannot_be_read(job);
		return;
	}
	if (gm_aodh_find(list, job->name, &alarm) < 0) {
		gm_json_free(list);
		cannot_be_read(job);
		return;
	}
	keep(job, list, alarm);
	if (job->late && !is_done(job, alarm)) {
		if (!look_again(job, false))
			conclude_later(job, "no answer came to a change, and it is not done");
		return;
	}
	job->late = GM_AODH_NOTHING_LATE;
	job->looks = 0;
	if (alarm)
		proceed(job);
	else if (job->transition.kind == GM_TRANSITION_CLEAR)
		conclude_told(job);
	else
		make(job);
}

static void find(struct gm_aodh_job *job)
{
	struct gm_buffer path = GM_BUFFER_INIT(4096);

	gm_buffer_printf(&path, "/v2/alarms?q.field=name&q.op=eq&q.value=");
	gm_aodh_escape(&path, job->name);
	gm_buffer_printf(&path, "%s", gm_aodh_everywhere(job->output));
	if (path.failed)
		conclude_later(job, "out of memory");
	else
		gm_aodh_job_request(job, "GET", path.data, NULL, found);
	gm_buffer_free(&path);
}

static void refreshed(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_job *job = user;
	struct gm_json *alarm;

	job->call = NULL;
	job->known = false;
	if (response->status == 404 && gm_aodh_job_begin_anew(job))
		return;
	if (response->status != 200) {
		gm_aodh_job_conclude_by(job, response);
	} else if (gm_json_parse(response->body, response->length, &alarm, NULL) < 0) {
		conclude_later(job, "the answer is no alarm");
	} else {
		keep(job, alarm, alarm);
		proceed(job);
	}
}

/* What others have changed since is not to be overwritten. */
static void refresh(struct gm_aodh_job *job)
{
	char path[GM_AODH_ID + 32];

	snprintf(path, sizeof(path), "/v2/alarms/%s", job->alarm.id);
	gm_aodh_job_request(job, "GET", path, NULL, refreshed);
}

/*
 * An alarm that was seen not long ago need not be found: its state is set at once. Not when it was told this
 * already, by a message that is told anew: Aodh says then whether it still is, or has gone on.
 */
static void begin(struct gm_aodh_job *job)
{
	struct gm_json *known = gm_aodh_known_take(job->output, job->name);
	bool by_event = job->output->bus && job->transition.kind != GM_TRANSITION_CLEAR;

	if (!known || gm_aodh_read(known, &job->alarm) < 0) {
		gm_json_free(known);
		find(job);
		return;
	}
	keep(job, known, known);
	job->known = true;
	if (by_event || gm_aodh_is_told(known, &job->transition) ||
	    strcmp(job->alarm.state, gm_aodh_state(&job->transition)) == 0)
		refresh(job);
	else
		gm_aodh_job_set_state(job);
}

/* ---- all of them ---- */

int gm_aodh_job_start(struct gm_output *output, const struct gm_transition *transition,
		      int64_t sent_at, const uint64_t *ticket)
{
	struct gm_aodh_job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	job->output = output;
	job->transition = *transition;
	job->sent_at = sent_at;
	job->has_ticket = ticket != NULL;
	job->ticket = ticket ? *ticket : 0;
	gm_aodh_name(output->host.node, &transition->alarm, job->name);
	gm_aodh_queue_add(job);
	gm_aodh_jobs_release(output);
	return 0;
}

bool gm_aodh_job_is_there(const struct gm_output *output, const char *name)
{
	return gm_aodh_queue_first(output, name) != NULL;
}

void gm_aodh_jobs_free(struct gm_output *output)
{
	struct gm_aodh_job *job, *next;

	DL_FOREACH_SAFE(output->jobs, job, next)
	{
		if (job->call)
			gm_keystone_cancel(job->call);
		free_job(job);
	}
}
