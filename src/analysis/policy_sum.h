/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The present value of one metric of a guest as a whole: its own, or the sum over its interfaces, disks or
 * processes. Of counters the rate per second. A part that is not told any more is left out after ten of its
 * intervals (30 s at least): it has been taken away. At most GM_POLICY_PARTS are summed; further ones are
 * left out. Pure; for the detector `policy` alone.
 */
#ifndef GM_ANALYSIS_POLICY_SUM_H
#define GM_ANALYSIS_POLICY_SUM_H

#include <stdbool.h>

#include "model/entity.h"
#include "model/sample.h"

enum { GM_POLICY_PARTS = 64 };

struct gm_policy_sum;

int gm_policy_sum_create(unsigned metric, struct gm_policy_sum **ret_sum); /* 0 or -ENOMEM */
void gm_policy_sum_free(struct gm_policy_sum *sum);
unsigned gm_policy_sum_metric(const struct gm_policy_sum *sum);
bool gm_policy_sum_is_rate(const struct gm_policy_sum *sum); /* of a counter */

/* A point of `part` (or of the guest itself). False: it is not taken. */
bool gm_policy_sum_add(struct gm_policy_sum *sum, const struct gm_entity_key *part,
		       const struct gm_point *point);

/* NaN: none is known, or all have been silent for too long; what was told but once stays. */
double gm_policy_sum_value(const struct gm_policy_sum *sum, int64_t now);

/* What a counter has counted, on all parts, since settled() was called last. */
double gm_policy_sum_counted(const struct gm_policy_sum *sum);

/* Whether it has changed since settled() was called last. */
bool gm_policy_sum_is_new(const struct gm_policy_sum *sum);
void gm_policy_sum_settled(struct gm_policy_sum *sum);

#endif
