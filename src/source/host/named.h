/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of the node that the operator names: found in /proc by their name, told of to the sink
 * when they come and go. A process is its pid and its start time: a pid that is given again is another
 * process, which is told as gone and seen. One thread.
 */
#ifndef GM_SOURCE_HOST_NAMED_H
#define GM_SOURCE_HOST_NAMED_H

#include "source/source.h"

enum { GM_HOST_NAMED_MAX = 64 }; /* further ones that match are not followed */

struct gm_host_known;

struct gm_host_named {
	const char *proc, *patterns; /* as gm_text_match(); both outlive this */
	struct gm_host_known *by_pid;
	uint32_t followed;
	unsigned scans;
	bool crowded; /* more match than are followed */
};

/*
 * Searches /proc and adds a frame for each process that is followed: resident memory and CPU time.
 * How many there are. `buffer` is scratch space. Does nothing without patterns.
 */
uint32_t gm_host_named_update(struct gm_host_named *named, char *buffer, size_t size,
			      struct gm_batch *batch, const struct gm_source_sink *sink);

/* Forgets all of them without a word. */
void gm_host_named_free(struct gm_host_named *named);

#endif
