/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the alarm engine: the configuration's section `alarm`. Those but raise-limit and correlate
 * can be others for some alarms.
 */
#ifndef GM_ALARM_OPTIONS_H
#define GM_ALARM_OPTIONS_H

#include "base/option.h"

enum { GM_ALARM_FLAP_RAISES = 16 }; /* most that flap-raises can be */

struct gm_alarm_options {
	bool damping;
	bool latch;          /* a condition that is over stays an alarm until it is acknowledged */
	int64_t hold;        /* ns an alarm outlives its condition */
	int64_t soak;        /* ns a condition has to hold before it is raised */
	int64_t hold_off;    /* ns after a clear before the same is raised again */
	int64_t flap_raises; /* 0: none flaps */
	int64_t flap_window, flap_calm; /* ns */
	int64_t correlate;              /* ns between alarms that belong together; 0: none do */
	int64_t raise_limit;            /* raises a minute on this node; 0: no limit */
};
extern const struct gm_option gm_alarm_option_table[];

/* Whether an option can be another for some alarms. */
bool gm_alarm_option_is_node_wide(const char *key);

#endif
