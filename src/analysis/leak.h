/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leak detector: is memory being used up? It watches
 *   - of a guest and the node: memory.used against memory.total, both with swap where it is told;
 *   - of a guest: what its process on the host holds (memory.resident) beyond all that the guest was
 *     given (memory.maximum) and a usual overhead: the hypervisor's own growth;
 *   - of a process: memory.resident against the memory.total of its guest or node, or rather what
 *     memory.available leaves of it. Both are told to the process's detector as points of its own.
 *
 * Evidence: slope and time to exhaustion, both with their interval of 90 %;
 * onset, confidence, the length of the series that the slope was measured over, used and total bytes.
 * The finding of a guest or the node names the processes whose own growth explains it (contributors).
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
	int64_t critical_within, major_within, minor_within; /* ns left: the severity */
};

enum gm_leak_sensitivity { GM_LEAK_LOW, GM_LEAK_NORMAL, GM_LEAK_HIGH };

extern const struct gm_detector_ops gm_leak_ops;

/*
 * Whether the leak that `detector` (of a guest or the node) told last is explained by this process: a
 * leak of the process's own has been told with it. NULL: no.
 */
bool gm_leak_blames(const struct gm_detector *detector, const struct gm_entity_key *process);

#endif
