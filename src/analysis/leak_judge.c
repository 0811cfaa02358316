/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judgement of one time scale of the leak detector. See leak.c for what becomes of it.
 *
 * First comes the share: a growth that lasted a time e and at its present pace uses up the memory
 * after a further time r is believed when e / (e + r) is large enough, the longer the scale the
 * earlier. A start-up, a warm-up or a batch job stops before; what would take years is no alarm.
 *
 * Then its shape. At scales below five minutes limits decide: steady, still going on, near a line, not
 * made of one step (a bulk allocation), and above the heights that the series had before (cycles,
 * sawteeth). At the longer ones, where real machines are noisy, measures are weighed against each
 * other, and what rises at the same hours every day has to leave its heights in any case.
 */
#include "analysis/leak_judge.h"

#include <math.h>

#include "base/clock.h"

/*
 * A growth is steady that is near its line, without a large step, as fast at its end as before. One that is
 * not needs this share at the short scales: services that start in bursts look so before they settle.
 */
#define LOOSE_SHARE    0.46
#define STEADY_SCATTER 0.06 /* of the rise */
#define STEADY_STEP    0.25 /* of the rise */
#define STEADY_LATE    0.75 /* of the slope */

/* Up to this scale a share by pace exceeds the one by bytes by no more than that. */
#define HASTY_MORE 0.04
enum { HASTY_SCALE = 1 };

/*
 * A growth whose past is shorter than a day and than four times itself may be a habit: more share. At the
 * short scales it is one whose past is shorter than itself: it needs what a loose one needs.
 */
#define PAST_DAY           86400.0
#define PAST_WEEK          (7 * PAST_DAY)
#define PAST_TIMES         4.0
#define NOVEL_SHARE        0.5
#define NOVEL_SHARE_STEADY 0.45

/* However cautious: this share is believed. */
#define SHARE_MAX 0.9

/* Less than this part of the memory is no growth: keeps the drift of a full machine quiet. */
#define RISE_LEAST 0.01

/* What rose so much at the same hours of another day has to leave its heights by this. */
#define HABIT       0.5
#define ABOVE_HABIT 0.15

/* Limits of the short scales, as parts of the rise. */
#define ORDER_MIN   0.6
#define PACE_MIN    0.3 /* of the slope, over the newest bins: a plateau has none */
#define SCATTER_MAX 0.2
#define STEP_MAX    0.5
#define ABOVE_MIN   0.6
#define ABOVE_FALL  0.4 /* per unit of share above what is needed: late is late */
#define ABOVE_LEAST 0.1

struct scale_rule {
	size_t bins;  /* the fewest of a growth */
	double share; /* needed */
	bool weighed; /* by the weights below; else by the limits */
	double bias;  /* of the weights */
};

static const struct scale_rule rules[GM_LEAK_SCALES] = {
	{8, 0.46, false, 0},      /* 1 s */
	{8, 0.46, false, 0},      /* 4 s */
	{10, 0.30, false, 0},     /* 20 s */
	{10, 0.30, false, 0},     /* 1 min */
	{10, 0.15, true, -13.78}, /* 5 min */
	{10, 0.06, true, -9.94},  /* 20 min */
	{10, 0.06, true, -9.38},  /* 1 h */
	{8, 0.075, true, -7.19},  /* 4 h */
};

/*
 * A logistic model, fitted (maximum likelihood with a small ridge, cross-validated by machine) to
 * seven-day recordings of 250 virtual machines of the Bitbrains trace (GWA-T-12; S. Shen et al., CCGrid
 * 2015), with and without leaks of 12 hours to 14 days added. The threshold allows one false alarm in
 * about 1,400 machine-days there.
 */
#define WEIGHT_SCATTER -1.093 /* of the logarithm of scatter / rise */
#define WEIGHT_SWING   -0.796 /* of the logarithm of swing / rise */
#define WEIGHT_ABOVE   1.532  /* of the part of the rise above the past's height */
#define WEIGHT_TREND   2.059  /* of z / sqrt(bins) */
#define WEIGHT_LENGTH  0.963  /* of sqrt(bins) */
#define THRESHOLD      2.2

bool gm_leak_judge_knows(const struct gm_leak_bins *bins)
{
	for (size_t i = 0; i < GM_LEAK_SCALES; i++) {
		if (gm_leak_bins_usable(bins, i) >= rules[i].bins)
			return true;
	}
	return false;
}

static double clamp(double value, double least, double most)
{
	return fmin(fmax(value, least), most);
}

static double lasted(const struct gm_leak_growth *growth)
{
	return (double)(growth->end - growth->onset) / (double)GM_SECOND;
}

/*
 * The part of the growth's whole way, from onset to exhaustion at its present pace, that is behind it. The
 * pace of a few bins says little: at the finest scales it counts no more than what has been eaten.
 */
static double share_of(const struct gm_leak_growth *growth, double total)
{
	double left = fmax(total - growth->top, 0);
	double share = lasted(growth) / (lasted(growth) + left / growth->late);

	if (growth->scale > HASTY_SCALE)
		return share;
	return fmin(share, growth->rise / (growth->rise + left) + HASTY_MORE);
}

static bool is_steady(const struct gm_leak_growth *growth)
{
	return growth->scatter <= STEADY_SCATTER * growth->rise &&
	       growth->step <= STEADY_STEP * growth->rise &&
	       growth->late >= STEADY_LATE * growth->slope;
}

/* What a growth needs whatever its past. */
static double least_share(const struct gm_leak_growth *growth)
{
	if (rules[growth->scale].weighed || is_steady(growth))
		return rules[growth->scale].share;
	return fmax(rules[growth->scale].share, LOOSE_SHARE);
}

/* A growth that has no past to be held against. */
static bool is_novel(const struct gm_leak_growth *growth)
{
	if (!rules[growth->scale].weighed)
		return growth->past < lasted(growth);
	return growth->past < PAST_DAY && growth->past < PAST_TIMES * lasted(growth);
}

static double novel_share(const struct gm_leak_growth *growth)
{
	if (!rules[growth->scale].weighed)
		return fmax(least_share(growth), LOOSE_SHARE);
	return is_steady(growth) ? NOVEL_SHARE_STEADY : NOVEL_SHARE;
}

/* The part of the rise that lies above the past's height. */
static double part_above(const struct gm_leak_growth *growth)
{
	return (growth->top - growth->high) / growth->rise;
}

/*
 * It has risen like that at the same hours of another day, and is not above its heights yet. A step since
 * then lifted it, not a growth. Where no week is known, the days known may be the quiet ones: this one may
 * rise by as much more as a habit may differ.
 */
static bool is_habit(const struct gm_leak_growth *growth)
{
	double above = part_above(growth) - growth->lift / growth->rise;

	return growth->daily > HABIT * growth->rise &&
	       above < (growth->past < PAST_WEEK ? HABIT : ABOVE_HABIT);
}

static bool within_limits(const struct gm_leak_growth *growth, double surplus)
{
	double above = fmax(ABOVE_MIN - ABOVE_FALL * surplus, ABOVE_LEAST);

	return growth->order >= ORDER_MIN && growth->pace >= PACE_MIN * growth->slope &&
	       growth->scatter <= SCATTER_MAX * growth->rise &&
	       growth->step <= STEP_MAX * growth->rise && part_above(growth) >= above;
}

static double log_ratio(double part, double whole)
{
	return log(clamp(part / whole, 0.01, 100));
}

static double weigh(const struct gm_leak_growth *growth)
{
	double length = sqrt((double)growth->bins);

	return rules[growth->scale].bias +
	       WEIGHT_SCATTER * log_ratio(growth->scatter, growth->rise) +
	       WEIGHT_SWING * log_ratio(growth->swing, growth->rise) +
	       WEIGHT_ABOVE * clamp(isinf(growth->high) ? 1 : part_above(growth), -2, 1.5) +
	       WEIGHT_TREND * growth->z / length + WEIGHT_LENGTH * length - THRESHOLD;
}

/* Its shape and its past, for a growth with a share that is `surplus` above the needed one. */
static bool is_convincing(const struct gm_leak_growth *growth, double surplus,
			  double *ret_confidence)
{
	double score;

	if (!rules[growth->scale].weighed) {
		*ret_confidence = clamp(growth->order * (1 - growth->scatter / growth->rise), 0, 1);
		return within_limits(growth, surplus);
	}
	score = weigh(growth);
	*ret_confidence = 1 / (1 + exp(-score));
	return score > 0 && !is_habit(growth);
}

bool gm_leak_judge(const struct gm_leak_bins *bins, size_t scale, double total, double caution,
		   struct gm_leak_growth *ret_growth, double *ret_confidence)
{
	const struct scale_rule *rule = &rules[scale];
	double left, share, needed, least, confidence;
	struct gm_leak_growth growth;

	if (bins->scales[scale].count < rule->bins)
		return false;
	/* The share in terms of bytes, halved: cheap, and passes all that can matter. */
	left = fmax(total - (double)gm_leak_bin(&bins->scales[scale], 0)->floor, 0);
	least = fmax(rule->share * caution / 2 * left, RISE_LEAST * total);
	if (!gm_leak_growth_find(bins, scale, rule->bins, least, &growth))
		return false;

	share = share_of(&growth, total);
	needed = fmin(least_share(&growth) * caution, SHARE_MAX);
	if (share < needed)
		return false;
	gm_leak_growth_past(bins, &growth);
	if (is_novel(&growth))
		needed = fmin(novel_share(&growth) * caution, SHARE_MAX);
	if (share < needed || !is_convincing(&growth, share - needed, &confidence))
		return false;
	*ret_confidence = confidence;
	*ret_growth = growth;
	return true;
}
