/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow lane's guests and which of them are hung; see roster.h.
 */
#define HASH_NONFATAL_OOM 1
#include "source/libvirt/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { MISSES = 2 }; /* until a guest is taken for hung while no call hangs */

#define PROBE_FIRST GM_SECOND
#define PROBE_MOST  (8 * GM_SECOND)

struct gm_lv_member *gm_lv_roster_find(const struct gm_lv_roster *roster,
				       const uint8_t uuid[GM_UUID_SIZE])
{
	struct gm_lv_member *member;

	HASH_FIND(hh, roster->table, uuid, GM_UUID_SIZE, member);
	return member;
}

static struct gm_lv_member *put(struct gm_lv_roster *roster, const uint8_t *uuid)
{
	struct gm_lv_member *member = gm_lv_roster_find(roster, uuid);

	if (member)
		return member;
	member = calloc(1, sizeof(*member));
	if (!member)
		return NULL;
	memcpy(member->uuid, uuid, GM_UUID_SIZE);
	HASH_ADD(hh, roster->table, uuid, GM_UUID_SIZE, member);
	if (!member->hh.tbl) { /* HASH_NONFATAL_OOM: it was not added */
		free(member);
		return NULL;
	}
	return member;
}

struct gm_lv_member *gm_lv_roster_list(struct gm_lv_roster *roster,
				       const uint8_t uuid[GM_UUID_SIZE], const char *name, int id)
{
	struct gm_lv_member *member = put(roster, uuid);

	if (!member)
		return NULL;
	if (member->id != id) {
		member->period = (struct gm_lv_member_period){0};
		member->monitored = member->hung = false;
		member->misses = 0;
		gm_text_copy(member->name, sizeof(member->name), name);
	}
	member->id = id;
	member->tick = roster->tick;
	return member;
}

bool gm_lv_member_judge(struct gm_lv_member *member, bool monitored, bool stuck, int64_t monotonic)
{
	if (monitored) {
		member->monitored = true;
		member->misses = 0;
		member->hung = false;
		return true;
	}
	/* A guest without balloon and disks has nothing to ask its monitor for. */
	bool hung = member->hung ? member->monitored || stuck
				 : stuck || (member->monitored && ++member->misses >= MISSES);
	if (hung && !member->hung) {
		member->probe_wait = PROBE_FIRST;
		member->probe_after = monotonic + PROBE_FIRST;
	}
	member->hung = hung;
	return !hung;
}

size_t gm_lv_roster_hung(const struct gm_lv_roster *roster, uint8_t (*ret_uuids)[GM_UUID_SIZE],
			 size_t max)
{
	size_t count = 0;

	for (const struct gm_lv_member *member = roster->table; member && count < max;
	     member = member->hh.next) {
		if (member->hung)
			memcpy(ret_uuids[count++], member->uuid, GM_UUID_SIZE);
	}
	return count;
}

struct gm_lv_member *gm_lv_roster_due(const struct gm_lv_roster *roster, int64_t monotonic,
				      bool early)
{
	for (struct gm_lv_member *member = roster->table; member; member = member->hh.next) {
		if (!member->hung || member->probing || (!early && member->probe_after > monotonic))
			continue;
		member->probe_after = monotonic + member->probe_wait;
		if (member->probe_wait < PROBE_MOST)
			member->probe_wait *= 2;
		return member;
	}
	return NULL;
}

struct gm_lv_member *gm_lv_roster_take_unlisted(struct gm_lv_roster *roster)
{
	struct gm_lv_member *member, *following;

	HASH_ITER (hh, roster->table, member, following) {
		if (member->tick == roster->tick)
			continue;
		HASH_DEL(roster->table, member);
		return member;
	}
	return NULL;
}

void gm_lv_roster_free(struct gm_lv_roster *roster)
{
	struct gm_lv_member *member;

	roster->tick++;
	while ((member = gm_lv_roster_take_unlisted(roster)))
		free(member);
}
