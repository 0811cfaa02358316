/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list in the order of leaving; see absent.h. Used by peers.c.
 */
#include "source/snmp/absent.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 16 };

/* Those of whom nothing is remembered any more go. */
static void sweep(struct gm_snmp_absent *absent, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < absent->count; i++) {
		if (!gm_snmp_recent_is_empty(&absent->list[i].recent, now)) {
			absent->list[kept++] = absent->list[i];
		}
	}
	absent->count = kept;
}

static void remove_at(struct gm_snmp_absent *absent, size_t i)
{
	absent->count--;
	memmove(&absent->list[i], &absent->list[i + 1],
		(absent->count - i) * sizeof(absent->list[0]));
}

/* False: memory is short. */
static bool make_room(struct gm_snmp_absent *absent, int64_t now)
{
	size_t capacity = absent->capacity > 0 ? 2 * absent->capacity : CAPACITY_FIRST;
	struct gm_snmp_absent_entry *list;

	if (absent->count < absent->capacity) {
		return true;
	}
	sweep(absent, now);
	if (absent->count < absent->capacity) {
		return true;
	}
	if (capacity > GM_SNMP_ABSENT_MAX) {
		gm_snmp_recent_clear(&absent->list[0].recent);
		remove_at(absent, 0);
		return true;
	}
	list = realloc(absent->list, capacity * sizeof(*list));
	if (list == NULL) {
		return false;
	}
	absent->list = list;
	absent->capacity = capacity;
	return true;
}

void gm_snmp_absent_put(struct gm_snmp_absent *absent, const uint8_t uuid[GM_UUID_SIZE],
			struct gm_snmp_recent *recent, int64_t now)
{
	if (gm_snmp_recent_is_empty(recent, now)) {
		return;
	}
	if (make_room(absent, now)) {
		struct gm_snmp_absent_entry *entry = &absent->list[absent->count++];

		memcpy(entry->uuid, uuid, GM_UUID_SIZE);
		entry->recent = *recent;
		*recent = (struct gm_snmp_recent){0};
	} else {
		gm_snmp_recent_clear(recent);
	}
}

void gm_snmp_absent_take(struct gm_snmp_absent *absent, const uint8_t uuid[GM_UUID_SIZE],
			 struct gm_snmp_recent *recent)
{
	for (size_t i = 0; i < absent->count; i++) {
		if (memcmp(absent->list[i].uuid, uuid, GM_UUID_SIZE) == 0) {
			*recent = absent->list[i].recent;
			remove_at(absent, i);
			return;
		}
	}
}

void gm_snmp_absent_clear(struct gm_snmp_absent *absent)
{
	for (size_t i = 0; i < absent->count; i++) {
		gm_snmp_recent_clear(&absent->list[i].recent);
	}
	free(absent->list);
	*absent = (struct gm_snmp_absent){0};
}
