/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a snapshot says that is worth keeping for long, as measures of a time series database: memory
 * and CPU in use, rates, the peaks that a mean hides, bursts, leaks. Called once a second; what
 * was said of a series before is remembered, so that each sample counts once. One thread.
 *
 *   of the node and of each guest
 *     memory.used           B       now
 *     cpu.used              1       CPUs that were busy, over the last two samples
 *     leak.slope            B/s     of the leak that is judged to be on; absent without one
 *     leak.exhaustion       s       until nothing is left
 *   of each interface N (a guest's: its place from 1; the node's: its device)
 *     net.N.rx.rate, .tx.rate       bit/s   mean since the last time
 *     net.N.rx.peak, .tx.peak       bit/s   highest between two samples since the last time
 *     net.N.rx.bursts, .tx.bursts   1       begun since the daemon's start
 */
#ifndef GM_NORTH_OPENSTACK_MEASURES_H
#define GM_NORTH_OPENSTACK_MEASURES_H

#include <stdint.h>

#include "model/snapshot.h"

enum { GM_MEASURE_NAME = 64 };

/* Of a guest, or of the node (NULL). Valid during the call. */
struct gm_measure {
	const struct gm_guest_row *guest;
	const char *name, *unit;
	int64_t time; /* ns since the epoch */
	double value;
};
typedef void gm_measure_fn(void *user, const struct gm_measure *measure);

struct gm_measures;
int gm_measures_create(struct gm_measures **ret_measures); /* 0 or -ENOMEM */
void gm_measures_free(struct gm_measures *measures);       /* NULL-safe */

void gm_measures_take(struct gm_measures *measures, const struct gm_snapshot *snapshot,
		      gm_measure_fn *each, void *user);

/*
 * The highest and the mean rate (bit/s) of a packed series of octets after `after`; the time of the last
 * sample, or 0: nothing new. A counter that went back begins anew.
 */
int64_t gm_measures_rates(const struct gm_packed_row *row, int64_t after, double *ret_mean,
			  double *ret_peak);

#endif
