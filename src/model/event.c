/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of sources and guest events; see event.h.
 */
#include "model/event.h"

const char *gm_source_name(enum gm_source_id id)
{
	static const char *const names[GM_SOURCE_COUNT] = {
		[GM_SOURCE_LIBVIRT] = "libvirt", [GM_SOURCE_LIBVIRT_SLOW] = "libvirt-slow",
		[GM_SOURCE_TAP] = "tap",         [GM_SOURCE_HOST] = "host",
		[GM_SOURCE_SNMP] = "snmp",
	};
	return id < GM_SOURCE_COUNT ? names[id] : "?";
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
	};
	return (unsigned)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}
