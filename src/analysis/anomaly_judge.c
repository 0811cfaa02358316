/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Score, alerts and threshold; see anomaly_judge.h. Pure. Called by the anomaly detector.
 */
#include "analysis/anomaly_judge.h"

#include <math.h>
#include <stdbool.h>

#define DAY 86400.0

/* A surprise below this is none: chance alone brings it now and then. */
#define ALERT_LEAST 2.0

/* An alert quiets what follows for so many rows, unless that is so many times more surprising. */
enum { QUIET = 120 };
#define OUTDOES 2.0

/* Rows that the excess is smoothed over; all three count alike. */
static const double smooth_rows[GM_ANOMALY_SMOOTHS] = {5, 25, 100};

/* A surprise, an excess that are half of all there can be. */
#define ALERT_HALF  8.0
#define EXCESS_HALF 10.0

/* Rows that one alert is expected in: a day of five minutes each. */
#define USUAL_ROWS 288.0

/* How much further an alert reaches usually, and how many alerts what is usual counts for. */
#define USUAL_HEIGHT 2.0
#define USUAL_ALERTS 2.0

/* How rare an alert still makes its kind more usual; rarer ones are true events. */
#define RARE 0.1

/* What is older counts less: the past is halved when it is longer than this. */
#define PAST (60 * DAY)

static double count_of(const struct gm_anomaly_judge *judge)
{
	return judge->alerts + USUAL_ALERTS;
}

/* Alerts in as many rows as usually bring one. */
static double rate_of(const struct gm_anomaly_judge *judge)
{
	return count_of(judge) / (judge->rows / USUAL_ROWS + USUAL_ALERTS);
}

/* The surprise that comes `part` times as often as alerts do. */
static double reach(const struct gm_anomaly_judge *judge, double part)
{
	double height = (judge->height + USUAL_ALERTS * USUAL_HEIGHT) / count_of(judge);

	return ALERT_LEAST + height * log(fmax(1 / part, 1));
}

static double fresh(const struct gm_anomaly_judge *judge, double surprise)
{
	bool quiet = judge->quiet > 1 && surprise <= OUTDOES * judge->told;

	return surprise < ALERT_LEAST || quiet ? 0 : surprise;
}

static double smoothed(const struct gm_anomaly_judge *judge, unsigned i, double excess)
{
	return judge->excess[i] + (excess - judge->excess[i]) / smooth_rows[i];
}

struct gm_anomaly_verdict gm_anomaly_judge_peek(const struct gm_anomaly_judge *judge,
						double surprise, double excess)
{
	struct gm_anomaly_verdict verdict = {.alert = fresh(judge, surprise)};
	double level = 0;

	for (unsigned i = 0; i < GM_ANOMALY_SMOOTHS; i++)
		level += smoothed(judge, i, excess) / GM_ANOMALY_SMOOTHS;
	verdict.score = level / (level + EXCESS_HALF) / 2;
	if (verdict.alert > 0 && verdict.alert >= reach(judge, 1 / rate_of(judge)))
		verdict.score = gm_anomaly_judge_weigh(judge, verdict.alert);
	return verdict;
}

double gm_anomaly_judge_weigh(const struct gm_anomaly_judge *judge, double surprise)
{
	double weight = fmax(surprise - log(rate_of(judge)), 0);

	return (1 + weight / (weight + ALERT_HALF)) / 2;
}

void gm_anomaly_judge_take(struct gm_anomaly_judge *judge, double surprise, double excess,
			   double seconds)
{
	double alert = fresh(judge, surprise);

	for (unsigned i = 0; i < GM_ANOMALY_SMOOTHS; i++)
		judge->excess[i] = smoothed(judge, i, excess);
	judge->rows++;
	judge->seconds += seconds;
	if (judge->quiet > 0)
		judge->quiet--;
	if (alert > 0) {
		double most = reach(judge, RARE / rate_of(judge));

		judge->told = alert;
		judge->quiet = QUIET;
		judge->alerts++;
		judge->height += fmin(alert, most) - ALERT_LEAST;
	}
	if (judge->seconds > PAST) {
		judge->seconds /= 2;
		judge->rows /= 2;
		judge->alerts /= 2;
		judge->height /= 2;
	}
}

double gm_anomaly_judge_threshold(const struct gm_anomaly_judge *judge, double per_day)
{
	/* What is usual is a guess about rows; rows become days by their length so far. */
	double row = judge->rows > 0 ? judge->seconds / judge->rows : DAY / USUAL_ROWS;
	double days = (judge->rows + USUAL_ALERTS * USUAL_ROWS) * row / DAY;

	return reach(judge, per_day / fmax(count_of(judge) / fmax(days, 1e-9), 1e-9));
}

void gm_anomaly_judge_exchange(struct gm_anomaly_judge *judge, struct gm_archive *archive)
{
	gm_archive_numbers(archive, judge->excess, GM_ANOMALY_SMOOTHS);
	gm_archive_number(archive, &judge->told);
	gm_archive_u32(archive, &judge->quiet, QUIET);
	gm_archive_number(archive, &judge->alerts);
	gm_archive_number(archive, &judge->height);
	gm_archive_number(archive, &judge->rows);
	gm_archive_number(archive, &judge->seconds);
}
