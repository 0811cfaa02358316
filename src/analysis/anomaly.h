/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The anomaly detector: does a guest (or the node) behave as it never did? Follows every metric that it
 * is shown, its own and those of its interfaces and disks, and judges them together.
 *
 * One finding per entity, metric "score". Evidence: score, contributors (the metrics that stand out,
 * largest first; those of a part with "@" and its name), onset, and the value of the first contributor.
 * And one per metric of errors or drops that it has, "net.rx.errors", "hw.memory.corrected" and so on:
 * value and limit are the rate of the worst interface's last bad minute and its usual one, per second.
 */
#ifndef GM_ANALYSIS_ANOMALY_H
#define GM_ANALYSIS_ANOMALY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/detector.h"

struct gm_anomaly_options {
	bool enabled;
	int64_t learning;    /* ns */
	double false_alarms; /* per day */
	int64_t hold;        /* ns */
	int64_t settling;    /* ns */
	int64_t metrics;     /* that must stand out */
};

extern const struct gm_detector_ops gm_anomaly_ops;

#endif
