# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $state, $here, $repo and lab_* are set by lab and its parts
#
# A configuration of guestmond for the lab. What is not set here has its default: the lab is to show
# what ships.

# guestmon_config [SECTION.KEY=VALUE...]: the last of several settings of one key holds.
guestmon_config()
{
	printf '%s\n' \
		node.name=lab \
		log.level=info \
		state.directory="$state/guestmon" \
		control.socket="$state/run/guestmon.sock" \
		libvirt.uri=qemu:///system \
		redis.enabled=yes \
		redis.socket="$state/run/redis.sock" \
		snmp.agentx-socket="$state/run/agentx.sock" \
		burst.port-rate=100M \
		"$@" |
		awk '{
			dot = index($0, "."); equals = index($0, "=")
			section = substr($0, 1, dot - 1)
			key = substr($0, dot + 1, equals - dot - 1)
			if (!(section in keys))
				order[++sections] = section
			if (!((section, key) in value))
				keys[section] = keys[section] " " key
			value[section, key] = substr($0, equals + 1)
		}
		END {
			for (i = 1; i <= sections; i++) {
				print order[i] ":"
				count = split(keys[order[i]], list, " ")
				for (j = 1; j <= count; j++)
					printf "  %s: \"%s\"\n", list[j], value[order[i], list[j]]
			}
		}'
}
