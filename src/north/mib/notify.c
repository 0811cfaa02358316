/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What notifications carry; see notify.h.
 */
#include "north/mib/notify.h"

#include <string.h>

/* The summary under a storm: no detector has that name. */
#define STORM " storm"

enum {
	NOTIFY_GROUP = 10,
	COMMON_FIRST = 1,
	COMMON_LAST = 16,
	NEWS_FIRST = 48,
	NEWS_LAST = 50,
	COLUMNS_MAX = 32
};

/*
 * By detector: the raise, and the columns of gmNotify that follow the common ones, ended by 0: those of the
 * OBJECTS clause, and those that are added when they are known.
 */
static const struct kind {
	const char *detector;
	uint8_t raise;
	uint8_t objects[COLUMNS_MAX], more[COLUMNS_MAX];
} kinds[] = {
	{"leak", GM_MIB_LEAK_RAISE, {17, 18, 19, 20}, {29, 30, 31, 32, 33, 34, 35, 36}},
	{"burst",
	 GM_MIB_BURST_RAISE,
	 {21, 22, 23, 24, 25, 26, 27, 28},
	 {29, 30, 31, 37, 38, 39, 40, 41, 42}},
	{"anomaly", GM_MIB_ANOMALY_RAISE, {31, 43, 44, 45, 46}, {29, 30}},
	{"threshold", GM_MIB_THRESHOLD_RAISE, {29, 45, 46, 47}, {30, 31}},
	{"policy", GM_MIB_THRESHOLD_RAISE, {29, 45, 46, 47}, {30, 31}},
	{STORM, GM_MIB_STORM_RAISE, {51, 52, 53, 54, 46, 31}, {0}},
	/* Any other detector: all that it tells, what is in two columns once. */
	{"", GM_MIB_ALARM_RAISE, {0}, {17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
				       32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 45, 46}},
};

/* gmAgentNode, gmAgentVersion, gmAgentStarted, gmAgentBoots, gmAgentLastSequence */
static const uint8_t agent_objects[] = {1, 2, 3, 4, 17};

static const struct kind *kind_of(const struct gm_transition *transition)
{
	const struct gm_alarm *alarm = &transition->alarm;
	const char *detector = gm_alarm_is_storm(alarm) ? STORM : alarm->detector;
	const struct kind *kind = kinds;
	while (kind->detector[0] && strcmp(kind->detector, detector) != 0)
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

/* One variable; one that is not known has its form all the same when it is `wanted`. */
static void add_column(const struct gm_transition *transition, unsigned number, bool wanted,
		       const struct gm_mib_notify_sink *sink)
{
	const struct gm_mib_view view = {.now = transition->time};
	const struct gm_mib_column *column = gm_mib_notify_table.columns;
	struct gm_mib_oid oid = {.length = 4, .id = {1, NOTIFY_GROUP, number, 0}};
	struct gm_mib_value value;

	while (column->number != number)
		column++;
	if (!gm_mib_cell(&view, transition, 0, column, &value)) {
		if (!wanted)
			return;
		unknown(&value, column->type);
	}
	sink->add(sink->user, &oid, &value);
}

void gm_mib_notify_transition(const struct gm_transition *transition,
			      const struct gm_mib_notify_sink *sink)
{
	const struct kind *kind = kind_of(transition);
	for (unsigned number = COMMON_FIRST; number <= COMMON_LAST; number++)
		add_column(transition, number, true, sink);
	for (size_t i = 0; kind->objects[i]; i++)
		add_column(transition, kind->objects[i], true, sink);
	for (size_t i = 0; kind->more[i]; i++)
		add_column(transition, kind->more[i], false, sink);
	if (transition->alarm.news == GM_NEWS_CONDITION)
		return;
	for (unsigned number = NEWS_FIRST; number <= NEWS_LAST; number++)
		add_column(transition, number, false, sink);
}

void gm_mib_notify_agent(const struct gm_mib_view *view, const struct gm_mib_notify_sink *sink)
{
	for (size_t i = 0; i < sizeof(agent_objects); i++) {
		struct gm_mib_oid oid = {.length = 4, .id = {1, 1, agent_objects[i], 0}};
		struct gm_mib_value value;
		value.type = GM_MIB_OCTETS;
		if (gm_mib_get(&gm_mib_modules[GM_MIB_GUESTMON], view, oid.id, oid.length,
			       &value) != GM_MIB_FOUND)
			unknown(&value, value.type);
		sink->add(sink->user, &oid, &value);
	}
}
