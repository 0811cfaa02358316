/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See clockstep.h. Called by intake.c.
 */
#include "daemon/clockstep.h"

#include "base/clock.h"

/* The same moment by the new clock; 0 stays "never". */
static void shift(int64_t *time, int64_t step)
{
	if (*time != 0)
		*time += step;
}

static void shift_all(struct gm_tracked *tracked, int64_t step)
{
	shift(&tracked->first_at, step);
	shift(&tracked->moved_at, step);
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		shift(&tracked->newest[id], step);
		shift(&tracked->precedence.tellers[id].newest, step);
	}
	/* Their rates go on: nothing but the last reading is kept. */
	for (size_t i = 0; i < tracked->vcpu_count; i++)
		shift(&tracked->vcpus[i].told_at, step);
}

void gm_clockstep_take(struct gm_clockstep *clockstep, struct gm_entities *entities, int64_t step,
		       int64_t now)
{
	*clockstep = (struct gm_clockstep){.step = step, .at = now};
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		gm_window_stepped(tracked->window);
		shift_all(tracked, step);
	}
}

bool gm_clockstep_is_before(struct gm_clockstep *clockstep, int64_t measured_at)
{
	if (clockstep->step == 0)
		return false;
	if (clockstep->step > 0)
		return measured_at < clockstep->at;
	int64_t now = gm_clock_now();
	/* The new clock has come to where the old one was. */
	if (now >= clockstep->at - clockstep->step)
		clockstep->step = 0;
	return measured_at > now;
}
