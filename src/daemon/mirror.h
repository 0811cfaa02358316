/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of the configuration and what it asks of the daemon: frames of the rings where it lacks some,
 * a place for those that it hands back at the start, and for what detectors had learned. Main thread only.
 */
#ifndef GM_DAEMON_MIRROR_H
#define GM_DAEMON_MIRROR_H

#include "daemon/config.h"
#include "daemon/intake.h"
#include "daemon/recall.h"
#include "store/store.h"

struct gm_mirror {
	struct gm_store *store;
	struct gm_intake *intake; /* set by the owner before the store is loaded or started */
	struct gm_recall recall;
};

int gm_mirror_create(struct gm_mirror *mirror, const struct gm_config *config,
		     struct uv_loop_s *loop, struct gm_error *err);
/* At the start, after that many alarms: windows come back as far as the store has them. */
void gm_mirror_load(struct gm_mirror *mirror, size_t alarms);
void gm_mirror_tick(struct gm_mirror *mirror, int64_t now); /* ten times a second */
void gm_mirror_stop(struct gm_mirror *mirror, int64_t now);
void gm_mirror_destroy(struct gm_mirror *mirror); /* after the loop has run dry */

#endif
