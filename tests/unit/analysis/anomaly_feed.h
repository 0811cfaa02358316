/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated series for the tests of the anomaly detector, and a fixture that feeds them: an entity's
 * clock, its detector and what it found. Included by those tests only.
 */
#ifndef GM_TEST_ANOMALY_FEED_H
#define GM_TEST_ANOMALY_FEED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/anomaly.h"
#include "base/clock.h"

#define START INT64_C(1700006400) /* seconds; midnight */
#define HOUR  3600.0
#define DAY   86400.0

struct feed {
	struct gm_anomaly_options options;
	struct gm_detector *detector;
	struct gm_finding_sink sink;
	uint64_t random;
	double step; /* seconds between rows */
	double now;  /* seconds since START */
	unsigned findings, raises;
	double raised_at; /* the first */
	bool active;
	struct gm_finding last, raised;
	double scores; /* their sum so far, weighted by place: differs when any differs */
};

/* The value at a time, in seconds since START. */
typedef double series(struct feed *feed, double time);

static inline void take_finding(void *user, const struct gm_finding *finding)
{
	struct feed *feed = user;

	feed->findings++;
	if (strcmp(finding->metric, "score") != 0)
		return;
	if (finding->active && !feed->active) {
		if (feed->raises++ == 0)
			feed->raised_at = feed->now;
		feed->raised = *finding;
	}
	feed->active = finding->active;
	feed->last = *finding;
}

static inline void feed_open(struct feed *feed, double step)
{
	const struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){7});

	*feed = (struct feed){.step = step, .random = 42};
	feed->sink = (struct gm_finding_sink){.emit = take_finding, .user = feed};
	gm_option_defaults(gm_anomaly_ops.options, &feed->options);
	assert_int_equal(gm_anomaly_ops.create(&feed->options, &key, &feed->detector), 0);
}

static inline void feed_close(struct feed *feed)
{
	gm_anomaly_ops.destroy(feed->detector);
}

static inline int64_t feed_time(const struct feed *feed)
{
	return START * GM_SECOND + (int64_t)llround(feed->now * 1e9);
}

/* 0 to 1, the same at every run (Knuth's linear congruential generator). */
static inline double uniform(struct feed *feed)
{
	feed->random = feed->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(feed->random >> 11) / 9007199254740992.0;
}

/* Mean 0, deviation 1: the sum of twelve. */
static inline double noise(struct feed *feed)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += uniform(feed);
	return sum;
}

static inline void feed_value(struct feed *feed, unsigned metric, double value)
{
	const struct gm_point point = {.metric = metric, .time = feed_time(feed), .value = value};

	gm_anomaly_ops.observe(feed->detector, &point, &feed->sink);
}

static inline void feed_increase(struct feed *feed, const struct gm_entity_key *part,
				 unsigned metric, double increase)
{
	const struct gm_point point = {
		.metric = metric,
		.time = feed_time(feed),
		.span = (int64_t)(feed->step * 1e9),
		.value = increase,
	};

	if (part)
		gm_anomaly_ops.observe_part(feed->detector, part, &point, &feed->sink);
	else
		gm_anomaly_ops.observe(feed->detector, &point, &feed->sink);
}

static inline void feed_end_row(struct feed *feed)
{
	double score = gm_anomaly_ops.score(feed->detector);

	assert_true(score >= 0 && score <= 1);
	feed->scores = fmod(feed->scores * 1.5 + score, 1e6);
	gm_anomaly_ops.evaluate(feed->detector, feed_time(feed), &feed->sink);
	feed->now += feed->step;
}

/* One metric until `end`, in seconds since START. */
static inline void feed_until(struct feed *feed, double end, series *value)
{
	while (feed->now < end) {
		feed_value(feed, GM_METRIC_EXTRA, value(feed, feed->now));
		feed_end_row(feed);
	}
}

#endif
