/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alarm as an entry of the journal, in the native protocol of systemd-journald: a datagram of
 * "FIELD=value" lines, or the field, a line end, the length in eight bytes and the value where that holds
 * line ends (systemd's documentation, "Native Journal Protocol").
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "north/message.h"
#include "north/syslog/message.h"

enum { FIELD = 64 };

/* `journalctl MESSAGE_ID=…` finds all alarms' raises, changes, clears. */
static const char *const message_ids[] = {
	"6f2a4c4ad1d84b6fb0f3a5c8d1e75a01",
	"6f2a4c4ad1d84b6fb0f3a5c8d1e75a02",
	"6f2a4c4ad1d84b6fb0f3a5c8d1e75a03",
};

static void put(struct gm_buffer *buffer, const char *field, const char *value)
{
	size_t length = strlen(value);

	if (length == 0)
		return;
	if (!strchr(value, '\n')) {
		gm_buffer_printf(buffer, "%s=%s\n", field, value);
		return;
	}
	unsigned char size[8];
	for (size_t i = 0; i < sizeof(size); i++)
		size[i] = (unsigned char)((uint64_t)length >> 8 * i); /* least octet first */
	gm_buffer_printf(buffer, "%s\n", field);
	gm_buffer_append(buffer, size, sizeof(size));
	gm_buffer_append(buffer, value, length);
	gm_buffer_append(buffer, "\n", 1);
}

static void put_number(struct gm_buffer *buffer, const char *field, uint64_t number)
{
	gm_buffer_printf(buffer, "%s=%llu\n", field, (unsigned long long)number);
}

/* GUESTMON_SLOPE_BYTES_PER_S=… */
static void put_evidence(struct gm_buffer *buffer, const char *name, const char *value)
{
	char field[FIELD];

	snprintf(field, sizeof(field), "GUESTMON_%s", name);
	for (char *at = field; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	put(buffer, field, value);
}

int gm_journal_write(int facility, const struct gm_message *message, struct gm_buffer *buffer)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	char uuid[GM_UUID_TEXT], entity[GM_KEY_TEXT], time[GM_TIME_TEXT];

	put(buffer, "MESSAGE", alarm->text);
	put(buffer, "MESSAGE_ID", message_ids[transition->kind]);
	put_number(buffer, "PRIORITY", (uint64_t)gm_syslog_severity(transition));
	put_number(buffer, "SYSLOG_FACILITY", (uint64_t)facility);
	put(buffer, "SYSLOG_IDENTIFIER", "guestmond");
	put(buffer, "GUESTMON_NODE", message->node);
	put(buffer, "GUESTMON_KEY", message->key);
	put_number(buffer, "GUESTMON_SEQUENCE", transition->sequence);
	put(buffer, "GUESTMON_STATE", gm_transition_name(transition->kind));
	put_number(buffer, "GUESTMON_ALARM", alarm->id);
	put(buffer, "GUESTMON_SEVERITY", gm_severity_name(alarm->severity));
	put(buffer, "GUESTMON_EVENT_TYPE", gm_event_type_name(alarm->event_type));
	put(buffer, "GUESTMON_PROBABLE_CAUSE", gm_cause_name(alarm->cause));
	put(buffer, "GUESTMON_ENTITY", gm_entity_text(&alarm->key, entity));
	put(buffer, "GUESTMON_DETECTOR", alarm->detector);
	put(buffer, "GUESTMON_METRIC", alarm->metric);
	put(buffer, "GUESTMON_RULE", alarm->rule);
	put(buffer, "GUESTMON_GUEST", alarm->guest_name);
	if (gm_alarm_has_guest(alarm))
		put(buffer, "GUESTMON_GUEST_UUID", gm_uuid_text(alarm->guest, uuid));
	put(buffer, "GUESTMON_PROJECT", alarm->project);
	put(buffer, "GUESTMON_RAISED", gm_syslog_time(alarm->raised_at, time));
	put(buffer, "GUESTMON_FOUND", gm_syslog_time(transition->time, time));
	put(buffer, "GUESTMON_JOURNALLED", gm_syslog_time(transition->journalled_at, time));
	put(buffer, "GUESTMON_SENT", gm_syslog_time(message->sent_at, time));
	gm_syslog_evidence(&alarm->evidence, buffer, put_evidence);
	return buffer->failed ? -ENOMEM : 0;
}
