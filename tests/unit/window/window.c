/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The windows: what becomes of counters and gauges, what is kept, and within which bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "window/window.h"

#define START (1700000000 * GM_SECOND)
#define TICK  (100 * GM_MILLISECOND)

enum { SEEN_MAX = 4096 };

struct seen {
	size_t count;
	struct gm_point points[SEEN_MAX];
};

struct fixture {
	struct gm_window *window;
	struct seen seen;
};

static void on_point(void *user, const struct gm_point *point)
{
	struct seen *seen = user;
	assert_true(seen->count < SEEN_MAX);
	seen->points[seen->count++] = *point;
}

static struct fixture set_up(size_t samples, int64_t length)
{
	const struct gm_window_options options = {.samples = samples, .length = length};
	struct fixture fixture = {0};
	assert_int_equal(gm_window_create(&options, &fixture.window), 0);
	return fixture;
}

static int append(struct fixture *fixture, int64_t time, unsigned flags,
		  const struct gm_reading *readings, size_t count)
{
	const struct gm_frame frame = {
		.measured_at = time,
		.read_at = time,
		.flags = (uint16_t)flags,
		.count = (uint16_t)count,
	};
	return gm_window_append(fixture->window, &frame, readings, on_point, &fixture->seen);
}

static void counter(struct fixture *fixture, int64_t time, unsigned flags, uint64_t value)
{
	const struct gm_reading reading = {.metric = GM_METRIC_NET_RX_BYTES,
					   .value.counter = value};
	assert_int_equal(append(fixture, time, flags, &reading, 1), 0);
}

static void gauge(struct fixture *fixture, int64_t time, double value)
{
	const struct gm_reading reading = {.metric = GM_METRIC_MEMORY_USED, .value.gauge = value};
	assert_int_equal(append(fixture, time, 0, &reading, 1), 0);
}

static const struct gm_point *last_point(const struct fixture *fixture)
{
	assert_true(fixture->seen.count > 0);
	return &fixture->seen.points[fixture->seen.count - 1];
}

static void counters_become_increases(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	counter(&f, START, 0, 1000);
	assert_int_equal(f.seen.count, 0);
	counter(&f, START + TICK, 0, 1500);
	counter(&f, START + TICK + 130 * GM_MILLISECOND, 0, 1500);
	assert_int_equal(f.seen.count, 2);
	assert_float_equal(f.seen.points[0].value, 500, 0);
	assert_int_equal(f.seen.points[0].span, TICK);
	assert_int_equal(f.seen.points[0].time, START + TICK);
	assert_false(f.seen.points[0].gap);
	assert_float_equal(f.seen.points[1].value, 0, 0);
	assert_int_equal(f.seen.points[1].span, 130 * GM_MILLISECOND);
	gm_window_free(f.window);
}

static void gauges_pass(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	gauge(&f, START, 12.5);
	assert_int_equal(f.seen.count, 1);
	assert_float_equal(f.seen.points[0].value, 12.5, 0);
	assert_int_equal(f.seen.points[0].span, 0);
	gauge(&f, START + TICK, NAN);
	gauge(&f, START + TICK, INFINITY);
	assert_int_equal(f.seen.count, 1);
	assert_int_equal(gm_window_dropped(f.window), 2);
	gm_window_free(f.window);
}

static void a_reset_gives_no_increase(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	counter(&f, START, 0, UINT64_C(5000000000));
	counter(&f, START + TICK, 0, UINT64_C(5000001000));
	counter(&f, START + 2 * TICK, 0, 40);
	assert_int_equal(f.seen.count, 1);
	counter(&f, START + 3 * TICK, 0, 90);
	counter(&f, START + 4 * TICK, 0, 91);
	assert_int_equal(f.seen.count, 3);
	assert_float_equal(f.seen.points[1].value, 50, 0);
	assert_true(f.seen.points[1].gap);
	assert_false(f.seen.points[2].gap);
	gm_window_free(f.window);
}

static void a_wrap_at_32_bits_goes_on(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	counter(&f, START, 0, UINT64_C(0xFFFFF000));
	counter(&f, START + TICK, 0, UINT64_C(0xFFFFFF00));
	counter(&f, START + 2 * TICK, 0, 0x100);
	assert_int_equal(f.seen.count, 2);
	assert_float_equal(last_point(&f)->value, 0x200, 0);
	assert_false(last_point(&f)->gap);

	/* From the middle of the range it is a reset. */
	counter(&f, START + 3 * TICK, 0, UINT64_C(0x80000000));
	counter(&f, START + 4 * TICK, 0, 7);
	assert_int_equal(f.seen.count, 3);
	gm_window_free(f.window);
}

static void a_wrap_faster_than_ever_is_a_reset(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	for (unsigned i = 0; i < 10; i++)
		counter(&f, START + i * TICK, 0, UINT64_C(0xD0000000) + i * 1000);
	assert_int_equal(f.seen.count, 9);
	/* 0x30000000 bytes in a tick, after 1000 in each: the device was made anew. */
	counter(&f, START + 10 * TICK, 0, 10);
	assert_int_equal(f.seen.count, 9);
	counter(&f, START + 11 * TICK, 0, 1010);
	assert_float_equal(last_point(&f)->value, 1000, 0);
	assert_true(last_point(&f)->gap);
	gm_window_free(f.window);
}

static void missing_samples_are_a_gap(void **state)
{
	(void)state;
	struct fixture f = set_up(1000, 3600 * GM_SECOND);
	int64_t time = START;
	for (unsigned i = 0; i < 20; i++, time += TICK)
		counter(&f, time, 0, i * 10);
	time += 2 * TICK; /* two missing: three intervals, not more */
	counter(&f, time, 0, 1000);
	assert_false(last_point(&f)->gap);
	time += 5 * TICK;
	counter(&f, time, 0, 2000);
	assert_true(last_point(&f)->gap);
	assert_float_equal(last_point(&f)->value, 1000, 0);
	assert_int_equal(last_point(&f)->span, 5 * TICK);
	time += TICK;
	counter(&f, time, 0, 2001);
	assert_false(last_point(&f)->gap);

	/* A new cadence is learned: it does not stay a gap for ever. */
	for (unsigned i = 0; i < 100; i++) {
		time += 10 * TICK;
		counter(&f, time, 0, 3000 + i);
	}
	assert_false(last_point(&f)->gap);
	gm_window_free(f.window);
}

static void older_samples_are_dropped(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	counter(&f, START, 0, 100);
	counter(&f, START + TICK, 0, 200);
	counter(&f, START + TICK, 0, 250);
	counter(&f, START + TICK / 2, 0, 150);
	counter(&f, START + TICK - GM_SECOND, 0, 90);
	assert_int_equal(f.seen.count, 1);
	assert_int_equal(gm_window_dropped(f.window), 3);
	assert_int_equal(gm_window_count(f.window, GM_METRIC_NET_RX_BYTES), 2);
	counter(&f, START + 2 * TICK, 0, 300);
	assert_float_equal(last_point(&f)->value, 100, 0);
	gm_window_free(f.window);
}

static void a_clock_set_back_starts_anew(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 60 * GM_SECOND);
	for (unsigned i = 0; i < 10; i++)
		counter(&f, START + i * TICK, 0, i * 100);
	int64_t earlier = START - 3600 * GM_SECOND;
	counter(&f, earlier, 0, 1000);
	assert_int_equal(f.seen.count, 9);
	assert_int_equal(gm_window_count(f.window, GM_METRIC_NET_RX_BYTES), 1);
	counter(&f, earlier + TICK, 0, 1100);
	assert_int_equal(f.seen.count, 10);
	assert_true(last_point(&f)->gap);
	assert_float_equal(last_point(&f)->value, 100, 0);
	struct gm_window_sample samples[4];
	assert_int_equal(gm_window_read(f.window, GM_METRIC_NET_RX_BYTES, 0, samples, 4), 2);
	assert_int_equal(samples[0].time, earlier);
	gm_window_free(f.window);
}

/* A steady rate on a clock that is set within a second, or two, of the interval: no point tells another. */
static void a_counter_keeps_its_rate_over_a_step_of_the_clock(void **state)
{
	static const int64_t steps[] = {-1900, -1100, 1100, 1500, 60000}; /* ms */
	(void)state;
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		struct fixture f = set_up(100, 3600 * GM_SECOND);
		struct gm_last last;
		int64_t passed = 0, step = 0;
		size_t gaps = 0;
		for (int i = 0; i < 20; i++, passed += 2 * GM_SECOND) {
			if (i == 10) {
				step = steps[s] * GM_MILLISECOND;
				gm_window_stepped(f.window);
			}
			counter(&f, START + passed + step, 0, 1000 + 200 * (uint64_t)i);
			assert_int_equal(gm_window_last(f.window, &last, 1), 1);
			if (last.has_rate)
				assert_float_equal(last.rate, 100, 1e-6);
		}
		for (size_t i = 0; i < f.seen.count; i++) {
			gaps += f.seen.points[i].gap;
			assert_int_equal(f.seen.points[i].span, 2 * GM_SECOND);
			assert_float_equal(f.seen.points[i].value, 200, 0);
		}
		assert_int_equal(f.seen.count, 18);
		assert_int_equal(gaps, 1);
		assert_true(last.has_rate);
		gm_window_free(f.window);
	}
}

/* Where it is behind its last sample yet, it waits for its time: what is kept stays in order. */
static void a_counter_behind_a_step_of_the_clock_waits(void **state)
{
	struct gm_window_sample samples[20];
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	for (int i = 0; i < 10; i++)
		counter(&f, START + i * GM_SECOND, 0, 100 * (uint64_t)i);
	gm_window_stepped(f.window);
	for (int i = 10; i < 20; i++)
		counter(&f, START + i * GM_SECOND - 1900 * GM_MILLISECOND, 0, 100 * (uint64_t)i);
	size_t count = gm_window_read(f.window, GM_METRIC_NET_RX_BYTES, 0, samples, 20);
	assert_int_equal(count, 19);
	for (size_t i = 1; i < count; i++)
		assert_true(samples[i].time > samples[i - 1].time);
	for (size_t i = 0; i < f.seen.count; i++)
		assert_float_equal(f.seen.points[i].value, 100, 0);
	assert_int_equal(f.seen.count, 9 + 8);
	assert_true(f.seen.points[9].gap);
	gm_window_free(f.window);
}

static void a_counter_on_a_clock_set_back_a_little_makes_no_burst(void **state)
{
	(void)state;
	struct fixture fixture = set_up(100, 60 * GM_SECOND);
	uint64_t value = 0;
	for (int i = 0; i < 10; i++)
		counter(&fixture, START + i * TICK, 0, value += 1000);
	size_t before = fixture.seen.count;
	/* Half a second back: five ticks are older than what is there, or as old. */
	for (int i = 5; i < 10; i++)
		counter(&fixture, START + i * TICK - TICK / 2, 0, value += 1000);
	assert_int_equal(fixture.seen.count, before);
	counter(&fixture, START + 10 * TICK - TICK / 2, 0, value += 1000);
	assert_int_equal(fixture.seen.count, before + 1);
	assert_true(last_point(&fixture)->gap);
	assert_float_equal(last_point(&fixture)->value, 1000, 0);
	counter(&fixture, START + 11 * TICK - TICK / 2, 0, value += 1000);
	assert_false(last_point(&fixture)->gap);
	gm_window_free(fixture.window);
}

static void fine_frames_are_not_kept(void **state)
{
	(void)state;
	struct fixture f = set_up(100, 3600 * GM_SECOND);
	const int64_t fine = 10 * GM_MILLISECOND;
	counter(&f, START, 0, 0);
	for (unsigned i = 1; i <= 10; i++)
		counter(&f, START + i * fine, GM_FRAME_FINE, i * 7);
	/* The fold's own frame, of the same reading as the last tick. */
	counter(&f, START + 10 * fine, 0, 70);
	assert_int_equal(f.seen.count, 10);
	assert_int_equal(gm_window_dropped(f.window), 0);
	assert_int_equal(gm_window_count(f.window, GM_METRIC_NET_RX_BYTES), 2);
	struct gm_last last;
	assert_int_equal(gm_window_last(f.window, &last, 1), 1);
	assert_true(last.has_rate);
	assert_float_equal(last.rate, 700, 1e-9);

	/* A run of ticks left out is no gap as long as the folds come. */
	counter(&f, START + 19 * fine, GM_FRAME_FINE, 70);
	assert_int_equal(last_point(&f)->span, 9 * fine);
	assert_false(last_point(&f)->gap);
	counter(&f, START + 20 * fine, 0, 90);
	assert_float_equal(last_point(&f)->value, 20, 0);
	assert_int_equal(last_point(&f)->span, fine);
	assert_int_equal(gm_window_count(f.window, GM_METRIC_NET_RX_BYTES), 3);

	/* The same kept frame twice is one too many. */
	counter(&f, START + 20 * fine, 0, 90);
	assert_int_equal(gm_window_dropped(f.window), 1);
	assert_int_equal(gm_window_count(f.window, GM_METRIC_NET_RX_BYTES), 3);
	gm_window_free(f.window);
}

static void rings_are_bounded(void **state)
{
	(void)state;
	struct fixture f = set_up(50, 3600 * GM_SECOND);
	size_t empty = gm_window_bytes(f.window);
	gauge(&f, START, 0);
	size_t few = gm_window_bytes(f.window);
	assert_true(few > empty);
	assert_true(few < empty + 100 * sizeof(struct gm_window_sample));
	size_t full = 0;
	for (unsigned i = 1; i < 1000; i++) {
		gauge(&f, START + i * TICK, i);
		if (i == 60)
			full = gm_window_bytes(f.window);
	}
	assert_int_equal(gm_window_bytes(f.window), full);
	assert_int_equal(full - few, (50 - 16) * sizeof(struct gm_window_sample));
	assert_int_equal(gm_window_count(f.window, GM_METRIC_MEMORY_USED), 50);
	struct gm_window_sample samples[60];
	assert_int_equal(gm_window_read(f.window, GM_METRIC_MEMORY_USED, 0, samples, 60), 50);
	for (unsigned i = 0; i < 50; i++)
		assert_float_equal(samples[i].value.gauge, 950 + i, 0);
	assert_int_equal(
		gm_window_read(f.window, GM_METRIC_MEMORY_USED, START + 990 * TICK, samples, 60),
		10);
	assert_int_equal(gm_window_read(f.window, GM_METRIC_MEMORY_USED, 0, samples, 3), 3);
	assert_float_equal(samples[2].value.gauge, 952, 0);
	gm_window_free(f.window);
}

static void old_samples_are_not_shown(void **state)
{
	(void)state;
	struct fixture f = set_up(1000, 5 * GM_SECOND);
	counter(&f, START, 0, 1);
	for (unsigned i = 0; i < 100; i++)
		gauge(&f, START + i * TICK, i);
	/* 51 of the gauge's lie within 5 s of the newest; the counter's only one does not. */
	assert_int_equal(gm_window_count(f.window, GM_METRIC_MEMORY_USED), 51);
	assert_int_equal(gm_window_count(f.window, GM_METRIC_NET_RX_BYTES), 0);
	struct gm_last items[4];
	assert_int_equal(gm_window_last(f.window, items, 4), 1);
	assert_int_equal(items[0].metric, GM_METRIC_MEMORY_USED);
	gm_window_free(f.window);
}

static void last_values_are_sorted(void **state)
{
	(void)state;
	struct fixture f = set_up(10, 3600 * GM_SECOND);
	const struct gm_reading readings[] = {
		{.metric = GM_METRIC_EXTRA + 3, .value.gauge = 3},
		{.metric = GM_METRIC_NET_TX_BYTES, .value.counter = 10},
		{.metric = GM_METRIC_MEMORY_USED, .value.gauge = 1},
	};
	assert_int_equal(append(&f, START, 0, readings, 3), 0);
	struct gm_last items[4];
	assert_int_equal(gm_window_last(f.window, items, 4), 3);
	assert_int_equal(items[0].metric, GM_METRIC_MEMORY_USED);
	assert_int_equal(items[1].metric, GM_METRIC_NET_TX_BYTES);
	assert_false(items[1].has_rate);
	assert_int_equal(items[2].metric, GM_METRIC_EXTRA + 3);
	assert_int_equal(items[2].measured_at, START);
	assert_int_equal(gm_window_last(f.window, items, 2), 2);
	gm_window_free(f.window);
}

struct frames {
	size_t count;
	int64_t times[8];
	size_t sizes[8];
	uint32_t first[8];
};

static void on_frame(void *user, int64_t time, const struct gm_reading *readings, size_t count)
{
	struct frames *frames = user;
	assert_true(frames->count < 8);
	frames->times[frames->count] = time;
	frames->sizes[frames->count] = count;
	frames->first[frames->count++] = readings[0].metric;
}

static void frames_come_again(void **state)
{
	(void)state;
	struct fixture f = set_up(10, 3600 * GM_SECOND);
	const struct gm_reading both[] = {
		{.metric = GM_METRIC_MEMORY_USED, .value.gauge = 1},
		{.metric = GM_METRIC_NET_RX_BYTES, .value.counter = 10},
	};
	assert_int_equal(append(&f, START, 0, both, 2), 0);
	gauge(&f, START + TICK, 2);
	counter(&f, START + 2 * TICK, 0, 20);
	assert_int_equal(append(&f, START + 3 * TICK, 0, both, 1), 0);
	struct frames frames = {0};
	gm_window_frames(f.window, START - 1, on_frame, &frames);
	assert_int_equal(frames.count, 4);
	assert_int_equal(frames.sizes[0], 2);
	assert_int_equal(frames.times[1], START + TICK);
	assert_int_equal(frames.first[2], GM_METRIC_NET_RX_BYTES);
	assert_int_equal(frames.sizes[3], 1);

	frames = (struct frames){0};
	gm_window_frames(f.window, START + TICK, on_frame, &frames);
	assert_int_equal(frames.count, 2);
	assert_int_equal(frames.times[0], START + 2 * TICK);

	struct fixture none = set_up(10, GM_SECOND);
	frames = (struct frames){0};
	gm_window_frames(none.window, 0, on_frame, &frames);
	assert_int_equal(frames.count, 0);
	gm_window_free(none.window);
	gm_window_free(f.window);
}

static void bad_options_are_refused(void **state)
{
	(void)state;
	static const struct gm_window_options bad[] = {
		{.samples = 0, .length = GM_SECOND},
		{.samples = SIZE_MAX, .length = GM_SECOND},
		{.samples = 10, .length = 0},
		{.samples = 10, .length = INT64_MAX},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct gm_window *window = NULL;
		assert_int_equal(gm_window_create(&bad[i], &window), -EINVAL);
		assert_null(window);
	}
	gm_window_free(NULL);
}

/* ---- against the plain way to keep samples: a list per metric ---- */

enum { PLAIN_METRICS = 6, PLAIN_FRAMES = 300, PLAIN_SAMPLES = 40 };

static const unsigned plain_metrics[PLAIN_METRICS] = {
	GM_METRIC_MEMORY_USED,     GM_METRIC_MEMORY_TOTAL,    GM_METRIC_MEMORY_AVAILABLE,
	GM_METRIC_MEMORY_RESIDENT, GM_METRIC_PROCESS_THREADS, GM_METRIC_MEMORY_MAXIMUM};

struct plain {
	size_t count;
	struct gm_window_sample samples[PLAIN_FRAMES];
};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/*
 * What is shown is what the list has: none that is older than the window, at most as many as it may keep. Those
 * that go away with others of their track may be one less than that.
 */
static void check_plain(const struct gm_window *window, unsigned metric, const struct plain *plain,
			int64_t newest, int64_t length)
{
	struct gm_window_sample samples[PLAIN_SAMPLES];
	size_t count = gm_window_read(window, metric, INT64_MIN, samples, PLAIN_SAMPLES);
	size_t first = plain->count;

	while (first > 0 && plain->count - first < PLAIN_SAMPLES &&
	       plain->samples[first - 1].time >= newest - length)
		first--;
	assert_int_equal(gm_window_count(window, metric), count);
	assert_in_range(count, plain->count - first - (count < plain->count - first),
			plain->count - first);
	for (size_t i = 0; i < count; i++) {
		const struct gm_window_sample *meant = &plain->samples[plain->count - count + i];
		assert_int_equal(samples[i].time, meant->time);
		assert_float_equal(samples[i].value.gauge, meant->value.gauge, 0);
	}
}

/* Frames of any of the metrics, so that they are kept together, part, and age. */
static void keeps_what_a_plain_list_keeps(void **state)
{
	static struct plain plain[PLAIN_METRICS];
	const int64_t length = 30 * TICK;
	(void)state;

	for (uint32_t round = 1; round <= 20; round++) {
		uint32_t seed = round;
		int64_t time = START;
		struct fixture f = set_up(PLAIN_SAMPLES, length);
		memset(plain, 0, sizeof(plain));
		for (unsigned i = 0; i < PLAIN_FRAMES; i++) {
			struct gm_reading readings[PLAIN_METRICS];
			size_t count = 0;
			unsigned often = 1 + round % 8; /* how seldom one is missing */
			time += TICK * (next_random(&seed) % 20 == 0 ? 25 : 1);
			for (size_t m = 0; m < PLAIN_METRICS; m++) {
				struct gm_reading reading = {.metric = (uint16_t)plain_metrics[m],
							     .value.gauge = i + (double)m / 8};
				if (next_random(&seed) % (often + m) == 0)
					continue;
				readings[count++] = reading;
				plain[m].samples[plain[m].count++] =
					(struct gm_window_sample){time, reading.value};
			}
			if (count == 0)
				continue;
			f.seen.count = 0;
			assert_int_equal(append(&f, time, 0, readings, count), 0);
			for (size_t m = 0; m < PLAIN_METRICS; m++)
				check_plain(f.window, plain_metrics[m], &plain[m], time, length);
		}
		gm_window_free(f.window);
	}
}

/* Values that come together share their times: that is most of what a node's windows take. */
static void what_comes_together_shares_its_times(void **state)
{
	(void)state;
	struct fixture f = set_up(600, 3600 * GM_SECOND);
	for (unsigned i = 0; i < 600; i++) {
		struct gm_reading readings[PLAIN_METRICS];
		for (size_t m = 0; m < PLAIN_METRICS; m++)
			readings[m] = (struct gm_reading){.metric = (uint16_t)plain_metrics[m],
							  .value.gauge = i};
		f.seen.count = 0;
		append(&f, START + i * TICK, 0, readings, PLAIN_METRICS);
	}
	assert_in_range(gm_window_bytes(f.window), 600 * 8 * (PLAIN_METRICS + 1),
			600 * 8 * (PLAIN_METRICS + 1) + 4096);
	gm_window_free(f.window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_become_increases),
		cmocka_unit_test(gauges_pass),
		cmocka_unit_test(a_reset_gives_no_increase),
		cmocka_unit_test(a_wrap_at_32_bits_goes_on),
		cmocka_unit_test(a_wrap_faster_than_ever_is_a_reset),
		cmocka_unit_test(missing_samples_are_a_gap),
		cmocka_unit_test(older_samples_are_dropped),
		cmocka_unit_test(a_clock_set_back_starts_anew),
		cmocka_unit_test(a_counter_keeps_its_rate_over_a_step_of_the_clock),
		cmocka_unit_test(a_counter_behind_a_step_of_the_clock_waits),
		cmocka_unit_test(a_counter_on_a_clock_set_back_a_little_makes_no_burst),
		cmocka_unit_test(fine_frames_are_not_kept),
		cmocka_unit_test(rings_are_bounded),
		cmocka_unit_test(old_samples_are_not_shown),
		cmocka_unit_test(last_values_are_sorted),
		cmocka_unit_test(frames_come_again),
		cmocka_unit_test(keeps_what_a_plain_list_keeps),
		cmocka_unit_test(what_comes_together_shares_its_times),
		cmocka_unit_test(bad_options_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
