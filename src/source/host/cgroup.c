/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's control group; see cgroup.h. Called by host/account.c and host/container.c.
 *
 * Where libvirt puts a guest (libvirt's cgroups document): version 1
 * /machine/qemu-1-name.libvirt-qemu or /machine/lxc-2-name.libvirt-lxc, with systemd and version 2
 * /machine.slice/machine-qemu\x2d1\x2dname.scope/libvirt/emulator, whose memory is accounted further up.
 */
#include "source/host/cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "source/host/procfs.h"

enum { CLIMB_MAX = 3 };

/*
 * Whether a group is one guest's: a process that libvirt did not start shares its group with
 * others, whose memory is not the guest's.
 */
static bool is_of_a_guest(const char *path)
{
	const char *last = strrchr(path, '/');

	if (last == NULL || strcmp(last, "/machine") == 0 || strcmp(last, "/machine.slice") == 0) {
		return false;
	}
	return strstr(path, "/machine") != NULL || strstr(path, "/qemu-") != NULL ||
	       strstr(path, "/lxc-") != NULL;
}

/* From `path` upwards, which is cut. */
static bool open_nearest(const char *root, const char *file, char *path, struct gm_host_held *held,
			 struct gm_host_file *ret_file)
{
	char name[PATH_MAX];

	for (int i = 0; i < CLIMB_MAX && is_of_a_guest(path); i++) {
		int length = snprintf(name, sizeof(name), "%s%s/%s", root, path, file);

		if (length > 0 && length < PATH_MAX &&
		    gm_host_file_open(ret_file, name, held) == 0) {
			return true;
		}
		*strrchr(path, '/') = '\0';
	}
	return false;
}

static bool open_below(const struct gm_host_cgroup *group, const char *controller,
		       const char *below, const char *file, struct gm_host_held *held,
		       struct gm_host_file *ret_file)
{
	char path[GM_PROCFS_CGROUP_PATH], root[PATH_MAX];

	if (file == NULL || !gm_procfs_parse_cgroup(group->text, group->length, controller, path)) {
		return false;
	}
	snprintf(root, sizeof(root), "%s/fs/cgroup%s%s", group->sys, below[0] != '\0' ? "/" : "",
		 below);
	return open_nearest(root, file, path, held, ret_file);
}

enum gm_host_cgroup_version gm_host_cgroup_open(const struct gm_host_cgroup *group,
						const struct gm_host_cgroup_wish *wish,
						struct gm_host_held *held,
						struct gm_host_file *ret_file)
{
	*ret_file = GM_HOST_NO_FILE;
	if (open_below(group, wish->controller, wish->controller, wish->v1, held, ret_file)) {
		return GM_HOST_CGROUP_V1;
	}
	if (open_below(group, NULL, "", wish->v2, held, ret_file) ||
	    open_below(group, NULL, "unified", wish->v2, held, ret_file)) {
		return GM_HOST_CGROUP_V2;
	}
	return GM_HOST_CGROUP_NONE;
}
