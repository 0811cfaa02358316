/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others know of a port's quality of service: libvirt's <bandwidth> of a guest's interface, by the
 * name of its device, in a table of source/heard.h. Only ports that have a limit are in it.
 */
#ifndef GM_SOURCE_TAP_LIMITS_H
#define GM_SOURCE_TAP_LIMITS_H

#include "source/heard.h"

/* What the guest may receive and send, bit/s; 0: as much as it can. */
struct gm_tap_limit {
	double rx, tx;
};

int gm_tap_limits_create(struct gm_heard **ret_limits); /* 0 or a negative errno */

/* Takes what is said of an interface; one that is gone, or no guest's, has no limit. Any thread. */
void gm_tap_limits_hear(struct gm_heard *limits, const struct gm_entity_info *info, bool here);

/* Zeros where none is known. Any thread. */
struct gm_tap_limit gm_tap_limits_find(struct gm_heard *limits, const struct gm_entity_key *key);

#endif
