/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The balloon's periods as they were before a closer look, of the whole process: a thread that was left behind
 * may owe a guest its period while another look begins, which must not take the look's own for the guest's.
 * Any thread. Of some guests only; where there is no room that which was noted first is forgotten.
 */
#ifndef GM_SOURCE_LIBVIRT_PERIODS_H
#define GM_SOURCE_LIBVIRT_PERIODS_H

#include "model/entity.h"

enum {
	GM_LV_PERIOD_LOOK = 1,   /* s, of a guest that is looked at; the shortest that there is */
	GM_LV_PERIODS_OWED = 64, /* guests */
};

/* The guest's own period, where its XML says `seen`: what is owed to it, if that can be a look's. */
uint32_t gm_lv_periods_own(const uint8_t uuid[GM_UUID_SIZE], uint32_t seen);

/* One look begins to change it; one has set it to `period` again. */
void gm_lv_periods_touch(const uint8_t uuid[GM_UUID_SIZE], uint32_t period);
void gm_lv_periods_restored(const uint8_t uuid[GM_UUID_SIZE]);

#endif
