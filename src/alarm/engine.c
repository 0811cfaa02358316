/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine of alarms; see engine.h for its table in words. It knows no detector, no clock
 * and no output: the pipeline and replay feed it.
 */
#include "alarm/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/private.h"
#include "alarm/text.h"
#include "base/clock.h"

#define SWEEP (10 * GM_SECOND) /* between two looks at what is only remembered */

enum action {
	DO_NOTHING,
	DO_BEGIN, /* a condition is new */
	DO_KEEP,  /* its newest figures, to be raised */
	DO_CROWD, /* counted as held back */
	DO_SHUT, /* no longer by the limit: counted as over, and anew when it comes to that again */
	DO_DROP, /* over before it was raised */
	DO_RAISE,
	DO_CHANGE, /* told where it is worth it */
	DO_RETURN, /* told in any case */
	DO_HOLD,
	DO_STICK, /* latched: the condition is over, the alarm stays */
	DO_CLEAR,
};

struct step {
	enum gm_alarm_state to;
	enum action action;
};

/* An event that is not listed changes nothing. */
#define STEP(state, what)              \
	{                              \
		GM_ALARM_##state, what \
	}
static const struct step steps[GM_ALARM_STATES][GM_ALARM_EVENTS] =
	{
		[GM_ALARM_NONE] = {[GM_ALARM_ON] = STEP(WAITING, DO_BEGIN)},
		[GM_ALARM_WAITING] =
			{
				[GM_ALARM_ON] = STEP(WAITING, DO_KEEP),
				[GM_ALARM_OPEN] = STEP(ACTIVE, DO_RAISE),
				[GM_ALARM_FULL] = STEP(CROWDED, DO_CROWD),
				[GM_ALARM_OK] = STEP(NONE, DO_DROP),
				[GM_ALARM_GONE] = STEP(NONE, DO_DROP),
			},
		[GM_ALARM_CROWDED] =
			{
				[GM_ALARM_ON] = STEP(CROWDED, DO_KEEP),
				[GM_ALARM_OPEN] = STEP(ACTIVE, DO_RAISE),
				[GM_ALARM_SHUT] = STEP(WAITING, DO_SHUT),
				[GM_ALARM_OK] = STEP(NONE, DO_DROP),
				[GM_ALARM_GONE] = STEP(NONE, DO_DROP),
			},
		[GM_ALARM_ACTIVE] =
			{
				[GM_ALARM_ON] = STEP(ACTIVE, DO_CHANGE),
				[GM_ALARM_OK] = STEP(HOLDING, DO_HOLD),
				[GM_ALARM_GONE] = STEP(NONE, DO_CLEAR),
			},
		[GM_ALARM_HOLDING] =
			{
				[GM_ALARM_ON] = STEP(ACTIVE, DO_CHANGE),
				[GM_ALARM_DUE] = STEP(NONE, DO_CLEAR),
				[GM_ALARM_STICK] = STEP(LATCHED, DO_STICK),
				[GM_ALARM_GONE] = STEP(NONE, DO_CLEAR),
			},
		[GM_ALARM_LATCHED] =
			{
				[GM_ALARM_ON] = STEP(ACTIVE, DO_RETURN),
				[GM_ALARM_TAKEN] = STEP(NONE, DO_CLEAR),
				[GM_ALARM_GONE] = STEP(NONE, DO_CLEAR),
			},
};

int gm_alarms_create(const struct gm_alarm_options *options, const struct gm_alarm_sink *sink,
		     struct gm_alarms **ret_alarms)
{
	struct gm_alarms *alarms = calloc(1, sizeof(*alarms));

	if (!alarms)
		return -ENOMEM;
	alarms->options = *options;
	alarms->sink = *sink;
	*ret_alarms = alarms;
	return 0;
}

void gm_alarms_free(struct gm_alarms *alarms)
{
	struct gm_alarm_entry *entry, *next;

	if (!alarms)
		return;
	HASH_ITER (hh, alarms->entries, entry, next)
		gm_alarm_remove_entry(alarms, entry);
	free(alarms);
}

void gm_alarms_configure(struct gm_alarms *alarms, const struct gm_alarm_options *options)
{
	struct gm_alarm_entry *entry, *next;

	alarms->options = *options;
	HASH_ITER (hh, alarms->entries, entry, next) {
		gm_alarm_settle(alarms, entry);
		gm_alarm_set_gates(entry);
	}
}

void gm_alarms_set_judge(struct gm_alarms *alarms, const struct gm_alarm_judge *judge)
{
	alarms->judge = *judge;
}

/* The smaller the number, the worse; what is indeterminate is not compared. */
static bool is_worse(enum gm_severity one, enum gm_severity other)
{
	return one >= GM_SEVERITY_CRITICAL && other >= GM_SEVERITY_CRITICAL && one < other;
}

/* What outputs judge a transition by. A severity that came while it was suppressed is not told yet. */
static void note_told(struct gm_alarm_entry *entry, enum gm_transition_kind kind)
{
	struct gm_alarm *alarm = &entry->alarm;
	enum gm_severity worst = alarm->worst != 0 ? alarm->worst : entry->told;
	bool raised = kind == GM_TRANSITION_RAISE;

	alarm->told_before = raised ? 0 : entry->told;
	alarm->worst_before = raised ? 0 : worst;
	alarm->worst = worst;
	if (raised || (kind == GM_TRANSITION_CHANGE && alarm->suppressed == GM_SUPPRESSION_NONE &&
		       (worst < GM_SEVERITY_CRITICAL || is_worse(alarm->severity, worst))))
		alarm->worst = alarm->severity;
	entry->told = alarm->severity;
}

void gm_alarm_emit(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		   enum gm_transition_kind kind, enum gm_alarm_news news, int64_t time)
{
	struct gm_transition transition = {.kind = kind, .time = time};

	entry->alarm.news = news;
	note_told(entry, kind);
	gm_alarm_describe(&entry->alarm, entry->message);
	transition.alarm = entry->alarm;
	alarms->sink.emit(alarms->sink.user, &transition);
}

static void take_figures(struct gm_alarm_entry *entry, const struct gm_finding *finding)
{
	entry->alarm.severity = finding->severity;
	entry->alarm.event_type = finding->event_type;
	entry->alarm.cause = finding->cause;
	entry->alarm.evidence = finding->evidence;
	memcpy(entry->message, finding->message, sizeof(entry->message));
	entry->unconfirmed = false;
}

static void do_begin(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		     const struct gm_finding *finding)
{
	struct gm_alarm *alarm = &entry->alarm;
	int suppression = GM_SUPPRESSION_NONE;

	*alarm = (struct gm_alarm){.key = entry->identity.key};
	memcpy(alarm->detector, entry->identity.detector, sizeof(alarm->detector));
	memcpy(alarm->metric, entry->identity.metric, sizeof(alarm->metric));
	memcpy(alarm->rule, entry->identity.rule, sizeof(alarm->rule));
	take_figures(entry, finding);
	entry->begun_at = finding->time;
	entry->crowded = false;
	/* Whoever waits for the raise may be gone by then. */
	if (alarms->sink.describe)
		alarms->sink.describe(alarms->sink.user, alarm);
	gm_alarm_settle(alarms, entry);
	gm_alarm_set_gates(entry);
	if (alarms->judge.suppression)
		suppression = alarms->judge.suppression(alarms->judge.user, alarm);
	if (suppression > 0)
		alarm->suppressed = (enum gm_suppression)suppression;
}

static void do_drop(struct gm_alarms *alarms, struct gm_alarm_entry *entry)
{
	if (entry->alarm.suppressed != GM_SUPPRESSION_NONE)
		alarms->counts.silenced++;
	else if (!entry->crowded)
		alarms->counts.soaked++;
	alarms->counts.limited_ended += entry->crowded;
}

static void do_crowd(struct gm_alarms *alarms, struct gm_alarm_entry *entry)
{
	alarms->counts.limited += !entry->crowded;
	entry->crowded = true;
}

static void do_shut(struct gm_alarms *alarms, struct gm_alarm_entry *entry)
{
	alarms->counts.limited_ended += entry->crowded;
	entry->crowded = false;
}

static void do_raise(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now)
{
	struct gm_alarm *alarm = &entry->alarm;

	alarms->counts.limited_raised += entry->crowded;
	alarm->id = alarms->sink.new_id(alarms->sink.user);
	alarm->raised_at = alarm->changed_at = now;
	if (alarms->sink.describe)
		alarms->sink.describe(alarms->sink.user, alarm);
	alarm->correlation = gm_alarm_correlate(alarms, alarm);
	gm_alarm_count_raise(alarms, entry, now);
	gm_alarm_move(alarms, entry, GM_ALARM_ACTIVE);
	gm_alarm_emit(alarms, entry, GM_TRANSITION_RAISE, GM_NEWS_CONDITION, now);
	if (alarm->key.kind == GM_ENTITY_NODE && strcmp(alarm->detector, GM_SELF_DETECTOR) != 0)
		gm_alarm_claim(alarms, entry);
}

static void do_change(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		      const struct gm_finding *finding, bool is_back, int64_t now)
{
	struct gm_alarm *alarm = &entry->alarm;
	bool told = is_back || finding->severity != alarm->severity ||
		    (finding->report && alarm->flaps == 0);

	/* What has grown worse is nobody's yet. */
	if (is_worse(finding->severity, alarm->severity)) {
		alarm->acknowledged_at = 0;
		memset(alarm->acknowledged_by, 0, sizeof(alarm->acknowledged_by));
	}
	take_figures(entry, finding);
	alarm->ended_at = 0;
	if (told && alarm->suppressed == GM_SUPPRESSION_NONE) {
		alarm->changed_at = now;
		gm_alarm_emit(alarms, entry, GM_TRANSITION_CHANGE, GM_NEWS_CONDITION, now);
	} else {
		gm_alarm_describe(alarm, entry->message);
	}
}

/* What the all-clear knows better (a burst's whole volume) replaces, the rest stays to be told. */
static void do_hold(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		    const struct gm_finding *finding, int64_t now)
{
	gm_alarm_settle(alarms, entry); /* more may be known of its guest by now */
	entry->held_since = now;
	for (int i = 0; i < GM_EVIDENCE_COUNT; i++) {
		if (gm_evidence_has(&finding->evidence, i))
			gm_evidence_set(&entry->alarm.evidence, i, finding->evidence.number[i]);
	}
}

static void do_stick(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now)
{
	entry->alarm.ended_at = entry->alarm.changed_at = now;
	gm_alarm_emit(alarms, entry, GM_TRANSITION_CHANGE, GM_NEWS_LATCHED, now);
}

static void do_clear(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		     enum gm_alarm_event event, int64_t now)
{
	enum gm_alarm_news news = event == GM_ALARM_TAKEN      ? GM_NEWS_ACKNOWLEDGED
				  : event == GM_ALARM_UNJUDGED ? GM_NEWS_DISABLED
							       : GM_NEWS_CONDITION;

	entry->alarm.cleared_at = entry->alarm.changed_at = entry->cleared_at = now;
	if (entry->alarm.flaps > 0)
		entry->raise_count = 0; /* it was calm: counted anew */
	gm_alarm_emit(alarms, entry, GM_TRANSITION_CLEAR, news, now);
}

static void act(struct gm_alarms *alarms, struct gm_alarm_entry *entry, enum action action,
		enum gm_alarm_event event, const struct gm_finding *finding, int64_t now)
{
	switch (action) {
	case DO_NOTHING:
		break;
	case DO_BEGIN:
		do_begin(alarms, entry, finding);
		break;
	case DO_KEEP:
		if (finding)
			take_figures(entry, finding);
		break;
	case DO_CROWD:
		do_crowd(alarms, entry);
		break;
	case DO_SHUT:
		do_shut(alarms, entry);
		break;
	case DO_DROP:
		do_drop(alarms, entry);
		break;
	case DO_RAISE:
		do_raise(alarms, entry, now);
		break;
	case DO_CHANGE:
	case DO_RETURN:
		do_change(alarms, entry, finding, action == DO_RETURN, now);
		break;
	case DO_HOLD:
		do_hold(alarms, entry, finding, now);
		break;
	case DO_STICK:
		do_stick(alarms, entry, now);
		break;
	case DO_CLEAR:
		do_clear(alarms, entry, event, now);
		break;
	}
}

void gm_alarm_step(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		   enum gm_alarm_event event, const struct gm_finding *finding, int64_t now)
{
	bool ended = event == GM_ALARM_GONE || event == GM_ALARM_UNJUDGED;
	const struct step *step = &steps[entry->state][ended ? GM_ALARM_GONE : event];

	/* An alarm's times never run backwards, even where findings come out of order. */
	if (now < entry->alarm.changed_at)
		now = entry->alarm.changed_at;
	if (step->action != DO_NOTHING) {
		/* Who is counted as flapping is back once more. */
		if (entry->state == GM_ALARM_HOLDING && event == GM_ALARM_ON &&
		    entry->alarm.flaps > 0)
			entry->alarm.flaps++;
		/* A raise has its id only now, and its place by that. */
		if (step->action != DO_RAISE)
			gm_alarm_move(alarms, entry, step->to);
		act(alarms, entry, step->action, event, finding, now);
	}
	if (entry->state == GM_ALARM_NONE && (ended || !gm_alarm_worth_keeping(entry, now)))
		gm_alarm_remove_entry(alarms, entry);
}

static int64_t hold_of(const struct gm_alarm_entry *entry)
{
	const struct gm_alarm_options *options = &entry->options;

	if (!options->damping)
		return 0;
	return entry->alarm.flaps > 0 && options->flap_calm > options->hold ? options->flap_calm
									    : options->hold;
}

/* Clears an alarm whose hold time was over by `now`, at the moment when it was. */
static void clear_if_due(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now)
{
	int64_t hold = hold_of(entry);
	bool sticks = entry->options.latch && entry->alarm.acknowledged_at == 0;

	/* The clock was set back: an alarm is not held for the length of the step. */
	if (now < entry->held_since)
		entry->held_since = now;
	if (now - entry->held_since >= hold)
		gm_alarm_step(alarms, entry, sticks ? GM_ALARM_STICK : GM_ALARM_DUE, NULL,
			      entry->held_since + hold);
}

/* What has become of that identity by `now`, since the last tick; NULL: nothing is known of it. */
static struct gm_alarm_entry *up_to_date(struct gm_alarms *alarms,
					 const struct gm_alarm_identity *identity, int64_t now)
{
	struct gm_alarm_entry *entry = gm_alarm_find_entry(alarms, identity);

	if (entry && entry->state == GM_ALARM_HOLDING)
		clear_if_due(alarms, entry, now);
	else if (entry && entry->state == GM_ALARM_WAITING)
		gm_alarm_try_gates(alarms, entry, now);
	return gm_alarm_find_entry(alarms, identity);
}

int gm_alarms_finding(struct gm_alarms *alarms, const struct gm_finding *finding)
{
	const struct gm_alarm_identity identity =
		gm_alarm_identity(&finding->key, finding->detector, finding->metric, finding->rule);
	struct gm_alarm_entry *entry = up_to_date(alarms, &identity, finding->time);
	int result = 0;

	if (!entry && finding->active)
		result = gm_alarm_add_entry(alarms, &identity, &entry);
	if (!entry)
		return result;
	gm_alarm_step(alarms, entry, finding->active ? GM_ALARM_ON : GM_ALARM_OK, finding,
		      finding->time);
	entry = gm_alarm_find_entry(alarms, &identity);
	/* Without hold time, and with open gates: at once. */
	if (entry && entry->state == GM_ALARM_HOLDING)
		clear_if_due(alarms, entry, finding->time);
	else if (entry && (entry->state == GM_ALARM_WAITING || entry->state == GM_ALARM_CROWDED))
		gm_alarm_try_gates(alarms, entry, finding->time);
	return 0;
}

static void sweep(struct gm_alarms *alarms, int64_t now)
{
	struct gm_alarm_entry *entry, *next;

	if (llabs(now - alarms->swept_at) < SWEEP)
		return;
	alarms->swept_at = now;
	DL_FOREACH_SAFE(alarms->idle, entry, next)
	{
		if (!gm_alarm_worth_keeping(entry, now))
			gm_alarm_remove_entry(alarms, entry);
	}
}

void gm_alarms_tick(struct gm_alarms *alarms, int64_t now)
{
	struct gm_alarm_entry *entry, *next;

	if (alarms->in_state[GM_ALARM_HOLDING] > 0) {
		DL_FOREACH_SAFE(alarms->raised, entry, next)
		{
			if (entry->state == GM_ALARM_HOLDING)
				clear_if_due(alarms, entry, now);
		}
	}
	DL_FOREACH_SAFE(alarms->waiting, entry, next)
	{
		gm_alarm_try_gates(alarms, entry, now);
	}
	while ((entry = alarms->crowded)) {
		gm_alarm_try_gates(alarms, entry, now);
		if (alarms->crowded == entry)
			break; /* no room yet */
	}
	sweep(alarms, now);
	gm_alarm_tell_storm(alarms, now);
}

void gm_alarms_gone_but(struct gm_alarms *alarms, const struct gm_entity_key *key,
			bool (*stays)(const struct gm_alarm *alarm), int64_t now)
{
	struct gm_alarm_entry *entry, *next;

	for (entry = gm_alarm_first_of(alarms, key); entry; entry = next) {
		next = entry->owner_next;
		if (!(stays && entry->state != GM_ALARM_NONE && stays(&entry->alarm)))
			gm_alarm_step(alarms, entry, GM_ALARM_GONE, NULL, now);
	}
}

void gm_alarms_gone(struct gm_alarms *alarms, const struct gm_entity_key *key, int64_t now)
{
	gm_alarms_gone_but(alarms, key, NULL, now);
}

void gm_alarms_disable(struct gm_alarms *alarms, const struct gm_alarm *alarm, int64_t now)
{
	const struct gm_alarm_identity identity =
		gm_alarm_identity(&alarm->key, alarm->detector, alarm->metric, alarm->rule);
	struct gm_alarm_entry *entry = gm_alarm_find_entry(alarms, &identity);

	if (entry)
		gm_alarm_step(alarms, entry, GM_ALARM_UNJUDGED, NULL, now);
}

size_t gm_alarms_drop(struct gm_alarms *alarms, int64_t now,
		      bool (*is_over)(void *user, const struct gm_alarm *alarm), void *user)
{
	struct gm_alarm_entry *lists[] = {alarms->waiting, alarms->crowded}, *entry, *next;
	size_t count = 0;

	for (size_t i = 0; i < 2; i++) {
		DL_FOREACH_SAFE(lists[i], entry, next)
		{
			if (!is_over(user, &entry->alarm))
				continue;
			gm_alarm_step(alarms, entry, GM_ALARM_GONE, NULL, now);
			count++;
		}
	}
	return count;
}

/* It was over by the time when the newer one was raised; when exactly nobody knows any more. */
static void supersede(struct gm_alarms *alarms, const struct gm_alarm *older,
		      const struct gm_alarm *newer)
{
	int64_t time = older->changed_at > newer->raised_at ? older->changed_at : newer->raised_at;
	struct gm_transition clear = {.kind = GM_TRANSITION_CLEAR, .time = time, .alarm = *older};
	struct gm_transition anew = {
		.kind = GM_TRANSITION_RAISE,
		.time = newer->changed_at > time ? newer->changed_at : time,
		.alarm = *newer,
	};

	clear.alarm.cleared_at = clear.alarm.changed_at = time;
	clear.alarm.news = anew.alarm.news = GM_NEWS_CONDITION;
	anew.alarm.told_before = anew.alarm.worst_before = 0;
	gm_alarm_describe(&clear.alarm, "");
	alarms->sink.emit(alarms->sink.user, &clear);
	alarms->sink.emit(alarms->sink.user, &anew);
}

int gm_alarms_restore(struct gm_alarms *alarms, const struct gm_alarm *alarm)
{
	const struct gm_alarm_identity identity =
		gm_alarm_identity(&alarm->key, alarm->detector, alarm->metric, alarm->rule);
	struct gm_alarm_entry *entry = gm_alarm_find_entry(alarms, &identity);

	if (entry && entry->alarm.id == alarm->id)
		return -EEXIST;
	if (entry && entry->alarm.id > alarm->id) {
		supersede(alarms, alarm, &entry->alarm);
		return 0;
	}
	if (entry) {
		supersede(alarms, &entry->alarm, alarm);
		gm_alarm_remove_entry(alarms, entry);
	}
	int result = gm_alarm_add_entry(alarms, &identity, &entry);
	if (result < 0)
		return result;
	entry->alarm = *alarm;
	entry->told = alarm->severity;
	entry->raises[entry->raise_count++] = alarm->raised_at;
	gm_alarm_settle(alarms, entry);
	gm_alarm_move(alarms, entry, alarm->ended_at != 0 ? GM_ALARM_LATCHED : GM_ALARM_ACTIVE);
	return 0;
}

size_t gm_alarms_active(const struct gm_alarms *alarms, struct gm_alarm *list, size_t max)
{
	const struct gm_alarm_entry *entry;
	size_t count = 0;

	DL_FOREACH (alarms->raised, entry) {
		if (count == max)
			break;
		list[count++] = entry->alarm;
	}
	return alarms->in_state[GM_ALARM_ACTIVE] + alarms->in_state[GM_ALARM_HOLDING] +
	       alarms->in_state[GM_ALARM_LATCHED];
}

const struct gm_alarm *gm_alarms_find(const struct gm_alarms *alarms,
				      const struct gm_entity_key *key, const char *detector,
				      const char *metric, const char *rule)
{
	const struct gm_alarm_identity identity = gm_alarm_identity(key, detector, metric, rule);
	const struct gm_alarm_entry *entry = gm_alarm_find_entry(alarms, &identity);

	return entry && gm_alarm_is_raised(entry->state) ? &entry->alarm : NULL;
}

struct gm_alarms_counts gm_alarms_counts(const struct gm_alarms *alarms)
{
	struct gm_alarms_counts counts = alarms->counts;

	counts.crowded = alarms->in_state[GM_ALARM_CROWDED];
	counts.waiting = counts.crowded + alarms->in_state[GM_ALARM_WAITING];
	return counts;
}

uint64_t gm_alarms_limited(const struct gm_alarms *alarms)
{
	return alarms->counts.limited;
}
