/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of faults; see faults.h. Called by intake.c and orphans.c.
 */
#include "daemon/faults.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define ON(kind) (1U << GM_GUEST_##kind)
/* No guest, or another system in it: nothing of before holds. */
#define ANEW (ON(STARTED) | ON(STOPPED) | ON(MIGRATED))

#define MINUTE (60 * GM_SECOND)

enum { FAULTS = 6, RUNNING = 1 /* VIR_DOMAIN_RUNNING */ };

/* Of a guest that went by a crash: somebody should have seen it by then, or nobody misses it. */
#define CRASH_LAPSE (60 * MINUTE)

static const struct fault {
	enum gm_guest_event_kind kind;
	const char *metric;
	enum gm_severity severity;
	enum gm_event_type event_type;
	enum gm_probable_cause cause;
	unsigned ends;    /* the events that end it */
	int64_t patience; /* ns that it has to last */
	int64_t lapse;    /* ns without another event after which it is over; 0: never */
} faults[FAULTS] = {
	{GM_GUEST_CRASHED, "guestCrashed", GM_SEVERITY_CRITICAL, GM_EVENT_PROCESSING_ERROR,
	 GM_CAUSE_PROGRAM_TERMINATED, ANEW | ON(RESUMED) | ON(REBOOTED) | ON(UNDEFINED), 0, 0},
	{GM_GUEST_WATCHDOG, "guestWatchdog", GM_SEVERITY_MAJOR, GM_EVENT_PROCESSING_ERROR,
	 GM_CAUSE_PROGRAM_ERROR, ANEW | ON(RESUMED) | ON(REBOOTED), 0, 10 * MINUTE},
	{GM_GUEST_IO_ERROR, "guestDiskError", GM_SEVERITY_MAJOR, GM_EVENT_PROCESSING_ERROR,
	 GM_CAUSE_RESOURCE_UNAVAILABLE, ANEW | ON(RESUMED) | ON(REBOOTED), 0, 10 * MINUTE},
	{GM_GUEST_CONTROL_ERROR, "guestMonitorBroken", GM_SEVERITY_MAJOR, GM_EVENT_COMMUNICATIONS,
	 GM_CAUSE_COMMUNICATION_FAILURE, ANEW, 0, 10 * MINUTE},
	{GM_GUEST_MEMORY_FAILURE, "guestMemoryFailure", GM_SEVERITY_CRITICAL, GM_EVENT_EQUIPMENT,
	 GM_CAUSE_EQUIPMENT_MALFUNCTION, ANEW | ON(REBOOTED), 0, 60 * MINUTE},
	/* It is away while the guest boots, too. */
	{GM_GUEST_AGENT_DOWN, "guestAgentLost", GM_SEVERITY_WARNING, GM_EVENT_COMMUNICATIONS,
	 GM_CAUSE_COMMUNICATION_FAILURE, ANEW | ON(CRASHED) | ON(AGENT_UP), 2 * MINUTE, 0},
};

struct gm_faults {
	bool agent_seen; /* one that was never there is not lost */
	struct {
		int64_t since, last; /* the node's time; 0: not held */
		char detail[64];
	} held[FAULTS];
};

/* Whether the newest that is known of it is that it runs, seen after `time`. */
static bool is_running_since(const struct gm_tracked *guest, int64_t time)
{
	struct gm_window_sample newest = {.time = 0};
	return gm_window_read_newest(guest->window, GM_METRIC_GUEST_STATE, &newest, 1) == 1 &&
	       (int)newest.value.gauge == RUNNING && newest.time > time;
}

static bool is_running(const struct gm_tracked *guest)
{
	return is_running_since(guest, INT64_MIN);
}

static void tell(const struct gm_entity_key *guest, const struct fault *fault, const char *detail,
		 int64_t time, const struct gm_finding_sink *sink)
{
	struct gm_finding finding = {
		.key = *guest,
		.detector = GM_EVENT_DETECTOR,
		.active = detail != NULL,
		.severity = fault->severity,
		.event_type = fault->event_type,
		.cause = fault->cause,
		.time = time,
	};
	gm_text_copy(finding.metric, sizeof(finding.metric), fault->metric);
	if (detail)
		gm_text_copy(finding.evidence.contributors, sizeof(finding.evidence.contributors),
			     detail);
	sink->emit(sink->user, &finding);
}

static void begin(struct gm_faults *state, size_t at, const struct gm_guest_event *event)
{
	if (faults[at].kind == GM_GUEST_AGENT_DOWN && !state->agent_seen)
		return;
	if (state->held[at].since == 0)
		state->held[at].since = event->time;
	state->held[at].last = event->time;
	gm_text_copy(state->held[at].detail, sizeof(state->held[at].detail), event->detail);
}

/* Also of what is not held: an alarm may be from before a restart of the daemon. */
static void end(const struct gm_tracked *guest, size_t at, int64_t time,
		const struct gm_finding_sink *sink)
{
	if (guest->faults)
		guest->faults->held[at].since = 0;
	tell(&guest->info.key, &faults[at], NULL, time, sink);
}

static bool is_due(const struct gm_faults *state, size_t at, int64_t now)
{
	return state->held[at].since != 0 && now - state->held[at].since >= faults[at].patience;
}

void gm_faults_take_absent(const struct gm_guest_event *event, const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < FAULTS; i++) {
		if (faults[i].kind == GM_GUEST_CRASHED && event->kind < GM_GUEST_EVENTS &&
		    faults[i].ends >> event->kind & 1)
			tell(&event->key, &faults[i], NULL, event->time, sink);
	}
}

void gm_faults_take(struct gm_tracked *guest, const struct gm_guest_event *event,
		    const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < FAULTS; i++) {
		if (event->kind < GM_GUEST_EVENTS && faults[i].ends >> event->kind & 1)
			end(guest, i, event->time, sink);
		if (faults[i].kind != event->kind && event->kind != GM_GUEST_AGENT_UP)
			continue;
		if (!guest->faults)
			guest->faults = calloc(1, sizeof(*guest->faults));
		if (!guest->faults)
			return; /* it is in the log */
		guest->faults->agent_seen |= event->kind == GM_GUEST_AGENT_UP;
		if (faults[i].kind != event->kind)
			continue;
		begin(guest->faults, i, event);
		if (is_due(guest->faults, i, event->time))
			tell(&guest->info.key, &faults[i], guest->faults->held[i].detail,
			     event->time, sink);
	}
}

/* The clock was set back: nothing is held for the length of the step. */
static void keep_up(struct gm_faults *state, size_t at, int64_t now)
{
	if (state->held[at].since == 0 || now >= state->held[at].last)
		return;
	state->held[at].since -= state->held[at].last - now;
	state->held[at].last = now;
}

/* Without an event that says so: one that was lost, or that there is none of. */
static bool is_over(const struct gm_tracked *guest, size_t at, int64_t now)
{
	int64_t last = guest->faults->held[at].last;
	if (faults[at].kind == GM_GUEST_CRASHED)
		return is_running_since(guest, last);
	return faults[at].lapse != 0 && now - last >= faults[at].lapse && is_running(guest);
}

void gm_faults_evaluate(struct gm_tracked *guest, int64_t now, const struct gm_finding_sink *sink)
{
	struct gm_faults *state = guest->faults;
	for (size_t i = 0; state && i < FAULTS; i++) {
		keep_up(state, i, now);
		if (!is_due(state, i, now))
			continue;
		if (is_over(guest, i, now))
			end(guest, i, now, sink);
		else
			tell(&guest->info.key, &faults[i], state->held[i].detail, now, sink);
	}
}

bool gm_faults_may_hold(const struct gm_tracked *guest, const char *metric)
{
	for (size_t i = 0; i < FAULTS; i++) {
		if (strcmp(faults[i].metric, metric) == 0)
			return !is_running(guest) ||
			       (guest->faults && guest->faults->held[i].since != 0);
	}
	return false;
}

bool gm_faults_stays(const struct gm_alarm *alarm)
{
	return alarm->key.kind == GM_ENTITY_GUEST &&
	       strcmp(alarm->detector, GM_EVENT_DETECTOR) == 0 &&
	       strcmp(alarm->metric, "guestCrashed") == 0;
}

bool gm_faults_lasts(const struct gm_alarm *alarm, int64_t now)
{
	if (!gm_faults_stays(alarm))
		return false;
	if (alarm->raised_at == 0) /* it waits; who silences it does not want it told later */
		return alarm->suppressed == GM_SUPPRESSION_NONE;
	/* Either way: a clock that was set back does not keep it. */
	return llabs(now - alarm->raised_at) < CRASH_LAPSE;
}

void gm_faults_free(struct gm_faults *state)
{
	free(state);
}
