/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel accounts to a guest as a whole, beside the statistics of its process: its control
 * group's memory and pressure (cgroups(7), version 1 and 2). The host source's thread only.
 *
 * A control group's memory is more than the process's: page cache and kernel memory count, too.
 */
#ifndef GM_SOURCE_HOST_ACCOUNT_H
#define GM_SOURCE_HOST_ACCOUNT_H

#include "model/sample.h"

struct gm_host_account {
	char *memory; /* the file that tells it; NULL: there is no control group of the guest's own */
	int memory_fd;        /* of it; -1: it is opened for each reading */
	char *folder;         /* of version 2, which tells of pressure; NULL: none */
	int64_t pressure_due; /* monotonic */
};

/*
 * Text and its length are those of the /proc/PID/cgroup. `sys`: where that file system is; `hold`: whether
 * a descriptor may stay open.
 */
void gm_host_account_open(struct gm_host_account *account, const char *sys, bool hold,
			  const char *text, size_t length);
void gm_host_account_close(struct gm_host_account *account);

/* Adds to the open frame of the guest what is due. `now`: monotonic. */
void gm_host_account_read(struct gm_host_account *account, int64_t now, char *buffer, size_t size,
			  struct gm_batch *batch);

#endif
