/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sees to it that guests' balloons tell their statistics as often as they are to: once for each start of a guest,
 * on a worker that nobody waits for. What could not be done (a monitor that is busy, a connection that may not
 * write) is tried again, ever more rarely, and one guest at a time, so that one that holds its worker up for
 * long holds up no other guest. The slow lane's thread.
 */
#ifndef GM_SOURCE_LIBVIRT_BALLOONS_H
#define GM_SOURCE_LIBVIRT_BALLOONS_H

#include "source/libvirt/crew.h"
#include "source/libvirt/roster.h"

/* Zero-initialise. */
struct gm_lv_balloons {
	uint64_t jobs;       /* given so far */
	int64_t given_at;    /* monotonic, the last */
	int64_t after, wait; /* no job before, monotonic; and the one after that so much later */
	bool told;           /* that nothing may be set */
};

/* Takes what workers have done since, and gives them more, if one has nothing else to do. `now`: monotonic. */
void gm_lv_balloons_tick(struct gm_lv_balloons *balloons, struct gm_lv_crew *crew,
			 struct gm_lv_roster *roster, int64_t now);

#endif
