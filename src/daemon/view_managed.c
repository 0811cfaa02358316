/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thresholds, those of files and those of managers, and which detectors judge a guest, for the snapshot.
 * Called by view.c once it has the guests and the alarms.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/threshold.h"
#include "daemon/view_private.h"

_Static_assert(GM_SNAPSHOT_DETECTORS <= 32, "bits of a guest's detectors");

static int compare_name(const void *name, const void *row)
{
	return gm_threshold_compare(name, ((const struct gm_threshold_row *)row)->name);
}

static void count_alarms(struct gm_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->alarm_count; i++) {
		const struct gm_alarm *alarm = &snapshot->alarms[i];

		if (strcmp(alarm->detector, gm_threshold_ops.name) != 0)
			continue;
		struct gm_threshold_row *row =
			bsearch(alarm->rule, snapshot->thresholds, snapshot->threshold_count,
				sizeof(*row), compare_name);
		if (row)
			row->alarms++;
	}
}

static void build_thresholds(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	size_t count = gm_managed_rows(view->input->managed, NULL, 0);

	snapshot->managed_count = gm_managed_made(view->input->managed);
	if (count == 0)
		return;
	snapshot->thresholds = gm_view_take(view, count, sizeof(*snapshot->thresholds));
	if (!snapshot->thresholds)
		return;
	snapshot->threshold_count =
		gm_managed_rows(view->input->managed, snapshot->thresholds, count);
	count_alarms(snapshot);
}

/* What was asked for shows at once, though it takes effect with the next judgement. */
static void build_detectors(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;

	while (gm_detectors[snapshot->detector_count]) {
		snapshot->detectors[snapshot->detector_count] =
			gm_detectors[snapshot->detector_count]->name;
		snapshot->detector_count++;
	}
	for (size_t i = 0; i < snapshot->guest_count; i++) {
		struct gm_guest_row *row = &snapshot->guests[i];
		const struct gm_entity_key key = gm_entity_guest(row->uuid);
		const struct gm_tracked *guest = gm_entities_find(view->input->entities, &key);
		unsigned on;

		row->switched_detectors = gm_managed_switched(view->input->managed, row->uuid, &on);
		if (guest && guest->detectors)
			row->detectors = gm_detector_set_enabled(guest->detectors);
		row->detectors = (row->detectors & ~row->switched_detectors) | on;
	}
}

void gm_view_managed(struct gm_view *view)
{
	if (!view->input->managed || view->failed)
		return;
	build_thresholds(view);
	build_detectors(view);
	view->snapshot->switch_count =
		gm_managed_switches(view->input->managed, view->input->entities);
	view->snapshot->changes = gm_managed_changes(view->input->managed);
}
