/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of what a guest has beside its interfaces: disks and vCPUs. Data alone; see tables.h.
 */
#include "north/mib/tables.h"

#define ROW struct gm_disk_row
#define SET last
static const struct gm_mib_column disk_columns[] = {
	TEXT(3, target),
	LAST(4, COUNTER64, gm_cell_counter, DISK_READ_BYTES, 1),
	LAST(5, COUNTER64, gm_cell_counter, DISK_READ_REQUESTS, 1),
	LAST(6, COUNTER64, gm_cell_counter, DISK_READ_TIME, 1e-3),
	LAST(7, COUNTER64, gm_cell_counter, DISK_WRITE_BYTES, 1),
	LAST(8, COUNTER64, gm_cell_counter, DISK_WRITE_REQUESTS, 1),
	LAST(9, COUNTER64, gm_cell_counter, DISK_WRITE_TIME, 1e-3),
	LAST(10, COUNTER64, gm_cell_counter, DISK_FLUSH_REQUESTS, 1),
	LAST(11, COUNTER64, gm_cell_counter, DISK_FLUSH_TIME, 1e-3),
	LAST(12, COUNTER64, gm_cell_rate, DISK_READ_BYTES, 1),
	LAST(13, UNSIGNED, gm_cell_rate, DISK_READ_REQUESTS, 1),
	LAST(14, COUNTER64, gm_cell_rate, DISK_WRITE_BYTES, 1),
	LAST(15, UNSIGNED, gm_cell_rate, DISK_WRITE_REQUESTS, 1),
	LAST(16, UNSIGNED, gm_cell_rate, DISK_FLUSH_REQUESTS, 1),
	LAST(17, UNSIGNED, gm_cell_last_age, DISK_READ_BYTES, 1),
	LAST(18, UNSIGNED, gm_cell_gauge, DISK_READ_LATENCY, 1e-3),
	LAST(19, UNSIGNED, gm_cell_last_age, DISK_READ_LATENCY, 1),
	LAST(20, UNSIGNED, gm_cell_gauge, DISK_WRITE_LATENCY, 1e-3),
	LAST(21, UNSIGNED, gm_cell_last_age, DISK_WRITE_LATENCY, 1),
	LAST(22, UNSIGNED, gm_cell_gauge, DISK_FLUSH_LATENCY, 1e-3),
	LAST(23, UNSIGNED, gm_cell_last_age, DISK_FLUSH_LATENCY, 1),
	LAST(24, COUNTER64, gm_cell_gauge, DISK_CAPACITY, 1),
	LAST(25, COUNTER64, gm_cell_gauge, DISK_ALLOCATION, 1),
	LAST(26, COUNTER64, gm_cell_gauge, DISK_PHYSICAL, 1),
	LAST(27, UNSIGNED, gm_cell_last_age, DISK_CAPACITY, 1),
	CELL(28, COUNTER64, gm_cell_disk_errors, errors),
	CELL(29, TIME, gm_cell_time, failed_at),
};
#undef SET
#undef ROW

#define ROW struct gm_vcpu_row
#define SET last
static const struct gm_mib_column vcpu_columns[] = {
	CELL(3, INTEGER, gm_cell_u32_known, vcpu.state),
	LAST(4, COUNTER64, gm_cell_counter, VCPU_TIME, 1e-3),
	LAST(5, COUNTER64, gm_cell_counter, VCPU_WAIT, 1e-3),
	LAST(6, COUNTER64, gm_cell_counter, VCPU_STEAL, 1e-3),
	LAST(7, UNSIGNED, gm_cell_rate, VCPU_TIME, 1e-6),
	LAST(8, UNSIGNED, gm_cell_rate, VCPU_WAIT, 1e-6),
	LAST(9, UNSIGNED, gm_cell_rate, VCPU_STEAL, 1e-6),
	CELL(10, UNSIGNED, gm_cell_age, vcpu.told_at),
};
#undef SET
#undef ROW

const struct gm_mib_table gm_mib_disk_table = {ENTRY(21, 2, gm_index_disk), ROWS(disks, disk_count),
					       COLUMNS(disk)};
const struct gm_mib_table gm_mib_vcpu_table = {ENTRY(22, 2, gm_index_vcpu), ROWS(vcpus, vcpu_count),
					       COLUMNS(vcpu)};
