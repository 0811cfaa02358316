/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See happenings.h.
 */
#include "daemon/happenings.h"

#include "base/clock.h"
#include "base/text.h"

/*
 * A planned change of a guest. One that starts the system anew or moves it is one for all that belongs to it;
 * another size of the balloon tells nothing about its ports.
 */
static void disturb(struct gm_happenings *happenings, struct gm_tracked *guest,
		    const struct gm_guest_event *event)
{
	static const unsigned moves = 1U << GM_GUEST_REBOOTED | 1U << GM_GUEST_MIGRATED |
				      1U << GM_GUEST_STARTED | 1U << GM_GUEST_MIGRATING;
	if ((moves >> event->kind & 1) == 0) {
		if (event->kind == GM_GUEST_BALLOON && guest->detectors)
			gm_detector_set_disturb(guest->detectors, event->time);
		return;
	}
	if (event->time > guest->disturbed_at)
		guest->disturbed_at = event->time;
	happenings->disturbed = true;
}

void gm_happenings_settle(struct gm_happenings *happenings, struct gm_entities *entities)
{
	if (!happenings->disturbed)
		return;
	happenings->disturbed = false;
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		if (!tracked->detectors)
			continue;
		const struct gm_tracked *guest = gm_entities_guest_of(entities, tracked);
		if (guest && guest->disturbed_at != 0)
			gm_detector_set_disturb(tracked->detectors, guest->disturbed_at);
	}
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked))
		tracked->disturbed_at = 0;
}

/* What is known of a guest's way from or to this node. False: nothing new. */
static bool note_move(struct gm_tracked *guest, const struct gm_guest_event *event)
{
	bool leaving = guest->leaving;

	switch (event->kind) {
	case GM_GUEST_MIGRATING:
	case GM_GUEST_MIGRATED:
		guest->leaving = event->kind == GM_GUEST_MIGRATING;
		guest->moved_at = event->time;
		return true;
	case GM_GUEST_MOVING:
		if (leaving && event->time > guest->moved_at)
			guest->moved_at = event->time;
		return false;
	case GM_GUEST_STAYED:
		if (event->time <= guest->moved_at)
			return false; /* asked for before it was to go: the answer came late */
		guest->leaving = false;
		if (leaving)
			guest->moved_at = 0;
		return leaving;
	default:
		return true;
	}
}

static bool is_fault(enum gm_guest_event_kind kind)
{
	static const unsigned faults = 1U << GM_GUEST_CRASHED | 1U << GM_GUEST_WATCHDOG |
				       1U << GM_GUEST_IO_ERROR | 1U << GM_GUEST_CONTROL_ERROR |
				       1U << GM_GUEST_MEMORY_FAILURE;
	return faults >> kind & 1;
}

/* A guest can notify, have its disk fail and its agent restart as often as it likes. */
static bool is_limited(struct gm_happenings *happenings, enum gm_guest_event_kind kind)
{
	return kind >= GM_GUEST_SNMPD_STARTED &&
	       !gm_log_allowed(&happenings->limits[kind], gm_clock_monotonic(), GM_SECOND, NULL);
}

void gm_happenings_take(struct gm_happenings *happenings, struct gm_entities *entities,
			const struct gm_guest_event *event)
{
	struct gm_tracked *guest = gm_entities_find(entities, &event->key);

	if (guest)
		disturb(happenings, guest, event);
	if (guest && event->kind == GM_GUEST_IO_ERROR)
		gm_disk_faults_count(&guest->disk_faults, event->detail, event->time);
	if (guest && event->kind == GM_GUEST_DEVICE_REMOVED)
		gm_disk_faults_forget(guest->disk_faults, event->detail);
	bool answer = event->kind == GM_GUEST_MOVING || event->kind == GM_GUEST_STAYED;
	bool news = guest ? note_move(guest, event) : !answer; /* the answer comes late */
	if (!news || event->kind >= GM_GUEST_EVENTS || is_limited(happenings, event->kind))
		return;
	char name[2 * GM_NAME_SIZE], uuid[GM_UUID_TEXT], detail[2 * sizeof(event->detail)] = "";
	gm_text_quote(name, sizeof(name), guest ? gm_guest_label(&guest->info.guest) : "?");
	if (event->detail[0] != '\0')
		gm_text_quote(detail, sizeof(detail), event->detail);
	gm_log(is_fault(event->kind) ? GM_LOG_WARNING : GM_LOG_INFO, "guest %s (%s): %s%s%s", name,
	       gm_uuid_text(event->key.uuid, uuid), gm_guest_event_name(event->kind),
	       detail[0] != '\0' ? " " : "", detail);
}
