/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the node itself fares: errors that its hardware counted, and how long its tasks waited for CPU,
 * memory and disks (pressure stall information). Both are read more seldom than the rest, and left out
 * where the machine does not count them. One thread.
 */
#ifndef GM_SOURCE_HOST_HEALTH_H
#define GM_SOURCE_HOST_HEALTH_H

#include "model/sample.h"

struct gm_host_health {
	const char *proc, *sys;             /* outlive this */
	int64_t pressure_due, hardware_due; /* monotonic; 0: at once */
};

/*
 * Adds what is due at `now` (monotonic) to the open frame of `batch`, which is the node's. `buffer` is
 * scratch space.
 */
void gm_host_health_read(struct gm_host_health *health, int64_t now, char *buffer, size_t size,
			 struct gm_batch *batch);

#endif
