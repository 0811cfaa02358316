/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of digests; see recent.h. Used by notice.c.
 */
#include "source/snmp/recent.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

enum { CAPACITY_FIRST = 16 };

static struct gm_snmp_recent_entry *entry_at(const struct gm_snmp_recent *recent, size_t i)
{
	return &recent->list[(recent->first + i) % recent->capacity];
}

/* Times may go back a little: datagrams have ages, which are those of a clock that is set. */
static void expire(struct gm_snmp_recent *recent, uint32_t second)
{
	while (recent->count > 0 &&
	       (int32_t)(second - entry_at(recent, 0)->second) > GM_SNMP_RECENT_SECONDS) {
		recent->first = (recent->first + 1) % recent->capacity;
		recent->count--;
	}
	if (recent->count == 0) {
		gm_snmp_recent_clear(recent);
	}
}

static int grow(struct gm_snmp_recent *recent)
{
	size_t capacity = recent->capacity > 0 ? 2 * recent->capacity : CAPACITY_FIRST;
	struct gm_snmp_recent_entry *list;

	if (capacity > GM_SNMP_RECENT_MAX) {
		return -ENOSPC;
	}
	list = malloc(capacity * sizeof(*list));
	if (list == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < recent->count; i++) {
		list[i] = *entry_at(recent, i);
	}
	free(recent->list);
	recent->list = list;
	recent->capacity = capacity;
	recent->first = 0;
	return 0;
}

static struct gm_snmp_recent_entry entry_of(const struct gm_snmp_message *message, int64_t now)
{
	struct gm_snmp_slice pdu = message->pdu.raw;

	/* A guest that finds two informs of one digest loses the second of its own. */
	return (struct gm_snmp_recent_entry){gm_hash(GM_HASH_FIRST, pdu.data, pdu.length),
					     message->version == GM_SNMP_V3 ? message->v3.id : 0,
					     (uint32_t)(now / GM_SECOND)};
}

enum gm_snmp_recent_kind gm_snmp_recent_look(struct gm_snmp_recent *recent,
					     const struct gm_snmp_message *message, int64_t now)
{
	struct gm_snmp_recent_entry entry = entry_of(message, now);
	enum gm_snmp_recent_kind kind = GM_SNMP_FIRST;

	expire(recent, entry.second);
	for (size_t i = 0; i < recent->count; i++) {
		const struct gm_snmp_recent_entry *other = entry_at(recent, i);

		if (other->digest != entry.digest) {
			continue;
		}
		kind = GM_SNMP_AGAIN;
		if (message->version == GM_SNMP_V3 && other->id == entry.id) {
			return GM_SNMP_REPLAY;
		}
	}
	return kind;
}

int gm_snmp_recent_add(struct gm_snmp_recent *recent, const struct gm_snmp_message *message,
		       int64_t now)
{
	int rc = recent->count == recent->capacity ? grow(recent) : 0;

	if (rc == 0) {
		*entry_at(recent, recent->count++) = entry_of(message, now);
	}
	return rc;
}

bool gm_snmp_recent_is_empty(struct gm_snmp_recent *recent, int64_t now)
{
	expire(recent, (uint32_t)(now / GM_SECOND));
	return recent->count == 0;
}

void gm_snmp_recent_clear(struct gm_snmp_recent *recent)
{
	free(recent->list);
	*recent = (struct gm_snmp_recent){0};
}
