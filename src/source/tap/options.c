/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the tap source; see tap.h.
 */
#include "source/tap/tap.h"

const struct gm_option gm_tap_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_tap_options, enabled),
	 .fallback = "true",
	 .help = "Sample the network devices of the node."},
	{.key = "interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_tap_options, interval),
	 .min = 1e6,
	 .max = 1e10,
	 .fallback = "10ms",
	 .help = "Time between two readings; the shortest burst that is measured is a few of "
		 "these."},
	{.key = "fold",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_tap_options, fold),
	 .min = 1e7,
	 .max = 6e10,
	 .fallback = "100ms",
	 .help = "Time between two samples in the windows; rounded up to a multiple of interval."},
	{.key = "devices",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_tap_options, devices),
	 .fallback = "*,!lo",
	 .help = "Devices to sample: patterns with * and ?, separated by commas; ! excludes."},
	{.key = "rates",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_tap_options, rates),
	 .fallback = "",
	 .help = "Rates of ports in bit/s, PATTERN=RATE separated by commas, the first that "
		 "matches "
		 "holds (tap*=1G,eth0=25G): what limits a port, such as its quality of service, "
		 "where "
		 "its driver does not know. The kernel's names of devices."},
	{.key = "armed-interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_tap_options, armed_interval),
	 .min = 0,
	 .max = 1e10,
	 .fallback = "0",
	 .help = "Time between two readings of a port that is armed: one whose last bin carried "
		 "more "
		 "than four times what is usual there; 8 ports at most. Rounded so that interval "
		 "is "
		 "a multiple; 0: never."},
	{.key = "armed-time",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_tap_options, armed_time),
	 .min = 1e7,
	 .max = 1e10,
	 .fallback = "200ms",
	 .help = "How long a port stays armed after its last excess."},
	{.key = "armed-share",
	 .type = GM_OPTION_NUMBER,
	 GM_OPTION_AT(struct gm_tap_options, armed_share),
	 .min = 0,
	 .max = 1,
	 .fallback = "0.1",
	 .help = "Part of the time in which ports may be armed, over a minute."},
	GM_OPTION_END};
