/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often the disks of a guest failed, as libvirt's events tell it. They name a disk as the hypervisor
 * does; what is known under that name may come later. Main thread only.
 *
 * A guest can make its disks fail as often as it likes: counting costs a look at a few names, and no more
 * than GM_DISK_FAULTS of them are kept.
 */
#ifndef GM_DAEMON_DISK_FAULTS_H
#define GM_DAEMON_DISK_FAULTS_H

#include <stdint.h>

#include "model/entity.h"

enum { GM_DISK_FAULTS = 32 };

struct gm_disk_fault {
	char alias[GM_DISK_ALIAS];
	uint64_t count;
	int64_t at; /* the newest */
};

struct gm_disk_faults; /* of one guest */

/*
 * Counts one for the disk that `detail`, an event's, begins with, and makes *faults where there are none yet.
 * Without memory nothing is counted; without room the disk is forgotten whose newest is the oldest.
 */
void gm_disk_faults_count(struct gm_disk_faults **faults, const char *detail, int64_t time);

/* The disk of that name is taken away: another that comes by the name has not failed. `faults` may be NULL. */
void gm_disk_faults_forget(struct gm_disk_faults *faults, const char *alias);
void gm_disk_faults_free(struct gm_disk_faults *faults); /* NULL-safe */

/* NULL: it has not failed. `faults` may be NULL. */
const struct gm_disk_fault *gm_disk_faults_find(const struct gm_disk_faults *faults,
						const char *alias);

#endif
