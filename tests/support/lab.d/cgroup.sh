# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $state, $here, $repo and lab_* are set by lab and its parts
#
# Control groups for the lab, on request (LAB_CGROUPS=yes at `lab up`): libvirt's containers cannot do without
# them. Everything in the lab lives in a group of the lab's own in each hierarchy and in a cgroup
# namespace that begins there, so that libvirt's groups are below it and go with it.

readonly cgroup_controllers="cpuset memory cpu cpuacct devices freezer blkio pids name=systemd"

# The mount point of a controller's hierarchy (version 1) outside.
cgroup_mount()
{
	awk -v name="$1" '$3 == "cgroup" && ("," $4 ",") ~ ("," name ",") { print $2; exit }' /proc/mounts
}

# Makes the groups; their list is what the functions below look for.
cgroup_make()
{
	rm -f "$state/etc/cgroups"
	[ "${LAB_CGROUPS:-}" = yes ] || return 0
	local controller mount group name
	name=gmlab-$(printf '%s' "$state" | cksum | cut -d' ' -f1)
	for controller in $cgroup_controllers; do
		mount=$(cgroup_mount "$controller")
		[ -n "$mount" ] || die "no control groups of version 1 with $controller: containers need them"
		group=$mount/$name
		mkdir -p "$group"
		[ "$controller" != cpuset ] || cgroup_inherit "$mount" "$group"
		echo "$group" >>"$state/etc/cgroups"
	done
}

# A new group of this hierarchy has no processor and no memory, and takes no process.
cgroup_inherit()
{
	local file
	for file in cpuset.cpus cpuset.mems; do
		cat "$1/$file" >"$2/$file"
	done
}

# Moves this process, and so all that it starts, to the lab's groups.
cgroup_enter()
{
	local group
	[ -e "$state/etc/cgroups" ] || return 0
	while read -r group; do
		echo "$BASHPID" >"$group/cgroup.procs"
	done <"$state/etc/cgroups"
}

# Inside: the hierarchies as they are seen from the namespace.
cgroup_mounts()
{
	local controller
	[ -e "$state/etc/cgroups" ] || return 0
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
	for controller in $cgroup_controllers; do
		mkdir "/sys/fs/cgroup/${controller#name=}"
		mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/${controller#name=}"
	done
}

# When all processes are gone, the innermost first.
cgroup_remove()
{
	local group
	[ -e "$state/etc/cgroups" ] || return 0
	while read -r group; do
		[ ! -d "$group" ] || wait_for 5 find "$group" -depth -type d -exec rmdir {} + || true
	done <"$state/etc/cgroups"
	rm -f "$state/etc/cgroups"
}

# What libvirt's qemu driver may use, as its configuration writes it: what a node's would measure with.
cgroup_of_guests()
{
	[ ! -e "$state/etc/cgroups" ] || printf '"memory", "cpuacct"'
}
