/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output type `nova-action`: what an operator would do by hand when an alarm is raised: migrate its
 * guest to another node, set the state that others see of it, or, for a fault of the node itself, take the
 * node out of Nova's scheduling with the reason beside it. Limits, dry run and journal: north/action.h.
 *
 * Requests name no microversion, so Nova takes them as 2.1, where it answers a live migration once a node has been
 * found and has agreed, a second or more later: what cannot be done is told. From 2.34 on it would say yes at once.
 *
 * evacuate-hint is a hint and no more. Nova evacuates (rebuilds elsewhere) what ran on a node whose compute
 * service it takes for down; a daemon on a node that still runs cannot know that its guests have ended, and a
 * guest that runs twice destroys its disk. So this neither evacuates nor forces the service down: it disables
 * it (undone by `openstack compute service set --enable`), and whoever empties the node, an operator or
 * Masakari, fences it first.
 */
#ifndef GM_NORTH_OPENSTACK_NOVA_ACTION_H
#define GM_NORTH_OPENSTACK_NOVA_ACTION_H

#include "north/output.h"

extern const struct gm_output_ops gm_nova_action_output;

#endif
