/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics that the anomaly detector follows of one entity and its parts, and what they show
 * together. Bounded; pure. The anomaly detector calls it.
 */
#ifndef GM_ANALYSIS_ANOMALY_GROUP_H
#define GM_ANALYSIS_ANOMALY_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/anomaly_metric.h"

enum { GM_ANOMALY_METRICS_MAX = 96 }; /* further ones are not followed */

struct gm_anomaly_group {
	size_t count, cursor;
	struct gm_anomaly_metric *metrics[GM_ANOMALY_METRICS_MAX];
	size_t extra_count;
	struct {
		unsigned id;
		char name[GM_METRIC_NAME];
	} extra[GM_ANOMALY_METRICS_MAX]; /* names that the catalogue does not have */
};

/* What the metrics show together. */
struct gm_anomaly_row {
	double surprise, excess;
	size_t stand_out; /* metrics that do */
};

void gm_anomaly_group_free(struct gm_anomaly_group *group);
void gm_anomaly_group_name(struct gm_anomaly_group *group, unsigned id, const char *name);

/* The metric, made when it was not seen before; NULL: it is not followed. */
struct gm_anomaly_metric *gm_anomaly_group_find(struct gm_anomaly_group *group,
						const struct gm_entity_key *owner, unsigned id);

struct gm_anomaly_row gm_anomaly_group_row(const struct gm_anomaly_group *group, int64_t now);

/*
 * Names, largest first, separated by commas, of those that stand out; `ret_value` gets the value of
 * the first. Unchanged when there is none.
 */
void gm_anomaly_group_contributors(const struct gm_anomaly_group *group, int64_t now, char *names,
				   size_t size, double *ret_value);

void gm_anomaly_group_exchange(struct gm_anomaly_group *group, struct gm_archive *archive);

#endif
