/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stable numbers of guests, and of a guest's interfaces among its own: from the state, for the intake.
 * Each new one is a wait for the disk, which a thousand guests at once do not bear: who is about to be made
 * known is foreseen, and gets his number with the others. Main thread only.
 */
#ifndef GM_DAEMON_NUMBERS_H
#define GM_DAEMON_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "daemon/entities.h"
#include "state/state.h"

struct gm_numbers {
	struct gm_state *state;
	struct gm_log_limit limit, lost_limit;
	bool missing; /* one could not be had */
	/* Guests that are gone, whose numbers are not retired yet. */
	struct gm_numbers_gone *gone;
	size_t gone_count, gone_room;
	bool refused; /* they could not be written: gm_numbers_again() tries it again */
};

/* Retires what is left, then frees. `numbers` itself is the caller's. */
void gm_numbers_close(struct gm_numbers *numbers);

/* 0, with a limited line in the log, when it cannot be had: gm_numbers_again() tries it again. */
uint32_t gm_numbers_guest(struct gm_numbers *numbers, const uint8_t uuid[GM_UUID_SIZE]);
uint32_t gm_numbers_interface(struct gm_numbers *numbers, const char *device,
			      const struct gm_interface_info *info);

/*
 * Tries again what could not be had, for whom it is missing among `entities`, and what could not be retired.
 * For about once a second; nothing is missing as a rule, and that costs nothing.
 */
void gm_numbers_again(struct gm_numbers *numbers, struct gm_entities *entities);

/*
 * `infos` are told one by one after this, each by its source. What fails here is tried then, and said then.
 * Whom nobody will follow, for another source tells of the guest or there are too many, gets none.
 */
void gm_numbers_foresee(struct gm_numbers *numbers, const struct gm_entities *entities,
			const enum gm_source_id *sources, const struct gm_entity_info *const *infos,
			size_t count);

/*
 * The guest went at `time`: its number is kept for it, and another's after a day (state.h). Written with others
 * by gm_numbers_settle(), and before the next number is asked for. Where that fails it waits, unless the guest is
 * seen again until then.
 */
void gm_numbers_retire(struct gm_numbers *numbers, const uint8_t uuid[GM_UUID_SIZE], int64_t time);
void gm_numbers_settle(struct gm_numbers *numbers);

#endif
