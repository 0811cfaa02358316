/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The detector `policy`; see policy.h. The samples of one moment (of the guest and of its parts) come one
 * by one: a moment is settled when the next one begins, or when the detector is asked. Only then do sums
 * over parts enter the windows, so that no sum is of old and new values.
 */
#include "analysis/policy.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/policy_program.h"
#include "analysis/policy_sum.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/template.h"

/* A sample further back than this is a clock that was set, not a late arrival. */
#define BACKWARDS_MAX (60 * GM_SECOND)

/* What is kept and later was not written by us: differences of times must not overflow. */
#define LATEST (INT64_MAX / 2)

/* The older one does not know which series the result is told in. */
static const char layout[] = "policy 2", layout_1[] = "policy 1";

static const struct gm_option policy_options[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_policy_options, enabled),
	 .fallback = "true",
	 .help = "Judge this policy."},
	{.key = "condition",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_policy_options, condition),
	 .fallback = "",
	 .help = "What must be true to raise the alarm."},
	{.key = "for",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_policy_options, hold),
	 .min = 0,
	 .max = 7 * 86400e9,
	 .fallback = "0s",
	 .help = "How long the condition must be true without a break."},
	{.key = "interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_policy_options, interval),
	 .min = 10e6,
	 .max = 3600e9,
	 .fallback = "1s",
	 .help = "How often the condition is judged."},
	{.key = "severity",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_policy_options, severity),
	 .fallback = "warning",
	 .help = "Severity of the alarm.",
	 .choices = gm_severity_choices},
	{.key = "message",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_policy_options, message),
	 .fallback = "",
	 .help = "The alarm's text, with {guest}, {project}, {entity}, {metric}, {rule}, "
		 "{severity}, {value} and {limit} in it; empty: a sentence."},
	GM_OPTION_END,
};

struct policy {
	struct gm_detector detector;
	const struct gm_policy_options *options;
	struct gm_entity_key key;
	struct gm_policy_program *program;
	struct gm_policy_sum *sums[GM_POLICY_SERIES]; /* one per metric, NULL at the end */
	size_t sum_of[GM_POLICY_SERIES];              /* by series: its metric's place in `sums` */
	struct gm_sliding *windows[GM_POLICY_SERIES]; /* by series; NULL: the newest value */
	bool open;                                    /* samples of `moment` are not settled yet */
	int64_t moment;                               /* time of the newest samples */
	int64_t judged;                               /* when last; 0: never */
	bool known, active, holds;
	int64_t since;                  /* while the condition holds: from when on */
	int64_t time;                   /* of the last judgement that was no shrug */
	struct gm_policy_result result; /* of that judgement */
};

/* The metric that its alarms are told in: the condition's first. */
static const char *told_metric(const struct policy *policy)
{
	return gm_metric_get(policy->program->series[0].metric)->name;
}

static void policy_destroy(struct gm_detector *detector)
{
	struct policy *policy = (struct policy *)detector;

	for (size_t i = 0; i < GM_POLICY_SERIES; i++) {
		gm_policy_sum_free(policy->sums[i]);
		gm_sliding_free(policy->windows[i]);
	}
	free(policy->program);
	free(policy);
}

/* The place of a metric's sum, which is made where there is none yet. */
static int find_sum(struct policy *policy, unsigned metric, size_t *ret_place)
{
	size_t place = 0;

	while (policy->sums[place] && gm_policy_sum_metric(policy->sums[place]) != metric)
		place++;
	*ret_place = place;
	return policy->sums[place] ? 0 : gm_policy_sum_create(metric, &policy->sums[place]);
}

static int create_series(struct policy *policy)
{
	for (size_t i = 0; i < policy->program->series_count; i++) {
		const struct gm_policy_series *series = &policy->program->series[i];
		int result = find_sum(policy, series->metric, &policy->sum_of[i]);

		if (result == 0 && series->function != GM_FUNCTION_VALUE)
			result = gm_sliding_create(series->window,
						   series->function == GM_FUNCTION_PERCENTILE,
						   &policy->windows[i]);
		if (result < 0)
			return result;
	}
	return 0;
}

static int policy_create(const void *options, const struct gm_entity_key *key,
			 struct gm_detector **ret_detector)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return -ENOMEM;
	policy->detector.ops = &gm_policy_ops;
	policy->options = options;
	policy->key = *key;
	int result = gm_policy_compile(policy->options->condition, &policy->program, NULL, NULL);
	if (result == 0)
		result = create_series(policy);
	if (result < 0) {
		policy_destroy(&policy->detector);
		return result;
	}
	*ret_detector = &policy->detector;
	return 0;
}

/* What a counter has counted in the window is all that its mean and its rate need. */
static bool is_counted(const struct policy *policy, size_t i)
{
	enum gm_function function = policy->program->series[i].function;

	return gm_policy_sum_is_rate(policy->sums[policy->sum_of[i]]) &&
	       (function == GM_FUNCTION_RATE || function == GM_FUNCTION_AVG);
}

/* What one series is now. */
static double read_series(const struct policy *policy, size_t i, int64_t now)
{
	const struct gm_policy_series *series = &policy->program->series[i];
	const struct gm_policy_sum *sum = policy->sums[policy->sum_of[i]];

	if (!policy->windows[i])
		return gm_policy_sum_value(sum, now);
	if (is_counted(policy, i))
		return gm_sliding_counted(policy->windows[i], now, gm_policy_sum_value(sum, now));
	return gm_sliding_read(policy->windows[i], now, series->function, series->percentile);
}

static void tell(const struct policy *policy, const struct gm_finding_sink *sink)
{
	struct gm_finding finding = {
		.key = policy->key,
		.active = policy->active,
		.severity = gm_severity_chosen(policy->options->severity),
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_THRESHOLD_CROSSED,
		.time = policy->time,
	};

	gm_text_copy(finding.detector, sizeof(finding.detector), gm_policy_ops.name);
	gm_text_copy(finding.metric, sizeof(finding.metric), told_metric(policy));
	gm_text_copy(finding.message, sizeof(finding.message), policy->options->message);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_VALUE, policy->result.value);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_LIMIT, policy->result.limit);
	if (policy->result.series)
		gm_quantity_unit(policy->result.series->metric,
				 policy->result.series->function == GM_FUNCTION_RATE,
				 finding.evidence.unit);
	sink->emit(sink->user, &finding);
}

static void judge(struct policy *policy, int64_t now, const struct gm_finding_sink *sink)
{
	double values[GM_POLICY_SERIES];
	bool was_active = policy->active;

	policy->judged = now;
	for (size_t i = 0; i < policy->program->series_count; i++)
		values[i] = read_series(policy, i, now);
	struct gm_policy_result result = gm_policy_run(policy->program, values);
	if (isnan(result.truth)) {
		policy->holds = policy->active;
		return;
	}
	policy->known = true;
	policy->result = result;
	policy->time = now;
	if (result.truth == 0) {
		policy->holds = policy->active = false;
	} else {
		if (!policy->holds || now < policy->since)
			policy->since = now;
		policy->holds = true;
		policy->active |= now - policy->since >= policy->options->hold;
	}
	if (policy->active != was_active)
		tell(policy, sink);
}

/* The sums of the present moment enter the windows, and the condition is judged when it is time to. */
static void settle(struct policy *policy, const struct gm_finding_sink *sink)
{
	/* An eighth less: samples come a little early, too. */
	int64_t interval = policy->options->interval - policy->options->interval / 8;

	if (!policy->open)
		return;
	policy->open = false;
	for (size_t i = 0; i < policy->program->series_count; i++) {
		const struct gm_policy_sum *sum = policy->sums[policy->sum_of[i]];
		double value = is_counted(policy, i) ? gm_policy_sum_counted(sum)
						     : gm_policy_sum_value(sum, policy->moment);

		if (policy->windows[i] && gm_policy_sum_is_new(sum) && !isnan(value))
			gm_sliding_add(policy->windows[i], policy->moment, value);
	}
	for (size_t i = 0; i < GM_POLICY_SERIES && policy->sums[i]; i++)
		gm_policy_sum_settled(policy->sums[i]);
	if (policy->judged == 0 || policy->moment < policy->judged ||
	    policy->moment - policy->judged >= interval)
		judge(policy, policy->moment, sink);
}

static void take(struct policy *policy, const struct gm_entity_key *part,
		 const struct gm_point *point, const struct gm_finding_sink *sink)
{
	size_t i = 0;

	while (i < GM_POLICY_SERIES && policy->sums[i] &&
	       gm_policy_sum_metric(policy->sums[i]) != point->metric)
		i++;
	if (i == GM_POLICY_SERIES || !policy->sums[i])
		return;
	if (point->time > policy->moment || point->time < policy->moment - BACKWARDS_MAX) {
		settle(policy, sink);
		policy->moment = point->time;
	}
	policy->open |= gm_policy_sum_add(policy->sums[i], part, point);
}

static void policy_observe(struct gm_detector *detector, const struct gm_point *point,
			   const struct gm_finding_sink *sink)
{
	struct policy *policy = (struct policy *)detector;

	take(policy, &policy->key, point, sink);
}

static void policy_observe_part(struct gm_detector *detector, const struct gm_entity_key *part,
				const struct gm_point *point, const struct gm_finding_sink *sink)
{
	take((struct policy *)detector, part, point, sink);
}

static void policy_evaluate(struct gm_detector *detector, int64_t now,
			    const struct gm_finding_sink *sink)
{
	struct policy *policy = (struct policy *)detector;

	(void)now;
	settle(policy, sink);
	if (policy->known)
		tell(policy, sink);
}

static void policy_exchange(struct gm_detector *detector, struct gm_archive *archive)
{
	struct policy *policy = (struct policy *)detector;

	/* From 1: the series that the result is told in; 0: none. */
	size_t told = policy->result.series
			      ? (size_t)(policy->result.series - policy->program->series) + 1
			      : 0;

	bool is_old = gm_archive_is_next(archive, layout_1);
	gm_archive_tag(archive, is_old ? layout_1 : layout);
	gm_archive_bool(archive, &policy->known);
	gm_archive_bool(archive, &policy->active);
	gm_archive_bool(archive, &policy->holds);
	gm_archive_int(archive, &policy->since, 0, LATEST);
	gm_archive_int(archive, &policy->time, 0, LATEST);
	gm_archive_any_number(archive, &policy->result.truth);
	gm_archive_any_number(archive, &policy->result.value);
	gm_archive_any_number(archive, &policy->result.limit);
	if (!is_old)
		gm_archive_size(archive, &told, SIZE_MAX);
	/* An operator who makes the condition shorter has not made a new policy of it. */
	bool is_there = told > 0 && told <= policy->program->series_count;
	policy->result.series = is_there ? &policy->program->series[told - 1] : NULL;
}

static bool policy_concerns(const void *options, enum gm_entity_kind kind)
{
	(void)kind;
	return ((const struct gm_policy_options *)options)->condition[0] != '\0';
}

static bool policy_judges(const struct gm_detector *detector, const char *metric)
{
	return strcmp(told_metric((const struct policy *)detector), metric) == 0;
}

static int policy_check(const void *all, struct gm_error *err)
{
	const struct gm_policy_options *options = all;
	struct gm_policy_program *program = NULL;
	struct gm_policy_place place;
	size_t at;

	if (options->condition[0] == '\0')
		return gm_error_set(err, -EINVAL, "condition: the policy has none");
	int result = gm_policy_compile(options->condition, &program, &place, err);
	free(program);
	if (result == -EINVAL)
		return gm_error_prefix(err, result, "condition:%zu:%zu", place.line, place.column);
	if (result == 0 && gm_template_check(options->message, gm_template_names, &at, err) < 0)
		return gm_error_prefix(err, -EINVAL, "message");
	return result;
}

const struct gm_detector_ops gm_policy_ops = {
	.name = "policy",
	.help = "A condition over several metrics.",
	.entities = 1U << GM_ENTITY_GUEST | 1U << GM_ENTITY_NODE,
	.options = policy_options,
	.options_size = sizeof(struct gm_policy_options),
	.create = policy_create,
	.destroy = policy_destroy,
	.observe = policy_observe,
	.evaluate = policy_evaluate,
	.observe_part = policy_observe_part,
	.exchange = policy_exchange,
	.concerns = policy_concerns,
	.judges = policy_judges,
	.check = policy_check,
	.rules_only = true,
};
