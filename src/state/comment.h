/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people said of alarms. A comment is kept in the transaction of the transition that tells it, and
 * as long as its alarm is active or the journal reaches back to it: of one alarm the newest
 * GM_COMMENTS_KEEP. Main thread only.
 */
#ifndef GM_STATE_COMMENT_H
#define GM_STATE_COMMENT_H

#include "state/state.h"

enum { GM_COMMENTS_KEEP = 100 };

struct gm_comment_row {
	uint32_t alarm, number; /* the alarm's id; from 1 for each alarm */
	int64_t time;
	const char *author, *text; /* valid during the call */
};

/*
 * Calls `each` for the comments on alarm `id` (0: on all), in order; no other function of the state may be
 * called meanwhile. Returns how many, or negative.
 */
int gm_state_comments(struct gm_state *state, uint32_t id,
		      void (*each)(void *user, const struct gm_comment_row *row), void *user,
		      struct gm_error *err);

#endif
