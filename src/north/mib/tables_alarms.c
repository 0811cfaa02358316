/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of alarms and of what notifications carry. Data alone; see tables.h.
 */
#include "north/mib/tables.h"

#include <string.h>

#include "model/alarm.h"

#define ROW struct gm_alarm
#define SET evidence
static const struct gm_mib_column alarm_columns[] = {
	CELL(2, OCTETS, gm_cell_entity, key),
	CELL(3, UNSIGNED, gm_cell_u32_known, guest_index),
	TEXT(4, guest_name),
	CELL(5, OCTETS, gm_cell_uuid, guest),
	TEXT(6, project),
	TEXT(7, detector),
	TEXT(8, metric),
	CELL(9, INTEGER, gm_cell_u32, severity),
	CELL(10, INTEGER, gm_cell_u32, event_type),
	CELL(11, INTEGER, gm_cell_u32, cause),
	CELL(12, TIME, gm_cell_time, raised_at),
	CELL(13, TIME, gm_cell_time, changed_at),
	TEXT(14, text),
	TEXT(15, rule),
	TEXT(16, evidence.origin),
	TEXT(17, evidence.contributors),
	EVIDENCE(18, OCTETS, gm_cell_number, VALUE, 1),
	EVIDENCE(19, OCTETS, gm_cell_number, LIMIT, 1),
	CELL(20, UNSIGNED, gm_cell_age, changed_at),
	CELL(21, TIME, gm_cell_time, acknowledged_at),
	TEXT(22, acknowledged_by),
	CELL(23, UNSIGNED, gm_cell_u32, comments),
	TEXT(24, comment),
	TEXT(25, commented_by),
	CELL(26, INTEGER, gm_cell_enum, suppressed),
	CELL(27, TIME, gm_cell_time, ended_at),
	CELL(28, UNSIGNED, gm_cell_u32_known, flaps),
	CELL(29, UNSIGNED, gm_cell_u32_known, correlation),
	CELL(30, INTEGER, gm_cell_ack_state, acknowledged_at),
};
#undef SET
#undef ROW

#define ROW struct gm_transition
#define SET alarm.evidence
static const struct gm_mib_column log_columns[] = {
	CELL(2, INTEGER, gm_cell_enum, kind),
	CELL(3, TIME, gm_cell_time, time),
	CELL(4, UNSIGNED, gm_cell_u32, alarm.id),
	CELL(5, OCTETS, gm_cell_entity, alarm.key),
	CELL(6, UNSIGNED, gm_cell_u32_known, alarm.guest_index),
	TEXT(7, alarm.guest_name),
	CELL(8, OCTETS, gm_cell_uuid, alarm.guest),
	TEXT(9, alarm.project),
	TEXT(10, alarm.detector),
	TEXT(11, alarm.metric),
	CELL(12, INTEGER, gm_cell_transition_severity, alarm),
	CELL(13, INTEGER, gm_cell_u32, alarm.event_type),
	CELL(14, INTEGER, gm_cell_u32, alarm.cause),
	CELL(15, TIME, gm_cell_time, alarm.raised_at),
	TEXT(16, alarm.text),
	TEXT(17, alarm.rule),
	TEXT(18, alarm.evidence.origin),
	TEXT(19, alarm.evidence.contributors),
	EVIDENCE(20, OCTETS, gm_cell_number, VALUE, 1),
	EVIDENCE(21, OCTETS, gm_cell_number, LIMIT, 1),
	CELL(22, INTEGER, gm_cell_enum, alarm.news),
};
#undef SET
#undef ROW

#define ROW struct gm_transition
#define SET alarm.evidence
static const struct gm_mib_column notify_columns[] = {
	CELL(1, UNSIGNED, gm_cell_u32, alarm.id),
	CELL(2, COUNTER64, gm_cell_u64, sequence),
	CELL(3, TIME, gm_cell_time, time),
	CELL(4, INTEGER, gm_cell_transition_severity, alarm),
	CELL(5, INTEGER, gm_cell_u32, alarm.event_type),
	CELL(6, INTEGER, gm_cell_u32, alarm.cause),
	CELL(7, UNSIGNED, gm_cell_u32, alarm.guest_index),
	TEXT(8, alarm.guest_name),
	CELL(9, OCTETS, gm_cell_uuid, alarm.guest),
	CELL(10, OCTETS, gm_cell_uuid_name, alarm.guest),
	TEXT(11, alarm.project),
	CELL(12, OCTETS, gm_cell_entity, alarm.key),
	TEXT(13, alarm.detector),
	TEXT(14, alarm.metric),
	CELL(15, TIME, gm_cell_time, alarm.raised_at),
	TEXT(16, alarm.text),
	EVIDENCE(17, COUNTER64, gm_cell_evidence, SLOPE, 1),
	EVIDENCE(18, UNSIGNED, gm_cell_evidence, EXHAUSTION, 1),
	EVIDENCE(19, TIME, gm_cell_evidence_time, ONSET, 1),
	EVIDENCE(20, UNSIGNED, gm_cell_evidence, CONFIDENCE, 100),
	CELL(21, INTEGER, gm_cell_direction, alarm.evidence),
	EVIDENCE(22, TIME, gm_cell_evidence_time, START, 1),
	EVIDENCE(23, COUNTER64, gm_cell_evidence, START, 1e3),
	EVIDENCE(24, COUNTER64, gm_cell_evidence, DURATION, 1e3),
	EVIDENCE(25, COUNTER64, gm_cell_evidence, PEAK, 1),
	EVIDENCE(26, COUNTER64, gm_cell_evidence, MEAN, 1),
	EVIDENCE(27, COUNTER64, gm_cell_evidence, VOLUME, 1),
	EVIDENCE(28, COUNTER64, gm_cell_evidence, SPEED, 1),
	TEXT(29, alarm.rule),
	TEXT(30, alarm.evidence.origin),
	TEXT(31, alarm.evidence.contributors),
	EVIDENCE(32, COUNTER64, gm_cell_evidence, SLOPE_LOW, 1),
	EVIDENCE(33, COUNTER64, gm_cell_evidence, SLOPE_HIGH, 1),
	EVIDENCE(34, UNSIGNED, gm_cell_evidence, EXHAUSTION_LOW, 1),
	EVIDENCE(35, UNSIGNED, gm_cell_evidence, EXHAUSTION_HIGH, 1),
	EVIDENCE(36, UNSIGNED, gm_cell_evidence, HORIZON, 1),
	EVIDENCE(37, COUNTER64, gm_cell_evidence, GAP, 1e3),
	EVIDENCE(38, COUNTER64, gm_cell_evidence, DROPPED, 1),
	EVIDENCE(39, UNSIGNED, gm_cell_evidence, PORTS, 1),
	EVIDENCE(40, COUNTER64, gm_cell_evidence, PEAK_PACKETS, 1),
	EVIDENCE(41, COUNTER64, gm_cell_evidence, PACKETS, 1),
	EVIDENCE(42, COUNTER64, gm_cell_evidence, STORM, 1),
	EVIDENCE(43, UNSIGNED, gm_cell_evidence, SCORE, 1e3),
	EVIDENCE(44, TIME, gm_cell_evidence_time, ONSET, 1),
	EVIDENCE(45, OCTETS, gm_cell_number, VALUE, 1),
	EVIDENCE(46, OCTETS, gm_cell_number, LIMIT, 1),
	EVIDENCE(47, COUNTER64, gm_cell_evidence, DURATION, 1e3),
	CELL(48, INTEGER, gm_cell_enum, alarm.news),
	TEXT(49, alarm.acknowledged_by),
	TEXT(50, alarm.comment),
	EVIDENCE(51, COUNTER64, gm_cell_evidence, HELD, 1),
	EVIDENCE(52, COUNTER64, gm_cell_evidence, HELD_WAITING, 1),
	EVIDENCE(53, COUNTER64, gm_cell_evidence, HELD_RAISED, 1),
	EVIDENCE(54, COUNTER64, gm_cell_evidence, HELD_ENDED, 1),
};
#undef SET
#undef ROW

#define ROW struct gm_output_row
static const struct gm_mib_column output_columns[] = {
	TEXT(2, type),
	CELL(3, INTEGER, gm_cell_u32, state),
	CELL(4, COUNTER64, gm_cell_u64, position),
	CELL(5, COUNTER64, gm_cell_u64, backlog),
	CELL(6, UNSIGNED, gm_cell_u32, in_flight),
	CELL(7, COUNTER64, gm_cell_u64, delivered),
	CELL(8, COUNTER64, gm_cell_u64, retried),
	CELL(9, COUNTER64, gm_cell_u64, refused),
	CELL(10, COUNTER64, gm_cell_u64, expired),
	CELL(11, COUNTER64, gm_cell_u64, overflowed),
	CELL(12, TIME, gm_cell_time, delivered_at),
	CELL(13, TIME, gm_cell_time, failing_since),
	CELL(14, TIME, gm_cell_time, next_try_at),
	TEXT(15, error),
	CELL(16, INTEGER, gm_cell_output_admin, state),
};
#undef ROW

static size_t alarm_index(const void *row, uint32_t *ret_index)
{
	const struct gm_alarm *alarm = row;
	ret_index[0] = alarm->id;
	return 1;
}

/* An alarm a second for 136 years fits. */
static size_t log_index(const void *row, uint32_t *ret_index)
{
	const struct gm_transition *transition = row;
	ret_index[0] = (uint32_t)transition->sequence;
	return 1;
}

/* IMPLIED: without its length, so that the order of names is that of indexes. */
static size_t output_index(const void *row, uint32_t *ret_index)
{
	const struct gm_output_row *output = row;
	size_t length = strlen(output->name);
	for (size_t i = 0; i < length; i++)
		ret_index[i] = (uint8_t)output->name[i];
	return length;
}

const struct gm_mib_table gm_mib_output_table = {ENTRY(31, 1, output_index),
						 ROWS(outputs, output_count), COLUMNS(output)};
const struct gm_mib_table gm_mib_alarm_table = {ENTRY(8, 1, alarm_index), ROWS(alarms, alarm_count),
						COLUMNS(alarm)};
const struct gm_mib_table gm_mib_log_table = {ENTRY(9, 1, log_index), ROWS(log, log_count),
					      COLUMNS(log)};
const struct gm_mib_table gm_mib_notify_table = {SCALARS(10), COLUMNS(notify)};
