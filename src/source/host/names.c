/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of containers; see names.h. Called by host/host.c and host/processes.c.
 */
#define HASH_NONFATAL_OOM 1
#include "source/host/names.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

enum { NAMES_MAX = 16384 };

struct named {
	uint8_t uuid[GM_UUID_SIZE];
	char name[GM_NAME_SIZE];
	UT_hash_handle hh;
};

struct gm_host_names {
	pthread_mutex_t lock; /* guards all */
	struct named *by_uuid;
};

int gm_host_names_create(struct gm_host_names **ret_names)
{
	struct gm_host_names *names = calloc(1, sizeof(*names));
	int rc;

	if (names == NULL) {
		return -ENOMEM;
	}
	rc = pthread_mutex_init(&names->lock, NULL);
	if (rc != 0) {
		free(names);
		return -rc;
	}
	*ret_names = names;
	return 0;
}

void gm_host_names_free(struct gm_host_names *names)
{
	struct named *named, *next;

	if (names == NULL) {
		return;
	}
	HASH_ITER (hh, names->by_uuid, named, next) {
		HASH_DEL(names->by_uuid, named);
		free(named);
	}
	pthread_mutex_destroy(&names->lock);
	free(names);
}

/* Under the lock. NULL: there is no room. */
static struct named *add(struct gm_host_names *names, const uint8_t uuid[GM_UUID_SIZE])
{
	struct named *named =
		HASH_COUNT(names->by_uuid) < NAMES_MAX ? calloc(1, sizeof(*named)) : NULL;

	if (named == NULL) {
		return NULL;
	}
	memcpy(named->uuid, uuid, GM_UUID_SIZE);
	HASH_ADD(hh, names->by_uuid, uuid, GM_UUID_SIZE, named);
	if (named->hh.tbl == NULL) {
		free(named);
		return NULL;
	}
	return named;
}

void gm_host_names_hear(struct gm_host_names *names, const struct gm_entity_info *info, bool here)
{
	struct named *named;

	if (info->key.kind != GM_ENTITY_GUEST) {
		return;
	}
	bool wanted = here && strcmp(info->guest.hypervisor, "LXC") == 0;
	pthread_mutex_lock(&names->lock);
	HASH_FIND(hh, names->by_uuid, info->key.uuid, GM_UUID_SIZE, named);
	if (wanted && named == NULL) {
		named = add(names, info->key.uuid);
	}
	if (wanted && named != NULL) {
		memcpy(named->name, info->guest.name, sizeof(named->name));
	} else if (named != NULL) {
		HASH_DEL(names->by_uuid, named);
		free(named);
	}
	pthread_mutex_unlock(&names->lock);
}

bool gm_host_names_find(struct gm_host_names *names, const char *name,
			uint8_t ret_uuid[GM_UUID_SIZE])
{
	const struct named *found = NULL;
	size_t count = 0;

	pthread_mutex_lock(&names->lock);
	for (const struct named *named = names->by_uuid; named != NULL; named = named->hh.next) {
		if (strcmp(named->name, name) == 0) {
			found = named;
			count++;
		}
	}
	if (count == 1) {
		memcpy(ret_uuid, found->uuid, GM_UUID_SIZE);
	}
	pthread_mutex_unlock(&names->lock);
	return count == 1;
}
