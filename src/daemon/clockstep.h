/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step of the node's clock (base/clock.h), for what main keeps of entities: windows measure nothing over it,
 * and times that are compared with those of the next samples are told by the new clock. Main thread only;
 * used by intake.c alone.
 */
#ifndef GM_DAEMON_CLOCKSTEP_H
#define GM_DAEMON_CLOCKSTEP_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/entities.h"

/* Zero-initialised: there was none. */
struct gm_clockstep {
	int64_t step; /* ns, positive where the clock was set ahead; 0: none, or all of before it is in */
	int64_t at; /* the new clock's time just after it */
};

/* `now` is the new clock's. */
void gm_clockstep_take(struct gm_clockstep *clockstep, struct gm_entities *entities, int64_t step,
		       int64_t now);

/*
 * Whether a sample that has come just now was timed by the clock of before the step: it was under way. Where
 * the clock was set back, one that was under way for as long as the step is not known from others.
 */
bool gm_clockstep_is_before(struct gm_clockstep *clockstep, int64_t measured_at);

#endif
