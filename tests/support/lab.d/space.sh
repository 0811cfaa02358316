# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $state, $here, $repo and lab_* are set by lab and its parts
#
# The namespaces that the lab lives in: network, mount, process, host name and IPC. The process namespace is
# what makes it end cleanly: when its first process dies, the kernel kills every other process in it,
# and with the last of them go the bridge, the taps and the mounts.

readonly lab_bridge=gmlab0
readonly lab_network=10.77.0

# The id of the lab's first process as seen from outside, if it still runs.
space_pid()
{
	local pid start
	read -r pid start 2>/dev/null <"$state/run/space" || return 1
	[ "$(process_identity "$pid")" = "$pid $start" ] || return 1
	printf '%s\n' "$pid"
}

space_exists()
{
	space_pid >/dev/null
}

# space_make OWNER: OWNER may be empty.
space_make()
{
	rm -rf "${state:?}/run" "${state:?}/libvirt" "${state:?}/guests" "${state:?}/redis" \
		"${state:?}/snmp" "${state:?}/log" "${state:?}/guestmon"
	mkdir -p "$state"/{run,log,etc,guests,redis,snmp,guestmon} \
		"$state"/libvirt/{run,lib,etc,log,cache}
	cgroup_make
	(
		cgroup_enter
		exec setsid unshare --mount --uts --net --pid --ipc --cgroup --fork --kill-child \
			--mount-proc --propagation private "$here/lab" space-init "$state"
	) </dev/null >"$state/log/space.log" 2>&1 &
	local outer=$!
	if ! wait_for 10 test -e "$state/run/ready"; then
		cat "$state/log/space.log" >&2
		kill -KILL $outer
		die "cannot make the namespaces"
	fi
	local first=""
	# No newline at its end: read fails though it has read.
	read -r first _ <"/proc/$outer/task/$outer/children" || [ -n "$first" ]
	process_identity "$first" >"$state/run/space"
	if [ -n "$1" ]; then
		space_watch "$1"
	fi
}

# Ends the lab when process $1 has ended, however it did; goes when the lab goes.
space_watch()
{
	setsid "$here/lab" space-watch "$state" "$1" "$(process_identity "$1")" \
		"$(cat "$state/run/space")" </dev/null >>"$state/log/space.log" 2>&1 &
}

# space_watching OWNER IDENTITY LAB: both as process_identity tells them, so that neither a reused
# process id nor a later lab in the same directory is taken for what it is not.
space_watching()
{
	while [ "$(cat "$state/run/space" 2>/dev/null)" = "$3" ] && space_exists; do
		if [ "$(process_identity "$1")" != "$2" ]; then
			space_end
			return
		fi
		sleep 0.5
	done
}

# Everything below the first process, seen from inside.
space_init()
{
	# libvirt migrates to no host of its own name.
	hostname "gmlab-$(printf '%s' "$state" | cksum | cut -d' ' -f1)"
	space_mounts
	space_network
	touch "$state/run/ready"
	# As the first process of its namespace bash also reaps what others leave behind.
	while :; do
		sleep 3600 &
		wait $! || true
	done
}

# libvirt's fixed directories become ours. A fresh /sys shows this network namespace's devices, and
# without the cgroup trees below it libvirt makes no cgroups that would outlive us (cgroup.sh where it must).
space_mounts()
{
	mount -t sysfs sysfs /sys
	cgroup_mounts
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/libvirt /run/lock
	mount --bind "$state/libvirt/run" /run/libvirt
	local name
	for name in lib log cache; do
		mount --bind "$state/libvirt/$name" "/var/$name/libvirt"
	done
	mount --bind "$state/libvirt/etc" /etc/libvirt
}

space_network()
{
	ip link set lo up
	ip link add "$lab_bridge" type bridge
	# No spanning tree and no IPv6 chatter: a tap's counters move only when a test says so.
	ip link set "$lab_bridge" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	ip address add "$lab_network.1/24" dev "$lab_bridge"
	ip link set "$lab_bridge" up
}

# Runs a command inside, with the settings that keep SNMP tools and virsh off the system's files.
space_exec()
{
	local pid
	pid=$(space_pid) || die "no lab runs in $state: lab up $state"
	cgroup_enter
	nsenter --target "$pid" --mount --uts --net --pid --ipc --cgroup -- env \
		LIBVIRT_DEFAULT_URI=qemu:///system \
		SNMPCONFPATH="$state/etc" SNMP_PERSISTENT_DIR="$state/snmp" \
		MIBDIRS="$repo/mibs:$repo/mibs/compat" MIBS="$(space_mibs)" \
		"$@"
}

space_mibs()
{
	local list="" name
	for name in SNMPv2-MIB GUESTMON-MIB VM-MIB; do
		if [ -e "$repo/mibs/$name.txt" ] || [ -e "$repo/mibs/compat/$name.txt" ]; then
			list=${list:+$list:}$name
		fi
	done
	printf '%s\n' "$list"
}

space_end()
{
	local pid
	if pid=$(space_pid); then
		kill -KILL "$pid"
		wait_for 10 space_is_gone "$pid" || die "process $pid of the lab does not end"
	fi
	cgroup_remove
	rm -rf "${state:?}/run"
	find "$state/guests" -type s -delete 2>/dev/null || true
}

space_is_gone()
{
	! kill -0 "$1"
}
