/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two forms of Prometheus' Alertmanager: what its API v2 takes (POST /api/v2/alerts, an array of
 * alerts), and the body that it sends to its own webhooks (version 4), which many other receivers take.
 *
 * An alert is its labels. The alarm's number is one of them, so that a clear that comes late never ends
 * the alarm that was raised after it; the severity is one, too, because routes go by it: an alarm that
 * changes severity ends as the one alert and begins as another, in one array.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "north/message.h"
#include "north/webhook/format.h"

enum { LABELS = 12, NUMBER_TEXT = 16, ALERTNAME = 32 };

/* Sorted by name, as the fingerprint takes them; empty ones are none to Alertmanager and left out. */
struct labels {
	size_t count;
	struct {
		const char *name, *value;
	} items[LABELS];
	char alertname[ALERTNAME], id[NUMBER_TEXT];
	char entity[GM_KEY_TEXT], guest_uuid[GM_UUID_TEXT];
};

static void add(struct labels *labels, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	labels->items[labels->count].name = name;
	labels->items[labels->count++].value = value;
}

/* "GuestmonLeak" of "leak": as alerts are usually named. */
static void name_alert(const char *detector, char text[ALERTNAME])
{
	snprintf(text, ALERTNAME, "Guestmon%s", detector);
	char *first = text + strlen("Guestmon");
	if (*first >= 'a' && *first <= 'z')
		*first = (char)(*first - 'a' + 'A');
}

static void fill(struct labels *labels, const char *node, const struct gm_alarm *alarm,
		 enum gm_severity severity)
{
	labels->count = 0;
	name_alert(alarm->detector, labels->alertname);
	snprintf(labels->id, sizeof(labels->id), "%u", alarm->id);
	gm_entity_text(&alarm->key, labels->entity);
	labels->guest_uuid[0] = '\0';
	if (gm_alarm_has_guest(alarm))
		gm_uuid_text(alarm->guest, labels->guest_uuid);
	add(labels, "alarm", labels->id);
	add(labels, "alertname", labels->alertname);
	add(labels, "detector", alarm->detector);
	add(labels, "entity", labels->entity);
	add(labels, "guest", alarm->guest_name);
	add(labels, "guest_uuid", labels->guest_uuid);
	add(labels, "metric", alarm->metric);
	add(labels, "node", node);
	add(labels, "project", alarm->project);
	add(labels, "rule", alarm->rule);
	add(labels, "severity", gm_severity_name(severity));
}

static struct gm_json *labels_to_json(const struct labels *labels)
{
	struct gm_json *object = gm_json_object();

	for (size_t i = 0; i < labels->count; i++)
		gm_json_set_text(object, labels->items[i].name, labels->items[i].value);
	return object;
}

/* As Alertmanager computes it: FNV-1a over names and values in order, a byte 255 behind each. */
static void fingerprint(const struct labels *labels, char text[17])
{
	uint64_t sum = GM_HASH_FIRST;

	for (size_t i = 0; i < 2 * labels->count; i++) {
		const char *word = i % 2 ? labels->items[i / 2].value : labels->items[i / 2].name;
		sum = gm_hash(gm_hash(sum, word, strlen(word)), "\xFF", 1);
	}
	snprintf(text, 17, "%016llx", (unsigned long long)sum);
}

static struct gm_json *annotations(const struct gm_alarm *alarm, const struct gm_message *message)
{
	struct gm_json *object = gm_json_object(),
		       *evidence = gm_evidence_to_json(&alarm->evidence);
	struct gm_buffer text = GM_BUFFER_INIT(GM_MESSAGE_MAX);
	char time[GM_TIME_TEXT];

	gm_json_set_text(object, "summary", alarm->text);
	gm_json_set_text(object, "event_type", gm_event_type_name(alarm->event_type));
	gm_json_set_text(object, "probable_cause", gm_cause_name(alarm->cause));
	if (gm_json_write(evidence, 0, &text) == 0)
		gm_json_set_text(object, "evidence", text.data);
	gm_json_free(evidence);
	gm_buffer_free(&text);
	if (!message)
		return object;
	const struct gm_transition *transition = message->transition;
	gm_json_set_text(object, "key", message->key);
	gm_json_set_text(object, "found", gm_time_format(transition->time, time, sizeof(time)));
	if (transition->journalled_at > 0)
		gm_json_set_text(object, "journalled",
				 gm_time_format(transition->journalled_at, time, sizeof(time)));
	gm_json_set_text(object, "sent", gm_time_format(message->sent_at, time, sizeof(time)));
	return object;
}

static void set_time(struct gm_json *object, const char *key, int64_t time)
{
	char text[GM_TIME_TEXT];

	gm_json_set_text(object, key, gm_time_format(time, text, sizeof(text)));
}

/* An end before the start is refused by Alertmanager; the clock may have been set in between. */
static int64_t no_earlier(int64_t end, int64_t start)
{
	return end > start ? end : start;
}

/* `message`: for the annotations, or NULL. `end`: when the alert is over, or when it is unless repeated. */
static struct gm_json *alert(const struct gm_webhook_context *context, const struct labels *labels,
			     const struct gm_alarm *alarm, const struct gm_message *message,
			     int64_t end)
{
	struct gm_json *object = gm_json_object();

	gm_json_set(object, "labels", labels_to_json(labels));
	gm_json_set(object, "annotations", annotations(alarm, message));
	set_time(object, "startsAt", alarm->raised_at);
	set_time(object, "endsAt", no_earlier(end, alarm->raised_at));
	if (context->generator_url[0] != '\0')
		gm_json_set_text(object, "generatorURL", context->generator_url);
	return object;
}

struct gm_json *gm_webhook_alert(const struct gm_webhook_context *context, const char *node,
				 const struct gm_alarm *alarm, int64_t now)
{
	struct labels labels;

	fill(&labels, node, alarm, alarm->severity);
	return alert(context, &labels, alarm, NULL, now + context->hold);
}

/* The next severity from `first` on under which else the receiver may know the alarm; CLEARED: none. */
static enum gm_severity told_otherwise(const struct gm_webhook_context *context,
				       const struct gm_alarm *alarm, enum gm_severity first)
{
	for (enum gm_severity severity = first; severity <= GM_SEVERITY_WARNING; severity++)
		if (severity != alarm->severity && context->told & 1U << severity)
			return severity;
	return GM_SEVERITY_CLEARED;
}

static int write_and_free(struct gm_json *value, struct gm_buffer *body)
{
	int result = gm_json_write(value, 0, body);

	gm_json_free(value);
	return result;
}

int gm_webhook_alertmanager(const struct gm_webhook_context *context,
			    const struct gm_message *message, struct gm_buffer *body)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	bool over = gm_transition_is_over(transition);
	struct gm_json *array = gm_json_array();
	struct labels labels;
	enum gm_severity other = GM_SEVERITY_CLEARED;

	fill(&labels, message->node, alarm, alarm->severity);
	int64_t end = over ? alarm->cleared_at : message->sent_at + context->hold;
	gm_json_append(array, alert(context, &labels, alarm, message, end));
	while ((other = told_otherwise(context, alarm, other + 1)) != GM_SEVERITY_CLEARED) {
		fill(&labels, message->node, alarm, other);
		gm_json_append(array, alert(context, &labels, alarm, message, transition->time));
	}
	return write_and_free(array, body);
}

/* An alert as Alertmanager sends it; one that is not over ends at the zero of its times. */
static struct gm_json *alert_v4(const struct gm_webhook_context *context,
				const struct labels *labels, const struct gm_message *message,
				int64_t end)
{
	const struct gm_alarm *alarm = &message->transition->alarm;
	char print[17];
	struct gm_json *object = alert(context, labels, alarm, message, end);

	gm_json_set_text(object, "status", end ? "resolved" : "firing");
	if (!end)
		gm_json_set_text(object, "endsAt", "0001-01-01T00:00:00Z");
	gm_json_set_text(object, "generatorURL", context->generator_url);
	fingerprint(labels, print);
	gm_json_set_text(object, "fingerprint", print);
	return object;
}

/* The labels that all alerts of the body share: with one alert all, with several all but the severity. */
static struct gm_json *common_labels(struct labels labels, bool without_severity)
{
	labels.count -= without_severity; /* the last one */
	return labels_to_json(&labels);
}

int gm_webhook_alertmanager_webhook(const struct gm_webhook_context *context,
				    const struct gm_message *message, struct gm_buffer *body)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	bool over = gm_transition_is_over(transition), several = false;
	enum gm_severity other = GM_SEVERITY_CLEARED;
	struct gm_json *object = gm_json_object(), *alerts = gm_json_array();
	struct labels labels, before;
	char group[2 * GM_NAME_SIZE + 64], node[2 * GM_NAME_SIZE];

	fill(&labels, message->node, alarm, alarm->severity);
	gm_json_append(alerts, alert_v4(context, &labels, message, over ? alarm->cleared_at : 0));
	while ((other = told_otherwise(context, alarm, other + 1)) != GM_SEVERITY_CLEARED) {
		several = true;
		fill(&before, message->node, alarm, other);
		gm_json_append(alerts, alert_v4(context, &before, message, transition->time));
	}
	struct gm_json *groups = gm_json_object();
	gm_json_set_text(groups, "alarm", labels.id);
	gm_json_set_text(groups, "node", message->node);
	gm_text_quote(node, sizeof(node), message->node);
	snprintf(group, sizeof(group), "{}:{alarm=\"%s\", node=%s}", labels.id, node);

	gm_json_set_text(object, "version", "4");
	gm_json_set_text(object, "groupKey", group);
	gm_json_set_integer(object, "truncatedAlerts", 0);
	gm_json_set_text(object, "status", over ? "resolved" : "firing");
	gm_json_set_text(object, "receiver", context->output);
	gm_json_set(object, "groupLabels", groups);
	gm_json_set(object, "commonLabels", common_labels(labels, several));
	gm_json_set(object, "commonAnnotations", annotations(alarm, message));
	gm_json_set_text(object, "externalURL", context->generator_url);
	gm_json_set(object, "alerts", alerts);
	return write_and_free(object, body);
}
