/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the control group of a guest's own is, and its files (cgroups(7), version 1 and 2). The paths
 * are taken as the kernel tells them, whatever libvirt and systemd made of a guest's name.
 */
#ifndef GM_SOURCE_HOST_CGROUP_H
#define GM_SOURCE_HOST_CGROUP_H

#include "source/host/files.h"

/* Where a process is: the contents of its /proc/PID/cgroup, and where the sys file system is. */
struct gm_host_cgroup {
	const char *sys, *text;
	size_t length;
};

/* What is wanted: in version 1 a file of a controller's hierarchy, in version 2 another one. NULL: none. */
struct gm_host_cgroup_wish {
	const char *controller, *v1, *v2;
};

enum gm_host_cgroup_version { GM_HOST_CGROUP_NONE, GM_HOST_CGROUP_V1, GM_HOST_CGROUP_V2 };

/*
 * Opens it in the nearest group upwards that has it and is the guest's alone. GM_HOST_CGROUP_NONE: there
 * is none, *ret_file is GM_HOST_NO_FILE.
 */
enum gm_host_cgroup_version gm_host_cgroup_open(const struct gm_host_cgroup *group,
						const struct gm_host_cgroup_wish *wish,
						struct gm_host_held *held,
						struct gm_host_file *ret_file);

#endif
