/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of detectors that judges one entity, for the two files that work on it: detector.c feeds
 * it, detector_state.c keeps what it learned.
 */
#ifndef GM_ANALYSIS_DETECTOR_PRIVATE_H
#define GM_ANALYSIS_DETECTOR_PRIVATE_H

#include <stddef.h>

#include "analysis/detector.h"

enum { GM_DETECTORS_MAX = 8 }; /* upper bound of the registry and of a set */

struct member {
	struct gm_detector *detector;
	const void *options; /* that it was made with */
};

struct gm_detector_set {
	struct gm_entity_key key;
	size_t count;
	struct member members[GM_DETECTORS_MAX + 1];
};

#endif
