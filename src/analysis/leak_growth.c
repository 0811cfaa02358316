/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring the growth at the end of a series for the leak detector.
 *
 * Everything is measured on the floors of the bins: what garbage collection, caches and requests give
 * back within a bin does not count, what they keep does.
 */
#include "analysis/leak_growth.h"

#include <math.h>
#include <string.h>

#include "analysis/trend.h"
#include "base/clock.h"

/* The part of a growth's bins that may be empty: more, and the scale is too fine for the cadence. */
#define EMPTY_MAX 0.4

/* The part of the past that does not count for its height: a spike in a week is no habit. */
#define SPIKES 0.03

/* At the scales up to this one a single stay above is no habit either, up to this part of the past. */
#define EPISODE_PART 0.4
enum { SHORT_SCALE = 3 };

/* Of a normal distribution: nine times in ten within. */
#define NINETY 1.645

/*
 * Leaks change their pace, and noise is not as tame as the error of a line supposes. By trial with generated
 * leaks (noise of several kinds, lumps, sawteeth) and with leaks added to recordings of real machines.
 */
#define PACE_CHANGES 2.0

/* A step of this part of the rise is an allocation of its own. */
#define STEP_PART 0.4

enum {
	LINE_MIN = 4,   /* the fewest bins that a line is fitted to */
	NEWEST_MIN = 2, /* the newest bins of a growth: a fifth of it, but no fewer */
	TOP_BINS = 3,   /* the bins whose highest floor is the top of a growth */
	DAYS_BACK = 7,
	COMINGS = 2, /* at the short scales: what came and went so often has no spikes */
};

#define DAY      (86400 * GM_SECOND)
#define TIME_MAX (INT64_MAX / 4)

/* A scale's floors, oldest first. */
struct view {
	const struct gm_leak_scale *scale;
	int64_t width;
	size_t length;
	float floors[GM_LEAK_BINS];
};

static void view_init(struct view *view, const struct gm_leak_bins *bins, size_t scale)
{
	view->scale = &bins->scales[scale];
	view->width = gm_leak_widths[scale];
	view->length = gm_leak_bins_usable(bins, scale);
	for (size_t i = 0; i < view->length; i++)
		view->floors[i] = gm_leak_bin(view->scale, view->length - 1 - i)->floor;
}

static double seconds(int64_t duration)
{
	return (double)duration / (double)GM_SECOND;
}

/* The time at which the bin at `index` begins; index length is the end of the newest. */
static int64_t view_time(const struct view *view, size_t index)
{
	return (view->scale->open - (int64_t)(view->length - index)) * view->width;
}

/* The last lowest point below a line that rises by `tilt` per bin. */
static size_t lowest_below(const struct view *view, float tilt)
{
	float lowest = INFINITY;
	size_t at = view->length - 1;

	for (size_t i = 0; i < view->length; i++) {
		float height = view->floors[i] - tilt * (float)i;

		if (height <= lowest) {
			lowest = height;
			at = i;
		}
	}
	return at;
}

/*
 * The onset is the corner of the curve: the point that lies deepest below a line of half the slope
 * from the lowest point to the end.
 */
static size_t find_onset(const struct view *view)
{
	size_t last = view->length - 1, low = lowest_below(view, 0);

	if (low >= last)
		return last;
	return lowest_below(view,
			    (view->floors[last] - view->floors[low]) / (float)(last - low) / 2);
}

/* Whether enough of the bins hold samples for this scale to suit the cadence. */
static bool is_filled(const float *floors, size_t length)
{
	size_t empty = 0;

	for (size_t i = 0; i < length; i++)
		empty += isnan(floors[i]);
	return (double)empty <= EMPTY_MAX * (double)length;
}

/*
 * The largest lasting step: all floors from an index on lie above all floors more than a bin before it.
 * That index in `ret_after`; 0 without a step.
 */
static double largest_step(const float *floors, size_t length, size_t *ret_after)
{
	float highest_to[GM_LEAK_BINS], lowest_from = INFINITY;
	double largest = 0;

	*ret_after = 0;
	highest_to[0] = floors[0];
	for (size_t i = 1; i < length; i++)
		highest_to[i] = fmaxf(highest_to[i - 1], floors[i]);
	for (size_t i = length; i-- > 2;) {
		lowest_from = fminf(lowest_from, floors[i]);
		if ((double)(lowest_from - highest_to[i - 2]) > largest) {
			largest = (double)(lowest_from - highest_to[i - 2]);
			*ret_after = i;
		}
	}
	return largest;
}

/*
 * A growth that follows a bulk allocation is judged without it: moves the onset behind steps that make
 * up most of the rise, as long as `least_bins` remain.
 */
static size_t skip_steps(const struct view *view, size_t onset, size_t least_bins,
			 double *ret_skipped)
{
	*ret_skipped = 0;
	for (;;) {
		const float *floors = view->floors + onset;
		size_t length = view->length - onset, after;
		double step = largest_step(floors, length, &after);

		if (after == 0 || length - after < least_bins ||
		    step <= STEP_PART * (double)(floors[length - 1] - floors[0]))
			return onset;
		onset += after;
		*ret_skipped += step;
	}
}

static double highest(const float *floors, size_t length)
{
	float high = -INFINITY;

	for (size_t i = 0; i < length; i++)
		high = fmaxf(high, floors[i]);
	return (double)high;
}

/* The slope over the newest `span` bins, end to end. */
static double newest_pace(const struct view *view, size_t span)
{
	size_t last = view->length - 1, first = last - span;

	while (first > 0 && isnan(view->floors[first]))
		first--;
	return (double)(view->floors[last] - view->floors[first]) / (double)(last - first) /
	       seconds(view->width);
}

static double usual_swing(const struct view *view, size_t onset)
{
	float swings[GM_LEAK_BINS];
	size_t count = 0;

	for (size_t age = 0; age < view->length - onset; age++) {
		const struct gm_leak_bin *bin = gm_leak_bin(view->scale, age);

		if (!isnan(bin->floor))
			swings[count++] = bin->peak - bin->floor;
	}
	return count ? gm_trend_median(swings, count) : 0;
}

static double largest_spike(const struct view *view, size_t onset, const struct gm_trend *line)
{
	double largest = 0;

	for (size_t age = 0; age < view->length - onset; age++) {
		double peak = (double)gm_leak_bin(view->scale, age)->peak;

		if (!isnan(peak))
			largest = fmax(largest, peak - line->end + line->slope * (double)age);
	}
	return largest;
}

/* A height that the series held before, and for how long. */
struct held {
	float height;
	double seconds;
};

enum { HELD_MAX = GM_LEAK_SCALES * GM_LEAK_BINS };

/* What floors of `scale` reached within a bin of scale `at`, as far as it is known. */
static float height_of(const struct gm_leak_bin *bin, size_t at, size_t scale)
{
	if (at == scale)
		return bin->floor;
	return scale <= SHORT_SCALE ? bin->ridge : bin->crest;
}

/*
 * The past before `until`: this scale's floors, and where they do not reach, the crests of the coarser
 * scales. Returns how many; the seconds they span in `ret_past`.
 */
static size_t collect_past(const struct gm_leak_bins *bins, size_t scale, int64_t until,
			   struct held *list, double *ret_past)
{
	int64_t known_from = until;
	size_t count = 0;

	for (size_t i = scale; i < GM_LEAK_SCALES; i++) {
		const struct gm_leak_scale *ring = &bins->scales[i];
		int64_t oldest = known_from;

		for (size_t age = 0; age < ring->count; age++) {
			const struct gm_leak_bin *bin = gm_leak_bin(ring, age);
			int64_t end = (ring->open - (int64_t)age) * gm_leak_widths[i];

			if (end > known_from || isnan(bin->floor))
				continue;
			list[count].height = height_of(bin, i, scale);
			list[count++].seconds = seconds(gm_leak_widths[i]);
			oldest = end - gm_leak_widths[i];
		}
		known_from = oldest;
	}
	*ret_past = seconds(until - known_from);
	return count;
}

/* The height that was exceeded for a part SPIKES of the past; -INFINITY without one. Eats the list. */
static double usual_height(struct held *list, size_t count)
{
	double height = -INFINITY, skip = 0;

	for (size_t i = 0; i < count; i++)
		skip += SPIKES * list[i].seconds;
	while (count > 0 && skip >= 0) {
		size_t highest = 0;

		for (size_t i = 1; i < count; i++) {
			if (list[i].height > list[highest].height)
				highest = i;
		}
		height = (double)list[highest].height;
		skip -= list[highest].seconds;
		list[highest] = list[--count];
	}
	return height;
}

/*
 * Leaves out a height that was held once, and not for long: an allocation that was given back. What came
 * twice may come again. Returns how many remain.
 */
static size_t skip_episode(struct held *list, size_t count, double base, double past)
{
	struct held copy[HELD_MAX];
	double above = 0, middle;
	size_t runs = 0, kept = 0;

	memcpy(copy, list, count * sizeof(*list));
	middle = (base + usual_height(copy, count)) / 2;
	if (!(middle > base))
		return count;
	for (size_t i = 0; i < count; i++) {
		if ((double)list[i].height <= middle)
			continue;
		runs += i == 0 || (double)list[i - 1].height <= middle;
		above += list[i].seconds;
	}
	if (runs != 1 || above > EPISODE_PART * past)
		return count;
	for (size_t i = 0; i < count; i++) {
		if ((double)list[i].height <= middle)
			list[kept++] = list[i];
	}
	return kept;
}

/* How often the series rose above `height` and came back below it. */
static size_t count_comings(const struct held *list, size_t count, double height)
{
	size_t comings = 0;

	for (size_t i = 0; i < count; i++)
		comings += (double)list[i].height > height &&
			   (i == 0 || (double)list[i - 1].height <= height);
	return comings;
}

static double highest_held(const struct held *list, size_t count)
{
	double high = -INFINITY;

	for (size_t i = 0; i < count; i++)
		high = fmax(high, (double)list[i].height);
	return high;
}

/* The crest of the finest bin, from `scale` on, that holds `time`; NaN when it is not known. */
static double crest_at(const struct gm_leak_bins *bins, size_t scale, int64_t time)
{
	for (size_t i = scale; i < GM_LEAK_SCALES; i++) {
		const struct gm_leak_scale *ring = &bins->scales[i];
		int64_t age = ring->open - 1 - time / gm_leak_widths[i];

		if (age >= 0 && age < ring->count)
			return (double)gm_leak_bin(ring, (size_t)age)->crest;
	}
	return NAN;
}

/* The largest rise between the same times of day on the days before, as far as they are known. */
static double largest_daily_rise(const struct gm_leak_bins *bins, size_t scale, int64_t onset,
				 int64_t end)
{
	double largest = 0;

	for (int64_t back = DAY; back <= DAYS_BACK * DAY; back += DAY) {
		double rise =
			crest_at(bins, scale, end - 1 - back) - crest_at(bins, scale, onset - back);

		if (rise > largest)
			largest = rise;
	}
	return largest;
}

static bool fit_line(const struct view *view, size_t onset, struct gm_trend *ret_trend)
{
	size_t length = view->length - onset;

	return length >= LINE_MIN && gm_trend_fit(view->floors + onset, length, ret_trend) == 0 &&
	       ret_trend->slope > 0;
}

/* Student's quantile, near enough for the lengths that occur. */
static double ninety(size_t count)
{
	return NINETY * (1 + 1.1 / ((double)count - 2));
}

static void set_interval(struct gm_leak_growth *growth, const struct gm_trend *line, double width)
{
	double doubt = PACE_CHANGES * ninety(line->count) * line->error / width;

	growth->slope_low = growth->slope - doubt;
	growth->slope_high = growth->slope + doubt;
}

static void set_line(struct gm_leak_growth *growth, const struct view *view, size_t onset,
		     const struct gm_trend *line)
{
	growth->end = view_time(view, view->length);
	growth->slope = line->slope / seconds(view->width);
	growth->rise = line->slope * (double)(view->length - onset - 1);
	growth->level = line->end;
	growth->scatter = line->scatter;
	growth->span = seconds(growth->end - view_time(view, onset));
	growth->swing = usual_swing(view, onset);
	growth->spike = largest_spike(view, onset, line);
	set_interval(growth, line, seconds(view->width));
}

static void measure_shape(const struct view *view, size_t onset, const struct gm_trend *line,
			  struct gm_leak_growth *growth)
{
	size_t newest = growth->bins / 5 > NEWEST_MIN ? growth->bins / 5 : NEWEST_MIN;
	size_t after;

	growth->order = line->order;
	growth->z = line->z;
	growth->pace = newest_pace(view, newest);
	growth->top = fmin(line->end, highest(view->floors + view->length - TOP_BINS, TOP_BINS));
	growth->step = largest_step(view->floors + onset, growth->bins, &after);
	if (growth->step > STEP_PART * growth->rise)
		growth->lift += growth->step;
}

bool gm_leak_growth_find(const struct gm_leak_bins *bins, size_t scale, size_t least_bins,
			 double least_rise, struct gm_leak_growth *ret_growth)
{
	struct gm_leak_growth growth = {.scale = scale};
	struct gm_trend line, late;
	struct view view;
	size_t onset;

	view_init(&view, bins, scale);
	if (view.length < least_bins)
		return false;
	onset = find_onset(&view);
	if (view.length - onset < least_bins ||
	    (double)(view.floors[view.length - 1] - view.floors[onset]) < least_rise)
		return false;

	onset = skip_steps(&view, onset, least_bins, &growth.lift);
	growth.onset = view_time(&view, onset);
	growth.bins = view.length - onset;
	if (!is_filled(view.floors + onset, growth.bins) || !fit_line(&view, onset, &line) ||
	    !fit_line(&view, view.length - growth.bins / 2, &late))
		return false;
	set_line(&growth, &view, onset, &line);
	growth.late = late.slope / seconds(view.width);
	measure_shape(&view, onset, &line, &growth);
	*ret_growth = growth;
	return true;
}

void gm_leak_growth_past(const struct gm_leak_bins *bins, struct gm_leak_growth *growth)
{
	struct held past[HELD_MAX];
	size_t count = collect_past(bins, growth->scale, growth->onset, past, &growth->past);
	double base = growth->level - growth->rise;
	size_t comings = count_comings(past, count, base + growth->rise / 2);

	if (growth->scale <= SHORT_SCALE)
		count = skip_episode(past, count, base, growth->past);
	if (comings >= COMINGS && growth->scale <= SHORT_SCALE)
		growth->high = highest_held(past, count);
	else
		growth->high = usual_height(past, count);
	growth->daily = largest_daily_rise(bins, growth->scale, growth->onset, growth->end);
}

bool gm_leak_growth_follow(const struct gm_leak_bins *bins, size_t scale,
			   struct gm_leak_growth *growth)
{
	struct gm_trend line;
	struct view view;
	int64_t first;
	size_t onset = 0;

	view_init(&view, bins, scale);
	first = view_time(&view, 0);
	if (growth->onset > first)
		onset = (size_t)((growth->onset - first) / view.width);
	if (onset >= view.length || !fit_line(&view, onset, &line))
		return false;
	set_line(growth, &view, onset, &line);
	return true;
}

/* Also what no judgement needs again: a restored growth is the one that was saved. */
void gm_leak_growth_exchange(struct gm_archive *archive, struct gm_leak_growth *growth)
{
	double *const numbers[] = {
		&growth->slope,   &growth->rise,      &growth->level,      &growth->late,
		&growth->scatter, &growth->slope_low, &growth->slope_high, &growth->span,
		&growth->pace,    &growth->top,       &growth->swing,      &growth->step,
		&growth->order,   &growth->z,         &growth->spike,      &growth->daily,
		&growth->past,    &growth->lift,
	};

	gm_archive_size(archive, &growth->scale, GM_LEAK_SCALES - 1);
	gm_archive_int(archive, &growth->onset, 0, TIME_MAX);
	gm_archive_int(archive, &growth->end, 0, TIME_MAX);
	gm_archive_size(archive, &growth->bins, GM_LEAK_BINS);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		gm_archive_number(archive, numbers[i]);
	gm_archive_any_number(archive, &growth->high); /* -INFINITY without a past */
	if (!(growth->slope > 0) || growth->end < growth->onset)
		archive->failed = true;
}
