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

#include <stdbool.h>
#include <stdint.h>

#include "analysis/detector.h"

struct gm_threshold_options {
	bool enabled;
	char metric[GM_METRIC_NAME];                               /* empty: nothing is judged */
	double warning_max, warning_min, failure_max, failure_min; /* NaN: none */
	int64_t hits;
	double hysteresis; /* NaN: none */
	bool invert, persist;
	double rising, falling; /* NaN: none; in place of the four limits */
	int function;           /* enum gm_function */
	int64_t window;         /* of every function but `value` */
	double percentile;
	int64_t duration; /* ns that another state must be asked for; 0: none */
	int64_t missing;  /* ns without a value that are told; 0: never */
	int severity;     /* of `rising` and `missing`: index into warning … critical */
};

extern const struct gm_detector_ops gm_threshold_ops;

#endif
