/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the burst detector, as data. Named by burst.c's ops.
 */
#include "analysis/burst.h"

#include "analysis/burst_track.h"

const struct gm_option gm_burst_option_table[] = {
	{
		.key = "enabled",
		.type = GM_OPTION_BOOL,
		GM_OPTION_AT(struct gm_burst_options, enabled),
		.fallback = "true",
		.help = "Look for bursts.",
	},
	{
		.key = "utilisation",
		.type = GM_OPTION_NUMBER,
		GM_OPTION_AT(struct gm_burst_options, utilisation),
		.min = 0.05,
		.max = 1,
		.fallback = "0.5",
		.help = "Part of the port's rate from which on a bin belongs to a burst.",
	},
	{
		.key = "merge",
		.type = GM_OPTION_INT,
		GM_OPTION_AT(struct gm_burst_options, merge),
		.min = 1,
		.max = GM_BURST_MERGE_MAX,
		.fallback = "2",
		.help = "Bins below the limit that end a burst; a shorter dip belongs to it.",
	},
	{
		.key = "brief",
		.type = GM_OPTION_NUMBER,
		GM_OPTION_AT(struct gm_burst_options, brief),
		.min = 0,
		.max = 1,
		.fallback = "0.15",
		.help = "Shortest burst below the limit that is told, as part of a bin at the "
			"port's "
			"rate; 0 for none.",
	},
	{
		.key = "brief-doubt",
		.type = GM_OPTION_NUMBER,
		GM_OPTION_AT(struct gm_burst_options, doubt),
		.min = 0,
		.max = 0.5,
		.fallback = "0.006",
		.help = "Part of the bursts told that may be noise: how sure of a brief burst one "
			"has "
			"to be.",
	},
	{
		.key = "least-volume",
		.type = GM_OPTION_SIZE,
		GM_OPTION_AT(struct gm_burst_options, least_volume),
		.min = 0,
		.max = 1e12,
		.fallback = "0",
		.help = "A burst that carries less, in bytes, is not told. On ports so slow that "
			"one "
			"offloaded packet of 64 KiB half fills a bin, set it above that.",
	},
	{
		.key = "port-rate",
		.type = GM_OPTION_BITRATE,
		GM_OPTION_AT(struct gm_burst_options, port_rate),
		.min = 0,
		.max = 1e13,
		.fallback = "0",
		.help = "Rate of ports whose rate is not known otherwise, in bit/s; 0 learns it.",
	},
	{
		.key = "least-rate",
		.type = GM_OPTION_BITRATE,
		GM_OPTION_AT(struct gm_burst_options, least_rate),
		.min = 1e5,
		.max = 1e13,
		.fallback = "100M",
		.help = "What a learned rate is at least, in bit/s.",
	},
	{
		.key = "clear-after",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_burst_options, clear_after),
		.min = 0,
		.max = 3600e9,
		.fallback = "5s",
		.help = "Time without a burst after which all is well again.",
	},
	{
		.key = "storm-bursts",
		.type = GM_OPTION_INT,
		GM_OPTION_AT(struct gm_burst_options, storm_bursts),
		.min = 0,
		.max = 1000000,
		.fallback = "150",
		.help = "Bursts within storm-time from which on not every one is told; 0 tells "
			"all.",
	},
	{
		.key = "storm-time",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_burst_options, storm_time),
		.min = 1e9,
		.max = 3600e9,
		.fallback = "60s",
		.help = "Bursts that follow each other within this time can be one alarm.",
	},
	{
		.key = "storm-report",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_burst_options, storm_report),
		.min = 0,
		.max = 3600e9,
		.fallback = "30s",
		.help = "Time between two reports of a storm; each has the exact count.",
	},
	{
		.key = "packet-rate",
		.type = GM_OPTION_INT,
		GM_OPTION_AT(struct gm_burst_options, packet_rate),
		.min = 0,
		.max = 1e12,
		.fallback = "0",
		.help = "Packets per second that a port can take: bursts of small packets are held "
			"against it; 0 learns it.",
	},
	{
		.key = "least-packet-rate",
		.type = GM_OPTION_INT,
		GM_OPTION_AT(struct gm_burst_options, least_packet_rate),
		.min = 100,
		.max = 1e12,
		.fallback = "50000",
		.help = "What a learned packet rate is at least, in packets per second.",
	},
	GM_OPTION_END,
};
