/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 5424; see message.h.
 */
#include "north/syslog/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "gm_version.h"
#include "north/message.h"

enum { HOSTNAME = 255, NUMBER_TEXT = 40, SEQUENCES = 2147483647 };

/* The prefix of private enterprise numbers, which RFC 5424 leaves out; and what there is without one. */
#define ENTERPRISES "1.3.6.1.4.1."
#define FALLBACK    "8072.9999.9999.7666"

const char *const gm_syslog_facility_names[] = {
	"kern",   "user",     "mail",   "daemon", "auth",   "syslog", "lpr",   "news",   "uucp",
	"cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock", "local0", "local1",
	"local2", "local3",   "local4", "local5", "local6", "local7", NULL,
};

int gm_syslog_severity(const struct gm_transition *transition)
{
	static const int severities[] = {
		[GM_SEVERITY_CLEARED] = 5,  [GM_SEVERITY_INDETERMINATE] = 5,
		[GM_SEVERITY_CRITICAL] = 1, [GM_SEVERITY_MAJOR] = 2,
		[GM_SEVERITY_MINOR] = 3,    [GM_SEVERITY_WARNING] = 4,
	};
	unsigned severity = (unsigned)transition->alarm.severity;

	if (gm_transition_is_over(transition) || severity < GM_SEVERITY_CLEARED ||
	    severity > GM_SEVERITY_WARNING)
		return 5;
	return severities[severity];
}

const char *gm_syslog_time(int64_t time, char text[GM_TIME_TEXT])
{
	return time > 0 ? gm_time_format(time, text, GM_TIME_TEXT) : "";
}

void gm_syslog_evidence(const struct gm_evidence *evidence, struct gm_buffer *buffer,
			void (*put)(struct gm_buffer *buffer, const char *name, const char *value))
{
	char text[NUMBER_TEXT];

	for (int id = 0; id < GM_EVIDENCE_COUNT; id++) {
		if (!gm_evidence_has(evidence, (enum gm_evidence_id)id))
			continue;
		snprintf(text, sizeof(text), "%.16g", evidence->number[id]);
		put(buffer, gm_evidence_name((enum gm_evidence_id)id), text);
	}
	put(buffer, "direction", evidence->direction);
	put(buffer, "contributors", evidence->contributors);
	put(buffer, "origin", evidence->origin);
}

/* HOSTNAME: 1 to 255 visible ASCII characters. */
static void put_hostname(const char *node, struct gm_buffer *buffer)
{
	size_t count = 0;

	for (; *node != '\0' && count < HOSTNAME; node++, count++) {
		bool visible = (unsigned char)*node > 0x20 && (unsigned char)*node < 0x7F;
		gm_buffer_append(buffer, visible ? node : "_", 1);
	}
	if (count == 0)
		gm_buffer_append(buffer, "-", 1);
}

/*
 * ` NAME="VALUE"`. gm_text_quote() escapes as RFC 5424 wants it but for the closing bracket; control
 * characters become \n and the like, where the RFC takes the backslash for itself.
 */
static void put(struct gm_buffer *buffer, const char *name, const char *value)
{
	char quoted[4 * GM_ALARM_TEXT + 4];

	if (value[0] == '\0')
		return;
	gm_text_quote(quoted, sizeof(quoted), value);
	gm_buffer_printf(buffer, " %s=", name);
	for (const char *at = quoted; *at != '\0';) {
		size_t plain = strcspn(at, "]");
		gm_buffer_append(buffer, at, plain);
		at += plain;
		if (*at == ']') {
			gm_buffer_append(buffer, "\\]", 2);
			at++;
		}
	}
}

static void put_number(struct gm_buffer *buffer, const char *name, uint64_t number)
{
	gm_buffer_printf(buffer, " %s=\"%llu\"", name, (unsigned long long)number);
}

/* RFC 5674, 3: the perceived severity of what is over is "cleared". */
static void put_alarm(struct gm_buffer *buffer, const struct gm_transition *transition)
{
	const struct gm_alarm *alarm = &transition->alarm;
	char entity[GM_KEY_TEXT];
	bool over = gm_transition_is_over(transition);

	gm_buffer_printf(buffer, "[alarm");
	put(buffer, "resource", gm_entity_text(&alarm->key, entity));
	put(buffer, "probableCause", gm_cause_name(alarm->cause));
	put(buffer, "perceivedSeverity", over ? "cleared" : gm_severity_name(alarm->severity));
	put(buffer, "eventType", gm_event_type_name(alarm->event_type));
	gm_buffer_printf(buffer, "]");
}

static void put_own(struct gm_buffer *buffer, const struct gm_message *message)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	char uuid[GM_UUID_TEXT], time[GM_TIME_TEXT];

	const char *root = GM_OID_ROOT_TEXT;
	bool enterprise = strncmp(root, ENTERPRISES, strlen(ENTERPRISES)) == 0;

	gm_buffer_printf(buffer, "[guestmon@%s",
			 enterprise ? root + strlen(ENTERPRISES) : FALLBACK);
	put(buffer, "key", message->key);
	put(buffer, "state", gm_transition_name(transition->kind));
	put_number(buffer, "alarm", alarm->id);
	put(buffer, "severity", gm_severity_name(alarm->severity));
	put(buffer, "detector", alarm->detector);
	put(buffer, "metric", alarm->metric);
	put(buffer, "rule", alarm->rule);
	put(buffer, "guest", alarm->guest_name);
	if (gm_alarm_has_guest(alarm))
		put(buffer, "guestUuid", gm_uuid_text(alarm->guest, uuid));
	put(buffer, "project", alarm->project);
	put(buffer, "raised", gm_syslog_time(alarm->raised_at, time));
	put(buffer, "journalled", gm_syslog_time(transition->journalled_at, time));
	put(buffer, "sent", gm_syslog_time(message->sent_at, time));
	gm_syslog_evidence(&alarm->evidence, buffer, put);
	gm_buffer_printf(buffer, "]");
}

/* With the byte order mark that RFC 5424, 6.4 wants before UTF-8; plain ASCII needs none. */
static void put_text(struct gm_buffer *buffer, const char *text)
{
	char quoted[4 * GM_ALARM_TEXT + 4];
	size_t length = gm_text_quote(quoted, sizeof(quoted), text);
	bool ascii = true;

	/* The text's own quotes were made by us: they need no second escape. */
	for (const char *at = quoted; *at != '\0'; at++)
		ascii = ascii && (unsigned char)*at < 0x80;
	if (!ascii)
		gm_buffer_append(buffer, "\xEF\xBB\xBF", 3);
	for (size_t i = 1; i + 1 < length; i++) {
		i += quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\');
		gm_buffer_append(buffer, quoted + i, 1);
	}
}

int gm_syslog_write(int facility, const struct gm_message *message, struct gm_buffer *buffer)
{
	static const char *const ids[] = {"RAISE", "CHANGE", "CLEAR"};
	const struct gm_transition *transition = message->transition;
	char time[GM_TIME_TEXT];

	gm_buffer_printf(buffer, "<%d>1 %s ", 8 * facility + gm_syslog_severity(transition),
			 gm_time_format(transition->time, time, sizeof(time)));
	put_hostname(message->node, buffer);
	gm_buffer_printf(buffer, " guestmond %d %s ", (int)getpid(), ids[transition->kind]);
	put_alarm(buffer, transition);
	gm_buffer_printf(buffer, "[meta");
	put_number(buffer, "sequenceId", transition->sequence % SEQUENCES);
	gm_buffer_printf(buffer, "][origin software=\"guestmon\" swVersion=\"%s\"]", GM_VERSION);
	put_own(buffer, message);
	gm_buffer_append(buffer, " ", 1);
	put_text(buffer, transition->alarm.text);
	return buffer->failed ? -ENOMEM : 0;
}
