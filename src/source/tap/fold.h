/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of one device's readings: a kept frame per fold for the windows, with the highest rate
 * of the ticks in between, and fine frames for the ticks at which something moved. Pure: readings and
 * their times in, frames of a batch out.
 */
#ifndef GM_SOURCE_TAP_FOLD_H
#define GM_SOURCE_TAP_FOLD_H

#include "model/sample.h"
#include "source/tap/netlink.h"

/* The state of one device; all zeros at first and after its counters were lost from sight. */
struct gm_tap_track {
	struct gm_link_stats last;
	int64_t time;   /* of `last`; 0: there is none yet */
	bool told;      /* `last` is in a frame already */
	bool has_peak;  /* a bin was measured since the last kept frame */
	double rx_peak; /* bit/s, the kernel's directions */
	double tx_peak;
};

/*
 * Takes the reading `stats`, true at `time`. A kept frame (`keep`) has all counters and the peaks
 * since the kept frame before. Otherwise a fine frame with octets and packets is made if they moved,
 * and one for the reading before it if that was left out, so that the span of the movement is known.
 * `view`: flags of all frames, GM_FRAME_HOST_VIEW with or without GM_FRAME_SAME_VIEW. True when the batch's last frame is this device's kept frame,
 * to which the caller may add.
 */
bool gm_tap_track_reading(struct gm_tap_track *track, const struct gm_entity_key *key,
			  unsigned view, const struct gm_link_stats *stats, int64_t time, bool keep,
			  struct gm_batch *batch);

#endif
