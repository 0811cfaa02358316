/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The highest rates of an interface within the last minute, in each direction: of bins of 100 ms, and of the
 * finest bins that its source has. Main thread only; no clock.
 *
 * Bins of 100 ms are put together of the increases of net.rx.bytes and net.tx.bytes, whatever they span.
 * What cannot be cut so finely (a source of one reading a second, a gap) gives none. The finest are what
 * net.rx.peak and net.tx.peak tell.
 *
 * A maximum per second is kept, for a minute: a point costs one comparison or two, reading
 * costs 61 of them.
 */
#ifndef GM_WINDOW_PEAKS_H
#define GM_WINDOW_PEAKS_H

#include <stdint.h>

#include "model/sample.h"
#include "model/snapshot.h"

struct gm_peaks;

int gm_peaks_create(struct gm_peaks **ret_peaks); /* 0 or -ENOMEM */
void gm_peaks_free(struct gm_peaks *peaks);       /* NULL-safe */
void gm_peaks_clear(struct gm_peaks *peaks);      /* as if it were new */

/* A point as the window tells it, in the order of times. Points of other metrics are left out. */
void gm_peaks_take(struct gm_peaks *peaks, const struct gm_point *point);

/* Those whose bins ended within the minute before `now`; `at` is 0 where there was no bin. */
void gm_peaks_read(const struct gm_peaks *peaks, int64_t now,
		   struct gm_peak ret_peaks[GM_PEAK_KINDS]);

#endif
