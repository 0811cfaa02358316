/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONAP VES events of the domain `fault`: commonEventHeader 4.1 and faultFields 4.0, which VES 7.1 and
 * 7.2 have in common (VES Event Listener 7.2, "Datatypes").
 *
 * A collector pairs raise and clear by source, eventName, alarmCondition and specificProblem, so none of
 * them holds a figure that changes; eventId is the alarm's, and `sequence` tells its transitions apart.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "north/message.h"
#include "north/webhook/format.h"

enum { WORD = 160, NUMBER_TEXT = 40 };

static const char *severity_of(const struct gm_transition *transition)
{
	if (gm_transition_is_over(transition))
		return "NORMAL";
	switch (transition->alarm.severity) {
	case GM_SEVERITY_CRITICAL:
		return "CRITICAL";
	case GM_SEVERITY_MAJOR:
		return "MAJOR";
	case GM_SEVERITY_MINOR:
		return "MINOR";
	default:
		return "WARNING"; /* there is no "indeterminate" */
	}
}

static const char *priority_of(const struct gm_transition *transition)
{
	if (gm_transition_is_over(transition))
		return "Normal";
	switch (transition->alarm.severity) {
	case GM_SEVERITY_CRITICAL:
	case GM_SEVERITY_MAJOR:
		return "High";
	case GM_SEVERITY_MINOR:
		return "Medium";
	default:
		return "Low";
	}
}

static const char *source_type(const struct gm_alarm *alarm)
{
	static const char *const host[GM_ENTITY_KINDS] = {
		"host", "virtualMachine", "port", "disk", "process", "cpu", "memory"};
	static const char *const guest[GM_ENTITY_KINDS] = {
		"host", "virtualMachine", "virtualPort", "virtualDisk", "virtualMachineProcess",
		"cpu",  "memory"};

	if (alarm->key.kind >= GM_ENTITY_KINDS)
		return "other";
	return (gm_alarm_has_guest(alarm) ? guest : host)[alarm->key.kind];
}

/* "Fault_Guestmon_leak": the parts of an eventName are words of letters and digits. */
static void event_name(const char *detector, char text[WORD])
{
	snprintf(text, WORD, "Fault_Guestmon_%s", detector);
	for (char *at = text + strlen("Fault_Guestmon_"); *at != '\0'; at++)
		if (!isalnum((unsigned char)*at))
			*at = '-';
}

static struct gm_json *header(const struct gm_message *message)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	struct gm_json *object = gm_json_object();
	char name[WORD], id[GM_NAME_SIZE + WORD], uuid[GM_UUID_TEXT];

	event_name(alarm->detector, name);
	snprintf(id, sizeof(id), "guestmon:%s:%u", message->node, alarm->id);
	gm_json_set_text(object, "version", "4.1");
	gm_json_set_text(object, "vesEventListenerVersion", "7.1");
	gm_json_set_text(object, "domain", "fault");
	gm_json_set_text(object, "eventName", name);
	gm_json_set_text(object, "eventId", id);
	gm_json_set_integer(object, "sequence", (int64_t)transition->sequence);
	gm_json_set_text(object, "priority", priority_of(transition));
	gm_json_set_text(object, "reportingEntityName", message->node);
	gm_json_set_text(object, "sourceName", gm_alarm_source(alarm, message->node));
	if (gm_alarm_has_guest(alarm))
		gm_json_set_text(object, "sourceId", gm_uuid_text(alarm->guest, uuid));
	gm_json_set_integer(object, "startEpochMicrosec", alarm->raised_at / GM_MICROSECOND);
	gm_json_set_integer(object, "lastEpochMicrosec", transition->time / GM_MICROSECOND);
	gm_json_set_text(object, "timeZoneOffset", "UTC+00:00");
	return object;
}

/* alarmAdditionalInformation is a map from text to text. */
static struct gm_json *additional(const struct gm_message *message)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	const struct gm_evidence *evidence = &alarm->evidence;
	struct gm_json *object = gm_json_object();
	char text[NUMBER_TEXT], entity[GM_KEY_TEXT];

	gm_json_set_text(object, "text", alarm->text);
	gm_json_set_text(object, "entity", gm_entity_text(&alarm->key, entity));
	gm_json_set_text(object, "project", alarm->project);
	gm_json_set_text(object, "rule", alarm->rule);
	gm_json_set_text(object, "probableCause", gm_cause_name(alarm->cause));
	gm_json_set_text(object, "key", message->key);
	gm_json_set_text(object, "journalled",
			 gm_time_format(transition->journalled_at, text, sizeof(text)));
	gm_json_set_text(object, "sent", gm_time_format(message->sent_at, text, sizeof(text)));
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++) {
		if (!gm_evidence_has(evidence, (enum gm_evidence_id)id))
			continue;
		snprintf(text, sizeof(text), "%.16g", evidence->number[id]);
		gm_json_set_text(object, gm_evidence_name((enum gm_evidence_id)id), text);
	}
	if (evidence->contributors[0] != '\0')
		gm_json_set_text(object, "contributors", evidence->contributors);
	if (evidence->direction[0] != '\0')
		gm_json_set_text(object, "direction", evidence->direction);
	return object;
}

static struct gm_json *fields(const struct gm_message *message)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	struct gm_json *object = gm_json_object();
	char condition[WORD], problem[WORD];

	snprintf(condition, sizeof(condition), "%s%s%s", alarm->detector, alarm->rule[0] ? "/" : "",
		 alarm->rule);
	snprintf(problem, sizeof(problem), "%s of %s", alarm->detector, alarm->metric);
	gm_json_set_text(object, "faultFieldsVersion", "4.0");
	gm_json_set_text(object, "alarmCondition", condition);
	gm_json_set_text(object, "specificProblem", problem);
	gm_json_set_text(object, "eventSeverity", severity_of(transition));
	gm_json_set_text(object, "eventSourceType", source_type(alarm));
	gm_json_set_text(object, "eventCategory", gm_event_type_name(alarm->event_type));
	gm_json_set_text(object, "vfStatus", "Active");
	if (alarm->key.kind == GM_ENTITY_INTERFACE)
		gm_json_set_text(object, "alarmInterfaceA", alarm->key.name);
	gm_json_set(object, "alarmAdditionalInformation", additional(message));
	return object;
}

int gm_webhook_ves(const struct gm_webhook_context *context, const struct gm_message *message,
		   struct gm_buffer *body)
{
	struct gm_json *object = gm_json_object(), *event = gm_json_object();

	(void)context;
	gm_json_set(event, "commonEventHeader", header(message));
	gm_json_set(event, "faultFields", fields(message));
	gm_json_set(object, "event", event);
	int result = gm_json_write(object, 0, body);
	gm_json_free(object);
	return result;
}
