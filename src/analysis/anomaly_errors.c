/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate test for counters of errors and drops; see anomaly_errors.h. Pure. Called by the anomaly
 * detector.
 */
#include "analysis/anomaly_errors.h"

#include <math.h>

#include "base/clock.h"

#define MINUTE 60.0

/* Nothing is told before so many seconds were watched. */
#define LEARN 900.0

/* A minute's count is too many when chance brings it less often than e to this power. */
#define RARE 16.0

/* What is expected of a counter that never moved: half an event in an hour. */
#define PRIOR_EVENTS  0.5
#define PRIOR_SECONDS 3600.0

/* The past counts half after so many seconds. */
#define HALF_LIFE (2 * 86400.0)

/* How fast the spread follows, and how much of a minute's excess is learned from. */
#define SPREAD_GAIN  0.02
#define LEARNS_TIMES 4.0
#define LEARNS_LEAST 10.0

/* Corrected memory errors come in ones and twos for years; the others lose data or a process. */
const struct gm_anomaly_error_kind gm_anomaly_error_kinds[GM_ANOMALY_ERROR_KINDS] = {
	{GM_METRIC_NET_RX_ERRORS, 10, GM_EVENT_COMMUNICATIONS, GM_SEVERITY_WARNING},
	{GM_METRIC_NET_RX_DROPPED, 10, GM_EVENT_COMMUNICATIONS, GM_SEVERITY_WARNING},
	{GM_METRIC_NET_TX_ERRORS, 10, GM_EVENT_COMMUNICATIONS, GM_SEVERITY_WARNING},
	{GM_METRIC_NET_TX_DROPPED, 10, GM_EVENT_COMMUNICATIONS, GM_SEVERITY_WARNING},
	{GM_METRIC_HW_MEMORY_CORRECTED, 5, GM_EVENT_EQUIPMENT, GM_SEVERITY_WARNING},
	{GM_METRIC_HW_MEMORY_UNCORRECTED, 1, GM_EVENT_EQUIPMENT, GM_SEVERITY_MAJOR},
	{GM_METRIC_HW_MACHINE_CHECKS, 1, GM_EVENT_EQUIPMENT, GM_SEVERITY_MAJOR},
};

/* NULL: not judged here. */
static const struct gm_anomaly_error_kind *kind_of(unsigned id)
{
	for (size_t i = 0; i < GM_ANOMALY_ERROR_KINDS; i++) {
		if (gm_anomaly_error_kinds[i].metric == id)
			return &gm_anomaly_error_kinds[i];
	}
	return NULL;
}

static struct gm_anomaly_error *find(struct gm_anomaly_errors *errors,
				     const struct gm_entity_key *owner, unsigned id)
{
	for (size_t i = 0; i < errors->count; i++) {
		if (errors->items[i].id == id && gm_entity_equal(&errors->items[i].owner, owner))
			return &errors->items[i];
	}
	if (errors->count == GM_ANOMALY_ERRORS_MAX)
		return NULL;
	struct gm_anomaly_error *item = &errors->items[errors->count++];
	*item = (struct gm_anomaly_error){
		.id = id,
		.owner = *owner,
		.events = PRIOR_EVENTS,
		.exposed = PRIOR_SECONDS,
		.spread = 1,
	};
	return item;
}

/* How rare `count` is where `mean` is usual: the natural logarithm of one in so many. */
static double rarity(double count, double mean)
{
	return count > mean ? count * log(count / mean) - count + mean : 0;
}

static void learn(struct gm_anomaly_error *item, double mean)
{
	/* A fault is not to become usual at once. */
	double count = fmin(item->count, LEARNS_TIMES * mean + LEARNS_LEAST);
	double rest = exp2(-item->seconds / HALF_LIFE);
	double distance = count - mean;

	item->events = item->events * rest + count;
	item->exposed = item->exposed * rest + item->seconds;
	item->spread += SPREAD_GAIN * (distance * distance / fmax(mean, 0.1) - item->spread);
	item->spread = fmax(item->spread, 1);
}

/* Whether the open minute had too many, where `mean` is the most that is usual. */
static bool is_many(const struct gm_anomaly_error *item, double mean)
{
	const struct gm_anomaly_error_kind *kind = kind_of(item->id);

	if (!kind)
		return false;
	if (kind->least <= 1)
		return item->count >= 1;
	return item->count >= kind->least * item->seconds / MINUTE && item->watched >= LEARN &&
	       rarity(item->count, mean) / item->spread > RARE;
}

static void end_minute(struct gm_anomaly_error *item, int64_t time)
{
	/* The rate may be higher than it looks: two of its standard errors are granted. */
	double events = item->events + 2 * sqrt(item->events);
	double mean = events / item->exposed * item->seconds;

	if (is_many(item, mean)) {
		item->last = time;
		item->rate = item->count / item->seconds;
		item->usual = item->events / item->exposed;
	}
	learn(item, item->events / item->exposed * item->seconds);
	item->watched += item->seconds;
	item->count = item->seconds = 0;
}

bool gm_anomaly_errors_take(struct gm_anomaly_errors *errors, const struct gm_entity_key *owner,
			    const struct gm_point *point)
{
	if (!kind_of(point->metric))
		return false;
	struct gm_anomaly_error *item = find(errors, owner, point->metric);
	if (!item || point->span <= 0 || point->time <= 0 || !(point->value >= 0) ||
	    point->value > 1e18)
		return true;
	item->count += point->value;
	item->seconds += (double)point->span / (double)GM_SECOND;
	if (item->seconds >= MINUTE)
		end_minute(item, point->time);
	return true;
}

const struct gm_anomaly_error *gm_anomaly_errors_worst(const struct gm_anomaly_errors *errors,
						       unsigned id, int64_t since)
{
	const struct gm_anomaly_error *worst = NULL;

	for (size_t i = 0; i < errors->count; i++) {
		const struct gm_anomaly_error *item = &errors->items[i];

		if (item->id == id && item->last > 0 && item->last >= since &&
		    (!worst || item->rate > worst->rate))
			worst = item;
	}
	return worst;
}

bool gm_anomaly_errors_known(const struct gm_anomaly_errors *errors, unsigned id)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct gm_anomaly_error *item = &errors->items[i];

		if (item->id == id && (item->watched >= LEARN || item->last > 0))
			return true;
	}
	return false;
}

static void exchange_item(struct gm_anomaly_error *item, struct gm_archive *archive)
{
	char owner[GM_KEY_TEXT] = "";

	if (archive->out)
		gm_entity_text(&item->owner, owner);
	gm_archive_text(archive, owner, sizeof(owner));
	if (!archive->out && gm_entity_parse(owner, &item->owner) < 0)
		archive->failed = true;
	gm_archive_u32(archive, &item->id, UINT32_MAX);
	gm_archive_number(archive, &item->count);
	gm_archive_number(archive, &item->seconds);
	gm_archive_number(archive, &item->events);
	gm_archive_number(archive, &item->exposed);
	gm_archive_number(archive, &item->spread);
	gm_archive_number(archive, &item->watched);
	gm_archive_number(archive, &item->rate);
	gm_archive_number(archive, &item->usual);
	gm_archive_int(archive, &item->last, 0, INT64_MAX);
	/* Divisors. */
	if (!(item->exposed > 0 && item->spread >= 1 && item->events >= 0))
		archive->failed = true;
}

void gm_anomaly_errors_exchange(struct gm_anomaly_errors *errors, struct gm_archive *archive)
{
	gm_archive_size(archive, &errors->count, GM_ANOMALY_ERRORS_MAX);
	for (size_t i = 0; i < errors->count && !archive->failed; i++)
		exchange_item(&errors->items[i], archive);
}
