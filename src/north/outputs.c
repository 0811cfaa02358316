/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of drivers; see output.h.
 */
#include <string.h>

#include "north/mib/inform.h"
#include "north/openstack/aodh.h"
#include "north/openstack/gnocchi.h"
#include "north/openstack/masakari.h"
#include "north/openstack/mistral.h"
#include "north/openstack/nova_action.h"
#include "north/output.h"
#include "north/program/program.h"
#include "north/syslog/syslog.h"
#include "north/webhook/webhook.h"

const struct gm_output_ops *const gm_output_types[] = {
	&gm_aodh_output,     &gm_gnocchi_output, &gm_webhook_ops,        &gm_syslog_ops,
	&gm_journald_ops,    &gm_program_ops,    &gm_inform_output_ops,  &gm_nova_action_output,
	&gm_masakari_output, &gm_mistral_output, &gm_program_action_ops, NULL,
};

const struct gm_output_ops *gm_output_type(const char *name)
{
	for (size_t i = 0; gm_output_types[i]; i++) {
		if (strcmp(gm_output_types[i]->type, name) == 0)
			return gm_output_types[i];
	}
	return NULL;
}
