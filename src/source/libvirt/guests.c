/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is there; see guests.h. Called by the fast lane.
 */
#define HASH_NONFATAL_OOM 1
#include "source/libvirt/guests.h"

#include <stdlib.h>
#include <string.h>

struct gm_lv_guest *gm_lv_guests_find(const struct gm_lv_guests *guests,
				      const uint8_t uuid[GM_UUID_SIZE])
{
	struct gm_lv_guest *guest;

	HASH_FIND(hh, guests->table, uuid, GM_UUID_SIZE, guest);
	return guest;
}

struct gm_lv_guest *gm_lv_guests_put(struct gm_lv_guests *guests, const uint8_t uuid[GM_UUID_SIZE])
{
	struct gm_lv_guest *guest = gm_lv_guests_find(guests, uuid);

	if (guest)
		return guest;
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return NULL;
	memcpy(guest->uuid, uuid, GM_UUID_SIZE);
	guest->stale = true;
	guest->state = -1;
	HASH_ADD(hh, guests->table, uuid, GM_UUID_SIZE, guest);
	if (!guest->hh.tbl) { /* HASH_NONFATAL_OOM: it was not added */
		free(guest);
		return NULL;
	}
	guests->count++;
	return guest;
}

void gm_lv_guests_set_stale(struct gm_lv_guests *guests)
{
	for (struct gm_lv_guest *guest = guests->table; guest; guest = guest->hh.next)
		guest->stale = true;
}

static void free_guest(struct gm_lv_guests *guests, struct gm_lv_guest *guest)
{
	HASH_DEL(guests->table, guest);
	guests->count--;
	gm_lv_identity_free(guest->identity);
	gm_lv_identity_free(guest->next);
	free(guest);
}

static const struct gm_entity_info *find_device(const struct gm_lv_identity *identity,
						const struct gm_entity_key *key)
{
	for (size_t i = 0; identity && i < identity->device_count; i++) {
		if (gm_entity_equal(&identity->devices[i].key, key))
			return &identity->devices[i];
	}
	return NULL;
}

/* A guest but `not_this` that was told to have the device, or NULL. */
static struct gm_lv_guest *find_owner(const struct gm_lv_guests *guests,
				      const struct gm_lv_guest *not_this,
				      const struct gm_entity_key *key)
{
	for (struct gm_lv_guest *guest = guests->table; guest; guest = guest->hh.next) {
		if (guest != not_this && guest->identity && find_device(guest->identity, key))
			return guest;
	}
	return NULL;
}

struct gm_lv_guest *gm_lv_guests_owner(const struct gm_lv_guests *guests,
				       const struct gm_entity_key *key)
{
	return key->kind == GM_ENTITY_GUEST ? gm_lv_guests_find(guests, key->uuid)
					    : find_owner(guests, NULL, key);
}

/* Devices of `guest` that `now_there` (NULL: the guest is gone) lacks and nobody else has. */
static void tell_gone_devices(const struct gm_lv_guests *guests, const struct gm_lv_guest *guest,
			      const struct gm_lv_identity *now_there, int64_t now,
			      const struct gm_source_sink *sink)
{
	const struct gm_lv_identity *old = guest->identity;

	/* A name of a tap is given again: it may be another guest's by now. */
	for (size_t i = 0; old && i < old->device_count; i++) {
		const struct gm_entity_key *key = &old->devices[i].key;

		if (!find_device(now_there, key) && !find_owner(guests, guest, key))
			sink->gone(sink->user, guests->source, key, now);
	}
}

static bool same(const struct gm_entity_info *a, const struct gm_entity_info *b)
{
	return a && memcmp(a, b, sizeof(*a)) == 0;
}

static void tell_seen(enum gm_source_id source, const struct gm_lv_identity *old,
		      const struct gm_lv_identity *next, const struct gm_source_sink *sink)
{
	if (!same(old ? &old->guest : NULL, &next->guest))
		sink->seen(sink->user, source, &next->guest);
	for (size_t i = 0; i < next->device_count; i++) {
		const struct gm_entity_info *device = &next->devices[i];

		if (!same(find_device(old, &device->key), device))
			sink->seen(sink->user, source, device);
	}
}

void gm_lv_guests_settle(struct gm_lv_guests *guests, uint64_t tick, uint64_t patience, int64_t now,
			 const struct gm_source_sink *sink)
{
	struct gm_lv_guest *guest, *following;

	HASH_ITER (hh, guests->table, guest, following) {
		if (guest->tick == tick) {
			if (guest->next)
				tell_gone_devices(guests, guest, guest->next, now, sink);
			continue;
		}
		if (!guest->ended && tick - guest->tick <= patience)
			continue;
		tell_gone_devices(guests, guest, NULL, now, sink);
		if (guest->identity)
			sink->gone(sink->user, guests->source, &guest->identity->guest.key, now);
		free_guest(guests, guest);
	}
	for (guest = guests->table; guest; guest = guest->hh.next) {
		if (!guest->next)
			continue;
		tell_seen(guests->source, guest->untold ? NULL : guest->identity, guest->next,
			  sink);
		guest->untold = false;
		gm_lv_identity_free(guest->identity);
		guest->identity = guest->next;
		guest->next = NULL;
		guest->covered_version = 0;
	}
}

void gm_lv_guests_free(struct gm_lv_guests *guests)
{
	struct gm_lv_guest *guest, *following;

	HASH_ITER (hh, guests->table, guest, following) {
		free_guest(guests, guest);
	}
}
