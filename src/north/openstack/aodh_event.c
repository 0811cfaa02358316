/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alarm raised by the message bus, a step of a transition on its way; called by aodh_job.c. Severity first,
 * then the event, then looks whether the listener has set the state; if it has not after a few, the API does.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "north/openstack/aodh_job.h"
#include "north/openstack/aodh_private.h"

enum { LOOKS = 4 }; /* about a second apart */

static void published(void *user, const char *error)
{
	struct gm_aodh_job *job = user;
	struct gm_output *output = job->output;

	if (!error) {
		job->looks = LOOKS;
		return;
	}
	if (gm_log_allowed(&output->bus_limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING,
		       "output %s: %s: alarms are raised by the API, their actions do not run",
		       output->host.name, error);
	gm_aodh_job_set_state(job);
}

static void publish(struct gm_aodh_job *job)
{
	struct gm_output *output = job->output;
	struct gm_buffer body = GM_BUFFER_INIT(512 << 10);
	int rc;

	gm_event_body(output->host.node, job->name, job->alarm.project, &job->transition, &body);
	rc = gm_event_publish(output->bus, &body, published, job);
	gm_buffer_free(&body);
	if (rc < 0)
		published(job, "message bus: too much waits for it");
}

static void prepared(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_job *job = user;

	job->call = NULL;
	if (response->status == 200)
		publish(job);
	else
		gm_aodh_job_not_done(job, GM_AODH_SEVERITY, response);
}

/* What the actions are told comes from the alarm as Aodh has it: the severity has to be there first. */
void gm_aodh_event_raise(struct gm_aodh_job *job)
{
	const char *severity = gm_aodh_severity(job->transition.alarm.severity);
	const char *description = gm_json_get_text(job->found, "description");
	char path[GM_AODH_ID + 32];

	if (gm_aodh_has_severity(job->found, &job->transition)) {
		publish(job);
		return;
	}
	snprintf(path, sizeof(path), "/v2/alarms/%s", job->alarm.id);
	gm_aodh_job_request_json(job, "PUT", path,
				 gm_aodh_changed(job->found, job->alarm.state, severity,
						 description ? description : ""),
				 prepared);
}

static void looked(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_job *job = user;

	job->call = NULL;
	if (response->status == 200 && strncmp(response->body, "\"alarm\"", 7) == 0) {
		job->looks = 0;
		gm_aodh_job_describe(job);
	} else if (response->status == 404 && gm_aodh_job_begin_anew(job)) {
		return;
	} else if (response->status != 200) {
		gm_aodh_job_conclude_by(job, response);
	} else if (--job->looks == 0) {
		gm_log(GM_LOG_WARNING,
		       "output %s: aodh-listener has not raised an alarm by its event; the API "
		       "does",
		       job->output->host.name);
		gm_aodh_job_set_state(job);
	}
}

void gm_aodh_event_look(struct gm_aodh_job *job)
{
	char path[GM_AODH_ID + 32];

	snprintf(path, sizeof(path), "/v2/alarms/%s/state", job->alarm.id);
	gm_aodh_job_request(job, "GET", path, NULL, looked);
}
