/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the sources' messages to windows, points and findings: keeps the table of entities, decides
 * whose interface is whose, mirrors the host's view of a guest's port, drops what a better source
 * tells already. Main thread only; knows neither alarms nor stores, only the sink.
 *
 * A tap shows up before libvirt tells whose it is. Its first samples are left out until that is known
 * (or two seconds have passed), and a device that changes hands begins anew: in one window rx and tx
 * never change places.
 */
#ifndef GM_DAEMON_INTAKE_H
#define GM_DAEMON_INTAKE_H

#include "daemon/entities.h"
#include "daemon/learning.h"
#include "daemon/managed.h"
#include "state/state.h"

struct gm_intake_sink {
	/* A frame that the windows kept. */
	void (*frame)(void *user, const struct gm_frame *frame, const struct gm_reading *readings);
	void (*identified)(void *user, const struct gm_entity_info *info);
	/* After this call the entity is not in the table any more. */
	void (*gone)(void *user, const struct gm_entity_key *key, int64_t time);
	void (*finding)(void *user, const struct gm_finding *finding);
	void *user;
};

struct gm_intake_options {
	struct gm_window_options window;
	struct gm_detector_settings *detectors; /* outlives the intake or its replacement */
	struct gm_learning *learning;           /* outlives the intake; NULL: nothing is learned */
	bool libvirt; /* guests are made known by libvirt alone: samples of others wait for it */
};

struct gm_intake;

int gm_intake_create(const struct gm_intake_options *options, struct gm_state *state,
		     const struct gm_intake_sink *sink, struct gm_intake **ret_intake);
void gm_intake_free(struct gm_intake *intake);

void gm_intake_batch(struct gm_intake *intake, const struct gm_batch *batch);
/* Who is about to be seen, so that many cost no more than one: see numbers.h. */
void gm_intake_foresee(struct gm_intake *intake, const enum gm_source_id *sources,
		       const struct gm_entity_info *const *infos, size_t count);
void gm_intake_seen(struct gm_intake *intake, enum gm_source_id source,
		    const struct gm_entity_info *info);
void gm_intake_gone(struct gm_intake *intake, enum gm_source_id source,
		    const struct gm_entity_key *key, int64_t time);
/*
 * After one call or many of gm_intake_seen(), gm_intake_gone() and gm_intake_event(), for what is done for all together: one write
 * to the disk, one walk over all entities. What takes samples or judges does it, too.
 */
void gm_intake_settle(struct gm_intake *intake);
/* A source does not run any more: what it alone told of has to be told again, or is swept away. */
void gm_intake_source_ended(struct gm_intake *intake, enum gm_source_id source);

/*
 * Lets go of what came from a store, or from a source that ended, and has not shown up since; the
 * caller waits long enough for that.
 */
void gm_intake_sweep(struct gm_intake *intake, int64_t now);

/*
 * The node's clock was set by `step` (base/clock.h) and tells `now`: windows measure nothing over that, and
 * samples of before it that are still under way are left out.
 */
void gm_intake_stepped(struct gm_intake *intake, int64_t step, int64_t now);

void gm_intake_event(struct gm_intake *intake, const struct gm_guest_event *event);

/* Whether libvirt answers now: only then does silence about a device mean that it is the host's. */
void gm_intake_libvirt_connected(struct gm_intake *intake, bool connected);

/* A frame from a store, at start-up: fills window and detectors, findings are not passed on. */
void gm_intake_restore(struct gm_intake *intake, const struct gm_frame *frame,
		       const struct gm_reading *readings);

/*
 * An entity that a store knows something of, at start-up: made known as by gm_intake_restore(). NULL: out of
 * memory, which is logged.
 */
struct gm_tracked *gm_intake_recall(struct gm_intake *intake, const struct gm_entity_key *key);

/* Lets every detector judge, about once a second. Whether managers have set other rules since the last time. */
bool gm_intake_evaluate(struct gm_intake *intake, int64_t now);

/* Detectors anew where these are other settings. -ENOMEM: nothing is changed. */
int gm_intake_reconfigure(struct gm_intake *intake, struct gm_detector_settings *detectors,
			  bool libvirt);

struct gm_managed *gm_intake_managed(struct gm_intake *intake); /* what managers set */
struct gm_entities *gm_intake_entities(struct gm_intake *intake);
uint64_t gm_intake_readings(const struct gm_intake *intake); /* taken in since the start */

/* Who bursts at the same time; valid while the intake is. */
struct gm_contention;
const struct gm_contention *gm_intake_contention(const struct gm_intake *intake);

#endif
