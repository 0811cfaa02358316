/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theil-Sen line, Mann-Kendall test and Kendall's pair order over short series. Pure numerics; the
 * leak detector calls it for the few series that pass its cheap checks.
 */
#include "analysis/trend.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

enum { PAIRS_MAX = GM_TREND_MAX * (GM_TREND_MAX - 1) / 2 };

/* Standard deviation of a normal distribution over its median absolute deviation. */
#define MAD_TO_SIGMA 1.4826

/* Limits of what a residual and their correlation may contribute to the error of a slope. */
#define STRAY           3.0
#define CORRELATION_MAX 0.98

static void swap(float *a, float *b)
{
	float kept = *a;

	*a = *b;
	*b = kept;
}

/* Hoare's quickselect: values[rank] is in its place, smaller ones before it, larger ones after. */
static float select_rank(float *values, size_t count, size_t rank)
{
	size_t low = 0, high = count - 1;

	while (low < high) {
		float pivot = values[(low + high) / 2];
		size_t i = low, j = high;

		while (i <= j) {
			while (values[i] < pivot)
				i++;
			while (values[j] > pivot)
				j--;
			if (i <= j) {
				swap(&values[i], &values[j]);
				i++;
				if (j == 0)
					break;
				j--;
			}
		}
		if (rank <= j)
			high = j;
		else if (rank >= i)
			low = i;
		else
			break;
	}
	return values[rank];
}

double gm_trend_median(float *values, size_t count)
{
	float upper = select_rank(values, count, count / 2);
	float lower = upper;

	if (count % 2 == 1)
		return upper;
	lower = values[0];
	for (size_t i = 1; i < count / 2; i++) {
		if (values[i] > lower)
			lower = values[i];
	}
	return ((double)lower + upper) / 2;
}

/* The values that are there, with their indexes. */
struct points {
	size_t count;
	float x[GM_TREND_MAX], y[GM_TREND_MAX];
};

static void collect(const float *values, size_t length, struct points *points)
{
	points->count = 0;
	for (size_t i = 0; i < length; i++) {
		if (isnan(values[i]))
			continue;
		points->x[points->count] = (float)i;
		points->y[points->count++] = values[i];
	}
}

/* Sum over groups of equal values of g (g - 1) (2 g + 5), for the variance of the test. */
static double tie_term(const struct points *points)
{
	double term = 0;

	for (size_t i = 0; i < points->count; i++) {
		size_t group = 1;
		bool first = true;

		for (size_t j = 0; j < points->count; j++) {
			if (j == i || points->y[j] != points->y[i])
				continue;
			group++;
			first = first && j > i;
		}
		if (first && group > 1)
			term += (double)group * (double)(group - 1) * (double)(2 * group + 5);
	}
	return term;
}

static double mann_kendall(const struct points *points, double rising, double falling)
{
	double n = (double)points->count, s = rising - falling;
	double variance = (n * (n - 1) * (2 * n + 5) - tie_term(points)) / 18;

	if (variance <= 0 || s == 0)
		return 0;
	return (s - copysign(1, s)) / sqrt(variance);
}

/* Slopes of all pairs into `slopes`; counts pairs that rise and fall. Returns how many pairs. */
static size_t pair_slopes(const struct points *points, float *slopes, double *rising,
			  double *falling)
{
	size_t pairs = 0, up = 0, down = 0;

	for (size_t i = 0; i + 1 < points->count; i++) {
		for (size_t j = i + 1; j < points->count; j++) {
			float rise = points->y[j] - points->y[i];

			up += rise > 0;
			down += rise < 0;
			slopes[pairs++] = rise / (points->x[j] - points->x[i]);
		}
	}
	*rising = (double)up;
	*falling = (double)down;
	return pairs;
}

/* Correlation of neighbouring residuals, none allowed to count more than STRAY times the scatter. */
static double neighbour_correlation(const struct points *points, double slope, double middle,
				    double scatter)
{
	double products = 0, squares = 0, before = 0, r, n = (double)points->count;

	for (size_t i = 0; i < points->count; i++) {
		double residual = points->y[i] - slope * points->x[i] - middle;

		residual = fmin(fmax(residual, -STRAY * scatter), STRAY * scatter);
		products += residual * before;
		squares += residual * residual;
		before = residual;
	}
	if (squares <= 0)
		return 0;
	/* About a fitted line short series show less than there is: 2 / n, and 10 / n of a random walk. */
	r = products / squares;
	return r + (2 + 8 * fmax(r, 0)) / n;
}

static double slope_error(const struct points *points, double slope, double middle, double scatter)
{
	double mean = 0, spread = 0, r;

	r = fmin(fmax(neighbour_correlation(points, slope, middle, scatter), 0), CORRELATION_MAX);
	for (size_t i = 0; i < points->count; i++)
		mean += points->x[i] / (double)points->count;
	for (size_t i = 0; i < points->count; i++)
		spread += (points->x[i] - mean) * (points->x[i] - mean);
	return scatter * sqrt((1 + r) / (1 - r) / spread);
}

int gm_trend_fit(const float *values, size_t length, struct gm_trend *ret_trend)
{
	float scratch[PAIRS_MAX];
	double rising, falling, middle;
	struct points points;
	struct gm_trend trend;
	size_t pairs;

	if (length > GM_TREND_MAX)
		return -EINVAL;
	collect(values, length, &points);
	if (points.count < 3)
		return -EINVAL;

	pairs = pair_slopes(&points, scratch, &rising, &falling);
	trend.count = points.count;
	trend.slope = gm_trend_median(scratch, pairs);
	trend.order = rising + falling > 0 ? (rising - falling) / (rising + falling) : 0;
	trend.z = mann_kendall(&points, rising, falling);

	for (size_t i = 0; i < points.count; i++)
		scratch[i] = (float)(points.y[i] - trend.slope * points.x[i]);
	middle = gm_trend_median(scratch, points.count);
	for (size_t i = 0; i < points.count; i++)
		scratch[i] = (float)fabs(points.y[i] - trend.slope * points.x[i] - middle);
	trend.scatter = MAD_TO_SIGMA * gm_trend_median(scratch, points.count);
	trend.error = slope_error(&points, trend.slope, middle, trend.scatter);
	trend.end = middle + trend.slope * (double)(length - 1);
	*ret_trend = trend;
	return 0;
}
