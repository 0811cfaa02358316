/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests that a migration is about to bring: between the start of their hypervisor here and their arrival,
 * which may be hours later or never. While one is under way, libvirt tells the same of its end as of a
 * crash, though nothing has crashed: the guest goes on where it was. And what libvirt tells of a guest that
 * has arrived it tells of one that was to go and stays, too; but that one was suspended to go. Pure; one
 * thread at a time.
 */
#ifndef GM_SOURCE_LIBVIRT_ARRIVALS_H
#define GM_SOURCE_LIBVIRT_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

enum { GM_LV_ARRIVALS = 64 }; /* under way at once; of more, the oldest are forgotten */

struct gm_lv_arrivals {
	size_t count;
	struct gm_lv_arrival {
		uint8_t uuid[GM_UUID_SIZE];
		bool runs;      /* though parts of its memory are still to come */
		bool leaves;    /* it is suspended here, to go on elsewhere */
	} list[GM_LV_ARRIVALS]; /* the oldest first */
};

/*
 * Takes libvirt's lifecycle event of a guest, and tells what it means with what came before. False: nothing
 * worth telling.
 */
bool gm_lv_arrivals_judge(struct gm_lv_arrivals *arrivals, const uint8_t uuid[GM_UUID_SIZE],
			  int event, int detail, enum gm_guest_event_kind *ret_kind);

/* Whether the guest does not run here yet: its monitor's end is no fault of its. */
bool gm_lv_arrivals_awaits(const struct gm_lv_arrivals *arrivals, const uint8_t uuid[GM_UUID_SIZE]);

#endif
