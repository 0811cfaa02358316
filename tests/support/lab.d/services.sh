# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $state, $here, $repo and lab_* are set by lab and its parts
#
# The lab's daemons: redis-server, snmptrapd, snmpd and libvirtd, each in the foreground with its
# configuration and log in the state directory; and any other program that a test spawns like them.

readonly service_names="redis snmptrapd snmpd libvirtd"

services_configure()
{
	configure_redis
	configure_snmptrapd
	configure_snmpd
	configure_libvirtd
}

# In memory alone: after a kill -9 everything is lost, which is the hardest case for its client.
configure_redis()
{
	cat >"$state/etc/redis.conf" <<-END
		bind 127.0.0.1
		port 6379
		unixsocket $state/run/redis.sock
		dir $state/redis
		save ""
		appendonly no
		maxmemory 256mb
		maxmemory-policy noeviction
	END
}

configure_snmptrapd()
{
	cat >"$state/etc/snmptrapd.conf" <<-END
		snmpTrapdAddr udp:127.0.0.1:1162
		authCommunity log public
		doNotLogTraps no
	END
	: >"$state/etc/snmp.conf"
}

configure_snmpd()
{
	cat >"$state/etc/snmpd.conf" <<-END
		agentAddress udp:127.0.0.1:1161
		master agentx
		agentXSocket unix:$state/run/agentx.sock
		view all included .1
		rocommunity public 127.0.0.1 -V all
		trap2sink 127.0.0.1:1162 public
		sysLocation guestmon lab
	END
}

# Guests run as root: they are ours, and nothing then depends on who may enter which directory.
configure_libvirtd()
{
	cat >"$state/libvirt/etc/libvirtd.conf" <<-END
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
		log_outputs = "3:stderr"
	END
	cat >"$state/libvirt/etc/qemu.conf" <<-END
		user = "root"
		group = "root"
		dynamic_ownership = 0
		remember_owner = 0
		security_driver = "none"
		namespaces = [ ]
		cgroup_controllers = [ $(cgroup_of_guests) ]
		stdio_handler = "file"
	END
}

# service_spawn NAME COMMAND...: in the foreground of a session of its own.
service_spawn()
{
	local name=$1
	shift
	if service_alive "$name"; then
		die "$name runs already"
	fi
	# shellcheck disable=SC2016 # $$ is the process inside
	space_exec setsid sh -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec "$@"' \
		"$state/run/$name.pid" "$@" </dev/null >>"$state/log/$name.log" 2>&1 &
	if ! wait_for 5 service_alive "$name"; then
		tail -n 20 "$state/log/$name.log" >&2
		die "$name did not start: $state/log/$name.log"
	fi
}

# A process whose first thread has ended is none of which others are still ending: what it locked is not free yet.
service_alive()
{
	local pid
	pid=$(cat "$state/run/$1.pid" 2>/dev/null) || return 1
	# shellcheck disable=SC2016 # expanded inside
	space_exec sh -c 'kill -0 "$0" && { ! grep -q "^State:.Z" "/proc/$0/status" ||
		[ "$(ls "/proc/$0/task" | wc -l)" -gt 1 ]; }' "$pid" 2>/dev/null
}

service_is_gone()
{
	! service_alive "$1"
}

service_signal()
{
	local pid
	pid=$(cat "$state/run/$1.pid" 2>/dev/null) || die "no service $1"
	# shellcheck disable=SC2016 # expanded inside
	space_exec sh -c 'kill -s "$0" "$1"' "$2" "$pid"
}

service_start()
{
	case " $service_names " in
	*" $1 "*) "start_$1" ;;
	*) die "no service $1: there are $service_names" ;;
	esac
	if ! wait_for 20 "answers_$1"; then
		tail -n 20 "$state/log/$1.log" >&2
		die "$1 does not answer: $state/log/$1.log"
	fi
}

service_stop()
{
	service_alive "$1" || return 0
	service_signal "$1" TERM
	wait_for 20 service_is_gone "$1" || die "$1 does not end"
	rm -f "$state/run/$1.pid"
}

service_kill()
{
	service_signal "$1" KILL
	wait_for 5 service_is_gone "$1" || die "$1 does not end"
	rm -f "$state/run/$1.pid"
}

service_restart()
{
	service_stop "$1"
	service_start "$1"
}

start_redis()
{
	service_spawn redis redis-server "$state/etc/redis.conf"
}

answers_redis()
{
	space_exec redis-cli -s "$state/run/redis.sock" ping
}

# One record a trap; tests/functional/traps.py reads it back.
start_snmptrapd()
{
	service_spawn snmptrapd snmptrapd -f -n -C -c "$state/etc/snmptrapd.conf" \
		-Lf "$state/log/traps.log" \
		-F 'TRAP %04.4y-%02.2m-%02.2lT%02.2h:%02.2j:%02.2k %B\n    %V\n    %v\nEND\n'
}

answers_snmptrapd()
{
	grep -q NET-SNMP "$state/log/traps.log"
}

start_snmpd()
{
	service_spawn snmpd snmpd -f -LE 4 -C -c "$state/etc/snmpd.conf" \
		-I -smux,mteTrigger,mteTriggerConf
}

answers_snmpd()
{
	space_exec snmpget -v2c -c public -t 1 -r 0 127.0.0.1:1161 .1.3.6.1.2.1.1.3.0
}

start_libvirtd()
{
	service_spawn libvirtd libvirtd --config /etc/libvirt/libvirtd.conf --pid-file "$state/run/libvirtd.lock"
}

answers_libvirtd()
{
	space_exec virsh -q list
}
