/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What aodh.c (the driver), aodh_job.c and aodh_event.c (a transition on its way), aodh_known.c (what Aodh was
 * seen to hold) and aodh_sweep.c (a look through all alarms of ours) share. Main thread only.
 */
#ifndef GM_NORTH_OPENSTACK_AODH_PRIVATE_H
#define GM_NORTH_OPENSTACK_AODH_PRIVATE_H

#include "base/clock.h"
#include "base/log.h"
#include "north/openstack/alarm_text.h"
#include "north/openstack/event.h"
#include "north/openstack/keystone.h"
#include "north/output.h"

enum { GM_AODH_ACTIONS = 512, GM_AODH_ANSWER = 4 << 20 };
/* Between two looks through all alarms when one has failed. */
#define GM_AODH_SWEEP_PAUSE (10 * GM_SECOND)
/* Likewise when a change was refused, which may be for good. */
#define GM_AODH_REFUSED_PAUSE (600 * GM_SECOND)
/* The role does not go beyond its project: until then nothing else is asked for. Roles change. */
#define GM_AODH_LIMIT (600 * GM_SECOND)
enum gm_aodh_owner { GM_AODH_OWNER_GUEST, GM_AODH_OWNER_OWN };

struct gm_aodh_options {
	struct gm_cloud_options cloud;
	int owner; /* enum gm_aodh_owner */
	char actions[GM_AODH_ACTIONS];
	int64_t remove_after;            /* ns */
	char bus_url_file[GM_HTTP_PATH]; /* empty: no events */
	char bus_topic[128];
};

struct gm_aodh_job;
struct gm_aodh_known;
struct gm_aodh_sweep;

struct gm_aodh_guest {
	uint8_t uuid[GM_UUID_SIZE];
	char project[64]; /* UUID, as Nova writes it */
};

struct gm_output {
	struct gm_aodh_options options;
	struct gm_output_host host;
	struct gm_output_options common; /* which alarms it tells */
	struct gm_keystone *keystone;
	struct gm_event_bus *bus; /* NULL: no events */
	struct gm_log_limit bus_limit, sweep_limit;
	char prefix[GM_AODH_NAME]; /* of the names of our alarms */
	int64_t limited_until; /* monotonic: the role sees and makes alarms of its own project alone */
	bool limit_told;
	struct gm_aodh_job *jobs;   /* all, in order */
	struct gm_aodh_job *firsts; /* of each alarm the first one, by name */
	struct gm_aodh_job
		*ready[2]; /* of these, those that wait for their turn alone: the awaited, others */
	struct gm_aodh_known *known;

	struct gm_aodh_guest *guests; /* of the last snapshot with a live libvirt, by uuid */
	size_t guest_count;

	uint64_t given_up; /* by the outbox, as of the last snapshot */
	bool reconciled; /* Aodh's states have been compared with ours, and there is no doubt since */
	bool compared;   /* they have been once */
	bool holding;    /* they are being compared: jobs wait */
	size_t running;       /* jobs that do not wait */
	int64_t concluded_at; /* node's time of the last job's end */
	struct gm_aodh_sweep *sweep;
	int64_t sweep_at;  /* monotonic; not before */
	int64_t remove_at; /* monotonic; 0: no guest has gone */
};

/* The project of a guest, or "". */
const char *gm_aodh_project(const struct gm_output *output, const uint8_t uuid[GM_UUID_SIZE]);

/*
 * Whether the answer says that the role does not go beyond its project, which is noted for a while, and may
 * be asked anew within it. False: it is about something else, or that was known.
 */
bool gm_aodh_limit(struct gm_output *output, const struct gm_http_response *response);
bool gm_aodh_is_limited(const struct gm_output *output);

/* Sends with the output's token. `text` is the body, or NULL. Failure: `done` is not called. */
int gm_aodh_request(struct gm_output *output, const char *method, const char *path,
		    const char *text,
		    void (*done)(void *user, const struct gm_http_response *response), void *user,
		    struct gm_keystone_call **ret_call, struct gm_error *err);

/* The query that widens a search to all projects, or nothing. */
const char *gm_aodh_everywhere(const struct gm_output *output);

/* What an answer means where nothing better is known; see aodh_job.c. */
struct gm_verdict gm_aodh_verdict(const struct gm_http_response *response, char *reason);
/* Likewise to a change: a 403 is about this alarm, and others may be ours to change. */
struct gm_verdict gm_aodh_change_verdict(const struct gm_http_response *response, char *reason);
/* Whether a change may have been made, or may be yet, although no answer of Aodh's has come. */
bool gm_aodh_is_unanswered(const struct gm_http_response *response);

/*
 * Aodh may show something else than we do, and is to be compared when all else is told, though not before
 * `pause` is over. Where that is due already it comes no later for it.
 */
void gm_aodh_doubt(struct gm_output *output, int64_t pause);

/* ---- aodh_job.c ---- */

/*
 * Tells a transition. `ticket` NULL: nobody waits for it, and if it fails, all is reconciled anew. -ENOMEM.
 * Waits while states are compared, while there is another one of the same alarm, and for its turn.
 */
int gm_aodh_job_start(struct gm_output *output, const struct gm_transition *transition,
		      int64_t sent_at, const uint64_t *ticket);
/* Lets what waits go on its way. */
void gm_aodh_jobs_release(struct gm_output *output);
bool gm_aodh_job_is_there(const struct gm_output *output, const char *name);
/* Once a second: looks whether the listener has raised what it was sent. */
void gm_aodh_jobs_tick(struct gm_output *output);
void gm_aodh_jobs_free(struct gm_output *output);

/* ---- aodh_known.c ---- */

/* The caller's; NULL: Aodh has to be asked. */
struct gm_json *gm_aodh_known_take(struct gm_output *output, const char *name);
void gm_aodh_known_put(struct gm_output *output, const char *name,
		       struct gm_json *alarm); /* taken */
void gm_aodh_known_clear(struct gm_output *output);

/* ---- aodh_sweep.c ---- */

/* Begins one: `states` are made right, or else what is gone is removed. */
void gm_aodh_sweep_start(struct gm_output *output, const struct gm_snapshot *snapshot, bool states);
/* Once a second while there is one. */
void gm_aodh_sweep_tick(struct gm_output *output, int64_t now);
void gm_aodh_sweep_free(struct gm_output *output);

#endif
