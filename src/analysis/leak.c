/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leak detector: feeds the bins, has every scale judged whose bin was closed, and keeps one
 * condition from its beginning to its end. What a leak looks like is in leak_judge.c.
 *
 * The condition begins with a judgement at any scale. While it lasts, the line is fitted anew from its
 * onset, at the scale that suits its age. It ends when memory came back (half of what was lost) or when
 * nothing more was lost for as long as it had been growing when it was found.
 */
#include "analysis/leak.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/leak_bins.h"
#include "analysis/leak_judge.h"
#include "base/clock.h"

/* Samples that go back further than this are a new clock, not late arrivals. */
#define BACKWARDS_MAX (60 * GM_SECOND)

/* What must have come back of the loss to end the condition, and the bins that must all show it. */
#define RETURNED 0.5
enum { RETURNED_BINS = 3 };

/* Used parts of the memory: nothing can grow any more, so no growth is no relief; nearly gone. */
#define FULL        0.985
#define NEARLY_GONE 0.97

/* A change of the time to exhaustion that is told. */
#define MOVED 0.06

/* No machine has so much memory; keeps the arithmetic of floats within bounds. */
#define BYTES_MAX 1e18

/* Nobody plans further than that; keeps the arithmetic of times within bounds. */
#define FAR (1000 * INT64_C(86400) * GM_SECOND)

static const char *const sensitivities[] = {"low", "normal", "high", NULL};

/* By enum gm_leak_sensitivity: what a growth must have eaten before it is believed, times this. */
static const double cautions[] = {1.5, 1.0, 0.7};

static const struct gm_option leak_options[] = {
	{
		.key = "enabled",
		.type = GM_OPTION_BOOL,
		GM_OPTION_AT(struct gm_leak_options, enabled),
		.fallback = "true",
		.help = "Look for memory leaks.",
	},
	{
		.key = "sensitivity",
		.type = GM_OPTION_CHOICE,
		GM_OPTION_AT(struct gm_leak_options, sensitivity),
		.fallback = "normal",
		.help = "How early a growth is called a leak: high is earlier, low is surer.",
		.choices = sensitivities,
	},
	{
		.key = "horizon",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_leak_options, horizon),
		.min = 60e9,
		.max = 365 * 86400e9,
		.fallback = "60d",
		.help = "A leak that leaves more time than this until the memory is used up is not "
			"told.",
	},
	GM_OPTION_END,
};

static const struct {
	double seconds; /* less than this is left */
	enum gm_severity severity;
} severities[] = {
	{600, GM_SEVERITY_CRITICAL},
	{3600, GM_SEVERITY_MAJOR},
	{86400, GM_SEVERITY_MINOR},
	{INFINITY, GM_SEVERITY_WARNING},
};

/* A condition that holds. */
struct condition {
	struct gm_leak_growth growth;
	double confidence;
	size_t scale;     /* that found it */
	double base;      /* the floor at its onset */
	double high;      /* the highest floor since */
	int64_t high_at;  /* when that was reached */
	int64_t patience; /* how long it may stand still */
	int64_t told_end; /* the exhaustion that was told last; 0: none yet */
	enum gm_severity told_severity;
};

struct leak {
	struct gm_detector detector;
	const struct gm_leak_options *options;
	struct gm_entity_key key;
	int64_t time;       /* of the newest sample; 0: none */
	double used, total; /* NaN: not known */
	bool active;
	struct condition condition; /* while active */
	struct gm_leak_bins bins;
};

static void forget(struct leak *leak)
{
	gm_leak_bins_reset(&leak->bins);
	leak->active = false;
	leak->time = 0;
}

static int leak_create(const void *options, const struct gm_entity_key *key,
		       struct gm_detector **ret_detector)
{
	struct leak *leak = calloc(1, sizeof(*leak));

	if (!leak)
		return -ENOMEM;
	leak->detector.ops = &gm_leak_ops;
	leak->options = options;
	leak->key = *key;
	leak->used = leak->total = NAN;
	forget(leak);
	*ret_detector = &leak->detector;
	return 0;
}

static void leak_destroy(struct gm_detector *detector)
{
	free(detector);
}

/* When the peaks reach the total, on the line; never before the newest sample. */
static int64_t exhaustion(const struct leak *leak, const struct gm_leak_growth *growth)
{
	double left = leak->total - growth->level - growth->swing;
	double wait = fmin(left / growth->slope * (double)GM_SECOND, (double)FAR);
	int64_t end = growth->end + (int64_t)fmax(wait, 0);

	return end > leak->time ? end : leak->time;
}

static void begin(struct leak *leak, const struct gm_leak_growth *growth, double confidence)
{
	struct condition *condition = &leak->condition;

	if (!leak->active)
		*condition = (struct condition){.told_severity = GM_SEVERITY_CLEARED};
	leak->active = true;
	condition->growth = *growth;
	condition->confidence = confidence;
	condition->scale = growth->scale;
	condition->base = growth->level - growth->rise;
	condition->high = growth->level;
	condition->high_at = leak->time;
	condition->patience = growth->end - growth->onset;
}

/* Judges the scales from `first` on whose bin was closed; the longest that finds a leak has it. */
static void look(struct leak *leak, unsigned closed, size_t first)
{
	double caution = cautions[leak->options->sensitivity], confidence;
	struct gm_leak_growth growth;

	for (size_t scale = GM_LEAK_SCALES; scale-- > first;) {
		if (!(closed & 1U << scale) ||
		    !gm_leak_judge(&leak->bins, scale, leak->total, caution, &growth, &confidence))
			continue;
		if (exhaustion(leak, &growth) - leak->time > leak->options->horizon)
			continue;
		begin(leak, &growth, confidence);
		return;
	}
}

/* The finest scale whose ring reaches back to the onset, not finer than the one that found it. */
static size_t suitable_scale(const struct leak *leak)
{
	int64_t age = leak->time - leak->condition.growth.onset;
	size_t scale = leak->condition.scale;

	while (scale + 1 < GM_LEAK_SCALES && age / gm_leak_widths[scale] >= GM_LEAK_BINS)
		scale++;
	return scale;
}

static bool has_returned(const struct leak *leak)
{
	const struct condition *condition = &leak->condition;
	const struct gm_leak_scale *scale = &leak->bins.scales[condition->scale];
	double limit = condition->base + (1 - RETURNED) * (condition->high - condition->base);

	if (scale->count < RETURNED_BINS)
		return false;
	for (size_t age = 0; age < RETURNED_BINS; age++) {
		if (!((double)gm_leak_bin(scale, age)->floor < limit))
			return false; /* empty bins too */
	}
	return true;
}

static bool stands_still(const struct leak *leak)
{
	return leak->used < FULL * leak->total &&
	       leak->time - leak->condition.high_at > leak->condition.patience;
}

static void follow(struct leak *leak, unsigned closed)
{
	struct condition *condition = &leak->condition;
	const struct gm_leak_scale *ring = &leak->bins.scales[condition->scale];
	size_t scale = suitable_scale(leak);
	double floor;

	if (closed & 1U << scale)
		gm_leak_growth_follow(&leak->bins, scale, &condition->growth);
	if (!(closed & 1U << condition->scale))
		return;
	floor = ring->count > 0 ? (double)gm_leak_bin(ring, 0)->floor : NAN;
	if (floor > condition->high) {
		condition->high = floor;
		condition->high_at = leak->time;
	}
	/* What was lost in a hole of the series is in no bin yet; but it did not stand still. */
	if (isnan(floor) && leak->used > condition->high)
		condition->high_at = leak->time;
	leak->active = !has_returned(leak) && !stands_still(leak);
}

static void take_used(struct leak *leak, int64_t time, double used)
{
	unsigned closed;

	if (!(used >= 0 && used < BYTES_MAX) || time <= 0)
		return;
	if (time < leak->time - BACKWARDS_MAX)
		forget(leak);
	if (time < leak->time)
		return;
	leak->time = time;
	leak->used = used;
	closed = gm_leak_bins_add(&leak->bins, time, (float)used);
	if (!closed || isnan(leak->total))
		return;
	if (leak->active)
		follow(leak, closed);
	look(leak, closed, leak->active ? leak->condition.scale + 1 : 0);
}

static void leak_observe(struct gm_detector *detector, const struct gm_point *point,
			 const struct gm_finding_sink *sink)
{
	struct leak *leak = (struct leak *)detector;

	(void)sink;
	if (point->metric == GM_METRIC_MEMORY_USED)
		take_used(leak, point->time, point->value);
	else if (point->metric == GM_METRIC_MEMORY_TOTAL && point->value > 0 &&
		 point->value < BYTES_MAX)
		leak->total = point->value;
}

static enum gm_severity severity_of(double seconds)
{
	size_t i = 0;

	while (seconds >= severities[i].seconds)
		i++;
	return severities[i].severity;
}

/* Whether the exhaustion moved, against what was told before. */
static bool has_moved(const struct leak *leak, int64_t end)
{
	double now = (double)(end - leak->time);
	double before = (double)(leak->condition.told_end - leak->time);

	return fabs(now - before) > MOVED * fmax(now, before);
}

static void tell(struct leak *leak, struct gm_finding *finding)
{
	struct condition *condition = &leak->condition;
	struct gm_evidence *evidence = &finding->evidence;
	int64_t end = exhaustion(leak, &condition->growth);
	double left = (double)(end - leak->time) / (double)GM_SECOND;

	finding->severity = severity_of(left);
	if (leak->used >= NEARLY_GONE * leak->total)
		finding->cause = GM_CAUSE_OUT_OF_MEMORY;
	gm_evidence_set(evidence, GM_EVIDENCE_SLOPE, condition->growth.slope);
	gm_evidence_set(evidence, GM_EVIDENCE_EXHAUSTION, left);
	gm_evidence_set(evidence, GM_EVIDENCE_ONSET,
			(double)condition->growth.onset / (double)GM_SECOND);
	gm_evidence_set(evidence, GM_EVIDENCE_CONFIDENCE, condition->confidence);
	finding->report = finding->severity != condition->told_severity || has_moved(leak, end);
	if (finding->report) {
		condition->told_end = end;
		condition->told_severity = finding->severity;
	}
}

static void leak_evaluate(struct gm_detector *detector, int64_t now,
			  const struct gm_finding_sink *sink)
{
	struct leak *leak = (struct leak *)detector;
	struct gm_finding finding = {
		.key = leak->key,
		.active = leak->active,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_RESOURCE_NEARING_CAPACITY,
		.time = leak->time,
	};

	(void)now;
	if (isnan(leak->total) || !gm_leak_judge_knows(&leak->bins))
		return;
	snprintf(finding.detector, sizeof(finding.detector), "%s", gm_leak_ops.name);
	snprintf(finding.metric, sizeof(finding.metric), "memory.used");
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_USED, leak->used);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_TOTAL, leak->total);
	if (leak->active)
		tell(leak, &finding);
	sink->emit(sink->user, &finding);
}

static void leak_disturb(struct gm_detector *detector, int64_t now)
{
	(void)now;
	forget((struct leak *)detector);
}

const struct gm_detector_ops gm_leak_ops = {
	.name = "leak",
	.entities = 1U << GM_ENTITY_GUEST | 1U << GM_ENTITY_NODE,
	.options = leak_options,
	.options_size = sizeof(struct gm_leak_options),
	.create = leak_create,
	.destroy = leak_destroy,
	.observe = leak_observe,
	.evaluate = leak_evaluate,
	.disturb = leak_disturb,
};
