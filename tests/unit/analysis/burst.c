/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the burst detector finds, and how well it measures that.
 */
#include "burst_traffic.h"

static void a_burst_is_told_at_once_and_in_full(void **state)
{
	(void)state;
	/* Begins in the middle of a bin, at 60 % of 100 Mbit/s. */
	static const struct piece pieces[] = {{3003 * MS, 3053 * MS, 60 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	f->background = 1 * MBIT;
	read_until(f, 3010 * MS, 10 * MS);
	assert_int_equal(f->count, 0); /* 42 % so far */
	read_until(f, 3020 * MS, 10 * MS);
	assert_int_equal(f->count, 1);
	assert_true(f->seen[0].active);
	assert_int_equal(f->seen[0].time, START + 3020 * MS);
	assert_float_equal(start_of(&f->seen[0]), 3.003, 0.001);
	assert_string_equal(f->seen[0].metric, "net.rx.bytes");
	assert_string_equal(f->seen[0].evidence.direction, "rx");
	assert_int_equal(f->seen[0].cause, GM_CAUSE_CONGESTION);
	assert_int_equal(f->seen[0].event_type, GM_EVENT_QUALITY_OF_SERVICE);

	read_until(f, 6000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(start_of(&f->seen[1]), start_of(&f->seen[0]), 0);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.050, 0.001);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_PEAK), 60 * MBIT, 0.6 * MBIT);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_MEAN), 60 * MBIT, 0.6 * MBIT);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_VOLUME), 375000, 4000);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_SPEED), 100 * MBIT, 0);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_BURSTS), 1, 0);
	assert_int_equal(f->seen[1].severity, GM_SEVERITY_WARNING);
	tear_down(f);
}

static void the_same_volume_spread_out_is_none(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3003 * MS, 4003 * MS, 3 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	read_until(f, 10000 * MS, 10 * MS);
	assert_int_equal(f->count, 0);
	assert_true(f->emitted > 0);
	assert_false(f->last.active);
	tear_down(f);
}

static void high_steady_flows_are_none(void **state)
{
	(void)state;
	/* Up to 45 % and down again, each step for good. */
	static const struct piece pieces[] = {
		{2000 * MS, 5000 * MS, 30 * MBIT},
		{5000 * MS, 9000 * MS, 45 * MBIT},
		{9000 * MS, 12000 * MS, 20 * MBIT},
	};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 3;
	f->background = 1 * MBIT;
	f->noise = 0.5;
	read_until(f, 15000 * MS, 10 * MS);
	assert_int_equal(f->count, 0);
	tear_down(f);
}

static void noise_is_none_and_hides_none(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{100003 * MS, 100053 * MS, 60 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	f->background = 4 * MBIT;
	f->noise = 1;
	read_until(f, 100000 * MS, 10 * MS);
	assert_int_equal(f->count, 0);
	read_until(f, 110000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(start_of(&f->seen[1]), 100.003, 0.010);
	tear_down(f);
}

/* A normal deviate (the sum of twelve uniform ones). */
static double normal(struct fixture *f)
{
	double sum = -6;
	for (int i = 0; i < 12; i++)
		sum += uniform(f);
	return sum;
}

/* What an application's own load does: it climbs over some bins as high as a brief burst, and falls. */
static void ups_and_downs_are_none(void **state)
{
	(void)state;
	static const struct {
		double speed; /* 0: learned */
		int64_t span;
		int burst; /* whether one of 40 % of a bin is looked for at the end */
	} cases[] = {{1000 * MBIT, 1000 * MS, 1}, {1000 * MBIT, 100 * MS, 1}, {0, 1000 * MS, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = set_up(cases[i].speed);
		double level = 0;
		for (int bin = 0; bin < 400000; bin++) {
			level = 0.82 * level + 0.572 * normal(f);
			f->background = 70 * MBIT * exp(0.4 * level);
			read_bin(f, cases[i].span);
		}
		if (f->count != 0)
			fail_msg("case %zu: %zu bursts of none", i, f->count);
		f->background = 70 * MBIT;
		read_until(f, f->until + 4 * cases[i].span, cases[i].span);
		const struct piece piece = {f->until + cases[i].span / 4,
					    f->until + cases[i].span * 13 / 20, 1000 * MBIT};
		f->pieces = &piece;
		f->piece_count = (size_t)cases[i].burst;
		read_until(f, f->until + 10 * cases[i].span, cases[i].span);
		assert_int_equal(f->count, cases[i].burst);
		tear_down(f);
	}
}

/* At the line's rate for four tenths of a bin, over the border of two: neither is half full. */
static void brief_bursts_are_found(void **state)
{
	(void)state;
	static const struct piece pieces[] = {
		{3008 * MS, 3012 * MS, 100 * MBIT},
		{4001 * MS, 4005 * MS, 100 * MBIT},
	};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 2;
	f->background = 1 * MBIT;
	f->noise = 0.5;
	read_until(f, 8000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(start_of(&f->seen[0]), 3.008, 0.0005);
	assert_float_equal(number(&f->seen[0], GM_EVIDENCE_DURATION), 0.004, 0.0005);
	assert_float_equal(start_of(&f->seen[1]), 4.001, 0.005);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_VOLUME), 50000, 5000);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_BURSTS), 2, 0);
	tear_down(f);

	f = set_up(0);
	f->options.brief = 0;
	tell_speed(f, 100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 2;
	read_until(f, 8000 * MS, 10 * MS);
	assert_int_equal(f->count, 0);
	tear_down(f);
}

/* A way that is limited is full at its limit, whatever the port can do; the other way is not. */
static void a_limit_counts_for_its_way(void **state)
{
	(void)state;
	static const struct piece piece = {3000 * MS, 3100 * MS, 95 * MBIT};
	static const struct {
		unsigned metric;
		size_t bursts;
	} cases[] = {{GM_METRIC_NET_SPEED, 0}, {GM_METRIC_NET_RX_LIMIT, 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = set_up(1000 * MBIT);
		f->options.brief = 0;
		tell_rate(f, GM_METRIC_NET_TX_LIMIT, 1000 * MBIT);
		tell_rate(f, GM_METRIC_NET_RX_LIMIT, 1000 * MBIT);
		tell_rate(f, cases[i].metric, 100 * MBIT);
		f->pieces = &piece;
		f->piece_count = 1;
		f->background = 1 * MBIT;
		read_until(f, 8000 * MS, 10 * MS);
		assert_int_equal(f->count > 0, cases[i].bursts > 0);
		/* No limit any more: the port's own rate holds. */
		tell_rate(f, GM_METRIC_NET_RX_LIMIT, 0);
		tell_rate(f, GM_METRIC_NET_TX_LIMIT, 0);
		tell_speed(f, 1000 * MBIT);
		const struct piece again = {12000 * MS, 12100 * MS, 95 * MBIT};
		f->pieces = &again;
		size_t before = f->count;
		read_until(f, 16000 * MS, 10 * MS);
		assert_int_equal(f->count, before);
		tear_down(f);
	}
}

static void short_dips_belong_to_a_burst(void **state)
{
	(void)state;
	static const struct piece pieces[] = {
		{3000 * MS, 3050 * MS, 90 * MBIT},
		{3060 * MS, 3100 * MS, 90 * MBIT},
		{3500 * MS, 3550 * MS, 90 * MBIT},
		{3600 * MS, 3650 * MS, 90 * MBIT},
	};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 4;
	f->background = 1 * MBIT;
	read_until(f, 5000 * MS, 10 * MS);
	/* The first one twice (begun and ended), the others when they have ended. */
	assert_int_equal(f->count, 4);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.1, 0.001);
	assert_float_equal(start_of(&f->seen[2]), 3.5, 0.001);
	assert_float_equal(start_of(&f->seen[3]), 3.6, 0.001);
	assert_float_equal(number(&f->seen[3], GM_EVIDENCE_BURSTS), 3, 0);
	tear_down(f);
}

static void a_burst_that_wavers_is_one(void **state)
{
	(void)state;
	static const struct piece pieces[] = {
		{3000 * MS, 3010 * MS, 55 * MBIT},
		{3010 * MS, 3040 * MS, 46 * MBIT},
		{3040 * MS, 3060 * MS, 52 * MBIT},
		{3060 * MS, 3090 * MS, 44 * MBIT},
	};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 4;
	f->background = 1 * MBIT;
	read_until(f, 5000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.09, 0.003);
	tear_down(f);
}

/* Less than half of three bins in a row: noise, most of a burst, the rest of it. */
static void a_burst_over_a_border_is_told_once(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{2990 * MS, 3003 * MS, 3 * MBIT},
					      {3003 * MS, 3013 * MS, 60 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 2;
	f->background = 1 * MBIT;
	f->noise = 0.2;
	read_until(f, 5000 * MS, 10 * MS);
	assert_int_equal(f->count, 1);
	assert_float_equal(number(&f->seen[0], GM_EVIDENCE_VOLUME), 75000, 3000);
	tear_down(f);
}

static void late_and_missing_bins_keep_the_truth(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3100 * MS, 100 * MBIT}};
	static const int64_t spans[] = {10, 9, 12, 10, 23, 7, 10, 31, 10};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	f->background = 2 * MBIT;
	for (size_t i = 0; f->until < 6000 * MS; i++)
		read_bin(f, spans[i % 9] * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(start_of(&f->seen[1]), 3.0, 0.010);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.1, 0.010);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_PEAK), 100 * MBIT, 0.1 * MBIT);
	assert_int_equal(f->seen[1].severity, GM_SEVERITY_MINOR);
	tear_down(f);
}

/* As the tap sampler tells it: silent ticks of 10 ms are left out, up to the fold of 100 ms. */
static void skipped_silent_ticks_do_no_harm(void **state)
{
	(void)state;
	static const struct piece pieces[] = {
		{60043 * MS, 60093 * MS, 60 * MBIT},
		{62031 * MS, 62035 * MS, 100 * MBIT},
	};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 2;
	read_until(f, 60000 * MS, 100 * MS);
	read_bin(f, 40 * MS);
	read_until(f, 60100 * MS, 10 * MS);
	assert_int_equal(f->count, 1);
	assert_float_equal(start_of(&f->seen[0]), 60.043, 0.003);
	read_until(f, 62000 * MS, 100 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.05, 0.002);
	read_bin(f, 30 * MS);
	read_bin(f, 10 * MS);
	read_bin(f, 60 * MS);
	read_until(f, 63000 * MS, 100 * MS);
	assert_int_equal(f->count, 3);
	assert_float_equal(start_of(&f->seen[2]), 62.031, 0.006);
	assert_float_equal(number(&f->seen[2], GM_EVIDENCE_DURATION), 0.004, 0.0005);
	tear_down(f);
}

static void a_reset_does_not_split_a_burst(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3100 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	read_until(f, 3050 * MS, 10 * MS);
	f->until += 10 * MS; /* the reading after the reset gives no increase */
	read_until(f, 5000 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.1, 0.001);
	tear_down(f);
}

static void a_long_hole_ends_a_burst(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 5000 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	read_until(f, 3050 * MS, 10 * MS);
	f->until += 500 * MS;
	read_until(f, 8000 * MS, 10 * MS);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.05, 0.001);
	assert_float_equal(number(&f->seen[f->count - 1], GM_EVIDENCE_BURSTS), 2, 0);
	tear_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_told_at_once_and_in_full),
		cmocka_unit_test(the_same_volume_spread_out_is_none),
		cmocka_unit_test(high_steady_flows_are_none),
		cmocka_unit_test(noise_is_none_and_hides_none),
		cmocka_unit_test(ups_and_downs_are_none),
		cmocka_unit_test(brief_bursts_are_found),
		cmocka_unit_test(a_limit_counts_for_its_way),
		cmocka_unit_test(short_dips_belong_to_a_burst),
		cmocka_unit_test(a_burst_that_wavers_is_one),
		cmocka_unit_test(a_burst_over_a_border_is_told_once),
		cmocka_unit_test(late_and_missing_bins_keep_the_truth),
		cmocka_unit_test(skipped_silent_ticks_do_no_harm),
		cmocka_unit_test(a_reset_does_not_split_a_burst),
		cmocka_unit_test(a_long_hole_ends_a_burst),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
