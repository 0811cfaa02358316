/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journal first; see outlet.h. Called by pipeline.c, and by commands that change many alarms at once.
 */
#include "daemon/outlet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum {
	BATCH = 512,     /* transitions in one transaction */
	FIRST_ROOM = 32, /* for those that wait */
	DROP = 256, /* changes that make room together: all that wait are looked through for it */
};

/* After a failure: one that waits for another's lock takes time, which all else must not wait for, too. */
#define PAUSE GM_SECOND

struct gm_outlet {
	struct gm_state *state;
	bool gathering; /* between begin and end */

	struct gm_transition log[GM_OUTLET_LOG]; /* ring */
	size_t log_start, log_count;

	struct gm_transition *pending; /* ring, made when needed, of up to GM_OUTLET_PENDING */
	size_t pending_room, pending_start, pending_count;
	uint64_t raised[GM_ALARM_SEVERITIES]; /* since the start */
	uint64_t lost, made_up;               /* of them: told otherwise since */
	int64_t retry_at;                     /* monotonic: not before, after a failure */
	struct gm_log_limit journal_limit;
};

static void remember(void *user, const struct gm_transition *transition)
{
	struct gm_outlet *outlet = user;
	size_t at = (outlet->log_start + outlet->log_count) % GM_OUTLET_LOG;
	outlet->log[at] = *transition;
	if (outlet->log_count < GM_OUTLET_LOG)
		outlet->log_count++;
	else
		outlet->log_start = (outlet->log_start + 1) % GM_OUTLET_LOG;
}

int gm_outlet_create(struct gm_state *state, struct gm_outlet **ret_outlet)
{
	struct gm_outlet *outlet = calloc(1, sizeof(*outlet));
	if (!outlet)
		return -ENOMEM;
	outlet->state = state;
	uint64_t last = gm_state_last_sequence(state);
	uint64_t after = last > GM_OUTLET_LOG ? last - GM_OUTLET_LOG : 0;
	gm_state_journal_after(state, after, GM_OUTLET_LOG, remember, outlet);
	*ret_outlet = outlet;
	return 0;
}

static void tell_log(const struct gm_transition *transition)
{
	char text[2 * GM_ALARM_TEXT];
	gm_text_quote(text, sizeof(text), transition->alarm.text);
	gm_log(GM_LOG_NOTICE, "alarm %u %s %s %s: %s", transition->alarm.id,
	       gm_transition_name(transition->kind), transition->alarm.detector,
	       gm_severity_name(transition->alarm.severity), text);
}

/* Several at once are one transaction: all or none. */
static int journal(struct gm_outlet *outlet, struct gm_transition *transitions, size_t count)
{
	struct gm_error err;
	int64_t now = gm_clock_now();
	for (size_t i = 0; i < count; i++)
		transitions[i].journalled_at = now;
	int result = gm_state_journal_batch(outlet->state, transitions, count, &err);
	if (result < 0) {
		int64_t monotonic = gm_clock_monotonic();
		outlet->retry_at = monotonic + PAUSE;
		if (gm_log_allowed(&outlet->journal_limit, monotonic, 10 * GM_SECOND, NULL))
			gm_log(GM_LOG_ERROR, "the journal cannot be written, alarms wait: %s",
			       err.text);
		return result;
	}
	for (size_t i = 0; i < count; i++) {
		remember(outlet, &transitions[i]);
		tell_log(&transitions[i]);
		unsigned severity = transitions[i].alarm.severity;
		if (transitions[i].kind == GM_TRANSITION_RAISE && severity < GM_ALARM_SEVERITIES)
			outlet->raised[severity]++;
	}
	return 0;
}

/* A second with an alarm makes one, a storm needs a large one: it doubles while it is full. */
static bool make_room(struct gm_outlet *outlet)
{
	size_t room = outlet->pending_room > 0 ? 2 * outlet->pending_room : FIRST_ROOM;
	size_t to_end = outlet->pending_room - outlet->pending_start;
	if (outlet->pending_count < outlet->pending_room)
		return true;
	if (outlet->pending_room == GM_OUTLET_PENDING)
		return false;
	if (room > GM_OUTLET_PENDING)
		room = GM_OUTLET_PENDING;
	struct gm_transition *larger = malloc(room * sizeof(*larger));
	if (!larger)
		return false;
	for (size_t i = 0; i < outlet->pending_count; i++)
		larger[i] = outlet->pending[i < to_end ? outlet->pending_start + i : i - to_end];
	free(outlet->pending);
	outlet->pending = larger;
	outlet->pending_room = room;
	outlet->pending_start = 0;
	return true;
}

/*
 * Whoever misses it has the alarm, and its end, all the same. One that makes it worse than it was may be what an
 * output takes for its raise; and what people said is not dropped.
 */
static bool is_dispensable(const struct gm_transition *transition)
{
	return transition->kind == GM_TRANSITION_CHANGE &&
	       transition->alarm.news == GM_NEWS_CONDITION &&
	       transition->alarm.worst == transition->alarm.worst_before;
}

/* The oldest changes make room for what comes. */
static bool drop_changes(struct gm_outlet *outlet)
{
	size_t kept = 0, dropped = 0;
	for (size_t i = 0; i < outlet->pending_count; i++) {
		size_t from = (outlet->pending_start + i) % outlet->pending_room;
		size_t to = (outlet->pending_start + kept) % outlet->pending_room;
		if (dropped < DROP && is_dispensable(&outlet->pending[from])) {
			dropped++;
			continue;
		}
		if (dropped > 0)
			outlet->pending[to] = outlet->pending[from];
		kept++;
	}
	outlet->pending_count = kept;
	outlet->lost += dropped;
	return dropped > 0;
}

static void journal_pending(struct gm_outlet *outlet)
{
	while (outlet->pending_count > 0) {
		size_t count = outlet->pending_room - outlet->pending_start;
		if (count > outlet->pending_count)
			count = outlet->pending_count;
		if (count > BATCH)
			count = BATCH;
		if (journal(outlet, &outlet->pending[outlet->pending_start], count) < 0)
			return;
		outlet->pending_start = (outlet->pending_start + count) % outlet->pending_room;
		outlet->pending_count -= count;
	}
	free(outlet->pending);
	outlet->pending = NULL;
	outlet->pending_room = outlet->pending_start = 0;
}

static bool is_pausing(const struct gm_outlet *outlet)
{
	return outlet->retry_at != 0 && gm_clock_monotonic() < outlet->retry_at;
}

static bool find_room(struct gm_outlet *outlet)
{
	if (make_room(outlet))
		return true;
	/* What is gathered may be more than can wait: it need not. */
	if (outlet->gathering && !is_pausing(outlet))
		journal_pending(outlet);
	return make_room(outlet) || drop_changes(outlet);
}

static void wait_for_journal(struct gm_outlet *outlet, const struct gm_transition *transition)
{
	if (!find_room(outlet)) {
		outlet->lost++;
		return;
	}
	size_t at = (outlet->pending_start + outlet->pending_count++) % outlet->pending_room;
	outlet->pending[at] = *transition;
}

void gm_outlet_transition(struct gm_outlet *outlet, const struct gm_transition *transition)
{
	struct gm_transition copy = *transition;
	if (outlet->gathering || outlet->pending_count > 0 || is_pausing(outlet) ||
	    journal(outlet, &copy, 1) < 0)
		wait_for_journal(outlet, transition);
}

void gm_outlet_begin(struct gm_outlet *outlet)
{
	outlet->gathering = true;
}

void gm_outlet_end(struct gm_outlet *outlet)
{
	outlet->gathering = false;
	gm_outlet_tick(outlet);
}

void gm_outlet_tick(struct gm_outlet *outlet)
{
	if (outlet->pending_count > 0 && !is_pausing(outlet))
		journal_pending(outlet);
}

void gm_outlet_free(struct gm_outlet *outlet)
{
	if (!outlet)
		return;
	journal_pending(outlet); /* the last chance of what waits */
	free(outlet->pending);
	free(outlet);
}

size_t gm_outlet_log(const struct gm_outlet *outlet, const struct gm_transition **ret_first,
		     size_t *ret_first_count, const struct gm_transition **ret_second)
{
	size_t to_end = GM_OUTLET_LOG - outlet->log_start;
	*ret_first = outlet->log + outlet->log_start;
	*ret_first_count = outlet->log_count < to_end ? outlet->log_count : to_end;
	*ret_second = outlet->log;
	return outlet->log_count;
}

uint64_t gm_outlet_raised(const struct gm_outlet *outlet, unsigned severity)
{
	return severity < GM_ALARM_SEVERITIES ? outlet->raised[severity] : 0;
}

bool gm_outlet_waits(const struct gm_outlet *outlet)
{
	return outlet->pending_count > 0;
}

uint64_t gm_outlet_owed(const struct gm_outlet *outlet)
{
	return outlet->lost - outlet->made_up;
}

void gm_outlet_make_up(struct gm_outlet *outlet, uint64_t count)
{
	outlet->made_up += count;
}

uint64_t gm_outlet_lost(const struct gm_outlet *outlet)
{
	return outlet->lost;
}
