/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A threshold rule on one metric of one entity: what collectd's threshold plugin can say (man
 * collectd-threshold(5)), made exact, and what it cannot: silence, duration, a function over a window, and
 * RMON's rising and falling pair (RFC 2819, alarmTable). A counter is judged by its rate per second.
 *
 * The state is okay, warning or failure. It changes at the `hits`-th value in a row that asks for another
 * state than the present one, and becomes what that value asks for; back to okay it goes at once. A limit
 * itself is acceptable. A missing value neither counts nor interrupts.
 *
 * Evidence: the deciding value and the limit; for silence its length.
 */
#ifndef GM_ANALYSIS_THRESHOLD_H
#define GM_ANALYSIS_THRESHOLD_H

#include "analysis/detector.h"
#include "model/threshold.h"

extern const struct gm_detector_ops gm_threshold_ops;

#endif
