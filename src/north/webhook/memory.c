/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See memory.h. A hash table by the alarm's number.
 */
#include "north/webhook/memory.h"

#include <errno.h>
#include <stdlib.h>

#include <uthash.h>

#include "base/clock.h"

static const int64_t KEEP = 300 * GM_SECOND; /* far longer than a snapshot lags behind */

struct entry {
	uint32_t id;
	enum gm_severity told;
	bool over, repeating;
	bool guessed; /* `told` is what it is repeated as: a daemon before this one told it */
	unsigned in_flight;
	int64_t touched;
	UT_hash_handle hh;
};

struct gm_webhook_memory {
	struct entry *entries;
	uint64_t repeating; /* entries that are so marked */
};

int gm_webhook_memory_create(struct gm_webhook_memory **ret_memory)
{
	*ret_memory = calloc(1, sizeof(**ret_memory));
	return *ret_memory ? 0 : -ENOMEM;
}

void gm_webhook_memory_free(struct gm_webhook_memory *memory)
{
	struct entry *entry, *next;

	if (!memory)
		return;
	HASH_ITER (hh, memory->entries, entry, next) {
		HASH_DEL(memory->entries, entry);
		free(entry);
	}
	free(memory);
}

static struct entry *find(const struct gm_webhook_memory *memory, uint32_t id)
{
	struct entry *entry;

	HASH_FIND(hh, memory->entries, &id, sizeof(id), entry);
	return entry;
}

static struct entry *find_or_add(struct gm_webhook_memory *memory, uint32_t id)
{
	struct entry *entry = find(memory, id);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->id = id;
	entry->told = GM_SEVERITY_CLEARED;
	HASH_ADD(hh, memory->entries, id, sizeof(entry->id), entry);
	return entry;
}

enum gm_severity gm_webhook_memory_told(const struct gm_webhook_memory *memory, uint32_t id)
{
	const struct entry *entry = find(memory, id);

	return entry && !entry->over ? entry->told : GM_SEVERITY_CLEARED;
}

bool gm_webhook_memory_is_guess(const struct gm_webhook_memory *memory, uint32_t id)
{
	const struct entry *entry = find(memory, id);

	return !entry || entry->guessed;
}

int gm_webhook_memory_begin(struct gm_webhook_memory *memory, uint32_t id, int64_t now)
{
	struct entry *entry = find_or_add(memory, id);

	if (!entry)
		return -ENOMEM;
	entry->in_flight++;
	entry->touched = now;
	return 0;
}

void gm_webhook_memory_end(struct gm_webhook_memory *memory, uint32_t id,
			   const enum gm_severity *told, int64_t now)
{
	struct entry *entry = find(memory, id);

	if (!entry)
		return;
	entry->in_flight--;
	entry->touched = now;
	if (!told)
		return;
	entry->told = *told;
	entry->guessed = false;
	entry->over = *told == GM_SEVERITY_CLEARED;
}

bool gm_webhook_memory_repeats(struct gm_webhook_memory *memory, const struct gm_alarm *alarm,
			       bool wanted, int64_t now, enum gm_severity *ret_severity)
{
	struct entry *entry = wanted ? find_or_add(memory, alarm->id) : find(memory, alarm->id);

	if (!entry || entry->over || entry->in_flight > 0)
		return false;
	entry->touched = now;
	if (entry->told == GM_SEVERITY_CLEARED) {
		entry->told = alarm->severity;
		entry->guessed = true;
	}
	*ret_severity = entry->told;
	return true;
}

void gm_webhook_memory_repeat_begin(struct gm_webhook_memory *memory, uint32_t id)
{
	struct entry *entry = find(memory, id);

	if (!entry || entry->repeating)
		return;
	entry->repeating = true;
	memory->repeating++;
}

void gm_webhook_memory_repeat_end(struct gm_webhook_memory *memory)
{
	for (struct entry *entry = memory->entries; entry && memory->repeating > 0;
	     entry = entry->hh.next) {
		memory->repeating -= entry->repeating;
		entry->repeating = false;
	}
}

bool gm_webhook_memory_is_repeating(const struct gm_webhook_memory *memory, uint32_t id)
{
	const struct entry *entry = find(memory, id);

	return entry && entry->repeating;
}

void gm_webhook_memory_tidy(struct gm_webhook_memory *memory, const struct gm_snapshot *snapshot,
			    int64_t now)
{
	struct entry *entry, *next;

	HASH_ITER (hh, memory->entries, entry, next) {
		if (entry->in_flight > 0 || entry->repeating || now - entry->touched < KEEP)
			continue;
		if (!entry->over && gm_snapshot_alarm(snapshot, entry->id)) {
			entry->touched = now; /* how it is known is wanted at its end */
			continue;
		}
		HASH_DEL(memory->entries, entry);
		free(entry);
	}
}
