/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leak detector: which series are watched, against what, and what is told of them. How one is
 * watched is in leak_watch.c, what a leak looks like in leak_judge.c.
 */
#include "analysis/leak.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/leak_parts.h"
#include "analysis/leak_watch.h"
#include "base/clock.h"

enum {
	GUESTS = 1U << GM_ENTITY_GUEST,
	WHOLES = GUESTS | 1U << GM_ENTITY_NODE,
	PROCESSES = 1U << GM_ENTITY_PROCESS,
};

/* Used part of the memory: nearly gone. */
#define NEARLY_GONE 0.97

/*
 * A change of the time to exhaustion that is told: this part of what is left, and of what has passed since
 * the onset. Close to the end every sample would move what is left by much.
 */
#define MOVED        0.06
#define MOVED_PASSED 0.01

/* A severity falls back when this much more than its limit is left: no flapping about it. */
#define RELIEF 1.25

/* No machine has so much memory. */
#define BYTES_MAX 1e18

/*
 * What a guest's process holds beside the guest's memory: translated code, device models, displays, caches of
 * the block layer. Growth up to here is usual.
 */
#define OVERHEAD_USUAL (256.0 * 1048576)
#define OVERHEAD_PART  (1.0 / 32) /* of the guest's memory, in addition */

/* What it may grow to beyond that: as much as the guest was given, and no less than this. */
#define OVERHEAD_ROOM (1024.0 * 1048576)

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
	{
		.key = "critical-within",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_leak_options, critical_within),
		.min = 0,
		.max = 365 * 86400e9,
		.fallback = "10m",
		.help = "Less time than this until the memory is used up makes a leak critical; "
			"not longer "
			"than major-within, nor that than minor-within.",
	},
	{
		.key = "major-within",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_leak_options, major_within),
		.min = 0,
		.max = 365 * 86400e9,
		.fallback = "1h",
		.help = "Less time than this makes it major; no leak with 0, as with the other "
			"two.",
	},
	{
		.key = "minor-within",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_leak_options, minor_within),
		.min = 0,
		.max = 365 * 86400e9,
		.fallback = "1d",
		.help = "Less time than this makes it minor; a leak that leaves more is a warning.",
	},
	GM_OPTION_END,
};

struct leak {
	struct gm_detector detector;
	const struct gm_leak_options *options;
	struct gm_entity_key key;
	double swap_used, swap_total; /* bytes; 0: none, or not told */
	double total;                 /* memory.total; NaN: not told */
	double maximum;               /* memory.maximum; NaN: not told */
	bool knows_room;              /* a process: memory.available was told */
	struct gm_leak_watch watch;
	struct gm_leak_watch *overhead; /* NULL: nothing to watch so far */
	struct gm_leak_parts *parts;    /* NULL: none told so far */
};

static int leak_create(const void *options, const struct gm_entity_key *key,
		       struct gm_detector **ret_detector)
{
	struct leak *leak = calloc(1, sizeof(*leak));

	if (!leak)
		return -ENOMEM;
	leak->detector.ops = &gm_leak_ops;
	leak->options = options;
	leak->key = *key;
	leak->total = leak->maximum = NAN;
	gm_leak_watch_init(&leak->watch);
	*ret_detector = &leak->detector;
	return 0;
}

static void leak_destroy(struct gm_detector *detector)
{
	struct leak *leak = (struct leak *)detector;

	free(leak->overhead);
	free(leak->parts);
	free(leak);
}

static void take(const struct leak *leak, struct gm_leak_watch *watch, int64_t time, double used)
{
	struct gm_leak_manner manner = {
		.caution = cautions[leak->options->sensitivity],
		.horizon = leak->options->horizon,
	};

	gm_leak_watch_take(watch, time, used, &manner);
}

static bool is_size(double bytes)
{
	return bytes >= 0 && bytes < BYTES_MAX;
}

static void take_used(struct leak *leak, const struct gm_point *point)
{
	take(leak, &leak->watch, point->time, point->value + leak->swap_used);
}

static void update_total(struct leak *leak)
{
	if (leak->knows_room)
		return;
	gm_leak_watch_total(&leak->watch, leak->total + leak->swap_total);
}

static void take_total(struct leak *leak, const struct gm_point *point)
{
	if (!(point->value > 0 && is_size(point->value)))
		return;
	leak->total = point->value;
	update_total(leak);
}

/* Swap counts once it is known how much there is of it. */
static void take_swap_total(struct leak *leak, const struct gm_point *point)
{
	if (!is_size(point->value))
		return;
	leak->swap_total = point->value;
	leak->swap_used = fmin(leak->swap_used, leak->swap_total);
	update_total(leak);
}

static void take_swap_used(struct leak *leak, const struct gm_point *point)
{
	if (is_size(point->value))
		leak->swap_used = fmin(point->value, leak->swap_total);
}

static void take_maximum(struct leak *leak, const struct gm_point *point)
{
	if (point->value > 0 && is_size(point->value))
		leak->maximum = point->value;
}

/* What the guest's process holds beyond the guest's memory and the usual. */
static void take_overhead(struct leak *leak, const struct gm_point *point)
{
	double usual;

	if (isnan(leak->maximum) || !is_size(point->value))
		return;
	usual = leak->maximum * (1 + OVERHEAD_PART) + OVERHEAD_USUAL;
	if (!leak->overhead) {
		if (point->value < usual)
			return;
		leak->overhead = malloc(sizeof(*leak->overhead));
		if (!leak->overhead)
			return;
		gm_leak_watch_init(leak->overhead);
	}
	gm_leak_watch_total(leak->overhead, fmax(leak->maximum, OVERHEAD_ROOM));
	take(leak, leak->overhead, point->time, fmax(point->value - usual, 0));
}

static void take_resident(struct leak *leak, const struct gm_point *point)
{
	take(leak, &leak->watch, point->time, point->value);
}

/* What is left to a process, while others use the rest. */
static void set_room(struct leak *leak, double bytes)
{
	if (!is_size(bytes) || !is_size(leak->watch.used))
		return;
	leak->knows_room = true;
	gm_leak_watch_total(&leak->watch, leak->watch.used + bytes);
}

static void take_available(struct leak *leak, const struct gm_point *point)
{
	set_room(leak, point->value);
}

/* What becomes of a point. */
static const struct {
	unsigned entities; /* bits 1 << enum gm_entity_kind */
	enum gm_metric_id metric;
	void (*take)(struct leak *leak, const struct gm_point *point);
} intakes[] = {
	{WHOLES, GM_METRIC_MEMORY_USED, take_used},
	{WHOLES, GM_METRIC_MEMORY_TOTAL, take_total},
	{WHOLES, GM_METRIC_SWAP_USED, take_swap_used},
	{WHOLES, GM_METRIC_SWAP_TOTAL, take_swap_total},
	{GUESTS, GM_METRIC_MEMORY_MAXIMUM, take_maximum},
	{GUESTS, GM_METRIC_MEMORY_RESIDENT, take_overhead},
	{PROCESSES, GM_METRIC_MEMORY_RESIDENT, take_resident},
	{PROCESSES, GM_METRIC_MEMORY_TOTAL, take_total},
	{PROCESSES, GM_METRIC_MEMORY_AVAILABLE, take_available},
};

static void leak_observe(struct gm_detector *detector, const struct gm_point *point,
			 const struct gm_finding_sink *sink)
{
	struct leak *leak = (struct leak *)detector;

	(void)sink;
	for (size_t i = 0; i < sizeof(intakes) / sizeof(intakes[0]); i++) {
		if (intakes[i].metric == point->metric &&
		    intakes[i].entities & 1U << leak->key.kind) {
			intakes[i].take(leak, point);
			return;
		}
	}
}

static void leak_observe_part(struct gm_detector *detector, const struct gm_entity_key *part,
			      const struct gm_point *point, const struct gm_finding_sink *sink)
{
	struct leak *leak = (struct leak *)detector;

	(void)sink;
	if (part->kind != GM_ENTITY_PROCESS || point->metric != GM_METRIC_MEMORY_RESIDENT)
		return;
	if (!leak->parts)
		leak->parts = calloc(1, sizeof(*leak->parts));
	if (leak->parts)
		gm_leak_parts_add(leak->parts, part->name, point->time, point->value);
}

static enum gm_severity severity_of(const struct gm_leak_options *options, double seconds)
{
	double left = seconds * (double)GM_SECOND;

	if (left < (double)options->critical_within)
		return GM_SEVERITY_CRITICAL;
	if (left < (double)options->major_within)
		return GM_SEVERITY_MAJOR;
	if (left < (double)options->minor_within)
		return GM_SEVERITY_MINOR;
	return GM_SEVERITY_WARNING;
}

/* Rises at once, falls back late. Severities are numbered from the worst on. */
static enum gm_severity next_severity(const struct gm_leak_options *options, double seconds,
				      enum gm_severity told)
{
	enum gm_severity now = severity_of(options, seconds);

	if (told == GM_SEVERITY_CLEARED || now <= told)
		return now;
	now = severity_of(options, seconds / RELIEF);
	return now > told ? now : told;
}

static bool is_nearly_gone(const struct gm_leak_watch *watch)
{
	return watch->used >= NEARLY_GONE * watch->total;
}

/* Whether the exhaustion moved, against what was told before. Of a memory that is out nothing more is told. */
static bool has_moved(const struct gm_leak_watch *watch, int64_t end)
{
	double now = fmax((double)(end - watch->time), 0);
	double before = fmax((double)(watch->condition.told_end - watch->time), 0);
	double passed = (double)(watch->time - watch->condition.growth.onset);

	if (is_nearly_gone(watch) && watch->condition.told_end != 0)
		return false;
	return fabs(now - before) > fmax(MOVED * fmax(now, before), MOVED_PASSED * passed);
}

static void set_numbers(const struct gm_leak_watch *watch, const struct gm_leak_forecast *forecast,
			struct gm_evidence *evidence)
{
	const struct gm_leak_growth *growth = &watch->condition.growth;

	gm_evidence_set(evidence, GM_EVIDENCE_SLOPE, growth->slope);
	gm_evidence_set(evidence, GM_EVIDENCE_SLOPE_LOW, growth->slope_low);
	gm_evidence_set(evidence, GM_EVIDENCE_SLOPE_HIGH, growth->slope_high);
	gm_evidence_set(evidence, GM_EVIDENCE_EXHAUSTION, forecast->left);
	gm_evidence_set(evidence, GM_EVIDENCE_EXHAUSTION_LOW, forecast->low);
	if (isfinite(forecast->high))
		gm_evidence_set(evidence, GM_EVIDENCE_EXHAUSTION_HIGH, forecast->high);
	gm_evidence_set(evidence, GM_EVIDENCE_ONSET, (double)growth->onset / (double)GM_SECOND);
	gm_evidence_set(evidence, GM_EVIDENCE_CONFIDENCE, watch->condition.confidence);
	gm_evidence_set(evidence, GM_EVIDENCE_HORIZON, growth->span);
}

static void tell(const struct leak *leak, struct gm_leak_watch *watch, struct gm_finding *finding)
{
	struct gm_leak_condition *condition = &watch->condition;
	int64_t end = gm_leak_watch_end(watch);
	struct gm_leak_forecast forecast;

	gm_leak_watch_forecast(watch, &forecast);
	set_numbers(watch, &forecast, &finding->evidence);
	finding->severity = next_severity(leak->options, forecast.left, condition->told_severity);
	if (is_nearly_gone(watch)) {
		finding->cause = GM_CAUSE_OUT_OF_MEMORY;
		/* What is out grows slower for lack of room: no relief. */
		if (condition->told_severity != GM_SEVERITY_CLEARED &&
		    finding->severity > condition->told_severity)
			finding->severity = condition->told_severity;
	}
	finding->report = finding->severity != condition->told_severity || has_moved(watch, end);
	if (finding->report) {
		condition->told_end = end;
		condition->told_severity = finding->severity;
	}
}

static void blame(struct leak *leak, struct gm_finding *finding)
{
	const struct gm_leak_growth *growth = &leak->watch.condition.growth;

	if (finding->active)
		gm_leak_parts_blame(leak->parts, growth->onset, leak->watch.time, growth->slope,
				    finding->evidence.contributors,
				    sizeof(finding->evidence.contributors));
	else
		leak->parts->blamed = 0;
}

static void emit(struct leak *leak, struct gm_leak_watch *watch, const char *metric,
		 const struct gm_finding_sink *sink)
{
	struct gm_finding finding = {
		.key = leak->key,
		.active = watch->active,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_RESOURCE_NEARING_CAPACITY,
		.time = watch->time,
	};

	if (!gm_leak_watch_knows(watch))
		return;
	snprintf(finding.detector, sizeof(finding.detector), "%s", gm_leak_ops.name);
	snprintf(finding.metric, sizeof(finding.metric), "%s", metric);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_USED, watch->used);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_TOTAL, watch->total);
	if (watch->active)
		tell(leak, watch, &finding);
	if (watch == &leak->watch && leak->parts)
		blame(leak, &finding);
	sink->emit(sink->user, &finding);
}

static void leak_evaluate(struct gm_detector *detector, int64_t now,
			  const struct gm_finding_sink *sink)
{
	struct leak *leak = (struct leak *)detector;
	bool process = leak->key.kind == GM_ENTITY_PROCESS;

	(void)now;
	emit(leak, &leak->watch, process ? "memory.resident" : "memory.used", sink);
	if (leak->overhead)
		emit(leak, leak->overhead, "memory.resident", sink);
}

static void leak_disturb(struct gm_detector *detector, int64_t now)
{
	struct leak *leak = (struct leak *)detector;

	gm_leak_watch_break(&leak->watch, now);
	if (leak->overhead)
		gm_leak_watch_break(leak->overhead, now);
}

static void exchange_size(struct gm_archive *archive, double *bytes)
{
	gm_archive_any_number(archive, bytes);
	if (!isnan(*bytes) && !is_size(*bytes))
		archive->failed = true;
}

/* Whether a part that is made when it is needed is there; makes it when the archive has it. */
static bool exchange_there(struct gm_archive *archive, void **part, size_t size)
{
	bool there = *part != NULL;

	gm_archive_bool(archive, &there);
	if (archive->failed)
		return false;
	if (there && !*part)
		*part = calloc(1, size);
	if (there && !*part)
		archive->failed = true;
	return *part != NULL;
}

static void leak_exchange(struct gm_detector *detector, struct gm_archive *archive)
{
	struct leak *leak = (struct leak *)detector;
	void *overhead = leak->overhead, *parts = leak->parts;

	gm_archive_tag(archive, "leak 2");
	exchange_size(archive, &leak->total);
	exchange_size(archive, &leak->maximum);
	gm_archive_bool(archive, &leak->knows_room);
	exchange_size(archive, &leak->swap_used);
	exchange_size(archive, &leak->swap_total);
	gm_leak_watch_exchange(archive, &leak->watch);
	if (exchange_there(archive, &overhead, sizeof(*leak->overhead)))
		gm_leak_watch_exchange(archive, overhead);
	if (exchange_there(archive, &parts, sizeof(*leak->parts)))
		gm_leak_parts_exchange(archive, parts);
	leak->overhead = overhead;
	leak->parts = parts;
}

void gm_leak_hand_down(const struct gm_detector *whole, struct gm_detector *process)
{
	const struct leak *from = (const struct leak *)whole;

	if (whole && process)
		set_room((struct leak *)process, fmax(from->watch.total - from->watch.used, 0));
}

bool gm_leak_blames(const struct gm_detector *detector, const struct gm_entity_key *process)
{
	const struct leak *leak = (const struct leak *)detector;

	return leak && leak->parts && leak->watch.active &&
	       gm_leak_parts_blames(leak->parts, process->name);
}

/* The severities in their order; one that is 0 is never given, and takes no part. */
static int leak_check(const void *all, struct gm_error *err)
{
	const struct gm_leak_options *options = all;
	const struct {
		const char *severity;
		int64_t within;
	} levels[] = {{"critical", options->critical_within},
		      {"major", options->major_within},
		      {"minor", options->minor_within}};
	size_t before = 0;

	for (size_t i = 1; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (levels[i].within == 0)
			continue;
		if (levels[before].within > levels[i].within)
			return gm_error_set(err, -EINVAL,
					    "%s-within: longer than %s-within: no leak would be %s",
					    levels[before].severity, levels[i].severity,
					    levels[i].severity);
		before = i;
	}
	return 0;
}

const struct gm_detector_ops gm_leak_ops = {
	.name = "leak",
	.help = "Memory that grows steadily: how fast, and when none is left.",
	.entities = WHOLES | PROCESSES,
	.options = leak_options,
	.options_size = sizeof(struct gm_leak_options),
	.create = leak_create,
	.destroy = leak_destroy,
	.observe = leak_observe,
	.observe_part = leak_observe_part,
	.evaluate = leak_evaluate,
	.exchange = leak_exchange,
	.disturb = leak_disturb,
	.check = leak_check,
};
