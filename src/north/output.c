/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is common to all outputs: their options, and which transitions they tell; see output.h.
 */
#include "north/output.h"

#include <string.h>

#include "base/text.h"

const char *const gm_output_severities[] = {"critical", "major",         "minor",
					    "warning",  "indeterminate", NULL};
/* The same in numbers. */
static const enum gm_severity severities[] = {GM_SEVERITY_CRITICAL, GM_SEVERITY_MAJOR,
					      GM_SEVERITY_MINOR, GM_SEVERITY_WARNING,
					      GM_SEVERITY_INDETERMINATE};
enum { SEVERITIES = sizeof(severities) / sizeof(severities[0]) };

const struct gm_option gm_output_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_output_options, enabled),
	 .fallback = "true",
	 .help = "Whether this output is there at all."},
	{.key = "severity",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_output_options, severity),
	 .fallback = "indeterminate",
	 .help = "The least severe alarms that are told.",
	 .choices = gm_output_severities},
	{.key = "detectors",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_output_options, detectors),
	 .fallback = "*",
	 .help = "Patterns of the detectors whose alarms are told, separated by commas; !x "
		 "excludes x."},
	{.key = "guests",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_output_options, guests),
	 .fallback = "*",
	 .help = "Patterns of the guests' names whose alarms are told; the node's own alarms have "
		 "the "
		 "name -."},
	{.key = "projects",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_output_options, projects),
	 .fallback = "*",
	 .help = "Patterns of the guests' projects whose alarms are told; where there is none, it "
		 "is -."},
	{.key = "changes",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_output_options, changes),
	 .fallback = "true",
	 .help = "Tell changes of severity and of evidence, too, not only raise and clear. The "
		 "change "
		 "by which an alarm becomes as severe as it has to be is told in any case."},
	{.key = "retry-min",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_output_options, retry_min),
	 .min = 10e6,
	 .max = 3600e9,
	 .fallback = "1s",
	 .help = "The pause after a first failure; each further one doubles it."},
	{.key = "retry-max",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_output_options, retry_max),
	 .min = 10e6,
	 .max = 86400e9,
	 .fallback = "60s",
	 .help = "The longest pause between two attempts."},
	{.key = "refusals",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_output_options, refusals),
	 .min = 1,
	 .max = 1000000,
	 .fallback = "20",
	 .help = "How often a message that the receiver refuses is tried before it is given up."},
	{.key = "expiry",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_output_options, expiry),
	 .min = 1e9,
	 .max = 365 * 86400e9,
	 .fallback = "7d",
	 .help = "Transitions older than this are given up."},
	{.key = "backlog",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_output_options, backlog),
	 .min = 1,
	 .max = 1000000,
	 .fallback = "100000",
	 .help = "How many transitions may wait; what is over is given up, oldest first, and "
		 "counted."},
	GM_OPTION_END,
};

const char *gm_output_state_name(enum gm_output_state state)
{
	static const char *const names[] = {"", "working", "waiting", "paused", "absent"};
	return names[state];
}

/* X.733's numbers are not in the order of importance. */
static int importance(enum gm_severity severity)
{
	int index = 0;
	while (index < SEVERITIES - 1 && severities[index] != severity)
		index++;
	return index;
}

bool gm_output_is_severe(int least, enum gm_severity severity)
{
	return importance(severity) <= least;
}

static const char *or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

bool gm_output_covers(const struct gm_output_options *options, const struct gm_alarm *alarm)
{
	/* What was told once is told to its end, however harmless it has become. */
	enum gm_severity severity = alarm->worst != 0 ? alarm->worst : alarm->severity;
	return gm_output_is_severe(options->severity, severity) &&
	       gm_text_match(options->detectors, alarm->detector) &&
	       gm_text_match(options->guests, or_dash(alarm->guest_name)) &&
	       gm_text_match(options->projects, or_dash(alarm->project));
}

/* An alarm that grows worse may be told for the first time by a change, which is its raise here. */
static bool is_first(const struct gm_output_options *options, const struct gm_alarm *alarm)
{
	return alarm->worst_before != 0 &&
	       !gm_output_is_severe(options->severity, alarm->worst_before);
}

unsigned gm_output_told_before(const struct gm_output_options *options,
			       const struct gm_alarm *alarm)
{
	unsigned told = 0;
	if (alarm->worst_before == 0 ||
	    !gm_output_is_severe(options->severity, alarm->worst_before))
		return 0;
	if (options->changes)
		return 1U << alarm->told_before;
	/* It was told once: when it had become severe enough. */
	for (int i = importance(alarm->worst_before); i <= options->severity; i++)
		told |= 1U << severities[i];
	return told;
}

bool gm_output_wants(const struct gm_output_options *options,
		     const struct gm_transition *transition)
{
	const struct gm_alarm *alarm = &transition->alarm;
	return gm_output_covers(options, alarm) &&
	       (options->changes || transition->kind != GM_TRANSITION_CHANGE ||
		is_first(options, alarm));
}
