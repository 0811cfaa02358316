/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See covered.h. Called by the fast lane.
 */
#define HASH_NONFATAL_OOM 1
#include "source/libvirt/covered.h"

#include <stdlib.h>

struct gm_lv_device {
	struct gm_entity_key key;
	UT_hash_handle hh;
};

int gm_lv_covered_init(struct gm_lv_covered *covered)
{
	*covered = (struct gm_lv_covered){.version = 1}; /* guests begin with 0: not looked up */
	return -pthread_mutex_init(&covered->lock, NULL);
}

void gm_lv_covered_destroy(struct gm_lv_covered *covered)
{
	struct gm_lv_device *device, *following;

	HASH_ITER (hh, covered->devices, device, following) {
		HASH_DEL(covered->devices, device);
		free(device);
	}
	pthread_mutex_destroy(&covered->lock);
}

/* Under the lock. */
static struct gm_lv_device *find(const struct gm_lv_covered *covered,
				 const struct gm_entity_key *key)
{
	struct gm_lv_device *device;

	HASH_FIND(hh, covered->devices, key, sizeof(*key), device);
	return device;
}

/* Under the lock. Where there is no memory the device is read twice, which is no harm. */
static void add(struct gm_lv_covered *covered, const struct gm_entity_key *key)
{
	struct gm_lv_device *device = calloc(1, sizeof(*device));

	if (!device)
		return;
	device->key = *key;
	HASH_ADD(hh, covered->devices, key, sizeof(device->key), device);
	if (!device->hh.tbl)
		free(device);
	else
		covered->version++;
}

void gm_lv_covered_put(struct gm_lv_covered *covered, const struct gm_entity_key *device)
{
	pthread_mutex_lock(&covered->lock);
	if (!find(covered, device))
		add(covered, device);
	pthread_mutex_unlock(&covered->lock);
}

void gm_lv_covered_drop(struct gm_lv_covered *covered, const struct gm_entity_key *device)
{
	pthread_mutex_lock(&covered->lock);
	struct gm_lv_device *known = find(covered, device);
	if (known) {
		HASH_DEL(covered->devices, known);
		free(known);
		covered->version++;
	}
	pthread_mutex_unlock(&covered->lock);
}

/* Under the lock. */
static bool look_up(const struct gm_lv_covered *covered, const struct gm_lv_identity *identity)
{
	for (size_t i = 0; i < identity->device_count; i++) {
		const struct gm_entity_key *key = &identity->devices[i].key;

		if (key->kind == GM_ENTITY_INTERFACE && !find(covered, key))
			return false;
	}
	return true;
}

bool gm_lv_covered_guest(struct gm_lv_covered *covered, struct gm_lv_guest *guest)
{
	pthread_mutex_lock(&covered->lock);
	if (guest->identity && guest->covered_version != covered->version) {
		guest->covered = look_up(covered, guest->identity);
		guest->covered_version = covered->version;
	}
	bool is_covered = guest->identity && guest->covered;
	pthread_mutex_unlock(&covered->lock);
	return is_covered;
}
