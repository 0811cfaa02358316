/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storm control: when bursts come so thick that a report of each helps nobody. Pure; for burst.c alone.
 *
 * Bursts are counted over a sliding time (two windows, the older one weighted by what of it is still
 * within). From `bursts` of them on it is a storm: one burst in every `report` is told, each with the
 * exact count. It is over when less than a quarter of that many are left.
 */
#ifndef GM_ANALYSIS_BURST_STORM_H
#define GM_ANALYSIS_BURST_STORM_H

#include <stdbool.h>
#include <stdint.h>

struct gm_burst_storm_rules {
	int64_t bursts; /* 0: never a storm */
	int64_t time;   /* ns */
	int64_t report; /* ns */
};

struct gm_burst_storm {
	bool on;
	int64_t window;        /* when the present window began */
	uint64_t here, before; /* bursts in it, and in the one before */
	uint64_t bursts;       /* since the storm began, those that made it included */
	int64_t told_at;       /* the last report */
	int64_t last;          /* the last burst */
	double gap;            /* ns: usual time between bursts */
	unsigned gaps;         /* how many in a row were shorter than `time` */
};

/* A burst has begun. True when a storm has begun with it. */
bool gm_burst_storm_count(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
			  int64_t now);

/* Whether a burst may be told now; when it is, it counts as told. */
bool gm_burst_storm_admit(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
			  int64_t now);

/* Lets time pass. */
void gm_burst_storm_pass(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
			 int64_t now);

/*
 * How long it has to be quiet that bursts are over: `least`, or longer than the gaps that these bursts
 * usually have, so that bursts that keep coming are one alarm.
 */
int64_t gm_burst_storm_quiet(const struct gm_burst_storm *storm,
			     const struct gm_burst_storm_rules *rules, int64_t least);

#endif
