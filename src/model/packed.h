/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole series that a snapshot shows, packed as snapshot.h tells. They are most of what a snapshot takes
 * to make, and change little from one to the next: several snapshots share one set of them, and the last
 * that lets go of it frees it. Filled by one thread before it is shared; then read by any.
 */
#ifndef GM_MODEL_PACKED_H
#define GM_MODEL_PACKED_H

#include <stdatomic.h>

#include "model/snapshot.h"

struct gm_packed {
	int64_t taken_at;           /* node's time */
	size_t count;               /* of rows that are filled */
	struct gm_packed_row *rows; /* by (guest_index, ordinal, series) */
	uint8_t *records;           /* where those of the next row begin */
	atomic_uint references;     /* private */
};

/* Room for so many rows with all their records, and a reference of the caller's. NULL: out of memory. */
struct gm_packed *gm_packed_create(size_t rows, int64_t taken_at);

/* Any thread. */
struct gm_packed *gm_packed_hold(struct gm_packed *packed); /* returns it */
void gm_packed_release(struct gm_packed *packed);           /* NULL: nothing */

#endif
