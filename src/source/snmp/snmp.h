/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests as their own snmpd tells of them: memory, CPU and load from inside, file systems, disks,
 * interfaces, and the processes that use most memory. One thread, one UDP socket per address family and
 * network namespace, requests and answers in batches (sendmmsg(2), recvmmsg(2)); one request in flight
 * per guest, no retries: the next poll is the retry. Versions 1, 2c and 3 (authPriv or authNoPriv).
 *
 * A guest's snmpd answers from caches that are seconds old. A group of values is emitted when one of
 * them has changed, or when it is older than such a cache can be: then it was measured again and found
 * the same.
 *
 * Whom to ask is in two files: see list.h; what beside the usual in a third: see oids.h. Guests that are named by a pattern are learned from what other
 * sources tell (`hear`).
 */
#ifndef GM_SOURCE_SNMP_SNMP_H
#define GM_SOURCE_SNMP_SNMP_H

#include "base/option.h"
#include "source/source.h"

struct gm_snmp_options {
	bool enabled;
	char targets[256];
	char credentials[256];
	char oids[256];  /* empty: none */
	char listen[64]; /* empty: nowhere */
	bool listen_namespaces;
	char engine_id[80]; /* of informs; empty: made of struct gm_snmp_start */
	int64_t interval;   /* of targets that name none */
	int64_t resolution; /* of the schedule: ns between two turns of the thread */
	int64_t timeout;
	int64_t backoff_max;
	/* Of the groups: never more often than the target's; 0: not asked for. */
	int64_t memory_interval, cpu_interval, load_interval, oid_interval, storage_interval,
		disk_interval, interface_interval, process_interval;
	int64_t processes; /* the largest of a guest that are followed */
	bool tune_caches;
};
extern const struct gm_option gm_snmp_option_table[];

/* Whether that can be engine_id. 0 or -EINVAL. */
int gm_snmp_engine_check(const char *engine);

/* What the daemon keeps for the engine that takes informs of version 3; see engine.h. */
struct gm_snmp_start {
	uint64_t engine; /* drawn once */
	uint32_t boots;  /* this start's number, from 1 */
	int64_t at;      /* monotonic: when it was counted */
};

/* 0 or -ENOMEM. Files are read when the source opens. */
int gm_snmp_create(const struct gm_snmp_options *options, const struct gm_snmp_start *start,
		   struct gm_source **ret_source);

#endif
