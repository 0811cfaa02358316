/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of bursts; see burst_stats.h. Pure; knows no detector. Called by burst.c.
 */
#include "analysis/burst_stats.h"

#include <math.h>

#define NS_PER_US 1e3
#define NS_PER_MS 1e6

unsigned gm_burst_bucket(double value)
{
	if (!(value >= 1))
		return 0;
	int power;
	frexp(value, &power); /* value = m * 2^power, m from 0.5 to 1 */
	/* Of infinity the power is not specified. */
	if (value >= 0x1p31)
		return GM_BURST_BUCKETS - 1;
	return (unsigned)power - 1;
}

static void count(uint64_t histogram[GM_BURST_BUCKETS], double value)
{
	if (value >= 0)
		histogram[gm_burst_bucket(value)]++;
}

/* To whole numbers, without leaving what they can hold. */
static uint64_t whole(double value)
{
	return value > 0 ? (uint64_t)fmin(value + 0.5, 0x1p62) : 0;
}

void gm_burst_stats_count(struct gm_burst_stats *stats, const struct gm_burst_figures *figures)
{
	stats->time += whole((double)figures->duration);
	stats->volume += whole(figures->volume);
	count(stats->durations, (double)figures->duration / NS_PER_US);
	count(stats->gaps, (double)figures->gap / NS_PER_MS);
	count(stats->peaks, figures->peak);
	count(stats->volumes, figures->volume);
}

static void exchange_histogram(uint64_t histogram[GM_BURST_BUCKETS], struct gm_archive *archive)
{
	for (size_t i = 0; i < GM_BURST_BUCKETS; i++)
		gm_archive_counter(archive, &histogram[i]);
}

void gm_burst_stats_exchange(struct gm_burst_stats *stats, struct gm_archive *archive)
{
	gm_archive_counter(archive, &stats->bursts);
	gm_archive_counter(archive, &stats->time);
	gm_archive_counter(archive, &stats->volume);
	gm_archive_counter(archive, &stats->dropped);
	gm_archive_counter(archive, &stats->told);
	gm_archive_counter(archive, &stats->untold);
	gm_archive_counter(archive, &stats->storms);
	exchange_histogram(stats->durations, archive);
	exchange_histogram(stats->gaps, archive);
	exchange_histogram(stats->peaks, archive);
	exchange_histogram(stats->volumes, archive);
}
