/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journal first, then outputs; see outlet.h. Called by pipeline.c alone.
 */
#include "daemon/outlet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum { HAND_OVER = 32 }; /* transitions read from the journal at a time */

#define MIB_OUTPUT "snmp" /* the output's name in the state */

struct gm_outlet {
	struct gm_state *state;
	struct gm_mib *mib;
	bool without_mib;
	uint64_t given;     /* the newest sequence number that the agent has */
	uint64_t handed;    /* the same, or what could not be read behind it */
	uint64_t delivered; /* the newest that is done with */

	struct gm_transition log[GM_OUTLET_LOG]; /* ring */
	size_t log_start, log_count;

	struct gm_transition *pending; /* ring of GM_OUTLET_PENDING, made when first needed */
	size_t pending_start, pending_count;
	uint64_t lost;
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
	int result = gm_state_output_position(state, MIB_OUTPUT, &outlet->delivered);
	if (result < 0) {
		gm_outlet_free(outlet);
		return result;
	}
	outlet->given = outlet->handed = outlet->delivered;
	*ret_outlet = outlet;
	return 0;
}

void gm_outlet_free(struct gm_outlet *outlet)
{
	if (!outlet)
		return;
	free(outlet->pending);
	free(outlet);
}

struct handing {
	struct gm_outlet *outlet;
	bool full;
};

static void hand_one(void *user, const struct gm_transition *transition)
{
	struct handing *handing = user;
	if (!handing->full && gm_mib_notify(handing->outlet->mib, transition) == 0)
		handing->outlet->given = handing->outlet->handed = transition->sequence;
	else
		handing->full = true;
}

static void move_position(struct gm_outlet *outlet, uint64_t sequence)
{
	outlet->delivered = sequence;
	if (gm_state_output_delivered(outlet->state, MIB_OUTPUT, sequence) < 0 &&
	    gm_log_allowed(&outlet->journal_limit, gm_clock_monotonic(), 10 * GM_SECOND, NULL))
		gm_log(GM_LOG_ERROR, "the position of the SNMP output cannot be written");
}

/* Records that cannot be read (of a newer version, say) must not hold up those behind them. */
static void pass_over(struct gm_outlet *outlet, uint64_t sequence)
{
	gm_log(GM_LOG_ERROR, "alarms %llu to %llu of the journal cannot be read and are not told",
	       (unsigned long long)outlet->handed + 1, (unsigned long long)sequence);
	if (outlet->given <= outlet->delivered)
		move_position(outlet, sequence);
	outlet->handed = sequence;
}

void gm_outlet_hand_over(struct gm_outlet *outlet)
{
	struct handing handing = {.outlet = outlet};
	while (outlet->mib && !handing.full) {
		uint64_t ahead = outlet->handed - outlet->delivered;
		if (ahead >= GM_MIB_SPOOL ||
		    outlet->handed >= gm_state_last_sequence(outlet->state))
			return;
		uint64_t after = outlet->handed;
		size_t room = GM_MIB_SPOOL - (size_t)ahead;
		int got = gm_state_journal_after(outlet->state, after,
						 room < HAND_OVER ? room : HAND_OVER, hand_one,
						 &handing);
		if (got <= 0)
			return;
		/* Sequences have no holes within the journal, so the last row read is at least this. */
		if (!handing.full && outlet->handed < after + (uint64_t)got)
			pass_over(outlet, after + (uint64_t)got);
	}
}

void gm_outlet_attach_mib(struct gm_outlet *outlet, struct gm_mib *mib)
{
	outlet->mib = mib;
	outlet->given = outlet->handed = outlet->delivered;
	gm_outlet_hand_over(outlet);
}

void gm_outlet_without_mib(struct gm_outlet *outlet)
{
	outlet->without_mib = true;
}

static void tell_log(const struct gm_transition *transition)
{
	char text[2 * GM_ALARM_TEXT];
	gm_text_quote(text, sizeof(text), transition->alarm.text);
	gm_log(GM_LOG_NOTICE, "alarm %u %s %s %s: %s", transition->alarm.id,
	       gm_transition_name(transition->kind), transition->alarm.detector,
	       gm_severity_name(transition->alarm.severity), text);
}

static int journal(struct gm_outlet *outlet, struct gm_transition *transition)
{
	struct gm_error err;
	int result = gm_state_journal(outlet->state, transition, &err);
	if (result < 0) {
		if (gm_log_allowed(&outlet->journal_limit, gm_clock_monotonic(), 10 * GM_SECOND,
				   NULL))
			gm_log(GM_LOG_ERROR, "the journal cannot be written, alarms wait: %s",
			       err.text);
		return result;
	}
	remember(outlet, transition);
	tell_log(transition);
	return 0;
}

static void wait_for_journal(struct gm_outlet *outlet, const struct gm_transition *transition)
{
	if (!outlet->pending)
		outlet->pending = calloc(GM_OUTLET_PENDING, sizeof(*outlet->pending));
	if (!outlet->pending || outlet->pending_count == GM_OUTLET_PENDING) {
		outlet->lost++;
		return;
	}
	size_t at = (outlet->pending_start + outlet->pending_count++) % GM_OUTLET_PENDING;
	outlet->pending[at] = *transition;
}

static void retry_pending(struct gm_outlet *outlet)
{
	while (outlet->pending_count > 0) {
		if (journal(outlet, &outlet->pending[outlet->pending_start]) < 0)
			return;
		outlet->pending_start = (outlet->pending_start + 1) % GM_OUTLET_PENDING;
		outlet->pending_count--;
	}
	free(outlet->pending);
	outlet->pending = NULL;
	outlet->pending_start = 0;
}

void gm_outlet_transition(struct gm_outlet *outlet, const struct gm_transition *transition)
{
	struct gm_transition copy = *transition;
	if (outlet->pending_count > 0 || journal(outlet, &copy) < 0)
		wait_for_journal(outlet, transition);
}

void gm_outlet_delivered(struct gm_outlet *outlet, uint64_t sequence)
{
	if (sequence <= outlet->delivered)
		return;
	/* Behind the last that was given there is only what was passed over. */
	bool all = sequence >= outlet->given && outlet->handed > sequence;
	move_position(outlet, all ? outlet->handed : sequence);
	gm_outlet_hand_over(outlet);
}

void gm_outlet_tick(struct gm_outlet *outlet)
{
	if (outlet->pending_count > 0)
		retry_pending(outlet);
	uint64_t last = gm_state_last_sequence(outlet->state);
	if (outlet->without_mib && outlet->delivered < last)
		move_position(outlet, last);
	gm_outlet_hand_over(outlet);
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

uint64_t gm_outlet_lost(const struct gm_outlet *outlet)
{
	return outlet->lost;
}
