/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the snapshot that readers are shown, from what the main thread owns.
 */
#ifndef GM_DAEMON_VIEW_H
#define GM_DAEMON_VIEW_H

#include "alarm/engine.h"
#include "daemon/entities.h"
#include "daemon/managed.h"
#include "daemon/outlet.h"
#include "daemon/outputs.h"
#include "model/snapshot.h"

struct gm_view_input {
	int64_t now;
	const struct gm_agent_row *agent;
	const struct gm_source_status *sources; /* GM_SOURCE_COUNT of them */
	const bool *source_enabled;             /* likewise */
	const struct gm_entities *entities;
	const struct gm_contention *contention; /* analysis/contention.h */
	const struct gm_alarms *alarms;
	const struct gm_outlet *outlet;
	const struct gm_outputs *outputs; /* NULL: none */
	const struct gm_managed *managed; /* NULL: none */
	struct gm_snapshot_slot
		*slot; /* whose snapshot's series are shown for a second; NULL: always new ones */
	int64_t stale_after; /* ns without a sample after which a guest is shown stale */
};

/* -ENOMEM: nothing built. */
int gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot);

#endif
