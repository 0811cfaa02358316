/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A metric that the anomaly detector follows: whose it is, and its points on their way into the
 * series. Points that come faster than a bin are averaged over it, slower ones are bins of their own;
 * counters are judged as rates. Pure; the anomaly detector calls it.
 */
#ifndef GM_ANALYSIS_ANOMALY_METRIC_H
#define GM_ANALYSIS_ANOMALY_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/anomaly_series.h"
#include "base/clock.h"
#include "model/entity.h"
#include "model/finding.h"
#include "model/sample.h"

/* Nothing faster than this is judged: bursts have a detector of their own. */
#define GM_ANOMALY_BIN (10 * GM_SECOND)

struct gm_anomaly_metric {
	uint32_t id;
	struct gm_entity_key owner;        /* the entity itself, or a part of it */
	char name[GM_METRIC_NAME];         /* as contributors show it */
	int64_t bin;                       /* when the open bin began; 0: none is open */
	int64_t time;                      /* of the newest point */
	double interval;                   /* ns between points, as it is now */
	double sum, weight;                /* of the open bin */
	double value;                      /* of the last closed bin */
	int64_t closed_at;                 /* when that was */
	bool gap;                          /* before the open bin */
	bool delta;                        /* a counter: points are increases */
	double unit;                       /* that values are divided by */
	uint32_t still, longest, moved;    /* counters: bins without, and with, an increase */
	struct gm_anomaly_reading reading; /* of the last closed bin */
	struct gm_anomaly_series series;
};

/* False: capacities, settings and states are not judged here. */
bool gm_anomaly_metric_wanted(unsigned id);

/* NULL: out of memory. */
struct gm_anomaly_metric *gm_anomaly_metric_create(unsigned id, const struct gm_entity_key *owner,
						   const char *name);

/* True when it closed a bin: there is a new reading. */
bool gm_anomaly_metric_take(struct gm_anomaly_metric *metric, const struct gm_point *point);

/* A counter that always moved and now stands still. */
bool gm_anomaly_metric_stuck(const struct gm_anomaly_metric *metric);

/* Whether the reading still tells of `now`. */
bool gm_anomaly_metric_fresh(const struct gm_anomaly_metric *metric, int64_t now);

/* The level may be another: learned anew over `span` ns. */
void gm_anomaly_metric_disturb(struct gm_anomaly_metric *metric, int64_t span);

void gm_anomaly_metric_exchange(struct gm_anomaly_metric *metric, struct gm_archive *archive);

#endif
