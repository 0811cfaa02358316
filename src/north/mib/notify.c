/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What notifications carry; see notify.h.
 */
#include "north/mib/notify.h"

#include <string.h>

enum { NOTIFY_GROUP = 10, COMMON_FIRST = 1, COMMON_LAST = 16 };

/* By detector: the raise, and the columns of gmNotify that follow the common ones. */
static const struct kind {
	const char *detector;
	uint8_t raise, first, last;
} kinds[] = {
	{"leak", GM_MIB_LEAK_RAISE, 17, 20},
	{"burst", GM_MIB_BURST_RAISE, 21, 28},
	{"", GM_MIB_ALARM_RAISE, 1, 0}, /* any other detector */
};

/* gmAgentNode, gmAgentVersion, gmAgentStarted, gmAgentBoots, gmAgentLastSequence */
static const uint8_t agent_objects[] = {1, 2, 3, 4, 17};

static const struct kind *kind_of(const struct gm_transition *transition)
{
	const struct kind *kind = kinds;
	while (kind->detector[0] && strcmp(kind->detector, transition->alarm.detector) != 0)
		kind++;
	return kind;
}

unsigned gm_mib_notification_of(const struct gm_transition *transition)
{
	return kind_of(transition)->raise + (unsigned)transition->kind;
}

static void unknown(struct gm_mib_value *value, enum gm_mib_type type)
{
	static const uint8_t no_time[8];
	static const uint64_t largest[] = {
		[GM_MIB_INTEGER] = INT32_MAX,
		[GM_MIB_UNSIGNED] = UINT32_MAX,
		[GM_MIB_COUNTER64] = UINT64_MAX,
		[GM_MIB_TIME] = 0,
	};
	value->type = type;
	value->number = largest[type];
	value->octets = no_time;
	value->length = type == GM_MIB_TIME ? sizeof(no_time) : 0;
}

static void add_columns(const struct gm_transition *transition, unsigned first, unsigned last,
			const struct gm_mib_notify_sink *sink)
{
	const struct gm_mib_table *table = &gm_mib_notify_table;
	const struct gm_mib_view view = {.now = transition->time};
	for (size_t i = 0; i < table->column_count; i++) {
		const struct gm_mib_column *column = &table->columns[i];
		if (column->number < first || column->number > last)
			continue;
		struct gm_mib_oid oid = {.length = 4, .id = {1, NOTIFY_GROUP, column->number, 0}};
		struct gm_mib_value value;
		if (!gm_mib_cell(&view, transition, column, &value))
			unknown(&value, column->type);
		sink->add(sink->user, &oid, &value);
	}
}

void gm_mib_notify_transition(const struct gm_transition *transition,
			      const struct gm_mib_notify_sink *sink)
{
	const struct kind *kind = kind_of(transition);
	add_columns(transition, COMMON_FIRST, COMMON_LAST, sink);
	add_columns(transition, kind->first, kind->last, sink);
}

void gm_mib_notify_agent(const struct gm_mib_view *view, const struct gm_mib_notify_sink *sink)
{
	for (size_t i = 0; i < sizeof(agent_objects); i++) {
		struct gm_mib_oid oid = {.length = 4, .id = {1, 1, agent_objects[i], 0}};
		struct gm_mib_value value;
		value.type = GM_MIB_OCTETS;
		if (gm_mib_get(view, oid.id, oid.length, &value) != GM_MIB_FOUND)
			unknown(&value, value.type);
		sink->add(sink->user, &oid, &value);
	}
}
