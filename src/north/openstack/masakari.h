/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output type `masakari`: tells OpenStack's Masakari (Instance HA API v1) of a fault so hard that the
 * guest is to be started anew, or the node's guests elsewhere. What that costs is Masakari's and its
 * operator's to decide: recovery methods, reserved hosts, and the fencing without which a guest may run twice.
 * Limits, dry run and journal: north/action.h.
 */
#ifndef GM_NORTH_OPENSTACK_MASAKARI_H
#define GM_NORTH_OPENSTACK_MASAKARI_H

#include "north/output.h"

extern const struct gm_output_ops gm_masakari_output;

#endif
