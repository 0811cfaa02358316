/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See aodh_queue.h. Of each alarm the first job is in a table by name; the others are chained behind it.
 * The first ones that wait are ready.
 */
#include "north/openstack/aodh_queue.h"

#include <utlist.h>

static struct gm_aodh_job **ready_of(struct gm_aodh_job *job)
{
	return &job->output->ready[job->has_ticket ? 0 : 1];
}

/* `last`: the last one of the alarm. */
static void become_first(struct gm_aodh_job *job, struct gm_aodh_job *last)
{
	struct gm_aodh_job **ready = ready_of(job);

	job->last = last;
	HASH_ADD_STR(job->output->firsts, name, job);
	DL_APPEND2(*ready, job, ready_prev, ready_next);
}

void gm_aodh_queue_add(struct gm_aodh_job *job)
{
	struct gm_aodh_job *first = gm_aodh_queue_first(job->output, job->name);

	job->waiting = true;
	DL_APPEND(job->output->jobs, job);
	if (!first) {
		become_first(job, job);
		return;
	}
	first->last->behind = job;
	first->last = job;
}

static void leave_ready(struct gm_aodh_job *job)
{
	struct gm_aodh_job **ready = ready_of(job);

	DL_DELETE2(*ready, job, ready_prev, ready_next);
}

struct gm_aodh_job *gm_aodh_queue_next(struct gm_output *output)
{
	struct gm_aodh_job *job = output->ready[0] ? output->ready[0] : output->ready[1];

	if (!job)
		return NULL;
	leave_ready(job);
	job->waiting = false;
	output->running++;
	return job;
}

void gm_aodh_queue_remove(struct gm_aodh_job *job)
{
	if (job->waiting)
		leave_ready(job);
	else
		job->output->running--;
	HASH_DEL(job->output->firsts, job);
	if (job->behind)
		become_first(job->behind, job->last);
	DL_DELETE(job->output->jobs, job);
}

struct gm_aodh_job *gm_aodh_queue_first(const struct gm_output *output, const char *name)
{
	struct gm_aodh_job *job;

	HASH_FIND_STR(output->firsts, name, job);
	return job;
}
