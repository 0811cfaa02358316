/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of forms, and the two that are hardly more than the message itself; see format.h.
 */
#include "north/webhook/format.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "north/message.h"

enum { SOURCE_MAX = 4 * GM_NAME_SIZE, TYPE_MAX = 64, SEQUENCE_TEXT = 24 };

static int json(const struct gm_webhook_context *context, const struct gm_message *message,
		struct gm_buffer *body)
{
	(void)context;
	return gm_message_write(message, body);
}

/* A URI reference: what is not unreserved (RFC 3986, 2.3) becomes %XX. */
static void source_of(const char *node, char text[SOURCE_MAX])
{
	size_t used = (size_t)snprintf(text, SOURCE_MAX, "/guestmon/");

	for (; *node != '\0' && used + 4 < SOURCE_MAX; node++) {
		bool plain = isalnum((unsigned char)*node) || strchr("-._~", *node);
		used += (size_t)snprintf(text + used, SOURCE_MAX - used, plain ? "%c" : "%%%02X",
					 (unsigned char)*node);
	}
}

/* CloudEvents 1.0.2 in the structured content mode; `sequence` is an extension (CloudEvents' own). */
static int cloudevents(const struct gm_webhook_context *context, const struct gm_message *message,
		       struct gm_buffer *body)
{
	const struct gm_transition *transition = message->transition;
	char source[SOURCE_MAX], type[TYPE_MAX], sequence[SEQUENCE_TEXT], time[GM_TIME_TEXT],
		entity[GM_KEY_TEXT];
	struct gm_json *object = gm_json_object();

	(void)context;
	source_of(message->node, source);
	snprintf(type, sizeof(type), "guestmon.alarm.%s", gm_transition_name(transition->kind));
	snprintf(sequence, sizeof(sequence), "%020llu", (unsigned long long)transition->sequence);
	gm_json_set_text(object, "specversion", "1.0");
	gm_json_set_text(object, "id", message->key);
	gm_json_set_text(object, "source", source);
	gm_json_set_text(object, "type", type);
	gm_json_set_text(object, "subject", gm_entity_text(&transition->alarm.key, entity));
	gm_json_set_text(object, "time", gm_time_format(transition->time, time, sizeof(time)));
	gm_json_set_text(object, "sequence", sequence);
	gm_json_set_text(object, "datacontenttype", "application/json");
	gm_json_set(object, "data", gm_message_to_json(message));
	int result = gm_json_write(object, 0, body);
	gm_json_free(object);
	return result;
}

const struct gm_webhook_format gm_webhook_formats[GM_WEBHOOK_FORMATS] = {
	[GM_WEBHOOK_ALERTMANAGER] = {"alertmanager", "application/json", gm_webhook_alertmanager},
	[GM_WEBHOOK_ALERTMANAGER_WEBHOOK] = {"alertmanager-webhook", "application/json",
					     gm_webhook_alertmanager_webhook},
	[GM_WEBHOOK_CLOUDEVENTS] = {"cloudevents", "application/cloudevents+json", cloudevents},
	[GM_WEBHOOK_JSON] = {"json", "application/json", json},
	[GM_WEBHOOK_TEMPLATE] = {"template", "application/json", gm_webhook_template},
	[GM_WEBHOOK_VES] = {"ves", "application/json", gm_webhook_ves},
};

const char *const gm_webhook_format_names[] = {
	"alertmanager", "alertmanager-webhook", "cloudevents", "json", "template", "ves", NULL,
};
