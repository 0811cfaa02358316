/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The burst detector: short times at which an interface's port is (nearly) full, which means over a
 * minute or a second never show. One finding per direction, of metric net.rx.bytes or net.tx.bytes.
 *
 * Who limits what. The level is active from the first bin over the limit until `clear-after`
 * has passed without a burst; flapping beyond that is the alarm engine's hold time. While it is
 * active, each further burst is reported once, when it has ended and its figures are final (or
 * after a second, when it lasts that long); the burst that made the level active is reported at
 * its first bin and again when it ends. The evidence's start_time names a burst: it never
 * changes between its reports. Reports of a direction are limited to a hundred at once and
 * `report-limit` a second in the long run, because each becomes a journalled notification;
 * bursts over that are only counted (burst_count).
 */
#ifndef GM_ANALYSIS_BURST_H
#define GM_ANALYSIS_BURST_H

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
	int64_t report_limit;
};

extern const struct gm_detector_ops gm_burst_ops;

#endif
