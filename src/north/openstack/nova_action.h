/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output type `nova-action`: what an operator would do by hand when a guest's alarm is raised: migrate
 * the guest to another node, or set its state so that others see it. Nothing is done before dry-run is
 * switched off; actions are limited in number, per guest and as a whole, each is logged, and none is done
 * for an alarm that is no longer new. An alarm's filters are those of all outputs.
 */
#ifndef GM_NORTH_OPENSTACK_NOVA_ACTION_H
#define GM_NORTH_OPENSTACK_NOVA_ACTION_H

#include "north/output.h"

extern const struct gm_output_ops gm_nova_action_output;

#endif
