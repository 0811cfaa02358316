/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap sampler: octet, packet, error and drop counters of the node's network devices, all of them
 * in one RTM_GETSTATS dump per tick (rtnetlink(7); IFLA_STATS_LINK_64), by default every 10 ms.
 *
 * Every fold of ticks (100 ms) gives one frame per device for the windows; the ticks in between are
 * emitted as fine frames, with a run of ticks in which nothing moved left out (its last tick is
 * emitted before the next that moved, so every span is measured). Names and indexes come from
 * RTM_GETLINK and its notifications: devices that come, go or are renamed are followed.
 *
 * A port whose last bin carried an excess can be armed: read by itself every armed-interval, for a
 * bounded time, so that what follows is measured finer than the rest.
 *
 * All frames carry GM_FRAME_HOST_VIEW, those of macvtap ports GM_FRAME_SAME_VIEW as well. Emits gm_interface_info for each device (guest left zero).
 */
#ifndef GM_SOURCE_TAP_TAP_H
#define GM_SOURCE_TAP_TAP_H

#include "base/option.h"
#include "source/source.h"

struct gm_tap_options {
	bool enabled;
	int64_t interval;       /* of the fine ticks */
	int64_t fold;           /* of the window's frames: a multiple of interval */
	char devices[256];      /* patterns as gm_text_match() */
	char rates[512];        /* see rates.h */
	int64_t armed_interval; /* see arming.h; 0: no port is ever armed */
	int64_t armed_time;
	double armed_share;
};
extern const struct gm_option gm_tap_option_table[];

/* 0 or -ENOMEM; the source is run by gm_runner_start() at `options->interval`. */
int gm_tap_create(const struct gm_tap_options *options, struct gm_source **ret_source);

#endif
