/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms in the order in which RFC 3877 shows them; see snapshot.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/snapshot.h"

static int compare(int64_t time, uint32_t id, int64_t other_time, uint32_t other_id)
{
	int64_t tenth = time / (GM_SECOND / 10), other_tenth = other_time / (GM_SECOND / 10);
	if (tenth != other_tenth)
		return tenth < other_tenth ? -1 : 1;
	return (id > other_id) - (id < other_id);
}

static int by_raise(const void *a, const void *b)
{
	const struct gm_alarm *one = *(const struct gm_alarm *const *)a;
	const struct gm_alarm *other = *(const struct gm_alarm *const *)b;
	return compare(one->raised_at, one->id, other->raised_at, other->id);
}

static int by_clear(const void *a, const void *b)
{
	const struct gm_alarm *one = *(const struct gm_alarm *const *)a;
	const struct gm_alarm *other = *(const struct gm_alarm *const *)b;
	return compare(one->cleared_at, one->id, other->cleared_at, other->id);
}

static void count(struct gm_snapshot *snapshot)
{
	struct gm_alarm_totals *totals = &snapshot->totals;
	for (size_t i = 0; i < snapshot->alarm_count; i++) {
		const struct gm_alarm *alarm = &snapshot->alarms[i];
		if ((unsigned)alarm->severity < GM_ALARM_SEVERITIES)
			totals->active[alarm->severity]++;
		if (alarm->raised_at > totals->raised_at)
			totals->raised_at = alarm->raised_at;
	}
	for (size_t i = 0; i < snapshot->log_count; i++) {
		const struct gm_transition *one = &snapshot->log[i];
		if (one->kind == GM_TRANSITION_RAISE && one->time > totals->raised_at)
			totals->raised_at = one->time;
		if (one->kind == GM_TRANSITION_CLEAR && one->time > totals->cleared_at)
			totals->cleared_at = one->time;
	}
	totals->changed_at =
		totals->raised_at > totals->cleared_at ? totals->raised_at : totals->cleared_at;
}

int gm_snapshot_order_alarms(struct gm_snapshot *snapshot)
{
	snapshot->timed =
		gm_snapshot_alloc(snapshot, snapshot->alarm_count + 1, sizeof(*snapshot->timed));
	snapshot->cleared =
		gm_snapshot_alloc(snapshot, snapshot->log_count + 1, sizeof(*snapshot->cleared));
	if (!snapshot->timed || !snapshot->cleared)
		return -ENOMEM;
	snapshot->timed_count = snapshot->cleared_count = 0;
	for (size_t i = 0; i < snapshot->alarm_count; i++)
		snapshot->timed[snapshot->timed_count++] = &snapshot->alarms[i];
	for (size_t i = 0; i < snapshot->log_count; i++)
		if (snapshot->log[i].kind == GM_TRANSITION_CLEAR)
			snapshot->cleared[snapshot->cleared_count++] = &snapshot->log[i].alarm;
	qsort(snapshot->timed, snapshot->timed_count, sizeof(*snapshot->timed), by_raise);
	qsort(snapshot->cleared, snapshot->cleared_count, sizeof(*snapshot->cleared), by_clear);
	count(snapshot);
	return 0;
}
