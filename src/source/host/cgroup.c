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

/* The names of guests' own groups, and what those of partitions, which may be called anything, end with. */
static const char *const of_guests[] = {"qemu-", "lxc-", "machine-qemu", "machine-lxc"};
static const char *const of_partitions[] = {".partition", ".slice"};

static bool is_a_guests(const char *part, size_t length)
{
	bool is = false;

	for (size_t i = 0; i < sizeof(of_guests) / sizeof(of_guests[0]); i++) {
		size_t own = strlen(of_guests[i]);

		is |= length > own && memcmp(part, of_guests[i], own) == 0;
	}
	for (size_t i = 0; i < sizeof(of_partitions) / sizeof(of_partitions[0]); i++) {
		size_t own = strlen(of_partitions[i]);

		is &= length < own || memcmp(part + length - own, of_partitions[i], own) != 0;
	}
	return is;
}

/*
 * Whether a group is one guest's, or inside of it: a process that libvirt did not start shares its group
 * with others, whose memory is not the guest's; and so do guests their partition.
 */
static bool is_of_a_guest(const char *path)
{
	while (*path != '\0') {
		size_t length = strcspn(path, "/");

		if (is_a_guests(path, length)) {
			return true;
		}
		path += length;
		path += *path == '/';
	}
	return false;
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
