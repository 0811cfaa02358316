/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic whose bursts are known, counted in bins as a sampler would, and a burst detector that
 * gets it: the common ground of the detector's tests.
 */
#ifndef TESTS_UNIT_ANALYSIS_BURST_TRAFFIC_H
#define TESTS_UNIT_ANALYSIS_BURST_TRAFFIC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

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

static inline void on_finding(void *user, const struct gm_finding *finding)
{
	struct fixture *f = user;
	f->last = *finding;
	f->emitted++;
	if (!finding->report)
		return;
	assert_true(f->count < SEEN_MAX);
	f->seen[f->count++] = *finding;
}

static inline void create(struct fixture *f)
{
	const struct gm_entity_key key = gm_entity_interface("tap0");
	f->sink = (struct gm_finding_sink){.emit = on_finding, .user = f};
	assert_int_equal(gm_burst_ops.create(&f->options, &key, &f->detector), 0);
}

static inline void tell_rate(struct fixture *f, unsigned metric, double rate)
{
	const struct gm_point point = {.metric = metric, .time = START + f->until, .value = rate};
	gm_burst_ops.observe(f->detector, &point, &f->sink);
}

static inline void tell_speed(struct fixture *f, double speed)
{
	tell_rate(f, GM_METRIC_NET_SPEED, speed);
}

/* A detector of a port of `speed` bit/s. */
static inline struct fixture *set_up(double speed)
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

static inline void tear_down(struct fixture *f)
{
	gm_burst_ops.destroy(f->detector);
	free(f);
}

/* Uniform in (0, 1), the same in every run (Knuth's MMIX generator). */
static inline double uniform(struct fixture *f)
{
	f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double)(f->random >> 11) + 0.5) * 0x1p-53;
}

/* Bytes over [begin, end) ns after START. */
static inline double carried(struct fixture *f, int64_t begin, int64_t end)
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
static inline void read_bin(struct fixture *f, int64_t span)
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

static inline void read_until(struct fixture *f, int64_t time, int64_t span)
{
	while (f->until < time)
		read_bin(f, span);
}

static inline double number(const struct gm_finding *finding, enum gm_evidence_id id)
{
	assert_true(gm_evidence_has(&finding->evidence, id));
	return finding->evidence.number[id];
}

static inline double start_of(const struct gm_finding *finding)
{
	return number(finding, GM_EVIDENCE_START) - (double)(START / GM_SECOND);
}

#endif
