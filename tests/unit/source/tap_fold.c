/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of readings: kept frames, fine frames, closed spans, peaks, resets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/tap/fold.h"

struct bench {
	struct gm_tap_track track;
	struct gm_entity_key key;
	struct gm_batch *batch;
	struct gm_link_stats stats;
};

/* Flags of frames; a view that is not the usual one, so that it must come from the caller. */
enum { KEPT = GM_FRAME_HOST_VIEW | GM_FRAME_SAME_VIEW, FINE = KEPT | GM_FRAME_FINE };

static const int64_t T0 = 1700000000 * GM_SECOND;

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->key = gm_entity_interface("tap0");
	bench->batch = gm_batch_create();
	assert_non_null(bench->batch);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	gm_batch_free(bench->batch);
	free(bench);
	return 0;
}

/* A reading at `ms` after `rx` octets more (one packet when there are any). */
static bool tick(struct bench *bench, int64_t ms, uint64_t rx, bool keep)
{
	bench->stats.rx_bytes += rx;
	bench->stats.rx_packets += rx > 0;
	return gm_tap_track_reading(&bench->track, &bench->key, KEPT, &bench->stats,
				    T0 + ms * GM_MILLISECOND, keep, bench->batch);
}

static const struct gm_reading *reading(const struct bench *bench, size_t frame, unsigned metric)
{
	const struct gm_frame *of = &bench->batch->frames[frame];
	const struct gm_reading *readings = gm_batch_readings(bench->batch, of);

	for (unsigned i = 0; i < of->count; i++) {
		if (readings[i].metric == metric) {
			return &readings[i];
		}
	}
	return NULL;
}

static void assert_frame(const struct bench *bench, size_t frame, int64_t ms, unsigned flags,
			 uint64_t rx)
{
	const struct gm_frame *of;

	assert_true(frame < bench->batch->frame_count);
	of = &bench->batch->frames[frame];
	assert_true(gm_entity_equal(&of->key, &bench->key));
	assert_int_equal(of->measured_at, T0 + ms * GM_MILLISECOND);
	assert_true(of->read_at >= of->measured_at);
	assert_int_equal(of->flags, flags);
	assert_int_equal(reading(bench, frame, GM_METRIC_NET_RX_BYTES)->value.counter, rx);
}

static void an_idle_device_has_kept_frames_only(void **state)
{
	struct bench *bench = *state;

	bench->stats = (struct gm_link_stats){.rx_bytes = 10,
					      .tx_bytes = 20,
					      .rx_packets = 1,
					      .tx_packets = 2,
					      .rx_errors = 3,
					      .tx_errors = 4,
					      .rx_dropped = 5,
					      .tx_dropped = 6};
	for (int i = 0; i <= 20; i++) {
		assert_int_equal(tick(bench, i * 10, 0, i % 10 == 0), i % 10 == 0);
	}
	assert_int_equal(bench->batch->frame_count, 3);
	assert_frame(bench, 0, 0, KEPT, 10);
	assert_frame(bench, 1, 100, KEPT, 10);
	assert_frame(bench, 2, 200, KEPT, 10);
	assert_int_equal(reading(bench, 1, GM_METRIC_NET_TX_BYTES)->value.counter, 20);
	assert_int_equal(reading(bench, 1, GM_METRIC_NET_RX_PACKETS)->value.counter, 1);
	assert_int_equal(reading(bench, 1, GM_METRIC_NET_TX_PACKETS)->value.counter, 2);
	assert_int_equal(reading(bench, 1, GM_METRIC_NET_RX_ERRORS)->value.counter, 3);
	assert_int_equal(reading(bench, 1, GM_METRIC_NET_TX_ERRORS)->value.counter, 4);
	assert_int_equal(reading(bench, 1, GM_METRIC_NET_RX_DROPPED)->value.counter, 5);
	assert_int_equal(reading(bench, 1, GM_METRIC_NET_TX_DROPPED)->value.counter, 6);
	/* Nothing was measured before the first reading; afterwards the peak is a true 0. */
	assert_null(reading(bench, 0, GM_METRIC_NET_RX_PEAK));
	assert_true(reading(bench, 1, GM_METRIC_NET_RX_PEAK)->value.gauge == 0);
}

static void movement_is_framed_by_readings(void **state)
{
	struct bench *bench = *state;

	tick(bench, 0, 0, true);
	tick(bench, 10, 0, false);
	tick(bench, 20, 0, false);
	tick(bench, 30, 5000, false); /* closes the idle span at 20 first */
	tick(bench, 40, 7000, false);
	tick(bench, 50, 0, false);
	tick(bench, 60, 0, false);
	tick(bench, 70, 100, false); /* closes it again, at 60 */
	tick(bench, 80, 0, false);
	tick(bench, 90, 0, false);
	tick(bench, 100, 300, true); /* closes at 90; this one is the kept frame itself */
	assert_int_equal(bench->batch->frame_count, 8);
	assert_frame(bench, 0, 0, KEPT, 0);
	assert_frame(bench, 1, 20, FINE, 0);
	assert_frame(bench, 2, 30, FINE, 5000);
	assert_frame(bench, 3, 40, FINE, 12000);
	assert_frame(bench, 4, 60, FINE, 12000);
	assert_frame(bench, 5, 70, FINE, 12100);
	assert_frame(bench, 6, 90, FINE, 12100);
	assert_frame(bench, 7, 100, KEPT, 12400);
	/* Fine frames have octets and packets alone. */
	assert_int_equal(bench->batch->frames[2].count, 4);
	assert_null(reading(bench, 2, GM_METRIC_NET_RX_ERRORS));
	assert_true(reading(bench, 7, GM_METRIC_NET_RX_PEAK)->value.gauge == 7000 * 8 * 100.0);
	assert_true(reading(bench, 7, GM_METRIC_NET_TX_PEAK)->value.gauge == 0);
}

static void peaks_use_the_measured_time_and_start_anew(void **state)
{
	struct bench *bench = *state;

	tick(bench, 0, 0, true);
	tick(bench, 40, 10000, false); /* three ticks were missed: 40 ms, not 10 */
	tick(bench, 50, 1000, false);
	tick(bench, 100, 0, true);
	assert_true(
		reading(bench, bench->batch->frame_count - 1, GM_METRIC_NET_RX_PEAK)->value.gauge ==
		10000 * 8 * 25.0);
	tick(bench, 110, 10, false);
	tick(bench, 200, 0, true);
	assert_true(
		reading(bench, bench->batch->frame_count - 1, GM_METRIC_NET_RX_PEAK)->value.gauge ==
		10 * 8 * 100.0);
}

static void resets_and_steps_of_the_clock_make_no_peak(void **state)
{
	struct bench *bench = *state;

	bench->stats.rx_bytes = 1000000;
	tick(bench, 0, 0, true);
	bench->stats.rx_bytes = 50; /* a reset */
	tick(bench, 10, 0, false);
	tick(bench, -500, 100000, false); /* the clock was set back */
	tick(bench, -490, 1000, true);
	assert_frame(bench, bench->batch->frame_count - 1, -490, KEPT, 101050);
	assert_true(
		reading(bench, bench->batch->frame_count - 1, GM_METRIC_NET_RX_PEAK)->value.gauge ==
		1000 * 8 * 100.0);
	/* The counters are handed on as they are: a reset is the window's business. */
	assert_frame(bench, 1, 10, FINE, 50);
}

static void a_late_first_tick_is_told_with_the_movement(void **state)
{
	struct bench *bench = *state;

	bench->stats.rx_bytes = 77;
	tick(bench, 30, 0, false); /* the device appears inside of a fold */
	assert_int_equal(bench->batch->frame_count, 0);
	tick(bench, 40, 1, false);
	assert_int_equal(bench->batch->frame_count, 2);
	assert_frame(bench, 0, 30, FINE, 77);
	assert_frame(bench, 1, 40, FINE, 78);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_idle_device_has_kept_frames_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(movement_is_framed_by_readings, setup, teardown),
		cmocka_unit_test_setup_teardown(peaks_use_the_measured_time_and_start_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(resets_and_steps_of_the_clock_make_no_peak, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_late_first_tick_is_told_with_the_movement, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
