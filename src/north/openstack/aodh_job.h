/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps that aodh_job.c and aodh_event.c share. Each of them may end the job, which is gone then: nothing is
 * done with it afterwards. Main thread only.
 */
#ifndef GM_NORTH_OPENSTACK_AODH_JOB_H
#define GM_NORTH_OPENSTACK_AODH_JOB_H

#include "north/openstack/aodh_queue.h"

/* ---- aodh_job.c ---- */

/* `done` with the job as `user`. What cannot be asked is tried again later. */
void gm_aodh_job_request(struct gm_aodh_job *job, const char *method, const char *path,
			 const char *text,
			 void (*done)(void *user, const struct gm_http_response *response));
/* As gm_aodh_job_request(), of a tree that is freed. */
void gm_aodh_job_request_json(struct gm_aodh_job *job, const char *method, const char *path,
			      struct gm_json *body,
			      void (*done)(void *user, const struct gm_http_response *response));

/*
 * A server that is slow does late what it was asked, beside what it is asked then: a state would be set, an
 * alarm made twice. So it is looked for as long again as an answer was waited for. True: it is.
 */
bool gm_aodh_job_look_for(struct gm_aodh_job *job, enum gm_aodh_late what,
			  const struct gm_http_response *response);
/* The alarm went away between two steps: once more from the beginning. False: it was already. */
bool gm_aodh_job_begin_anew(struct gm_aodh_job *job);
void gm_aodh_job_conclude_by(struct gm_aodh_job *job, const struct gm_http_response *response);
/* What a change comes to that was not done: one of the three above. */
void gm_aodh_job_not_done(struct gm_aodh_job *job, enum gm_aodh_late what,
			  const struct gm_http_response *response);
void gm_aodh_job_set_state(struct gm_aodh_job *job);
void gm_aodh_job_describe(struct gm_aodh_job *job);

/* ---- aodh_event.c ---- */

void gm_aodh_event_raise(struct gm_aodh_job *job);
/* Whether the listener has raised what it was sent. */
void gm_aodh_event_look(struct gm_aodh_job *job);

#endif
