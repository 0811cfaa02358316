/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of several sources is believed where they tell the same series of one guest: its memory, as the
 * balloon reports it and as the guest's snmpd does. One tells it at a time, the one that tells it more
 * often; when that one falls silent, the next. Pure; used by intake.c alone.
 */
#ifndef GM_DAEMON_PRECEDENCE_H
#define GM_DAEMON_PRECEDENCE_H

#include <stdbool.h>

#include "model/event.h"
#include "model/sample.h"

/* Zero-initialised: nobody has told anything. */
struct gm_precedence {
	struct {
		int64_t newest; /* measured_at; 0: it has told nothing */
		int64_t usual;  /* ns between two of its frames, smoothed; 0: not known yet */
	} tellers[GM_SOURCE_COUNT];
};

/* Whether several sources may tell this metric of a guest. Gauges only: counters differ by source. */
bool gm_precedence_shared(unsigned metric);

/*
 * Notes that `source` has told shared metrics, true at `measured_at`, and says whether to take them. Of
 * two that are alive the one with half the other's interval or less is taken, otherwise the one
 * that comes first in enum gm_source_id. One is alive for three of its intervals and a second; not one
 * whose last was true more than a second after `now`: the clock was set back since.
 */
bool gm_precedence_take(struct gm_precedence *precedence, enum gm_source_id source,
			int64_t measured_at, int64_t now);

/*
 * What is left of a guest's frame without the shared metrics that another source tells: into `kept`, which has
 * room for all of `readings` and may not be them; returns how many. `now` as above.
 */
uint16_t gm_precedence_keep(struct gm_precedence *precedence, enum gm_source_id source, int64_t now,
			    const struct gm_frame *frame, const struct gm_reading *readings,
			    struct gm_reading *kept);

#endif
