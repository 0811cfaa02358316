# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What every part of the lab uses: messages, the state directory, waiting with a deadline.

say()
{
	printf 'lab: %s\n' "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# As die, with the status by which tests are skipped: for what this machine cannot get.
die_lacking()
{
	say "$*"
	exit 77
}

# Sets $state. A unix socket's path has 108 bytes at most (unix(7)), and the longest of ours is
# /guests/NN/control.sock below it.
state_set()
{
	if [ "$(id -u)" -ne 0 ]; then
		die "must be run as root: it makes namespaces, taps and guests"
	fi
	mkdir -p "$1"
	state=$(cd "$1" && pwd -P)
	if [ ${#state} -gt 80 ]; then
		die "the state directory's path is too long for unix sockets: $state"
	fi
	case $state in
	/ | /run | /run/* | /var/run/* | /dev/* | /sys/* | /proc/*)
		die "$state cannot be a state directory: choose one under /var/tmp"
		;;
	esac
}

# wait_for SECONDS COMMAND...: true as soon as the command is, false after SECONDS.
wait_for()
{
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $deadline ]; then
			return 1
		fi
		sleep 0.1
	done
}

# A process by its id and start time, which no later process shares. Status 1 when it has ended.
process_identity()
{
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# The name in parentheses may hold anything; field 22 is the start time (proc(5)).
	stat=${stat##*) }
	local fields
	read -r -a fields <<<"$stat"
	if [ "${fields[0]}" = Z ]; then
		return 1
	fi
	printf '%s %s\n' "$1" "${fields[19]}"
}
