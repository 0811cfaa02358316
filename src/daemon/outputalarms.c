/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with outputs, as findings; see outputalarms.h. Called by pipeline.c alone.
 */
#include "daemon/outputalarms.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define UNAVAILABLE   "outputUnavailable"
#define LOSS          "outputLoss"
#define AWAY_PATIENCE (60 * GM_SECOND)
#define LOSS_MEMORY   (600 * GM_SECOND)

static void tell(const char *metric, const char *output, bool active, enum gm_severity severity,
		 enum gm_evidence_id id, double number, int64_t now,
		 const struct gm_finding_sink *sink)
{
	struct gm_finding finding = {
		.key = gm_entity_node(),
		.active = active,
		.severity = severity,
		.event_type = GM_EVENT_COMMUNICATIONS,
		.cause = GM_CAUSE_COMMUNICATION_FAILURE,
		.time = now,
	};
	gm_text_copy(finding.detector, sizeof(finding.detector), GM_SELF_DETECTOR);
	gm_text_copy(finding.metric, sizeof(finding.metric), metric);
	gm_text_copy(finding.rule, sizeof(finding.rule), output);
	if (active)
		gm_evidence_set(&finding.evidence, id, number);
	sink->emit(sink->user, &finding);
}

static struct gm_output_watch *watch_of(struct gm_outputalarms *alarms, const char *name)
{
	for (size_t i = 0; i < alarms->count; i++) {
		if (strcmp(alarms->outputs[i].name, name) == 0)
			return &alarms->outputs[i];
	}
	if (alarms->count == sizeof(alarms->outputs) / sizeof(alarms->outputs[0]))
		return NULL;
	struct gm_output_watch *watch = &alarms->outputs[alarms->count++];
	*watch = (struct gm_output_watch){.lost_at = 0};
	gm_text_copy(watch->name, sizeof(watch->name), name);
	return watch;
}

void gm_outputalarms_adopt(struct gm_outputalarms *alarms, const struct gm_alarm *alarm)
{
	if (strcmp(alarm->detector, GM_SELF_DETECTOR) == 0 &&
	    (strcmp(alarm->metric, UNAVAILABLE) == 0 || strcmp(alarm->metric, LOSS) == 0))
		watch_of(alarms, alarm->rule);
}

static void judge(struct gm_output_watch *watch, const struct gm_output_row *row, int64_t now,
		  int64_t monotonic, const struct gm_finding_sink *sink)
{
	int64_t failing = row->failing_since != 0 ? now - row->failing_since : 0;
	uint64_t lost = row->refused + row->expired + row->overflowed;
	if (lost > watch->lost) /* less: it was made anew and counts from the start */
		watch->lost_at = monotonic;
	watch->lost = lost;
	watch->seen = true;
	/* An operator's pause is no fault. */
	bool away = row->state == GM_OUTPUT_WAITING || row->state == GM_OUTPUT_ABSENT;
	tell(UNAVAILABLE, row->name, away && failing >= AWAY_PATIENCE, GM_SEVERITY_MINOR,
	     GM_EVIDENCE_DURATION, (double)failing / GM_SECOND, now, sink);
	tell(LOSS, row->name, watch->lost_at != 0 && monotonic - watch->lost_at < LOSS_MEMORY,
	     GM_SEVERITY_MAJOR, GM_EVIDENCE_VALUE, (double)lost, now, sink);
}

/* Those that are no more: their alarms end. */
static void forget(struct gm_outputalarms *alarms, int64_t now, const struct gm_finding_sink *sink)
{
	size_t kept = 0;
	for (size_t i = 0; i < alarms->count; i++) {
		struct gm_output_watch *watch = &alarms->outputs[i];
		if (watch->seen) {
			watch->seen = false;
			alarms->outputs[kept++] = *watch;
			continue;
		}
		tell(UNAVAILABLE, watch->name, false, GM_SEVERITY_MINOR, 0, 0, now, sink);
		tell(LOSS, watch->name, false, GM_SEVERITY_MAJOR, 0, 0, now, sink);
	}
	alarms->count = kept;
}

void gm_outputalarms_tick(struct gm_outputalarms *alarms, const struct gm_output_row *rows,
			  size_t count, int64_t now, int64_t monotonic,
			  const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < count; i++) {
		struct gm_output_watch *watch = watch_of(alarms, rows[i].name);
		if (watch)
			judge(watch, &rows[i], now, monotonic, sink);
	}
	forget(alarms, now, sink);
}

void gm_outputalarms_look(struct gm_outputalarms *alarms, struct gm_snapshot_slot *slot,
			  int64_t now, int64_t monotonic, const struct gm_finding_sink *sink)
{
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);

	if (!snapshot)
		return;
	gm_outputalarms_tick(alarms, snapshot->outputs, snapshot->output_count, now, monotonic,
			     sink);
	gm_snapshot_release(slot, snapshot);
}
