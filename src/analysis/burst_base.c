/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Background of a direction; see burst_base.h. Weighted means that forget (West, "Updating mean and
 * variance estimates", CACM 22(9), 1979). A bin n times as long as usual counts n times, and its
 * squared residual n times as well, because the mean of n bins varies n times less.
 */
#include "analysis/burst_base.h"

#include <math.h>

/* In usual bins. The slow variance remembers what a short quiet spell would make forget. */
#define FAST_BINS    32.0
#define SLOW_BINS    256.0
#define READY_BINS   12.0
#define LENGTH_MOST  8.0
#define LENGTH_LEAST 0.25

/*
 * Traffic is not normal: how far its highest hundredth of bins reaches is learned (stochastic
 * approximation of a quantile), starting from the cautious end.
 */
#define TAIL_PART  0.01
#define TAIL_STEP  0.1
#define TAIL_FIRST 3.5
#define TAIL_LEAST 2.33 /* of the normal distribution */
#define TAIL_BINS  64.0

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

double gm_burst_base_tail(const struct gm_burst_base *base)
{
	if (base->slow_weight < TAIL_BINS)
		return INFINITY;
	return fmax(base->tail, TAIL_LEAST);
}

static void learn_tail(struct gm_burst_base *base, double off, double length)
{
	double deviation = gm_burst_base_deviation(base, length);
	if (base->tail <= 0)
		base->tail = TAIL_FIRST;
	base->tail += TAIL_STEP * ((off > base->tail * deviation) - TAIL_PART);
}

void gm_burst_base_learn(struct gm_burst_base *base, double rate, double length)
{
	double weight = bounded(length);
	double off = rate - base->mean;
	double part = weight / (base->weight + weight);
	base->mean += part * off;
	/* The first bins say nothing of the variance: the mean is still on its way. */
	if (gm_burst_base_ready(base))
		learn_tail(base, off, weight);
	if (base->weight > 0) {
		double square = off * off * weight * (1 - part);
		base->variance += part * (square - base->variance);
		base->slow_variance +=
		    weight / (base->slow_weight + weight) * (square - base->slow_variance);
		base->slow_weight = fmin(base->slow_weight + weight, SLOW_BINS);
	}
	base->weight = fmin(base->weight + weight, FAST_BINS);
}

void gm_burst_base_forget(struct gm_burst_base *base)
{
	base->weight = 0;
	base->mean = 0;
	base->variance = 0;
}
