/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form `template`: an operator's text with what the alarm knows put into it; see format.h. Whatever
 * is put in is escaped, names of guests most of all; only {json}, the whole message, goes in as it is.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/template.h"
#include "north/message.h"
#include "north/webhook/format.h"

/* In the order of `names` below. Behind them come the names of evidence. */
enum {
	NODE,
	KEY,
	SEQUENCE,
	STATE,
	ALARM,
	SEVERITY,
	EVENT_TYPE,
	PROBABLE_CAUSE,
	ENTITY,
	GUEST,
	GUEST_UUID,
	PROJECT,
	DETECTOR,
	METRIC,
	RULE,
	TEXT,
	RAISED,
	FOUND,
	JOURNALLED,
	SENT,
	JSON,
	EVIDENCE,
};

static const char *const names[] = {
	[NODE] = "node",
	[KEY] = "key",
	[SEQUENCE] = "sequence",
	[STATE] = "state",
	[ALARM] = "alarm",
	[SEVERITY] = "severity",
	[EVENT_TYPE] = "event_type",
	[PROBABLE_CAUSE] = "probable_cause",
	[ENTITY] = "entity",
	[GUEST] = "guest",
	[GUEST_UUID] = "guest_uuid",
	[PROJECT] = "project",
	[DETECTOR] = "detector",
	[METRIC] = "metric",
	[RULE] = "rule",
	[TEXT] = "text",
	[RAISED] = "raised",
	[FOUND] = "found",
	[JOURNALLED] = "journalled",
	[SENT] = "sent",
	[JSON] = "json",
#define GM_EVIDENCE(id, name, unit, help) [EVIDENCE + GM_EVIDENCE_##id] = name,
#include "model/evidence.def"
#undef GM_EVIDENCE
	[EVIDENCE + GM_EVIDENCE_COUNT] = NULL,
};

const char *const gm_webhook_escape_names[] = {"json", "xml", "url", "text", NULL};

struct filling {
	const struct gm_webhook_context *context;
	const struct gm_message *message;
};

static void escape_json(const char *text, struct gm_buffer *out)
{
	struct gm_json *value = gm_json_text(text);
	struct gm_buffer quoted = GM_BUFFER_INIT(GM_MESSAGE_MAX);

	if (gm_json_write(value, 0, &quoted) == 0)
		gm_buffer_append(out, quoted.data + 1, quoted.length - 2);
	gm_buffer_free(&quoted);
	gm_json_free(value);
}

static void escape_xml(const char *text, struct gm_buffer *out)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<':
			gm_buffer_printf(out, "&lt;");
			break;
		case '>':
			gm_buffer_printf(out, "&gt;");
			break;
		case '&':
			gm_buffer_printf(out, "&amp;");
			break;
		case '"':
			gm_buffer_printf(out, "&quot;");
			break;
		case '\'':
			gm_buffer_printf(out, "&#39;");
			break;
		default:
			if ((unsigned char)*text >= 0x20)
				gm_buffer_append(out, text, 1);
			break;
		}
	}
}

static void escape_url(const char *text, struct gm_buffer *out)
{
	for (; *text != '\0'; text++) {
		bool plain = isalnum((unsigned char)*text) || strchr("-._~", *text);
		gm_buffer_printf(out, plain ? "%c" : "%%%02X", (unsigned char)*text);
	}
}

static void escape_text(const char *text, struct gm_buffer *out)
{
	char quoted[4 * GM_ALARM_TEXT + 4];
	size_t length = gm_text_quote(quoted, sizeof(quoted), text);

	gm_buffer_append(out, quoted + 1, length - 2);
}

static void put_text(const struct filling *filling, const char *text, struct gm_buffer *out)
{
	static void (*const escapes[])(const char *text, struct gm_buffer *out) = {
		[GM_WEBHOOK_ESCAPE_JSON] = escape_json,
		[GM_WEBHOOK_ESCAPE_XML] = escape_xml,
		[GM_WEBHOOK_ESCAPE_URL] = escape_url,
		[GM_WEBHOOK_ESCAPE_TEXT] = escape_text,
	};
	char clean[3 * GM_ALARM_TEXT];

	gm_text_copy(clean, sizeof(clean), text);
	escapes[filling->context->escape](clean, out);
}

static void put_time(const struct filling *filling, int64_t time, struct gm_buffer *out)
{
	char text[GM_TIME_TEXT] = "";

	if (time > 0)
		gm_time_format(time, text, sizeof(text));
	put_text(filling, text, out);
}

/* Those that are not text in the alarm already. False: it is. */
static bool put_made(const struct filling *filling, size_t name, struct gm_buffer *out)
{
	const struct gm_transition *transition = filling->message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	char text[GM_KEY_TEXT] = "";

	switch (name) {
	case SEQUENCE:
		gm_buffer_printf(out, "%llu", (unsigned long long)transition->sequence);
		return true;
	case ALARM:
		gm_buffer_printf(out, "%u", alarm->id);
		return true;
	case ENTITY:
		put_text(filling, gm_entity_text(&alarm->key, text), out);
		return true;
	case GUEST_UUID:
		put_text(filling, gm_alarm_has_guest(alarm) ? gm_uuid_text(alarm->guest, text) : "",
			 out);
		return true;
	case RAISED:
		put_time(filling, alarm->raised_at, out);
		return true;
	case FOUND:
		put_time(filling, transition->time, out);
		return true;
	case JOURNALLED:
		put_time(filling, transition->journalled_at, out);
		return true;
	case SENT:
		put_time(filling, filling->message->sent_at, out);
		return true;
	case JSON:
		if (gm_message_write(filling->message, out) < 0)
			out->failed = true;
		return true;
	default:
		return false;
	}
}

static const char *text_of(const struct gm_message *message, size_t name)
{
	const struct gm_alarm *alarm = &message->transition->alarm;

	switch (name) {
	case NODE:
		return message->node;
	case KEY:
		return message->key;
	case STATE:
		return gm_transition_name(message->transition->kind);
	case SEVERITY:
		return gm_severity_name(alarm->severity);
	case EVENT_TYPE:
		return gm_event_type_name(alarm->event_type);
	case PROBABLE_CAUSE:
		return gm_cause_name(alarm->cause);
	case GUEST:
		return alarm->guest_name;
	case PROJECT:
		return alarm->project;
	case DETECTOR:
		return alarm->detector;
	case METRIC:
		return alarm->metric;
	case RULE:
		return alarm->rule;
	default:
		return alarm->text;
	}
}

/* A number of the evidence; what is not known is null in JSON and nothing elsewhere. */
static void put_number(const struct filling *filling, enum gm_evidence_id id, struct gm_buffer *out)
{
	const struct gm_evidence *evidence = &filling->message->transition->alarm.evidence;

	if (gm_evidence_has(evidence, id))
		gm_buffer_printf(out, "%.16g", evidence->number[id]);
	else if (filling->context->escape == GM_WEBHOOK_ESCAPE_JSON)
		gm_buffer_printf(out, "null");
}

static void put(void *user, size_t name, struct gm_buffer *out)
{
	const struct filling *filling = user;

	if (name >= EVIDENCE)
		put_number(filling, (enum gm_evidence_id)(name - EVIDENCE), out);
	else if (!put_made(filling, name, out))
		put_text(filling, text_of(filling->message, name), out);
}

int gm_webhook_template_check(const char *text, struct gm_error *err)
{
	struct gm_error why;
	size_t at = 0, line = 1;

	if (gm_template_check(text, names, &at, &why) == 0)
		return 0;
	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return gm_error_set(err, -EINVAL, "line %zu: %s", line, why.text);
}

int gm_webhook_template(const struct gm_webhook_context *context, const struct gm_message *message,
			struct gm_buffer *body)
{
	struct filling filling = {context, message};

	gm_template_expand(context->template, names, body, put, &filling);
	return body->failed ? -ENOMEM : 0;
}
