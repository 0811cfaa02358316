/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures that wait to be sent to Gnocchi, oldest first, in a ring of fixed size: an outage is filled in
 * afterwards as far as it reaches; what is over is dropped, oldest first, and counted. One thread.
 */
#ifndef GM_NORTH_OPENSTACK_BACKFILL_H
#define GM_NORTH_OPENSTACK_BACKFILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "model/entity.h"

enum { GM_RESOURCE_ID = 128, GM_BACKFILL_RECORD = 24, GM_BACKFILL_SERIES = 65536 };

/* Whose measures they are. */
struct gm_resource {
	char id[GM_RESOURCE_ID]; /* a guest's UUID, or the node's */
	char name[GM_NAME_SIZE];
	char project[64], user[64]; /* empty: not known */
	bool refused;               /* Gnocchi does not want it: what comes for it is dropped */
};

struct gm_backfill;

/* A ring of at most `bytes`. -ENOMEM. */
int gm_backfill_create(size_t bytes, struct gm_backfill **ret_backfill);
void gm_backfill_free(struct gm_backfill *backfill); /* NULL-safe */

/* All is copied; a resource that is known is brought up to date. -ENOSPC: too many series; -ENOMEM. */
int gm_backfill_add(struct gm_backfill *backfill, const struct gm_resource *resource,
		    const char *metric, const char *unit, int64_t time, double value);

size_t gm_backfill_length(const struct gm_backfill *backfill);
uint64_t gm_backfill_dropped(const struct gm_backfill *backfill); /* since the start */

/*
 * The body of POST /v1/batch/resources/metrics/measures for the oldest `max` measures, which stay; the
 * caller frees it. NULL: none, or out of memory. `ret_taken`: to be given to gm_backfill_remove().
 */
struct gm_json *gm_backfill_batch(struct gm_backfill *backfill, size_t max, const char *policy,
				  size_t *ret_taken);
/* The oldest ones have arrived. What was dropped since they were taken is not removed twice. */
void gm_backfill_remove(struct gm_backfill *backfill, size_t taken);

/* The resource of that id, or NULL; valid until it is refused and its measures are gone. */
struct gm_resource *gm_backfill_resource(struct gm_backfill *backfill, const char *id);

#endif
