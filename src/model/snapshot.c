/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots and the slot that holds the present one; see snapshot.h. The slot's mutex guards a
 * pointer and the reference counts, nothing longer.
 */
#include "model/packed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_CHUNK = 65536 };

/* A list of chunks that are freed together. */
struct gm_arena {
	struct gm_arena *next;
	size_t used, size;
	_Alignas(16) unsigned char data[];
};

struct gm_snapshot_slot {
	pthread_mutex_t lock;
	struct gm_snapshot *present;
};

struct gm_snapshot *gm_snapshot_create(void)
{
	struct gm_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (snapshot)
		snapshot->references = 1;
	return snapshot;
}

struct gm_snapshot *gm_snapshot_shadow(const struct gm_snapshot *whole)
{
	struct gm_snapshot *shadow = gm_snapshot_create();
	if (!shadow)
		return NULL;
	const struct gm_snapshot own = *shadow;
	*shadow = *whole;
	shadow->references = own.references;
	shadow->arena = own.arena;
	shadow->series = own.series;
	return shadow;
}

void gm_snapshot_destroy(struct gm_snapshot *snapshot)
{
	while (snapshot->arena) {
		struct gm_arena *next = snapshot->arena->next;
		free(snapshot->arena);
		snapshot->arena = next;
	}
	gm_packed_release(snapshot->series);
	free(snapshot);
}

void *gm_snapshot_alloc(struct gm_snapshot *snapshot, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + 15) & ~(size_t)15;
	struct gm_arena *chunk = snapshot->arena;
	if (!chunk || chunk->size - chunk->used < bytes) {
		size_t chunk_size = bytes > ARENA_CHUNK ? bytes : ARENA_CHUNK;
		chunk = calloc(1, sizeof(*chunk) + chunk_size);
		if (!chunk)
			return NULL;
		chunk->size = chunk_size;
		chunk->next = snapshot->arena;
		snapshot->arena = chunk;
	}
	void *memory = chunk->data + chunk->used;
	chunk->used += bytes;
	return memory;
}

const struct gm_output_row *gm_snapshot_output(const struct gm_snapshot *snapshot, const char *name)
{
	for (size_t i = 0; i < snapshot->output_count; i++) {
		if (strcmp(snapshot->outputs[i].name, name) == 0)
			return &snapshot->outputs[i];
	}
	return NULL;
}

static int compare_alarm(const void *id, const void *alarm)
{
	uint32_t one = *(const uint32_t *)id, other = ((const struct gm_alarm *)alarm)->id;
	return (one > other) - (one < other);
}

const struct gm_alarm *gm_snapshot_alarm(const struct gm_snapshot *snapshot, uint32_t id)
{
	if (snapshot->alarm_count == 0)
		return NULL;
	return bsearch(&id, snapshot->alarms, snapshot->alarm_count, sizeof(*snapshot->alarms),
		       compare_alarm);
}

int gm_snapshot_slot_create(struct gm_snapshot_slot **ret_slot)
{
	struct gm_snapshot_slot *slot = calloc(1, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	pthread_mutex_init(&slot->lock, NULL);
	*ret_slot = slot;
	return 0;
}

void gm_snapshot_slot_free(struct gm_snapshot_slot *slot)
{
	if (!slot)
		return;
	if (slot->present)
		gm_snapshot_release(slot, slot->present);
	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

void gm_snapshot_publish(struct gm_snapshot_slot *slot, struct gm_snapshot *snapshot)
{
	pthread_mutex_lock(&slot->lock);
	struct gm_snapshot *before = slot->present;
	slot->present = snapshot;
	pthread_mutex_unlock(&slot->lock);
	if (before)
		gm_snapshot_release(slot, before);
}

const struct gm_snapshot *gm_snapshot_acquire(struct gm_snapshot_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	struct gm_snapshot *snapshot = slot->present;
	if (snapshot)
		snapshot->references++;
	pthread_mutex_unlock(&slot->lock);
	return snapshot;
}

void gm_snapshot_release(struct gm_snapshot_slot *slot, const struct gm_snapshot *snapshot)
{
	/* Only the holder of the last reference gets past the lock with zero: nobody else can see it. */
	struct gm_snapshot *held = (struct gm_snapshot *)(uintptr_t)snapshot;
	pthread_mutex_lock(&slot->lock);
	unsigned left = --held->references;
	pthread_mutex_unlock(&slot->lock);
	if (left == 0)
		gm_snapshot_destroy(held);
}

const struct gm_last *gm_last_find(const struct gm_last_set *set, unsigned metric)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (set->items[middle].metric == metric)
			return &set->items[middle];
		if (set->items[middle].metric < metric)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
