/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libvirt's typed parameters (virConnectGetAllDomainStats(3) lists them) to frames of a batch.
 * Pure: no call to libvirt, no clock. The parameters are walked once, by name, and never by the
 * counts they claim, so that a missing, repeated, absurd or wrongly typed field costs that field
 * alone.
 */
#ifndef GM_SOURCE_LIBVIRT_STATS_H
#define GM_SOURCE_LIBVIRT_STATS_H

#include <libvirt/libvirt.h>

#include "model/sample.h"

/* One guest's parameters and when they were read. */
struct gm_lv_record {
	const uint8_t *uuid;
	const virTypedParameter *params;
	size_t count;
	int64_t read_at;     /* the node's time */
	int64_t took;        /* ns of the call that read it (dating.h) */
	bool uncounted;      /* its counters are left out */
	int64_t offset;      /* the wall clock less the node's time, then (ns) */
	bool told_elsewhere; /* the guest's own account of its memory is (fresh.h) */
	const char *prefix;  /* of its interfaces' names (uris.h), or NULL */
};

/* When its values were true: in the middle of the call. */
static inline int64_t gm_lv_stats_measured_at(const struct gm_lv_record *record)
{
	return record->read_at - record->took / 2;
}

/* The value of "state.state", or -1. */
int gm_lv_stats_state(const struct gm_lv_record *record);

/* Splits a parameter's name "<prefix>N.<rest>": the rest, or NULL when it is not of that form. */
const char *gm_lv_stats_split(const virTypedParameter *param, const char *prefix,
			      uint64_t *ret_number);

/* Calls `visit` with each interface's device ("net.N.name"). */
void gm_lv_stats_devices(const struct gm_lv_record *record,
			 void (*visit)(void *user, const char *device), void *user);

/*
 * Whether it holds anything that only the guest's monitor tells: libvirt leaves that out for a guest
 * whose monitor is busy with another call.
 */
bool gm_lv_stats_monitored(const struct gm_lv_record *record);

/* Whether it holds counters of an interface, as the fast lane reads them. */
bool gm_lv_stats_counts(const struct gm_lv_record *record);

/* The fast lane's frames: the guest's state and one per interface, measured when read. */
void gm_lv_stats_fast(const struct gm_lv_record *record, struct gm_batch *batch);

enum { GM_LV_DISKS = 8 }; /* of a guest whose latencies are told; its first ones */

/* What is remembered of a guest between two readings. Zero-initialise. */
struct gm_lv_history {
	uint64_t last_update;  /* of the balloon, as libvirt told, s */
	int64_t measured_at;   /* of the balloon */
	uint64_t dirty_update; /* when the dirty rate was last measured, as libvirt told, s */
	struct gm_lv_disk {
		char name[GM_DEVICE_NAME]; /* empty: a free place */
		/* Reads, writes, flushes: how many, and ns spent in them. */
		struct {
			bool known; /* it was told before */
			uint64_t requests, time;
		} before[3];
	} disks[GM_LV_DISKS];
};

/*
 * The slow lane's frames: CPU, vCPUs and the balloon's size as read now, one frame per disk with the
 * mean times of its requests since the reading before, the dirty rate when it was measured anew, and
 * the guest's own memory statistics when they are new. Those are as old as "balloon.last-update"
 * says: they are measured at that whole second in the node's time, but never after the reading and
 * always after the ones before; where the wall clock was stepped, so that this cannot be, when they
 * were read. A repeated last-update, or 0 (no driver in the guest), gives none. The ones before do not count
 * where they are more than a second after the reading: the node's time was set back.
 */
void gm_lv_stats_slow(const struct gm_lv_record *record, struct gm_lv_history *history,
		      struct gm_batch *batch);

/*
 * The guest's own account of its memory alone, given on being asked at `asked_at` and dated so. None
 * when it is the same as *seen, a digest of the one before.
 */
void gm_lv_stats_asked(const struct gm_lv_record *record, int64_t asked_at, uint64_t *seen,
		       struct gm_batch *batch);

#endif
