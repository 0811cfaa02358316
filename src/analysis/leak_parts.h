/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a guest (or of the node) with their newest past, to name the one whose growth
 * explains the whole's. A bounded table: the largest stay. Judges nothing by itself.
 */
#ifndef GM_ANALYSIS_LEAK_PARTS_H
#define GM_ANALYSIS_LEAK_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"
#include "model/entity.h"

enum { GM_LEAK_PARTS = 16, GM_LEAK_PART_SCALES = 4, GM_LEAK_PART_BINS = 16 };

struct gm_leak_part {
	char name[GM_DEVICE_NAME]; /* "<pid>/<command>" */
	int64_t first, time;       /* of the first and the newest value */
	float value;               /* the newest, bytes */
	/* The first value within each of the newest bins: at index number % GM_LEAK_PART_BINS. */
	int64_t number[GM_LEAK_PART_SCALES];
	float values[GM_LEAK_PART_SCALES][GM_LEAK_PART_BINS]; /* NaN: none in its time */
};

struct gm_leak_parts {
	size_t count;
	uint32_t blamed; /* bits of `parts`: named by the last gm_leak_parts_blame() */
	struct gm_leak_part parts[GM_LEAK_PARTS];
};

/* Takes a process's resident memory in. */
void gm_leak_parts_add(struct gm_leak_parts *parts, const char *name, int64_t time, double bytes);

/*
 * Names those whose own slope since `onset` makes up a good part of `slope` (bytes per second),
 * the steepest first, separated by commas, into `text`. Empty when none does.
 */
void gm_leak_parts_blame(struct gm_leak_parts *parts, int64_t onset, int64_t now, double slope,
			 char *text, size_t size);

/* Whether the last call of gm_leak_parts_blame() named it. */
bool gm_leak_parts_blames(const struct gm_leak_parts *parts, const char *name);

void gm_leak_parts_exchange(struct gm_archive *archive, struct gm_leak_parts *parts);

#endif
