/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon tells of itself: its CPU time, its memory, the rate of samples, its store and clock.
 */
#ifndef GM_DAEMON_SELFWATCH_H
#define GM_DAEMON_SELFWATCH_H

#include "model/snapshot.h"
#include "store/store.h"

struct gm_selfwatch {
	int64_t time; /* monotonic, of the last update */
	uint64_t readings;
};

void gm_selfwatch_init(struct gm_agent_row *agent, const char *node, uint32_t boots);

/* Fills what is told of the store. */
void gm_selfwatch_store(struct gm_store *store, struct gm_agent_row *agent);

/* Follows the wall clock; a step of it is logged and returned (base/clock.h). About once a second. */
int64_t gm_selfwatch_clock(void);

/* Fills cpu_ns, resident and sample_rate. About once a second. */
void gm_selfwatch_update(struct gm_selfwatch *watch, uint64_t readings, struct gm_agent_row *agent);

#endif
