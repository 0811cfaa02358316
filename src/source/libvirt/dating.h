/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the counters of an answer were true, and whether that is known well enough to tell them.
 *
 * libvirt reads guest after guest within one call and tells no times. An answer is dated by the middle of its
 * call: so no guest's date is wrong by more than half of it. For a rate only the span from one answer to the next
 * counts, and since the order of guests stays, a guest is read about as far into the one call as into the other:
 * the span is wrong by no more than half of what one call took longer than the other. Of two calls that take
 * long alike (many guests, a host far away) it is right; a call that was held up, and the one that follows
 * it at once, are the ones that would give many times the true rate. Whatever the order, no rate is told as more
 * than twice the true one: the calls do not overlap.
 *
 * So counters are told only where that half is at most an eighth of the span since those that were told last, and
 * the span is at least half of the lane's interval: in less, a single packet is a burst. What is left out makes
 * the next span the longer. Nothing is lost for good: what is tolerated grows with the span, and where all calls
 * take long from now on, one that has been told is followed by each that takes about as long.
 *
 * Pure; one thread. One of these for each guest, since some are read alone.
 */
#ifndef GM_SOURCE_LIBVIRT_DATING_H
#define GM_SOURCE_LIBVIRT_DATING_H

#include <stdbool.h>
#include <stdint.h>

/* Of the answer whose counters were told last. Zero-initialise: none yet. */
struct gm_lv_dating {
	int64_t measured_at; /* the node's time; 0: none */
	int64_t took;        /* ns */
};

/*
 * Whether to tell counters that are dated `measured_at` (the node's time), from a call that took `took` ns;
 * they are the last ones then. The first ones are, and those after the clock was set back by more than a second.
 * `interval`: ns from one answer to the next.
 */
bool gm_lv_dating_take(struct gm_lv_dating *dating, int64_t measured_at, int64_t took,
		       int64_t interval);

#endif
