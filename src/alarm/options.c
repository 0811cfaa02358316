/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table of the alarm engine; see options.h.
 */
#include "alarm/options.h"

#include <string.h>

#define AT(member) GM_OPTION_AT(struct gm_alarm_options, member)
#define DURATION(name, member, longest, normal, words)                                         \
	{                                                                                      \
		.key = name, .type = GM_OPTION_DURATION, AT(member), .min = 0, .max = longest, \
		.fallback = normal, .help = words                                              \
	}

const struct gm_option gm_alarm_option_table[] = {
	{.key = "damping",
	 .type = GM_OPTION_BOOL,
	 AT(damping),
	 .fallback = "true",
	 .help = "Let the times and limits of this section hold; off: tell every transition as it "
		 "comes."},
	DURATION("hold", hold, 3600e9, "3s",
		 "How long the condition must be gone before the alarm is cleared."),
	DURATION("soak", soak, 86400e9, "0",
		 "How long the condition must hold before the alarm is raised."),
	DURATION("hold-off", hold_off, 86400e9, "0",
		 "How long after a clear the same alarm is not raised again; what still holds is "
		 "raised then."),
	{.key = "latch",
	 .type = GM_OPTION_BOOL,
	 AT(latch),
	 .fallback = "false",
	 .help = "Let an alarm whose condition is over stay until it is acknowledged (guestmonctl "
		 "ack)."},
	{.key = "flap-raises",
	 .type = GM_OPTION_INT,
	 AT(flap_raises),
	 .min = 0,
	 .max = GM_ALARM_FLAP_RAISES,
	 .fallback = "0",
	 .help = "An alarm that is raised so often within flap-window is flapping: it stays raised "
		 "until it is calm; 0 for none."},
	DURATION("flap-window", flap_window, 86400e9, "10m",
		 "The time within which raises are counted for flap-raises."),
	DURATION("flap-calm", flap_calm, 86400e9, "5m",
		 "How long the condition of a flapping alarm must be gone before it is cleared."),
	DURATION(
		"correlate", correlate, 3600e9, "2s",
		"Alarms of one detector and metric on different entities that are raised within "
		"this time of each other belong together, as do those of guests to one of the node "
		"about the same resource; 0 for none."),
	{.key = "raise-limit",
	 .type = GM_OPTION_INT,
	 AT(raise_limit),
	 .min = 0,
	 .max = 1000000,
	 .fallback = "600",
	 .help = "Alarms raised within a minute at most, the rest waits and a summary tells how "
		 "many; 0 for no limit."},
	GM_OPTION_END,
};

bool gm_alarm_option_is_node_wide(const char *key)
{
	return strcmp(key, "raise-limit") == 0 || strcmp(key, "correlate") == 0;
}
