/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of groups.h. Names are written as they go over the wire: 1.3 is 2b, 2021 is 8f 65.
 */
#include "source/snmp/groups.h"

#include <string.h>

#include "base/clock.h"

#define OID(text)                                         \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

#define MIB2 "\x2b\x06\x01\x02\x01"
#define UCD  "\x2b\x06\x01\x04\x01\x8f\x65"

#define MEMORY(number)  OID(UCD "\x04" number "\x00")
#define CPU(number)     OID(UCD "\x0b" number "\x00")
#define LOAD(number)    OID(UCD "\x0a\x01\x05" number)
#define DISKIO(number)  OID(UCD "\x0d\x0f\x01\x01" number)
#define STORAGE(number) OID(MIB2 "\x19\x02\x03\x01" number)
#define IFX(number)     OID(MIB2 "\x1f\x01\x01\x01" number)
#define IF(number)      OID(MIB2 "\x02\x02\x01" number)

const struct gm_snmp_scalar_line gm_snmp_scalars[GM_SNMP_SCALARS] = {
	[GM_SNMP_UPTIME] = {OID(MIB2 "\x01\x03\x00"), GM_SNMP_GROUPS},
	[GM_SNMP_MEM_TOTAL] = {MEMORY("\x05"), GM_SNMP_MEMORY},
	[GM_SNMP_MEM_FREE] = {MEMORY("\x06"), GM_SNMP_MEMORY},
	[GM_SNMP_MEM_SHARED] = {MEMORY("\x0d"), GM_SNMP_MEMORY},
	[GM_SNMP_MEM_BUFFERS] = {MEMORY("\x0e"), GM_SNMP_MEMORY},
	[GM_SNMP_MEM_CACHED] = {MEMORY("\x0f"), GM_SNMP_MEMORY},
	[GM_SNMP_MEM_AVAILABLE] = {MEMORY("\x1b"), GM_SNMP_MEMORY},
	[GM_SNMP_SWAP_SIZE] = {MEMORY("\x03"), GM_SNMP_MEMORY},
	[GM_SNMP_SWAP_FREE] = {MEMORY("\x04"), GM_SNMP_MEMORY},
	[GM_SNMP_CPU_USER] = {CPU("\x32"), GM_SNMP_CPU},
	[GM_SNMP_CPU_NICE] = {CPU("\x33"), GM_SNMP_CPU},
	[GM_SNMP_CPU_SYSTEM] = {CPU("\x34"), GM_SNMP_CPU},
	[GM_SNMP_CPU_IDLE] = {CPU("\x35"), GM_SNMP_CPU},
	[GM_SNMP_CPU_WAIT] = {CPU("\x36"), GM_SNMP_CPU},
	[GM_SNMP_CPU_STEAL] = {CPU("\x40"), GM_SNMP_CPU},
	[GM_SNMP_LOAD_1] = {LOAD("\x01"), GM_SNMP_LOAD},
	[GM_SNMP_LOAD_5] = {LOAD("\x02"), GM_SNMP_LOAD},
	[GM_SNMP_LOAD_15] = {LOAD("\x03"), GM_SNMP_LOAD},
};

const struct gm_snmp_table gm_snmp_tables[GM_SNMP_TABLES] = {
	{.group = GM_SNMP_STORAGE,
	 .columns = 5,
	 .walked = 3,
	 .row_read = GM_SNMP_FS_UNIT, /* a file system may be made anew under its name */
	 .rows_max = 64,
	 .oids = {[GM_SNMP_FS_TYPE] = STORAGE("\x02"),
		  [GM_SNMP_FS_NAME] = STORAGE("\x03"),
		  [GM_SNMP_FS_UNIT] = STORAGE("\x04"),
		  [GM_SNMP_FS_SIZE] = STORAGE("\x05"),
		  [GM_SNMP_FS_USED] = STORAGE("\x06")}},
	{.group = GM_SNMP_DISKS,
	 .columns = 5,
	 .walked = 1,
	 .row_read = 1,
	 .rows_max = 64,
	 .oids = {[GM_SNMP_DISK_NAME] = DISKIO("\x02"),
		  [GM_SNMP_DISK_READ] = DISKIO("\x0c"),
		  [GM_SNMP_DISK_WRITTEN] = DISKIO("\x0d"),
		  [GM_SNMP_DISK_READS] = DISKIO("\x05"),
		  [GM_SNMP_DISK_WRITES] = DISKIO("\x06")}},
	{.group = GM_SNMP_INTERFACES,
	 .columns = 9,
	 .walked = 1,
	 .row_read = 1,
	 .rows_max = 32,
	 .oids = {[GM_SNMP_IF_NAME] = IFX("\x01"),
		  [GM_SNMP_IF_RX_BYTES] = IFX("\x06"),
		  [GM_SNMP_IF_RX_PACKETS] = IFX("\x07"),
		  [GM_SNMP_IF_TX_BYTES] = IFX("\x0a"),
		  [GM_SNMP_IF_TX_PACKETS] = IFX("\x0b"),
		  [GM_SNMP_IF_RX_DROPPED] = IF("\x0d"),
		  [GM_SNMP_IF_RX_ERRORS] = IF("\x0e"),
		  [GM_SNMP_IF_TX_DROPPED] = IF("\x13"),
		  [GM_SNMP_IF_TX_ERRORS] = IF("\x14")}},
	{.group = GM_SNMP_PROCESSES,
	 .columns = 3,
	 .walked = 2,
	 .row_read = GM_SNMP_PROCESS_NAME,
	 .rows_max = 4096,
	 .walk_always = true,
	 .oids = {[GM_SNMP_PROCESS_CPU] = OID(MIB2 "\x19\x05\x01\x01\x01"),
		  [GM_SNMP_PROCESS_MEMORY] = OID(MIB2 "\x19\x05\x01\x01\x02"),
		  [GM_SNMP_PROCESS_NAME] = OID(MIB2 "\x19\x04\x02\x01\x02")}},
};

int64_t gm_snmp_cache_age(enum gm_snmp_group group)
{
	static const int64_t ages[GM_SNMP_GROUPS] = {
		[GM_SNMP_MEMORY] = 5 * GM_SECOND,     [GM_SNMP_CPU] = 15 * GM_SECOND,
		[GM_SNMP_LOAD] = 5 * GM_SECOND,       [GM_SNMP_OPERATOR] = 5 * GM_SECOND,
		[GM_SNMP_STORAGE] = 5 * GM_SECOND,    [GM_SNMP_DISKS] = 5 * GM_SECOND,
		[GM_SNMP_INTERFACES] = 3 * GM_SECOND, [GM_SNMP_PROCESSES] = 30 * GM_SECOND,
	};

	return ages[group];
}

enum gm_snmp_storage gm_snmp_storage_type(struct gm_snmp_slice oid)
{
	static const struct {
		struct gm_snmp_slice oid;
		enum gm_snmp_storage type;
	} types[] = {{OID(MIB2 "\x19\x02\x01\x02"), GM_SNMP_STORAGE_RAM},
		     {OID(MIB2 "\x19\x02\x01\x04"), GM_SNMP_STORAGE_FIXED}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (gm_snmp_oid_compare(oid, types[i].oid) == 0) {
			return types[i].type;
		}
	}
	return GM_SNMP_STORAGE_OTHER;
}
