/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transition as JSON; see message.h.
 */
#include "north/message.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

struct number_name {
	int number;
	const char *name;
};

static const struct number_name event_types[] = {
	{GM_EVENT_COMMUNICATIONS, "communicationsAlarm"},
	{GM_EVENT_QUALITY_OF_SERVICE, "qualityOfServiceAlarm"},
	{GM_EVENT_PROCESSING_ERROR, "processingErrorAlarm"},
	{GM_EVENT_EQUIPMENT, "equipmentAlarm"},
	{GM_EVENT_ENVIRONMENTAL, "environmentalAlarm"},
	{0, NULL},
};

static const struct number_name causes[] = {
	{GM_CAUSE_OUT_OF_MEMORY, "outOfMemory"},
	{GM_CAUSE_CONGESTION, "congestion"},
	{GM_CAUSE_REDUCED_LOGGING, "reducedLoggingCapability"},
	{GM_CAUSE_RESOURCES_OVERLOAD, "systemResourcesOverload"},
	{GM_CAUSE_COMMUNICATION_FAILURE, "communicationsSubsystemFailure"},
	{GM_CAUSE_EQUIPMENT_MALFUNCTION, "equipmentMalfunction"},
	{GM_CAUSE_PERFORMANCE_DEGRADED, "performanceDegraded"},
	{GM_CAUSE_RESOURCE_NEARING_CAPACITY, "resourceAtOrNearingCapacity"},
	{GM_CAUSE_PROGRAM_TERMINATED, "softwareProgramAbnormallyTerminated"},
	{GM_CAUSE_PROGRAM_ERROR, "softwareProgramError"},
	{GM_CAUSE_THRESHOLD_CROSSED, "thresholdCrossed"},
	{GM_CAUSE_RESOURCE_UNAVAILABLE, "underlyingResourceUnavailable"},
	{0, NULL},
};

static const char *name_of(const struct number_name *table, int number)
{
	while (table->name && table->number != number)
		table++;
	return table->name ? table->name : "other";
}

const char *gm_event_type_name(enum gm_event_type type)
{
	return name_of(event_types, (int)type);
}

const char *gm_cause_name(enum gm_probable_cause cause)
{
	return name_of(causes, (int)cause);
}

bool gm_transition_is_over(const struct gm_transition *transition)
{
	return transition->kind == GM_TRANSITION_CLEAR || transition->alarm.cleared_at != 0;
}

bool gm_alarm_is_on(const struct gm_alarm *alarm)
{
	return alarm->cleared_at == 0 && alarm->ended_at == 0 &&
	       alarm->suppressed == GM_SUPPRESSION_NONE;
}

bool gm_transition_is_occasion(const struct gm_transition *transition)
{
	enum gm_alarm_news news = transition->alarm.news;

	return transition->kind != GM_TRANSITION_CLEAR && gm_alarm_is_on(&transition->alarm) &&
	       (news == GM_NEWS_CONDITION || news == GM_NEWS_RELEASED);
}

const char *gm_alarm_source(const struct gm_alarm *alarm, const char *node)
{
	return alarm->guest_name[0] != '\0' ? alarm->guest_name : node;
}

/* A time that is not known, or has not come yet, is null. */
static void set_time(struct gm_json *object, const char *key, int64_t time)
{
	char text[GM_TIME_TEXT];

	gm_json_set_text(object, key, time > 0 ? gm_time_format(time, text, sizeof(text)) : NULL);
}

static struct gm_json *named(const char *name, int number)
{
	struct gm_json *object = gm_json_object();

	gm_json_set_text(object, "name", name);
	gm_json_set_integer(object, "number", number);
	return object;
}

static struct gm_json *times(const struct gm_message *message)
{
	const struct gm_transition *transition = message->transition;
	struct gm_json *object = gm_json_object();

	set_time(object, "raised", transition->alarm.raised_at);
	set_time(object, "changed", transition->alarm.changed_at);
	set_time(object, "ended", transition->alarm.ended_at);
	set_time(object, "cleared", transition->alarm.cleared_at);
	set_time(object, "found", transition->time);
	set_time(object, "journalled", transition->journalled_at);
	set_time(object, "sent", message->sent_at);
	return object;
}

static struct gm_json *guest(const struct gm_alarm *alarm)
{
	char uuid[GM_UUID_TEXT];

	if (!gm_alarm_has_guest(alarm))
		return gm_json_text(NULL);
	struct gm_json *object = gm_json_object();
	gm_json_set_text(object, "name", alarm->guest_name);
	gm_json_set_text(object, "uuid", gm_uuid_text(alarm->guest, uuid));
	gm_json_set_text(object, "project", alarm->project);
	return object;
}

static struct gm_json *acknowledgement(const struct gm_alarm *alarm)
{
	if (alarm->acknowledged_at == 0)
		return gm_json_text(NULL);
	struct gm_json *object = gm_json_object();
	set_time(object, "at", alarm->acknowledged_at);
	gm_json_set_text(object, "by", alarm->acknowledged_by);
	return object;
}

/* The newest one. */
static struct gm_json *comment(const struct gm_alarm *alarm)
{
	if (alarm->comments == 0)
		return gm_json_text(NULL);
	struct gm_json *object = gm_json_object();
	set_time(object, "at", alarm->commented_at);
	gm_json_set_text(object, "by", alarm->commented_by);
	gm_json_set_text(object, "text", alarm->comment);
	return object;
}

/* What the engine and people made of it. */
static void set_handling(struct gm_json *object, const struct gm_alarm *alarm)
{
	gm_json_set_text(object, "news", gm_alarm_news_name(alarm->news));
	gm_json_set_text(object, "suppressed", gm_suppression_name(alarm->suppressed));
	gm_json_set_integer(object, "flaps", alarm->flaps);
	gm_json_set_integer(object, "correlation", alarm->correlation);
	gm_json_set(object, "acknowledged", acknowledgement(alarm));
	gm_json_set(object, "comment", comment(alarm));
}

struct gm_json *gm_message_to_json(const struct gm_message *message)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	char entity[GM_KEY_TEXT];
	struct gm_json *object = gm_json_object();

	gm_json_set_text(object, "node", message->node);
	gm_json_set_text(object, "key", message->key);
	gm_json_set_integer(object, "sequence", (int64_t)transition->sequence);
	gm_json_set_integer(object, "attempt", message->attempt);
	gm_json_set_text(object, "state", gm_transition_name(transition->kind));
	gm_json_set_integer(object, "alarm", alarm->id);
	gm_json_set(object, "severity",
		    named(gm_severity_name(alarm->severity), (int)alarm->severity));
	gm_json_set(object, "event_type",
		    named(gm_event_type_name(alarm->event_type), (int)alarm->event_type));
	gm_json_set(object, "probable_cause",
		    named(gm_cause_name(alarm->cause), (int)alarm->cause));
	gm_json_set_text(object, "entity", gm_entity_text(&alarm->key, entity));
	gm_json_set(object, "guest", guest(alarm));
	gm_json_set_text(object, "detector", alarm->detector);
	gm_json_set_text(object, "metric", alarm->metric);
	gm_json_set_text(object, "rule", alarm->rule);
	gm_json_set_text(object, "text", alarm->text);
	gm_json_set(object, "times", times(message));
	gm_json_set(object, "evidence", gm_evidence_to_json(&alarm->evidence));
	set_handling(object, alarm);
	return object;
}

int gm_message_write(const struct gm_message *message, struct gm_buffer *buffer)
{
	struct gm_json *object = gm_message_to_json(message);
	int result = gm_json_write(object, 0, buffer);

	gm_json_free(object);
	return result;
}
