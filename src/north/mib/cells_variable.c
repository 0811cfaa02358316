/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The getters of alarmActiveVariableTable (RFC 3877): the variables of the notification that tells of an alarm's
 * raise, as an SNMPv2-Trap-PDU has them: sysUpTime.0, snmpTrapOID.0, then those of notify.h. Their values
 * are those of the alarm as it is now; its sequence number is known as long as the raise is in the log.
 */
#include <string.h>

#include "gm_version.h"
#include "north/mib/cells.h"
#include "north/mib/notify.h"

#define GETTER(name)                                               \
	bool name(const struct gm_mib_view *view, const void *row, \
		  const struct gm_mib_column *column, struct gm_mib_value *ret_value)

enum { UPTIME, TRAP, FIRST, SEQUENCE }; /* gmNotifySequence follows gmNotifyAlarmId */
static const uint32_t uptime[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
static const uint32_t trap[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
static const uint32_t root[] = {GM_OID_ROOT};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(FIRST + GM_MIB_NOTIFY_MAX <= GM_ALARM_VARIABLES, "each has its part of the row");

/* UINT64_MAX: not known, as in notify.h. */
static uint64_t raised_as(const struct gm_snapshot *snapshot, const struct gm_alarm *alarm)
{
	for (size_t i = snapshot->log_count; i-- > 0;) {
		const struct gm_transition *logged = &snapshot->log[i];
		if (logged->kind == GM_TRANSITION_RAISE && logged->alarm.id == alarm->id)
			return logged->sequence;
	}
	return UINT64_MAX;
}

static struct gm_transition raise_of(const struct gm_alarm *alarm)
{
	struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.sequence = UINT64_MAX,
		.time = alarm->raised_at,
		.alarm = *alarm,
	};
	transition.alarm.news = GM_NEWS_CONDITION;
	return transition;
}

static void object(struct gm_mib_value *value, const uint32_t *head, size_t head_length,
		   const uint32_t *tail, size_t tail_length)
{
	memcpy(value->buffer, head, head_length * sizeof(*head));
	if (tail_length > 0)
		memcpy(value->buffer + head_length * sizeof(*head), tail,
		       tail_length * sizeof(*tail));
	value->type = GM_MIB_OBJECT;
	value->octets = value->buffer;
	value->length = (head_length + tail_length) * sizeof(*head);
}

/* Texts are copied: they are of a transition that is not there any more afterwards. */
static bool keep(struct gm_mib_value *value)
{
	bool octets = value->type == GM_MIB_OCTETS || value->type == GM_MIB_TIME;
	if (!octets || value->octets == value->buffer)
		return true;
	if (value->length > sizeof(value->buffer))
		return false;
	memcpy(value->buffer, value->octets, value->length);
	value->octets = value->buffer;
	return true;
}

/* The variable that is the part of the row; false when there are fewer. */
static bool find(const struct gm_mib_view *view, const struct gm_alarm *alarm,
		 struct gm_mib_oid *ret_oid, struct gm_mib_value *ret_value)
{
	static const struct gm_mib_column raised = {.offset = offsetof(struct gm_alarm, raised_at)};
	size_t number = ret_value->part;
	struct gm_transition transition = raise_of(alarm);
	const uint32_t kind[] = {0, gm_mib_notification_of(&transition)};
	if (number == UPTIME) {
		ret_value->type = GM_MIB_TICKS;
		return gm_cell_stamp(view, alarm, &raised, ret_value);
	}
	if (number == TRAP) {
		object(ret_value, root, COUNT(root), kind, COUNT(kind));
		return true;
	}
	if (!gm_mib_notify_variable(&transition, number - FIRST, ret_oid, ret_value))
		return false;
	if (number == SEQUENCE)
		ret_value->number = raised_as(view->snapshot, alarm);
	return keep(ret_value);
}

GETTER(gm_cell_variable_count)
{
	const struct gm_transition transition = raise_of(row);
	(void)view;
	(void)column;
	ret_value->number = FIRST + gm_mib_notify_count(&transition);
	return true;
}

GETTER(gm_cell_variable_id)
{
	struct gm_mib_oid oid = {.length = 0};
	const uint32_t part = ret_value->part; /* the variable itself has none */
	(void)column;
	if (!find(view, row, &oid, ret_value))
		return false;
	if (part == UPTIME)
		object(ret_value, uptime, COUNT(uptime), NULL, 0);
	else if (part == TRAP)
		object(ret_value, trap, COUNT(trap), NULL, 0);
	else
		object(ret_value, root, COUNT(root), oid.id, oid.length);
	return true;
}

/* alarmActiveVariableValueType */
static uint64_t syntax(const struct gm_mib_value *value)
{
	static const uint8_t numbers[] = {
		[GM_MIB_COUNTER32] = 1, [GM_MIB_UNSIGNED] = 2,  [GM_MIB_TICKS] = 3,
		[GM_MIB_INTEGER] = 4,   [GM_MIB_OCTETS] = 6,    [GM_MIB_TIME] = 6,
		[GM_MIB_OBJECT] = 7,    [GM_MIB_COUNTER64] = 8,
	};
	return numbers[value->type];
}

GETTER(gm_cell_variable_type)
{
	struct gm_mib_oid oid;
	(void)column;
	if (!find(view, row, &oid, ret_value))
		return false;
	ret_value->number = syntax(ret_value);
	ret_value->type = GM_MIB_INTEGER;
	return true;
}

/* Of the type column->id; the variables of others have no value here. */
GETTER(gm_cell_variable_value)
{
	struct gm_mib_oid oid;
	return find(view, row, &oid, ret_value) && syntax(ret_value) == column->id;
}
