/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose word counts where several connections to libvirt tell of the same guest (one daemon under
 * two names, or both ends of a migration): the one that the configuration names first, of those that
 * tell of it. What the others tell is left out until it lets the guest go. Pure; used by intake.c.
 */
#ifndef GM_DAEMON_RANKS_H
#define GM_DAEMON_RANKS_H

#include "daemon/entities.h"

/* Whether `source` is a connection to libvirt, and one of a better rank tells of `tracked`. */
bool gm_ranks_outranked(const struct gm_tracked *tracked, enum gm_source_id source);

/* Whether `source` is a connection to libvirt and another tells of `tracked`, but not itself. */
bool gm_ranks_anothers(const struct gm_tracked *tracked, enum gm_source_id source);

/* Notes that `source` tells of `tracked`; connections of a worse rank do not any more. */
void gm_ranks_note(struct gm_tracked *tracked, enum gm_source_id source);

#endif
