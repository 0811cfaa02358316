/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contention: which ports of the node burst at the same time, and how often they do. Pure; fed with
 * the findings of the burst detectors of all ports by whoever passes them on (daemon/intake.c). It
 * knows the bursts of the last time, GM_CONTENTION_MAX at most: the oldest make room.
 *
 * Two bursts are at the same time when they overlap. Both directions of a port are one port. A burst
 * that is not over is known up to its last finding.
 */
#ifndef GM_ANALYSIS_CONTENTION_H
#define GM_ANALYSIS_CONTENTION_H

#include <stddef.h>
#include <stdint.h>

#include "model/finding.h"

enum { GM_CONTENTION_MAX = 512, GM_CONTENTION_BUCKETS = 16 };

struct gm_contention;

int gm_contention_create(struct gm_contention **ret_contention); /* 0 or -ENOMEM */
void gm_contention_free(struct gm_contention *contention);

/*
 * Takes a finding of a burst detector in and adds to its evidence how many ports burst at the time of
 * its burst ("ports_bursting", this one included) and, in `contributors`, the others' devices, those
 * that carried most first, as many as fit. A burst is taken in when it is reported; what a storm
 * control keeps back is not seen here. Findings that tell of no burst, or repeat one that is
 * forgotten, are left alone.
 */
void gm_contention_take(struct gm_contention *contention, struct gm_finding *finding);

/* The port is gone: what it did is not told any more. */
void gm_contention_gone(struct gm_contention *contention, const char *device);

/* What is counted; histograms and `most` only grow. */
struct gm_contention_stats {
	uint64_t bursts; /* taken in */
	size_t most;     /* ports at once since the start */
	/* Ports at once when a burst was first told: from 2^i up to, not including, 2^(i+1). */
	uint64_t ports[GM_CONTENTION_BUCKETS];
};
const struct gm_contention_stats *gm_contention_stats(const struct gm_contention *contention);

/* Ports that had a burst on at any moment from `since` to `until`. */
size_t gm_contention_ports(const struct gm_contention *contention, int64_t since, int64_t until);

#endif
