/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people say of an alarm, and what silences it: acknowledgement (3GPP TS 32.111-2, ackState),
 * comments, suppression. Each is told as a change of the alarm.
 */
#include <errno.h>
#include <string.h>

#include "alarm/private.h"
#include "base/text.h"

static struct gm_alarm_entry *find_id(struct gm_alarms *alarms, uint32_t id, struct gm_error *err)
{
	struct gm_alarm_entry *entry;

	DL_FOREACH (alarms->raised, entry) {
		if (entry->alarm.id == id)
			return entry;
	}
	gm_error_set(err, -ENOENT, "there is no active alarm %u", id);
	return NULL;
}

static int check_comment(const struct gm_alarm_note *note, struct gm_error *err)
{
	if (note->text && strlen(note->text) >= GM_COMMENT)
		return gm_error_set(err, -EINVAL, "a comment has at most %d bytes", GM_COMMENT - 1);
	return 0;
}

static void add_comment(struct gm_alarm *alarm, const struct gm_alarm_note *note)
{
	if (!note->text || note->text[0] == '\0')
		return;
	alarm->comments++;
	alarm->commented_at = note->time;
	gm_text_copy(alarm->commented_by, sizeof(alarm->commented_by), note->author);
	gm_text_copy(alarm->comment, sizeof(alarm->comment), note->text);
}

static void tell(struct gm_alarms *alarms, struct gm_alarm_entry *entry, enum gm_alarm_news news,
		 int64_t time)
{
	if (time < entry->alarm.changed_at)
		time = entry->alarm.changed_at;
	entry->alarm.changed_at = time;
	gm_alarm_emit(alarms, entry, GM_TRANSITION_CHANGE, news, time);
}

int gm_alarms_acknowledge(struct gm_alarms *alarms, uint32_t id, const struct gm_alarm_note *note,
			  struct gm_error *err)
{
	struct gm_alarm_entry *entry = find_id(alarms, id, err);

	if (!entry)
		return -ENOENT;
	if (check_comment(note, err) < 0)
		return -EINVAL;
	if (entry->alarm.acknowledged_at != 0)
		return gm_error_set(err, -EALREADY, "alarm %u is acknowledged already", id);
	entry->alarm.acknowledged_at = note->time;
	gm_text_copy(entry->alarm.acknowledged_by, sizeof(entry->alarm.acknowledged_by),
		     note->author);
	add_comment(&entry->alarm, note);
	if (entry->state == GM_ALARM_LATCHED)
		gm_alarm_step(alarms, entry, GM_ALARM_TAKEN, NULL, note->time);
	else
		tell(alarms, entry, GM_NEWS_ACKNOWLEDGED, note->time);
	return 0;
}

int gm_alarms_unacknowledge(struct gm_alarms *alarms, uint32_t id, const struct gm_alarm_note *note,
			    struct gm_error *err)
{
	struct gm_alarm_entry *entry = find_id(alarms, id, err);

	if (!entry)
		return -ENOENT;
	if (check_comment(note, err) < 0)
		return -EINVAL;
	if (entry->alarm.acknowledged_at == 0)
		return gm_error_set(err, -EALREADY, "alarm %u is not acknowledged", id);
	entry->alarm.acknowledged_at = 0;
	memset(entry->alarm.acknowledged_by, 0, sizeof(entry->alarm.acknowledged_by));
	add_comment(&entry->alarm, note);
	tell(alarms, entry, GM_NEWS_UNACKNOWLEDGED, note->time);
	return 0;
}

int gm_alarms_comment(struct gm_alarms *alarms, uint32_t id, const struct gm_alarm_note *note,
		      struct gm_error *err)
{
	struct gm_alarm_entry *entry = find_id(alarms, id, err);

	if (!entry)
		return -ENOENT;
	if (!note->text || note->text[0] == '\0')
		return gm_error_set(err, -EINVAL, "a comment has a text");
	if (check_comment(note, err) < 0)
		return -EINVAL;
	add_comment(&entry->alarm, note);
	tell(alarms, entry, GM_NEWS_COMMENTED, note->time);
	return 0;
}

/* ---- suppression ---- */

static void reassess(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now)
{
	struct gm_alarm *alarm = &entry->alarm;
	enum gm_suppression before = alarm->suppressed;

	/* It began while its guest's number could not be had. */
	if (alarm->guest_index == 0 && gm_alarm_has_guest(alarm) && alarms->sink.describe)
		alarms->sink.describe(alarms->sink.user, alarm);
	int found = alarms->judge.suppression(alarms->judge.user, alarm);
	if (found < 0 || found == (int)before)
		return;
	alarm->suppressed = (enum gm_suppression)found;
	if (gm_alarm_is_raised(entry->state)) {
		tell(alarms, entry,
		     alarm->suppressed == GM_SUPPRESSION_NONE ? GM_NEWS_RELEASED
							      : GM_NEWS_SUPPRESSED,
		     now);
		return;
	}
	if (alarm->suppressed != GM_SUPPRESSION_NONE) {
		gm_alarm_step(alarms, entry, GM_ALARM_SHUT, NULL, now);
		return;
	}
	/* Nobody looked at a guest that was suspended, or elsewhere: what was known of it is old. */
	entry->unconfirmed =
		before == GM_SUPPRESSION_SUSPENDED || before == GM_SUPPRESSION_MIGRATING;
	if (entry->open_at < now)
		entry->open_at = now;
}

void gm_alarms_reassess(struct gm_alarms *alarms, int64_t now)
{
	struct gm_alarm_entry *entry, *next;

	if (!alarms->judge.suppression)
		return;
	DL_FOREACH_SAFE(alarms->raised, entry, next)
	{
		reassess(alarms, entry, now);
	}
	DL_FOREACH_SAFE(alarms->waiting, entry, next)
	{
		reassess(alarms, entry, now);
	}
	DL_FOREACH_SAFE(alarms->crowded, entry, next)
	{
		reassess(alarms, entry, now);
	}
}
