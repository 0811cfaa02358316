/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms that nobody would ever end: their entity is gone, or the detector or rule that raised them does not
 * judge it any more. Main thread only.
 */
#ifndef GM_DAEMON_ORPHANS_H
#define GM_DAEMON_ORPHANS_H

#include "alarm/engine.h"
#include "daemon/entities.h"
#include "daemon/external.h"

/* Ends those of an entity that is gone, but the one that says that it went by a crash. */
void gm_orphans_leave(struct gm_alarms *alarms, const struct gm_entity_key *key, int64_t now);

/*
 * Ends them at `now`. `entities_too`: also those of entities that are not known, for a caller who has waited
 * long enough for them; without it only entities count that a source has told of. 0 or -ENOMEM.
 */
int gm_orphans_end(struct gm_alarms *alarms, const struct gm_entities *entities,
		   const struct gm_external_feed *external, bool entities_too, int64_t now);

#endif
