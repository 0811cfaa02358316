/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's findings about itself: a store that is away, a source that does not answer. They are
 * alarms of the node, by the detector "self": the metric is what is unavailable, the rule which one. Main
 * thread only.
 */
#ifndef GM_DAEMON_SELFALARMS_H
#define GM_DAEMON_SELFALARMS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/finding.h"

struct gm_selfalarms {
	int64_t away_since
		[1 + GM_SOURCE_COUNT]; /* monotonic; 0: not away. The store, then the sources */
};

struct gm_selfalarms_input {
	bool store_wanted, store_connected; /* wanted: one that can be away is configured */
	bool source_wanted[GM_SOURCE_COUNT], source_connected[GM_SOURCE_COUNT];
	int64_t monotonic, now;
};

/*
 * About once a second: emits what has been away long enough to be told (5 s for the store, 15 s for a
 * source, which may just be starting), and "ok" for what is there or is not wanted.
 */
void gm_selfalarms_tick(struct gm_selfalarms *alarms, const struct gm_selfalarms_input *input,
			const struct gm_finding_sink *sink);

#endif
