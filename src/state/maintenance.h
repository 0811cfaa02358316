/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maintenance that somebody has asked for, over a restart. What a target means is not looked into here.
 * Main thread only.
 */
#ifndef GM_STATE_MAINTENANCE_H
#define GM_STATE_MAINTENANCE_H

#include "state/state.h"

enum { GM_MAINTENANCE_KEEP = 256, GM_MAINTENANCE_TARGET = 256 };

struct gm_maintenance_row {
	int64_t id; /* given by add(), never twice */
	char target[GM_MAINTENANCE_TARGET];
	int64_t begin, end, made_at; /* ns since the epoch */
	char author[GM_AUTHOR];
	char comment[GM_COMMENT];
};

/* -ENOSPC: GM_MAINTENANCE_KEEP are there. */
int gm_state_maintenance_add(struct gm_state *state, const struct gm_maintenance_row *row,
			     int64_t *ret_id, struct gm_error *err);
/* -ENOENT: there is none of that id. */
int gm_state_maintenance_remove(struct gm_state *state, int64_t id, struct gm_error *err);
/* Calls `each` for all, by id; no other function of the state may be called meanwhile. Negative on failure. */
int gm_state_maintenance(struct gm_state *state,
			 void (*each)(void *user, const struct gm_maintenance_row *row), void *user,
			 struct gm_error *err);

#endif
