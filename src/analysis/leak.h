/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leak detector: is the memory of a guest or the node being used up? Watches memory.used against
 * memory.total.
 *
 * Evidence: slope, time to exhaustion, onset, confidence, used and total bytes.
 */
#ifndef GM_ANALYSIS_LEAK_H
#define GM_ANALYSIS_LEAK_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/detector.h"

struct gm_leak_options {
	bool enabled;
	int sensitivity; /* enum gm_leak_sensitivity */
	int64_t horizon; /* ns: exhaustion further away is not told */
};

enum gm_leak_sensitivity { GM_LEAK_LOW, GM_LEAK_NORMAL, GM_LEAK_HIGH };

extern const struct gm_detector_ops gm_leak_ops;

#endif
