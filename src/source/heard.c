/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table under a lock; see heard.h. Called by the sources whose hear() keeps something.
 */
#define HASH_NONFATAL_OOM 1
#include "source/heard.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct entry {
	struct gm_entity_key key;
	UT_hash_handle hh;
	unsigned char value[];
};

struct gm_heard {
	pthread_mutex_t lock; /* guards all but the size */
	size_t size;
	uint64_t version;
	struct entry *entries;
};

int gm_heard_create(size_t size, struct gm_heard **ret_heard)
{
	struct gm_heard *heard = calloc(1, sizeof(*heard));
	int rc;

	if (!heard)
		return -ENOMEM;
	heard->size = size;
	heard->version = 1;
	rc = pthread_mutex_init(&heard->lock, NULL);
	if (rc != 0) {
		free(heard);
		return -rc;
	}
	*ret_heard = heard;
	return 0;
}

void gm_heard_free(struct gm_heard *heard)
{
	struct entry *entry, *following;

	if (!heard)
		return;
	HASH_ITER (hh, heard->entries, entry, following) {
		HASH_DEL(heard->entries, entry);
		free(entry);
	}
	pthread_mutex_destroy(&heard->lock);
	free(heard);
}

/* Under the lock. */
static struct entry *find(const struct gm_heard *heard, const struct gm_entity_key *key)
{
	struct entry *entry;

	HASH_FIND(hh, heard->entries, key, sizeof(*key), entry);
	return entry;
}

/* Under the lock. Whether there was room. */
static bool add(struct gm_heard *heard, const struct gm_entity_key *key, const void *value)
{
	struct entry *entry = NULL;

	if (HASH_COUNT(heard->entries) < GM_HEARD_MAX)
		entry = calloc(1, sizeof(*entry) + heard->size);
	if (!entry)
		return false;
	entry->key = *key;
	if (heard->size > 0)
		memcpy(entry->value, value, heard->size);
	HASH_ADD(hh, heard->entries, key, sizeof(entry->key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return false;
	}
	return true;
}

/* Under the lock. Whether it was another one. */
static bool replace(const struct gm_heard *heard, struct entry *entry, const void *value)
{
	if (heard->size == 0 || memcmp(entry->value, value, heard->size) == 0)
		return false;
	memcpy(entry->value, value, heard->size);
	return true;
}

void gm_heard_put(struct gm_heard *heard, const struct gm_entity_key *key, const void *value)
{
	pthread_mutex_lock(&heard->lock);
	struct entry *entry = find(heard, key);
	if (entry ? replace(heard, entry, value) : add(heard, key, value))
		heard->version++;
	pthread_mutex_unlock(&heard->lock);
}

void gm_heard_drop(struct gm_heard *heard, const struct gm_entity_key *key)
{
	pthread_mutex_lock(&heard->lock);
	struct entry *entry = find(heard, key);
	if (entry) {
		HASH_DEL(heard->entries, entry);
		free(entry);
		heard->version++;
	}
	pthread_mutex_unlock(&heard->lock);
}

bool gm_heard_get(struct gm_heard *heard, const struct gm_entity_key *key, void *ret_value)
{
	pthread_mutex_lock(&heard->lock);
	const struct entry *entry = find(heard, key);
	if (entry && ret_value && heard->size > 0)
		memcpy(ret_value, entry->value, heard->size);
	pthread_mutex_unlock(&heard->lock);
	return entry != NULL;
}

uint64_t gm_heard_version(struct gm_heard *heard)
{
	pthread_mutex_lock(&heard->lock);
	uint64_t version = heard->version;
	pthread_mutex_unlock(&heard->lock);
	return version;
}

size_t gm_heard_find(struct gm_heard *heard, bool (*is)(const void *value, const void *wanted),
		     const void *wanted, struct gm_entity_key *ret_key)
{
	size_t count = 0;

	pthread_mutex_lock(&heard->lock);
	for (const struct entry *entry = heard->entries; entry; entry = entry->hh.next) {
		if (!is(entry->value, wanted))
			continue;
		if (count++ == 0)
			*ret_key = entry->key;
	}
	pthread_mutex_unlock(&heard->lock);
	return count;
}
