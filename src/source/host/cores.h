/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series for each CPU that is online and for each memory node: which there are, word to the sink of those
 * that come and go, and their figures. A CPU's are parts of the time between two readings. One thread.
 */
#ifndef GM_SOURCE_HOST_CORES_H
#define GM_SOURCE_HOST_CORES_H

#include "source/host/uneven.h"
#include "source/source.h"

enum { GM_HOST_NUMA_MAX = 128 }; /* of higher numbers nothing is told */

struct gm_host_cores {
	const char *sys;         /* where sysfs is mounted; outlives this */
	int64_t interval;        /* ns; 0: nothing is told */
	int64_t due;             /* monotonic */
	int64_t time;            /* of the reading; 0: it has been told, or there is none yet */
	struct gm_host_cpu *old; /* GM_HOST_CPUS_MAX each; NULL before the first reading */
	struct gm_host_cpu *now;
	bool nodes[GM_HOST_NUMA_MAX];
	uint32_t count;
};

/* Takes /proc/stat, true at `time`, when it is due at `now` (monotonic). It need not be whole. */
void gm_host_cores_take(struct gm_host_cores *cores, int64_t now, int64_t time, const char *stat,
			size_t length);

/* Tells of what was taken. How many CPUs and memory nodes there are. */
uint32_t gm_host_cores_tell(struct gm_host_cores *cores, struct gm_batch *batch,
			    const struct gm_source_sink *sink);

/* Forgets all without a word. */
void gm_host_cores_free(struct gm_host_cores *cores);

#endif
