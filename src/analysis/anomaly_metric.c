/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From points to the bins of a series; see anomaly_metric.h. Pure. Called by the anomaly detector.
 */
#include "analysis/anomaly_metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What an operator sets, what only smooths another, and what has a detector of its own. */
static const bool unwanted[GM_METRIC_COUNT] = {
	[GM_METRIC_GUEST_STATE] = true,
	[GM_METRIC_CPU_COUNT] = true,
	[GM_METRIC_MEMORY_TOTAL] = true,
	[GM_METRIC_MEMORY_BALLOON] = true,
	[GM_METRIC_MEMORY_MAXIMUM] = true,
	[GM_METRIC_SWAP_TOTAL] = true,
	[GM_METRIC_LOAD_5] = true,
	[GM_METRIC_LOAD_15] = true,
	[GM_METRIC_NET_SPEED] = true,
	[GM_METRIC_NET_RX_LIMIT] = true,
	[GM_METRIC_NET_TX_LIMIT] = true,
	[GM_METRIC_NET_RX_PEAK] = true,
	[GM_METRIC_NET_TX_PEAK] = true,
	[GM_METRIC_DISK_CAPACITY] = true,
	[GM_METRIC_DISK_PHYSICAL] = true,
	[GM_METRIC_NET_RX_ERRORS] = true,
	[GM_METRIC_NET_RX_DROPPED] = true,
	[GM_METRIC_NET_TX_ERRORS] = true,
	[GM_METRIC_NET_TX_DROPPED] = true,
	[GM_METRIC_HW_NET_ERRORS] = true,
	[GM_METRIC_HW_MEMORY_CORRECTED] = true,
	[GM_METRIC_HW_MEMORY_UNCORRECTED] = true,
	[GM_METRIC_HW_MACHINE_CHECKS] = true,
};

/* How fast the interval follows when points come more slowly; faster is believed at once. */
#define INTERVAL_GAIN 0.125

/* More than this many intervals without a point is a gap. */
#define GAP_INTERVALS 4.0

/* A reading is of the present for so many intervals, and so long at least. */
#define FRESH_INTERVALS 3.0
#define FRESH_LEAST     (60 * GM_SECOND)

/*
 * A counter is stuck when it moved in so many bins and then stands still for so many times the longest
 * standstill so far, and these bins more. That is news for a while only.
 */
enum { STILL_KNOWN = 360, STILL_TIMES = 4, STILL_LEAST = 6, STILL_NEWS = 60 };

/* Clocks go to 2262; hours are asked for of earlier times, too. */
#define HOUR (3600 * GM_SECOND)

bool gm_anomaly_metric_wanted(unsigned id)
{
	return id >= GM_METRIC_COUNT || !unwanted[id];
}

struct gm_anomaly_metric *gm_anomaly_metric_create(unsigned id, const struct gm_entity_key *owner,
						   const char *name)
{
	struct gm_anomaly_metric *metric = calloc(1, sizeof(*metric));
	const struct gm_metric *known = gm_metric_get(id);

	if (!metric)
		return NULL;
	metric->id = id;
	metric->owner = *owner;
	metric->delta = gm_metric_kind(id) == GM_KIND_COUNTER;
	/* Time used per second is a number of CPUs. */
	metric->unit = known && metric->delta && strcmp(known->unit, "ns") == 0 ? 1e9 : 1;
	if (owner->name[0])
		snprintf(metric->name, sizeof(metric->name), "%s@%s", name, owner->name);
	else
		snprintf(metric->name, sizeof(metric->name), "%s", name);
	for (char *comma = metric->name; (comma = strchr(comma, ',')) != NULL;)
		*comma = ';'; /* contributors are separated by it */
	gm_anomaly_series_reset(&metric->series);
	return metric;
}

/* Counts the bins that nothing moved in, and what was the longest run of them that ended. */
static void watch_standstill(struct gm_anomaly_metric *metric)
{
	if (!metric->delta)
		return;
	if (metric->sum == 0) {
		metric->still += metric->still < UINT32_MAX;
		return;
	}
	if (metric->still > metric->longest)
		metric->longest = metric->still;
	metric->still = 0;
	metric->moved += metric->moved < UINT32_MAX;
}

bool gm_anomaly_metric_stuck(const struct gm_anomaly_metric *metric)
{
	uint64_t usual = STILL_TIMES * ((uint64_t)metric->longest + 1);

	return metric->moved >= STILL_KNOWN && metric->still >= usual + STILL_LEAST &&
	       metric->still < usual + STILL_LEAST + STILL_NEWS;
}

static void close_bin(struct gm_anomaly_metric *metric)
{
	watch_standstill(metric);
	int64_t hour = metric->time / HOUR % GM_ANOMALY_HOURS;

	metric->value = metric->sum / metric->weight / metric->unit;
	metric->closed_at = metric->time;
	metric->reading = gm_anomaly_series_add(&metric->series, metric->value,
						(unsigned)(hour < 0 ? 0 : hour), metric->gap);
	metric->bin = 0;
	metric->sum = metric->weight = 0;
	metric->gap = false;
}

/* Notes the time that passed since the point before. */
static void pass(struct gm_anomaly_metric *metric, int64_t time)
{
	double passed = (double)(time - metric->time);

	if (metric->time == 0 || passed < 0) {
		metric->gap = true;
	} else if (metric->interval == 0 || passed < metric->interval) {
		metric->interval = passed;
	} else {
		metric->gap |= passed > GAP_INTERVALS * metric->interval;
		metric->interval += INTERVAL_GAIN * (passed - metric->interval);
	}
	metric->time = time;
}

bool gm_anomaly_metric_take(struct gm_anomaly_metric *metric, const struct gm_point *point)
{
	bool backwards = point->time < metric->time;
	bool closed = false;

	if (!isfinite(point->value) || point->time <= 0 || (metric->delta && point->span <= 0))
		return false;
	if (metric->bin && (backwards || point->time - metric->bin >= GM_ANOMALY_BIN)) {
		close_bin(metric);
		closed = true;
	}
	pass(metric, point->time);
	metric->gap |= point->gap;
	if (!metric->bin)
		metric->bin = point->time;
	double value = fmin(fmax(point->value, -GM_ANOMALY_VALUE_MAX), GM_ANOMALY_VALUE_MAX);
	metric->sum += value;
	metric->weight += metric->delta ? (double)point->span / (double)GM_SECOND : 1;
	/* The next point will be of another bin: nothing is gained by waiting for it. */
	if (metric->interval > 0 &&
	    (double)(point->time - metric->bin) + metric->interval >= (double)GM_ANOMALY_BIN) {
		close_bin(metric);
		closed = true;
	}
	return closed;
}

bool gm_anomaly_metric_fresh(const struct gm_anomaly_metric *metric, int64_t now)
{
	double age = (double)(now - metric->closed_at);

	return metric->closed_at > 0 &&
	       age <= fmax(FRESH_INTERVALS * metric->interval, (double)FRESH_LEAST);
}

void gm_anomaly_metric_disturb(struct gm_anomaly_metric *metric, int64_t span)
{
	double bins = (double)span / fmax(metric->interval, (double)GM_ANOMALY_BIN);

	gm_anomaly_series_disturb(&metric->series, (uint32_t)fmin(ceil(bins), 1000));
	metric->gap = true;
}

void gm_anomaly_metric_exchange(struct gm_anomaly_metric *metric, struct gm_archive *archive)
{
	gm_archive_int(archive, &metric->bin, 0, INT64_MAX);
	gm_archive_int(archive, &metric->time, 0, INT64_MAX);
	gm_archive_number(archive, &metric->interval);
	gm_archive_number(archive, &metric->sum);
	gm_archive_number(archive, &metric->weight);
	gm_archive_number(archive, &metric->value);
	gm_archive_int(archive, &metric->closed_at, 0, INT64_MAX);
	gm_archive_bool(archive, &metric->gap);
	gm_archive_u32(archive, &metric->still, UINT32_MAX);
	gm_archive_u32(archive, &metric->longest, UINT32_MAX);
	gm_archive_u32(archive, &metric->moved, UINT32_MAX);
	gm_archive_number(archive, &metric->reading.surprise);
	gm_archive_number(archive, &metric->reading.excess);
	gm_anomaly_series_exchange(&metric->series, archive);
}
