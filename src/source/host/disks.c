/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's disks; see disks.h. It reads no files itself. Called by host/host.c, and with texts of
 * their own by the tests.
 */
#define HASH_NONFATAL_OOM 1
#include "source/host/disks.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/clock.h"
#include "base/text.h"
#include "source/host/procfs.h"

enum { SECTOR = 512, DISKS_MAX = 4096 };

/* A count of milliseconds that the kernel keeps in 32 bits, which are 49.7 days. */
struct wide {
	uint64_t total;
	uint32_t last;
};

struct gm_host_disk {
	char name[GM_DEVICE_NAME];
	struct gm_entity_key key;
	bool whole; /* no partition */
	bool wanted;
	bool listed;
	struct wide read_ms, write_ms;
	UT_hash_handle hh;
};

static void widen(struct wide *wide, uint32_t now)
{
	/* From the upper half to the lower one it went round; any other decrease is a reset. */
	if (now >= wide->last) {
		wide->total += now - wide->last;
	} else if (wide->last - now > UINT32_MAX / 2) {
		wide->total += (uint32_t)(now - wide->last);
	} else {
		wide->total = now;
	}
	wide->last = now;
}

static bool is_whole(const struct gm_host_disks *disks, const char *name)
{
	const struct gm_host_disk *disk;

	for (disk = disks->by_name; disk != NULL; disk = disk->hh.next) {
		if (disk->whole && gm_procfs_is_partition(name, disk->name)) {
			return false;
		}
	}
	return true;
}

static struct gm_host_disk *add(struct gm_host_disks *disks, const char *name)
{
	struct gm_host_disk *disk;
	bool whole = is_whole(disks, name);

	if (HASH_COUNT(disks->by_name) >= DISKS_MAX) {
		return NULL;
	}
	disk = calloc(1, sizeof(*disk));
	if (disk == NULL) {
		return NULL;
	}
	gm_text_copy(disk->name, sizeof(disk->name), name);
	disk->key = gm_entity_disk(NULL, name);
	disk->whole = whole;
	disk->wanted = whole && gm_text_match(disks->patterns, name);
	HASH_ADD_STR(disks->by_name, name, disk);
	if (disk->hh.tbl == NULL) { /* out of memory: it is not in the table */
		free(disk);
		return NULL;
	}
	return disk;
}

static void announce(struct gm_host_disks *disks, const struct gm_host_disk *disk,
		     const struct gm_source_sink *sink)
{
	struct gm_entity_info info = {.key = disk->key};

	info.disk.ordinal = ++disks->count;
	gm_text_copy(info.disk.source, sizeof(info.disk.source), disk->name);
	sink->seen(sink->user, GM_SOURCE_HOST, &info);
}

static void emit(struct gm_host_disk *disk, const struct gm_procfs_disk *now, int64_t time,
		 struct gm_batch *batch)
{
	widen(&disk->read_ms, now->read_ms);
	widen(&disk->write_ms, now->write_ms);
	if (!gm_batch_frame(batch, &disk->key, time, time, 0)) {
		return;
	}
	gm_batch_counter(batch, GM_METRIC_DISK_READ_BYTES, now->read_sectors * SECTOR);
	gm_batch_counter(batch, GM_METRIC_DISK_READ_REQUESTS, now->reads);
	gm_batch_counter(batch, GM_METRIC_DISK_READ_TIME, disk->read_ms.total * GM_MILLISECOND);
	gm_batch_counter(batch, GM_METRIC_DISK_WRITE_BYTES, now->written_sectors * SECTOR);
	gm_batch_counter(batch, GM_METRIC_DISK_WRITE_REQUESTS, now->writes);
	gm_batch_counter(batch, GM_METRIC_DISK_WRITE_TIME, disk->write_ms.total * GM_MILLISECOND);
}

static void forget_unlisted(struct gm_host_disks *disks, int64_t time,
			    const struct gm_source_sink *sink)
{
	struct gm_host_disk *disk, *next;

	HASH_ITER (hh, disks->by_name, disk, next) {
		if (disk->listed) {
			disk->listed = false;
			continue;
		}
		if (disk->wanted) {
			sink->gone(sink->user, GM_SOURCE_HOST, &disk->key, time);
		}
		HASH_DEL(disks->by_name, disk);
		free(disk);
	}
}

uint32_t gm_host_disks_update(struct gm_host_disks *disks, const char *text, size_t length,
			      int64_t time, struct gm_batch *batch,
			      const struct gm_source_sink *sink)
{
	struct gm_procfs_disk now;
	uint32_t wanted = 0;
	size_t at = 0;

	while (gm_procfs_next_disk(text, length, &at, &now)) {
		struct gm_host_disk *disk;

		HASH_FIND_STR(disks->by_name, now.name, disk);
		if (disk == NULL) {
			disk = add(disks, now.name);
			if (disk != NULL && disk->wanted) {
				announce(disks, disk, sink);
			}
		}
		if (disk == NULL || disk->listed) { /* no room; or named twice */
			continue;
		}
		disk->listed = true;
		if (disk->wanted) {
			emit(disk, &now, time, batch);
			wanted++;
		}
	}
	forget_unlisted(disks, time, sink);
	return wanted;
}

void gm_host_disks_free(struct gm_host_disks *disks)
{
	struct gm_host_disk *disk, *next;

	HASH_ITER (hh, disks->by_name, disk, next) {
		HASH_DEL(disks->by_name, disk);
		free(disk);
	}
}
