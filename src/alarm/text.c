/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences of alarms: one pair of functions per detector, from evidence to words. Nothing here
 * decides anything; the engine calls it before each transition.
 */
#include "alarm/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "model/template.h"

enum { NUMBER_TEXT = 32, SUBJECT_TEXT = 512, SENTENCE_MAX = 4096 };

/* A number with the prefix that leaves one to three digits before the point: "1.0 MiB", "930 Mbit". */
static const char *scaled(double value, double base, const char *const prefixes[], const char *unit,
			  char text[NUMBER_TEXT])
{
	size_t prefix = 0;

	while (fabs(value) >= base && prefixes[prefix + 1]) {
		value /= base;
		prefix++;
	}
	snprintf(text, NUMBER_TEXT, fabs(value) < 10 && prefix > 0 ? "%.1f %s%s" : "%.0f %s%s",
		 value, prefixes[prefix], unit);
	return text;
}

static const char *bytes(double value, const char *unit, char text[NUMBER_TEXT])
{
	static const char *const prefixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", NULL};

	return scaled(value, 1024, prefixes, unit, text);
}

static const char *bits(double value, char text[NUMBER_TEXT])
{
	static const char *const prefixes[] = {"", "k", "M", "G", "T", NULL};

	return scaled(value, 1000, prefixes, "bit/s", text);
}

static const char *span(double seconds, char text[NUMBER_TEXT])
{
	if (seconds < 1)
		snprintf(text, NUMBER_TEXT, "%.0f ms", seconds * 1e3);
	else if (seconds < 120)
		snprintf(text, NUMBER_TEXT, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
	else if (seconds < 7200)
		snprintf(text, NUMBER_TEXT, "%.0f min", seconds / 60);
	else if (seconds < 172800)
		snprintf(text, NUMBER_TEXT, "%.0f h", seconds / 3600);
	else
		snprintf(text, NUMBER_TEXT, "%.0f days", seconds / 86400);
	return text;
}

static bool has(const struct gm_alarm *alarm, enum gm_evidence_id id)
{
	return gm_evidence_has(&alarm->evidence, id);
}

static double number(const struct gm_alarm *alarm, enum gm_evidence_id id)
{
	return alarm->evidence.number[id];
}

static void contributors(const struct gm_alarm *alarm, struct gm_buffer *text)
{
	char names[sizeof(alarm->evidence.contributors) * 4];

	if (alarm->evidence.contributors[0] == '\0')
		return;
	gm_text_quote(names, sizeof(names), alarm->evidence.contributors);
	gm_buffer_printf(text, ", from %s", names);
}

/* A guest's resident memory is that of its process on the host. */
static const char *holder(const struct gm_alarm *alarm)
{
	bool host =
		alarm->key.kind == GM_ENTITY_GUEST && strcmp(alarm->metric, "memory.resident") == 0;

	return host ? "memory of the host's process for" : "memory of";
}

static void leak(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	char slope[NUMBER_TEXT], left[NUMBER_TEXT];

	gm_buffer_printf(text, "%s %s ", holder(alarm), subject);
	if (has(alarm, GM_EVIDENCE_SLOPE))
		gm_buffer_printf(text, "grows %s",
				 bytes(number(alarm, GM_EVIDENCE_SLOPE), "B/s", slope));
	else
		gm_buffer_printf(text, "leaks");
	if (has(alarm, GM_EVIDENCE_EXHAUSTION))
		gm_buffer_printf(text, ", exhausted in %s",
				 span(number(alarm, GM_EVIDENCE_EXHAUSTION), left));
	contributors(alarm, text);
}

static void leak_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	char used[NUMBER_TEXT];

	gm_buffer_printf(text, "%s %s no longer grows", holder(alarm), subject);
	if (has(alarm, GM_EVIDENCE_USED))
		gm_buffer_printf(text, ", %s in use",
				 bytes(number(alarm, GM_EVIDENCE_USED), "B", used));
}

/* Said alike of a burst that lasts and of one that is over: its numbers are what matters. */
static void burst_numbers(const struct gm_alarm *alarm, struct gm_buffer *text)
{
	char item[NUMBER_TEXT];

	if (has(alarm, GM_EVIDENCE_PEAK))
		gm_buffer_printf(text, ", peak %s", bits(number(alarm, GM_EVIDENCE_PEAK), item));
	if (has(alarm, GM_EVIDENCE_SPEED) && number(alarm, GM_EVIDENCE_SPEED) > 0)
		gm_buffer_printf(text, " of %s", bits(number(alarm, GM_EVIDENCE_SPEED), item));
	if (has(alarm, GM_EVIDENCE_DURATION))
		gm_buffer_printf(text, " for %s", span(number(alarm, GM_EVIDENCE_DURATION), item));
	if (has(alarm, GM_EVIDENCE_VOLUME))
		gm_buffer_printf(text, ", %s", bytes(number(alarm, GM_EVIDENCE_VOLUME), "B", item));
	if (has(alarm, GM_EVIDENCE_PEAK_PACKETS))
		gm_buffer_printf(text, ", peak %.0f packets/s",
				 number(alarm, GM_EVIDENCE_PEAK_PACKETS));
	if (has(alarm, GM_EVIDENCE_DROPPED))
		gm_buffer_printf(text, ", %.0f packets dropped",
				 number(alarm, GM_EVIDENCE_DROPPED));
	if (has(alarm, GM_EVIDENCE_STORM))
		gm_buffer_printf(text, ", one of %.0f in a storm",
				 number(alarm, GM_EVIDENCE_STORM));
}

static const char *way(const struct gm_alarm *alarm)
{
	if (strcmp(alarm->evidence.direction, "rx") == 0)
		return "received by";
	if (strcmp(alarm->evidence.direction, "tx") == 0)
		return "sent by";
	return "at";
}

static void burst(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "burst %s %s", way(alarm), subject);
	burst_numbers(alarm, text);
}

static void burst_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "no more bursts %s %s; the last", way(alarm), subject);
	burst_numbers(alarm, text);
}

/* An anomaly is of the whole, or of a counter of errors. */
static bool counts_errors(const struct gm_alarm *alarm)
{
	return strcmp(alarm->metric, "score") != 0 && has(alarm, GM_EVIDENCE_LIMIT);
}

/* What guests of the same flavor do. */
static void peers(const struct gm_alarm *alarm, struct gm_buffer *text)
{
	double count = number(alarm, GM_EVIDENCE_PEER_COUNT);
	double alike = number(alarm, GM_EVIDENCE_PEERS_ALIKE);

	if (has(alarm, GM_EVIDENCE_PEER_COUNT) && has(alarm, GM_EVIDENCE_PEERS_ALIKE))
		gm_buffer_printf(text, "; so do %.0f of %.0f guests of its flavor", alike, count);
}

static void anomaly(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	if (counts_errors(alarm))
		gm_buffer_printf(text, "%s counts errors, %.3g/s where %.3g/s is usual", subject,
				 number(alarm, GM_EVIDENCE_VALUE),
				 number(alarm, GM_EVIDENCE_LIMIT));
	else
		gm_buffer_printf(text, "%s behaves abnormally", subject);
	if (has(alarm, GM_EVIDENCE_SCORE))
		gm_buffer_printf(text, ", score %.2f", number(alarm, GM_EVIDENCE_SCORE));
	contributors(alarm, text);
	peers(alarm, text);
}

static void anomaly_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	if (strcmp(alarm->metric, "score") == 0 || alarm->metric[0] == '\0')
		gm_buffer_printf(text, "%s behaves as usual again", subject);
	else
		gm_buffer_printf(text, "%s of %s is as usual again", alarm->metric, subject);
}

/* Value or limit; with as many digits as it takes to tell it from the other. */
static const char *decider(const struct gm_alarm *alarm, enum gm_evidence_id id,
			   char text[GM_QUANTITY])
{
	enum gm_evidence_id rival = id == GM_EVIDENCE_VALUE ? GM_EVIDENCE_LIMIT : GM_EVIDENCE_VALUE;
	const char *unit = alarm->evidence.unit;
	int digits = GM_QUANTITY_DIGITS;
	char other[GM_QUANTITY];

	if (!has(alarm, id))
		return "?";
	gm_quantity_text(number(alarm, id), unit, digits, text);
	while (has(alarm, rival) && number(alarm, id) != number(alarm, rival) && digits < 12 &&
	       strcmp(text, gm_quantity_text(number(alarm, rival), unit, digits, other)) == 0)
		gm_quantity_text(number(alarm, id), unit, ++digits, text);
	return text;
}

static void limit_numbers(const struct gm_alarm *alarm, struct gm_buffer *text)
{
	char item[GM_QUANTITY];

	if (has(alarm, GM_EVIDENCE_VALUE))
		gm_buffer_printf(text, ": %s", decider(alarm, GM_EVIDENCE_VALUE, item));
	if (has(alarm, GM_EVIDENCE_LIMIT))
		gm_buffer_printf(text, ", limit %s", decider(alarm, GM_EVIDENCE_LIMIT, item));
}

static void other(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s of %s: %s", alarm->metric, subject, alarm->detector);
	limit_numbers(alarm, text);
}

static void other_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s of %s: %s is over", alarm->metric, subject, alarm->detector);
}

/* Of an analyser outside the daemon nothing is known but its numbers: all of them, as they are named. */
static void external(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	const char *separator = ": ";
	char item[GM_QUANTITY];

	gm_buffer_printf(text, "%s of %s: found by %s (external)", alarm->metric, subject,
			 alarm->detector);
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++) {
		if (!has(alarm, (enum gm_evidence_id)id))
			continue;
		const char *shown =
			id == GM_EVIDENCE_VALUE || id == GM_EVIDENCE_LIMIT
				? decider(alarm, (enum gm_evidence_id)id, item)
				: gm_quantity_text(number(alarm, (enum gm_evidence_id)id), "",
						   GM_QUANTITY_DIGITS, item);
		gm_buffer_printf(text, "%s%s %s", separator,
				 gm_evidence_name((enum gm_evidence_id)id), shown);
		separator = ", ";
	}
}

static void external_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s of %s: %s (external) finds nothing any more", alarm->metric,
			 subject, alarm->detector);
}

static void rule_name(const struct gm_alarm *alarm, struct gm_buffer *text)
{
	if (alarm->rule[0] != '\0')
		gm_buffer_printf(text, " (%s)", alarm->rule);
}

static void threshold(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	char silence[NUMBER_TEXT];

	gm_buffer_printf(text, "%s of %s ", alarm->metric, subject);
	if (has(alarm, GM_EVIDENCE_DURATION))
		gm_buffer_printf(text, "has no value for %s",
				 span(number(alarm, GM_EVIDENCE_DURATION), silence));
	else
		gm_buffer_printf(text, "is past its limit");
	rule_name(alarm, text);
	if (!has(alarm, GM_EVIDENCE_DURATION))
		limit_numbers(alarm, text);
}

static void threshold_over(const struct gm_alarm *alarm, const char *subject,
			   struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s of %s is %s", alarm->metric, subject,
			 has(alarm, GM_EVIDENCE_DURATION) ? "told again" : "within its limit");
	rule_name(alarm, text);
	limit_numbers(alarm, text);
}

static void policy(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s: policy %s applies", subject, alarm->rule);
	limit_numbers(alarm, text);
}

static void policy_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s: policy %s applies no longer", subject, alarm->rule);
	limit_numbers(alarm, text);
}

static void learned(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s shows the known fault %s", subject, alarm->metric);
	if (has(alarm, GM_EVIDENCE_SCORE))
		gm_buffer_printf(text, ", probability %.3f", number(alarm, GM_EVIDENCE_SCORE));
	contributors(alarm, text);
}

static void learned_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s shows the known fault %s no longer", subject, alarm->metric);
}

/* Of the daemon itself: the metric says what is wrong, the rule with which one. */
static const struct self_text {
	const char *metric, *thing, *active, *over;
} self_texts[] = {
	{"storeUnavailable", "the store of the windows", "is unavailable", "is available again"},
	{"sourceUnavailable", "the source of samples", "is unavailable", "is available again"},
	{"outputUnavailable", "the output", "delivers nothing", "delivers again"},
	{"outputLoss", "the output", "has given up messages", "has given up no more messages"},
	{NULL, "a part", "is unavailable", "is available again"},
};

static const struct self_text *self_text(const struct gm_alarm *alarm, const char *subject,
					 struct gm_buffer *text)
{
	const struct self_text *line = self_texts;

	while (line->metric && strcmp(line->metric, alarm->metric) != 0)
		line++;
	gm_buffer_printf(text, "%s: %s", subject, line->thing);
	rule_name(alarm, text);
	return line;
}

static void self(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	char away[NUMBER_TEXT];

	if (gm_alarm_is_storm(alarm)) {
		gm_buffer_printf(text, "%s: %.0f alarms wait, more than %.0f a minute are not told",
				 subject, number(alarm, GM_EVIDENCE_VALUE),
				 number(alarm, GM_EVIDENCE_LIMIT));
		contributors(alarm, text);
		return;
	}
	gm_buffer_printf(text, " %s", self_text(alarm, subject, text)->active);
	if (has(alarm, GM_EVIDENCE_DURATION))
		gm_buffer_printf(text, " for %s", span(number(alarm, GM_EVIDENCE_DURATION), away));
	else if (has(alarm, GM_EVIDENCE_VALUE))
		gm_buffer_printf(text, ", %.0f so far", number(alarm, GM_EVIDENCE_VALUE));
}

static void self_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	if (gm_alarm_is_storm(alarm)) {
		gm_buffer_printf(text, "%s: no alarm waits any more, %.0f had to", subject,
				 number(alarm, GM_EVIDENCE_VALUE));
		if (has(alarm, GM_EVIDENCE_HELD_RAISED))
			gm_buffer_printf(text, ": %.0f are raised now, %.0f were over before",
					 number(alarm, GM_EVIDENCE_HELD_RAISED),
					 number(alarm, GM_EVIDENCE_HELD_ENDED));
		return;
	}
	gm_buffer_printf(text, " %s", self_text(alarm, subject, text)->over);
}

/* What libvirt tells of a guest: the metric says which fault. */
static const struct event_text {
	const char *metric, *active, *over;
} event_texts[] = {
	{"guestCrashed", "has crashed", "is down by a crash no more"},
	{"guestWatchdog", "hangs: its watchdog has fired", "no longer hangs"},
	{"guestDiskError", "cannot read or write a disk", "has no more errors of a disk"},
	{"guestMonitorBroken", "has lost its monitor", "is heard by its monitor again"},
	{"guestMemoryFailure", "has lost memory to the hardware", "loses no more memory"},
	{"guestAgentLost", "has lost its agent", "is no longer without its agent"},
	{NULL, "has a fault", "has no fault any more"},
};

static const struct event_text *event_text(const struct gm_alarm *alarm)
{
	const struct event_text *line = event_texts;

	while (line->metric && strcmp(line->metric, alarm->metric) != 0)
		line++;
	return line;
}

static void event(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	char detail[sizeof(alarm->evidence.contributors) * 4];

	gm_buffer_printf(text, "%s %s", subject, event_text(alarm)->active);
	if (alarm->evidence.contributors[0] == '\0')
		return;
	gm_text_quote(detail, sizeof(detail), alarm->evidence.contributors);
	gm_buffer_printf(text, ": %s", detail);
}

static void event_over(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text)
{
	gm_buffer_printf(text, "%s %s", subject, event_text(alarm)->over);
}

typedef void sentence_fn(const struct gm_alarm *alarm, const char *subject, struct gm_buffer *text);

/* The last line is for detectors that have none of their own. */
static const struct sentence {
	const char *detector;
	sentence_fn *active, *over;
} sentences[] = {
	{"leak", leak, leak_over},           {"burst", burst, burst_over},
	{"anomaly", anomaly, anomaly_over},  {"threshold", threshold, threshold_over},
	{"policy", policy, policy_over},     {"learned", learned, learned_over},
	{GM_SELF_DETECTOR, self, self_over}, {GM_EVENT_DETECTOR, event, event_over},
	{NULL, other, other_over},
};
static const struct sentence external_sentence = {"", external, external_over};

/* Names come from guests: in quotes, unless they are one plain word. */
static const char *plain_or_quoted(const char *name, char *text, size_t size)
{
	size_t length = gm_text_quote(text, size, name);

	if (length != strlen(name) + 2 || strpbrk(name, " ,;:\"") || name[0] == '\0')
		return text;
	text[length - 1] = '\0';
	return text + 1;
}

/* "web-1", "web-1 (tap0)", "node". */
static void subject_of(const struct gm_alarm *alarm, char subject[SUBJECT_TEXT])
{
	char key[GM_KEY_TEXT], name[GM_NAME_SIZE], device[GM_DEVICE_NAME * 4];

	if (alarm->guest_name[0] == '\0') {
		gm_entity_text(&alarm->key, key);
		gm_text_quote(name, sizeof(name), key);
		snprintf(subject, SUBJECT_TEXT, "%.*s", (int)strlen(name) - 2, name + 1);
		return;
	}
	snprintf(subject, SUBJECT_TEXT, "%s",
		 plain_or_quoted(alarm->guest_name, name, sizeof(name)));
	if (alarm->key.name[0] != '\0') {
		size_t length = strlen(subject);

		snprintf(subject + length, SUBJECT_TEXT - length, " (%s)",
			 plain_or_quoted(alarm->key.name, device, sizeof(device)));
	}
}

/* What stands for a name of a template. Whatever a guest may have chosen is quoted. */
static void put_name(void *user, size_t name, struct gm_buffer *text)
{
	const struct gm_alarm *alarm = user;
	char word[SUBJECT_TEXT];

	switch (name) {
	case GM_TEMPLATE_GUEST:
		subject_of(alarm, word);
		gm_buffer_printf(text, "%s", word);
		break;
	case GM_TEMPLATE_PROJECT:
		gm_buffer_printf(text, "%s", plain_or_quoted(alarm->project, word, GM_NAME_SIZE));
		break;
	case GM_TEMPLATE_ENTITY:
		gm_text_quote(word, sizeof(word),
			      gm_entity_text(&alarm->key, (char[GM_KEY_TEXT]){0}));
		gm_buffer_printf(text, "%.*s", (int)strlen(word) - 2, word + 1);
		break;
	case GM_TEMPLATE_METRIC:
		gm_buffer_printf(text, "%s", alarm->metric);
		break;
	case GM_TEMPLATE_RULE:
		gm_buffer_printf(text, "%s", alarm->rule);
		break;
	case GM_TEMPLATE_SEVERITY:
		gm_buffer_printf(text, "%s", gm_severity_name(alarm->severity));
		break;
	case GM_TEMPLATE_VALUE:
		gm_buffer_printf(text, "%s", decider(alarm, GM_EVIDENCE_VALUE, word));
		break;
	default:
		gm_buffer_printf(text, "%s", decider(alarm, GM_EVIDENCE_LIMIT, word));
		break;
	}
}

static const struct sentence *sentence_of(const struct gm_alarm *alarm)
{
	const struct sentence *sentence = sentences;

	if (alarm->evidence.origin[0] != '\0')
		return &external_sentence;
	while (sentence->detector && strcmp(sentence->detector, alarm->detector) != 0)
		sentence++;
	return sentence;
}

/* What the sentence does not say: how the alarm came to its state. */
static void put_remarks(const struct gm_alarm *alarm, bool over, struct gm_buffer *text)
{
	if (alarm->flaps > 0)
		gm_buffer_printf(text, " [flapping: %u times]", alarm->flaps);
	if (over && alarm->suppressed == GM_SUPPRESSION_MIGRATING)
		gm_buffer_printf(text, " [its guest has migrated]");
	if (alarm->ended_at != 0 && alarm->cleared_at == 0)
		gm_buffer_printf(text, " [to be acknowledged]");
}

void gm_alarm_describe(struct gm_alarm *alarm, const char *message)
{
	struct gm_buffer text = GM_BUFFER_INIT(SENTENCE_MAX);
	const struct sentence *sentence = sentence_of(alarm);
	char subject[SUBJECT_TEXT];

	subject_of(alarm, subject);
	bool over = alarm->cleared_at != 0 || alarm->ended_at != 0;
	if (message[0] != '\0' && !over)
		gm_template_expand(message, gm_template_names, &text, put_name, alarm);
	else if (over && alarm->news == GM_NEWS_DISABLED)
		gm_buffer_printf(&text, "%s: %s%s%s (%s) is not looked for any more", subject,
				 alarm->detector, alarm->rule[0] ? " " : "", alarm->rule,
				 alarm->metric);
	else
		(over ? sentence->over : sentence->active)(alarm, subject, &text);
	put_remarks(alarm, over, &text);
	gm_text_copy(alarm->text, sizeof(alarm->text), text.failed ? subject : text.data);
	gm_buffer_free(&text);
}
