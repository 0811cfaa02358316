/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output type `mistral`: starts a workflow of OpenStack's Mistral (Workflow API v2) with the alarm as its
 * input. The workflow is the operator's, and so is what it does. An execution's id is made of the message's key:
 * Mistral starts the same one once, however often it is asked. Limits, dry run and journal: north/action.h.
 */
#ifndef GM_NORTH_OPENSTACK_MISTRAL_H
#define GM_NORTH_OPENSTACK_MISTRAL_H

#include "north/output.h"

extern const struct gm_output_ops gm_mistral_output;

#endif
