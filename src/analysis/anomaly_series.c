/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A metric's series and the ways to look at it; see anomaly_series.h. Pure. Called by the anomaly
 * detector.
 */
#include "analysis/anomaly_series.h"

#include <math.h>
#include <string.h>

static const uint32_t widths[GM_ANOMALY_WINDOWS] = {4, 12, 36, 108, 324};

enum { VALUE, CHANGE, RESIDUAL, MEANS, SPREADS = MEANS + GM_ANOMALY_WINDOWS };

/*
 * What a way to look counts for in the surprise. Spreads follow means, and a change says little that the
 * residual does not. In the excess all count alike.
 */
static const double weights[GM_ANOMALY_VIEWS] = {
	[VALUE] = 1,          [CHANGE] = 0,         [RESIDUAL] = 0.5,     [MEANS] = 1,
	[MEANS + 1] = 1,      [MEANS + 2] = 1,      [MEANS + 3] = 1,      [MEANS + 4] = 1,
	[SPREADS] = 0.25,     [SPREADS + 1] = 0.25, [SPREADS + 2] = 0.25, [SPREADS + 3] = 0.25,
	[SPREADS + 4] = 0.25,
};

/* One way to look may not outweigh the others. */
#define SURPRISE_MAX 6.0
#define EXCESS_FROM  3.0
#define EXCESS_MAX   10.0

/* Distances that do not matter: parts of the range seen, of the level, and of a whole. */
#define RANGE_PART 0.02
#define LEVEL_PART 0.02
#define SHARE_PART 0.05

/* The exponentially smoothed value that the residual is taken from. */
#define SMOOTHING 0.1

enum {
	MEMORY = 20000, /* values that place and spread are learned over */
	KNOWN = 30,     /* values before a deviation can be judged */
	RELEARN = 50,   /* what is known counts for that much after a disturbance */
};

/* A leaving value this many times what stays has taken the digits of the sum with it. */
#define SWAMPS 1e8

void gm_anomaly_series_reset(struct gm_anomaly_series *series)
{
	memset(series, 0, sizeof(*series));
	for (unsigned view = 0; view < GM_ANOMALY_VIEWS; view++) {
		gm_anomaly_tail_reset(&series->views[view].above);
		gm_anomaly_tail_reset(&series->views[view].below);
	}
}

static double ring_back(const struct gm_anomaly_series *series, uint32_t back)
{
	return (double)
		series->ring[(series->next + GM_ANOMALY_WINDOW_MAX - back) % GM_ANOMALY_WINDOW_MAX];
}

/* The sums of one window anew, from its values. */
static void sum_again(struct gm_anomaly_series *series, unsigned window)
{
	double sum = 0, square = 0;

	for (uint32_t back = 1; back <= widths[window] && back <= series->count; back++) {
		double value = ring_back(series, back);
		sum += value;
		square += value * value;
	}
	series->sums[window] = sum;
	series->squares[window] = square;
}

static void push(struct gm_anomaly_series *series, double value)
{
	float kept = (float)value;
	double leaving[GM_ANOMALY_WINDOWS];

	for (unsigned i = 0; i < GM_ANOMALY_WINDOWS; i++)
		leaving[i] = series->count >= widths[i] ? ring_back(series, widths[i]) : 0;
	series->ring[series->next] = kept;
	series->next = (series->next + 1) % GM_ANOMALY_WINDOW_MAX;
	series->count++;
	for (unsigned i = 0; i < GM_ANOMALY_WINDOWS; i++) {
		double left = leaving[i] * leaving[i];

		series->sums[i] += (double)kept - leaving[i];
		series->squares[i] += (double)kept * (double)kept - left;
		if (series->next == 0 || left > SWAMPS * series->squares[i])
			sum_again(series, i);
	}
}

/* What every way to look shows now; NaN: nothing yet. */
static void look(struct gm_anomaly_series *series, double value, bool gap,
		 double seen[GM_ANOMALY_VIEWS])
{
	bool follows = series->count > 1 && !gap;

	seen[VALUE] = value;
	seen[CHANGE] = follows ? value - series->previous : NAN;
	seen[RESIDUAL] = series->count > 4 && !gap ? value - series->smooth : NAN;
	for (unsigned i = 0; i < GM_ANOMALY_WINDOWS; i++) {
		bool full = series->count >= widths[i];
		double mean = series->sums[i] / widths[i];
		double variance = series->squares[i] / widths[i] - mean * mean;

		seen[MEANS + i] = full ? mean : NAN;
		seen[SPREADS + i] = full ? sqrt(fmax(variance, 0)) : NAN;
	}
	series->previous = value;
	if (gap || series->count == 1)
		series->smooth = value;
	else
		series->smooth += SMOOTHING * (value - series->smooth);
}

/* How many values before the newest a way to look still sees. */
static uint32_t reach_of(unsigned view)
{
	return view < MEANS ? 0 : widths[(view - MEANS) % GM_ANOMALY_WINDOWS];
}

static double surprise_of(const struct gm_anomaly_view *view, double value, double floor,
			  unsigned hour)
{
	if (view->count < GM_ANOMALY_LEARN)
		return 0;
	double surprise =
		value >= view->mean
			? gm_anomaly_tail_surprise(&view->above, value, view->mean, floor, hour)
			: gm_anomaly_tail_surprise(&view->below, -value, -view->mean, floor, hour);
	return fmin(surprise, SURPRISE_MAX);
}

static double excess_of(const struct gm_anomaly_view *view, double value, double floor)
{
	if (view->count < KNOWN)
		return 0;
	double deviation = fabs(value - view->mean) / (sqrt(view->variance) + floor);
	return fmin(fmax(deviation - EXCESS_FROM, 0), EXCESS_MAX);
}

static void learn(struct gm_anomaly_view *view, double value, bool settling)
{
	double centre = view->count > 0 ? view->mean : value;

	gm_anomaly_tail_add(&view->above, value, centre, settling);
	gm_anomaly_tail_add(&view->below, -value, -centre, settling);
	if (view->count < MEMORY)
		view->count++;
	double distance = value - view->mean;
	view->mean += distance / view->count;
	view->variance += (distance * distance - view->variance) / view->count;
}

static void turn_hour(struct gm_anomaly_series *series, unsigned hour)
{
	for (unsigned i = 0; i < GM_ANOMALY_VIEWS; i++) {
		struct gm_anomaly_view *view = &series->views[i];

		gm_anomaly_tail_hour(&view->above, &series->hours, view->mean);
		gm_anomaly_tail_hour(&view->below, &series->hours, -view->mean);
	}
	gm_anomaly_hours_next(&series->hours, hour);
}

/* Distances that do not matter: to a surprise, and to an excess. */
struct slack {
	double surprise, excess;
};

static struct slack slack_of(const struct gm_anomaly_series *series, double value)
{
	double range = series->high - series->low;
	double level = fabs(series->views[VALUE].mean + series->origin);
	double least = 1e-9 * fabs(value) + 1e-300;
	/* What never left 0 to 1 is taken for a share: a few points of the whole do not matter. */
	bool share = series->low >= 0 && series->high <= 1;

	return (struct slack){
		.surprise = fmax(RANGE_PART * range, LEVEL_PART * level) + least,
		.excess = (share ? SHARE_PART : RANGE_PART * range) + least,
	};
}

struct gm_anomaly_reading gm_anomaly_series_add(struct gm_anomaly_series *series, double value,
						unsigned hour, bool gap)
{
	struct gm_anomaly_reading reading = {0, 0};
	double seen[GM_ANOMALY_VIEWS];

	value = fmin(fmax(value, -GM_ANOMALY_VALUE_MAX), GM_ANOMALY_VALUE_MAX);
	if (series->count == 0) {
		series->origin = series->low = series->high = value;
		series->hours.current = (uint16_t)hour;
	}
	series->low = fmin(series->low, value);
	series->high = fmax(series->high, value);
	push(series, value - series->origin);
	look(series, value - series->origin, gap, seen);

	const struct slack slack = slack_of(series, value);

	if (hour != series->hours.current)
		turn_hour(series, hour);
	for (unsigned i = 0; i < GM_ANOMALY_VIEWS; i++) {
		struct gm_anomaly_view *view = &series->views[i];

		if (isnan(seen[i]))
			continue;
		bool settling =
			series->settled > 0 && series->count < series->settled + reach_of(i);
		if (!settling && weights[i] > 0)
			reading.surprise +=
				weights[i] * surprise_of(view, seen[i], slack.surprise, hour);
		reading.excess += excess_of(view, seen[i], slack.excess);
		learn(view, seen[i], settling);
	}
	return reading;
}

void gm_anomaly_series_disturb(struct gm_anomaly_series *series, uint32_t values)
{
	series->settled = series->count + values;
	for (unsigned i = 0; i < GM_ANOMALY_VIEWS; i++) {
		if (series->views[i].count > RELEARN)
			series->views[i].count = RELEARN;
	}
}

static void exchange_view(struct gm_anomaly_view *view, struct gm_archive *archive)
{
	gm_archive_number(archive, &view->mean);
	gm_archive_number(archive, &view->variance);
	gm_archive_u32(archive, &view->count, MEMORY);
	gm_anomaly_tail_exchange(&view->above, archive);
	gm_anomaly_tail_exchange(&view->below, archive);
}

void gm_anomaly_series_exchange(struct gm_anomaly_series *series, struct gm_archive *archive)
{
	gm_archive_number(archive, &series->origin);
	gm_archive_number(archive, &series->low);
	gm_archive_number(archive, &series->high);
	gm_archive_number(archive, &series->previous);
	gm_archive_number(archive, &series->smooth);
	gm_archive_numbers(archive, series->sums, GM_ANOMALY_WINDOWS);
	gm_archive_numbers(archive, series->squares, GM_ANOMALY_WINDOWS);
	for (uint32_t i = 0; i < GM_ANOMALY_WINDOW_MAX; i++)
		gm_archive_float(archive, &series->ring[i]);
	gm_archive_u32(archive, &series->next, GM_ANOMALY_WINDOW_MAX - 1);
	gm_archive_counter(archive, &series->count);
	gm_archive_counter(archive, &series->settled);
	gm_anomaly_hours_exchange(&series->hours, archive);
	for (unsigned i = 0; i < GM_ANOMALY_VIEWS; i++)
		exchange_view(&series->views[i], archive);
}
