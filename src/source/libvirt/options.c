/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table of both lanes. It only describes; the daemon's configuration reads it.
 */
#include "source/libvirt/libvirt.h"

#define AT(member) GM_OPTION_AT(struct gm_libvirt_options, member)

const struct gm_option gm_libvirt_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 AT(enabled),
	 .fallback = "true",
	 .help = "Read guests through libvirt."},
	{.key = "uri",
	 .type = GM_OPTION_TEXT,
	 AT(uri),
	 .fallback = "qemu:///system",
	 .help = "The libvirt connection, as virsh -c takes it."},
	{.key = "interval",
	 .type = GM_OPTION_DURATION,
	 AT(interval),
	 .min = 10e6,
	 .max = 3600e9,
	 .fallback = "100ms",
	 .help = "Time between two readings of state and interfaces."},
	{.key = "slow-interval",
	 .type = GM_OPTION_DURATION,
	 AT(slow_interval),
	 .min = 100e6,
	 .max = 3600e9,
	 .fallback = "1s",
	 .help = "Time between two readings of balloon, vCPUs and disks, which ask the guest's "
		 "monitor."},
	{.key = "slow-workers",
	 .type = GM_OPTION_INT,
	 AT(slow_workers),
	 .min = 1,
	 .max = 8,
	 .fallback = "2",
	 .help = "Connections for the slow readings: one more than the hung guests to be "
		 "survived."},
	{.key = "slow-deadline",
	 .type = GM_OPTION_DURATION,
	 AT(slow_deadline),
	 .min = 100e6,
	 .max = 60e9,
	 .fallback = "2s",
	 .help = "After this time a slow reading is left alone and its answer dropped."},
	{.key = "balloon-period",
	 .type = GM_OPTION_DURATION,
	 AT(balloon_period),
	 .min = 0,
	 .max = 3600e9,
	 .fallback = "1s",
	 .help = "How often a guest is told to refresh its memory statistics, in whole seconds; a "
		 "guest that does so more often keeps its period; 0 leaves every guest as it is."},
	GM_OPTION_END,
};
