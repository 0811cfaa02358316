/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sums over the node hide: how busy its busiest CPU is, and how little memory is left on the memory
 * node that has the least. A single queue of a NIC or a pinned vCPU fills one CPU of many; a guest bound to
 * a memory node runs out there while others have plenty. One thread.
 */
#ifndef GM_SOURCE_HOST_UNEVEN_H
#define GM_SOURCE_HOST_UNEVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/note.h"
#include "model/sample.h"

/*
 * Of one CPU; those beyond GM_HOST_CPUS_MAX are left out. Clock ticks since the start, but for what proc(5)
 * takes back of the idle ones.
 */
struct gm_host_cpu {
	uint64_t busy, all;           /* 0, 0: there is none of that number */
	uint64_t system, wait, steal; /* the first and the last are busy, too */
};

struct gm_host_uneven {
	const char *sys; /* where sysfs is mounted; outlives this */
	int64_t due;     /* monotonic */
	bool known;      /* `cpus` is of a reading */
	struct gm_host_cpu cpus[GM_HOST_CPUS_MAX];
};

/*
 * About once a second, whatever `now` (monotonic) says in between: adds to the batch's open frame what
 * /proc/stat, the text, and the memory nodes' meminfo tell. The text need not be whole.
 */
void gm_host_uneven_read(struct gm_host_uneven *uneven, int64_t now, const char *stat,
			 size_t length, struct gm_batch *batch);

/* Pure. The lines of single CPUs by their numbers; `cpus` holds GM_HOST_CPUS_MAX. */
void gm_host_parse_cpus(const char *stat, size_t length, struct gm_host_cpu *cpus);

/* Pure. Bytes of "Node 1 MemFree:  123 kB", by that name; false when no finished line tells them. */
bool gm_host_parse_node(const char *meminfo, size_t length, const char *name, uint64_t *ret_bytes);

/*
 * Reads the meminfo of each memory node below `sys`, in no order; length 0: it is there, and cannot be read. 0 or
 * a negative errno: not all could be listed.
 */
int gm_host_each_node(const char *sys,
		      void (*each)(void *user, uint32_t number, const char *meminfo, size_t length),
		      void *user);

#endif
