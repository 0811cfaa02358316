/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of guests that are to be moved elsewhere. Of a migration that is given up while its guest runs,
 * libvirt tells nothing: whoever wants to know has to ask for the guest's job, through its monitor. So a worker of
 * the slow lane asks for those that are named here, while they are, and it is told as an event: moving (its
 * memory is still being sent), or stayed (there is no job any more, and the guest is here).
 */
#ifndef GM_SOURCE_LIBVIRT_MOVES_H
#define GM_SOURCE_LIBVIRT_MOVES_H

#include "source/libvirt/crew.h"
#include "source/libvirt/roster.h"

struct gm_lv_moves;

/* 0 or -ENOMEM. */
int gm_lv_moves_create(struct gm_lv_moves **ret_moves);
void gm_lv_moves_free(struct gm_lv_moves *moves); /* NULL-safe */

/* Asks for the guest once. Any thread; never blocks; NULL-safe. Of many, the oldest are not asked for. */
void gm_lv_moves_follow(struct gm_lv_moves *moves, const uint8_t uuid[GM_UUID_SIZE]);

/*
 * Tells what has been answered, dated by when it was asked for, and has a worker ask for those that were named
 * since, if one has nothing else to do. One that does not answer for `patience` ns is given up: for a while guests
 * are asked for one at a time then, and one that does not answer alone is left out. The slow lane's thread.
 */
void gm_lv_moves_tick(struct gm_lv_moves *moves, struct gm_lv_crew *crew,
		      const struct gm_lv_roster *roster, int64_t patience,
		      const struct gm_source_sink *sink);

/* Nobody waits for what is being asked for. The slow lane's thread. */
void gm_lv_moves_abandon(struct gm_lv_moves *moves, struct gm_lv_crew *crew);

#endif
