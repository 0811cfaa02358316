/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms as SOL 003 has them; see vnffm.h. Called by route.c's table, and by what sends notifications.
 */
#include "north/api/vnffm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/api/filter.h"
#include "north/message.h"

static const struct {
	int number;
	const char *word;
} severities[] =
	{
		{GM_SEVERITY_CRITICAL, "CRITICAL"}, {GM_SEVERITY_MAJOR, "MAJOR"},
		{GM_SEVERITY_MINOR, "MINOR"},       {GM_SEVERITY_WARNING, "WARNING"},
		{GM_SEVERITY_CLEARED, "CLEARED"},   {0, "INDETERMINATE"},
},
  events[] = {
	  {GM_EVENT_COMMUNICATIONS, "COMMUNICATIONS_ALARM"},
	  {GM_EVENT_QUALITY_OF_SERVICE, "QOS_ALARM"},
	  {GM_EVENT_EQUIPMENT, "EQUIPMENT_ALARM"},
	  {GM_EVENT_ENVIRONMENTAL, "ENVIRONMENTAL_ALARM"},
	  {0, "PROCESSING_ERROR_ALARM"},
};

struct gm_vnffm_view gm_vnffm_view(const struct gm_api_options *options)
{
	struct gm_vnffm_view view = {.naming = (enum gm_api_naming)options->naming};
	gm_api_url(options, view.url);
	return view;
}

const char *gm_vnffm_severity(const struct gm_alarm *alarm)
{
	size_t i = 0;
	int wanted = alarm->cleared_at != 0 ? GM_SEVERITY_CLEARED : (int)alarm->severity;
	while (severities[i].number != 0 && severities[i].number != wanted)
		i++;
	return severities[i].word;
}

bool gm_vnffm_is_severity(const char *word)
{
	for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++)
		if (strcmp(severities[i].word, word) == 0)
			return true;
	return false;
}

const char *gm_vnffm_event(const struct gm_alarm *alarm)
{
	size_t i = 0;
	while (events[i].number != 0 && events[i].number != (int)alarm->event_type)
		i++;
	return events[i].word;
}

const char *gm_vnffm_resource(const struct gm_alarm *alarm)
{
	switch (alarm->key.kind) {
	case GM_ENTITY_INTERFACE:
		return "NETWORK";
	case GM_ENTITY_DISK:
		return "STORAGE";
	default:
		return "COMPUTE";
	}
}

char *gm_vnffm_object(const struct gm_vnffm_view *view, const struct gm_alarm *alarm,
		      char text[GM_NAME_SIZE])
{
	char uuid[GM_UUID_TEXT];
	const char *name = gm_uuid_text(alarm->guest, uuid);
	if (view->naming == GM_API_BY_NAME && alarm->guest_name[0] != '\0')
		name = alarm->guest_name;
	if (view->naming == GM_API_BY_PROJECT && alarm->project[0] != '\0')
		name = alarm->project;
	gm_text_copy(text, GM_NAME_SIZE, name);
	return text;
}

static void set_time(struct gm_json *object, const char *key, int64_t time)
{
	char text[GM_TIME_TEXT];
	if (time != 0)
		gm_json_set_text(object, key, gm_time_format(time, text, sizeof(text)));
}

/* An interface is known by its device here, a disk by its target; both belong to the server. */
static struct gm_json *root_cause(const struct gm_alarm *alarm)
{
	char uuid[GM_UUID_TEXT], id[GM_UUID_TEXT + GM_DEVICE_NAME];
	struct gm_json *resource = gm_json_object(), *handle = gm_json_object();
	bool server = strcmp(gm_vnffm_resource(alarm), "COMPUTE") == 0;
	gm_uuid_text(alarm->guest, uuid);
	if (server)
		snprintf(id, sizeof(id), "%s", uuid);
	else
		snprintf(id, sizeof(id), "%s/%.31s", uuid, alarm->key.name);
	gm_json_set_text(handle, "resourceId", id);
	if (server)
		gm_json_set_text(handle, "vimLevelResourceType", "OS::Nova::Server");
	gm_json_set(resource, "faultyResource", handle);
	gm_json_set_text(resource, "faultyResourceType", gm_vnffm_resource(alarm));
	return resource;
}

static struct gm_json *details(const struct gm_alarm *alarm)
{
	struct gm_json *list = gm_json_array();
	gm_json_append(list, gm_json_text(alarm->text));
	char line[GM_NAME_SIZE + 32];
	if (gm_alarm_has_guest(alarm)) {
		snprintf(line, sizeof(line), "guest=%.*s", GM_NAME_SIZE - 1, alarm->guest_name);
		gm_json_append(list, gm_json_text(line));
	}
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++) {
		if (!gm_evidence_has(&alarm->evidence, (enum gm_evidence_id)id))
			continue;
		snprintf(line, sizeof(line), "%s=%.10g", gm_evidence_name((enum gm_evidence_id)id),
			 alarm->evidence.number[id]);
		gm_json_append(list, gm_json_text(line));
	}
	return list;
}

static struct gm_json *links(const struct gm_vnffm_view *view, const struct gm_alarm *alarm)
{
	char href[GM_API_PATH + 64];
	struct gm_json *object = gm_json_object(), *self = gm_json_object();
	snprintf(href, sizeof(href), "%s" GM_VNFFM_ROOT "/alarms/%" PRIu32, view->url, alarm->id);
	gm_json_set_text(self, "href", href);
	gm_json_set(object, "self", self);
	return object;
}

static void append_id(struct gm_json *list, uint32_t number)
{
	char id[16];
	snprintf(id, sizeof(id), "%" PRIu32, number);
	gm_json_append(list, gm_json_text(id));
}

/*
 * A guest's alarm that a fault of the node explains, from `at` on; NULL. Only a fault of the node is a cause
 * (alarm/correlate.c): what came at the same time as another merely belongs to it.
 */
static const struct gm_alarm *find_effect(const struct gm_snapshot *snapshot,
					  const struct gm_alarm *cause, size_t *at)
{
	while (snapshot && !gm_alarm_has_guest(cause) && *at < snapshot->alarm_count) {
		const struct gm_alarm *alarm = &snapshot->alarms[(*at)++];
		if (alarm->correlation == cause->id && gm_alarm_has_guest(alarm))
			return alarm;
	}
	return NULL;
}

/* What it causes; or the alarm that it belongs to, where there is another. */
static void set_correlation(struct gm_json *object, const struct gm_alarm *alarm,
			    const struct gm_snapshot *snapshot)
{
	size_t at = 0;
	const struct gm_alarm *effect = find_effect(snapshot, alarm, &at);
	struct gm_json *list = gm_json_array();
	gm_json_set_bool(object, "isRootCause", effect != NULL);
	for (; effect; effect = find_effect(snapshot, alarm, &at))
		append_id(list, effect->id);
	if (alarm->correlation != 0 && alarm->correlation != alarm->id)
		append_id(list, alarm->correlation);
	if (gm_json_size(list) > 0)
		gm_json_set(object, "correlatedAlarmIds", list);
	else
		gm_json_free(list);
}

struct gm_json *gm_vnffm_alarm(const struct gm_vnffm_view *view, const struct gm_alarm *alarm,
			       const struct gm_snapshot *snapshot)
{
	struct gm_json *object = gm_json_object();
	char text[GM_NAME_SIZE];
	size_t at = 0;
	const struct gm_alarm *effect = find_effect(snapshot, alarm, &at);
	snprintf(text, sizeof(text), "%" PRIu32, alarm->id);
	gm_json_set_text(object, "id", text);
	gm_json_set_text(object, "managedObjectId",
			 gm_vnffm_object(view, effect ? effect : alarm, text));
	if (gm_alarm_has_guest(alarm))
		gm_json_set(object, "rootCauseFaultyResource", root_cause(alarm));
	set_time(object, "alarmRaisedTime", alarm->raised_at);
	if (alarm->changed_at != alarm->raised_at)
		set_time(object, "alarmChangedTime", alarm->changed_at);
	set_time(object, "alarmClearedTime", alarm->cleared_at);
	set_time(object, "alarmAcknowledgedTime", alarm->acknowledged_at);
	gm_json_set_text(object, "ackState",
			 alarm->acknowledged_at != 0 ? "ACKNOWLEDGED" : "UNACKNOWLEDGED");
	gm_json_set_text(object, "perceivedSeverity", gm_vnffm_severity(alarm));
	set_time(object, "eventTime", alarm->raised_at);
	gm_json_set_text(object, "eventType", gm_vnffm_event(alarm));
	snprintf(text, sizeof(text), "%s %s%s%s", alarm->detector, alarm->metric,
		 alarm->rule[0] != '\0' ? " " : "", alarm->rule);
	gm_json_set_text(object, "faultType", text);
	gm_json_set_text(object, "probableCause", gm_cause_name(alarm->cause));
	set_correlation(object, alarm, snapshot);
	gm_json_set(object, "faultDetails", details(alarm));
	gm_json_set(object, "_links", links(view, alarm));
	return object;
}

char *gm_vnffm_etag(const struct gm_alarm *alarm, char text[GM_API_ETAG])
{
	uint64_t cleared = (uint64_t)alarm->cleared_at, taken = (uint64_t)alarm->acknowledged_at;
	snprintf(text, GM_API_ETAG, "\"%" PRIx32 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"",
		 alarm->id, (uint64_t)alarm->changed_at, cleared, taken);
	return text;
}

static bool is_shown(const struct gm_snapshot *snapshot, const struct gm_alarm *alarm)
{
	size_t at = 0;
	return gm_alarm_has_guest(alarm) || find_effect(snapshot, alarm, &at);
}

const struct gm_alarm *gm_vnffm_find(const struct gm_snapshot *snapshot, const char *id)
{
	char *end;
	unsigned long wanted = strtoul(id, &end, 10);
	if (*end != '\0' || id[0] < '1' || id[0] > '9' || wanted > UINT32_MAX)
		return NULL;
	const struct gm_alarm *found = NULL;
	for (size_t i = 0; i < snapshot->log_count; i++)
		if (snapshot->log[i].alarm.id == wanted)
			found = &snapshot->log[i].alarm;
	const struct gm_alarm *active = gm_snapshot_alarm(snapshot, (uint32_t)wanted);
	if (active)
		found = active;
	return found && is_shown(snapshot, found) ? found : NULL;
}

/* ---- routes ---- */

static struct gm_json *version_list(void)
{
	struct gm_json *list = gm_json_array(), *version = gm_json_object();
	gm_json_set_text(version, "version", GM_VNFFM_VERSION);
	gm_json_set_bool(version, "isDeprecated", false);
	gm_json_append(list, version);
	return list;
}

bool gm_vnffm_version(const char *header, struct gm_api_reply *reply)
{
	if (!header || strncmp(header, GM_VNFFM_VERSION, 2) == 0)
		return true;
	gm_api_problem(reply, 406, "this is version " GM_VNFFM_VERSION);
	gm_json_set(reply->body, "apiVersions", version_list());
	return false;
}

void gm_vnffm_versions(const struct gm_api_request *request, struct gm_api_reply *reply)
{
	char prefix[GM_API_PATH + 16], url[GM_API_PATH];
	snprintf(prefix, sizeof(prefix), "%s/vnffm", gm_api_url(request->options, url));
	reply->status = 200;
	reply->body = gm_json_object();
	gm_json_set_text(reply->body, "uriPrefix", prefix);
	gm_json_set(reply->body, "apiVersions", version_list());
}

void gm_vnffm_list(const struct gm_api_request *request, struct gm_api_reply *reply)
{
	struct gm_vnffm_view view = gm_vnffm_view(request->options);
	struct gm_filter *filter = NULL;
	struct gm_error err;
	if (request->filter && gm_filter_parse(request->filter, &filter, &err) < 0) {
		gm_api_problem(reply, 400, "%s", err.text);
		return;
	}
	reply->status = 200;
	reply->body = gm_json_array();
	for (size_t i = 0; i < request->snapshot->alarm_count; i++) {
		const struct gm_alarm *alarm = &request->snapshot->alarms[i];
		if (!is_shown(request->snapshot, alarm))
			continue;
		struct gm_json *object = gm_vnffm_alarm(&view, alarm, request->snapshot);
		if (filter && !gm_filter_matches(filter, object))
			gm_json_free(object);
		else
			gm_json_append(reply->body, object);
	}
	gm_filter_free(filter);
}

void gm_vnffm_show(const struct gm_api_request *request, struct gm_api_reply *reply)
{
	struct gm_vnffm_view view = gm_vnffm_view(request->options);
	const struct gm_alarm *alarm = gm_vnffm_find(request->snapshot, request->arguments[0]);
	if (!alarm) {
		gm_api_problem(reply, 404, "there is no such alarm");
		return;
	}
	reply->status = 200;
	reply->body = gm_vnffm_alarm(&view, alarm, request->snapshot);
	gm_vnffm_etag(alarm, reply->etag);
}
