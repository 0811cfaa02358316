/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, bodies and answers of Aodh; see alarm_text.h.
 */
#include "north/openstack/alarm_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

enum {
	NODE_MAX = 96,  /* bytes of a node's name within a name */
	FULL_MAX = 250, /* Aodh's column has 255 */
	HASH = 18,      /* "~" and 16 digits */
};

#define MARK "\nguestmon: "

/* Cuts what is longer than `max` bytes, with a hash of the whole at its end: names stay apart. */
static void put(char *target, size_t max, const char *text)
{
	size_t length = strlen(text);

	if (length <= max) {
		memcpy(target, text, length + 1);
		return;
	}
	size_t kept = gm_text_copy(target, max + 1 - HASH, text);
	snprintf(target + kept, HASH, "~%016" PRIx64, gm_hash(GM_HASH_FIRST, text, length));
}

char *gm_aodh_prefix(const char *node, char text[GM_AODH_NAME])
{
	char name[NODE_MAX + 1];

	put(name, NODE_MAX, node);
	snprintf(text, GM_AODH_NAME, "guestmon/%s/", name);
	return text;
}

char *gm_aodh_name(const char *node, const struct gm_alarm *alarm, char text[GM_AODH_NAME])
{
	char prefix[GM_AODH_NAME], key[GM_KEY_TEXT];
	char rest[GM_AODH_NAME + GM_KEY_TEXT + GM_DETECTOR_NAME + GM_METRIC_NAME + GM_RULE_NAME];

	gm_aodh_prefix(node, prefix);
	snprintf(rest, sizeof(rest), "%s%s/%s/%s%s%s", prefix, gm_entity_text(&alarm->key, key),
		 alarm->detector, alarm->metric, alarm->rule[0] != '\0' ? "/" : "", alarm->rule);
	put(text, FULL_MAX, rest);
	return text;
}

bool gm_aodh_name_guest(const char *name, const char *prefix, uint8_t ret_uuid[GM_UUID_SIZE])
{
	static const char *const kinds[] = {"guest:", "disk:", "process:"};
	char uuid[GM_UUID_TEXT];
	size_t length = strlen(prefix);

	if (strncmp(name, prefix, length) != 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t kind = strlen(kinds[i]);

		if (strncmp(name + length, kinds[i], kind) == 0) {
			snprintf(uuid, sizeof(uuid), "%.36s", name + length + kind);
			return gm_uuid_parse(uuid, ret_uuid) == 0;
		}
	}
	return false;
}

const char *gm_aodh_severity(enum gm_severity severity)
{
	switch (severity) {
	case GM_SEVERITY_CRITICAL:
		return "critical";
	case GM_SEVERITY_MAJOR:
	case GM_SEVERITY_MINOR:
		return "moderate";
	default:
		return "low";
	}
}

const char *gm_aodh_state(const struct gm_transition *transition)
{
	return transition->kind == GM_TRANSITION_CLEAR ? "ok" : "alarm";
}

/* ---- the description ---- */

static void add_evidence(struct gm_buffer *text, const struct gm_evidence *evidence)
{
	const char *separator = "\n";

	for (unsigned i = 0; i < GM_EVIDENCE_COUNT; i++) {
		if (!gm_evidence_has(evidence, i))
			continue;
		gm_buffer_printf(text, "%s%s %.12g", separator, gm_evidence_name(i),
				 evidence->number[i]);
		separator = ", ";
	}
	if (evidence->contributors[0] != '\0')
		gm_buffer_printf(text, "%scontributors %s", separator, evidence->contributors);
}

void gm_aodh_describe(const char *node, const struct gm_transition *transition, int64_t sent_at,
		      struct gm_buffer *text)
{
	const struct gm_alarm *alarm = &transition->alarm;
	char found[GM_TIME_TEXT], sent[GM_TIME_TEXT], key[GM_KEY_TEXT];

	gm_buffer_printf(text, "%s\n%s on node %s: %s, severity %s, alarm %" PRIu32, alarm->text,
			 gm_entity_text(&alarm->key, key), node,
			 gm_transition_name(transition->kind), gm_severity_name(alarm->severity),
			 alarm->id);
	if (alarm->guest_name[0] != '\0')
		gm_buffer_printf(text, ", guest %s", alarm->guest_name);
	if (alarm->project[0] != '\0')
		gm_buffer_printf(text, ", project %s", alarm->project);
	add_evidence(text, &alarm->evidence);
	gm_buffer_printf(text, "\nfound %s, sent %s",
			 gm_time_format(transition->time, found, sizeof(found)),
			 gm_time_format(sent_at, sent, sizeof(sent)));
	if (transition->sequence > 0)
		gm_buffer_printf(text, MARK "%s/%" PRIu64 "@%" PRId64, node, transition->sequence,
				 transition->time);
}

/* The mark at a description's end; all zeros where there is none. */
static struct gm_aodh_mark mark_of(const struct gm_json *found)
{
	const char *text = gm_json_get_text(found, "description");
	const char *line = text ? strrchr(text, '\n') : NULL;
	const char *slash = line ? strrchr(line, '/') : NULL;
	struct gm_aodh_mark mark = {0};

	if (!slash || strncmp(line, MARK, strlen(MARK)) != 0 ||
	    sscanf(slash, "/%20" SCNu64 "@%20" SCNd64, &mark.sequence, &mark.time) != 2)
		return (struct gm_aodh_mark){0};
	return mark;
}

/*
 * Both must say so: a state directory that was emptied begins its sequence anew, and a clock may have
 * been set back.
 */
bool gm_aodh_is_told(const struct gm_json *found, const struct gm_transition *transition)
{
	struct gm_aodh_mark mark = mark_of(found);
	const char *state = gm_json_get_text(found, "state");
	bool same = state && strcmp(state, gm_aodh_state(transition)) == 0;

	if (transition->sequence == 0) /* no transition, only what holds now */
		return same;
	if (mark.sequence == 0 || mark.sequence < transition->sequence ||
	    mark.time < transition->time)
		return false;
	/* Its own mark, but another state: somebody else has set that since, and is set right. */
	return mark.sequence > transition->sequence || same;
}

/* ---- answers ---- */

static void copy(char *target, size_t size, const struct gm_json *object, const char *key)
{
	const char *text = gm_json_get_text(object, key);

	target[0] = '\0';
	if (text && strlen(text) < size)
		gm_text_copy(target, size, text);
}

/* It becomes a part of a URL. */
static bool is_identifier(const char *id)
{
	return id[0] != '\0' &&
	       id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_")] ==
		       '\0';
}

bool gm_aodh_has_severity(const struct gm_json *found, const struct gm_transition *transition)
{
	const char *held = gm_json_get_text(found, "severity");

	return held && strcmp(held, gm_aodh_severity(transition->alarm.severity)) == 0;
}

int gm_aodh_read(const struct gm_json *object, struct gm_aodh_alarm *ret_alarm)
{
	struct gm_aodh_alarm alarm;

	copy(alarm.name, sizeof(alarm.name), object, "name");
	copy(alarm.id, sizeof(alarm.id), object, "alarm_id");
	copy(alarm.state, sizeof(alarm.state), object, "state");
	copy(alarm.project, sizeof(alarm.project), object, "project_id");
	if (!is_identifier(alarm.id))
		return -EINVAL;
	*ret_alarm = alarm;
	return 0;
}

int gm_aodh_list(const char *body, size_t length, struct gm_json **ret_list)
{
	size_t blank = strspn(body, " \t\r\n");

	/* Anything but a list must not pass for an empty one: a second alarm would be made. */
	return body[blank] == '[' ? gm_json_parse(body, length, ret_list, NULL) : -EINVAL;
}

int gm_aodh_find(const struct gm_json *list, const char *name, const struct gm_json **ret_alarm)
{
	const struct gm_json *best = NULL;
	const char *oldest = "";
	struct gm_aodh_alarm alarm;

	for (size_t i = 0; i < gm_json_size(list); i++) {
		const struct gm_json *item = gm_json_at(list, i);
		const char *time = gm_json_get_text(item, "timestamp");

		if (!item || gm_aodh_read(item, &alarm) < 0)
			return -EINVAL;
		if (strcmp(alarm.name, name) != 0)
			continue;
		if (!best || (time && strcmp(time, oldest) < 0)) {
			best = item;
			oldest = time ? time : "";
		}
	}
	*ret_alarm = best;
	return 0;
}

/* ---- bodies ---- */

static struct gm_json *rule(const char *name)
{
	struct gm_json *rule = gm_json_object(), *query = gm_json_array(), *term = gm_json_object();

	gm_json_set_text(term, "field", "traits.alarm");
	gm_json_set_text(term, "type", "string");
	gm_json_set_text(term, "op", "eq");
	gm_json_set_text(term, "value", name);
	gm_json_append(query, term);
	gm_json_set_text(rule, "event_type", GM_AODH_EVENT_TYPE);
	gm_json_set(rule, "query", query);
	return rule;
}

static struct gm_json *action_list(const char *actions)
{
	struct gm_json *list = gm_json_array();
	char text[1024], *state = NULL;

	gm_text_copy(text, sizeof(text), actions);
	for (char *item = strtok_r(text, ", ", &state); item; item = strtok_r(NULL, ", ", &state))
		gm_json_append(list, gm_json_text(item));
	return list;
}

struct gm_json *gm_aodh_creation(const char *name, const char *project, const char *severity,
				 const char *description, const char *actions)
{
	struct gm_json *body = gm_json_object();

	gm_json_set_text(body, "name", name);
	gm_json_set_text(body, "type", "event");
	gm_json_set_text(body, "description", description);
	gm_json_set_text(body, "severity", severity);
	gm_json_set_text(body, "state", "ok");
	gm_json_set_bool(body, "enabled", true);
	gm_json_set_bool(body, "repeat_actions", false);
	gm_json_set(body, "event_rule", rule(name));
	gm_json_set(body, "alarm_actions", action_list(actions));
	if (project[0] != '\0')
		gm_json_set_text(body, "project_id", project);
	return body;
}

struct gm_json *gm_aodh_changed(const struct gm_json *found, const char *state,
				const char *severity, const char *description)
{
	struct gm_buffer text = GM_BUFFER_INIT(1 << 20);
	struct gm_json *body = NULL;

	/* A copy by way of its text: the found one is borrowed. */
	if (gm_json_write(found, 0, &text) == 0 && text.data)
		gm_json_parse(text.data, text.length, &body, NULL);
	gm_buffer_free(&text);
	gm_json_set_text(body, "state", state);
	gm_json_set_text(body, "severity", severity);
	gm_json_set_text(body, "description", description);
	return body;
}

void gm_aodh_escape(struct gm_buffer *url, const char *text)
{
	for (; *text; text++) {
		bool plain = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
			     (*text >= 'A' && *text <= 'Z') || strchr("-._~", *text);

		gm_buffer_printf(url, plain ? "%c" : "%%%02X", (unsigned char)*text);
	}
}
