/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modules that are served, and all tables of each in the order of their prefixes. Their columns are in
 * tables_entities.c, tables_findings.c and tables_alarms.c; tree.c reads them.
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
};

static const uint32_t guestmon_root[] = {GM_OID_ROOT};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MODULE(text, prefix)                                                                \
	{                                                                                   \
		.name = (text), .root = prefix##_root, .root_length = COUNT(prefix##_root), \
		.tables = prefix##_tables, .table_count = COUNT(prefix##_tables),           \
	}

const struct gm_mib_module gm_mib_modules[GM_MIB_MODULES] = {
	[GM_MIB_GUESTMON] = MODULE("GUESTMON-MIB", guestmon),
};
