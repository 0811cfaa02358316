/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's disks: which lines of /proc/diskstats are whole disks that are wanted, their counters,
 * and the sink's knowledge of them. One thread.
 */
#ifndef GM_SOURCE_HOST_DISKS_H
#define GM_SOURCE_HOST_DISKS_H

#include "source/source.h"

struct gm_host_disk;

struct gm_host_disks {
	const char *patterns; /* as gm_text_match(); outlives this */
	struct gm_host_disk *by_name;
	uint32_t count; /* of wanted disks, ever: the next ordinal less one */
};

/*
 * Takes the contents of /proc/diskstats, true at `time`: a frame for each wanted disk, and word to the
 * sink of those that are new or gone. How many there are.
 */
uint32_t gm_host_disks_update(struct gm_host_disks *disks, const char *text, size_t length,
			      int64_t time, struct gm_batch *batch,
			      const struct gm_source_sink *sink);

void gm_host_disks_free(struct gm_host_disks *disks);

#endif
