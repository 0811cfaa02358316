/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the alarm engine is told beside findings: which options hold for which alarm, who is in maintenance
 * (by calendar, or because somebody asked for it, which is kept over a restart), which guests are suspended, and which
 * are being migrated. Main thread only.
 */
#ifndef GM_DAEMON_ALARMING_H
#define GM_DAEMON_ALARMING_H

#include "alarm/engine.h"
#include "daemon/entities.h"
#include "daemon/handling.h"
#include "daemon/intake.h"
#include "daemon/outputalarms.h"
#include "state/maintenance.h"

struct gm_alarming;

/*
 * Becomes the judge of `alarms`, which it owns from now on, also on failure; `handling` outlives it or its
 * replacement, the others outlive it.
 */
int gm_alarming_create(struct gm_alarms *alarms, const struct gm_handling *handling,
		       const struct gm_entities *entities, struct gm_state *state, int64_t now,
		       struct gm_alarming **ret_alarming);
void gm_alarming_free(struct gm_alarming *alarming);

/*
 * The alarms that were active at the end, into the engine; `outputs` is told of its own. Where this fails the
 * daemon does not start: it would raise them anew, as others.
 */
int gm_alarming_restore(struct gm_alarming *alarming, struct gm_outputalarms *outputs,
			struct gm_error *err);

void gm_alarming_configure(struct gm_alarming *alarming, const struct gm_alarm_options *options,
			   const struct gm_handling *handling, int64_t now);

/* Lets the engine's time pass; once a second looks for who is silent and who is not any more. */
void gm_alarming_tick(struct gm_alarming *alarming, int64_t now);

/*
 * Gives it to `intake`; for a guest that begins to leave, or has just arrived, gm_alarming_settle() is to be
 * called after it: once for many, and before any of them is gone. Its alarms are silent then.
 */
void gm_alarming_event(struct gm_alarming *alarming, struct gm_intake *intake,
		       const struct gm_guest_event *event);
void gm_alarming_settle(struct gm_alarming *alarming);

/*
 * Maintenance from `begin` to `end` of what `row->target` says: "all", "node" (the node itself and its own
 * devices), "project:PATTERN", or a guest by UUID or a pattern of its names. -EINVAL, -ENOSPC; durable on 0.
 */
int gm_alarming_add(struct gm_alarming *alarming, struct gm_maintenance_row *row, int64_t now,
		    struct gm_error *err);
/* How many that are known now such a target means: the guests, and the node. */
size_t gm_alarming_matching(const struct gm_alarming *alarming, const char *target);
int gm_alarming_remove(struct gm_alarming *alarming, int64_t id, int64_t now, struct gm_error *err);

/* All that there is: those that somebody asked for, by id, then the calendar's. */
struct gm_maintenance_view {
	const struct gm_maintenance_row *row; /* one of these two */
	const struct gm_maintenance_rule *rule;
	bool active;
};
void gm_alarming_list(const struct gm_alarming *alarming, int64_t now,
		      void (*each)(void *user, const struct gm_maintenance_view *view), void *user);

struct gm_alarms *gm_alarming_alarms(struct gm_alarming *alarming);
struct gm_state *gm_alarming_state(struct gm_alarming *alarming);
const struct gm_handling *gm_alarming_handling(const struct gm_alarming *alarming);
/* Another number after each configuration that has changed what guests are as VNFs. */
uint32_t gm_alarming_vnfs(const struct gm_alarming *alarming);

#endif
