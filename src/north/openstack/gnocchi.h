/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output type `gnocchi`: it tells no alarms, but once a second what measures.h derives of the node and
 * its guests, as measures of OpenStack's Gnocchi (API v1), under an archive policy that keeps `max`. A
 * guest's resource has its UUID, the node's has its name. What cannot be sent is kept and filled in
 * afterwards (backfill.h).
 */
#ifndef GM_NORTH_OPENSTACK_GNOCCHI_H
#define GM_NORTH_OPENSTACK_GNOCCHI_H

#include "north/output.h"

extern const struct gm_output_ops gm_gnocchi_output;

#endif
