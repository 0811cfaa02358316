/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator's rules may ask for what is known of a guest: when that is another, it and all that belongs to it
 * are given the detectors that their settings have for them now. Used by intake.c alone; main thread.
 */
#ifndef GM_DAEMON_REFITS_H
#define GM_DAEMON_REFITS_H

#include "base/log.h"
#include "daemon/entities.h"

/* Zero-initialised. */
struct gm_refits {
	struct gm_log_limit limit;
	bool due; /* for what belongs to some guests, since the last gm_refits_settle() */
};

/* `changed` itself at once; what belongs to it by gm_refits_settle(). */
void gm_refits_take(struct gm_refits *refits, struct gm_entities *entities,
		    struct gm_tracked *changed, struct gm_detector_settings *detectors);

/* Once for many, and before detectors are shown more: it walks all entities. */
void gm_refits_settle(struct gm_refits *refits, struct gm_entities *entities,
		      struct gm_detector_settings *detectors);

#endif
