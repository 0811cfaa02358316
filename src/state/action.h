/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of actions: what was decided to be done about an alarm, and what became of it. One row for
 * an output and a transition, however often it is tried; durable when put() returns 0. Bounded by
 * GM_ACTIONS_KEEP (looked at now and then; what was withheld goes first) and by GM_ACTIONS_AGE. Main thread only.
 */
#ifndef GM_STATE_ACTION_H
#define GM_STATE_ACTION_H

#include "base/clock.h"
#include "state/state.h"

enum { GM_ACTIONS_KEEP = 10000, GM_ACTION_ANSWER = 256 };
#define GM_ACTIONS_AGE (90 * 86400 * GM_SECOND)

enum gm_action_state {
	GM_ACTION_DECIDED,  /* it is to be tried, or tried again */
	GM_ACTION_DRY,      /* that is what would have been done */
	GM_ACTION_WITHHELD, /* limits did not allow it, or the alarm was too old */
	GM_ACTION_SENT,     /* on its way, no answer yet */
	GM_ACTION_ACCEPTED,
	GM_ACTION_REFUSED,
	GM_ACTION_UNSURE, /* sent, and whether it was taken is not known */
	GM_ACTION_STATES
};
const char *gm_action_state_name(enum gm_action_state state); /* "decided", "dry-run", … */

struct gm_action_row {
	int64_t id;              /* given by put(), in the order in which they were decided */
	char output[48];         /* with the sequence number: what the row is found by */
	char action[96];         /* "live-migrate", … */
	char target[64];         /* the guest's UUID; or the node's name */
	char name[GM_NAME_SIZE]; /* the guest's, for people; or empty */
	char detector[GM_DETECTOR_NAME], rule[GM_RULE_NAME]; /* why */
	uint32_t alarm;
	uint64_t sequence; /* of the transition */
	enum gm_action_state state;
	unsigned attempts;
	int64_t made_at, changed_at; /* ns since the epoch */
	char answer[GM_ACTION_ANSWER];
};

/* -ENOENT: nothing was decided about that transition. */
int gm_state_action_get(struct gm_state *state, const char *output, uint64_t sequence,
			struct gm_action_row *ret_row);
/* Adds it, or changes state, attempts, time and answer of the one that is there. */
int gm_state_action_put(struct gm_state *state, const struct gm_action_row *row,
			struct gm_error *err);

/*
 * How many there are of row's output that changed after `since`, in one of `states` (bits, 1 << state); with
 * its target, if `target`; with its alarm, if `alarm`. The row itself, known by its sequence number, does
 * not count. -EIO.
 */
struct gm_action_query {
	int64_t since;
	unsigned states;
	bool target, alarm;
};
int64_t gm_state_actions_count(struct gm_state *state, const struct gm_action_row *row,
			       const struct gm_action_query *query);

/* Those of `output` on their way: their answer will never come; `answer` says why. */
int gm_state_actions_interrupted(struct gm_state *state, const char *output, int64_t now,
				 const char *answer);
/* Those that are decided since `before` and were not done: they are withheld; what was answered last follows. */
int gm_state_actions_outdated(struct gm_state *state, const char *output, int64_t before,
			      int64_t now, const char *answer);

/* Calls `each` for those decided after `since`, by id, as gm_state_lessons() does. How many, or negative. */
int gm_state_actions(struct gm_state *state, const char *output, int64_t since,
		     void (*each)(void *user, const struct gm_action_row *row), void *user,
		     struct gm_error *err); /* `output` "": of all */

#endif
