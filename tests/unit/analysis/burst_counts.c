/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of bursts, and what else is seen beside the bytes: gaps, losses, packets, the end of a
 * source, a storm's exact figures.
 */
#include "burst_traffic.h"

#include <math.h>

static const struct gm_burst_stats *stats_of(const struct fixture *f, enum gm_burst_channel channel)
{
	const struct gm_burst_stats *stats = gm_burst_stats_of(f->detector, channel);
	assert_non_null(stats);
	return stats;
}

static uint64_t sum(const uint64_t histogram[GM_BURST_BUCKETS])
{
	uint64_t total = 0;
	for (size_t i = 0; i < GM_BURST_BUCKETS; i++)
		total += histogram[i];
	return total;
}

static void observe(struct fixture *f, unsigned metric, int64_t time, int64_t span, double value)
{
	const struct gm_point point = {
		.metric = metric, .time = START + time, .span = span, .value = value};
	gm_burst_ops.observe(f->detector, &point, &f->sink);
}

static void buckets_are_powers_of_two(void **state)
{
	(void)state;
	assert_int_equal(gm_burst_bucket(-1), 0);
	assert_int_equal(gm_burst_bucket(NAN), 0);
	assert_int_equal(gm_burst_bucket(0.5), 0);
	assert_int_equal(gm_burst_bucket(1), 0);
	assert_int_equal(gm_burst_bucket(1.999), 0);
	assert_int_equal(gm_burst_bucket(2), 1);
	assert_int_equal(gm_burst_bucket(1023), 9);
	assert_int_equal(gm_burst_bucket(1024), 10);
	assert_int_equal(gm_burst_bucket(0x1p31 - 1), 30);
	assert_int_equal(gm_burst_bucket(0x1p31), 31);
	assert_int_equal(gm_burst_bucket(INFINITY), 31);
}

static void bursts_are_counted(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3050 * MS, 80 * MBIT},
					      {3500 * MS, 3600 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 2;
	read_until(f, 3550 * MS, 10 * MS);
	const struct gm_burst_stats *stats = stats_of(f, GM_BURST_RX_BYTES);
	assert_int_equal(stats->bursts, 2); /* begun */
	assert_int_equal(sum(stats->durations), 1);
	read_until(f, 5000 * MS, 10 * MS);
	assert_int_equal(stats->bursts, 2);
	assert_int_equal(stats->told, 2);
	assert_int_equal(stats->untold, 0);
	assert_int_equal(stats->durations[15], 1); /* 50 ms */
	assert_int_equal(stats->durations[16], 1); /* 100 ms */
	assert_int_equal(sum(stats->gaps), 1);
	assert_int_equal(stats->gaps[8], 1);     /* 450 ms */
	assert_int_equal(stats->peaks[16], 2);   /* 80,000 kbit/s */
	assert_int_equal(stats->volumes[18], 1); /* 500,000 bytes */
	assert_int_equal(stats->volumes[19], 1);
	assert_in_range(stats->time, 149 * MS, 151 * MS);
	assert_in_range(stats->volume, 1490000, 1510000);
	assert_float_equal(number(&f->last, GM_EVIDENCE_GAP), 0.45, 0.002);
	assert_false(gm_evidence_has(&f->seen[0].evidence, GM_EVIDENCE_GAP));
	assert_int_equal(stats_of(f, GM_BURST_TX_BYTES)->bursts, 0);
	assert_null(gm_burst_stats_of(f->detector, GM_BURST_CHANNELS));
	assert_null(gm_burst_stats_of(NULL, GM_BURST_RX_BYTES));
	tear_down(f);
}

static void losses_within_a_burst_are_shown(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3050 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	read_until(f, 2900 * MS, 10 * MS);
	observe(f, GM_METRIC_NET_RX_DROPPED, 2900 * MS, 100 * MS, 5); /* no burst: not its */
	read_until(f, 3030 * MS, 10 * MS);
	observe(f, GM_METRIC_NET_RX_DROPPED, 3030 * MS, 10 * MS, 7);
	observe(f, GM_METRIC_NET_TX_DROPPED, 3030 * MS, 10 * MS, 100);
	read_until(f, 3100 * MS, 10 * MS);
	assert_int_equal(f->count, 2);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DROPPED), 7, 0);
	assert_int_equal(f->seen[1].severity, GM_SEVERITY_MINOR);
	/* The coarser counter tells later of what was lost within the burst's span. */
	observe(f, GM_METRIC_NET_RX_DROPPED, 3100 * MS, 100 * MS, 3);
	read_until(f, 4100 * MS, 10 * MS);
	assert_float_equal(number(&f->last, GM_EVIDENCE_DROPPED), 10, 0);
	observe(f, GM_METRIC_NET_RX_DROPPED, 4200 * MS, 100 * MS, 3);
	observe(f, GM_METRIC_NET_RX_DROPPED, 4200 * MS, 0, 3);
	observe(f, GM_METRIC_NET_RX_DROPPED, 3040 * MS, 100 * MS, NAN);
	assert_int_equal(stats_of(f, GM_BURST_RX_BYTES)->dropped, 10);
	tear_down(f);
}

/* Packets of a direction over some bins, in packets per second. */
static void read_packets(struct fixture *f, int64_t until, double rate)
{
	for (; f->until < until; f->until += 10 * MS)
		observe(f, GM_METRIC_NET_RX_PACKETS, f->until + 10 * MS, 10 * MS, rate / 100);
}

static void bursts_of_small_packets_are_found(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct fixture *f = set_up(1000 * MBIT);
		f->options.packet_rate = known ? 400000 : 0;
		read_packets(f, 3000 * MS, 2000);
		read_packets(f, 3100 * MS, 300000);
		read_packets(f, 4000 * MS, 2000);
		assert_int_equal(f->count, 1);
		const struct gm_finding *seen = &f->seen[0];
		assert_string_equal(seen->metric, "net.rx.packets");
		assert_float_equal(number(seen, GM_EVIDENCE_PEAK_PACKETS), 300000, 1);
		assert_float_equal(number(seen, GM_EVIDENCE_PACKETS), 30000, 100);
		assert_float_equal(number(seen, GM_EVIDENCE_DURATION), 0.1, 0.001);
		assert_float_equal(start_of(seen), 3.0, 0.001);
		assert_false(gm_evidence_has(&seen->evidence, GM_EVIDENCE_PEAK));
		assert_int_equal(stats_of(f, GM_BURST_RX_PACKETS)->bursts, 1);
		assert_int_equal(stats_of(f, GM_BURST_RX_PACKETS)->peaks[18], 1);
		tear_down(f);
	}
}

/* A burst in bytes is one in packets as well: it is told as the former alone. */
static void bytes_go_before_packets(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 3100 * MS, 900 * MBIT}};
	struct fixture *f = set_up(1000 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	while (f->until < 5000 * MS) {
		bool on = f->until >= 3000 * MS && f->until < 3100 * MS;
		read_bin(f, 10 * MS);
		observe(f, GM_METRIC_NET_RX_PACKETS, f->until, 10 * MS, on ? 750 : 10);
	}
	assert_int_equal(f->count, 2);
	assert_string_equal(f->seen[0].metric, "net.rx.bytes");
	assert_string_equal(f->seen[1].metric, "net.rx.bytes");
	assert_int_equal(stats_of(f, GM_BURST_RX_PACKETS)->bursts, 0);
	tear_down(f);
}

static void a_source_that_dies_ends_the_burst(void **state)
{
	(void)state;
	static const struct piece pieces[] = {{3000 * MS, 9000 * MS, 80 * MBIT}};
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = 1;
	read_until(f, 3200 * MS, 10 * MS);
	assert_int_equal(f->count, 1);
	gm_burst_ops.evaluate(f->detector, START + 4000 * MS, &f->sink);
	assert_int_equal(f->count, 1); /* it may only be late */
	gm_burst_ops.evaluate(f->detector, START + 5300 * MS, &f->sink);
	assert_int_equal(f->count, 2);
	assert_float_equal(number(&f->seen[1], GM_EVIDENCE_DURATION), 0.2, 0.001);
	assert_int_equal(stats_of(f, GM_BURST_RX_BYTES)->durations[17], 1);
	gm_burst_ops.evaluate(f->detector, START + 10400 * MS, &f->sink);
	assert_false(f->last.active);
	assert_int_equal(f->count, 2);
	tear_down(f);
}

/* 10,000 bursts of 30 ms within an hour: each is counted, few are told. */
static void a_storm_has_exact_counts(void **state)
{
	(void)state;
	struct fixture *f = set_up(100 * MBIT);
	int64_t last = 0;
	for (int i = 0; i < 10000; i++) {
		const struct piece piece = {5000 * MS + i * 360 * MS, 5030 * MS + i * 360 * MS,
					    90 * MBIT};
		f->pieces = &piece;
		f->piece_count = 1;
		last = piece.end;
		read_until(f, last + 100 * MS, 10 * MS);
	}
	const struct gm_burst_stats *stats = stats_of(f, GM_BURST_RX_BYTES);
	assert_int_equal(stats->bursts, 10000);
	assert_int_equal(stats->told + stats->untold, 10000);
	/* The last before the storm at 58.7 s, then one in 30 s as far as bursts fall so. */
	assert_int_equal(stats->told, 150 + 117);
	assert_int_equal(f->count, 1 + 150 + 117); /* the first one twice */
	assert_int_equal(stats->storms, 1);
	assert_int_equal(sum(stats->durations), 10000);
	assert_int_equal(sum(stats->gaps), 9999);
	f->piece_count = 0;
	read_until(f, last + 10000 * MS, 10 * MS);
	assert_true(f->last.active); /* so far, quiet may be a pause of the storm */
	read_until(f, last + 120000 * MS, 10 * MS);
	assert_false(f->last.active);
	assert_float_equal(number(&f->last, GM_EVIDENCE_BURSTS), 10000, 0);
	tear_down(f);
}

static void without_a_bound_all_are_told(void **state)
{
	(void)state;
	struct fixture *f = set_up(100 * MBIT);
	f->options.storm_bursts = 0;
	for (int i = 0; i < 500; i++) {
		const struct piece piece = {1000 * MS + i * 100 * MS, 1030 * MS + i * 100 * MS,
					    90 * MBIT};
		f->pieces = &piece;
		f->piece_count = 1;
		read_until(f, piece.end + 30 * MS, 10 * MS);
	}
	assert_int_equal(f->count, 1 + 500);
	tear_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_powers_of_two),
		cmocka_unit_test(bursts_are_counted),
		cmocka_unit_test(losses_within_a_burst_are_shown),
		cmocka_unit_test(bursts_of_small_packets_are_found),
		cmocka_unit_test(bytes_go_before_packets),
		cmocka_unit_test(a_source_that_dies_ends_the_burst),
		cmocka_unit_test(a_storm_has_exact_counts),
		cmocka_unit_test(without_a_bound_all_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
