/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Background of a direction; see burst_base.h. Weighted means that forget (West, "Updating mean and
 * variance estimates", CACM 22(9), 1979). A bin n times as long as usual counts n times, and its
 * squared residual n times as well, because the mean of n bins varies n times less.
 */
#include "analysis/burst_base.h"

#include <math.h>
#include <stdlib.h>

/* In usual bins. The slow variance remembers what a short quiet spell would make forget. */
#define FAST_BINS    32.0
#define SLOW_BINS    256.0
#define SKEW_BINS    1024.0
#define READY_BINS   12.0
#define LENGTH_MOST  8.0
#define LENGTH_LEAST 0.25

/* From here on the shape of the tail is known well enough to tell a brief burst. */
#define TAIL_BINS 64.0

/* Skewness before anything is known: as cautious as exponential traffic asks for, for that many bins. */
#define SKEW_FIRST 1.0
#define SKEW_PRIOR 64.0

/*
 * The tail is compared with that of the distribution where one bin in a thousand should lie, by stochastic
 * approximation: how much farther (or less far) it reaches than that.
 */
#define TAIL_SHARE    0.001
#define TAIL_QUANTILE 3.090
#define TAIL_STEP     0.02
#define STRETCH_LEAST 0.5
#define STRETCH_MOST  4.0

/* No correlation of neighbours is assumed at first, for that many bins. */
#define FOLLOW_PRIOR 64.0

/* What a few dozen bins say of the variance is uncertain by about this. */
#define FAST_DOUBT 0.75

/* Even of traffic with two thirds of its bins below the mean, one run in a quarter of a million. */
enum { RUN_MOST = 32 };

/* Part of a rate: traffic that never changes is on no side of its mean. */
#define ROUNDING 1e-6

/* In deviations: a single bin moves the background no more than one at this distance. */
#define OUTLIER 4.5

/* Of what is read back: bit/s, and skewness; tempered residuals never get there. */
#define RATE_MOST 1e18
#define SKEW_MOST 1e3

/* Upper quantile of one in a hundred of the normal distribution. */
#define HUNDREDTH 2.326

static double bounded(double length)
{
	return fmin(fmax(length, LENGTH_LEAST), LENGTH_MOST);
}

bool gm_burst_base_ready(const struct gm_burst_base *base)
{
	return base->weight >= READY_BINS;
}

double gm_burst_base_deviation(const struct gm_burst_base *base, double length)
{
	return sqrt(fmax(base->variance * FAST_DOUBT, base->slow_variance) / bounded(length));
}

/* Of the standard normal distribution (Abramowitz and Stegun 26.2.23). */
static double normal_reach(double rare)
{
	double t = sqrt(-2 * log(rare));
	return t - (2.515517 + t * (0.802853 + t * 0.010328)) /
			   (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/* Of the Pearson III distribution (Wilson and Hilferty, PNAS 17(12), 1931), from the normal one's. */
static double skewed_reach(double normal, double skew)
{
	if (skew < 0.01)
		return normal;
	double root = 1 + skew / 6 * (normal - skew / 6);
	return 2 / skew * (root * root * root - 1);
}

/* Sums of bins are less skewed than one. */
static double skew_of(const struct gm_burst_base *base, double length)
{
	return fmax(base->skew, 0) / sqrt(fmax(bounded(length), 1));
}

double gm_burst_base_reach(const struct gm_burst_base *base, double length, double rare)
{
	if (base->slow_weight < TAIL_BINS)
		return INFINITY;
	return base->stretch * skewed_reach(normal_reach(rare), skew_of(base, length));
}

double gm_burst_base_recent(const struct gm_burst_base *base, double length)
{
	return sqrt(base->variance / bounded(length));
}

double gm_burst_base_high(const struct gm_burst_base *base, double length)
{
	if (base->weight < FAST_BINS)
		return 0;
	double reach = skewed_reach(HUNDREDTH, skew_of(base, length));
	return base->mean + reach * gm_burst_base_recent(base, length);
}

double gm_burst_base_expected(const struct gm_burst_base *base, double rate)
{
	return base->mean + fmax(base->follow, 0) * fmax(rate - base->mean, 0);
}

double gm_burst_base_together(const struct gm_burst_base *base, size_t count)
{
	return count > 1 ? sqrt(1 + fmax(base->follow, 0)) : 1;
}

/* A (tempered) residual and the one before it tell whether bins follow each other. */
static void learn_follow(struct gm_burst_base *base, double off)
{
	double variance = fmax(base->variance * FAST_DOUBT, base->slow_variance);
	if (base->follow_weight <= 0)
		base->follow_weight = FOLLOW_PRIOR;
	if (variance > 0) {
		double product = fmin(fmax(off * base->last / variance, -OUTLIER), OUTLIER);
		base->follow += (product - base->follow) / (base->follow_weight + 1);
		base->follow = fmin(fmax(base->follow, -1), 1);
		base->follow_weight = fmin(base->follow_weight + 1, SKEW_BINS);
	}
	base->last = off;
}

/* A residual of `off` tells of the distribution's shape. */
static void learn_shape(struct gm_burst_base *base, double off, double length)
{
	double deviation = gm_burst_base_deviation(base, length);
	if (base->skew_weight <= 0) {
		base->skew_weight = SKEW_PRIOR;
		base->skew = SKEW_FIRST;
		base->stretch = 1;
	}
	if (deviation <= 0)
		return;
	double ratio = off / deviation;
	double limit = base->stretch * skewed_reach(TAIL_QUANTILE, skew_of(base, length));
	base->stretch += TAIL_STEP * ((ratio > limit) - TAIL_SHARE);
	base->stretch = fmin(fmax(base->stretch, STRETCH_LEAST), STRETCH_MOST);
	/* The mean of n bins has a skewness that is smaller by the root of n. */
	ratio = fmin(fmax(ratio, -1.5 * OUTLIER), 1.5 * OUTLIER);
	double cube = ratio * ratio * ratio * sqrt(length);
	base->skew += (cube - base->skew) / (base->skew_weight + 1);
	base->skew_weight = fmin(base->skew_weight + 1, SKEW_BINS);
}

/* A single bin far off moves the background no more than one at this distance. */
static double tempered(const struct gm_burst_base *base, double off, double length, double grain)
{
	double deviation = fmax(gm_burst_base_deviation(base, length), grain);
	double most = OUTLIER * fmax(1, base->stretch) * deviation;
	return fmin(fmax(off, -most), most);
}

/* Where the level before is within reach of `rate`. */
static bool is_back(const struct gm_burst_level *before, double rate)
{
	return before->weight >= READY_BINS &&
	       fabs(rate - before->mean) <= 2 * sqrt(before->variance);
}

void gm_burst_base_move(struct gm_burst_base *base, double rate)
{
	struct gm_burst_level left = {
		.weight = base->weight,
		.mean = base->mean,
		.variance = fmax(base->variance, base->slow_variance),
	};
	double ratio = base->mean > 0 ? rate / base->mean : 1;
	base->run = 0;
	base->last = 0;
	if (is_back(&base->before, rate)) {
		base->mean = base->before.mean;
		base->weight = READY_BINS;
		base->variance = base->slow_variance = base->before.variance;
	} else {
		/* Down, the variation shrinks less surely than the rate. */
		double scale = ratio > 1 ? ratio * ratio : ratio;
		base->mean = rate;
		base->weight = base->slow_weight >= TAIL_BINS ? READY_BINS : 1;
		base->slow_variance *= scale;
		base->variance = base->slow_variance;
	}
	base->slow_weight = fmin(base->slow_weight, TAIL_BINS);
	if (left.weight >= READY_BINS)
		base->before = left;
}

/*
 * True when so many bins in a row lay on one side of the mean that it cannot be that of these
 * bins: a level has changed by too little, or amid too much, to be seen at once.
 */
static bool is_one_sided(struct gm_burst_base *base, double off)
{
	double same_rate = ROUNDING * fabs(base->mean);
	int side = (off > same_rate) - (off < -same_rate);
	bool same = side != 0 && (base->run > 0) == (side > 0);
	base->run = same ? base->run + side : side;
	return abs(base->run) >= RUN_MOST;
}

void gm_burst_base_learn(struct gm_burst_base *base, double rate, double length, double grain)
{
	double weight = bounded(length);
	if (is_one_sided(base, rate - base->mean)) {
		base->run = 0;
		base->weight = fmin(base->weight, 2);
	}
	double off = rate - base->mean;
	double part = weight / (base->weight + weight);
	if (gm_burst_base_ready(base)) {
		learn_shape(base, off, weight);
		off = tempered(base, off, weight, grain);
		learn_follow(base, off);
	}
	base->mean += part * off;
	/* The first bins say nothing of the variance: the mean is still on its way. */
	if (base->weight > 0) {
		double square = off * off * weight * (1 - part);
		base->variance += part * (square - base->variance);
		base->slow_variance +=
			weight / (base->slow_weight + weight) * (square - base->slow_variance);
		base->slow_weight = fmin(base->slow_weight + weight, SLOW_BINS);
	}
	base->weight = fmin(base->weight + weight, FAST_BINS);
}

static void exchange_within(struct gm_archive *archive, double *value, double least, double most)
{
	gm_archive_number(archive, value);
	if (!(*value >= least && *value <= most))
		archive->failed = true;
}

void gm_burst_base_exchange(struct gm_burst_base *base, struct gm_archive *archive)
{
	int64_t run = base->run;
	exchange_within(archive, &base->weight, 0, FAST_BINS);
	exchange_within(archive, &base->mean, -RATE_MOST, RATE_MOST);
	exchange_within(archive, &base->variance, 0, RATE_MOST * RATE_MOST);
	exchange_within(archive, &base->slow_weight, 0, SLOW_BINS);
	exchange_within(archive, &base->slow_variance, 0, RATE_MOST * RATE_MOST);
	exchange_within(archive, &base->skew_weight, 0, SKEW_BINS);
	exchange_within(archive, &base->skew, -SKEW_MOST, SKEW_MOST);
	exchange_within(archive, &base->stretch, 0, STRETCH_MOST);
	exchange_within(archive, &base->before.weight, 0, FAST_BINS);
	exchange_within(archive, &base->before.mean, -RATE_MOST, RATE_MOST);
	exchange_within(archive, &base->before.variance, 0, RATE_MOST * RATE_MOST);
	exchange_within(archive, &base->last, -RATE_MOST, RATE_MOST);
	exchange_within(archive, &base->follow_weight, 0, SKEW_BINS);
	exchange_within(archive, &base->follow, -1, 1);
	gm_archive_int(archive, &run, -RUN_MOST, RUN_MOST);
	base->run = (int)run;
}
