/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of a guest's snmpd, as tables: scalars and columns by group, their names encoded once
 * and for all. UCD-SNMP-MIB (1.3.6.1.4.1.2021), HOST-RESOURCES-MIB (RFC 2790), IF-MIB (RFC 2863),
 * UCD-DISKIO-MIB. Constant data: any thread.
 */
#ifndef GM_SOURCE_SNMP_GROUPS_H
#define GM_SOURCE_SNMP_GROUPS_H

#include "source/snmp/ber.h"

enum gm_snmp_group {
	GM_SNMP_MEMORY,
	GM_SNMP_CPU,
	GM_SNMP_LOAD,
	GM_SNMP_OPERATOR, /* the objects of oids.h */
	GM_SNMP_STORAGE,  /* from here on: tables */
	GM_SNMP_DISKS,
	GM_SNMP_INTERFACES,
	GM_SNMP_PROCESSES,
	GM_SNMP_GROUPS
};

enum { GM_SNMP_TABLES = GM_SNMP_GROUPS - GM_SNMP_STORAGE };

/*
 * How old a value of the group can be when snmpd tells it (net-snmp's own caches, measured on 5.9.3 with
 * its defaults).
 */
int64_t gm_snmp_cache_age(enum gm_snmp_group group);

enum gm_snmp_scalar {
	GM_SNMP_UPTIME, /* in every GET, whatever group is asked for */
	GM_SNMP_MEM_TOTAL,
	GM_SNMP_MEM_FREE,
	GM_SNMP_MEM_SHARED,
	GM_SNMP_MEM_BUFFERS,
	GM_SNMP_MEM_CACHED,
	GM_SNMP_MEM_AVAILABLE, /* memSysAvail: net-snmp 5.9 and later */
	GM_SNMP_SWAP_SIZE,
	GM_SNMP_SWAP_FREE,
	GM_SNMP_CPU_USER,
	GM_SNMP_CPU_NICE,
	GM_SNMP_CPU_SYSTEM,
	GM_SNMP_CPU_IDLE,
	GM_SNMP_CPU_WAIT,
	GM_SNMP_CPU_STEAL,
	GM_SNMP_LOAD_1,
	GM_SNMP_LOAD_5,
	GM_SNMP_LOAD_15,
	GM_SNMP_SCALARS
};

struct gm_snmp_scalar_line {
	struct gm_snmp_slice oid;
	uint8_t group;
};
extern const struct gm_snmp_scalar_line gm_snmp_scalars[GM_SNMP_SCALARS];

/* Columns by their place in a table's list. */
enum { GM_SNMP_FS_TYPE, GM_SNMP_FS_NAME, GM_SNMP_FS_UNIT, GM_SNMP_FS_SIZE, GM_SNMP_FS_USED };
enum {
	GM_SNMP_DISK_NAME,
	GM_SNMP_DISK_READ,
	GM_SNMP_DISK_WRITTEN,
	GM_SNMP_DISK_READS,
	GM_SNMP_DISK_WRITES
};
enum {
	GM_SNMP_IF_NAME,
	GM_SNMP_IF_RX_BYTES,
	GM_SNMP_IF_RX_PACKETS,
	GM_SNMP_IF_TX_BYTES,
	GM_SNMP_IF_TX_PACKETS,
	GM_SNMP_IF_RX_DROPPED,
	GM_SNMP_IF_RX_ERRORS,
	GM_SNMP_IF_TX_DROPPED,
	GM_SNMP_IF_TX_ERRORS
};
enum { GM_SNMP_PROCESS_CPU, GM_SNMP_PROCESS_MEMORY, GM_SNMP_PROCESS_NAME };

enum { GM_SNMP_COLUMNS_MAX = 9 };

struct gm_snmp_table {
	uint8_t group;
	uint8_t columns;
	uint8_t walked;   /* the first so many are walked to find the rows */
	uint8_t row_read; /* from this column on the known rows are asked for, each poll */
	uint16_t rows_max;
	bool walk_always; /* there is nothing to keep: walked anew each time */
	struct gm_snmp_slice oids[GM_SNMP_COLUMNS_MAX];
};
extern const struct gm_snmp_table gm_snmp_tables[GM_SNMP_TABLES];

/* What a row of hrStorageTable is (its hrStorageType). */
enum gm_snmp_storage { GM_SNMP_STORAGE_OTHER, GM_SNMP_STORAGE_RAM, GM_SNMP_STORAGE_FIXED };
enum gm_snmp_storage gm_snmp_storage_type(struct gm_snmp_slice oid);

#endif
