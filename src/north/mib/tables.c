/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All tables of GUESTMON-MIB that can be read, in the order of their prefixes. Their columns are in
 * tables_entities.c, tables_findings.c and tables_alarms.c; tree.c reads them.
 */
#include "north/mib/tables.h"

const struct gm_mib_table *const gm_mib_tables[] = {
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
const size_t gm_mib_table_count = sizeof(gm_mib_tables) / sizeof(gm_mib_tables[0]);
