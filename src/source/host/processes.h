/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guests' processes: of machines qemu, found in /proc by its command line; of containers (lxc:///)
 * libvirt_lxc, found by the name that libvirt tells of, read by its control group. Many are read
 * through descriptors that stay open, the others are opened for each reading. A pid that is given again
 * is never mistaken for the one before: the start time tells. One thread.
 */
#ifndef GM_SOURCE_HOST_PROCESSES_H
#define GM_SOURCE_HOST_PROCESSES_H

#include "model/sample.h"
#include "source/host/names.h"

struct gm_host_processes;

/*
 * `proc` and `sys` are copied, `names` outlives it; `proportional`: ns between two readings of a machine's
 * proportional memory, 0: never. NULL: out of memory.
 */
struct gm_host_processes *gm_host_processes_create(const char *proc, const char *sys,
						   int64_t proportional, struct gm_heard *names);
void gm_host_processes_free(struct gm_host_processes *processes);

/*
 * Searches for guests that are new and forgets processes that are gone. 0 or a negative errno.
 * `buffer` is scratch space, here and below.
 */
int gm_host_processes_scan(struct gm_host_processes *processes, char *buffer, size_t size);

/* A frame for each guest that answers: resident memory, CPU time, threads. Their number. */
uint32_t gm_host_processes_read(struct gm_host_processes *processes, char *buffer, size_t size,
				struct gm_batch *batch);

#endif
