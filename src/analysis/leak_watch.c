/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watched series of the leak detector: feeds the bins, has every scale judged whose bin was closed,
 * keeps the condition. See leak_watch.h.
 */
#include "analysis/leak_watch.h"

#include <math.h>

#include "analysis/leak_judge.h"
#include "base/clock.h"

/* Samples that go back further than this are a new clock, not late arrivals. */
#define BACKWARDS_MAX (60 * GM_SECOND)

/* What must have come back of the loss to end the condition, and the bins that must all show it. */
#define RETURNED 0.5
enum { RETURNED_BINS = 3 };

/* Used part of the memory: nothing can grow any more, so no growth is no relief. */
#define FULL 0.985

/* No machine has so much memory; keeps the arithmetic of floats within bounds. */
#define BYTES_MAX 1e18

/* Nobody plans further than that; keeps the arithmetic of times within bounds. */
#define FAR      (1000 * INT64_C(86400) * GM_SECOND)
#define TIME_MAX (INT64_MAX / 4)

/* Of a normal distribution: nine times in ten within. */
#define NINETY 1.645

static void forget(struct gm_leak_watch *watch)
{
	gm_leak_bins_reset(&watch->bins);
	watch->active = false;
	watch->time = 0;
}

void gm_leak_watch_init(struct gm_leak_watch *watch)
{
	*watch = (struct gm_leak_watch){.used = NAN, .total = NAN};
	forget(watch);
}

bool gm_leak_watch_total(struct gm_leak_watch *watch, double total)
{
	if (!(total > 0 && total < BYTES_MAX))
		return false;
	watch->total = total;
	return true;
}

void gm_leak_watch_break(struct gm_leak_watch *watch, int64_t now)
{
	if (now > 0 && now < TIME_MAX)
		watch->bins.since = now;
}

bool gm_leak_watch_knows(const struct gm_leak_watch *watch)
{
	return !isnan(watch->total) && gm_leak_judge_knows(&watch->bins);
}

static double room(const struct gm_leak_watch *watch, const struct gm_leak_growth *growth)
{
	return watch->total - growth->level - growth->swing;
}

static int64_t exhaustion(const struct gm_leak_watch *watch, const struct gm_leak_growth *growth)
{
	double wait = fmin(room(watch, growth) / growth->slope * (double)GM_SECOND, (double)FAR);
	int64_t end = growth->end + (int64_t)fmax(wait, 0);

	return end > watch->time ? end : watch->time;
}

int64_t gm_leak_watch_end(const struct gm_leak_watch *watch)
{
	return exhaustion(watch, &watch->condition.growth);
}

void gm_leak_watch_forecast(const struct gm_leak_watch *watch,
			    struct gm_leak_forecast *ret_forecast)
{
	const struct gm_leak_growth *growth = &watch->condition.growth;
	double passed = (double)(watch->time - growth->end) / (double)GM_SECOND;
	double left = room(watch, growth), doubt = NINETY * growth->scatter;
	double low = (left - doubt - fmax(growth->spike - growth->swing, 0)) / growth->slope_high -
		     passed;
	double high = INFINITY;

	ret_forecast->left = (double)(exhaustion(watch, growth) - watch->time) / (double)GM_SECOND;
	if (growth->slope_low > 0)
		high = (left + growth->swing + doubt) / growth->slope_low - passed;
	ret_forecast->low = fmin(fmax(low, 0), ret_forecast->left);
	ret_forecast->high = fmax(high, ret_forecast->left);
}

static void begin(struct gm_leak_watch *watch, const struct gm_leak_growth *growth,
		  double confidence)
{
	struct gm_leak_condition *condition = &watch->condition;

	if (!watch->active)
		*condition = (struct gm_leak_condition){.told_severity = GM_SEVERITY_CLEARED};
	watch->active = true;
	condition->growth = *growth;
	condition->confidence = confidence;
	condition->scale = growth->scale;
	condition->base = growth->level - growth->rise;
	condition->high = growth->level;
	condition->high_at = watch->time;
	condition->patience = growth->end - growth->onset;
}

/* Judges the scales from `first` on whose bin was closed; the longest that finds a leak has it. */
static void look(struct gm_leak_watch *watch, unsigned closed, size_t first,
		 const struct gm_leak_manner *manner)
{
	struct gm_leak_growth growth;
	double confidence;

	for (size_t scale = GM_LEAK_SCALES; scale-- > first;) {
		if (!(closed & 1U << scale) ||
		    !gm_leak_judge(&watch->bins, scale, watch->total, manner->caution, &growth,
				   &confidence))
			continue;
		if (exhaustion(watch, &growth) - watch->time > manner->horizon ||
		    watch->used < growth.level - RETURNED * growth.rise)
			continue;
		begin(watch, &growth, confidence);
		return;
	}
}

/* The finest scale whose ring reaches back to the onset, not finer than the one that found it. */
static size_t suitable_scale(const struct gm_leak_watch *watch)
{
	int64_t age = watch->time - watch->condition.growth.onset;
	size_t scale = watch->condition.scale;

	while (scale + 1 < GM_LEAK_SCALES && age / gm_leak_widths[scale] >= GM_LEAK_BINS)
		scale++;
	return scale;
}

static bool has_returned(const struct gm_leak_watch *watch)
{
	const struct gm_leak_condition *condition = &watch->condition;
	const struct gm_leak_scale *scale = &watch->bins.scales[condition->scale];
	double limit = condition->base + (1 - RETURNED) * (condition->high - condition->base);

	if (scale->count < RETURNED_BINS)
		return false;
	for (size_t age = 0; age < RETURNED_BINS; age++) {
		if (!((double)gm_leak_bin(scale, age)->floor < limit))
			return false; /* empty bins too */
	}
	return true;
}

/* It was begun, but fell back before anybody was told. */
static bool is_void(const struct gm_leak_watch *watch)
{
	const struct gm_leak_condition *condition = &watch->condition;

	return condition->told_severity == GM_SEVERITY_CLEARED &&
	       watch->used < condition->high - RETURNED * (condition->high - condition->base);
}

static bool stands_still(const struct gm_leak_watch *watch)
{
	return watch->used < FULL * watch->total &&
	       watch->time - watch->condition.high_at > watch->condition.patience;
}

static void follow(struct gm_leak_watch *watch, unsigned closed)
{
	struct gm_leak_condition *condition = &watch->condition;
	const struct gm_leak_scale *ring = &watch->bins.scales[condition->scale];
	size_t scale = suitable_scale(watch);
	double floor;

	if (closed & 1U << scale)
		gm_leak_growth_follow(&watch->bins, scale, &condition->growth);
	if (!(closed & 1U << condition->scale))
		return;
	floor = ring->count > 0 ? (double)gm_leak_bin(ring, 0)->floor : NAN;
	if (floor > condition->high) {
		condition->high = floor;
		condition->high_at = watch->time;
	}
	/* What was lost in a hole of the series is in no bin yet; but it did not stand still. */
	if (isnan(floor) && watch->used > condition->high)
		condition->high_at = watch->time;
	watch->active = !has_returned(watch) && !stands_still(watch);
}

void gm_leak_watch_take(struct gm_leak_watch *watch, int64_t time, double used,
			const struct gm_leak_manner *manner)
{
	unsigned closed;

	if (!(used >= 0 && used < BYTES_MAX) || time <= 0 || time >= TIME_MAX)
		return;
	if (time < watch->time - BACKWARDS_MAX)
		forget(watch);
	if (time < watch->time)
		return;
	watch->time = time;
	watch->used = used;
	watch->active = watch->active && !is_void(watch);
	closed = gm_leak_bins_add(&watch->bins, time, (float)used);
	if (!closed || isnan(watch->total))
		return;
	if (watch->active)
		follow(watch, closed);
	look(watch, closed, watch->active ? watch->condition.scale + 1 : 0, manner);
}

static void exchange_time(struct gm_archive *archive, int64_t *time)
{
	gm_archive_int(archive, time, 0, TIME_MAX);
}

/* Not known (NaN), or what a memory can have. */
static void exchange_bytes(struct gm_archive *archive, double *bytes)
{
	gm_archive_any_number(archive, bytes);
	if (!isnan(*bytes) && !(*bytes >= 0 && *bytes < BYTES_MAX))
		archive->failed = true;
}

static void exchange_condition(struct gm_archive *archive, struct gm_leak_condition *condition)
{
	uint32_t severity = condition->told_severity;

	gm_leak_growth_exchange(archive, &condition->growth);
	gm_archive_number(archive, &condition->confidence);
	gm_archive_size(archive, &condition->scale, GM_LEAK_SCALES - 1);
	gm_archive_number(archive, &condition->base);
	gm_archive_number(archive, &condition->high);
	exchange_time(archive, &condition->high_at);
	exchange_time(archive, &condition->patience);
	exchange_time(archive, &condition->told_end);
	gm_archive_u32(archive, &severity, GM_SEVERITY_WARNING);
	condition->told_severity = (enum gm_severity)severity;
}

void gm_leak_watch_exchange(struct gm_archive *archive, struct gm_leak_watch *watch)
{
	exchange_time(archive, &watch->time);
	exchange_bytes(archive, &watch->used);
	exchange_bytes(archive, &watch->total);
	gm_leak_bins_exchange(archive, &watch->bins);
	if (watch->bins.started && watch->bins.scales[0].open != watch->time / gm_leak_widths[0])
		archive->failed = true;
	gm_archive_bool(archive, &watch->active);
	if (watch->active)
		exchange_condition(archive, &watch->condition);
}
