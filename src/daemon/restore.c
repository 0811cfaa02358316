/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's alarms and those of the state; see restore.h. Called by pipeline.c and pipeline_life.c.
 */
#include "daemon/restore.h"

#include <stdlib.h>
#include <string.h>

#include "alarm/text.h"
#include "base/log.h"

/* ---- at the start ---- */

struct restoring {
	struct gm_alarms *alarms;
	struct gm_outputalarms *outputs;
};

static void restore_one(void *user, const struct gm_alarm *alarm)
{
	struct restoring *restoring = user;
	gm_outputalarms_adopt(restoring->outputs, alarm);
	int result = gm_alarms_restore(restoring->alarms, alarm);
	if (result < 0)
		gm_log(GM_LOG_ERROR, "alarm %u is not restored: %s", alarm->id, strerror(-result));
}

int gm_restore_alarms(struct gm_state *state, struct gm_alarms *alarms, struct gm_outlet *outlet,
		      struct gm_outputalarms *outputs, struct gm_error *err)
{
	struct restoring restoring = {alarms, outputs};
	gm_outlet_begin(outlet); /* while alarms are read the state takes no other call */
	int skipped = gm_state_active(state, restore_one, &restoring);
	gm_outlet_end(outlet);
	if (skipped > 0)
		gm_log(GM_LOG_ERROR, "%d records of active alarms could not be read", skipped);
	return skipped < 0 ? gm_error_set(err, skipped, "the active alarms cannot be read") : 0;
}

/* ---- after a loss ---- */

struct comparing {
	size_t count;
	struct gm_alarm *list; /* the engine's, by id */
	struct record {
		bool known, changed;              /* the state has it; otherwise than it is */
		enum gm_severity severity, worst; /* as it was last journalled */
	} * records;                              /* of each */
	size_t over_count, over_room;
	struct gm_alarm *over; /* the state's alone */
	bool failed;           /* out of memory */
};

static int by_id(const void *a, const void *b)
{
	const struct gm_alarm *one = a, *other = b;
	return (one->id > other->id) - (one->id < other->id);
}

/*
 * By what is told; evidence and text are kept up to date without that, and what becomes of one that is suppressed
 * is told when it is released.
 */
static bool is_told(const struct gm_alarm *alarm, const struct gm_alarm *record)
{
	if (alarm->suppressed != record->suppressed || alarm->comments != record->comments ||
	    alarm->correlation != record->correlation)
		return false;
	return alarm->suppressed ||
	       (alarm->changed_at == record->changed_at && alarm->severity == record->severity &&
		alarm->acknowledged_at == record->acknowledged_at &&
		alarm->ended_at == record->ended_at);
}

static void note_over(struct comparing *comparing, const struct gm_alarm *record)
{
	if (comparing->over_count == comparing->over_room) {
		size_t room = comparing->over_room > 0 ? 2 * comparing->over_room : 16;
		struct gm_alarm *larger = realloc(comparing->over, room * sizeof(*larger));
		if (!larger) {
			comparing->failed = true;
			return;
		}
		comparing->over = larger;
		comparing->over_room = room;
	}
	comparing->over[comparing->over_count++] = *record;
}

static void compare(void *user, const struct gm_alarm *record)
{
	struct comparing *comparing = user;
	const struct gm_alarm *alarm =
		bsearch(record, comparing->list, comparing->count, sizeof(*comparing->list), by_id);
	if (!alarm) {
		note_over(comparing, record);
		return;
	}
	comparing->records[alarm - comparing->list] = (struct record){
		.known = true,
		.changed = !is_told(alarm, record),
		.severity = record->severity,
		.worst = record->worst,
	};
}

static int read_both(struct gm_state *state, const struct gm_alarms *alarms,
		     struct comparing *comparing)
{
	comparing->count = gm_alarms_active(alarms, NULL, 0);
	comparing->list = calloc(comparing->count + 1, sizeof(*comparing->list));
	comparing->records = calloc(comparing->count + 1, sizeof(*comparing->records));
	if (!comparing->list || !comparing->records)
		return -1;
	gm_alarms_active(alarms, comparing->list, comparing->count);
	int result = gm_state_active(state, compare, comparing);
	return result < 0 || comparing->failed ? -1 : 0;
}

/* `record`: what outputs were told before is what was journalled, whatever the engine has told since. */
static void tell(struct gm_outlet *outlet, enum gm_transition_kind kind,
		 const struct gm_alarm *alarm, const struct record *record, int64_t time)
{
	struct gm_transition transition = {.kind = kind, .time = time, .alarm = *alarm};
	transition.alarm.news = GM_NEWS_CONDITION;
	transition.alarm.told_before = record->known ? record->severity : 0;
	transition.alarm.worst_before = record->known ? record->worst : 0;
	if (kind == GM_TRANSITION_CLEAR) {
		transition.alarm.cleared_at = transition.alarm.changed_at = time;
		gm_alarm_describe(&transition.alarm, "");
	}
	gm_outlet_transition(outlet, &transition);
}

/* Receivers that know alarms by what they are about have just been told that it is over. */
static bool is_anew(const struct comparing *comparing, const struct gm_alarm *alarm)
{
	for (size_t i = 0; i < comparing->over_count; i++) {
		if (gm_alarm_same(&comparing->over[i], alarm))
			return true;
	}
	return false;
}

/* What is over first: it may be there anew. Returns how many. */
static size_t tell_all(struct gm_outlet *outlet, const struct comparing *comparing, int64_t now)
{
	size_t told = comparing->over_count;
	gm_outlet_begin(outlet);
	for (size_t i = 0; i < comparing->over_count; i++) {
		const struct record record = {.known = true,
					      .severity = comparing->over[i].severity,
					      .worst = comparing->over[i].worst};
		tell(outlet, GM_TRANSITION_CLEAR, &comparing->over[i], &record, now);
	}
	for (size_t i = 0; i < comparing->count; i++) {
		const struct gm_alarm *alarm = &comparing->list[i];
		const struct record *record = &comparing->records[i];
		bool anew = is_anew(comparing, alarm);
		if (!record->known || anew)
			tell(outlet, GM_TRANSITION_RAISE, alarm, &(struct record){.known = false},
			     alarm->raised_at);
		else if (record->changed)
			tell(outlet, GM_TRANSITION_CHANGE, alarm, record, alarm->changed_at);
		told += !record->known || anew || record->changed;
	}
	gm_outlet_end(outlet);
	return told;
}

void gm_restore_journal(struct gm_state *state, const struct gm_alarms *alarms,
			struct gm_outlet *outlet, int64_t now)
{
	struct comparing comparing = {.count = 0};
	uint64_t owed = gm_outlet_owed(outlet);
	if (owed == 0 || gm_outlet_waits(outlet))
		return;
	if (read_both(state, alarms, &comparing) == 0) {
		size_t told = tell_all(outlet, &comparing, now);
		gm_log(GM_LOG_WARNING,
		       "%llu transitions were lost while the journal could not be written: %zu "
		       "alarms are told as they are now",
		       (unsigned long long)owed, told);
		gm_outlet_make_up(outlet, owed); /* what was lost of these is for the next time */
	}
	free(comparing.list);
	free(comparing.records);
	free(comparing.over);
}
