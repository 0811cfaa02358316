/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device map; see devices.h. It neither reads sockets nor counters. Called by tap/tap.c.
 */
#define HASH_NONFATAL_OOM 1
#include "source/tap/devices.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static struct gm_tap_device *add_device(struct gm_tap_devices *devices, uint32_t index)
{
	struct gm_tap_device *device = calloc(1, sizeof(*device));

	if (device == NULL) {
		return NULL;
	}
	device->index = index;
	HASH_ADD(hh, devices->by_index, index, sizeof(device->index), device);
	if (device->hh.tbl == NULL) { /* out of memory: it is not in the table */
		free(device);
		return NULL;
	}
	return device;
}

struct gm_tap_device *gm_tap_devices_find(struct gm_tap_devices *devices, uint32_t index)
{
	struct gm_tap_device *device;

	HASH_FIND(hh, devices->by_index, &index, sizeof(index), device);
	return device;
}

struct gm_tap_device *gm_tap_devices_nth(struct gm_tap_devices *devices, size_t n, uint32_t index)
{
	struct gm_tap_device *device = n < devices->order_count ? devices->order[n] : NULL;

	if (device != NULL && device->index == index) {
		return device;
	}
	device = gm_tap_devices_find(devices, index);
	if (device == NULL || n > devices->order_count) {
		return device;
	}
	if (n == devices->order_capacity) {
		size_t wanted = n == 0 ? 64 : 2 * n;
		struct gm_tap_device **order =
			realloc(devices->order, wanted * sizeof(struct gm_tap_device *));

		if (order == NULL) {
			return device; /* it is looked for each time */
		}
		devices->order = order;
		devices->order_capacity = wanted;
	}
	devices->order[n] = device;
	devices->order_count = n + 1;
	return device;
}

/*
 * A tap is the other end of the guest's cable. A macvtap is not: what is sent to its address it receives, and
 * the guest reads that from it. (macvlan is what a container's port is, until it is moved into it.)
 */
static uint8_t view_of(const struct gm_link *link)
{
	bool same = strcmp(link->kind, "macvtap") == 0 || strcmp(link->kind, "macvlan") == 0;

	return GM_FRAME_HOST_VIEW | (same ? GM_FRAME_SAME_VIEW : 0);
}

int gm_tap_devices_link(struct gm_tap_devices *devices, const struct gm_link *link)
{
	struct gm_tap_device *device = gm_tap_devices_find(devices, link->index);

	if (device == NULL) {
		if (HASH_COUNT(devices->by_index) >= GM_TAP_DEVICES_MAX) {
			return -ENOSPC;
		}
		device = add_device(devices, link->index);
		if (device == NULL) {
			return -ENOMEM;
		}
		device->changed = true;
	}
	device->removed = false; /* an index may be given again; `withdraw` stays */
	device->listed = true;
	device->speed_due = 0; /* the kernel tells of a new link state like this too */
	if (strcmp(device->link.name, link->name) != 0) {
		device->wanted = gm_text_match(devices->patterns, link->name);
		device->withdraw = device->announced;
		device->changed = true;
	} else if (strcmp(device->link.mac, link->mac) != 0 ||
		   device->link.master != link->master) {
		device->changed = true;
	}
	device->link = *link;
	device->view = view_of(link);
	devices->dirty = devices->dirty || device->changed;
	return 0;
}

void gm_tap_devices_ask_speeds(struct gm_tap_devices *devices)
{
	struct gm_tap_device *device, *next;

	HASH_ITER (hh, devices->by_index, device, next) {
		device->speed_due = 0;
	}
}

void gm_tap_devices_warm(const struct gm_tap_devices *devices)
{
	enum { LINE = 64 };

	for (size_t i = 0; i < devices->order_count; i++) {
		const char *first = (const char *)devices->order[i];

		for (size_t at = 0; at < offsetof(struct gm_tap_device, link); at += LINE) {
			__builtin_prefetch(first + at, 1);
		}
	}
}

static void note_gone(struct gm_tap_devices *devices, struct gm_tap_device *device)
{
	device->removed = true;
	device->withdraw = device->announced;
	device->changed = true; /* to be announced anew should the index come back */
	devices->dirty = true;
}

void gm_tap_devices_link_gone(struct gm_tap_devices *devices, uint32_t index)
{
	struct gm_tap_device *device = gm_tap_devices_find(devices, index);

	if (device != NULL) {
		note_gone(devices, device);
	}
}

void gm_tap_devices_listing_begins(struct gm_tap_devices *devices)
{
	struct gm_tap_device *device, *next;

	HASH_ITER (hh, devices->by_index, device, next) {
		device->listed = false;
	}
}

void gm_tap_devices_listing_ends(struct gm_tap_devices *devices)
{
	struct gm_tap_device *device, *next;

	HASH_ITER (hh, devices->by_index, device, next) {
		if (!device->listed) {
			note_gone(devices, device);
		}
	}
}

static void withdraw(struct gm_tap_devices *devices, int64_t time,
		     const struct gm_source_sink *sink)
{
	struct gm_tap_device *device, *next;

	HASH_ITER (hh, devices->by_index, device, next) {
		if (device->withdraw) {
			sink->gone(sink->user, GM_SOURCE_TAP, &device->key, time);
			device->withdraw = false;
			device->announced = device->limited = false;
			device->track = (struct gm_tap_track){.time = 0};
			device->level = (struct gm_tap_level){.known = 0};
		}
		if (device->removed) {
			HASH_DEL(devices->by_index, device);
			free(device);
		}
	}
}

static void announce(struct gm_tap_device *device, const struct gm_source_sink *sink)
{
	struct gm_entity_info info = {.key = gm_entity_interface(device->link.name)};

	info.interface.if_index = device->link.index;
	info.interface.master = device->link.master;
	gm_text_copy(info.interface.mac, sizeof(info.interface.mac), device->link.mac);
	device->key = info.key;
	device->announced = true;
	sink->seen(sink->user, GM_SOURCE_TAP, &info);
}

void gm_tap_devices_settle(struct gm_tap_devices *devices, int64_t time,
			   const struct gm_source_sink *sink)
{
	struct gm_tap_device *device, *next;

	if (!devices->dirty) {
		return;
	}
	devices->order_count = 0;
	withdraw(devices, time, sink);
	HASH_ITER (hh, devices->by_index, device, next) {
		if (device->changed && device->wanted) {
			announce(device, sink);
		}
		device->changed = false;
	}
	devices->dirty = false;
}

void gm_tap_devices_free(struct gm_tap_devices *devices)
{
	struct gm_tap_device *device, *next;

	HASH_ITER (hh, devices->by_index, device, next) {
		HASH_DEL(devices->by_index, device);
		free(device);
	}
	free(devices->order);
}
