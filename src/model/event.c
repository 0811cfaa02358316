/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of sources and guest events; see event.h.
 */
#include "model/event.h"

const char *gm_source_name(enum gm_source_id id)
{
	static const char *const names[GM_SOURCE_COUNT] = {
		[GM_SOURCE_LIBVIRT] = "libvirt",
		[GM_SOURCE_LIBVIRT_SLOW] = "libvirt-slow",
		[GM_SOURCE_TAP] = "tap",
		[GM_SOURCE_HOST] = "host",
		[GM_SOURCE_SNMP] = "snmp",
		[GM_SOURCE_LIBVIRT_2] = "libvirt-2",
		[GM_SOURCE_LIBVIRT_2_SLOW] = "libvirt-2-slow",
		[GM_SOURCE_LIBVIRT_3] = "libvirt-3",
		[GM_SOURCE_LIBVIRT_3_SLOW] = "libvirt-3-slow",
		[GM_SOURCE_LIBVIRT_4] = "libvirt-4",
		[GM_SOURCE_LIBVIRT_4_SLOW] = "libvirt-4-slow",
	};
	return id < GM_SOURCE_COUNT ? names[id] : "?";
}

int gm_source_uri(enum gm_source_id id)
{
	if (id == GM_SOURCE_LIBVIRT || id == GM_SOURCE_LIBVIRT_SLOW)
		return 0;
	if (id < GM_SOURCE_LIBVIRT_2 || id > GM_SOURCE_LIBVIRT_4_SLOW)
		return -1;
	return 1 + (int)(id - GM_SOURCE_LIBVIRT_2) / 2;
}

enum gm_source_id gm_source_libvirt(unsigned uri, bool slow)
{
	unsigned first = uri == 0 ? GM_SOURCE_LIBVIRT : GM_SOURCE_LIBVIRT_2 + 2 * (uri - 1);
	return (enum gm_source_id)(first + slow);
}

const char *gm_guest_event_name(enum gm_guest_event_kind kind)
{
	static const char *const names[] = {
		[GM_GUEST_STARTED] = "started",
		[GM_GUEST_STOPPED] = "stopped",
		[GM_GUEST_CRASHED] = "crashed",
		[GM_GUEST_SUSPENDED] = "suspended",
		[GM_GUEST_RESUMED] = "resumed",
		[GM_GUEST_REBOOTED] = "rebooted",
		[GM_GUEST_MIGRATED] = "migrated",
		[GM_GUEST_BALLOON] = "balloon changed",
		[GM_GUEST_SNMPD_STARTED] = "snmpd started",
		[GM_GUEST_LINK_DOWN] = "link down inside",
		[GM_GUEST_LINK_UP] = "link up inside",
		[GM_GUEST_NOTIFIED] = "notification",
		[GM_GUEST_DEVICE_ADDED] = "device added",
		[GM_GUEST_DEVICE_REMOVED] = "device removed",
		[GM_GUEST_MIGRATING] = "migrating",
		[GM_GUEST_WATCHDOG] = "watchdog fired",
		[GM_GUEST_IO_ERROR] = "I/O error",
		[GM_GUEST_CONTROL_ERROR] = "monitor broken",
		[GM_GUEST_MEMORY_FAILURE] = "memory failure",
		[GM_GUEST_AGENT_UP] = "agent up",
		[GM_GUEST_AGENT_DOWN] = "agent down",
		[GM_GUEST_UNDEFINED] = "undefined",
		[GM_GUEST_MOVING] = "moving",
		[GM_GUEST_STAYED] = "stayed",
	};
	return (unsigned)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}
