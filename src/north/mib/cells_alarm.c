/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The getters of ALARM-MIB and ITU-ALARM-MIB (RFC 3877); see cells.h. What an alarm is, is told by pointers: an
 * active alarm points to its model, a kind of alarm in one state of severity, and that to its event type and
 * probable cause.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "gm_version.h"
#include "north/mib/cells.h"
#include "north/mib/notify.h"

#define GETTER(name)                                               \
	bool name(const struct gm_mib_view *view, const void *row, \
		  const struct gm_mib_column *column, struct gm_mib_value *ret_value)

/* By the index of the model, from 1. */
static const struct kind {
	const char *detector, *words;
	uint8_t raise;
	uint16_t event_type, cause;
} kinds[GM_ALARM_KINDS] = {
	{"leak", "memory leak", GM_MIB_LEAK_RAISE, GM_EVENT_QUALITY_OF_SERVICE,
	 GM_CAUSE_RESOURCE_NEARING_CAPACITY},
	{"burst", "burst of traffic", GM_MIB_BURST_RAISE, GM_EVENT_QUALITY_OF_SERVICE,
	 GM_CAUSE_CONGESTION},
	{"anomaly", "abnormal behaviour", GM_MIB_ANOMALY_RAISE, GM_EVENT_QUALITY_OF_SERVICE,
	 GM_CAUSE_PERFORMANCE_DEGRADED},
	{"threshold", "threshold or policy", GM_MIB_THRESHOLD_RAISE, GM_EVENT_QUALITY_OF_SERVICE,
	 GM_CAUSE_THRESHOLD_CROSSED},
	{"", "any other alarm", GM_MIB_ALARM_RAISE, GM_EVENT_PROCESSING_ERROR,
	 GM_CAUSE_PERFORMANCE_DEGRADED},
	{NULL, "summary of alarms that wait", GM_MIB_STORM_RAISE, GM_EVENT_PROCESSING_ERROR,
	 GM_CAUSE_RESOURCES_OVERLOAD},
};
enum { KIND_OTHER = 5, KIND_STORM };

#define STATES(kind)                                                          \
	{kind, 1, 1}, {kind, 2, 2}, {kind, 3, 6}, {kind, 4, 5}, {kind, 5, 4}, \
	{                                                                     \
		kind, 6, 3                                                    \
	}
const struct gm_alarm_model gm_alarm_models[] = {STATES(1), STATES(2), STATES(3),
						 STATES(4), STATES(5), STATES(6)};
#define SEVERITIES(kind)                                                      \
	{kind, 1, 1}, {kind, 2, 2}, {kind, 6, 3}, {kind, 5, 4}, {kind, 4, 5}, \
	{                                                                     \
		kind, 3, 6                                                    \
	}
const struct gm_alarm_model gm_alarm_itu_models[] = {SEVERITIES(1), SEVERITIES(2), SEVERITIES(3),
						     SEVERITIES(4), SEVERITIES(5), SEVERITIES(6)};

/* A zero-length alarmListName, a DateAndTime with its length, the alarm. */
size_t gm_mib_alarm_index(const struct gm_alarm *alarm, int64_t time, uint32_t *ret_index)
{
	uint8_t date[GM_MIB_DATE] = {0};
	size_t length = 0;
	gm_mib_date(time, date);
	ret_index[length++] = 0;
	ret_index[length++] = GM_MIB_DATE;
	for (size_t i = 0; i < GM_MIB_DATE; i++)
		ret_index[length++] = date[i];
	ret_index[length++] = alarm->id;
	return length;
}

static bool name(struct gm_mib_value *value, const uint32_t *id, size_t length)
{
	memcpy(value->buffer, id, length * sizeof(*id));
	value->octets = value->buffer;
	value->length = length * sizeof(*id);
	return true;
}

static uint32_t kind_of(const struct gm_alarm *alarm)
{
	const char *detector =
		strcmp(alarm->detector, "policy") == 0 ? "threshold" : alarm->detector;
	uint32_t kind = 1;
	if (gm_alarm_is_storm(alarm))
		return KIND_STORM;
	while (kind < KIND_OTHER && strcmp(kinds[kind - 1].detector, detector) != 0)
		kind++;
	return kind;
}

static uint32_t state_of(uint32_t severity)
{
	static const uint8_t states[GM_ALARM_SEVERITIES] = {0, 1, 2, 6, 5, 4, 3};
	return severity < GM_ALARM_SEVERITIES ? states[severity] : 2;
}

/* A notification of GUESTMON-MIB. */
static bool notification(struct gm_mib_value *value, uint32_t kind, unsigned offset)
{
	const uint32_t id[] = {GM_OID_ROOT, 0, kinds[kind - 1].raise + offset};
	return name(value, id, sizeof(id) / sizeof(id[0]));
}

GETTER(gm_cell_alarm_tenant)
{
	const struct gm_alarm *alarm = row;
	(void)view;
	(void)column;
	gm_tenant_name(alarm->project_uuid, alarm->project, (char *)ret_value->buffer);
	ret_value->octets = ret_value->buffer;
	ret_value->length = strlen((const char *)ret_value->buffer);
	return true;
}

GETTER(gm_cell_alarm_raise)
{
	(void)view;
	(void)column;
	return notification(ret_value, kind_of(row), GM_TRANSITION_RAISE);
}

GETTER(gm_cell_alarm_clear)
{
	(void)view;
	(void)column;
	return notification(ret_value, kind_of(row), GM_TRANSITION_CLEAR);
}

/* The guest's row in VM-MIB, by its first column; 0.0: the node. */
GETTER(gm_cell_alarm_resource)
{
	const struct gm_alarm *alarm = row;
	const uint32_t id[] = {1, 3, 6, 1, 2, 1, 236, 1, 4, 1, 2, alarm->guest_index};
	if (alarm->guest_index == 0)
		return gm_cell_nothing(view, row, column, ret_value);
	return name(ret_value, id, sizeof(id) / sizeof(id[0]));
}

/* alarmModelNotificationId of its row; column->id 1: as it was cleared. */
GETTER(gm_cell_alarm_model)
{
	const struct gm_alarm *alarm = row;
	uint32_t state = column->id ? 1 : state_of(alarm->severity);
	const uint32_t id[] = {1, 3, 6, 1, 2, 1, 118, 1, 1, 2, 1, 3, 0, kind_of(alarm), state};
	(void)view;
	return name(ret_value, id, sizeof(id) / sizeof(id[0]));
}

/* ituAlarmActiveTrendIndication of the same index. */
GETTER(gm_cell_alarm_itu)
{
	const struct gm_alarm *alarm = row;
	uint32_t id[12 + GM_MIB_INDEX] = {1, 3, 6, 1, 2, 1, 121, 1, 2, 1, 1, 1};
	(void)view;
	(void)column;
	return name(ret_value, id, 12 + gm_mib_alarm_index(alarm, alarm->raised_at, id + 12));
}

GETTER(gm_cell_model_notification)
{
	const struct gm_alarm_model *model = row;
	(void)view;
	(void)column;
	return notification(ret_value, model->index,
			    model->state == 1 ? GM_TRANSITION_CLEAR : GM_TRANSITION_RAISE);
}

GETTER(gm_cell_model_severity)
{
	(void)view;
	(void)column;
	ret_value->number = ((const struct gm_alarm_model *)row)->severity;
	return true;
}

GETTER(gm_cell_model_text)
{
	const struct gm_alarm_model *model = row;
	(void)view;
	(void)column;
	int length = snprintf((char *)ret_value->buffer, sizeof(ret_value->buffer), "%s: %s",
			      kinds[model->index - 1].words,
			      gm_severity_name((enum gm_severity)model->severity));
	ret_value->octets = ret_value->buffer;
	ret_value->length = (size_t)length;
	return length > 0;
}

/* ituAlarmEventType of the same kind and severity. */
GETTER(gm_cell_model_itu)
{
	const struct gm_alarm_model *model = row;
	const uint32_t id[] = {
		1, 3, 6, 1, 2, 1, 121, 1, 1, 1, 1, 2, 0, model->index, model->severity};
	(void)view;
	(void)column;
	return name(ret_value, id, sizeof(id) / sizeof(id[0]));
}

/* alarmModelNotificationId of the same kind and severity. */
GETTER(gm_cell_model_generic)
{
	const struct gm_alarm_model *model = row;
	const uint32_t id[] = {1, 3, 6, 1, 2, 1, 118, 1, 1, 2, 1, 3, 0, model->index, model->state};
	(void)view;
	(void)column;
	return name(ret_value, id, sizeof(id) / sizeof(id[0]));
}

GETTER(gm_cell_model_event)
{
	(void)view;
	(void)column;
	ret_value->number = kinds[((const struct gm_alarm_model *)row)->index - 1].event_type;
	return true;
}

GETTER(gm_cell_model_cause)
{
	(void)view;
	(void)column;
	ret_value->number = kinds[((const struct gm_alarm_model *)row)->index - 1].cause;
	return true;
}

/* Of severity column->id, or of all of them (0). */
GETTER(gm_cell_totals_active)
{
	const struct gm_alarm_totals *totals = &((const struct gm_snapshot *)row)->totals;
	(void)view;
	ret_value->number = totals->active[column->id];
	for (size_t i = 0; column->id == 0 && i < GM_ALARM_SEVERITIES; i++)
		ret_value->number += totals->active[i];
	return true;
}

GETTER(gm_cell_totals_raised)
{
	const struct gm_alarm_totals *totals = &((const struct gm_snapshot *)row)->totals;
	(void)view;
	ret_value->number = totals->raised[column->id];
	for (size_t i = 0; column->id == 0 && i < GM_ALARM_SEVERITIES; i++)
		ret_value->number += totals->raised[i];
	ret_value->number &= UINT32_MAX; /* it wraps */
	return true;
}
