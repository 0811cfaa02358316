/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash of guests; see guests.h. Used by peers.c alone.
 */
#define HASH_NONFATAL_OOM 1
#include "source/snmp/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"

enum { GUESTS_MAX = 65536 };

struct entry {
	struct gm_snmp_guest guest; /* its uuid is the hash's key */
	UT_hash_handle hh;
};

struct gm_snmp_guests {
	struct entry *table;
};

int gm_snmp_guests_create(struct gm_snmp_guests **ret_guests)
{
	*ret_guests = calloc(1, sizeof(**ret_guests));
	return *ret_guests ? 0 : -ENOMEM;
}

void gm_snmp_guests_free(struct gm_snmp_guests *guests)
{
	struct entry *entry, *next;

	if (guests == NULL) {
		return;
	}
	HASH_ITER (hh, guests->table, entry, next) {
		HASH_DEL(guests->table, entry);
		free(entry);
	}
	free(guests);
}

static struct entry *find(const struct gm_snmp_guests *guests, const uint8_t uuid[GM_UUID_SIZE])
{
	struct entry *entry;

	HASH_FIND(hh, guests->table, uuid, GM_UUID_SIZE, entry);
	return entry;
}

const struct gm_snmp_guest *gm_snmp_guests_add(struct gm_snmp_guests *guests,
					       const struct gm_entity_info *info)
{
	struct entry *entry = find(guests, info->key.uuid);

	if (entry == NULL && HASH_COUNT(guests->table) < GUESTS_MAX) {
		entry = calloc(1, sizeof(*entry));
		if (entry == NULL) {
			return NULL;
		}
		memcpy(entry->guest.uuid, info->key.uuid, GM_UUID_SIZE);
		HASH_ADD(hh, guests->table, guest.uuid, GM_UUID_SIZE, entry);
		if (entry->hh.tbl == NULL) {
			free(entry);
			return NULL;
		}
	}
	if (entry == NULL) {
		return NULL;
	}
	gm_text_copy(entry->guest.name, sizeof(entry->guest.name), info->guest.name);
	gm_text_copy(entry->guest.display_name, sizeof(entry->guest.display_name),
		     info->guest.display_name);
	gm_text_copy(entry->guest.project, sizeof(entry->guest.project), info->guest.project);
	gm_text_copy(entry->guest.project_uuid, sizeof(entry->guest.project_uuid),
		     info->guest.project_uuid);
	memcpy(entry->guest.addresses, info->guest.addresses, sizeof(entry->guest.addresses));
	return &entry->guest;
}

const struct gm_snmp_guest *gm_snmp_guests_find(const struct gm_snmp_guests *guests,
						const uint8_t uuid[GM_UUID_SIZE])
{
	const struct entry *entry = find(guests, uuid);

	return entry ? &entry->guest : NULL;
}

void gm_snmp_guests_remove(struct gm_snmp_guests *guests, const uint8_t uuid[GM_UUID_SIZE])
{
	struct entry *entry = find(guests, uuid);

	if (entry) {
		HASH_DEL(guests->table, entry);
		free(entry);
	}
}

void gm_snmp_guests_each(const struct gm_snmp_guests *guests,
			 void (*take)(void *user, const struct gm_snmp_guest *guest), void *user)
{
	struct entry *entry, *next;

	HASH_ITER (hh, guests->table, entry, next) {
		take(user, &entry->guest);
	}
}
