/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed series in one piece of memory: the head, the rows, then their records; see packed.h.
 */
#include "model/packed.h"

#include <stdlib.h>

enum { RECORDS = GM_PACKED_SAMPLES * GM_PACKED_RECORD };

struct gm_packed *gm_packed_create(size_t rows, int64_t taken_at)
{
	struct gm_packed *packed;
	size_t each = sizeof(*packed->rows) + RECORDS, bytes;

	if (__builtin_mul_overflow(rows, each, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*packed), &bytes))
		return NULL;
	packed = malloc(bytes);
	if (!packed)
		return NULL;
	*packed = (struct gm_packed){.taken_at = taken_at,
				     .rows = (struct gm_packed_row *)(packed + 1)};
	packed->records = (uint8_t *)(packed->rows + rows);
	atomic_init(&packed->references, 1);
	return packed;
}

struct gm_packed *gm_packed_hold(struct gm_packed *packed)
{
	atomic_fetch_add_explicit(&packed->references, 1, memory_order_relaxed);
	return packed;
}

void gm_packed_release(struct gm_packed *packed)
{
	/* What others did with it before they let go comes before it is freed. */
	if (packed && atomic_fetch_sub_explicit(&packed->references, 1, memory_order_acq_rel) == 1)
		free(packed);
}
