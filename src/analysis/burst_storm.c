/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storm control; see burst_storm.h. No clock and no findings here: times come with the calls.
 */
#include "analysis/burst_storm.h"

/* In a row: fewer do not make a habit. */
enum { HABIT = 4 };

/* Times the usual gap. */
#define QUIET_GAPS 3.0

/* Moves the windows on. */
static void advance(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
		    int64_t now)
{
	int64_t passed = now - storm->window;
	if (passed >= 0 && passed < rules->time)
		return;
	/* Far on, or the clock was set back: the windows are empty. */
	bool next = passed >= 0 && passed < 2 * rules->time;
	storm->before = next ? storm->here : 0;
	storm->here = 0;
	storm->window = next ? storm->window + rules->time : now;
}

/* Bursts within the last `time`. */
static double density(const struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
		      int64_t now)
{
	double gone = (double)(now - storm->window) / (double)rules->time;
	return (double)storm->here + (double)storm->before * (1 - gone);
}

static void learn_gap(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
		      int64_t now)
{
	int64_t gap = now - storm->last;
	if (storm->last == 0 || gap < 0 || gap > rules->time) {
		storm->gaps = 0;
	} else {
		double part = storm->gaps == 0 ? 1 : 1.0 / HABIT;
		storm->gap += part * ((double)gap - storm->gap);
		storm->gaps += storm->gaps < HABIT;
	}
	storm->last = now;
}

bool gm_burst_storm_count(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
			  int64_t now)
{
	gm_burst_storm_pass(storm, rules, now);
	learn_gap(storm, rules, now);
	storm->here++;
	if (storm->on) {
		storm->bursts++;
		return false;
	}
	double many = density(storm, rules, now);
	storm->on = rules->bursts > 0 && many > (double)rules->bursts;
	storm->bursts = storm->on ? (uint64_t)many : 0;
	return storm->on;
}

bool gm_burst_storm_admit(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
			  int64_t now)
{
	int64_t since = now - storm->told_at;
	if (storm->on && since >= 0 && since < rules->report)
		return false;
	storm->told_at = now;
	return true;
}

void gm_burst_storm_pass(struct gm_burst_storm *storm, const struct gm_burst_storm_rules *rules,
			 int64_t now)
{
	advance(storm, rules, now);
	if (storm->on && density(storm, rules, now) < (double)rules->bursts / 4)
		storm->on = false;
}

int64_t gm_burst_storm_quiet(const struct gm_burst_storm *storm,
			     const struct gm_burst_storm_rules *rules, int64_t least)
{
	double quiet = (double)least;
	if (storm->on)
		return rules->time > least ? rules->time : least;
	if (storm->gaps >= HABIT && QUIET_GAPS * storm->gap > quiet)
		quiet = QUIET_GAPS * storm->gap;
	if (quiet > (double)rules->time && rules->time > least)
		quiet = (double)rules->time;
	return (int64_t)quiet;
}
