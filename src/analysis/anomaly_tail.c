/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest values of one side, and how far beyond them a value lies; see anomaly_tail.h. Pure.
 * Called by the series of the anomaly detector.
 */
#include "analysis/anomaly_tail.h"

#include <math.h>
#include <string.h>

/* The tail index: its usual value, how many values that counts for, and what is plausible. */
#define INDEX_USUAL  0.4
#define INDEX_WEIGHT 4.0
#define INDEX_MIN    0.1
#define INDEX_MAX    0.45

/* Old heights sink towards the centre: by half within this many values. */
#define HALF_LIFE 20000.0

/* So do those of the hours of the day: what is left of them after a day. */
#define DAY_KEEPS 0.95

/* What an hour's height counts for, and how a step beyond it is weighed. */
#define HOUR_PART  0.8
#define HOUR_STEPS 2.0

void gm_anomaly_tail_reset(struct gm_anomaly_tail *tail)
{
	*tail = (struct gm_anomaly_tail){.hour = -INFINITY};
	for (unsigned hour = 0; hour < GM_ANOMALY_HOURS; hour++)
		tail->peaks[hour] = NAN;
}

/* Puts `value` in its place among the largest; what is too small or falls out is forgotten. */
static void keep(struct gm_anomaly_tail *tail, float value)
{
	for (unsigned i = 0; i < tail->kept; i++) {
		if (value > tail->tops[i]) {
			float smaller = tail->tops[i];
			tail->tops[i] = value;
			value = smaller;
		}
	}
	if (tail->kept < GM_ANOMALY_TOPS)
		tail->tops[tail->kept++] = value;
}

/* The largest that was seen on earlier days within an hour of this one; -INFINITY: none was. */
static double hour_peak(const struct gm_anomaly_tail *tail, unsigned hour)
{
	double peak = -INFINITY;

	for (unsigned k = GM_ANOMALY_HOURS - 1; k <= GM_ANOMALY_HOURS + 1; k++) {
		double seen = (double)tail->peaks[(hour + k) % GM_ANOMALY_HOURS];

		if (seen > peak) /* not when NaN */
			peak = seen;
	}
	return peak;
}

/* Hill's estimator over the kept values, which are `limit` at least. */
static double tail_index(const struct gm_anomaly_tail *tail, double centre, double limit)
{
	double sum = INDEX_USUAL * INDEX_WEIGHT;

	for (unsigned i = 0; i < tail->kept; i++) {
		double height = (double)tail->tops[i] - centre;

		if (height > limit)
			sum += log(height / limit);
	}
	return fmin(fmax(sum / (tail->kept + INDEX_WEIGHT), INDEX_MIN), INDEX_MAX);
}

double gm_anomaly_tail_surprise(const struct gm_anomaly_tail *known, double value, double centre,
				double floor, unsigned hour)
{
	double height = value - centre;

	if (!(height > floor))
		return 0;
	/* Usually it is below what is known, and nothing needs to be copied. */
	if (known->kept == GM_ANOMALY_TOPS && value <= (double)known->tops[GM_ANOMALY_TOPS - 1])
		return 0;
	struct gm_anomaly_tail tail = *known;
	if (tail.filled > 0)
		keep(&tail, tail.block);
	if (tail.kept == 0)
		return 0;
	double limit = fmax((double)tail.tops[tail.kept - 1] - centre, floor);
	if (!(height > limit))
		return 0;
	double index = tail_index(&tail, centre, limit);
	double surprise = log(height / limit) / index;
	double usual = (hour_peak(&tail, hour) - centre) * HOUR_PART;
	if (usual > limit)
		surprise = fmin(surprise, fmax(HOUR_STEPS * log(height / usual) / index, 0));
	return surprise;
}

void gm_anomaly_tail_add(struct gm_anomaly_tail *tail, double value, double centre, bool closes)
{
	float height = (float)value;

	if (tail->filled == 0 || height > tail->block)
		tail->block = height;
	if (height > tail->hour)
		tail->hour = height;
	tail->filled++;
	if (tail->filled < GM_ANOMALY_BLOCK && !closes)
		return;
	double rest = exp2(-GM_ANOMALY_BLOCK / HALF_LIFE);
	for (unsigned i = 0; i < tail->kept; i++)
		tail->tops[i] = (float)(centre + ((double)tail->tops[i] - centre) * rest);
	keep(tail, tail->block);
	tail->filled = 0;
}

/* What an hour showed becomes known for the same hour of the days to come. */
static void settle(struct gm_anomaly_tail *tail, unsigned hour, float height, double centre)
{
	double before = (double)tail->peaks[hour];

	if (isinf(height))
		return; /* nothing was seen in it */
	if (before > centre)
		before = centre + (before - centre) * DAY_KEEPS;
	if ((double)height > before || isnan(before))
		before = (double)height;
	tail->peaks[hour] = (float)before;
}

void gm_anomaly_tail_hour(struct gm_anomaly_tail *tail, const struct gm_anomaly_hours *hours,
			  double centre)
{
	unsigned count = hours->pending;

	if (count == GM_ANOMALY_PENDING) {
		settle(tail, hours->waiting[0], tail->pending[0], centre);
		memmove(tail->pending, tail->pending + 1,
			(GM_ANOMALY_PENDING - 1) * sizeof(tail->pending[0]));
		count--;
	}
	tail->pending[count] = tail->hour;
	tail->hour = -INFINITY;
}

void gm_anomaly_hours_next(struct gm_anomaly_hours *hours, unsigned hour)
{
	if (hours->pending == GM_ANOMALY_PENDING) {
		memmove(hours->waiting, hours->waiting + 1,
			(GM_ANOMALY_PENDING - 1) * sizeof(hours->waiting[0]));
		hours->pending--;
	}
	hours->waiting[hours->pending++] = hours->current;
	hours->current = (uint16_t)hour;
}

/* NaN and -INFINITY are fair values here; as a double they pass. */
static void exchange_height(struct gm_archive *archive, float *height)
{
	uint32_t bits;

	memcpy(&bits, height, sizeof(bits));
	gm_archive_u32(archive, &bits, UINT32_MAX);
	memcpy(height, &bits, sizeof(bits));
}

void gm_anomaly_tail_exchange(struct gm_anomaly_tail *tail, struct gm_archive *archive)
{
	gm_archive_u16(archive, &tail->kept, GM_ANOMALY_TOPS);
	gm_archive_u16(archive, &tail->filled, GM_ANOMALY_BLOCK - 1);
	for (unsigned i = 0; i < GM_ANOMALY_TOPS; i++)
		gm_archive_float(archive, &tail->tops[i]);
	gm_archive_float(archive, &tail->block);
	exchange_height(archive, &tail->hour);
	for (unsigned i = 0; i < GM_ANOMALY_PENDING; i++)
		exchange_height(archive, &tail->pending[i]);
	for (unsigned i = 0; i < GM_ANOMALY_HOURS; i++)
		exchange_height(archive, &tail->peaks[i]);
}

void gm_anomaly_hours_exchange(struct gm_anomaly_hours *hours, struct gm_archive *archive)
{
	gm_archive_u16(archive, &hours->current, GM_ANOMALY_HOURS - 1);
	gm_archive_u16(archive, &hours->pending, GM_ANOMALY_PENDING);
	for (unsigned i = 0; i < GM_ANOMALY_PENDING; i++)
		gm_archive_u16(archive, &hours->waiting[i], GM_ANOMALY_HOURS - 1);
}
