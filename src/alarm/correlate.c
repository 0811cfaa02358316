/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which alarms belong together. Two rules, both bounded:
 *
 * 1. A cause on the node: an alarm of the node itself, while it is active, explains the later alarms of
 *    guests, interfaces, disks and processes about the same resource (memory, processors, disks,
 *    network); and those within `correlate` before it.
 * 2. The same at once: alarms of one detector about one family of metrics (the first word of the name) on
 *    different entities within `correlate` of the first belong to that first.
 *
 * What belongs to an alarm names its id. It says that they are best looked at together, not what is
 * whose fault. ITU-T X.733 8.1.2.9 has the same as correlatedNotifications.
 */
#include <stdio.h>
#include <string.h>

#include "alarm/private.h"

enum { CLAIMED_MAX = 1000 }; /* alarms before a cause that are looked at */

enum resource { MEMORY = 1, PROCESSORS = 2, DISKS = 4, NETWORK = 8 };

static const struct {
	const char *prefix;
	enum resource resource;
} resources[] = {
	{"memory.", MEMORY},
	{"swap.", MEMORY},
	{"fault.", MEMORY},
	{"pressure.memory.", MEMORY},
	{"hw.memory.", MEMORY},
	{"cpu.", PROCESSORS},
	{"vcpu.", PROCESSORS},
	{"process.cpu.", PROCESSORS},
	{"load.", PROCESSORS},
	{"pressure.cpu.", PROCESSORS},
	{"hw.machine.", PROCESSORS},
	{"disk.", DISKS},
	{"fs.", DISKS},
	{"pressure.io.", DISKS},
	{"net.", NETWORK},
};

static unsigned resource_of(const char *metric)
{
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		if (strncmp(metric, resources[i].prefix, strlen(resources[i].prefix)) == 0)
			return resources[i].resource;
	}
	return 0;
}

/* An anomaly is about its contributors. */
static unsigned resources_of(const struct gm_alarm *alarm)
{
	unsigned all = resource_of(alarm->metric);
	const char *at = alarm->evidence.contributors;

	while (*at != '\0') {
		all |= resource_of(at);
		at += strcspn(at, ",");
		at += *at == ',';
	}
	return all;
}

static uint32_t cause_of(const struct gm_alarms *alarms, const struct gm_alarm *alarm)
{
	const struct gm_alarm_entry *entry;
	unsigned wanted = resources_of(alarm);

	DL_FOREACH2(alarms->node, entry, node_next)
	{
		if (resources_of(&entry->alarm) & wanted)
			return entry->alarm.id;
	}
	return 0;
}

static struct gm_alarm_cluster *find_cluster(struct gm_alarms *alarms, const char *detector,
					     const char *family)
{
	for (size_t i = 0; i < GM_ALARM_CLUSTERS; i++) {
		if (strcmp(alarms->clusters[i].detector, detector) == 0 &&
		    strcmp(alarms->clusters[i].family, family) == 0)
			return &alarms->clusters[i];
	}
	return NULL;
}

/* The first of those within the time, or it is the first itself: then 0. */
static uint32_t first_of(struct gm_alarms *alarms, const struct gm_alarm *alarm)
{
	char family[GM_METRIC_NAME];

	snprintf(family, sizeof(family), "%.*s", (int)strcspn(alarm->metric, "."), alarm->metric);
	struct gm_alarm_cluster *cluster = find_cluster(alarms, alarm->detector, family);
	if (cluster && alarm->raised_at >= cluster->began &&
	    alarm->raised_at - cluster->began <= alarms->options.correlate &&
	    !gm_entity_equal(&cluster->key, &alarm->key))
		return cluster->first;
	if (!cluster)
		cluster = &alarms->clusters[alarms->next_cluster++ % GM_ALARM_CLUSTERS];
	*cluster = (struct gm_alarm_cluster){
		.key = alarm->key, .first = alarm->id, .began = alarm->raised_at};
	memcpy(cluster->detector, alarm->detector, sizeof(cluster->detector));
	memcpy(cluster->family, family, sizeof(cluster->family));
	return 0;
}

uint32_t gm_alarm_correlate(struct gm_alarms *alarms, const struct gm_alarm *alarm)
{
	if (alarms->options.correlate == 0 || strcmp(alarm->detector, GM_SELF_DETECTOR) == 0 ||
	    alarm->key.kind == GM_ENTITY_NODE)
		return 0;
	uint32_t cause = cause_of(alarms, alarm);
	return cause != 0 ? cause : first_of(alarms, alarm);
}

void gm_alarm_claim(struct gm_alarms *alarms, const struct gm_alarm_entry *cause)
{
	int64_t since = cause->alarm.raised_at - alarms->options.correlate;
	unsigned wanted = resources_of(&cause->alarm);
	struct gm_alarm_entry *entry = alarms->raised ? alarms->raised->prev : NULL;

	if (alarms->options.correlate == 0 || wanted == 0)
		return;
	for (int i = 0; entry && i < CLAIMED_MAX && entry->alarm.raised_at >= since; i++) {
		struct gm_alarm *alarm = &entry->alarm;

		if (alarm->key.kind != GM_ENTITY_NODE && alarm->correlation == 0 &&
		    (resources_of(alarm) & wanted)) {
			alarm->correlation = cause->alarm.id;
			gm_alarm_emit(alarms, entry, GM_TRANSITION_CHANGE, GM_NEWS_CORRELATED,
				      cause->alarm.raised_at);
		}
		entry = entry == alarms->raised ? NULL : entry->prev;
	}
}
