/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The burst detector on traffic whose bursts are known: pieces of constant rate over a background,
 * counted in bins as a sampler would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/burst.h"
#include "base/clock.h"
#include "model/metric.h"

#define START (1700000000 * GM_SECOND)
#define MS    GM_MILLISECOND
#define MBIT  1e6

enum { SEEN_MAX = 2048 };

/* A stretch of traffic; it replaces the background while it lasts. */
struct piece {
	int64_t begin, end; /* ns after START */
	double rate;        /* bit/s */
};

struct fixture {
	struct gm_burst_options options;
	struct gm_detector *detector;
	struct gm_finding_sink sink;
	size_t count;
	struct gm_finding seen[SEEN_MAX]; /* reports only */
	struct gm_finding last;           /* any */
	size_t emitted;

	/* the traffic */
	const struct piece *pieces;
	size_t piece_count;
	double background; /* bit/s */
	double noise;      /* part of the background; 0: none */
	uint64_t random;
	int64_t until; /* read so far, ns after START */
};

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct fixture *f = user;
	f->last = *finding;
	f->emitted++;
	if (!finding->report)
		return;
	assert_true(f->count < SEEN_MAX);
	f->seen[f->count++] = *finding;
}

static void create(struct fixture *f)
{
	const struct gm_entity_key key = gm_entity_interface("tap0");
	f->sink = (struct gm_finding_sink){.emit = on_finding, .user = f};
	assert_int_equal(gm_burst_ops.create(&f->options, &key, &f->detector), 0);
}

static void tell_speed(struct fixture *f, double speed)
{
	const struct gm_point point = {
	    .metric = GM_METRIC_NET_SPEED, .time = START + f->until, .value = speed};
	gm_burst_ops.observe(f->detector, &point, &f->sink);
}

/* A detector of a port of `speed` bit/s. */
static struct fixture *set_up(double speed)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	gm_option_defaults(gm_burst_ops.options, &f->options);
	f->random = 1;
	create(f);
	if (speed > 0)
		tell_speed(f, speed);
	return f;
}

static void tear_down(struct fixture *f)
{
	gm_burst_ops.destroy(f->detector);
	free(f);
}

/* Uniform in (0, 1), the same in every run (Knuth's MMIX generator). */
static double uniform(struct fixture *f)
{
	f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double)(f->random >> 11) + 0.5) * 0x1p-53;
}

/* Bytes over [begin, end) ns after START. */
static double carried(struct fixture *f, int64_t begin, int64_t end)
{
	double background = f->background;
	if (f->noise > 0) /* exponential: a few bins stand far above the mean */
		background *= 1 - f->noise - f->noise * log(uniform(f));
	double bits = background * (double)(end - begin);
	for (size_t i = 0; i < f->piece_count; i++) {
		int64_t from = f->pieces[i].begin > begin ? f->pieces[i].begin : begin;
		int64_t to = f->pieces[i].end < end ? f->pieces[i].end : end;
		if (from < to)
			bits += (f->pieces[i].rate - background) * (double)(to - from);
	}
	return bits / 8 / (double)GM_SECOND;
}

/* The next reading, `span` after the one before. */
static void read_bin(struct fixture *f, int64_t span)
{
	const struct gm_point point = {
	    .metric = GM_METRIC_NET_RX_BYTES,
	    .time = START + f->until + span,
	    .span = span,
	    .value = floor(carried(f, f->until, f->until + span)),
	};
	int64_t second = (START + f->until) / GM_SECOND;
	f->until += span;
	gm_burst_ops.observe(f->detector, &point, &f->sink);
	if (point.time / GM_SECOND != second)
		gm_burst_ops.evaluate(f->detector, point.time, &f->sink);
}

static void read_until(struct fixture *f, int64_t time, int64_t span)
{
	while (f->until < time)
		read_bin(f, span);
}

static double number(const struct gm_finding *finding, enum gm_evidence_id id)
{
	assert_true(gm_evidence_has(&finding->evidence, id));
	return finding->evidence.number[id];
}

static double start_of(const struct gm_finding *finding)
{
	return number(finding, GM_EVIDENCE_START) - (double)(START / GM_SECOND);
}

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
	/* A hundred at first, one a second after, and the first one's end. */
	assert_in_range(f->count, 103, 106);
	assert_float_equal(number(&f->last, GM_EVIDENCE_BURSTS), 200, 0);
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
	    {60000 * MS, 90000 * MS, 390 * MBIT}, /* stays: at first a burst, then the traffic */
	};
	struct fixture *f = set_up(0);
	f->pieces = pieces;
	f->piece_count = 4;
	f->background = 5 * MBIT;
	f->noise = 0.5;
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
	    cmocka_unit_test(a_burst_is_told_at_once_and_in_full),
	    cmocka_unit_test(the_same_volume_spread_out_is_none),
	    cmocka_unit_test(high_steady_flows_are_none),
	    cmocka_unit_test(noise_is_none_and_hides_none),
	    cmocka_unit_test(brief_bursts_are_found),
	    cmocka_unit_test(short_dips_belong_to_a_burst),
	    cmocka_unit_test(a_burst_that_wavers_is_one),
	    cmocka_unit_test(a_burst_over_a_border_is_told_once),
	    cmocka_unit_test(late_and_missing_bins_keep_the_truth),
	    cmocka_unit_test(skipped_silent_ticks_do_no_harm),
	    cmocka_unit_test(a_reset_does_not_split_a_burst),
	    cmocka_unit_test(a_long_hole_ends_a_burst),
	    cmocka_unit_test(the_level_lasts_for_the_quiet_time),
	    cmocka_unit_test(a_long_burst_is_told_while_it_lasts),
	    cmocka_unit_test(a_storm_is_counted_and_not_told_whole),
	    cmocka_unit_test(without_a_rate_it_learns_one),
	    cmocka_unit_test(the_configured_rate_stands_in),
	    cmocka_unit_test(small_bursts_can_be_left_out),
	    cmocka_unit_test(odd_points_do_no_harm),
	    cmocka_unit_test(a_disturbance_starts_anew),
	    cmocka_unit_test(a_clock_set_back_does_not_keep_it_active),
	    cmocka_unit_test(the_score_is_the_utilisation),
	    cmocka_unit_test(it_is_registered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
