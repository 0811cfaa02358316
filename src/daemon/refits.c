/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See refits.h: the guest that changed at once, its parts in one walk. Called by intake.c.
 */
#include "daemon/refits.h"

#include "base/clock.h"
#include "daemon/recall.h"

static void refit(struct gm_refits *refits, struct gm_entities *entities,
		  struct gm_tracked *tracked, struct gm_detector_settings *detectors)
{
	if (gm_entities_refit(entities, tracked, detectors) < 0 &&
	    gm_log_allowed(&refits->limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_ERROR, "out of memory: an entity keeps its old detectors");
	gm_recall_again(tracked);
}

void gm_refits_take(struct gm_refits *refits, struct gm_entities *entities,
		    struct gm_tracked *changed, struct gm_detector_settings *detectors)
{
	if (!gm_detector_settings_depend_on_guest(detectors))
		return;
	refit(refits, entities, changed, detectors);
	if (changed->info.key.kind == GM_ENTITY_GUEST)
		changed->refit_due = refits->due = true;
}

void gm_refits_settle(struct gm_refits *refits, struct gm_entities *entities,
		      struct gm_detector_settings *detectors)
{
	if (!refits->due)
		return;
	refits->due = false;
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		const struct gm_tracked *guest = gm_entities_guest_of(entities, tracked);
		if (guest && guest != tracked && guest->refit_due)
			refit(refits, entities, tracked, detectors);
	}
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked))
		tracked->refit_due = false;
}
