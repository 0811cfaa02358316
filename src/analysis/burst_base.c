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
#define READY_BINS   12.0
#define LENGTH_MOST  8.0
#define LENGTH_LEAST 0.25

/*
 * Traffic is not normal: its rare high bins reach farther. Two upper quantiles are followed by
 * stochastic approximation, the higher one from the cautious end, and a Weibull tail through them
 * tells what is out of reach.
 */
#define TAIL_STEP 0.1
#define TENTH     0.1
#define HUNDREDTH 0.01
#define TAIL_BINS 64.0

/* Where the quantiles start, in deviations: the normal one's, and above it. */
#define TENTH_FIRST     1.28
#define HUNDREDTH_FIRST 3.0

/* Even of traffic with two thirds of its bins below the mean, one run in a quarter of a million. */
enum { RUN_MOST = 32 };

/* Times the upper quantile. */
#define OUTLIER 1.5

/* Out of reach is what one bin in a million exceeds: one of a quiet interface in hours. */
#define RARE 1e-6

/* Keeps the tail from being taken for a sharp edge: uniform noise has 1.2, normal 1.8. */
#define RATIO_LEAST 1.5

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
	return sqrt(fmax(base->variance, base->slow_variance) / bounded(length));
}

/*
 * Half of the bins lie above the mean; of those the share exp(-(x / scale)^shape) lies above x. Two
 * points give the shape, and with it the reach of any smaller share.
 */
double gm_burst_base_reach(const struct gm_burst_base *base)
{
	if (base->slow_weight < TAIL_BINS || base->tenth <= 0)
		return INFINITY;
	double ratio = fmax(base->hundredth / base->tenth, RATIO_LEAST);
	double shape = log(log(2 * HUNDREDTH) / log(2 * TENTH)) / log(ratio);
	return base->hundredth * pow(log(2 * RARE) / log(2 * HUNDREDTH), 1 / shape);
}

double gm_burst_base_recent(const struct gm_burst_base *base, double length)
{
	return sqrt(base->variance / bounded(length));
}

double gm_burst_base_high(const struct gm_burst_base *base, double length)
{
	if (base->weight < FAST_BINS)
		return 0;
	return base->mean + base->hundredth * gm_burst_base_recent(base, length);
}

static void learn_tail(struct gm_burst_base *base, double off, double length)
{
	double deviation = gm_burst_base_deviation(base, length);
	if (base->tenth <= 0) {
		base->tenth = TENTH_FIRST;
		base->hundredth = HUNDREDTH_FIRST;
	}
	base->tenth += TAIL_STEP * ((off > base->tenth * deviation) - TENTH);
	base->hundredth += TAIL_STEP * ((off > base->hundredth * deviation) - HUNDREDTH);
	base->tenth = fmax(base->tenth, TENTH_FIRST / 4);
}

/* A single bin far off moves the background no more than one at this distance. */
static double tempered(const struct gm_burst_base *base, double off, double length, double grain)
{
	double deviation = fmax(gm_burst_base_deviation(base, length), grain);
	double most = OUTLIER * fmax(base->hundredth, HUNDREDTH_FIRST) * deviation;
	return fmin(fmax(off, -most), most);
}

void gm_burst_base_forget(struct gm_burst_base *base)
{
	base->weight = 0;
	base->mean = 0;
	base->variance = 0;
	base->run = 0;
}

/*
 * True when so many bins in a row lay on one side of the mean that it cannot be that of these
 * bins: a level has changed by too little, or amid too much, to be seen at once.
 */
static bool is_one_sided(struct gm_burst_base *base, double off)
{
	int side = (off > 0) - (off < 0);
	bool same = side != 0 && (base->run > 0) == (side > 0);
	base->run = same ? base->run + side : side;
	return abs(base->run) >= RUN_MOST;
}

void gm_burst_base_learn(struct gm_burst_base *base, double rate, double length, double grain)
{
	double weight = bounded(length);
	if (is_one_sided(base, rate - base->mean))
		gm_burst_base_forget(base);
	double off = rate - base->mean;
	double part = weight / (base->weight + weight);
	if (gm_burst_base_ready(base)) {
		learn_tail(base, off, weight);
		off = tempered(base, off, weight, grain);
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
