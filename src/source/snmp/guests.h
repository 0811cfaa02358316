/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other sources have told of guests: their names, project and addresses. Targets that are named by a
 * pattern, or whose address Nova knows, are found here. The source's thread only.
 */
#ifndef GM_SOURCE_SNMP_GUESTS_H
#define GM_SOURCE_SNMP_GUESTS_H

#include "model/entity.h"

struct gm_snmp_guest {
	uint8_t uuid[GM_UUID_SIZE];
	char name[GM_NAME_SIZE], display_name[GM_NAME_SIZE];
	char project[GM_NAME_SIZE], project_uuid[GM_NAME_SIZE];
	struct gm_address addresses[GM_GUEST_ADDRESSES];
};

struct gm_snmp_guests;

int gm_snmp_guests_create(struct gm_snmp_guests **ret_guests); /* 0 or -ENOMEM */
void gm_snmp_guests_free(struct gm_snmp_guests *guests);

/* NULL: out of memory, or more than there can be. */
const struct gm_snmp_guest *gm_snmp_guests_add(struct gm_snmp_guests *guests,
					       const struct gm_entity_info *info);
const struct gm_snmp_guest *gm_snmp_guests_find(const struct gm_snmp_guests *guests,
						const uint8_t uuid[GM_UUID_SIZE]);
void gm_snmp_guests_remove(struct gm_snmp_guests *guests, const uint8_t uuid[GM_UUID_SIZE]);
void gm_snmp_guests_each(const struct gm_snmp_guests *guests,
			 void (*take)(void *user, const struct gm_snmp_guest *guest), void *user);

#endif
