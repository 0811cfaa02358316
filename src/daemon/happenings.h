/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to guests: into the log, and to the detectors of those for whom it was a planned
 * change. Used by intake.c alone; main thread.
 */
#ifndef GM_DAEMON_HAPPENINGS_H
#define GM_DAEMON_HAPPENINGS_H

#include "base/log.h"
#include "daemon/entities.h"

/* Zero-initialised. */
struct gm_happenings {
	struct gm_log_limit limits[GM_GUEST_EVENTS];
	bool disturbed; /* guests with all that belongs to them, since the last gm_happenings_settle() */
};

/* gm_happenings_settle() is to be called after it: once for many, and before detectors are shown more. */
void gm_happenings_take(struct gm_happenings *happenings, struct gm_entities *entities,
			const struct gm_guest_event *event);
void gm_happenings_settle(struct gm_happenings *happenings, struct gm_entities *entities);

#endif
