/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends alarms without an owner; see orphans.h. Called by pipeline.c every few seconds and after a change of
 * the configuration.
 */
#include "daemon/orphans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/learned.h"
#include "analysis/rules.h"
#include "daemon/faults.h"
#include "daemon/selfalarms.h"

/* A fault whose lessons were taken back is looked for no more. */
static bool is_forgotten(const struct gm_tracked *tracked, const struct gm_alarm *alarm)
{
	if (strcmp(alarm->detector, gm_learned_ops.name) != 0 || tracked->taught == 0)
		return false;
	const struct gm_detector *learned =
		gm_detector_set_find(tracked->detectors, &gm_learned_ops);
	return learned && !gm_learned_knows(learned, alarm->metric);
}

/* Whether whoever raised it still judges that entity. */
static bool is_judged(const struct gm_tracked *tracked, const struct gm_external_feed *external,
		      const struct gm_alarm *alarm)
{
	if (gm_detector_find(alarm->detector))
		return tracked->detectors && gm_detector_set_judges(tracked->detectors, alarm) &&
		       !is_forgotten(tracked, alarm);
	if (strcmp(alarm->detector, GM_EVENT_DETECTOR) == 0)
		return gm_faults_may_hold(tracked, alarm->metric);
	return strcmp(alarm->detector, GM_SELF_DETECTOR) == 0 ||
	       gm_external_feed_owns(external, alarm);
}

/* What is known of it decides which rules hold: a source has told that, or there is nothing to tell. */
static bool is_told_of(const struct gm_tracked *tracked)
{
	return tracked->told_by != 0 || tracked->info.key.kind == GM_ENTITY_NODE;
}

struct search {
	const struct gm_entities *entities;
	const struct gm_external_feed *external;
	bool entities_too;
	int64_t now;
};

/* What waits to be raised, and will never be ended either. */
static bool is_orphan(void *user, const struct gm_alarm *alarm)
{
	const struct search *search = user;
	const struct gm_tracked *tracked = gm_entities_find(search->entities, &alarm->key);

	if (!tracked)
		return search->entities_too && !gm_faults_lasts(alarm, search->now);
	return (search->entities_too || is_told_of(tracked)) &&
	       !is_judged(tracked, search->external, alarm);
}

void gm_orphans_leave(struct gm_alarms *alarms, const struct gm_entity_key *key, int64_t now)
{
	gm_alarms_gone_but(alarms, key, gm_faults_stays, now);
}

/* The alarm of an entity that is not there; `absent` counts those of crashed guests. */
static void end_absent(struct gm_alarms *alarms, const struct gm_alarm *alarm, size_t *absent,
		       int64_t now)
{
	bool stays = gm_faults_stays(alarm);

	if (gm_faults_lasts(alarm, now) && (*absent)++ < GM_FAULTS_ABSENT)
		return;
	if (stays) /* it does not run again: nobody looks any more */
		gm_alarms_disable(alarms, alarm, now);
	else
		gm_alarms_gone(alarms, &alarm->key, now);
}

int gm_orphans_end(struct gm_alarms *alarms, const struct gm_entities *entities,
		   const struct gm_external_feed *external, bool entities_too, int64_t now)
{
	struct search search = {entities, external, entities_too, now};
	gm_alarms_drop(alarms, now, is_orphan, &search);
	size_t count = gm_alarms_active(alarms, NULL, 0);
	struct gm_alarm *list = calloc(count ? count : 1, sizeof(*list));
	count = list ? gm_alarms_active(alarms, list, count) : 0;
	size_t absent = 0;
	for (size_t i = 0; i < count; i++) {
		const struct gm_tracked *tracked = gm_entities_find(entities, &list[i].key);

		if (!tracked && entities_too)
			end_absent(alarms, &list[i], &absent, now);
		else if (tracked && (entities_too || is_told_of(tracked)) &&
			 !is_judged(tracked, external, &list[i]))
			gm_alarms_disable(alarms, &list[i], now);
	}
	free(list);
	return list ? 0 : -ENOMEM;
}
