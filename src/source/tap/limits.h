/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others know of a port's quality of service: libvirt's <bandwidth> of a guest's interface, by the
 * name of its device. Told on any thread, asked on the tap source's own.
 */
#ifndef GM_SOURCE_TAP_LIMITS_H
#define GM_SOURCE_TAP_LIMITS_H

#include "model/entity.h"

struct gm_tap_limits;

/* What the guest may receive and send, bit/s; 0: as much as it can. */
struct gm_tap_limit {
	double rx, tx;
};

int gm_tap_limits_create(struct gm_tap_limits **ret_limits); /* 0 or a negative errno */
void gm_tap_limits_free(struct gm_tap_limits *limits);       /* NULL-safe */

/* Takes what is said of an interface; one that is gone, or no guest's, has no limit. */
void gm_tap_limits_hear(struct gm_tap_limits *limits, const struct gm_entity_info *info, bool here);

/* Zeros where none is known. */
struct gm_tap_limit gm_tap_limits_find(struct gm_tap_limits *limits,
				       const struct gm_entity_key *key);

/* True once after something has changed. */
bool gm_tap_limits_changed(struct gm_tap_limits *limits);

#endif
