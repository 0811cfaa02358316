/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices whose counters the tap sampler reads, as the fast lane has heard: asking libvirt for the same, later
 * and for more, would be in vain. A device is covered from when the sampler tells of it until it is told
 * to be gone, or to have no index: the sampler reads no more.
 *
 * put() and drop() on any thread, the rest on the lane's.
 */
#ifndef GM_SOURCE_LIBVIRT_COVERED_H
#define GM_SOURCE_LIBVIRT_COVERED_H

#include <pthread.h>

#include "source/libvirt/guests.h"

struct gm_lv_covered {
	pthread_mutex_t lock;         /* guards all below */
	struct gm_lv_device *devices; /* by name */
	uint64_t version;             /* another one whenever a device comes or goes */
};

int gm_lv_covered_init(struct gm_lv_covered *covered); /* 0 or a negative errno */
void gm_lv_covered_destroy(struct gm_lv_covered *covered);

void gm_lv_covered_put(struct gm_lv_covered *covered, const struct gm_entity_key *device);
void gm_lv_covered_drop(struct gm_lv_covered *covered, const struct gm_entity_key *device);

/* Whether all interfaces of a guest are; what was found is kept in the guest until something changes. */
bool gm_lv_covered_guest(struct gm_lv_covered *covered, struct gm_lv_guest *guest);

#endif
