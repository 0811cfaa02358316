/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threshold rules; see threshold.h. What is judged comes out of measure(), what a value asks for out
 * of ask(), and take() is the state machine over the two.
 */
#include "analysis/threshold.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sliding.h"
#include "base/clock.h"
#include "base/text.h"

/* What is later was not written by us: differences of times must not overflow. */
#define LATEST (INT64_MAX / 2)

enum level { LEVEL_OKAY, LEVEL_WARNING, LEVEL_FAILURE, LEVELS };

static const char *const functions[] = {"value", "rate", "avg", "min", "max", "percentile", NULL};
static const char *const edges[] = {
	[GM_EDGE_RISING] = "rising", [GM_EDGE_FALLING] = "falling", NULL};

#define LIMIT(name, member, sentence)                                                  \
	{                                                                              \
		.key = name, .type = GM_OPTION_LIMIT,                                  \
		GM_OPTION_AT(struct gm_threshold_options, member), .fallback = "none", \
		.help = sentence                                                       \
	}

static const struct gm_option threshold_options[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_threshold_options, enabled),
	 .fallback = "true",
	 .help = "Judge this rule."},
	{.key = "metric",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_threshold_options, metric),
	 .fallback = "",
	 .help = "The metric that is judged, by its name in the catalogue; a counter is judged by "
		 "its rate per second. Empty: nothing is judged here; guestmon-policy(5) has rules "
		 "for some guests."},
	LIMIT("warning-max", warning_max, "Above this value: warning."),
	LIMIT("warning-min", warning_min, "Below this value: warning."),
	LIMIT("failure-max", failure_max, "Above this value: critical."),
	LIMIT("failure-min", failure_min, "Below this value: critical."),
	{.key = "hits",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_threshold_options, hits),
	 .min = 1,
	 .max = 1e6,
	 .fallback = "1",
	 .help = "How many values in a row must ask for another state before it is taken; back to "
		 "normal it goes at once."},
	LIMIT("hysteresis", hysteresis,
	      "How far beyond its limit a value must go back before the state is left."),
	{.key = "invert",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_threshold_options, invert),
	 .fallback = "false",
	 .help = "The values between min and max, limits included, are the ones not acceptable."},
	{.key = "persist",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_threshold_options, persist),
	 .fallback = "false",
	 .help = "Tell every further value while the state is not normal, as a change."},
	LIMIT("rising", rising,
	      "A value that reaches this raises the alarm, in place of the limits above."),
	LIMIT("falling", falling,
	      "A value that reaches this from above ends what `rising` raised; none: the same "
	      "value."),
	{.key = "raise-on",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_threshold_options, raise_on),
	 .fallback = "rising",
	 .help = "Which of the two raises; with falling it is `falling` that raises, and `rising` "
		 "ends.",
	 .choices = edges},
	{.key = "function",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_threshold_options, function),
	 .fallback = "value",
	 .help = "What is judged: the value itself, or its rate of change per second, mean, "
		 "extreme "
		 "or percentile over the window.",
	 .choices = functions},
	{.key = "window",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_threshold_options, window),
	 .min = 10e6,
	 .max = 7 * 86400e9,
	 .fallback = "60s",
	 .help = "How far back the function reaches."},
	{.key = "percentile",
	 .type = GM_OPTION_NUMBER,
	 GM_OPTION_AT(struct gm_threshold_options, percentile),
	 .min = 0,
	 .max = 100,
	 .fallback = "95",
	 .help = "The percentile that the function percentile gives."},
	{.key = "duration",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_threshold_options, duration),
	 .min = 0,
	 .max = 7 * 86400e9,
	 .fallback = "0s",
	 .help = "How long another state must be asked for, without a break, before it is taken."},
	{.key = "missing",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_threshold_options, missing),
	 .min = 0,
	 .max = 7 * 86400e9,
	 .fallback = "0s",
	 .help = "Raise an alarm when a metric that was there gives no value for this long; 0s: "
		 "never."},
	{.key = "severity",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_threshold_options, severity),
	 .fallback = "warning",
	 .help = "Severity of what `rising` and `missing` raise.",
	 .choices = gm_severity_choices},
	GM_OPTION_END,
};

struct threshold {
	struct gm_detector detector;
	const struct gm_threshold_options *options;
	struct gm_entity_key key;
	unsigned metric;
	struct gm_sliding *sliding; /* NULL: the function is `value` */

	bool known; /* it has been given a value */
	enum level level;
	int64_t waiting;       /* values in a row that asked for another state */
	int64_t waiting_since; /* the first of them */
	double value, limit;
	int64_t time; /* of the newest value */

	bool silent;
	int64_t evaluated; /* when last; 0: never */
	int64_t heard;     /* from then on silence is counted */
};

static void threshold_destroy(struct gm_detector *detector)
{
	struct threshold *threshold = (struct threshold *)detector;

	gm_sliding_free(threshold->sliding);
	free(threshold);
}

static int threshold_create(const void *options, const struct gm_entity_key *key,
			    struct gm_detector **ret_detector)
{
	struct threshold *threshold = calloc(1, sizeof(*threshold));

	if (!threshold)
		return -ENOMEM;
	threshold->detector.ops = &gm_threshold_ops;
	threshold->options = options;
	threshold->key = *key;
	threshold->metric = gm_metric_find(threshold->options->metric);
	threshold->limit = NAN;
	if (threshold->options->function != GM_FUNCTION_VALUE) {
		bool ranked = threshold->options->function == GM_FUNCTION_PERCENTILE;

		if (gm_sliding_create(threshold->options->window, ranked, &threshold->sliding) <
		    0) {
			free(threshold);
			return -ENOMEM;
		}
	}
	*ret_detector = &threshold->detector;
	return 0;
}

static void threshold_name_metric(struct gm_detector *detector, unsigned metric, const char *name)
{
	struct threshold *threshold = (struct threshold *)detector;

	if (strcmp(name, threshold->options->metric) == 0)
		threshold->metric = metric;
}

/* What the rule judges once this point is in; NaN: nothing yet. */
static double measure(struct threshold *threshold, const struct gm_point *point)
{
	const struct gm_threshold_options *options = threshold->options;
	bool counter = gm_metric_kind(point->metric) == GM_KIND_COUNTER;
	double span = (double)point->span / (double)GM_SECOND, value = point->value;

	if (counter && span <= 0)
		return NAN;
	if (counter)
		value /= span;
	if (!isfinite(value) || !threshold->sliding)
		return value;
	if (counter &&
	    (options->function == GM_FUNCTION_RATE || options->function == GM_FUNCTION_AVG)) {
		gm_sliding_add(threshold->sliding, point->time, point->value);
		return gm_sliding_counted(threshold->sliding, point->time, value);
	}
	gm_sliding_add(threshold->sliding, point->time, value);
	return gm_sliding_read(threshold->sliding, point->time, (enum gm_function)options->function,
			       options->percentile);
}

static double level_max(const struct gm_threshold_options *options, enum level level)
{
	return level == LEVEL_FAILURE ? options->failure_max : options->warning_max;
}

static double level_min(const struct gm_threshold_options *options, enum level level)
{
	return level == LEVEL_FAILURE ? options->failure_min : options->warning_min;
}

/*
 * Whether `value` is past a limit of `level`, which it says; `slack` makes the acceptable range smaller.
 * A comparison with a limit that there is none of (NaN) is false.
 */
static bool is_past(const struct gm_threshold_options *options, enum level level, double value,
		    double slack, double *ret_limit)
{
	double max = level_max(options, level), min = level_min(options, level);

	if (isnan(max) && isnan(min))
		return false;
	if (options->invert) {
		if (value < min - slack || value > max + slack)
			return false;
		*ret_limit = isnan(max) || fabs(value - min) < fabs(value - max) ? min : max;
		return true;
	}
	if (value > max - slack) {
		*ret_limit = max;
		return true;
	}
	if (value < min + slack) {
		*ret_limit = min;
		return true;
	}
	return false;
}

static bool has_pair(const struct gm_threshold_options *options)
{
	return !isnan(options->rising) || !isnan(options->falling);
}

/* RMON's pair as a level: up at the one that raises, down at the other, between them as before. */
static enum level ask_pair(const struct threshold *threshold, double value, double *ret_limit)
{
	const struct gm_threshold_options *options = threshold->options;
	bool falls = options->raise_on == GM_EDGE_FALLING;
	double raise = falls ? options->falling : options->rising;
	double end = falls ? options->rising : options->falling;
	double sign = falls ? -1 : 1;
	bool reached = sign * value >= sign * raise;
	bool stays = isnan(end) ? reached : sign * value > sign * end;

	if (threshold->level != LEVEL_OKAY ? !stays : !reached)
		return LEVEL_OKAY;
	*ret_limit = raise;
	return LEVEL_WARNING;
}

/* The state that a value asks for, and the limit concerned. */
static enum level ask(const struct threshold *threshold, double value, double *ret_limit)
{
	const struct gm_threshold_options *options = threshold->options;

	if (has_pair(options))
		return ask_pair(threshold, value, ret_limit);
	for (enum level level = LEVEL_FAILURE; level > LEVEL_OKAY; level--) {
		bool present = threshold->level == level && !isnan(options->hysteresis);
		double slack = present ? options->hysteresis : 0;

		if (is_past(options, level, value, slack, ret_limit))
			return level;
	}
	return LEVEL_OKAY;
}

static enum gm_severity severity_of(const struct threshold *threshold)
{
	const struct gm_threshold_options *options = threshold->options;

	if (threshold->level == LEVEL_FAILURE)
		return GM_SEVERITY_CRITICAL;
	if (threshold->level == LEVEL_WARNING && !has_pair(options))
		return GM_SEVERITY_WARNING;
	return gm_severity_chosen(options->severity);
}

static void tell(const struct threshold *threshold, int64_t time, bool report,
		 const struct gm_finding_sink *sink)
{
	struct gm_finding finding = {
		.key = threshold->key,
		.active = threshold->level != LEVEL_OKAY || threshold->silent,
		.report = report,
		.severity = severity_of(threshold),
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_THRESHOLD_CROSSED,
		.time = time,
	};

	gm_text_copy(finding.detector, sizeof(finding.detector), gm_threshold_ops.name);
	gm_text_copy(finding.metric, sizeof(finding.metric), threshold->options->metric);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_VALUE, threshold->value);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_LIMIT, threshold->limit);
	gm_quantity_unit(threshold->metric, threshold->options->function == GM_FUNCTION_RATE,
			 finding.evidence.unit);
	if (threshold->silent)
		gm_evidence_set(&finding.evidence, GM_EVIDENCE_DURATION,
				(double)(time - threshold->time) / (double)GM_SECOND);
	sink->emit(sink->user, &finding);
}

/* A value that asks for another state than the present one, not okay: whether it is taken now. */
static bool wait_is_over(struct threshold *threshold, int64_t time)
{
	if (threshold->waiting++ == 0 || time < threshold->waiting_since)
		threshold->waiting_since = time;
	return threshold->waiting >= threshold->options->hits &&
	       time - threshold->waiting_since >= threshold->options->duration;
}

static void take(struct threshold *threshold, double value, int64_t time,
		 const struct gm_finding_sink *sink)
{
	double limit = threshold->limit;
	enum level asked = ask(threshold, value, &limit);
	bool changed = false, heard_again = threshold->silent;

	threshold->known = true;
	threshold->silent = false;
	threshold->value = value;
	threshold->time = time;
	if (asked == threshold->level) {
		threshold->waiting = 0;
	} else if (asked == LEVEL_OKAY || wait_is_over(threshold, time)) {
		threshold->level = asked;
		threshold->waiting = 0;
		changed = true;
	}
	if (threshold->level == asked)
		threshold->limit = limit;
	bool again = asked != LEVEL_OKAY && asked == threshold->level && !changed &&
		     threshold->options->persist;
	if (changed || again || heard_again)
		tell(threshold, time, again, sink);
}

static void threshold_observe(struct gm_detector *detector, const struct gm_point *point,
			      const struct gm_finding_sink *sink)
{
	struct threshold *threshold = (struct threshold *)detector;

	if (point->metric != threshold->metric)
		return;
	double value = measure(threshold, point);
	if (isfinite(value))
		take(threshold, value, point->time, sink);
}

/* Silence counts only while somebody listened: not over a pause of the daemon or a step of the clock. */
static bool is_silent(struct threshold *threshold, int64_t now)
{
	int64_t missing = threshold->options->missing, pause = now - threshold->evaluated;

	if (threshold->evaluated == 0 || pause < 0 || pause > missing)
		threshold->heard = now;
	threshold->evaluated = now;
	if (threshold->heard < threshold->time)
		threshold->heard = threshold->time;
	return missing > 0 && now - threshold->heard >= missing;
}

static void threshold_evaluate(struct gm_detector *detector, int64_t now,
			       const struct gm_finding_sink *sink)
{
	struct threshold *threshold = (struct threshold *)detector;

	bool silent = is_silent(threshold, now);

	if (!threshold->known)
		return;
	/* Once told, it lasts until a value comes: a pause proves nothing. */
	threshold->silent |= silent;
	tell(threshold, threshold->silent ? now : threshold->time, false, sink);
}

static void threshold_exchange(struct gm_detector *detector, struct gm_archive *archive)
{
	struct threshold *threshold = (struct threshold *)detector;
	uint32_t level = threshold->level;

	gm_archive_tag(archive, "threshold 2");
	gm_archive_bool(archive, &threshold->known);
	gm_archive_bool(archive, &threshold->silent);
	gm_archive_u32(archive, &level, LEVELS - 1);
	gm_archive_int(archive, &threshold->waiting, 0, LATEST);
	gm_archive_int(archive, &threshold->waiting_since, 0, LATEST);
	gm_archive_number(archive, &threshold->value);
	gm_archive_any_number(archive, &threshold->limit);
	gm_archive_int(archive, &threshold->time, 0, LATEST);
	threshold->level = (enum level)level;
}

static bool threshold_concerns(const void *options, enum gm_entity_kind kind)
{
	const struct gm_threshold_options *threshold = options;
	const struct gm_metric *metric = gm_metric_get(gm_metric_find(threshold->metric));

	if (metric)
		return metric->entities >> kind & 1;
	return threshold->metric[0] != '\0';
}

static bool threshold_judges(const struct gm_detector *detector, const char *metric)
{
	return strcmp(((const struct threshold *)detector)->options->metric, metric) == 0;
}

static int refuse(struct gm_error *err, const char *key, const char *what)
{
	return gm_error_set(err, -EINVAL, "%s: %s", key, what);
}

static int check_pair(const struct gm_threshold_options *options, struct gm_error *err)
{
	bool falls = options->raise_on == GM_EDGE_FALLING;

	if (falls && isnan(options->falling))
		return refuse(err, "raise-on", "falling needs `falling`");
	if (!has_pair(options))
		return 0;
	if ((!falls && isnan(options->rising)) || options->falling > options->rising)
		return refuse(err, "falling", "needs `rising`, and is not above it");
	return 0;
}

/* A warning that no value could be without being a failure; inverted, the two may stand side by side. */
static int check_levels(const struct gm_threshold_options *options, struct gm_error *err)
{
	if (options->invert)
		return 0;
	if (options->failure_max < options->warning_max)
		return refuse(err, "failure-max", "below warning-max");
	if (options->failure_min > options->warning_min)
		return refuse(err, "failure-min", "above warning-min");
	return 0;
}

static int threshold_check(const void *all, struct gm_error *err)
{
	const struct gm_threshold_options *options = all;
	bool warning = !isnan(options->warning_max) || !isnan(options->warning_min);
	bool failure = !isnan(options->failure_max) || !isnan(options->failure_min);

	if (options->metric[0] == '\0')
		return 0;
	if (options->hysteresis < 0)
		return refuse(err, "hysteresis", "not below 0");
	if (has_pair(options) && (warning || failure))
		return refuse(err, "rising", "not beside warning or failure limits");
	if (check_pair(options, err) < 0)
		return -EINVAL;
	if (!has_pair(options) && !warning && !failure && options->missing == 0)
		return refuse(err, "metric",
			      "the rule has no limit: give warning-max, warning-min, "
			      "failure-max, failure-min, rising or missing");
	return check_levels(options, err);
}

const struct gm_detector_ops gm_threshold_ops = {
	.name = "threshold",
	.help = "One metric held against limits; guestmon-policy(5) has rules for some guests.",
	.entities = (1U << GM_ENTITY_KINDS) - 1,
	.options = threshold_options,
	.options_size = sizeof(struct gm_threshold_options),
	.create = threshold_create,
	.destroy = threshold_destroy,
	.name_metric = threshold_name_metric,
	.observe = threshold_observe,
	.evaluate = threshold_evaluate,
	.exchange = threshold_exchange,
	.concerns = threshold_concerns,
	.judges = threshold_judges,
	.check = threshold_check,
};
