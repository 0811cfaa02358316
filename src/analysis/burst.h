/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The burst detector: short times at which an interface's port is (nearly) full, which means over a
 * minute or a second never show. One finding per direction and unit: of metric net.rx.bytes or
 * net.tx.bytes, and of net.rx.packets or net.tx.packets for bursts of small packets that do not fill the
 * port in bytes (a burst in bytes is told once, as that).
 *
 * Who limits what. The level is active from the first bin over the limit until `clear-after`
 * has passed without a burst, or longer where bursts keep coming within `storm-time`; flapping beyond
 * that is the alarm engine's hold time. While it is active, each further burst is reported once, when
 * it has ended and its figures are final (or after a second, when it lasts that long); the burst that
 * made the level active, or that is the first for twice `clear-after`, is reported at its first bin and again
 * when it ends. The evidence's
 * start_time names a burst: it never changes between its reports. More than `storm-bursts` within
 * `storm-time` are a storm: one is reported every `storm-report`, with the exact count, the others
 * are only counted (burst_count, storm_bursts, gm_burst_stats). This bound is here and not in the
 * alarm engine, so that a replay shows what the daemon would do, and because only what knows the
 * bursts can keep their count.
 *
 * A source that falls silent while a burst is on ends it: evaluate() with a later time does.
 */
#ifndef GM_ANALYSIS_BURST_H
#define GM_ANALYSIS_BURST_H

#include "analysis/burst_stats.h"
#include "analysis/detector.h"

struct gm_burst_options {
	bool enabled;
	double utilisation;   /* part of the port's rate */
	int64_t merge;        /* bins */
	double brief;         /* part of a bin; 0: off */
	double doubt;         /* part of the bursts */
	int64_t least_volume; /* bytes: what carries less is nothing */
	int64_t port_rate;    /* bit/s where nobody reports it; 0: learn */
	int64_t least_rate;   /* bit/s: what a learned rate starts from */
	int64_t clear_after;  /* ns */
	int64_t storm_bursts, storm_time, storm_report; /* see burst_storm.h */
	int64_t packet_rate;                            /* packets/s; 0: learn */
	int64_t least_packet_rate; /* packets/s: what a learned one starts from */
};
extern const struct gm_option gm_burst_option_table[];

/* What a burst detector judges apart from each other. */
enum gm_burst_channel {
	GM_BURST_RX_BYTES,
	GM_BURST_TX_BYTES,
	GM_BURST_RX_PACKETS,
	GM_BURST_TX_PACKETS,
	GM_BURST_CHANNELS
};

/*
 * The counts of one channel, valid while the detector is; NULL when it is not a burst detector
 * (gm_detector_set_find(set, &gm_burst_ops) finds it). In histograms of channels in packets, peaks
 * are packets per second and volumes packets.
 */
const struct gm_burst_stats *gm_burst_stats_of(const struct gm_detector *detector,
					       enum gm_burst_channel channel);

extern const struct gm_detector_ops gm_burst_ops;

#endif
