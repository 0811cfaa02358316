/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output type `aodh`: each guest and condition is an event alarm of OpenStack's Aodh (API v2), found
 * by its name or made once, owned by the guest's project where the role allows. State by PUT, never the
 * same one twice; alarms of guests that are gone are removed; at the start, what Aodh holds is
 * compared with what is active here.
 */
#ifndef GM_NORTH_OPENSTACK_AODH_H
#define GM_NORTH_OPENSTACK_AODH_H

#include "north/output.h"

extern const struct gm_output_ops gm_aodh_output;

#endif
