/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One guest that is asked: what is due, the next request, what its answers mean. No sockets and no
 * clock: bytes and times go in, bytes and frames come out. The source (snmp.c) owns it and calls all of
 * this on its thread.
 *
 * A round asks for the scalars of every group that is due and for the known rows of tables, in as
 * few requests as fit; sysUpTime is in each. Walks (GETBULK; GETNEXT for version 1) find the rows of
 * tables and give way to rounds. Whatever the guest answers, memory and the number of requests per
 * poll are bounded; names that it does not have are left out until it has restarted or ten minutes have passed.
 */
#ifndef GM_SOURCE_SNMP_TARGET_H
#define GM_SOURCE_SNMP_TARGET_H

#include "source/snmp/ber.h"
#include "source/snmp/groups.h"
#include "source/snmp/list.h"
#include "source/snmp/oids.h"
#include "source/snmp/recent.h"
#include "source/source.h"

struct gm_snmp_target;

struct gm_snmp_target_options {
	uint8_t uuid[GM_UUID_SIZE];
	const struct gm_snmp_credential *credential; /* outlives the target */
	const struct gm_snmp_oids *oids;   /* as long; NULL where their group's interval is 0 */
	int64_t intervals[GM_SNMP_GROUPS]; /* ns; 0: not asked for */
	int64_t timeout, backoff_max;
	uint32_t processes;
	bool tune_caches;
	uint32_t slot; /* < GM_SNMP_SLOTS: the low bits of its request ids */
};

enum { GM_SNMP_SLOTS = 4096, GM_SNMP_PROCESSES_MAX = 64 };

/* When: on the monotonic clock for deadlines, in the node's time for samples. */
struct gm_snmp_moment {
	int64_t monotonic, node;
};

/* Where what was learned goes. */
struct gm_snmp_out {
	struct gm_batch *batch;
	const struct gm_source_sink *sink;
};

struct gm_snmp_counts {
	uint64_t sent, answered, timeouts;
	uint64_t late;                /* answers after their time */
	uint64_t rejected;            /* not understood, not asked for, from somewhere else */
	uint64_t notices, suppressed; /* traps and informs: taken, too many */
};

/* 0 or -ENOMEM. `start`: monotonic; the first polls are spread after it by slot. */
int gm_snmp_target_create(const struct gm_snmp_target_options *options, int64_t start,
			  struct gm_snmp_target **ret_target);
void gm_snmp_target_free(struct gm_snmp_target *target);

/* The monotonic time from which gm_snmp_target_ask() has something to do. */
int64_t gm_snmp_target_wake(const struct gm_snmp_target *target);

/*
 * The next packet at `now`; 0: nothing is due, or an answer is awaited (its time being over is
 * found here, too). *ret_packet belongs to the target until the next call.
 */
size_t gm_snmp_target_ask(struct gm_snmp_target *target, const struct gm_snmp_moment *now,
			  const uint8_t **ret_packet, const struct gm_snmp_out *out);

/*
 * A datagram that came from its address, as gm_snmp_decode() read it, with the bytes that `message`
 * points into.
 */
void gm_snmp_target_answer(struct gm_snmp_target *target, struct gm_snmp_message *message,
			   const void *data, size_t length, const struct gm_snmp_moment *now,
			   const struct gm_snmp_out *out);
/* One from its address that is none of its answers; `cut`: longer than anything asked for. */
void gm_snmp_target_refuse(struct gm_snmp_target *target, bool cut);

/*
 * A trap, or an inform of version 2c, that came from its host: an event, but for an inform that was sent
 * again. 0: an inform is to be answered. -EMSGSIZE: its answer would be too big, which is what it is to be told.
 * -EBADMSG: it is none, or not of this guest; -EBUSY: it sends too many.
 */
int gm_snmp_target_notice(struct gm_snmp_target *target, struct gm_snmp_message *message,
			  const void *data, size_t length, const struct gm_snmp_moment *now,
			  const struct gm_snmp_out *out);

/*
 * An inform of version 3 that came from its host and that this node's engine has opened with its credential:
 * an event. `length`: of the datagram. 0: answer it (one that was sent again is no event again); -EMSGSIZE: as
 * above; another negative errno: do not.
 */
int gm_snmp_target_inform(struct gm_snmp_target *target, const struct gm_snmp_message *message,
			  size_t length, const struct gm_snmp_moment *now,
			  const struct gm_snmp_out *out);
/* Whether its host may be told now what is wrong with what it sent: as often as it may send notices. */
bool gm_snmp_target_may_report(struct gm_snmp_target *target, int64_t now);

/* What it sent lately, which may have to outlive it; belongs to it, and is empty at first. */
struct gm_snmp_recent *gm_snmp_target_recent(struct gm_snmp_target *target);

/* The guest is gone: so are its parts. */
void gm_snmp_target_end(struct gm_snmp_target *target, int64_t time, const struct gm_snmp_out *out);

const uint8_t *gm_snmp_target_uuid(const struct gm_snmp_target *target);
const struct gm_snmp_credential *gm_snmp_target_credential(const struct gm_snmp_target *target);
bool gm_snmp_target_reachable(const struct gm_snmp_target *target);
struct gm_snmp_counts gm_snmp_target_counts(const struct gm_snmp_target *target);

#endif
