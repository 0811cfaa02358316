/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The windows of one entity: a series per metric, and the conversion of counters to increases that
 * every detector relies on. It knows no detector and no store; the pipeline and replay call it.
 *
 * The series are an array sorted by metric, which moves when there are more: an entity has a few dozen at most, and a frame's
 * readings come in about that order. What is kept of them lies in tracks (track.h): those that began in one
 * frame share one for as long as they are kept together.
 */
#include "window/window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "window/track.h"

/* A span so many times longer than the usual one between kept samples is a gap. */
#define GAP_FACTOR 3

/* What a wrap may be faster than anything before it. */
#define WRAP_FASTER 4.0

/* Keeps differences of times within 64 bits. */
#define LENGTH_MAX (INT64_MAX / 4)

struct series {
	uint32_t metric;
	enum gm_metric_kind kind;

	/* the last reading taken, kept or fine: what the next point is measured from */
	bool started;
	bool stepped; /* `time` is of a clock that was set since: nothing is measured from it */
	bool broken;  /* the next point is the first after a break */
	int64_t time;
	union gm_value value;
	double fastest; /* counters: highest increase per ns so far */
	int64_t usual;  /* ns between kept samples; 0: not known yet */

	/* kept samples: its column of `track`, or NULL: none */
	struct gm_track *track;
	uint32_t column;
	uint64_t pushes; /* moments of the track that it has: all, or all but the newest */
	struct gm_window_sample last; /* the newest of them */
	bool severed; /* its time is of a clock that was set since: no rate is measured from it */
	bool has_rate;
	double rate;
};

struct gm_window {
	struct gm_window_options options;
	struct series *series; /* by metric */
	size_t count, capacity;
	size_t next; /* where a frame's next reading belongs, when it is like the one before */
	struct gm_reading *readings; /* `capacity` of them, for gm_window_frames() */
	struct gm_track *newborn;    /* the track that was made last, or NULL */
	int64_t newest;              /* kept sample of any series */
	uint64_t dropped;
	size_t bytes;
};

int gm_window_create(const struct gm_window_options *options, struct gm_window **ret_window)
{
	if (options->samples == 0 ||
	    options->samples > SIZE_MAX / sizeof(struct gm_window_sample) || options->length <= 0 ||
	    options->length > LENGTH_MAX)
		return -EINVAL;
	struct gm_window *window = calloc(1, sizeof(*window));
	if (!window)
		return -ENOMEM;
	window->options = *options;
	window->newest = 0;
	window->bytes = sizeof(*window);
	*ret_window = window;
	return 0;
}

/* The series has no kept samples any more; the last one takes its track along. */
static void leave_track(struct gm_window *window, struct series *series)
{
	struct gm_track *track = series->track;

	series->track = NULL;
	if (!track)
		return;
	track->members--;
	if (series->pushes == track->pushes)
		track->current--;
	if (track->members > 0)
		return;
	if (window->newborn == track)
		window->newborn = NULL;
	window->bytes -= gm_track_bytes(track);
	gm_track_free(track);
}

void gm_window_free(struct gm_window *window)
{
	if (!window)
		return;
	for (size_t i = 0; i < window->count; i++) {
		leave_track(window, &window->series[i]);
	}
	free(window->series);
	free(window->readings);
	free(window);
}

/* Where `metric` is or belongs. */
static size_t series_place(const struct gm_window *window, uint32_t metric)
{
	size_t low = 0, high = window->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (window->series[middle].metric < metric)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct series *series_find(const struct gm_window *window, uint32_t metric)
{
	size_t place = series_place(window, metric);
	if (place < window->count && window->series[place].metric == metric)
		return &window->series[place];
	return NULL;
}

static bool make_room(struct gm_window *window)
{
	if (window->count < window->capacity)
		return true;
	size_t capacity = window->capacity ? window->capacity * 2 : 8;
	struct series *series = realloc(window->series, capacity * sizeof(*series));
	if (series)
		window->series = series;
	struct gm_reading *readings = realloc(window->readings, capacity * sizeof(*readings));
	if (readings)
		window->readings = readings;
	if (!series || !readings)
		return false;
	window->bytes += (capacity - window->capacity) * (sizeof(*series) + sizeof(*readings));
	window->capacity = capacity;
	return true;
}

static struct series *series_obtain(struct gm_window *window, uint32_t metric)
{
	size_t place = window->next;
	if (place >= window->count || window->series[place].metric != metric)
		place = series_place(window, metric);
	window->next = place + 1;
	if (place < window->count && window->series[place].metric == metric)
		return &window->series[place];
	if (!make_room(window))
		return NULL;
	struct series *series = &window->series[place];
	memmove(series + 1, series, (window->count - place) * sizeof(*series));
	*series = (struct series){.metric = metric, .kind = gm_metric_kind(metric)};
	window->count++;
	return series;
}

/* How many samples are kept. */
static size_t kept(const struct series *series)
{
	const struct gm_track *track = series->track;

	return track ? track->count - (size_t)(track->pushes - series->pushes) : 0;
}

/* The i-th of them, oldest first. */
static struct gm_window_sample sample_at(const struct series *series, size_t i)
{
	return (struct gm_window_sample){.time = gm_track_time(series->track, i),
					 .value =
						 *gm_track_value(series->track, series->column, i)};
}

static void enter_track(struct series *series, struct gm_track *track, uint32_t column)
{
	series->track = track;
	series->column = column;
	track->members++;
}

/* The first sample: the track that began at that moment is shared. */
static int find_track(struct gm_window *window, struct series *series, int64_t time)
{
	struct gm_track *track = window->newborn;

	if (!track || track->pushes != 1 || gm_track_time(track, 0) != time) {
		track = gm_track_create(window->options.samples);
		if (!track)
			return -ENOMEM;
		gm_track_push(track, time, INT64_MIN, window->options.samples);
		window->newborn = track;
		window->bytes += gm_track_bytes(track);
	}
	size_t before = gm_track_bytes(track);
	int column = gm_track_widen(track);
	if (column >= 0) {
		enter_track(series, track, (uint32_t)column);
		series->pushes = 0;
		window->bytes += gm_track_bytes(track) - before;
	} else if (track->members == 0) {
		window->newborn = NULL;
		window->bytes -= before;
		gm_track_free(track);
	}
	return column < 0 ? column : 0;
}

/* Goes on by itself with what it has; where there is no memory for it, with nothing. */
static int split_track(struct gm_window *window, struct series *series)
{
	struct gm_track *own = gm_track_split(series->track, series->column, kept(series));

	leave_track(window, series);
	if (!own)
		return -ENOMEM;
	window->bytes += gm_track_bytes(own);
	enter_track(series, own, 0);
	series->pushes = own->pushes;
	own->current = 1;
	return 0;
}

/* Those that have missed what is the newest moment yet. */
static int split_laggards(struct gm_window *window, const struct gm_track *track)
{
	int result = 0;

	for (size_t i = 0; i < window->count && track->current < track->members; i++) {
		struct series *series = &window->series[i];
		if (series->track == track && series->pushes != track->pushes &&
		    split_track(window, series) < 0)
			result = -ENOMEM;
	}
	return result;
}

/* Makes `time` the newest moment of the series' track; the series is to have it next. */
static int advance(struct gm_window *window, struct series *series, int64_t time)
{
	struct gm_track *track = series->track;
	int result = 0;

	if (series->pushes != track->pushes) {
		if (gm_track_time(track, track->count - 1) == time)
			return 0;
		if (split_track(window, series) < 0)
			return find_track(window, series, time);
		track = series->track;
	}
	result = split_laggards(window, track);
	size_t before = gm_track_bytes(track);
	if (gm_track_push(track, time, time - window->options.length, window->options.samples) < 0)
		result = -ENOMEM;
	window->bytes += gm_track_bytes(track) - before;
	return result;
}

static int push(struct gm_window *window, struct series *series, int64_t time, union gm_value value)
{
	int result =
		series->track ? advance(window, series, time) : find_track(window, series, time);
	struct gm_track *track = series->track;

	if (!track)
		return result;
	*gm_track_value(track, series->column, track->count - 1) = value;
	series->pushes = track->pushes;
	track->current++;
	series->last = (struct gm_window_sample){.time = time, .value = value};
	if (time > window->newest)
		window->newest = time;
	return result;
}

/*
 * The increase of a counter over `span` ns; false after a reset. A 32-bit counter that wraps
 * falls from the upper quarter of its range into the lower one. So does one that is restarted
 * when it stood that high: what would then have to be far faster than ever before is a reset.
 */
static bool increase(const struct series *series, uint64_t before, uint64_t after, int64_t span,
		     double *ret_increase)
{
	const uint64_t range = UINT64_C(1) << 32;
	if (after >= before) {
		*ret_increase = (double)(after - before);
		return true;
	}
	if (before >= range || before < range / 4 * 3 || after >= range / 4)
		return false;
	double wrapped = (double)(after + range - before);
	if (series->fastest > 0 && wrapped / (double)span > WRAP_FASTER * series->fastest)
		return false;
	*ret_increase = wrapped;
	return true;
}

static int keep(struct gm_window *window, struct series *series, int64_t time, union gm_value value)
{
	const struct gm_window_sample *last = &series->last;
	series->has_rate = false;
	if (series->track && !series->severed) {
		int64_t span = time - last->time;
		double grown;
		if (series->kind == GM_KIND_COUNTER &&
		    increase(series, last->value.counter, value.counter, span, &grown)) {
			series->rate = grown * (double)GM_SECOND / (double)span;
			series->has_rate = true;
		}
		/* Single gaps must not pass as usual: a longer interval counts for two at most. */
		if (series->usual == 0)
			series->usual = span;
		else
			series->usual += ((span < 2 * series->usual ? span : 2 * series->usual) -
					  series->usual) /
					 16;
	}
	series->severed = false;
	return push(window, series, time, value);
}

static void start_anew(struct gm_window *window, struct series *series)
{
	leave_track(window, series);
	series->started = series->stepped = series->severed = false;
	series->broken = true;
	series->has_rate = false;
	series->usual = 0;
}

void gm_window_stepped(struct gm_window *window)
{
	for (size_t i = 0; i < window->count; i++) {
		struct series *series = &window->series[i];
		series->severed = series->track != NULL;
		if (series->kind != GM_KIND_COUNTER)
			continue;
		series->stepped |= series->started;
		series->started = false;
		series->broken = true;
	}
}

/* Makes the point that `value` gives; false when it gives none (a first value, a reset). */
static bool make_point(struct series *series, int64_t time, union gm_value value,
		       struct gm_point *ret_point)
{
	struct gm_point point = {.metric = series->metric, .time = time, .gap = series->broken};
	if (series->started && series->usual && time - series->time > GAP_FACTOR * series->usual)
		point.gap = true;
	if (series->kind == GM_KIND_GAUGE) {
		point.value = value.gauge;
	} else {
		if (!series->started)
			return false;
		point.span = time - series->time;
		if (!increase(series, series->value.counter, value.counter, point.span,
			      &point.value)) {
			series->broken = true;
			return false;
		}
		series->fastest = fmax(series->fastest, point.value / (double)point.span);
	}
	series->broken = false;
	*ret_point = point;
	return true;
}

struct emitter {
	void (*emit)(void *user, const struct gm_point *point);
	void *user;
};

/*
 * A counter that went on although its time did not: the clock was set back a little. What it counts
 * until the time has caught up must not pass for the increase of the moment after.
 */
static void follow_counter(struct series *series, const struct gm_reading *reading, int64_t time)
{
	if (series->kind != GM_KIND_COUNTER || time == series->time ||
	    reading->value.counter <= series->value.counter)
		return;
	series->value = reading->value;
	series->broken = true;
}

/* Whether there was a reading that those after it must not be behind: also before a step of the clock. */
static bool has_time(const struct series *series)
{
	return series->started || series->stepped;
}

static int append_reading(struct gm_window *window, const struct gm_frame *frame,
			  const struct gm_reading *reading, const struct emitter *to)
{
	int64_t time = frame->measured_at;
	bool keeps = !(frame->flags & GM_FRAME_FINE);
	struct series *series = series_obtain(window, reading->metric);
	if (!series)
		return -ENOMEM;
	if (series->kind == GM_KIND_GAUGE && !isfinite(reading->value.gauge)) {
		window->dropped++;
		return 0;
	}
	if (has_time(series) && time < series->time - GM_CLOCK_SET_BACK)
		start_anew(window, series);
	if (has_time(series) && time <= series->time) {
		/*
		 * A fold's own frame repeats the reading of its last fine tick: keep it, tell no point.
		 */
		if (keeps && time == series->time && (!series->track || series->last.time < time))
			return keep(window, series, time, reading->value);
		follow_counter(series, reading, time);
		window->dropped++;
		return 0;
	}
	struct gm_point point;
	bool told = make_point(series, time, reading->value, &point);
	series->started = true;
	series->stepped = false;
	series->time = time;
	series->value = reading->value;
	int result = keeps ? keep(window, series, time, reading->value) : 0;
	if (told)
		to->emit(to->user, &point);
	return result;
}

int gm_window_append(struct gm_window *window, const struct gm_frame *frame,
		     const struct gm_reading *readings,
		     void (*emit)(void *user, const struct gm_point *point), void *user)
{
	const struct emitter to = {.emit = emit, .user = user};
	int result = 0;
	/* The clock was set back: what was newest is in the future now. */
	if (frame->count && frame->measured_at < window->newest - GM_CLOCK_SET_BACK)
		window->newest = frame->measured_at;
	for (size_t i = 0; i < frame->count; i++) {
		int outcome = append_reading(window, frame, &readings[i], &to);
		if (outcome < 0)
			result = outcome;
	}
	return result;
}

/* The place of the first kept sample that is at or after `since`, and not too old to be shown. */
static size_t first_since(const struct gm_window *window, const struct series *series,
			  int64_t since)
{
	int64_t oldest = window->newest - window->options.length;
	if (since < oldest)
		since = oldest;
	size_t low = 0, high = kept(series);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (gm_track_time(series->track, middle) < since)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t gm_window_read(const struct gm_window *window, unsigned metric, int64_t since,
		      struct gm_window_sample *samples, size_t max)
{
	const struct series *series = series_find(window, metric);
	if (!series)
		return 0;
	size_t written = 0;
	size_t count = kept(series);
	for (size_t i = first_since(window, series, since); i < count && written < max; i++)
		samples[written++] = sample_at(series, i);
	return written;
}

size_t gm_window_read_newest(const struct gm_window *window, unsigned metric,
			     struct gm_window_sample *samples, size_t max)
{
	const struct series *series = series_find(window, metric);
	if (!series)
		return 0;
	size_t first = first_since(window, series, INT64_MIN), count = kept(series), written = 0;
	if (count - first > max)
		first = count - max;
	for (size_t i = first; i < count; i++)
		samples[written++] = sample_at(series, i);
	return written;
}

size_t gm_window_count(const struct gm_window *window, unsigned metric)
{
	const struct series *series = series_find(window, metric);
	return series ? kept(series) - first_since(window, series, INT64_MIN) : 0;
}

size_t gm_window_last(const struct gm_window *window, struct gm_last *items, size_t max)
{
	size_t written = 0;
	for (size_t i = 0; i < window->count && written < max; i++) {
		const struct series *series = &window->series[i];
		const struct gm_window_sample *newest = &series->last;
		if (!series->track || newest->time < window->newest - window->options.length)
			continue;
		items[written++] = (struct gm_last){
			.metric = (uint16_t)series->metric,
			.has_rate = series->has_rate,
			.value = newest->value,
			.rate = series->has_rate ? series->rate : 0,
			.measured_at = newest->time,
		};
	}
	return written;
}

/* The earliest kept time after `after`, or INT64_MAX. */
static int64_t next_moment(const struct gm_window *window, int64_t after)
{
	int64_t moment = INT64_MAX;
	for (size_t i = 0; i < window->count; i++) {
		const struct series *series = &window->series[i];
		size_t place = first_since(window, series, after + 1);
		if (place < kept(series) && gm_track_time(series->track, place) < moment)
			moment = gm_track_time(series->track, place);
	}
	return moment;
}

void gm_window_frames(const struct gm_window *window, int64_t since,
		      void (*emit)(void *user, int64_t time, const struct gm_reading *readings,
				   size_t count),
		      void *user)
{
	for (int64_t time = next_moment(window, since); time != INT64_MAX;
	     time = next_moment(window, time)) {
		size_t count = 0;
		for (size_t i = 0; i < window->count; i++) {
			const struct series *series = &window->series[i];
			size_t place = first_since(window, series, time);
			if (place == kept(series) || gm_track_time(series->track, place) != time)
				continue;
			window->readings[count++] = (struct gm_reading){
				.metric = series->metric,
				.value = sample_at(series, place).value,
			};
		}
		emit(user, time, window->readings, count);
	}
}

uint64_t gm_window_dropped(const struct gm_window *window)
{
	return window->dropped;
}

size_t gm_window_bytes(const struct gm_window *window)
{
	return window->bytes;
}
