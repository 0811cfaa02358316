/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the column tables of GUESTMON-MIB are written with. Included by tables*.c alone: each of them
 * has some tables, a line per column in the order of the columns' numbers; tables.c lists all of them.
 * What is missing in the counting is not-accessible: an index.
 *
 * A block of columns defines ROW, the struct of its rows, and where LAST and EVIDENCE look.
 */
#ifndef GM_NORTH_MIB_TABLES_H
#define GM_NORTH_MIB_TABLES_H

#include "north/mib/cells.h"
#include "north/mib/tree.h"

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

#define COLUMNS(table)              \
	.columns = table##_columns, \
	.column_count = sizeof(table##_columns) / sizeof(table##_columns[0])
#define ROWS(array, counter)                               \
	.rows_at = offsetof(struct gm_snapshot, array),    \
	.count_at = offsetof(struct gm_snapshot, counter), \
	.row_size = sizeof(((struct gm_snapshot *)0)->array[0])

/* {root 1 n}, a group of scalars, and {root 1 n 1}, the entry of a table. */
#define SCALARS(group) .prefix = {1, (group)}, .prefix_length = 2
#define ENTRY(table, indexes, function)                                            \
	.prefix = {1, (table), 1}, .prefix_length = 3, .index_objects = (indexes), \
	.index = (function)

/* indexes.c: of struct gm_guest_row, gm_interface_row, gm_disk_row, gm_vcpu_row. */
gm_mib_index_fn gm_index_guest, gm_index_interface, gm_index_disk, gm_index_vcpu;
/* A string of variable length: its length, and a sub-identifier for each octet. */
size_t gm_index_of_name(const char *name, uint32_t *ret_index);

extern const struct gm_mib_table gm_mib_agent_table, gm_mib_node_table, gm_mib_source_table;
extern const struct gm_mib_table gm_mib_guest_table, gm_mib_interface_table, gm_mib_process_table;
extern const struct gm_mib_table gm_mib_disk_table, gm_mib_vcpu_table;
extern const struct gm_mib_table gm_mib_leak_table, gm_mib_host_leak_table;
extern const struct gm_mib_table gm_mib_burst_table, gm_mib_packet_burst_table;
extern const struct gm_mib_table gm_mib_burst_total_table, gm_mib_burst_bucket_table;
extern const struct gm_mib_table gm_mib_contention_table, gm_mib_contention_bucket_table;
extern const struct gm_mib_table gm_mib_anomaly_table, gm_mib_error_table;
extern const struct gm_mib_table gm_mib_window_table, gm_mib_tenant_table;
extern const struct gm_mib_table gm_mib_agent_tenant_table;
extern const struct gm_mib_table gm_mib_alarm_table, gm_mib_log_table, gm_mib_output_table;
extern const struct gm_mib_table gm_mib_threshold_table, gm_mib_detector_table;

/* VM-MIB, tables_vm.c */
extern const struct gm_mib_table gm_mib_vm_hypervisor_table, gm_mib_vm_number, gm_mib_vm_change;
extern const struct gm_mib_table gm_mib_vm_table, gm_mib_vm_cpu_table, gm_mib_vm_affinity_table;
extern const struct gm_mib_table gm_mib_vm_storage_table, gm_mib_vm_network_table;
extern const struct gm_mib_table gm_mib_vm_notify_each, gm_mib_vm_notify_bulk;

/* ALARM-MIB and ITU-ALARM-MIB, tables_rfc3877.c */
extern const struct gm_mib_table gm_mib_model_changed, gm_mib_model_table, gm_mib_active_changed;
extern const struct gm_mib_table gm_mib_active_table, gm_mib_active_stats_table;
extern const struct gm_mib_table gm_mib_variable_table;
extern const struct gm_mib_table gm_mib_active_overflow, gm_mib_clear_maximum, gm_mib_clear_table;
extern const struct gm_mib_table gm_mib_itu_table, gm_mib_itu_active_table, gm_mib_itu_stats_table;

#endif
