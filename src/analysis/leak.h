/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leak detector: is memory being used up? It watches
 *   - of a guest and the node: memory.used against memory.total, both with swap where it is told;
 *   - of a guest: what its process on the host holds (memory.resident) beyond all that the guest was
 *     given (memory.maximum) and a usual overhead: the hypervisor's own growth;
 *   - of a process: memory.resident against what is left of its guest's or node's memory
 *     (gm_leak_hand_down(), or memory.total and memory.available as points of its own).
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
 * What is left of the memory of a guest or the node is what a process of it can still take: tells the
 * detector of the process, before its next point. Either may be NULL.
 */
void gm_leak_hand_down(const struct gm_detector *whole, struct gm_detector *process);

/*
 * Whether the leak that `detector` (of a guest or the node) told last is explained by this process: a
 * leak of the process's own has been told with it. NULL: no.
 */
bool gm_leak_blames(const struct gm_detector *detector, const struct gm_entity_key *process);

#endif
