/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge of the alarm engine; see alarming.h. Called by pipeline.c and by the commands.
 */
#include "daemon/alarming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "model/metric.h"

#define PRUNE (3600 * GM_SECOND) /* between two looks at the journal's age */

#define SETTLING (30 * GM_SECOND) /* after a guest's arrival here */

#define PROJECT "project:"

/* Those that somebody asked for. */
struct window {
	struct gm_maintenance_row row;
	struct gm_match match;
	bool node_only; /* what belongs to no guest */
	bool active;
};

struct gm_alarming {
	struct gm_alarms *alarms;
	const struct gm_handling *handling;
	const struct gm_entities *entities;
	struct gm_state *state;
	struct window windows[GM_MAINTENANCE_KEEP];
	size_t window_count;
	bool calendar_active[GM_HANDLING_MAX];
	int64_t looked_at, pruned_at;
	int64_t moved_at;   /* guests have begun to leave or have come since; 0: none has */
	uint32_t vnfs;      /* how often what guests are as VNFs was changed */
	uint64_t situation; /* who is silent, as one number: where it stays, nothing has changed */
};

/* ---- what a target means ---- */

static int read_target(const char *target, struct window *window, struct gm_error *err)
{
	uint8_t uuid[GM_UUID_SIZE];
	const char *pattern = target;
	char *place = window->match.name;

	if (target[0] == '\0' || strlen(target) >= GM_PATTERNS)
		return gm_error_set(err, -EINVAL,
				    "whose maintenance? all, node, project:NAME, or a guest by "
				    "name, pattern or UUID");
	if (strcmp(target, "all") == 0)
		return 0;
	if (strcmp(target, "node") == 0) {
		window->node_only = true;
		return 0;
	}
	if (strncmp(target, PROJECT, strlen(PROJECT)) == 0) {
		pattern = target + strlen(PROJECT);
		place = window->match.project;
	} else if (gm_uuid_parse(target, uuid) == 0) {
		place = window->match.uuid;
	}
	if (pattern[0] == '\0')
		return gm_error_set(err, -EINVAL,
				    "project: which one? Its name, UUID or a pattern");
	gm_text_copy(place, GM_PATTERNS, pattern);
	return 0;
}

/* Who an alarm is about; false: it is not known (yet). */
static bool subject_of(const struct gm_alarming *alarming, const struct gm_alarm *alarm,
		       struct gm_subject *subject)
{
	const struct gm_tracked *tracked = gm_entities_find(alarming->entities, &alarm->key);

	*subject = (struct gm_subject){.key = &alarm->key};
	if (!tracked)
		return alarm->key.kind == GM_ENTITY_NODE;
	*subject = gm_entities_subject(alarming->entities, tracked);
	return !subject->owner || subject->guest;
}

/* ---- the judge ---- */

static void settle(void *user, const struct gm_alarm *alarm, struct gm_alarm_options *options)
{
	const struct gm_alarming *alarming = user;
	struct gm_subject subject;

	subject_of(alarming, alarm, &subject);
	gm_handling_settle(alarming->handling, &subject, alarm, options);
}

static bool in_maintenance(const struct gm_alarming *alarming, const struct gm_subject *subject,
			   const struct gm_alarm *alarm)
{
	for (size_t i = 0; i < alarming->window_count; i++) {
		const struct window *window = &alarming->windows[i];

		if (window->active && !(window->node_only && subject->owner) &&
		    gm_match_holds(&window->match, subject))
			return true;
	}
	for (size_t i = 0; i < alarming->handling->maintenance_count; i++) {
		if (alarming->calendar_active[i] &&
		    gm_alarm_match_holds(&alarming->handling->maintenance[i].whom, subject, alarm))
			return true;
	}
	return false;
}

static bool any_maintenance(const struct gm_alarming *alarming)
{
	for (size_t i = 0; i < alarming->window_count; i++) {
		if (alarming->windows[i].active)
			return true;
	}
	for (size_t i = 0; i < alarming->handling->maintenance_count; i++) {
		if (alarming->calendar_active[i])
			return true;
	}
	return false;
}

/* virDomainState: paused, shut off, suspended by its own power management. */
static bool is_suspended(const struct gm_tracked *guest)
{
	struct gm_window_sample newest = {.time = 0};

	if (gm_window_read_newest(guest->window, GM_METRIC_GUEST_STATE, &newest, 1) == 0)
		return false;
	return newest.value.gauge == 3 || newest.value.gauge == 5 || newest.value.gauge == 7;
}

/*
 * From the first pass of its memory until it is gone or is known to stay. And at the target until what is seen of
 * it is its own again: what was learned of an earlier stay must not raise what was cleared elsewhere.
 */
static bool is_migrating(const struct gm_tracked *guest, int64_t now)
{
	return gm_tracked_is_leaving(guest, now) ||
	       (guest->moved_at != 0 && !guest->leaving && llabs(now - guest->moved_at) < SETTLING);
}

static int suppression(void *user, const struct gm_alarm *alarm)
{
	const struct gm_alarming *alarming = user;
	struct gm_subject subject;
	bool known = subject_of(alarming, alarm, &subject);

	/* The daemon's word about itself is never silenced. */
	if (strcmp(alarm->detector, GM_SELF_DETECTOR) == 0)
		return GM_SUPPRESSION_NONE;
	if (in_maintenance(alarming, &subject, alarm))
		return GM_SUPPRESSION_MAINTENANCE;
	/* As before, after a restart, until a source has told of it: while it can be so. */
	if (!known)
		return alarm->suppressed == GM_SUPPRESSION_MAINTENANCE && !any_maintenance(alarming)
			       ? GM_SUPPRESSION_NONE
			       : -1;
	/* A fault that libvirt tells of is often why the guest is suspended. */
	if (!subject.owner || strcmp(alarm->detector, GM_EVENT_DETECTOR) == 0)
		return GM_SUPPRESSION_NONE;
	const struct gm_entity_key key = gm_entity_guest(subject.owner);
	const struct gm_tracked *guest = gm_entities_find(alarming->entities, &key);
	if (guest && is_migrating(guest, alarming->looked_at))
		return GM_SUPPRESSION_MIGRATING; /* which may pause it at its end */
	return guest && is_suspended(guest) ? GM_SUPPRESSION_SUSPENDED : GM_SUPPRESSION_NONE;
}

/* ---- time ---- */

static void tell_window(const struct window *window)
{
	char target[2 * GM_MAINTENANCE_TARGET], comment[2 * GM_COMMENT], author[2 * GM_AUTHOR];

	gm_text_quote(target, sizeof(target), window->row.target);
	gm_text_quote(comment, sizeof(comment), window->row.comment);
	gm_text_quote(author, sizeof(author), window->row.author);
	gm_log(GM_LOG_NOTICE, "maintenance %lld of %s by %s %s: %s", (long long)window->row.id,
	       target, author, window->active ? "begins" : "ends", comment);
}

static void drop(struct gm_alarming *alarming, size_t at)
{
	memmove(&alarming->windows[at], &alarming->windows[at + 1],
		(--alarming->window_count - at) * sizeof(alarming->windows[0]));
}

/* Begins and ends what is due; what has ended is forgotten. */
static void turn_windows(struct gm_alarming *alarming, int64_t now)
{
	struct gm_error err;

	for (size_t i = 0; i < alarming->window_count;) {
		struct window *window = &alarming->windows[i];
		bool was = window->active, is_over = now >= window->row.end;

		window->active = now >= window->row.begin && !is_over;
		if (window->active != was)
			tell_window(window);
		if (is_over &&
		    gm_state_maintenance_remove(alarming->state, window->row.id, &err) < 0)
			gm_log(GM_LOG_WARNING, "%s", err.text);
		if (is_over)
			drop(alarming, i);
		else
			i++;
	}
}

static void turn_calendar(struct gm_alarming *alarming, int64_t now)
{
	for (size_t i = 0; i < alarming->handling->maintenance_count; i++) {
		const struct gm_maintenance_rule *rule = &alarming->handling->maintenance[i];
		bool holds = gm_calendar_holds(&rule->calendar, now);

		if (holds != alarming->calendar_active[i])
			gm_log(GM_LOG_NOTICE, "maintenance %s %s", rule->name,
			       holds ? "begins" : "ends");
		alarming->calendar_active[i] = holds;
	}
}

/* Of all that suppression() looks at, what changes with time. */
static uint64_t situation_of(const struct gm_alarming *alarming)
{
	uint64_t hash = GM_HASH_FIRST, guests = 0;

	for (size_t i = 0; i < alarming->window_count; i++) {
		if (alarming->windows[i].active)
			hash = gm_hash(hash, &alarming->windows[i].row.id, sizeof(int64_t));
	}
	hash = gm_hash(hash, alarming->calendar_active, sizeof(alarming->calendar_active));
	for (struct gm_tracked *tracked = gm_entities_first(alarming->entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		uint64_t guest = GM_HASH_FIRST;
		bool suspended = false, migrating = is_migrating(tracked, alarming->looked_at);

		if (tracked->info.key.kind == GM_ENTITY_GUEST)
			suspended = is_suspended(tracked);
		guest = gm_hash(guest, &tracked->info.key, sizeof(tracked->info.key));
		guest = gm_hash(guest, &tracked->guest_index, sizeof(tracked->guest_index));
		guest = gm_hash(guest, &suspended, sizeof(suspended));
		guest = gm_hash(guest, &migrating, sizeof(migrating));
		guests += guest; /* in whatever order they come */
	}
	hash = gm_hash(hash, &guests, sizeof(guests));
	return hash;
}

static void look(struct gm_alarming *alarming, int64_t now)
{
	turn_windows(alarming, now);
	turn_calendar(alarming, now);
	alarming->looked_at = now;
	alarming->moved_at = 0;
	uint64_t situation = situation_of(alarming);
	if (situation != alarming->situation)
		gm_alarms_reassess(alarming->alarms, now);
	alarming->situation = situation;
}

void gm_alarming_event(struct gm_alarming *alarming, struct gm_intake *intake,
		       const struct gm_guest_event *event)
{
	static const unsigned moves =
		1U << GM_GUEST_MIGRATING | 1U << GM_GUEST_MIGRATED | 1U << GM_GUEST_STAYED;
	gm_intake_event(intake, event);
	if (event->kind >= GM_GUEST_EVENTS || (moves >> event->kind & 1) == 0)
		return;
	if (event->time > alarming->moved_at)
		alarming->moved_at = event->time;
}

void gm_alarming_settle(struct gm_alarming *alarming)
{
	if (alarming->moved_at == 0)
		return;
	/* It may have waited: the time of maintenance does not go back for it. */
	look(alarming,
	     alarming->moved_at > alarming->looked_at ? alarming->moved_at : alarming->looked_at);
}

void gm_alarming_tick(struct gm_alarming *alarming, int64_t now)
{
	if (llabs(now - alarming->looked_at) >= GM_SECOND)
		look(alarming, now);
	if (llabs(now - alarming->pruned_at) >= PRUNE) {
		alarming->pruned_at = now;
		gm_state_journal_prune(alarming->state, now);
	}
	gm_alarms_tick(alarming->alarms, now);
}

void gm_alarming_configure(struct gm_alarming *alarming, const struct gm_alarm_options *options,
			   const struct gm_handling *handling, int64_t now)
{
	alarming->vnfs += !gm_handling_same_vnfs(alarming->handling, handling);
	alarming->handling = handling;
	memset(alarming->calendar_active, 0, sizeof(alarming->calendar_active));
	alarming->situation = 0;
	gm_alarms_configure(alarming->alarms, options);
	look(alarming, now);
}

/* ---- life ---- */

static void restore(void *user, const struct gm_maintenance_row *row)
{
	struct gm_alarming *alarming = user;
	struct window window = {.row = *row};

	if (alarming->window_count < GM_MAINTENANCE_KEEP &&
	    read_target(row->target, &window, NULL) == 0)
		alarming->windows[alarming->window_count++] = window;
}

int gm_alarming_create(struct gm_alarms *alarms, const struct gm_handling *handling,
		       const struct gm_entities *entities, struct gm_state *state, int64_t now,
		       struct gm_alarming **ret_alarming)
{
	struct gm_alarming *alarming = calloc(1, sizeof(*alarming));
	struct gm_error err;

	if (!alarming) {
		gm_alarms_free(alarms);
		return -ENOMEM;
	}
	alarming->alarms = alarms;
	alarming->handling = handling;
	alarming->entities = entities;
	alarming->state = state;
	if (gm_state_maintenance(state, restore, alarming, &err) < 0)
		gm_log(GM_LOG_ERROR, "maintenance is not restored: %s", err.text);
	/* Before the first finding: what is said while it is silent is not told. */
	turn_windows(alarming, now);
	turn_calendar(alarming, now);
	const struct gm_alarm_judge judge = {settle, suppression, alarming};
	gm_alarms_set_judge(alarms, &judge);
	*ret_alarming = alarming;
	return 0;
}

void gm_alarming_free(struct gm_alarming *alarming)
{
	if (!alarming)
		return;
	gm_alarms_free(alarming->alarms);
	free(alarming);
}

struct restoring {
	struct gm_alarms *alarms;
	struct gm_outputalarms *outputs;
};

static void restore_alarm(void *user, const struct gm_alarm *alarm)
{
	struct restoring *restoring = user;

	gm_outputalarms_adopt(restoring->outputs, alarm);
	int result = gm_alarms_restore(restoring->alarms, alarm);
	if (result < 0)
		gm_log(GM_LOG_ERROR, "alarm %u is not restored: %s", alarm->id, strerror(-result));
}

int gm_alarming_restore(struct gm_alarming *alarming, struct gm_outputalarms *outputs,
			struct gm_error *err)
{
	struct restoring restoring = {alarming->alarms, outputs};
	int skipped = gm_state_active(alarming->state, restore_alarm, &restoring);

	if (skipped > 0)
		gm_log(GM_LOG_ERROR, "%d records of active alarms could not be read", skipped);
	return skipped < 0 ? gm_error_set(err, skipped, "the active alarms cannot be read") : 0;
}

struct gm_alarms *gm_alarming_alarms(struct gm_alarming *alarming)
{
	return alarming->alarms;
}

const struct gm_handling *gm_alarming_handling(const struct gm_alarming *alarming)
{
	return alarming->handling;
}

uint32_t gm_alarming_vnfs(const struct gm_alarming *alarming)
{
	return alarming->vnfs;
}

struct gm_state *gm_alarming_state(struct gm_alarming *alarming)
{
	return alarming->state;
}

/* ---- what is asked for ---- */

int gm_alarming_add(struct gm_alarming *alarming, struct gm_maintenance_row *row, int64_t now,
		    struct gm_error *err)
{
	struct window window = {.node_only = false};
	int result = read_target(row->target, &window, err);

	if (result == 0 && (row->end <= row->begin || row->end <= now))
		result = gm_error_set(err, -EINVAL, "it would be over before it begins");
	if (result == 0)
		result = gm_state_maintenance_add(alarming->state, row, &row->id, err);
	if (result < 0)
		return result;
	window.row = *row;
	alarming->windows[alarming->window_count++] = window;
	look(alarming, now);
	return 0;
}

size_t gm_alarming_matching(const struct gm_alarming *alarming, const char *target)
{
	struct window window = {.node_only = false};
	size_t count = 0;

	if (read_target(target, &window, NULL) < 0)
		return 0;
	if (window.node_only)
		return 1;
	for (const struct gm_tracked *tracked = gm_entities_first(alarming->entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		enum gm_entity_kind kind = tracked->info.key.kind;

		if (kind != GM_ENTITY_GUEST && kind != GM_ENTITY_NODE)
			continue;
		struct gm_subject subject = gm_entities_subject(alarming->entities, tracked);
		count += gm_match_holds(&window.match, &subject);
	}
	return count;
}

int gm_alarming_remove(struct gm_alarming *alarming, int64_t id, int64_t now, struct gm_error *err)
{
	int result = gm_state_maintenance_remove(alarming->state, id, err);

	for (size_t i = 0; i < alarming->window_count && result == 0; i++) {
		if (alarming->windows[i].row.id != id)
			continue;
		alarming->windows[i].active = false;
		tell_window(&alarming->windows[i]);
		drop(alarming, i);
		break;
	}
	look(alarming, now);
	return result;
}

void gm_alarming_list(const struct gm_alarming *alarming, int64_t now,
		      void (*each)(void *user, const struct gm_maintenance_view *view), void *user)
{
	for (size_t i = 0; i < alarming->window_count; i++) {
		const struct window *window = &alarming->windows[i];
		const struct gm_maintenance_view view = {.row = &window->row,
							 .active = window->active};

		each(user, &view);
	}
	for (size_t i = 0; i < alarming->handling->maintenance_count; i++) {
		const struct gm_maintenance_rule *rule = &alarming->handling->maintenance[i];
		const struct gm_maintenance_view view = {
			.rule = rule, .active = gm_calendar_holds(&rule->calendar, now)};

		each(user, &view);
	}
}
