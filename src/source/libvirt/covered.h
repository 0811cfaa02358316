/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices whose counters the tap sampler reads, as the fast lane has heard (source/heard.h): asking libvirt for
 * the same, later and for more, would be in vain. A device is covered from when the sampler tells of it
 * until it is told to be gone, or to have no index: the sampler reads no more.
 */
#ifndef GM_SOURCE_LIBVIRT_COVERED_H
#define GM_SOURCE_LIBVIRT_COVERED_H

#include "source/heard.h"
#include "source/libvirt/guests.h"

/* Whether all interfaces of a guest are; what was found is kept in the guest until something changes. */
bool gm_lv_covered_guest(struct gm_heard *covered, struct gm_lv_guest *guest);

#endif
