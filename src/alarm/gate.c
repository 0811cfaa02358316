/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a raise may be told: soak time and hold-off, suppression, the raise limit with its summary; and
 * which alarms flap. The states are engine.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/private.h"
#include "base/clock.h"
#include "base/text.h"

#define STORM_REPORT (60 * GM_SECOND) /* between two tellings of its figures */

void gm_alarm_set_gates(struct gm_alarm_entry *entry)
{
	const struct gm_alarm_options *options = &entry->options;

	entry->open_at = entry->begun_at;
	if (!options->damping)
		return;
	entry->open_at += options->soak;
	/* A clear that lies ahead is of a clock that was set back since. */
	if (entry->cleared_at != 0 && entry->cleared_at <= entry->begun_at &&
	    entry->cleared_at + options->hold_off > entry->open_at)
		entry->open_at = entry->cleared_at + options->hold_off;
}

/* Findings of one tick come out of order by less than a second; a clock that jumps starts anew. */
static void limiter_advance(struct gm_alarm_limiter *limiter, int64_t now)
{
	int64_t second = now / GM_SECOND;

	if (llabs(second - limiter->second) >= GM_ALARM_MINUTE) {
		*limiter = (struct gm_alarm_limiter){.second = second};
		return;
	}
	while (limiter->second < second) {
		int64_t *oldest = &limiter->raised[++limiter->second % GM_ALARM_MINUTE];

		limiter->total -= *oldest;
		*oldest = 0;
	}
}

/* What the daemon says of itself is never held back, nor counted: the summary least of all. */
static bool is_limited(const struct gm_alarms *alarms, const struct gm_alarm_entry *entry)
{
	return alarms->options.raise_limit > 0 && alarms->options.damping &&
	       strcmp(entry->identity.detector, GM_SELF_DETECTOR) != 0;
}

static bool has_room(struct gm_alarms *alarms, const struct gm_alarm_entry *entry, int64_t now)
{
	if (!is_limited(alarms, entry))
		return true;
	limiter_advance(&alarms->limiter, now);
	return alarms->limiter.total < alarms->options.raise_limit;
}

void gm_alarm_try_gates(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now)
{
	if (now < entry->begun_at) {
		/* The clock was set back: nothing waits for the length of the step. */
		entry->open_at -= entry->begun_at - now;
		entry->begun_at = now;
	}
	if (entry->alarm.suppressed != GM_SUPPRESSION_NONE || entry->unconfirmed ||
	    now < entry->open_at)
		gm_alarm_step(alarms, entry, GM_ALARM_SHUT, NULL, now);
	else if (!has_room(alarms, entry, now))
		gm_alarm_step(alarms, entry, GM_ALARM_FULL, NULL, now);
	else
		gm_alarm_step(alarms, entry, GM_ALARM_OPEN, NULL,
			      entry->state == GM_ALARM_CROWDED ? now : entry->open_at);
}

static uint32_t raises_since(const struct gm_alarm_entry *entry, int64_t since)
{
	size_t kept = entry->raise_count < GM_ALARM_FLAP_RAISES ? entry->raise_count
								: GM_ALARM_FLAP_RAISES;
	uint32_t count = 0;

	for (size_t i = 0; i < kept; i++)
		count += entry->raises[i] > since;
	return count;
}

void gm_alarm_count_raise(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now)
{
	const struct gm_alarm_options *options = &entry->options;

	if (is_limited(alarms, entry)) {
		limiter_advance(&alarms->limiter, now);
		alarms->limiter.raised[alarms->limiter.second % GM_ALARM_MINUTE]++;
		alarms->limiter.total++;
	}
	entry->raises[entry->raise_count++ % GM_ALARM_FLAP_RAISES] = now;
	if (!options->damping || options->flap_raises == 0)
		return;
	uint32_t raises = raises_since(entry, now - options->flap_window);
	if (raises < options->flap_raises)
		return;
	entry->alarm.flaps = raises;
	alarms->counts.flapping++;
}

/* ---- the summary ---- */

enum { KINDS = 16 };
struct tally {
	const char *detector;
	size_t count;
};

static int most_first(const void *a, const void *b)
{
	const struct tally *one = a, *other = b;

	return (one->count < other->count) - (one->count > other->count);
}

/* "burst 400,leak 12": by detector, the most first. */
static void tally_crowded(const struct gm_alarms *alarms, char *text, size_t size)
{
	struct tally tallies[KINDS] = {{NULL, 0}};
	const struct gm_alarm_entry *entry;
	size_t used = 0, kinds = 0;

	DL_FOREACH (alarms->crowded, entry) {
		size_t at = 0;

		while (at < kinds && strcmp(tallies[at].detector, entry->identity.detector) != 0)
			at++;
		if (at == KINDS)
			continue;
		if (at == kinds)
			tallies[kinds++].detector = entry->identity.detector;
		tallies[at].count++;
	}
	qsort(tallies, kinds, sizeof(tallies[0]), most_first);
	for (size_t i = 0; i < kinds && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s %zu", i ? "," : "",
					 tallies[i].detector, tallies[i].count);
}

static struct gm_finding storm_finding(int64_t now)
{
	return (struct gm_finding){
		.key = gm_entity_node(),
		.detector = GM_SELF_DETECTOR,
		.metric = GM_STORM_METRIC,
		.severity = GM_SEVERITY_MAJOR,
		.event_type = GM_EVENT_PROCESSING_ERROR,
		.cause = GM_CAUSE_RESOURCES_OVERLOAD,
		.time = now,
	};
}

/* How many were held back, and what became of them: exact, also when waves of them follow each other. */
static void add_figures(const struct gm_alarms *alarms, struct gm_evidence *evidence)
{
	const struct gm_alarms_counts *now = &alarms->counts, *before = &alarms->storm.before;

	gm_evidence_set(evidence, GM_EVIDENCE_HELD, (double)(now->limited - before->limited));
	gm_evidence_set(evidence, GM_EVIDENCE_HELD_WAITING,
			(double)alarms->in_state[GM_ALARM_CROWDED]);
	gm_evidence_set(evidence, GM_EVIDENCE_HELD_RAISED,
			(double)(now->limited_raised - before->limited_raised));
	gm_evidence_set(evidence, GM_EVIDENCE_HELD_ENDED,
			(double)(now->limited_ended - before->limited_ended));
}

static void tell_waiting(struct gm_alarms *alarms, int64_t now)
{
	struct gm_finding finding = storm_finding(now);
	struct gm_alarm_storm *storm = &alarms->storm;

	finding.active = true;
	finding.report = storm->told_at != 0 && now - storm->told_at >= STORM_REPORT;
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_VALUE,
			(double)alarms->in_state[GM_ALARM_CROWDED]);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_LIMIT, (double)alarms->options.raise_limit);
	add_figures(alarms, &finding.evidence);
	tally_crowded(alarms, finding.evidence.contributors, sizeof(finding.evidence.contributors));
	if (storm->told_at == 0 || finding.report || now < storm->told_at)
		storm->told_at = now;
	gm_alarms_finding(alarms, &finding);
}

/* With how many were held back in all. One that was restored does not know. */
static void tell_over(struct gm_alarms *alarms, int64_t now)
{
	struct gm_finding finding = storm_finding(now);
	struct gm_alarm_storm *storm = &alarms->storm;

	gm_evidence_set(&finding.evidence, GM_EVIDENCE_HELD_WAITING, 0); /* not the old life's */
	if (storm->told_at != 0) {
		add_figures(alarms, &finding.evidence);
		gm_evidence_set(&finding.evidence, GM_EVIDENCE_VALUE,
				finding.evidence.number[GM_EVIDENCE_HELD]);
	}
	gm_alarms_finding(alarms, &finding);
	if (gm_alarms_find(alarms, &finding.key, GM_SELF_DETECTOR, GM_STORM_METRIC, ""))
		return;
	storm->told_at = 0;
	storm->before = alarms->counts;
}

void gm_alarm_tell_storm(struct gm_alarms *alarms, int64_t now)
{
	if (llabs(now - alarms->storm.looked_at) < GM_SECOND)
		return;
	alarms->storm.looked_at = now;
	if (alarms->in_state[GM_ALARM_CROWDED] > 0)
		tell_waiting(alarms, now);
	else
		tell_over(alarms, now);
}
