/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of what is there: the daemon, the node, its sources, guests, interfaces, processes and windows. Data
 * alone; see tables.h.
 */
#include "north/mib/tables.h"

#include "model/event.h"

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

/* What a tenant is told of the daemon: nothing of the node and of others. */
#define ROW struct gm_snapshot
static const struct gm_mib_column agent_tenant_columns[] = {
	TEXT(2, agent.version),
	CELL(5, TIME, gm_cell_now, taken_at),
	CELL(6, UNSIGNED, gm_cell_age, taken_at),
	CELL(18, UNSIGNED, gm_cell_size, guest_count),
	CELL(19, UNSIGNED, gm_cell_size, interface_count),
	CELL(20, UNSIGNED, gm_cell_size, alarm_count),
	CELL(21, UNSIGNED, gm_cell_size, log_count),
};
#undef ROW

#define ROW struct gm_tenant_row
static const struct gm_mib_column tenant_columns[] = {
	TEXT(2, project),
	CELL(3, UNSIGNED, gm_cell_u32, guests),
	CELL(4, UNSIGNED, gm_cell_u32, ports),
	CELL(5, UNSIGNED, gm_cell_u32, active_alarms),
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
	CELL(15, UNSIGNED, gm_cell_span, duration_max),
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
	LAST(33, INTEGER, gm_cell_truth, SNMP_UP, 1),
	LAST(34, UNSIGNED, gm_cell_gauge, SNMP_LATENCY, 1e-3),
	LAST(35, UNSIGNED, gm_cell_last_age, SNMP_UP, 1),
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
	LAST(8, COUNTER64, gm_cell_gauge_known, NET_SPEED, 1),
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
	CELL(24, COUNTER64, gm_cell_peak, peaks[GM_PEAK_RX]),
	CELL(25, UNSIGNED, gm_cell_age, peaks[GM_PEAK_RX].at),
	CELL(26, COUNTER64, gm_cell_peak, peaks[GM_PEAK_RX_FINE]),
	CELL(27, UNSIGNED, gm_cell_age, peaks[GM_PEAK_RX_FINE].at),
	CELL(28, COUNTER64, gm_cell_peak, peaks[GM_PEAK_TX]),
	CELL(29, UNSIGNED, gm_cell_age, peaks[GM_PEAK_TX].at),
	CELL(30, COUNTER64, gm_cell_peak, peaks[GM_PEAK_TX_FINE]),
	CELL(31, UNSIGNED, gm_cell_age, peaks[GM_PEAK_TX_FINE].at),
	LAST(32, COUNTER64, gm_cell_gauge_known, NET_RX_LIMIT, 1),
	LAST(33, COUNTER64, gm_cell_gauge_known, NET_TX_LIMIT, 1),
};
#undef SET
#undef ROW

#define ROW struct gm_process_row
#define SET last
static const struct gm_mib_column process_columns[] = {
	TEXT(3, command),
	LAST(4, COUNTER64, gm_cell_gauge, MEMORY_RESIDENT, 1),
	LAST(5, UNSIGNED, gm_cell_last_age, MEMORY_RESIDENT, 1),
	LAST(6, COUNTER64, gm_cell_counter, CPU_TIME, 1e-3),
	LAST(7, UNSIGNED, gm_cell_rate, CPU_TIME, 1e-6),
	LAST(8, UNSIGNED, gm_cell_last_age, CPU_TIME, 1),
#undef SET
#define SET leak.evidence
	CELL(9, INTEGER, gm_cell_finding_state, leak),
	CELL(10, INTEGER, gm_cell_finding_severity, leak),
	EVIDENCE(11, COUNTER64, gm_cell_evidence, SLOPE, 1),
	EVIDENCE(12, COUNTER64, gm_cell_evidence, SLOPE_LOW, 1),
	EVIDENCE(13, COUNTER64, gm_cell_evidence, SLOPE_HIGH, 1),
	EVIDENCE(14, UNSIGNED, gm_cell_evidence, EXHAUSTION, 1),
	EVIDENCE(15, UNSIGNED, gm_cell_evidence, EXHAUSTION_LOW, 1),
	EVIDENCE(16, UNSIGNED, gm_cell_evidence, EXHAUSTION_HIGH, 1),
	EVIDENCE(17, TIME, gm_cell_evidence_time, ONSET, 1),
	EVIDENCE(18, UNSIGNED, gm_cell_evidence, CONFIDENCE, 100),
	EVIDENCE(19, UNSIGNED, gm_cell_evidence, HORIZON, 1),
	CELL(20, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(21, TIME, gm_cell_time, leak.time),
	CELL(22, UNSIGNED, gm_cell_age, leak.time),
};
#undef SET
#undef ROW

#define ROW struct gm_packed_row
static const struct gm_mib_column window_columns[] = {
	CELL(4, TIME, gm_cell_time, first_at),    CELL(5, COUNTER64, gm_cell_epoch, first_at),
	CELL(6, UNSIGNED, gm_cell_span, span),    CELL(7, UNSIGNED, gm_cell_u32, count),
	CELL(8, OCTETS, gm_cell_packed, records), CELL(9, UNSIGNED, gm_cell_age, last_at),
};
#undef ROW

static size_t source_index(const void *row, uint32_t *ret_index)
{
	const struct gm_source_status *source = row;
	ret_index[0] = (uint32_t)source->id + 1;
	return 1;
}

static size_t process_index(const void *row, uint32_t *ret_index)
{
	const struct gm_process_row *process = row;
	ret_index[0] = process->guest_index;
	ret_index[1] = process->pid;
	return 2;
}

static size_t window_index(const void *row, uint32_t *ret_index)
{
	const struct gm_packed_row *window = row;
	ret_index[0] = window->guest_index;
	ret_index[1] = window->ordinal;
	ret_index[2] = window->series;
	return 3;
}

static size_t tenant_index(const void *row, uint32_t *ret_index)
{
	return gm_index_of_name(((const struct gm_tenant_row *)row)->name, ret_index);
}

const struct gm_mib_table gm_mib_agent_table = {SCALARS(1), COLUMNS(agent)};
const struct gm_mib_table gm_mib_agent_tenant_table = {SCALARS(1), COLUMNS(agent_tenant)};
const struct gm_mib_table gm_mib_tenant_table = {ENTRY(30, 1, tenant_index),
						 ROWS(tenants, tenant_count), COLUMNS(tenant)};
const struct gm_mib_table gm_mib_node_table = {SCALARS(2), COLUMNS(node)};
const struct gm_mib_table gm_mib_source_table = {ENTRY(3, 1, source_index), .embedded = true,
						 ROWS(sources, source_count), COLUMNS(source)};
const struct gm_mib_table gm_mib_guest_table = {ENTRY(4, 1, gm_index_guest),
						ROWS(guests, guest_count), COLUMNS(guest)};
const struct gm_mib_table gm_mib_interface_table = {
	ENTRY(5, 2, gm_index_interface), ROWS(interfaces, interface_count), COLUMNS(interface)};
const struct gm_mib_table gm_mib_process_table = {ENTRY(11, 2, process_index),
						  ROWS(processes, process_count), COLUMNS(process)};
const struct gm_mib_table gm_mib_window_table = {ENTRY(20, 3, window_index),
						 ROWS(packed, packed_count), COLUMNS(window)};
