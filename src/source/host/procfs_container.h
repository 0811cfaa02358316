/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of /proc from which a container of libvirt's is known (lxc:///). Pure, as procfs.h. What runs
 * inside of a container is on the node's list of processes, too, and calls itself what it likes.
 */
#ifndef GM_SOURCE_HOST_PROCFS_CONTAINER_H
#define GM_SOURCE_HOST_PROCFS_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/entity.h"

/*
 * /proc/PID/cmdline: that of libvirt_lxc, the process that holds a container together, has "--name" and
 * the name, as GM_NAME_SIZE cuts it. 0 or -ENOENT.
 */
int gm_procfs_parse_container(const char *text, size_t length, char name[GM_NAME_SIZE]);

/* /proc/PID/status: it is root's, and of the node's own namespace of processes: not of a container. */
bool gm_procfs_is_trusted(const char *text, size_t length);

/* /proc/PID/cgroup: the process is in the group of a container of libvirt's. */
bool gm_procfs_in_container(const char *text, size_t length);

#endif
