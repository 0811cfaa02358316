/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the growth at the end of a series a leak? Pure: no state of its own.
 */
#ifndef GM_ANALYSIS_LEAK_JUDGE_H
#define GM_ANALYSIS_LEAK_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/leak_bins.h"
#include "analysis/leak_growth.h"

/* False while the series is too short at every scale: nothing can be said. */
bool gm_leak_judge_knows(const struct gm_leak_bins *bins);

/*
 * Judges what the newest closed bins of `scale` show, in a memory of `total` bytes. True when it is a
 * leak: its growth, and how sure that is (0 to 1). `caution` multiplies what a growth must have eaten
 * of the room it found before it is believed (1: the default).
 */
bool gm_leak_judge(const struct gm_leak_bins *bins, size_t scale, double total, double caution,
		   struct gm_leak_growth *ret_growth, double *ret_confidence);

#endif
