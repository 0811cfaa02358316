/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine of alarms; see engine.h for its table in words. It knows no detector, no clock
 * and no output: the pipeline and replay feed it.
 */
#include "alarm/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "alarm/text.h"
#include "base/clock.h"
#include "base/text.h"

const struct gm_option gm_alarm_option_table[] = {
	{.key = "damping",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_alarm_options, damping),
	 .fallback = "true",
	 .help = "Keep an alarm for the hold time after its condition has ended, and limit the "
		 "raises; "
		 "off: tell every transition as it comes."},
	{.key = "hold",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_alarm_options, hold),
	 .min = 0,
	 .max = 3600e9,
	 .fallback = "3s",
	 .help = "How long the condition must be gone before the alarm is cleared."},
	{.key = "raise-limit",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_alarm_options, raise_limit),
	 .min = 0,
	 .max = 1000000,
	 .fallback = "600",
	 .help = "Alarms raised within a minute at most, the rest waits; 0 for no limit."},
	GM_OPTION_END,
};

/* Text without padding, so that it can be hashed as bytes. */
struct identity {
	struct gm_entity_key key;
	char detector[GM_DETECTOR_NAME];
	char metric[GM_METRIC_NAME];
	char rule[GM_RULE_NAME];
};

/* PENDING: the condition holds, the raise limit does not let it out. */
enum alarm_state { STATE_NONE, STATE_PENDING, STATE_ACTIVE, STATE_HOLDING, STATE_COUNT };

enum event {
	EVENT_ACTIVE,  /* a finding says that the condition holds */
	EVENT_CROWDED, /* the same, but the raise limit is reached */
	EVENT_OK,      /* a finding says that all is well */
	EVENT_DUE,     /* the hold time is over, or there is room for a pending raise */
	EVENT_GONE,    /* the entity is gone for good */
	EVENT_COUNT
};

enum action { DO_NOTHING, DO_WAIT, DO_RAISE, DO_CHANGE, DO_HOLD, DO_CLEAR };

struct step {
	enum alarm_state to;
	enum action action;
};

static const struct step steps[STATE_COUNT][EVENT_COUNT] = {
	[STATE_NONE] =
		{
			[EVENT_ACTIVE] = {STATE_ACTIVE, DO_RAISE},
			[EVENT_CROWDED] = {STATE_PENDING, DO_WAIT},
			[EVENT_OK] = {STATE_NONE, DO_NOTHING},
			[EVENT_DUE] = {STATE_NONE, DO_NOTHING},
			[EVENT_GONE] = {STATE_NONE, DO_NOTHING},
		},
	[STATE_PENDING] =
		{
			[EVENT_ACTIVE] = {STATE_ACTIVE, DO_RAISE},
			[EVENT_CROWDED] = {STATE_PENDING, DO_NOTHING},
			[EVENT_OK] = {STATE_NONE, DO_NOTHING},
			[EVENT_DUE] = {STATE_ACTIVE, DO_RAISE},
			[EVENT_GONE] = {STATE_NONE, DO_NOTHING},
		},
	[STATE_ACTIVE] =
		{
			[EVENT_ACTIVE] = {STATE_ACTIVE, DO_CHANGE},
			[EVENT_CROWDED] = {STATE_ACTIVE, DO_CHANGE},
			[EVENT_OK] = {STATE_HOLDING, DO_HOLD},
			[EVENT_DUE] = {STATE_ACTIVE, DO_NOTHING},
			[EVENT_GONE] = {STATE_NONE, DO_CLEAR},
		},
	[STATE_HOLDING] =
		{
			[EVENT_ACTIVE] = {STATE_ACTIVE, DO_CHANGE},
			[EVENT_CROWDED] = {STATE_ACTIVE, DO_CHANGE},
			[EVENT_OK] = {STATE_HOLDING, DO_NOTHING},
			[EVENT_DUE] = {STATE_NONE, DO_CLEAR},
			[EVENT_GONE] = {STATE_NONE, DO_CLEAR},
		},
};

struct entry {
	struct identity identity;
	enum alarm_state state;
	int64_t held_since;        /* HOLDING */
	struct gm_finding finding; /* PENDING: the newest, to be raised */
	struct gm_alarm alarm;     /* ACTIVE, HOLDING */
	char message[GM_MESSAGE];  /* the newest finding's */
	UT_hash_handle hh;
	struct entry *prev, *next; /* in `pending` or `raised` */
};

/* Raises of the last 60 seconds, by second: the limit holds for any minute, not for calendar ones. */
enum { MINUTE = 60 };
struct limiter {
	int64_t second;
	int64_t raised[MINUTE];
	int64_t total;
};

struct gm_alarms {
	struct gm_alarm_options options;
	struct gm_alarm_sink sink;
	struct entry *entries; /* all, by identity */
	struct entry *pending; /* oldest first */
	struct entry *raised;  /* ACTIVE and HOLDING, by id */
	size_t holding;
	struct limiter limiter;
	uint64_t limited;
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
	struct entry *entry, *next;

	if (!alarms)
		return;
	HASH_ITER (hh, alarms->entries, entry, next) {
		HASH_DEL(alarms->entries, entry);
		free(entry);
	}
	free(alarms);
}

void gm_alarms_configure(struct gm_alarms *alarms, const struct gm_alarm_options *options)
{
	alarms->options = *options;
}

/* Findings of one tick come out of order by less than a second; a clock that jumps starts anew. */
static void limiter_advance(struct limiter *limiter, int64_t now)
{
	int64_t second = now / GM_SECOND;

	if (llabs(second - limiter->second) >= MINUTE) {
		*limiter = (struct limiter){.second = second};
		return;
	}
	while (limiter->second < second) {
		int64_t *oldest = &limiter->raised[++limiter->second % MINUTE];

		limiter->total -= *oldest;
		*oldest = 0;
	}
}

static bool has_room(struct gm_alarms *alarms, int64_t now)
{
	if (alarms->options.raise_limit == 0 || !alarms->options.damping)
		return true;
	limiter_advance(&alarms->limiter, now);
	return alarms->limiter.total < alarms->options.raise_limit;
}

static void count_raise(struct limiter *limiter)
{
	limiter->raised[limiter->second % MINUTE]++;
	limiter->total++;
}

static struct identity identity_of(const struct gm_entity_key *key, const char *detector,
				   const char *metric, const char *rule)
{
	struct identity identity;

	memset(&identity, 0, sizeof(identity));
	identity.key = *key;
	gm_text_copy(identity.detector, sizeof(identity.detector), detector);
	gm_text_copy(identity.metric, sizeof(identity.metric), metric);
	gm_text_copy(identity.rule, sizeof(identity.rule), rule);
	return identity;
}

static struct entry *find(const struct gm_alarms *alarms, const struct identity *identity)
{
	struct entry *entry;

	HASH_FIND(hh, alarms->entries, identity, sizeof(*identity), entry);
	return entry;
}

static struct entry *add(struct gm_alarms *alarms, const struct identity *identity)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->identity = *identity;
	HASH_ADD(hh, alarms->entries, identity, sizeof(entry->identity), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	return entry;
}

static void emit(struct gm_alarms *alarms, struct entry *entry, enum gm_transition_kind kind,
		 int64_t time)
{
	struct gm_transition transition = {.kind = kind, .time = time};

	gm_alarm_describe(&entry->alarm, entry->message);
	transition.alarm = entry->alarm;
	alarms->sink.emit(alarms->sink.user, &transition);
}

static void do_raise(struct gm_alarms *alarms, struct entry *entry,
		     const struct gm_finding *finding, int64_t now)
{
	struct gm_alarm *alarm = &entry->alarm;

	*alarm = (struct gm_alarm){
		.id = alarms->sink.new_id(alarms->sink.user),
		.key = finding->key,
		.severity = finding->severity,
		.event_type = finding->event_type,
		.cause = finding->cause,
		.raised_at = now,
		.changed_at = now,
		.evidence = finding->evidence,
	};
	memcpy(alarm->detector, entry->identity.detector, sizeof(alarm->detector));
	memcpy(alarm->metric, entry->identity.metric, sizeof(alarm->metric));
	memcpy(alarm->rule, entry->identity.rule, sizeof(alarm->rule));
	memcpy(entry->message, finding->message, sizeof(entry->message));
	if (alarms->sink.describe)
		alarms->sink.describe(alarms->sink.user, alarm);
	count_raise(&alarms->limiter);
	emit(alarms, entry, GM_TRANSITION_RAISE, now);
}

static void do_change(struct gm_alarms *alarms, struct entry *entry,
		      const struct gm_finding *finding, int64_t now)
{
	struct gm_alarm *alarm = &entry->alarm;
	bool told = finding->report || finding->severity != alarm->severity;

	alarm->severity = finding->severity;
	alarm->event_type = finding->event_type;
	alarm->cause = finding->cause;
	alarm->evidence = finding->evidence;
	memcpy(entry->message, finding->message, sizeof(entry->message));
	if (told) {
		alarm->changed_at = now;
		emit(alarms, entry, GM_TRANSITION_CHANGE, now);
	} else {
		gm_alarm_describe(alarm, entry->message);
	}
}

/* What the all-clear knows better (a burst's whole volume) replaces, the rest stays to be told. */
static void do_hold(struct entry *entry, const struct gm_finding *finding, int64_t now)
{
	entry->held_since = now;
	for (int i = 0; i < GM_EVIDENCE_COUNT; i++) {
		if (gm_evidence_has(&finding->evidence, i))
			gm_evidence_set(&entry->alarm.evidence, i, finding->evidence.number[i]);
	}
}

static void do_clear(struct gm_alarms *alarms, struct entry *entry, int64_t now)
{
	entry->alarm.cleared_at = now;
	entry->alarm.changed_at = now;
	emit(alarms, entry, GM_TRANSITION_CLEAR, now);
}

static bool has_alarm(enum alarm_state state)
{
	return state == STATE_ACTIVE || state == STATE_HOLDING;
}

/* Puts the entry where its new state belongs. An alarm that is raised now has the highest id. */
static void move(struct gm_alarms *alarms, struct entry *entry, enum alarm_state to)
{
	enum alarm_state from = entry->state;

	if (from == STATE_PENDING && to != STATE_PENDING)
		DL_DELETE(alarms->pending, entry);
	if (has_alarm(from) && !has_alarm(to))
		DL_DELETE(alarms->raised, entry);
	if (to == STATE_PENDING && from != STATE_PENDING)
		DL_APPEND(alarms->pending, entry);
	if (has_alarm(to) && !has_alarm(from))
		DL_APPEND(alarms->raised, entry);
	alarms->holding += (size_t)(to == STATE_HOLDING) - (size_t)(from == STATE_HOLDING);
	entry->state = to;
}

/* Takes one step of the table; an entry that is back at NONE is freed. */
static void take_step(struct gm_alarms *alarms, struct entry *entry, enum event event,
		      const struct gm_finding *finding, int64_t now)
{
	const struct step *step = &steps[entry->state][event];

	move(alarms, entry, step->to);
	/* An alarm's times never run backwards, even where findings come out of order. */
	if (now < entry->alarm.changed_at)
		now = entry->alarm.changed_at;
	switch (step->action) {
	case DO_NOTHING:
		break;
	case DO_WAIT:
		alarms->limited++;
		break;
	case DO_RAISE:
		do_raise(alarms, entry, finding, now);
		break;
	case DO_CHANGE:
		do_change(alarms, entry, finding, now);
		break;
	case DO_HOLD:
		do_hold(entry, finding, now);
		break;
	case DO_CLEAR:
		do_clear(alarms, entry, now);
		break;
	}
	if (entry->state == STATE_NONE) {
		HASH_DEL(alarms->entries, entry);
		free(entry);
	}
}

/* Clears an alarm whose hold time was over by `now`, at the moment when it was; true when it did. */
static bool clear_if_due(struct gm_alarms *alarms, struct entry *entry, int64_t now)
{
	int64_t hold = alarms->options.damping ? alarms->options.hold : 0;

	if (entry->state != STATE_HOLDING)
		return false;
	/* The clock was set back: an alarm is not held for the length of the step. */
	if (now < entry->held_since)
		entry->held_since = now;
	if (now - entry->held_since < hold)
		return false;
	take_step(alarms, entry, EVENT_DUE, NULL, entry->held_since + hold);
	return true;
}

static int take_active(struct gm_alarms *alarms, const struct identity *identity,
		       struct entry *entry, const struct gm_finding *finding)
{
	bool is_new = !entry || entry->state == STATE_PENDING;
	bool room = !is_new || has_room(alarms, finding->time);

	if (!entry)
		entry = add(alarms, identity);
	if (!entry)
		return -ENOMEM;
	if (is_new)
		entry->finding = *finding;
	take_step(alarms, entry, room ? EVENT_ACTIVE : EVENT_CROWDED, finding, finding->time);
	return 0;
}

int gm_alarms_finding(struct gm_alarms *alarms, const struct gm_finding *finding)
{
	const struct identity identity =
		identity_of(&finding->key, finding->detector, finding->metric, finding->rule);
	struct entry *entry = find(alarms, &identity);

	/* The hold time may have ended since the last tick. */
	if (entry && clear_if_due(alarms, entry, finding->time))
		entry = NULL;
	if (finding->active)
		return take_active(alarms, &identity, entry, finding);
	if (!entry)
		return 0;
	take_step(alarms, entry, EVENT_OK, finding, finding->time);
	entry = find(alarms, &identity);
	if (entry)
		clear_if_due(alarms, entry, finding->time); /* without hold time: at once */
	return 0;
}

void gm_alarms_tick(struct gm_alarms *alarms, int64_t now)
{
	struct entry *entry, *next;

	if (alarms->holding > 0) {
		DL_FOREACH_SAFE(alarms->raised, entry, next)
		{
			clear_if_due(alarms, entry, now);
		}
	}
	while (alarms->pending && has_room(alarms, now)) {
		entry = alarms->pending;
		take_step(alarms, entry, EVENT_DUE, &entry->finding, now);
	}
}

void gm_alarms_gone(struct gm_alarms *alarms, const struct gm_entity_key *key, int64_t now)
{
	struct entry *entry, *next;

	HASH_ITER (hh, alarms->entries, entry, next) {
		if (gm_entity_equal(&entry->identity.key, key))
			take_step(alarms, entry, EVENT_GONE, NULL, now);
	}
}

static int by_id(const struct entry *a, const struct entry *b)
{
	return (a->alarm.id > b->alarm.id) - (a->alarm.id < b->alarm.id);
}

int gm_alarms_restore(struct gm_alarms *alarms, const struct gm_alarm *alarm)
{
	const struct identity identity =
		identity_of(&alarm->key, alarm->detector, alarm->metric, alarm->rule);
	struct entry *entry = find(alarms, &identity);

	if (entry)
		return -EEXIST;
	entry = add(alarms, &identity);
	if (!entry)
		return -ENOMEM;
	entry->state = STATE_ACTIVE;
	entry->alarm = *alarm;
	DL_INSERT_INORDER(alarms->raised, entry, by_id);
	return 0;
}

size_t gm_alarms_active(const struct gm_alarms *alarms, struct gm_alarm *list, size_t max)
{
	const struct entry *entry;
	size_t count = 0;

	DL_FOREACH (alarms->raised, entry) {
		if (count < max)
			list[count] = entry->alarm;
		count++;
	}
	return count;
}

const struct gm_alarm *gm_alarms_find(const struct gm_alarms *alarms,
				      const struct gm_entity_key *key, const char *detector,
				      const char *metric, const char *rule)
{
	const struct identity identity = identity_of(key, detector, metric, rule);
	const struct entry *entry = find(alarms, &identity);

	return entry && has_alarm(entry->state) ? &entry->alarm : NULL;
}

uint64_t gm_alarms_limited(const struct gm_alarms *alarms)
{
	return alarms->limited;
}
