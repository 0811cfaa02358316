/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the burst detector says of what it finds: level, reports, their limit, the rate it holds
 * bins against, and what must not confuse it.
 */
#include "burst_traffic.h"

static void the_level_lasts_for_the_quiet_time(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3050 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	gm_burst_ops.evaluate(f->detector, START, &f->sink);
	assert_int_equal(f->emitted, 0); /* nothing is known yet */
	f->pieces = pieces;
	f->piece_count = 1;
	read_until(f, 8000 * MS, 10 * MS);
	assert_true(f->last.active);
	read_until(f, 9000 * MS, 10 * MS);
	assert_false(f->last.active);
	assert_float_equal(start_of(&f->last), 3.0, 0.001);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->emitted, 9 + 2);
	tear_down(f);
}

static void a_long_burst_is_told_while_it_lasts(void **state)
{
	(void)state;
	static const struct piece pieces[] = {
		{1000 * MS, 1050 * MS, 80 * MBIT},
		{2000 * MS, 5000 * MS, 80 * MBIT},
	};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 2;
	read_until(f, 4000 * MS, 10 * MS);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->seen[2].time, START + 3000 * MS);
	/* Its figures go on without reports. */
	assert_float_equal(number(&f->last, GM_EVIDENCE_DURATION), 2.0, 0.011);
	read_until(f, 6000 * MS, 10 * MS);
	assert_int_equal(f->count, 4);
	assert_float_equal(start_of(&f->seen[3]), start_of(&f->seen[2]), 0);
	assert_float_equal(number(&f->seen[3], GM_EVIDENCE_DURATION), 3.0, 0.001);
	tear_down(f);
}

static void a_storm_is_counted_and_not_told_whole(void **state)
{
	(void)state;
	struct piece *pieces = calloc(200, sizeof(*pieces));
	assert_non_null(pieces);
	for (int i = 0; i < 200; i++)
		pieces[i] =
			(struct piece){1000 * MS + i * 20 * MS, 1005 * MS + i * 20 * MS, 90 * MBIT};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 200;
	read_until(f, 5000 * MS, 1 * MS);
	/* Up to the storm each of them, and the first one's beginning. */
	assert_int_equal(f->count, 1 + 150);
	assert_float_equal(number(&f->last, GM_EVIDENCE_BURSTS), 200, 0);
	assert_float_equal(number(&f->last, GM_EVIDENCE_STORM), 200, 0);
	tear_down(f);
	free(pieces);
}

static void without_a_rate_it_learns_one(void **state)
{
	(void)state;
	static const struct piece pieces[] = {
		{3000 * MS, 3050 * MS, 400 * MBIT},   /* more than ever: a burst */
		{20000 * MS, 20050 * MS, 150 * MBIT}, /* far from it: none */
		{30000 * MS, 30050 * MS, 300 * MBIT}, /* again */
		{60000 * MS, 90000 * MS,
		 390 * MBIT}, /* stays: at first a burst, then the traffic */
	};
	struct fixture *f = set_up(0);
	f->pieces = pieces;
	f->piece_count = 4;
	f->background = 5 * MBIT;
	f->noise = 0.5;
	read_until(f, 50 * MS, 10 * MS);
	gm_burst_ops.evaluate(f->detector, START + f->until, &f->sink);
	assert_int_equal(f->emitted, 0); /* it does not know the traffic yet */
	read_until(f, 59000 * MS, 10 * MS);
	assert_int_equal(f->count, 4);
	assert_float_equal(start_of(&f->seen[1]), 3.0, 0.010);
	assert_float_equal(start_of(&f->seen[3]), 30.0, 0.010);
	assert_false(gm_evidence_has(&f->seen[3].evidence, GM_EVIDENCE_SPEED));
	read_until(f, 80000 * MS, 10 * MS);
	assert_false(f->last.active);
	assert_float_equal(number(&f->last, GM_EVIDENCE_BURSTS), 3, 0);
	tear_down(f);
}

static void the_configured_rate_stands_in(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3050 * MS, 30 * MBIT}};
	struct fixture *f = set_up(0);
	f->options.port_rate = 50000000;
	f->pieces = pieces;
	f->piece_count = 1;
	read_until(f, 5000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_SPEED), 50 * MBIT, 0);
	tear_down(f);
}

static void small_bursts_can_be_left_out(void **state)
{
	(void)state;
	/* One packet of 64 KiB on a slow port, and a burst of five times as much. */
	static const struct piece pieces[] = {{3002 * MS, 3003 * MS, 524 * MBIT},
					      {4000 * MS, 4040 * MS, 65 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->options.least_volume = 100000;
	f->pieces = pieces;
	f->piece_count = 2;
	read_until(f, 6000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(start_of(&f->seen[0]), 4.0, 0.001);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_BURSTS), 1, 0);
	tear_down(f);
}

static void odd_points_do_no_harm(void **state)
{
	(void)state;
	struct fixture *f = set_up(100 * MBIT);
	tell_speed(f, NAN);
	tell_speed(f, -1);
	const struct gm_point odd[] = {
		{.metric = GM_METRIC_NET_RX_BYTES, .time = START, .span = 0, .value = 1e9},
		{.metric = GM_METRIC_NET_RX_BYTES, .time = START, .span = -5, .value = 1e9},
		{.metric = GM_METRIC_NET_RX_PACKETS, .time = START, .span = MS, .value = 1e9},
		{.metric = GM_METRIC_EXTRA, .time = START, .span = 0, .value = 1e9},
	};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		gm_burst_ops.observe(f->detector, &odd[i], &f->sink);
	gm_burst_ops.evaluate(f->detector, START, &f->sink);
	assert_int_equal(f->emitted, 0);
	read_until(f, 2000 * MS, 10 * MS);
	assert_int_equal(f->count, 0);
	tear_down(f);
}

/* A guest's own agent may serve any counter; it must not blind the detector, nor spoil what is kept. */
static void impossible_rates_are_nothing(void **state)
{
	(void)state;
	static const double values[] = {1e308, 0x1p64, 0x1p63, 1e25, INFINITY, -1e308, -1, NAN};
	static const struct piece pieces[] = {{20000 * MS, 20004 * MS, 100 * MBIT},
					      {30000 * MS, 30050 * MS, 100 * MBIT}};
	for (int speed = 0; speed <= 1; speed++) {
		struct fixture *f = set_up(speed * 100 * MBIT);
		struct gm_buffer bytes = GM_BUFFER_INIT(1 << 16);
		struct gm_archive archive = gm_archive_writer(&bytes);
		f->pieces = pieces;
		f->piece_count = 2;
		f->background = 1 * MBIT;
		for (int i = 0; i < 400; i++) {
			const struct gm_point odd = {
				.metric = i % 3 ? GM_METRIC_NET_RX_BYTES : GM_METRIC_NET_RX_PACKETS,
				.time = START + f->until + MS,
				.span = MS,
				.value = values[i % 8],
			};
			gm_burst_ops.observe(f->detector, &odd, &f->sink);
			f->until += MS;
			read_bin(f, (i < 300 ? 9 : 49) * MS);
		}
		f->count = 0;
		read_until(f, 40000 * MS, 10 * MS);
		assert_int_equal(f->count, speed ? 3 : 2); /* a brief one is told once */
		gm_burst_ops.exchange(f->detector, &archive);
		assert_true(gm_archive_done(&archive));
		gm_buffer_free(&bytes);
		tear_down(f);
	}
}

static void a_disturbance_starts_anew(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3050 * MS, 80 * MBIT},
					      {3300 * MS, 3350 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 2;
	read_until(f, 3030 * MS, 10 * MS);
	assert_int_equal(f->count, 1);
	gm_burst_ops.disturb(f->detector, START + 3030 * MS);
	f->until = 3200 * MS;
	read_until(f, 12000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(start_of(&f->seen[1]), 3.3, 0.001);
	assert_false(f->last.active);
	tear_down(f);
}

static void a_clock_set_back_does_not_keep_it_active(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{99000 * MS, 99050 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	f->until = 98000 * MS;
	read_until(f, 99500 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	f->until = 0;
	read_until(f, 10000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_false(f->last.active);
	tear_down(f);
}

static void the_score_is_the_utilisation(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{0, 10000 * MS, 30 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	assert_float_equal(gm_burst_ops.score(f->detector), 0, 0);
	f->pieces = pieces;
	f->piece_count = 1;
	read_bin(f, 10 * MS);
	assert_float_equal(gm_burst_ops.score(f->detector), 0.3, 1e-9);
	tear_down(f);
}

static void it_is_registered(void **state)
{
	(void)state;
	assert_ptr_equal(gm_detector_find("burst"), &gm_burst_ops);
	struct gm_detector_settings *settings = NULL;
	assert_int_equal(gm_detector_settings_create(&settings), 0);
	const struct gm_burst_options *options = gm_detector_settings_get(settings, &gm_burst_ops);
	assert_true(options->enabled);
	assert_float_equal(options->utilisation, 0.5, 0);
	assert_int_equal(options->clear_after, 5 * GM_SECOND);
	gm_detector_settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_level_lasts_for_the_quiet_time),
		cmocka_unit_test(a_long_burst_is_told_while_it_lasts),
		cmocka_unit_test(a_storm_is_counted_and_not_told_whole),
		cmocka_unit_test(without_a_rate_it_learns_one),
		cmocka_unit_test(the_configured_rate_stands_in),
		cmocka_unit_test(small_bursts_can_be_left_out),
		cmocka_unit_test(odd_points_do_no_harm),
		cmocka_unit_test(impossible_rates_are_nothing),
		cmocka_unit_test(a_disturbance_starts_anew),
		cmocka_unit_test(a_clock_set_back_does_not_keep_it_active),
		cmocka_unit_test(the_score_is_the_utilisation),
		cmocka_unit_test(it_is_registered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
