/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The highest rates of the last minute: against a reference that looks at every bin, through a window as
 * the daemon feeds it, and what gives no bin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "window/peaks.h"
#include "window/window.h"

#define START (1700000000 * GM_SECOND)
#define BIN   (100 * GM_MILLISECOND)

static struct gm_peaks *set_up(void)
{
	struct gm_peaks *peaks;
	assert_int_equal(gm_peaks_create(&peaks), 0);
	return peaks;
}

static void octets(struct gm_peaks *peaks, int64_t time, int64_t span, double value)
{
	const struct gm_point point = {
		.metric = GM_METRIC_NET_RX_BYTES, .time = time, .span = span, .value = value};
	gm_peaks_take(peaks, &point);
}

static struct gm_peak peak(const struct gm_peaks *peaks, enum gm_peak_kind kind, int64_t now)
{
	struct gm_peak all[GM_PEAK_KINDS];
	gm_peaks_read(peaks, now, all);
	return all[kind];
}

/* Two minutes of bins of any height; at every one the highest of the minute before, by looking at all. */
static void test_any_bins(void **state)
{
	enum { BINS = 1200 };
	static double rates[BINS];
	(void)state;
	struct gm_peaks *peaks = set_up();
	uint32_t random = 1;
	for (int i = 0; i < BINS; i++) {
		random = random * 1664525 + 1013904223;
		rates[i] = random >> 20;
		octets(peaks, START + i * BIN, BIN, rates[i] / 80);
		double highest = -1;
		for (int k = i < 599 ? 0 : i - 599; k <= i; k++)
			highest = rates[k] > highest ? rates[k] : highest;
		struct gm_peak seen = peak(peaks, GM_PEAK_RX, START + i * BIN);
		assert_true(seen.at > 0);
		assert_float_equal(seen.rate, highest, highest * 1e-9 + 1e-9);
		assert_float_equal(rates[(seen.at - START) / BIN], highest, 1e-9);
	}
	/* Nothing of the last minute is left, and the other kinds never had any. */
	int64_t end = START + (BINS - 1) * BIN;
	assert_true(peak(peaks, GM_PEAK_RX, end + 59 * GM_SECOND).at > 0);
	assert_int_equal(peak(peaks, GM_PEAK_RX, end + 60 * GM_SECOND).at, 0);
	assert_int_equal(peak(peaks, GM_PEAK_TX, end).at, 0);
	assert_int_equal(peak(peaks, GM_PEAK_RX_FINE, end).at, 0);
	gm_peaks_free(peaks);
}

/* Ten bins of 10 ms are one of 100 ms; one of a second is none. */
static void test_spans(void **state)
{
	(void)state;
	struct gm_peaks *peaks = set_up();
	int64_t time = START;
	for (int i = 0; i < 10; i++)
		octets(peaks, time += BIN / 10, BIN / 10, i == 4 ? 10000 : 0);
	struct gm_peak seen = peak(peaks, GM_PEAK_RX, time);
	assert_float_equal(seen.rate, 800e3, 1e-6);
	assert_int_equal(seen.at, time);

	octets(peaks, time += BIN / 10 * 14, BIN / 10 * 14, 35000); /* late */
	assert_float_equal(peak(peaks, GM_PEAK_RX, time).rate, 2e6, 1e-6);
	octets(peaks, time += GM_SECOND, GM_SECOND, 1e9);
	assert_float_equal(peak(peaks, GM_PEAK_RX, time).rate, 2e6, 1e-6);

	/* A break: neither what is half filled nor what spans it counts. */
	octets(peaks, time += BIN / 2, BIN / 2, 1e9);
	const struct gm_point broken = {.metric = GM_METRIC_NET_RX_BYTES,
					.time = time += BIN,
					.span = BIN,
					.value = 1e9,
					.gap = true};
	gm_peaks_take(peaks, &broken);
	octets(peaks, time += BIN, BIN, 1);
	assert_float_equal(peak(peaks, GM_PEAK_RX, time).rate, 2e6, 1e-6);

	/* The clock is set back: what is in the future is not of the last minute. */
	assert_int_equal(peak(peaks, GM_PEAK_RX, START - 3600 * GM_SECOND).at, 0);
	octets(peaks, START - 3600 * GM_SECOND, BIN, 100);
	assert_float_equal(peak(peaks, GM_PEAK_RX, START - 3600 * GM_SECOND).rate, 8000, 1e-6);
	gm_peaks_clear(peaks);
	assert_int_equal(peak(peaks, GM_PEAK_RX, START - 3600 * GM_SECOND).at, 0);
	gm_peaks_free(peaks);
}

static void on_point(void *user, const struct gm_point *point)
{
	gm_peaks_take(user, point);
}

/* Counters and peaks as a tap's frames have them, one of the bins in a frame that is not kept. */
static void test_through_a_window(void **state)
{
	const struct gm_window_options options = {.samples = 600, .length = 60 * GM_SECOND};
	struct gm_peaks *peaks = set_up();
	struct gm_window *window;
	(void)state;
	assert_int_equal(gm_window_create(&options, &window), 0);
	uint64_t received = 0, sent = 0;
	for (int i = 0; i <= 100; i++) {
		const bool fine = i % 10 != 0;
		received += i == 57 ? 125000 : 125;
		sent += 250;
		const struct gm_reading readings[] = {
			{GM_METRIC_NET_RX_BYTES, {.counter = received}},
			{GM_METRIC_NET_TX_BYTES, {.counter = sent}},
			{GM_METRIC_NET_RX_PEAK, {.gauge = i == 60 ? 100e6 : 100e3}},
			{GM_METRIC_NET_TX_PEAK, {.gauge = 200e3}},
		};
		const struct gm_frame frame = {
			.measured_at = START + i * (BIN / 10),
			.read_at = START + i * (BIN / 10),
			.flags = fine ? GM_FRAME_FINE : 0,
			.count = fine ? 2 : 4,
		};
		assert_int_equal(gm_window_append(window, &frame, readings, on_point, peaks), 0);
	}
	int64_t now = START + GM_SECOND;
	assert_float_equal(peak(peaks, GM_PEAK_RX, now).rate, (125000 + 9 * 125) * 80., 1e-3);
	assert_int_equal(peak(peaks, GM_PEAK_RX, now).at, START + 6 * BIN);
	assert_float_equal(peak(peaks, GM_PEAK_RX_FINE, now).rate, 100e6, 1e-3);
	assert_float_equal(peak(peaks, GM_PEAK_TX, now).rate, 200e3, 1e-3);
	assert_float_equal(peak(peaks, GM_PEAK_TX_FINE, now).rate, 200e3, 1e-3);
	assert_int_equal(peak(peaks, GM_PEAK_TX_FINE, now).at, now);
	gm_window_free(window);
	gm_peaks_free(peaks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_bins),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_through_a_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
