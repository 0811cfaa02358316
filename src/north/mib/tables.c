/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of GUESTMON-MIB: one line per column, in the order of their numbers. What is missing in
 * the counting is not-accessible: an index. Data alone; tree.c reads it, notify.c the last table.
 */
#include "north/mib/cells.h"
#include "north/mib/tree.h"

#include "model/alarm.h"
#include "model/event.h"
#include "model/finding.h"

/* Each block of columns defines ROW, the struct of its rows, and where LAST and EVIDENCE look. */
#define CELL(column, syntax, getter, member)                                        \
	{                                                                           \
		.number = (column), .type = GM_MIB_##syntax, .get = (getter),       \
		.offset = offsetof(ROW, member), .size = sizeof(((ROW *)0)->member) \
	}
#define TEXT(column, member) CELL(column, OCTETS, gm_cell_text, member)
#define LAST(column, syntax, getter, metric, factor)                                      \
	{                                                                                 \
		.number = (column), .type = GM_MIB_##syntax, .get = (getter),             \
		.offset = offsetof(ROW, SET), .id = GM_METRIC_##metric, .scale = (factor) \
	}
#define EVIDENCE(column, syntax, getter, evidence, factor)                                    \
	{                                                                                     \
		.number = (column), .type = GM_MIB_##syntax, .get = (getter),                 \
		.offset = offsetof(ROW, SET), .id = GM_EVIDENCE_##evidence, .scale = (factor) \
	}

#define ROW struct gm_snapshot
static const struct gm_mib_column agent_columns[] = {
	TEXT(1, agent.node),
	TEXT(2, agent.version),
	CELL(3, TIME, gm_cell_time, agent.started_at),
	CELL(4, UNSIGNED, gm_cell_u32, agent.boots),
	CELL(5, TIME, gm_cell_now, taken_at),
	CELL(6, UNSIGNED, gm_cell_age, taken_at),
	CELL(7, COUNTER64, gm_cell_u64, agent.samples),
	CELL(8, UNSIGNED, gm_cell_double, agent.sample_rate),
	CELL(9, COUNTER64, gm_cell_u64, agent.queue_dropped),
	TEXT(10, agent.store),
	CELL(11, INTEGER, gm_cell_bool, agent.store_connected),
	TEXT(12, agent.store_state),
	CELL(13, COUNTER64, gm_cell_u64, agent.store_written),
	CELL(14, COUNTER64, gm_cell_u64, agent.store_dropped),
	CELL(15, COUNTER64, gm_cell_microseconds, agent.cpu_ns),
	CELL(16, COUNTER64, gm_cell_u64_known, agent.resident),
	CELL(17, COUNTER64, gm_cell_u64, agent.last_sequence),
	CELL(18, UNSIGNED, gm_cell_size, guest_count),
	CELL(19, UNSIGNED, gm_cell_size, interface_count),
	CELL(20, UNSIGNED, gm_cell_size, alarm_count),
	CELL(21, UNSIGNED, gm_cell_size, log_count),
};
#undef ROW

#define ROW struct gm_snapshot
#define SET node
static const struct gm_mib_column node_columns[] = {
	LAST(1, UNSIGNED, gm_cell_gauge, CPU_COUNT, 1),
	LAST(2, COUNTER64, gm_cell_counter, CPU_TIME, 1e-3),
	LAST(3, COUNTER64, gm_cell_counter, CPU_IDLE, 1e-3),
	LAST(4, COUNTER64, gm_cell_counter, CPU_WAIT, 1e-3),
	LAST(5, COUNTER64, gm_cell_counter, CPU_STEAL, 1e-3),
	LAST(6, UNSIGNED, gm_cell_last_age, CPU_TIME, 1),
	LAST(7, UNSIGNED, gm_cell_gauge, LOAD_1, 100),
	LAST(8, UNSIGNED, gm_cell_gauge, LOAD_5, 100),
	LAST(9, UNSIGNED, gm_cell_gauge, LOAD_15, 100),
	LAST(10, UNSIGNED, gm_cell_last_age, LOAD_1, 1),
	LAST(11, COUNTER64, gm_cell_gauge, MEMORY_TOTAL, 1),
	LAST(12, COUNTER64, gm_cell_gauge, MEMORY_USED, 1),
	LAST(13, COUNTER64, gm_cell_gauge, MEMORY_AVAILABLE, 1),
	LAST(14, COUNTER64, gm_cell_gauge, SWAP_TOTAL, 1),
	LAST(15, COUNTER64, gm_cell_gauge, SWAP_USED, 1),
	LAST(16, UNSIGNED, gm_cell_last_age, MEMORY_USED, 1),
};
#undef SET
#undef ROW

#define ROW struct gm_source_status
static const struct gm_mib_column source_columns[] = {
	CELL(2, OCTETS, gm_cell_source_name, id),
	CELL(3, INTEGER, gm_cell_bool, connected),
	CELL(4, UNSIGNED, gm_cell_span, interval),
	CELL(5, COUNTER64, gm_cell_u64, ticks),
	CELL(6, COUNTER64, gm_cell_u64, missed),
	CELL(7, COUNTER64, gm_cell_u64, late),
	CELL(8, COUNTER64, gm_cell_u64, failures),
	CELL(9, COUNTER64, gm_cell_u64, reconnects),
	CELL(10, UNSIGNED, gm_cell_span, lag_max),
	CELL(11, UNSIGNED, gm_cell_span, duration_p50),
	CELL(12, UNSIGNED, gm_cell_span, duration_p99),
	CELL(13, UNSIGNED, gm_cell_u32, entities),
	TEXT(14, error),
};
#undef ROW

#define ROW struct gm_guest_row
#define SET last
static const struct gm_mib_column guest_columns[] = {
	CELL(2, OCTETS, gm_cell_uuid, uuid),
	CELL(3, OCTETS, gm_cell_uuid_name, uuid),
	TEXT(4, info.name),
	TEXT(5, info.display_name),
	TEXT(6, info.project),
	TEXT(7, info.project_uuid),
	TEXT(8, info.user_uuid),
	TEXT(9, info.flavor),
	TEXT(10, info.hypervisor),
	LAST(11, INTEGER, gm_cell_guest_state, GUEST_STATE, 1),
	CELL(12, INTEGER, gm_cell_bool, stale),
	CELL(13, UNSIGNED, gm_cell_u32, active_alarms),
	LAST(14, UNSIGNED, gm_cell_gauge, CPU_COUNT, 1),
	LAST(15, COUNTER64, gm_cell_counter, CPU_TIME, 1e-3),
	LAST(16, UNSIGNED, gm_cell_rate, CPU_TIME, 1e-6),
	LAST(17, COUNTER64, gm_cell_counter, VCPU_WAIT, 1e-3),
	LAST(18, UNSIGNED, gm_cell_last_age, CPU_TIME, 1),
	LAST(19, COUNTER64, gm_cell_gauge, MEMORY_TOTAL, 1),
	LAST(20, COUNTER64, gm_cell_gauge, MEMORY_USED, 1),
	LAST(21, COUNTER64, gm_cell_gauge, MEMORY_AVAILABLE, 1),
	LAST(22, COUNTER64, gm_cell_gauge, MEMORY_UNUSED, 1),
	LAST(23, COUNTER64, gm_cell_gauge, MEMORY_CACHED, 1),
	LAST(24, UNSIGNED, gm_cell_last_age, MEMORY_USED, 1),
	LAST(25, COUNTER64, gm_cell_gauge, MEMORY_BALLOON, 1),
	LAST(26, COUNTER64, gm_cell_gauge, MEMORY_MAXIMUM, 1),
	LAST(27, COUNTER64, gm_cell_gauge, MEMORY_RESIDENT, 1),
	LAST(28, UNSIGNED, gm_cell_last_age, MEMORY_RESIDENT, 1),
	LAST(29, COUNTER64, gm_cell_counter, SWAP_IN, 1),
	LAST(30, COUNTER64, gm_cell_counter, SWAP_OUT, 1),
	LAST(31, COUNTER64, gm_cell_counter, FAULT_MAJOR, 1),
	LAST(32, COUNTER64, gm_cell_counter, FAULT_MINOR, 1),
};
#undef SET
#undef ROW

#define ROW struct gm_interface_row
#define SET last
static const struct gm_mib_column interface_columns[] = {
	TEXT(3, device),
	CELL(4, INTEGER, gm_cell_u32_known, info.if_index),
	CELL(5, OCTETS, gm_cell_mac, info.mac),
	CELL(6, OCTETS, gm_cell_uuid_text, info.port_uuid),
	TEXT(7, info.model),
	LAST(8, COUNTER64, gm_cell_gauge, NET_SPEED, 1),
	LAST(9, COUNTER64, gm_cell_counter, NET_RX_BYTES, 1),
	LAST(10, COUNTER64, gm_cell_counter, NET_RX_PACKETS, 1),
	LAST(11, COUNTER64, gm_cell_counter, NET_RX_ERRORS, 1),
	LAST(12, COUNTER64, gm_cell_counter, NET_RX_DROPPED, 1),
	LAST(13, COUNTER64, gm_cell_rate, NET_RX_BYTES, 8),
	LAST(14, COUNTER64, gm_cell_rate, NET_RX_PACKETS, 1),
	LAST(15, COUNTER64, gm_cell_gauge, NET_RX_PEAK, 1),
	LAST(16, COUNTER64, gm_cell_counter, NET_TX_BYTES, 1),
	LAST(17, COUNTER64, gm_cell_counter, NET_TX_PACKETS, 1),
	LAST(18, COUNTER64, gm_cell_counter, NET_TX_ERRORS, 1),
	LAST(19, COUNTER64, gm_cell_counter, NET_TX_DROPPED, 1),
	LAST(20, COUNTER64, gm_cell_rate, NET_TX_BYTES, 8),
	LAST(21, COUNTER64, gm_cell_rate, NET_TX_PACKETS, 1),
	LAST(22, COUNTER64, gm_cell_gauge, NET_TX_PEAK, 1),
	LAST(23, UNSIGNED, gm_cell_last_age, NET_RX_BYTES, 1),
};
#undef SET
#undef ROW

#define ROW struct gm_finding_row
#define SET finding.evidence
static const struct gm_mib_column leak_columns[] = {
	CELL(2, INTEGER, gm_cell_state, finding.active),
	CELL(3, INTEGER, gm_cell_finding_severity, finding),
	TEXT(4, finding.metric),
	EVIDENCE(5, COUNTER64, gm_cell_evidence, SLOPE, 1),
	EVIDENCE(6, UNSIGNED, gm_cell_evidence, EXHAUSTION, 1),
	EVIDENCE(7, TIME, gm_cell_evidence_time, ONSET, 1),
	EVIDENCE(8, UNSIGNED, gm_cell_evidence, CONFIDENCE, 100),
	EVIDENCE(9, COUNTER64, gm_cell_evidence, USED, 1),
	EVIDENCE(10, COUNTER64, gm_cell_evidence, TOTAL, 1),
	CELL(11, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(12, TIME, gm_cell_time, finding.time),
	CELL(13, UNSIGNED, gm_cell_age, finding.time),
};
#undef SET
#undef ROW

#define ROW struct gm_finding_row
#define SET finding.evidence
static const struct gm_mib_column burst_columns[] = {
	CELL(2, INTEGER, gm_cell_state, finding.active),
	CELL(3, INTEGER, gm_cell_finding_severity, finding),
	EVIDENCE(4, COUNTER64, gm_cell_evidence, BURSTS, 1),
	EVIDENCE(5, TIME, gm_cell_evidence_time, START, 1),
	EVIDENCE(6, COUNTER64, gm_cell_evidence, START, 1e3),
	EVIDENCE(7, COUNTER64, gm_cell_evidence, DURATION, 1e3),
	EVIDENCE(8, COUNTER64, gm_cell_evidence, PEAK, 1),
	EVIDENCE(9, COUNTER64, gm_cell_evidence, MEAN, 1),
	EVIDENCE(10, COUNTER64, gm_cell_evidence, VOLUME, 1),
	EVIDENCE(11, COUNTER64, gm_cell_evidence, SPEED, 1),
	CELL(12, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(13, TIME, gm_cell_time, finding.time),
	CELL(14, UNSIGNED, gm_cell_age, finding.time),
};
#undef SET
#undef ROW

#define ROW struct gm_alarm
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
};
#undef ROW

#define ROW struct gm_transition
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
};
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
};
#undef SET
#undef ROW

static void source_index(const void *row, uint32_t *ret_index)
{
	const struct gm_source_status *source = row;
	ret_index[0] = (uint32_t)source->id + 1;
}

static void guest_index(const void *row, uint32_t *ret_index)
{
	const struct gm_guest_row *guest = row;
	ret_index[0] = guest->index;
}

static void interface_index(const void *row, uint32_t *ret_index)
{
	const struct gm_interface_row *interface = row;
	ret_index[0] = interface->guest_index;
	ret_index[1] = interface->ordinal;
}

static void leak_index(const void *row, uint32_t *ret_index)
{
	const struct gm_finding_row *leak = row;
	ret_index[0] = leak->guest_index;
}

static void burst_index(const void *row, uint32_t *ret_index)
{
	const struct gm_finding_row *burst = row;
	ret_index[0] = burst->guest_index;
	ret_index[1] = burst->ordinal;
	ret_index[2] = burst->rx ? 1 : 2;
}

static void alarm_index(const void *row, uint32_t *ret_index)
{
	const struct gm_alarm *alarm = row;
	ret_index[0] = alarm->id;
}

/* An alarm a second for 136 years fits. */
static void log_index(const void *row, uint32_t *ret_index)
{
	const struct gm_transition *transition = row;
	ret_index[0] = (uint32_t)transition->sequence;
}

#define COLUMNS(table)              \
	.columns = table##_columns, \
	.column_count = sizeof(table##_columns) / sizeof(table##_columns[0])
#define ROWS(array, counter)                               \
	.rows_at = offsetof(struct gm_snapshot, array),    \
	.count_at = offsetof(struct gm_snapshot, counter), \
	.row_size = sizeof(((struct gm_snapshot *)0)->array[0])

const struct gm_mib_table gm_mib_tables[] = {
	{.prefix = {1, 1}, .prefix_length = 2, .index_length = 1, COLUMNS(agent)},
	{.prefix = {1, 2}, .prefix_length = 2, .index_length = 1, COLUMNS(node)},
	{.prefix = {1, 3, 1},
	 .prefix_length = 3,
	 .index_length = 1,
	 .index = source_index,
	 .embedded = true,
	 ROWS(sources, source_count),
	 COLUMNS(source)},
	{.prefix = {1, 4, 1},
	 .prefix_length = 3,
	 .index_length = 1,
	 .index = guest_index,
	 ROWS(guests, guest_count),
	 COLUMNS(guest)},
	{.prefix = {1, 5, 1},
	 .prefix_length = 3,
	 .index_length = 2,
	 .index = interface_index,
	 ROWS(interfaces, interface_count),
	 COLUMNS(interface)},
	{.prefix = {1, 6, 1},
	 .prefix_length = 3,
	 .index_length = 1,
	 .index = leak_index,
	 ROWS(leaks, leak_count),
	 COLUMNS(leak)},
	{.prefix = {1, 7, 1},
	 .prefix_length = 3,
	 .index_length = 3,
	 .index = burst_index,
	 ROWS(bursts, burst_count),
	 COLUMNS(burst)},
	{.prefix = {1, 8, 1},
	 .prefix_length = 3,
	 .index_length = 1,
	 .index = alarm_index,
	 ROWS(alarms, alarm_count),
	 COLUMNS(alarm)},
	{.prefix = {1, 9, 1},
	 .prefix_length = 3,
	 .index_length = 1,
	 .index = log_index,
	 ROWS(log, log_count),
	 COLUMNS(log)},
};
const size_t gm_mib_table_count = sizeof(gm_mib_tables) / sizeof(gm_mib_tables[0]);

const struct gm_mib_table gm_mib_notify_table = {
	.prefix = {1, 10}, .prefix_length = 2, .index_length = 1, COLUMNS(notify)};
