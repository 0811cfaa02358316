/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of VM-MIB (RFC 7666). Data alone; see tables.h. Its unit of memory is the KiB.
 */
#include "north/mib/tables.h"

#define CONSTANT(column, syntax, value)                                               \
	{                                                                             \
		.number = (column), .type = GM_MIB_##syntax, .get = gm_cell_constant, \
		.id = (value)                                                         \
	}

/* hrDeviceIndex of a CPU in HOST-RESOURCES-MIB as net-snmp serves it: the type of device, and its number. */
enum { HR_DEVICE_CPU = 3 << 16 };

#define ROW struct gm_snapshot
static const struct gm_mib_column hypervisor_columns[] = {
	CELL(1, OCTETS, gm_cell_string, host.info.hypervisor),
	CELL(2, OCTETS, gm_cell_string, host.info.version),
	CELL(3, OBJECT, gm_cell_nothing, host.info),
	CELL(4, TICKS, gm_cell_since, host.booted_at),
};
static const struct gm_mib_column number_columns[] = {CELL(2, INTEGER, gm_cell_size, guest_count)};
static const struct gm_mib_column change_columns[] = {
	CELL(3, TICKS, gm_cell_stamp, host.guests_changed_at)};
static const struct gm_mib_column notify_each_columns[] = {
	CELL(9, INTEGER, gm_cell_vm_notify_each, host)};
static const struct gm_mib_column notify_bulk_columns[] = {
	CELL(10, INTEGER, gm_cell_vm_notify_bulk, host)};
#undef ROW

#define ROW struct gm_guest_row
#define SET last
static const struct gm_mib_column vm_columns[] = {
	TEXT(2, info.name),
	CELL(3, OCTETS, gm_cell_uuid, uuid),
	CELL(4, OCTETS, gm_cell_string, info.os),
	LAST(5, INTEGER, gm_cell_vm_admin_state, GUEST_STATE, 1),
	LAST(6, INTEGER, gm_cell_vm_oper_state, GUEST_STATE, 1),
	CELL(7, INTEGER, gm_cell_known, info.autostart),
	CELL(8, INTEGER, gm_cell_known, info.persistent),
	LAST(9, INTEGER, gm_cell_gauge, CPU_COUNT, 1),
	CELL(10, INTEGER, gm_cell_unlimited, info),
	CELL(11, INTEGER, gm_cell_u32_known, info.vcpus_max),
	CONSTANT(12, INTEGER, 1024),
	LAST(13, INTEGER, gm_cell_gauge, MEMORY_BALLOON, 1. / 1024),
	CELL(14, INTEGER, gm_cell_unlimited, info),
	LAST(15, INTEGER, gm_cell_gauge, MEMORY_MAXIMUM, 1. / 1024),
	CELL(16, TICKS, gm_cell_since, started_at),
	LAST(17, COUNTER64, gm_cell_counter, CPU_TIME, 1e-3),
};
#undef SET
#undef ROW

#define ROW struct gm_vcpu_row
#define SET last
static const struct gm_mib_column vcpu_columns[] = {
	LAST(2, COUNTER64, gm_cell_counter, VCPU_TIME, 1e-3)};
#undef SET
static const struct gm_mib_column affinity_columns[] = {
	CELL(3, INTEGER, gm_cell_vm_affinity, vcpu)};
#undef ROW

#define ROW struct gm_disk_row
#define SET last
static const struct gm_mib_column storage_columns[] = {
	CONSTANT(3, INTEGER, 0),
	CELL(4, INTEGER, gm_cell_vm_source_type, info),
	CELL(5, OCTETS, gm_cell_vm_source, info),
	CELL(6, OCTETS, gm_cell_string, info.source),
	CELL(7, INTEGER, gm_cell_vm_access, info),
	CELL(8, INTEGER, gm_cell_vm_media, info),
	CELL(9, OCTETS, gm_cell_string, info.device),
	CELL(10, INTEGER, gm_cell_vm_size_unit, last),
	LAST(11, INTEGER, gm_cell_vm_size, DISK_CAPACITY, 1),
	LAST(12, INTEGER, gm_cell_vm_size, DISK_ALLOCATION, 1),
	LAST(13, COUNTER64, gm_cell_counter, DISK_READ_REQUESTS, 1),
	LAST(14, COUNTER64, gm_cell_counter, DISK_WRITE_REQUESTS, 1),
	LAST(15, COUNTER64, gm_cell_counter, DISK_READ_BYTES, 1),
	LAST(16, COUNTER64, gm_cell_counter, DISK_WRITE_BYTES, 1),
	LAST(17, COUNTER64, gm_cell_counter, DISK_READ_TIME, 1e-3),
	LAST(18, COUNTER64, gm_cell_counter, DISK_WRITE_TIME, 1e-3),
};
#undef SET
#undef ROW

#define ROW struct gm_interface_row
static const struct gm_mib_column network_columns[] = {
	CELL(2, INTEGER, gm_cell_u32, info.if_index),
	CELL(3, INTEGER, gm_cell_u32, info.master),
	CELL(4, OCTETS, gm_cell_string, info.model),
	CELL(5, OCTETS, gm_cell_mac, info.mac),
};
#undef ROW

#define SCALAR(group) .prefix = {1, (group)}, .prefix_length = 2, .leaf = true

const struct gm_mib_table gm_mib_vm_hypervisor_table = {SCALARS(1), COLUMNS(hypervisor)};
const struct gm_mib_table gm_mib_vm_number = {SCALAR(2), COLUMNS(number)};
const struct gm_mib_table gm_mib_vm_change = {SCALAR(3), COLUMNS(change)};
const struct gm_mib_table gm_mib_vm_table = {ENTRY(4, 1, gm_index_guest), ROWS(guests, guest_count),
					     COLUMNS(vm)};
const struct gm_mib_table gm_mib_vm_cpu_table = {ENTRY(5, 2, gm_index_vcpu),
						 ROWS(vcpus, vcpu_count), COLUMNS(vcpu)};
const struct gm_mib_table gm_mib_vm_affinity_table = {
	ENTRY(6, 3, gm_index_vcpu), ROWS(vcpus, vcpu_count), COLUMNS(affinity),
	.parts_at = offsetof(struct gm_snapshot, host.cpu_count), .first_part = HR_DEVICE_CPU};
const struct gm_mib_table gm_mib_vm_storage_table = {ENTRY(7, 2, gm_index_disk),
						     ROWS(disks, disk_count), COLUMNS(storage)};
const struct gm_mib_table gm_mib_vm_network_table = {ENTRY(8, 2, gm_index_interface),
						     ROWS(ports, port_count), COLUMNS(network)};
const struct gm_mib_table gm_mib_vm_notify_each = {SCALAR(9), COLUMNS(notify_each)};
const struct gm_mib_table gm_mib_vm_notify_bulk = {SCALAR(10), COLUMNS(notify_bulk)};
