/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding, joining and naming the metrics of an entity; see anomaly_group.h. Pure. Called by the
 * anomaly detector.
 */
#include "analysis/anomaly_group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A metric stands out from this surprise, or this excess, on. */
#define STANDS_OUT_SURPRISE 1.0
#define STANDS_OUT_EXCESS   10.0

/* What a stuck counter counts for when the others of its entity go on. */
#define STUCK_SURPRISE 12.0

enum { CONTRIBUTORS = 6 };

void gm_anomaly_group_free(struct gm_anomaly_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		free(group->metrics[i]);
	group->count = 0;
}

void gm_anomaly_group_name(struct gm_anomaly_group *group, unsigned id, const char *name)
{
	if (group->extra_count == GM_ANOMALY_METRICS_MAX)
		return;
	group->extra[group->extra_count].id = id;
	gm_text_copy(group->extra[group->extra_count].name, GM_METRIC_NAME, name);
	group->extra_count++;
}

static const char *name_of(const struct gm_anomaly_group *group, unsigned id)
{
	const struct gm_metric *known = gm_metric_get(id);

	if (known)
		return known->name;
	for (size_t i = 0; i < group->extra_count; i++) {
		if (group->extra[i].id == id)
			return group->extra[i].name;
	}
	return "unknown";
}

/* Points come in the same order time after time: the one after the last found is tried first. */
struct gm_anomaly_metric *gm_anomaly_group_find(struct gm_anomaly_group *group,
						const struct gm_entity_key *owner, unsigned id)
{
	for (size_t step = 0; step < group->count; step++) {
		size_t at = group->cursor + step;
		if (at >= group->count)
			at -= group->count;
		struct gm_anomaly_metric *metric = group->metrics[at];

		if (metric->id == id && gm_entity_equal(&metric->owner, owner)) {
			group->cursor = at + 1 < group->count ? at + 1 : 0;
			return metric;
		}
	}
	if (group->count == GM_ANOMALY_METRICS_MAX)
		return NULL;
	struct gm_anomaly_metric *metric = gm_anomaly_metric_create(id, owner, name_of(group, id));
	if (metric)
		group->metrics[group->count++] = metric;
	return metric;
}

static bool stands_out(const struct gm_anomaly_metric *metric, int64_t now)
{
	return gm_anomaly_metric_fresh(metric, now) &&
	       (metric->reading.surprise >= STANDS_OUT_SURPRISE ||
		metric->reading.excess >= STANDS_OUT_EXCESS || gm_anomaly_metric_stuck(metric));
}

/* Whether most other counters of the entity move: it is not the guest that sleeps or stands. */
static bool others_move(const struct gm_anomaly_group *group, int64_t now)
{
	size_t moving = 0, counters = 0;

	for (size_t i = 0; i < group->count; i++) {
		const struct gm_anomaly_metric *metric = group->metrics[i];

		if (!metric->delta || metric->moved == 0 || !gm_anomaly_metric_fresh(metric, now))
			continue;
		counters++;
		moving += metric->still == 0;
	}
	return 2 * moving > counters;
}

struct gm_anomaly_row gm_anomaly_group_row(const struct gm_anomaly_group *group, int64_t now)
{
	struct gm_anomaly_row row = {0, 0, 0};
	double squares = 0;
	bool stuck = false;

	for (size_t i = 0; i < group->count; i++) {
		const struct gm_anomaly_metric *metric = group->metrics[i];

		if (!gm_anomaly_metric_fresh(metric, now))
			continue;
		/* Metrics go together: their sum would count one event once for each of them. */
		squares += metric->reading.surprise * metric->reading.surprise;
		row.excess += metric->reading.excess;
		row.stand_out += stands_out(metric, now);
		stuck |= gm_anomaly_metric_stuck(metric);
	}
	if (stuck && others_move(group, now))
		squares += STUCK_SURPRISE * STUCK_SURPRISE;
	row.surprise = sqrt(squares);
	return row;
}

static double weight_of(const struct gm_anomaly_metric *metric)
{
	return metric->reading.surprise + metric->reading.excess / STANDS_OUT_EXCESS +
	       (gm_anomaly_metric_stuck(metric) ? STUCK_SURPRISE : 0);
}

/* The heaviest that stands out and was not named yet; `count` when there is none. */
static size_t next_contributor(const struct gm_anomaly_group *group, int64_t now,
			       const bool named[GM_ANOMALY_METRICS_MAX])
{
	size_t best = group->count;

	for (size_t i = 0; i < group->count; i++) {
		if (named[i] || !stands_out(group->metrics[i], now))
			continue;
		if (best == group->count ||
		    weight_of(group->metrics[i]) > weight_of(group->metrics[best]))
			best = i;
	}
	return best;
}

void gm_anomaly_group_contributors(const struct gm_anomaly_group *group, int64_t now, char *names,
				   size_t size, double *ret_value)
{
	bool named[GM_ANOMALY_METRICS_MAX] = {false};
	size_t length = 0;

	for (size_t rank = 0; rank < CONTRIBUTORS; rank++) {
		size_t at = next_contributor(group, now, named);
		if (at == group->count)
			return;
		const struct gm_anomaly_metric *metric = group->metrics[at];
		if (length + strlen(metric->name) + 2 > size)
			return;
		length += (size_t)snprintf(names + length, size - length, "%s%s", rank ? "," : "",
					   metric->name);
		if (rank == 0)
			*ret_value = metric->value;
		named[at] = true;
	}
}

/* Either way: the metric at `at`; NULL when there is no memory or no such entity. */
static struct gm_anomaly_metric *exchange_identity(struct gm_anomaly_group *group, size_t at,
						   struct gm_archive *archive)
{
	char owner[GM_KEY_TEXT] = "", name[GM_METRIC_NAME] = "";
	uint32_t id = 0;
	struct gm_entity_key key;

	if (archive->out) {
		id = group->metrics[at]->id;
		gm_entity_text(&group->metrics[at]->owner, owner);
		gm_text_copy(name, sizeof(name), group->metrics[at]->name);
	}
	gm_archive_text(archive, owner, sizeof(owner));
	gm_archive_text(archive, name, sizeof(name));
	gm_archive_u32(archive, &id, UINT32_MAX);
	if (archive->out)
		return group->metrics[at];
	if (archive->failed || gm_entity_parse(owner, &key) < 0)
		return NULL;
	struct gm_anomaly_metric *metric = gm_anomaly_metric_create(id, &key, "");
	if (metric) {
		gm_text_copy(metric->name, sizeof(metric->name), name);
		group->metrics[group->count++] = metric;
	}
	return metric;
}

void gm_anomaly_group_exchange(struct gm_anomaly_group *group, struct gm_archive *archive)
{
	size_t count = group->count;

	gm_archive_size(archive, &count, GM_ANOMALY_METRICS_MAX);
	for (size_t i = 0; i < count && !archive->failed; i++) {
		struct gm_anomaly_metric *metric = exchange_identity(group, i, archive);

		if (metric)
			gm_anomaly_metric_exchange(metric, archive);
		else
			archive->failed = true;
	}
}
