/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which transition goes to Aodh next: those that somebody waits for first, never two of one alarm at a
 * time, and those of one alarm in their order. What a step costs does not depend on how many wait. For
 * aodh_job.c, whose jobs these are. Main thread only.
 */
#ifndef GM_NORTH_OPENSTACK_AODH_QUEUE_H
#define GM_NORTH_OPENSTACK_AODH_QUEUE_H

#include <uthash.h>

#include "north/openstack/aodh_private.h"

/* The change whose answer did not come: it may be done yet, and is not sent a second time as long. */
enum gm_aodh_late {
	GM_AODH_NOTHING_LATE,
	GM_AODH_CREATION,
	GM_AODH_STATE_SET,
	GM_AODH_SEVERITY, /* alone, before an event */
	GM_AODH_DESCRIPTION
};

struct gm_aodh_job {
	struct gm_output *output;
	struct gm_transition transition;
	int64_t sent_at;
	bool has_ticket;
	uint64_t ticket;
	bool known; /* `found` is what Aodh held some time ago: good for a state, not to be written back */
	bool waiting; /* for the comparison, another one of the same name, its turn */
	bool again;   /* was begun anew because the alarm went away meanwhile */
	int looks;    /* still to be had after an event, or for what `late` may yet do */
	int unheard;  /* looks for that which may still go without an answer */
	enum gm_aodh_late late;
	bool look_due;
	char name[GM_AODH_NAME];
	struct gm_keystone_call *call;
	struct gm_json *answer;      /* the last list or alarm */
	const struct gm_json *found; /* in it */
	struct gm_aodh_alarm alarm;  /* its fields */
	struct gm_aodh_job *prev, *next;

	/* The first one of its alarm: the place among firsts and ready ones, and those behind it. */
	UT_hash_handle hh;
	struct gm_aodh_job *ready_prev, *ready_next;
	struct gm_aodh_job *behind, *last; /* the next one of the alarm; the last of them */
};

/* It waits for its turn. */
void gm_aodh_queue_add(struct gm_aodh_job *job);
/* The next one, which waits no more; NULL: none may go. */
struct gm_aodh_job *gm_aodh_queue_next(struct gm_output *output);
/* It has ended, or all do, in their order: the next of its alarm may go. */
void gm_aodh_queue_remove(struct gm_aodh_job *job);
/* The first one of the alarm of that name, or NULL. */
struct gm_aodh_job *gm_aodh_queue_first(const struct gm_output *output, const char *name);

#endif
