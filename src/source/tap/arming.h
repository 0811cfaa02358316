/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ports are looked at more closely for a while: one whose last bin carried much more than its bins
 * usually do is armed, a few at a time, and all of them together for no more than a share of the time.
 * Pure: bins and times in. One thread.
 */
#ifndef GM_SOURCE_TAP_ARMING_H
#define GM_SOURCE_TAP_ARMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GM_TAP_ARMED_MAX = 8 };

/* What a port usually carries: an exponential mean over about a second. All zeros at first. */
struct gm_tap_level {
	double rx, tx; /* octets per ns */
	int64_t known; /* ns that it has been looked at; what is new has no excess */
};

/*
 * Takes a bin into the level. True when it carried an excess: more than four times the level, and more than
 * 1 Mbit/s in its time. `span` > 0.
 */
bool gm_tap_level_take(struct gm_tap_level *level, uint64_t rx_bytes, uint64_t tx_bytes,
		       int64_t span);

struct gm_tap_arming {
	int64_t time; /* how long a port is armed after its last excess, ns */
	double share; /* of the time in which ports are armed, on the whole */
	size_t count;
	struct {
		uint32_t index;
		int64_t until;
	} list[GM_TAP_ARMED_MAX];
	int64_t credit, credited_at; /* ns that may be spent, at most a minute's share */
	uint64_t refused;            /* excesses for which there was no place or credit */
};

/* Arms a port, or keeps it armed. Times are monotonic. */
void gm_tap_arming_excess(struct gm_tap_arming *arming, uint32_t index, int64_t now);

/* Once a reading: disarms what has been armed long enough, all when the credit is spent (`spent` ns more). */
void gm_tap_arming_settle(struct gm_tap_arming *arming, int64_t now, int64_t spent);

#endif
