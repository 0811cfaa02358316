/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container of libvirt's (lxc:///) as the node sees it: CPU time, anonymous memory and threads of its
 * control group, or, where that cannot be read, of the processes below the one that holds it together.
 * One thread.
 */
#ifndef GM_SOURCE_HOST_CONTAINER_H
#define GM_SOURCE_HOST_CONTAINER_H

#include "model/sample.h"
#include "source/host/account.h"

struct gm_host_container;

/* `proc` outlives it; `pid` is libvirt_lxc's, `group` where that is. NULL: out of memory. */
struct gm_host_container *gm_host_container_create(const char *proc, int pid,
						   const struct gm_host_cgroup *group,
						   struct gm_host_held *held);
void gm_host_container_free(struct gm_host_container *container, struct gm_host_held *held);

/* Who is in it now, where that matters: about once a second. `buffer` is scratch space, here and below. */
void gm_host_container_search(struct gm_host_container *container, char *buffer, size_t size);

/*
 * A frame of the guest `uuid` with what is due at `now` (monotonic), memory and pressure of its `account`
 * included. False: its control group is gone, and it with that.
 */
bool gm_host_container_read(struct gm_host_container *container, const uint8_t uuid[GM_UUID_SIZE],
			    struct gm_host_account *account, int64_t now, char *buffer, size_t size,
			    struct gm_batch *batch);

#endif
