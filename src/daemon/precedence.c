/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See precedence.h. Called by intake.c for each frame of a guest that holds shared metrics.
 */
#include "daemon/precedence.h"

#include "base/clock.h"
#include "model/metric.h"

bool gm_precedence_shared(unsigned metric)
{
	switch (metric) {
	case GM_METRIC_MEMORY_TOTAL:
	case GM_METRIC_MEMORY_USED:
	case GM_METRIC_MEMORY_AVAILABLE:
	case GM_METRIC_MEMORY_UNUSED:
	case GM_METRIC_MEMORY_CACHED:
		return true;
	default:
		return false;
	}
}

static void note(struct gm_precedence *precedence, enum gm_source_id source, int64_t measured_at)
{
	int64_t *newest = &precedence->tellers[source].newest;
	int64_t *usual = &precedence->tellers[source].usual;
	int64_t passed = measured_at - *newest;

	if (*newest != 0 && passed > 0)
		*usual = *usual == 0 ? passed : *usual + (passed - *usual) / 8;
	*newest = measured_at;
}

/* Whether `other` is the one to believe, as far as their intervals are known. */
static bool yields(const struct gm_precedence *precedence, int source, int other)
{
	int64_t mine = precedence->tellers[source].usual, its = precedence->tellers[other].usual;
	if (mine == 0 || its == 0)
		return its != 0 || (mine == 0 && other < source);
	if (its <= mine / 2)
		return true;
	return mine > its / 2 && other < source;
}

/* What was told at a time that is still to come was told before the clock was set back. */
static void forget_future(struct gm_precedence *precedence, int64_t now)
{
	for (int source = 0; source < GM_SOURCE_COUNT; source++) {
		if (precedence->tellers[source].newest - GM_CLOCK_SET_BACK > now)
			precedence->tellers[source].newest = 0;
	}
}

bool gm_precedence_take(struct gm_precedence *precedence, enum gm_source_id source,
			int64_t measured_at, int64_t now)
{
	forget_future(precedence, now);
	note(precedence, source, measured_at);
	for (int other = 0; other < GM_SOURCE_COUNT; other++) {
		int64_t newest = precedence->tellers[other].newest;
		int64_t alive = 3 * precedence->tellers[other].usual + GM_SECOND;
		if (other != (int)source && newest != 0 && measured_at - newest <= alive &&
		    yields(precedence, source, other))
			return false;
	}
	return true;
}

uint16_t gm_precedence_keep(struct gm_precedence *precedence, enum gm_source_id source, int64_t now,
			    const struct gm_frame *frame, const struct gm_reading *readings,
			    struct gm_reading *kept)
{
	bool shared = false;
	uint16_t count = 0;
	for (size_t i = 0; i < frame->count; i++)
		shared |= gm_precedence_shared(readings[i].metric);
	shared = shared && !gm_precedence_take(precedence, source, frame->measured_at, now);
	for (size_t i = 0; i < frame->count; i++)
		if (!shared || !gm_precedence_shared(readings[i].metric))
			kept[count++] = readings[i];
	return count;
}
