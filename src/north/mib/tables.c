/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modules that are served, and all tables of each in the order of their prefixes. Their columns are in
 * tables_entities.c, tables_findings.c, tables_alarms.c and tables_vm.c; tree.c reads them.
 */
#include "north/mib/tables.h"

#include "gm_version.h"

static const struct gm_mib_table *const guestmon_tables[] = {
	&gm_mib_agent_table,
	&gm_mib_node_table,
	&gm_mib_source_table,
	&gm_mib_guest_table,
	&gm_mib_interface_table,
	&gm_mib_leak_table,
	&gm_mib_burst_table,
	&gm_mib_alarm_table,
	&gm_mib_log_table,
	/* gmNotify has the number 10 */
	&gm_mib_process_table,
	&gm_mib_host_leak_table,
	&gm_mib_packet_burst_table,
	&gm_mib_burst_total_table,
	&gm_mib_burst_bucket_table,
	&gm_mib_contention_table,
	&gm_mib_contention_bucket_table,
	&gm_mib_anomaly_table,
	&gm_mib_error_table,
	&gm_mib_window_table,
	&gm_mib_disk_table,
	&gm_mib_vcpu_table,
	&gm_mib_tenant_table,
	&gm_mib_output_table,
	&gm_mib_threshold_table,
	&gm_mib_detector_table,
};

static const struct gm_mib_table *const guestmon_tenant_tables[] = {
	&gm_mib_agent_tenant_table, &gm_mib_guest_table,       &gm_mib_interface_table,
	&gm_mib_leak_table,         &gm_mib_burst_table,       &gm_mib_alarm_table,
	&gm_mib_log_table,          &gm_mib_process_table,     &gm_mib_host_leak_table,
	&gm_mib_packet_burst_table, &gm_mib_burst_total_table, &gm_mib_burst_bucket_table,
	&gm_mib_anomaly_table,      &gm_mib_error_table,       &gm_mib_window_table,
	&gm_mib_disk_table,         &gm_mib_vcpu_table,        &gm_mib_detector_table,
};

static const struct gm_mib_table *const vm_tables[] = {
	&gm_mib_vm_hypervisor_table, &gm_mib_vm_number,
	&gm_mib_vm_change,           &gm_mib_vm_table,
	&gm_mib_vm_cpu_table,        &gm_mib_vm_affinity_table,
	&gm_mib_vm_storage_table,    &gm_mib_vm_network_table,
	&gm_mib_vm_notify_each,      &gm_mib_vm_notify_bulk,
};

/* Neither the hypervisor nor the CPUs of the node. */
static const struct gm_mib_table *const vm_tenant_tables[] = {
	&gm_mib_vm_number,      &gm_mib_vm_change,        &gm_mib_vm_table,
	&gm_mib_vm_cpu_table,   &gm_mib_vm_storage_table, &gm_mib_vm_network_table,
	&gm_mib_vm_notify_each, &gm_mib_vm_notify_bulk,
};

static const struct gm_mib_table *const alarm_tables[] = {
	&gm_mib_model_changed, &gm_mib_model_table,        &gm_mib_active_changed,
	&gm_mib_active_table,  &gm_mib_active_stats_table, &gm_mib_active_overflow,
	&gm_mib_clear_maximum, &gm_mib_clear_table,
};
static const struct gm_mib_table *const itu_tables[] = {&gm_mib_itu_table, &gm_mib_itu_active_table,
							&gm_mib_itu_stats_table};

static const uint32_t alarm_root[] = {1, 3, 6, 1, 2, 1, 118};
static const uint32_t itu_root[] = {1, 3, 6, 1, 2, 1, 121};
static const uint32_t vm_root[] = {1, 3, 6, 1, 2, 1, 236};
static const uint32_t guestmon_root[] = {GM_OID_ROOT};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MODULE(text, arc, list)                                                       \
	{                                                                             \
		.name = (text), .root = arc##_root, .root_length = COUNT(arc##_root), \
		.tables = list##_tables, .table_count = COUNT(list##_tables),         \
	}

const struct gm_mib_module gm_mib_modules[GM_MIB_MODULES] = {
	[GM_MIB_GUESTMON] = MODULE("GUESTMON-MIB", guestmon, guestmon),
	[GM_MIB_VM] = MODULE("VM-MIB", vm, vm),
	[GM_MIB_ALARM] = MODULE("ALARM-MIB", alarm, alarm),
	[GM_MIB_ITU_ALARM] = MODULE("ITU-ALARM-MIB", itu, itu),
};

const struct gm_mib_module gm_mib_tenant_modules[GM_MIB_MODULES] = {
	[GM_MIB_GUESTMON] = MODULE("GUESTMON-MIB", guestmon, guestmon_tenant),
	[GM_MIB_VM] = MODULE("VM-MIB", vm, vm_tenant),
	[GM_MIB_ALARM] = MODULE("ALARM-MIB", alarm, alarm),
	[GM_MIB_ITU_ALARM] = MODULE("ITU-ALARM-MIB", itu, itu),
};
