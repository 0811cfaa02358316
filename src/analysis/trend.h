/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Robust straight lines through a short series of equally spaced values, some of which may be missing
 * (NaN). Pure numerics: no time, no units; the abscissa is the index.
 *
 * Sources: slope: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA
 * 63 (1968). Test: H. B. Mann, Econometrica 13 (1945); variance with ties: M. G. Kendall, "Rank
 * Correlation Methods" (1975). Order of pairs: L. A. Goodman and W. H. Kruskal, JASA 49 (1954).
 * Error: that of least squares, times sqrt((1 + r) / (1 - r)) for residuals that follow each other with
 * a correlation of r (M. S. Bartlett, JRSS 98 (1935)).
 */
#ifndef GM_ANALYSIS_TREND_H
#define GM_ANALYSIS_TREND_H

#include <stddef.h>

enum { GM_TREND_MAX = 48 };

struct gm_trend {
	size_t count;   /* values that were there */
	double slope;   /* median slope of all pairs, per index */
	double end;     /* the line's value at the last index */
	double error;   /* standard error of the slope; neighbours that stray together count less */
	double scatter; /* standard deviation about the line, from the median of |residual| */
	double order;   /* gamma: (rising pairs - falling pairs) / (both), -1 to 1; ties left out */
	double z;       /* Mann-Kendall, variance with ties: 0 without trend, about 2.6 at 99 % */
};

/* 0; -EINVAL with fewer than three values or more than GM_TREND_MAX indexes. */
int gm_trend_fit(const float *values, size_t length, struct gm_trend *ret_trend);

/* The median of `count` values (at least one), which are reordered. */
double gm_trend_median(float *values, size_t count);

#endif
