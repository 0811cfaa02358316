/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The anomaly detector; see anomaly.h. Keeps the metrics of an entity, makes rows of their readings
 * and asks the judge what the rows amount to. How a metric is judged is in anomaly_series.c.
 *
 * A row is what all metrics tell at one time, or within one bin where they come faster. A row counts
 * when the next one begins; until then it is looked at as it is so far.
 */
#include "analysis/anomaly.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/anomaly_errors.h"
#include "analysis/anomaly_group.h"
#include "analysis/anomaly_judge.h"
#include "base/clock.h"

/* Time between two rows counts as watched up to this: nobody watched during a gap. */
#define ROW_MAX (2 * 3600.0)

/* The longest window must lie in the past twice before anything is told. */
enum { ROWS_LEAST = 2 * GM_ANOMALY_WINDOW_MAX };

/* A change of the memory or the CPUs that there are, as a part of them, that is a planned one. */
#define CAPACITY_PART 0.02

/* Of libvirt's domain states (virDomainState): those in which a guest works. */
#define DOMAIN_RUNNING 1.0
#define DOMAIN_BLOCKED 2.0

/* A condition that ended is the same one when it returns within so many rows, unless so much higher. */
enum { REST = 120 };
#define OUTDOES 2.0

static const struct gm_option anomaly_options[] = {
	{
		.key = "enabled",
		.type = GM_OPTION_BOOL,
		GM_OPTION_AT(struct gm_anomaly_options, enabled),
		.fallback = "true",
		.help = "Look for behaviour that was never seen before.",
	},
	{
		.key = "learning",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_anomaly_options, learning),
		.min = 60e9,
		.max = 90 * 86400e9,
		.fallback = "1d",
		.help = "How long an entity is watched before it can raise an alarm.",
	},
	{
		.key = "false-alarms",
		.type = GM_OPTION_NUMBER,
		GM_OPTION_AT(struct gm_anomaly_options, false_alarms),
		.min = 1e-6,
		.max = 100,
		.fallback = "0.02",
		.help = "False alarms that are acceptable, per day and entity; the threshold "
			"follows "
			"what was learned to that number.",
	},
	{
		.key = "hold",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_anomaly_options, hold),
		.min = 0,
		.max = 7 * 86400e9,
		.fallback = "30m",
		.help = "How long an anomaly is active after the last surprise.",
	},
	{
		.key = "settling",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_anomaly_options, settling),
		.min = 0,
		.max = 7 * 86400e9,
		.fallback = "15m",
		.help = "How long nothing is told after a planned change (reboot, migration, "
			"resize).",
	},
	{
		.key = "metrics",
		.type = GM_OPTION_INT,
		GM_OPTION_AT(struct gm_anomaly_options, metrics),
		.min = 1,
		.max = GM_ANOMALY_METRICS_MAX,
		.fallback = "1",
		.help = "How many metrics must stand out for an alarm.",
	},
	GM_OPTION_END,
};

static const struct {
	double surplus; /* the alert is so many thresholds high */
	enum gm_severity severity;
} severities[] = {
	{3, GM_SEVERITY_MAJOR},
	{2, GM_SEVERITY_MINOR},
	{0, GM_SEVERITY_WARNING},
};

/* A condition that holds. */
struct condition {
	bool active;
	int64_t onset, last; /* times of the first and the last surprise */
	uint32_t rest;       /* rows in which the same again is no new condition */
	double surprise;     /* the highest, and its score */
	double score;
	enum gm_severity severity;
	double value;           /* of the first contributor */
	char contributors[256]; /* as evidence shows them */
};

struct anomaly {
	struct gm_detector detector;
	const struct gm_anomaly_options *options;
	struct gm_entity_key key;
	struct gm_anomaly_judge judge;
	struct condition condition;
	int64_t row;         /* when the open row began; 0: none yet */
	int64_t time;        /* of the newest point */
	int64_t quiet_until; /* after a planned change */
	bool stopped;        /* the guest is paused, or off */
	double memory, cpus; /* that there are; 0: not known */
	double watched;      /* seconds */
	uint64_t rows;
	struct gm_anomaly_group group;
	struct gm_anomaly_errors errors;
};

static int anomaly_create(const void *options, const struct gm_entity_key *key,
			  struct gm_detector **ret_detector)
{
	struct anomaly *anomaly = calloc(1, sizeof(*anomaly));

	if (!anomaly)
		return -ENOMEM;
	anomaly->detector.ops = &gm_anomaly_ops;
	anomaly->options = options;
	anomaly->key = *key;
	*ret_detector = &anomaly->detector;
	return 0;
}

static void anomaly_destroy(struct gm_detector *detector)
{
	struct anomaly *anomaly = (struct anomaly *)detector;

	gm_anomaly_group_free(&anomaly->group);
	free(anomaly);
}

static void anomaly_name_metric(struct gm_detector *detector, unsigned metric, const char *name)
{
	gm_anomaly_group_name(&((struct anomaly *)detector)->group, metric, name);
}

static struct gm_anomaly_row row_now(const struct anomaly *anomaly)
{
	return gm_anomaly_group_row(&anomaly->group, anomaly->time);
}

static bool may_tell(const struct anomaly *anomaly)
{
	return anomaly->rows >= ROWS_LEAST &&
	       anomaly->watched * (double)GM_SECOND >= (double)anomaly->options->learning &&
	       !anomaly->stopped && anomaly->time >= anomaly->quiet_until;
}

static enum gm_severity severity_of(double surplus)
{
	size_t i = 0;

	while (surplus < severities[i].surplus)
		i++;
	return severities[i].severity;
}

static void hold(struct anomaly *anomaly, double surprise, double threshold)
{
	struct condition *condition = &anomaly->condition;
	enum gm_severity severity = severity_of(surprise / threshold);

	if (!condition->active)
		*condition = (struct condition){
			.active = true,
			.onset = anomaly->row,
			.severity = severity,
		};
	condition->last = anomaly->time;
	condition->rest = REST;
	if (severity < condition->severity)
		condition->severity = severity;
	if (surprise <= condition->surprise)
		return;
	condition->surprise = surprise;
	condition->score = gm_anomaly_judge_weigh(&anomaly->judge, surprise);
	gm_anomaly_group_contributors(&anomaly->group, anomaly->time, condition->contributors,
				      sizeof(condition->contributors), &condition->value);
}

/* Begins, renews or ends the condition by what the row shows so far. */
static void consider(struct anomaly *anomaly, const struct gm_anomaly_row *row, int64_t now)
{
	struct condition *condition = &anomaly->condition;
	const struct gm_anomaly_options *options = anomaly->options;
	double threshold = gm_anomaly_judge_threshold(&anomaly->judge, options->false_alarms);
	bool known = !condition->active && condition->rest > 0 &&
		     row->surprise <= OUTDOES * condition->surprise;

	if (row->surprise >= threshold && !known && may_tell(anomaly) &&
	    row->stand_out >= (size_t)options->metrics)
		hold(anomaly, row->surprise, threshold);
	if (condition->active && now - condition->last > options->hold)
		condition->active = false;
}

/* The row is whole: it becomes part of the past. */
static void end_row(struct anomaly *anomaly, int64_t next)
{
	struct gm_anomaly_row row = row_now(anomaly);
	double seconds = (double)(next - anomaly->row) / (double)GM_SECOND;

	seconds = fmin(fmax(seconds, 0), ROW_MAX);
	consider(anomaly, &row, anomaly->time);
	if (anomaly->condition.rest > 0)
		anomaly->condition.rest--;
	gm_anomaly_judge_take(&anomaly->judge, row.surprise, row.excess, seconds);
	anomaly->watched += seconds;
	anomaly->rows++;
}

/* The level may be another from now on, and nothing of that is to be told. */
static void unsettle(struct anomaly *anomaly, int64_t now)
{
	anomaly->quiet_until = now + anomaly->options->settling;
	for (size_t i = 0; i < anomaly->group.count; i++)
		gm_anomaly_metric_disturb(anomaly->group.metrics[i], anomaly->options->settling);
}

/* A guest that was stopped uses nothing and serves nobody, and has to catch up then: all as planned. */
static void take_state(struct anomaly *anomaly, int64_t time, double state)
{
	bool stopped = state != DOMAIN_RUNNING && state != DOMAIN_BLOCKED;

	if (stopped != anomaly->stopped)
		unsettle(anomaly, time);
	anomaly->stopped = stopped;
}

/* A resize, memory plugged in or taken by the balloon: what depends on it moves with it. */
static void take_capacity(struct anomaly *anomaly, const struct gm_point *point)
{
	bool memory = point->metric == GM_METRIC_MEMORY_TOTAL;
	double *known = memory ? &anomaly->memory : &anomaly->cpus;

	if (!(point->value > 0) || !isfinite(point->value))
		return;
	if (*known > 0 && fabs(point->value - *known) > CAPACITY_PART * *known)
		unsettle(anomaly, point->time);
	*known = point->value;
}

static void take(struct anomaly *anomaly, const struct gm_entity_key *owner,
		 const struct gm_point *point)
{
	if (point->time <= 0)
		return;
	if (point->metric == GM_METRIC_GUEST_STATE)
		take_state(anomaly, point->time, point->value);
	if (point->metric == GM_METRIC_MEMORY_TOTAL || point->metric == GM_METRIC_CPU_COUNT)
		take_capacity(anomaly, point);
	if (anomaly->stopped)
		return;
	if (!gm_anomaly_metric_wanted(point->metric)) {
		if (gm_anomaly_errors_take(&anomaly->errors, owner, point))
			anomaly->time = point->time;
		return;
	}
	struct gm_anomaly_metric *metric =
		gm_anomaly_group_find(&anomaly->group, owner, point->metric);
	if (!metric)
		return;
	if (anomaly->row &&
	    (point->time - anomaly->row >= GM_ANOMALY_BIN || point->time < anomaly->row)) {
		end_row(anomaly, point->time);
		anomaly->row = 0;
	}
	if (!anomaly->row)
		anomaly->row = point->time;
	anomaly->time = point->time;
	gm_anomaly_metric_take(metric, point);
}

static void anomaly_observe(struct gm_detector *detector, const struct gm_point *point,
			    const struct gm_finding_sink *sink)
{
	struct anomaly *anomaly = (struct anomaly *)detector;

	(void)sink;
	take(anomaly, &anomaly->key, point);
}

static void anomaly_observe_part(struct gm_detector *detector, const struct gm_entity_key *part,
				 const struct gm_point *point, const struct gm_finding_sink *sink)
{
	(void)sink;
	/* Processes come and go, and are many: those that grow are the leak detector's. */
	if (part->kind == GM_ENTITY_INTERFACE || part->kind == GM_ENTITY_DISK)
		take((struct anomaly *)detector, part, point);
}

static double anomaly_score(const struct gm_detector *detector)
{
	const struct anomaly *anomaly = (const struct anomaly *)detector;
	struct gm_anomaly_row row = row_now(anomaly);

	return gm_anomaly_judge_peek(&anomaly->judge, row.surprise, row.excess).score;
}

/* What every finding of this detector has in common. */
static struct gm_finding finding_of(const struct anomaly *anomaly, const char *metric)
{
	struct gm_finding finding = {
		.key = anomaly->key,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_PERFORMANCE_DEGRADED,
		.time = anomaly->time,
	};

	snprintf(finding.detector, sizeof(finding.detector), "%s", gm_anomaly_ops.name);
	snprintf(finding.metric, sizeof(finding.metric), "%s", metric);
	return finding;
}

static void tell_score(struct anomaly *anomaly, const struct gm_finding_sink *sink)
{
	const struct condition *condition = &anomaly->condition;
	struct gm_finding finding = finding_of(anomaly, "score");
	struct gm_evidence *evidence = &finding.evidence;

	finding.active = condition->active;
	finding.severity = condition->severity;
	gm_evidence_set(evidence, GM_EVIDENCE_SCORE, anomaly_score(&anomaly->detector));
	if (condition->active) {
		gm_evidence_set(evidence, GM_EVIDENCE_SCORE, condition->score);
		gm_evidence_set(evidence, GM_EVIDENCE_VALUE, condition->value);
		gm_evidence_set(evidence, GM_EVIDENCE_ONSET,
				(double)condition->onset / (double)GM_SECOND);
		memcpy(evidence->contributors, condition->contributors,
		       sizeof(evidence->contributors));
	}
	sink->emit(sink->user, &finding);
}

/* One finding per metric of errors, whichever interface it is of: the contributor tells that. */
static void tell_errors(struct anomaly *anomaly, const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < GM_ANOMALY_ERROR_KINDS; i++) {
		const struct gm_anomaly_error_kind *kind = &gm_anomaly_error_kinds[i];
		unsigned id = kind->metric;
		const char *name = gm_metric_get(id)->name;
		const struct gm_anomaly_error *worst = gm_anomaly_errors_worst(
			&anomaly->errors, id, anomaly->time - anomaly->options->hold);
		struct gm_finding finding = finding_of(anomaly, name);

		if (!gm_anomaly_errors_known(&anomaly->errors, id))
			continue;
		finding.active = worst != NULL;
		finding.severity = kind->severity;
		finding.event_type = kind->event_type;
		if (worst) {
			gm_evidence_set(&finding.evidence, GM_EVIDENCE_VALUE, worst->rate);
			gm_evidence_set(&finding.evidence, GM_EVIDENCE_LIMIT, worst->usual);
			snprintf(finding.evidence.contributors,
				 sizeof(finding.evidence.contributors), "%s%s%s", name,
				 worst->owner.name[0] ? "@" : "", worst->owner.name);
		}
		sink->emit(sink->user, &finding);
	}
}

static void anomaly_evaluate(struct gm_detector *detector, int64_t now,
			     const struct gm_finding_sink *sink)
{
	struct anomaly *anomaly = (struct anomaly *)detector;
	struct gm_anomaly_row row = row_now(anomaly);

	if (anomaly->time >= anomaly->quiet_until)
		tell_errors(anomaly, sink);
	if (!anomaly->row || !may_tell(anomaly))
		return;
	consider(anomaly, &row, now > anomaly->time ? now : anomaly->time);
	tell_score(anomaly, sink);
}

static void anomaly_disturb(struct gm_detector *detector, int64_t now)
{
	struct anomaly *anomaly = (struct anomaly *)detector;

	anomaly->condition.active = false;
	unsettle(anomaly, now);
}

static void exchange_condition(struct condition *condition, struct gm_archive *archive)
{
	uint32_t severity = condition->severity;

	gm_archive_bool(archive, &condition->active);
	gm_archive_int(archive, &condition->onset, 0, INT64_MAX);
	gm_archive_int(archive, &condition->last, 0, INT64_MAX);
	gm_archive_u32(archive, &condition->rest, REST);
	gm_archive_number(archive, &condition->surprise);
	gm_archive_number(archive, &condition->score);
	gm_archive_u32(archive, &severity, GM_SEVERITY_WARNING);
	gm_archive_number(archive, &condition->value);
	gm_archive_text(archive, condition->contributors, sizeof(condition->contributors));
	condition->severity = (enum gm_severity)severity;
}

static void anomaly_exchange(struct gm_detector *detector, struct gm_archive *archive)
{
	struct anomaly *anomaly = (struct anomaly *)detector;

	gm_archive_tag(archive, "anomaly 1");
	gm_archive_int(archive, &anomaly->row, 0, INT64_MAX);
	gm_archive_int(archive, &anomaly->time, 0, INT64_MAX);
	gm_archive_int(archive, &anomaly->quiet_until, 0, INT64_MAX);
	gm_archive_bool(archive, &anomaly->stopped);
	gm_archive_number(archive, &anomaly->memory);
	gm_archive_number(archive, &anomaly->cpus);
	gm_archive_number(archive, &anomaly->watched);
	gm_archive_counter(archive, &anomaly->rows);
	gm_anomaly_judge_exchange(&anomaly->judge, archive);
	exchange_condition(&anomaly->condition, archive);
	gm_anomaly_errors_exchange(&anomaly->errors, archive);
	gm_anomaly_group_exchange(&anomaly->group, archive);
}

const struct gm_detector_ops gm_anomaly_ops = {
	.name = "anomaly",
	.help = "Behaviour that is unlike what the same guest or node did before.",
	.entities = 1U << GM_ENTITY_GUEST | 1U << GM_ENTITY_NODE,
	.options = anomaly_options,
	.options_size = sizeof(struct gm_anomaly_options),
	.create = anomaly_create,
	.destroy = anomaly_destroy,
	.name_metric = anomaly_name_metric,
	.observe = anomaly_observe,
	.observe_part = anomaly_observe_part,
	.evaluate = anomaly_evaluate,
	.score = anomaly_score,
	.exchange = anomaly_exchange,
	.disturb = anomaly_disturb,
};
