/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel accounts to a guest as a whole, beside the statistics of its process: its control
 * group's memory and pressure (host/cgroup.h). The host source's thread only.
 *
 * A control group's memory is more than the process's: page cache and kernel memory count, too.
 */
#ifndef GM_SOURCE_HOST_ACCOUNT_H
#define GM_SOURCE_HOST_ACCOUNT_H

#include "model/sample.h"
#include "source/host/cgroup.h"

struct gm_host_account {
	struct gm_host_file memory; /* none: there is no control group of the guest's own */
	char *folder;               /* of version 2, which tells of pressure; NULL: none */
	int64_t pressure_due;       /* monotonic */
	uint64_t bytes;             /* of the last reading */
};

void gm_host_account_open(struct gm_host_account *account, const struct gm_host_cgroup *group,
			  struct gm_host_held *held);
void gm_host_account_close(struct gm_host_account *account, struct gm_host_held *held);

/*
 * Adds to the open frame of the guest what is due. `now`: monotonic. 0, or a negative errno when the
 * memory was not told.
 */
int gm_host_account_read(struct gm_host_account *account, int64_t now, char *buffer, size_t size,
			 struct gm_batch *batch);

#endif
