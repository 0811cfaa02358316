/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarm records as JSON; see alarm.h. Times are integers of ns, exact to 64 bits.
 */
#include "model/alarm.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

const char *gm_transition_name(enum gm_transition_kind kind)
{
	static const char *const names[] = {"raise", "change", "clear"};
	return names[kind];
}

bool gm_alarm_is_storm(const struct gm_alarm *alarm)
{
	return strcmp(alarm->detector, GM_SELF_DETECTOR) == 0 &&
	       strcmp(alarm->metric, GM_STORM_METRIC) == 0;
}

bool gm_alarm_has_guest(const struct gm_alarm *alarm)
{
	static const uint8_t none[GM_UUID_SIZE];

	return memcmp(alarm->guest, none, GM_UUID_SIZE) != 0;
}

bool gm_alarm_same(const struct gm_alarm *a, const struct gm_alarm *b)
{
	return strcmp(a->metric, b->metric) == 0 && gm_entity_equal(&a->key, &b->key) &&
	       strcmp(a->detector, b->detector) == 0 && strcmp(a->rule, b->rule) == 0;
}

static const char *const news_names[GM_NEWS_COUNT] = {
	[GM_NEWS_CONDITION] = "condition",
	[GM_NEWS_ACKNOWLEDGED] = "acknowledged",
	[GM_NEWS_UNACKNOWLEDGED] = "unacknowledged",
	[GM_NEWS_COMMENTED] = "commented",
	[GM_NEWS_SUPPRESSED] = "suppressed",
	[GM_NEWS_RELEASED] = "released",
	[GM_NEWS_LATCHED] = "latched",
	[GM_NEWS_CORRELATED] = "correlated",
	[GM_NEWS_DISABLED] = "disabled",
};

static const char *const suppression_names[GM_SUPPRESSION_COUNT] = {
	[GM_SUPPRESSION_NONE] = "none",
	[GM_SUPPRESSION_MAINTENANCE] = "maintenance",
	[GM_SUPPRESSION_SUSPENDED] = "suspended",
	[GM_SUPPRESSION_MIGRATING] = "migrating",
};

const char *gm_alarm_news_name(enum gm_alarm_news news)
{
	return news_names[(unsigned)news < GM_NEWS_COUNT ? news : 0];
}

const char *gm_suppression_name(enum gm_suppression suppression)
{
	return suppression_names[(unsigned)suppression < GM_SUPPRESSION_COUNT ? suppression : 0];
}

/* The place of `word` in a list of names; 0 for what is not there. */
static int word_at(const char *const *names, int count, const char *word)
{
	for (int i = 1; word && i < count; i++) {
		if (strcmp(names[i], word) == 0)
			return i;
	}
	return 0;
}

/* The members that are plain text and plain integers, so that both directions read one list. */
struct text_member {
	const char *name;
	size_t offset, size;
};
#define TEXT(member)                                                                               \
	{                                                                                          \
#member, offsetof(struct gm_alarm, member), sizeof(((struct gm_alarm *)0)->member) \
	}
static const struct text_member text_members[] = {
	TEXT(detector), TEXT(metric),       TEXT(rule), TEXT(guest_name),
	TEXT(project),  TEXT(project_uuid), TEXT(text),
};

struct place_member {
	const char *name;
	size_t offset;
};
#define PLACE(member)                                      \
	{                                                  \
#member, offsetof(struct gm_alarm, member) \
	}
static const struct place_member time_members[] = {
	PLACE(raised_at),
	PLACE(changed_at),
	PLACE(cleared_at),
};

/* Those that are written only where they say something. */
static const struct text_member said_members[] = {
	TEXT(acknowledged_by),
	TEXT(commented_by),
	TEXT(comment),
};
static const struct place_member said_times[] = {
	PLACE(ended_at),
	PLACE(acknowledged_at),
	PLACE(commented_at),
};
static const struct place_member said_counts[] = {PLACE(flaps), PLACE(correlation),
						  PLACE(comments)};

enum {
	SAID_TEXTS = sizeof(said_members) / sizeof(said_members[0]),
	SAID_TIMES = sizeof(said_times) / sizeof(said_times[0]),
	SAID_COUNTS = sizeof(said_counts) / sizeof(said_counts[0]),
};

static void said_to_json(const struct gm_alarm *alarm, struct gm_json *object)
{
	int64_t time;
	uint32_t count;

	if (alarm->news != GM_NEWS_CONDITION)
		gm_json_set_text(object, "news", gm_alarm_news_name(alarm->news));
	if (alarm->suppressed != GM_SUPPRESSION_NONE)
		gm_json_set_text(object, "suppressed", gm_suppression_name(alarm->suppressed));
	for (size_t i = 0; i < SAID_TEXTS; i++) {
		const char *text = (const char *)alarm + said_members[i].offset;

		if (text[0] != '\0')
			gm_json_set_text(object, said_members[i].name, text);
	}
	for (size_t i = 0; i < SAID_TIMES; i++) {
		memcpy(&time, (const char *)alarm + said_times[i].offset, sizeof(time));
		if (time != 0)
			gm_json_set_integer(object, said_times[i].name, time);
	}
	for (size_t i = 0; i < SAID_COUNTS; i++) {
		memcpy(&count, (const char *)alarm + said_counts[i].offset, sizeof(count));
		if (count != 0)
			gm_json_set_integer(object, said_counts[i].name, count);
	}
}

static void said_from_json(const struct gm_json *object, struct gm_alarm *alarm)
{
	alarm->news = (enum gm_alarm_news)word_at(news_names, GM_NEWS_COUNT,
						  gm_json_get_text(object, "news"));
	alarm->suppressed = (enum gm_suppression)word_at(suppression_names, GM_SUPPRESSION_COUNT,
							 gm_json_get_text(object, "suppressed"));
	for (size_t i = 0; i < SAID_TEXTS; i++)
		gm_text_copy((char *)alarm + said_members[i].offset, said_members[i].size,
			     gm_json_get_text(object, said_members[i].name));
	for (size_t i = 0; i < SAID_TIMES; i++) {
		int64_t time = gm_json_get_integer(object, said_times[i].name, 0);
		memcpy((char *)alarm + said_times[i].offset, &time, sizeof(time));
	}
	for (size_t i = 0; i < SAID_COUNTS; i++) {
		int64_t number = gm_json_get_integer(object, said_counts[i].name, 0);
		uint32_t count = number < 0 || number > UINT32_MAX ? 0 : (uint32_t)number;
		memcpy((char *)alarm + said_counts[i].offset, &count, sizeof(count));
	}
}

/* ---- the severities that were told ---- */

static const struct {
	const char *name;
	size_t offset;
} told_members[] = {
	{"worst", offsetof(struct gm_alarm, worst)},
	{"told_before", offsetof(struct gm_alarm, told_before)},
	{"worst_before", offsetof(struct gm_alarm, worst_before)},
};
enum { TOLD_MEMBERS = sizeof(told_members) / sizeof(told_members[0]) };

static void told_to_json(const struct gm_alarm *alarm, struct gm_json *object)
{
	for (size_t i = 0; i < TOLD_MEMBERS; i++) {
		enum gm_severity severity;
		memcpy(&severity, (const char *)alarm + told_members[i].offset, sizeof(severity));
		if (severity != 0)
			gm_json_set_text(object, told_members[i].name, gm_severity_name(severity));
	}
}

static void told_from_json(const struct gm_json *object, struct gm_alarm *alarm)
{
	for (size_t i = 0; i < TOLD_MEMBERS; i++) {
		enum gm_severity severity = 0;
		if (gm_severity_parse(gm_json_get_text(object, told_members[i].name), &severity) <
		    0)
			severity = 0;
		memcpy((char *)alarm + told_members[i].offset, &severity, sizeof(severity));
	}
}

struct gm_json *gm_alarm_to_json(const struct gm_alarm *alarm)
{
	char key[GM_KEY_TEXT], uuid[GM_UUID_TEXT];
	struct gm_json *object = gm_json_object();

	gm_json_set_integer(object, "id", alarm->id);
	gm_json_set_text(object, "entity", gm_entity_text(&alarm->key, key));
	gm_json_set_text(object, "severity", gm_severity_name(alarm->severity));
	told_to_json(alarm, object);
	gm_json_set_integer(object, "event_type", alarm->event_type);
	gm_json_set_integer(object, "probable_cause", alarm->cause);
	for (size_t i = 0; i < sizeof(text_members) / sizeof(text_members[0]); i++)
		gm_json_set_text(object, text_members[i].name,
				 (const char *)alarm + text_members[i].offset);
	for (size_t i = 0; i < sizeof(time_members) / sizeof(time_members[0]); i++) {
		int64_t time;
		memcpy(&time, (const char *)alarm + time_members[i].offset, sizeof(time));
		gm_json_set_integer(object, time_members[i].name, time);
	}
	if (gm_alarm_has_guest(alarm)) {
		gm_json_set_integer(object, "guest_index", alarm->guest_index);
		gm_json_set_text(object, "guest", gm_uuid_text(alarm->guest, uuid));
	}
	said_to_json(alarm, object);
	gm_json_set(object, "evidence", gm_evidence_to_json(&alarm->evidence));
	return object;
}

int gm_alarm_from_json(const struct gm_json *object, struct gm_alarm *ret_alarm,
		       struct gm_error *err)
{
	struct gm_alarm alarm = {0};
	const char *key = gm_json_get_text(object, "entity");
	const char *guest = gm_json_get_text(object, "guest");
	int64_t id = gm_json_get_integer(object, "id", 0);

	if (id <= 0 || id > UINT32_MAX)
		return gm_error_set(err, -EINVAL, "alarm: no valid \"id\"");
	if (!key || gm_entity_parse(key, &alarm.key) < 0)
		return gm_error_set(err, -EINVAL, "alarm %lld: no valid \"entity\"", (long long)id);
	if (gm_severity_parse(gm_json_get_text(object, "severity"), &alarm.severity) < 0)
		return gm_error_set(err, -EINVAL, "alarm %lld: no valid \"severity\"",
				    (long long)id);
	told_from_json(object, &alarm);
	if (guest && gm_uuid_parse(guest, alarm.guest) < 0)
		return gm_error_set(err, -EINVAL, "alarm %lld: no valid \"guest\"", (long long)id);

	alarm.id = (uint32_t)id;
	alarm.event_type = (enum gm_event_type)gm_json_get_integer(object, "event_type", 0);
	alarm.cause = (enum gm_probable_cause)gm_json_get_integer(object, "probable_cause", 0);
	alarm.guest_index = (uint32_t)gm_json_get_integer(object, "guest_index", 0);
	for (size_t i = 0; i < sizeof(text_members) / sizeof(text_members[0]); i++)
		gm_text_copy((char *)&alarm + text_members[i].offset, text_members[i].size,
			     gm_json_get_text(object, text_members[i].name));
	for (size_t i = 0; i < sizeof(time_members) / sizeof(time_members[0]); i++) {
		int64_t time = gm_json_get_integer(object, time_members[i].name, 0);
		memcpy((char *)&alarm + time_members[i].offset, &time, sizeof(time));
	}
	said_from_json(object, &alarm);
	gm_evidence_from_json(gm_json_get(object, "evidence"), &alarm.evidence);
	*ret_alarm = alarm;
	return 0;
}
