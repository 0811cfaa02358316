/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lifecycle events mean for guests that are under way; see arrivals.h. Called by events.c.
 */
#include "source/libvirt/arrivals.h"

#include <libvirt/libvirt.h>
#include <string.h>

#include "source/libvirt/events.h"

/* Its place; `count`: it is not there. */
static size_t find(const struct gm_lv_arrivals *arrivals, const uint8_t *uuid)
{
	size_t at = 0;

	while (at < arrivals->count && memcmp(arrivals->list[at].uuid, uuid, GM_UUID_SIZE) != 0)
		at++;
	return at;
}

static void drop(struct gm_lv_arrivals *arrivals, size_t at)
{
	if (at < arrivals->count)
		memmove(&arrivals->list[at], &arrivals->list[at + 1],
			(--arrivals->count - at) * sizeof(arrivals->list[0]));
}

static void expect(struct gm_lv_arrivals *arrivals, const uint8_t *uuid, bool leaves)
{
	if (arrivals->count == GM_LV_ARRIVALS)
		drop(arrivals, 0);
	struct gm_lv_arrival *arrival = &arrivals->list[arrivals->count++];
	*arrival = (struct gm_lv_arrival){.leaves = leaves};
	memcpy(arrival->uuid, uuid, GM_UUID_SIZE);
}

static bool is_resumed(int event, int detail, int which)
{
	return event == VIR_DOMAIN_EVENT_RESUMED && detail == which;
}

/* At the source, in the last moment. */
static bool is_suspended_to_go(int event, int detail)
{
	return event == VIR_DOMAIN_EVENT_SUSPENDED && detail == VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED;
}

bool gm_lv_arrivals_judge(struct gm_lv_arrivals *arrivals, const uint8_t uuid[GM_UUID_SIZE],
			  int event, int detail, enum gm_guest_event_kind *ret_kind)
{
	bool told = gm_lv_lifecycle_kind(event, detail, ret_kind);
	size_t at = find(arrivals, uuid);
	struct gm_lv_arrival was = {.runs = true}; /* one of ours */

	if (!told) /* it is defined, say, which it may be before or after */
		return false;
	if (at < arrivals->count) {
		if (is_resumed(event, detail, VIR_DOMAIN_EVENT_RESUMED_POSTCOPY)) {
			arrivals->list[at].runs = true;
			return true;
		}
		was = arrivals->list[at];
	}
	drop(arrivals, at);
	if (*ret_kind == GM_GUEST_CRASHED && !was.runs && !was.leaves)
		*ret_kind = GM_GUEST_STOPPED; /* the migration is given up */
	else if (was.leaves && is_resumed(event, detail, VIR_DOMAIN_EVENT_RESUMED_MIGRATED))
		*ret_kind = GM_GUEST_STAYED;
	else if (event == VIR_DOMAIN_EVENT_STARTED && *ret_kind == GM_GUEST_MIGRATED)
		expect(arrivals, uuid, false);
	else if (is_suspended_to_go(event, detail))
		expect(arrivals, uuid, true);
	return true;
}

bool gm_lv_arrivals_awaits(const struct gm_lv_arrivals *arrivals, const uint8_t uuid[GM_UUID_SIZE])
{
	size_t at = find(arrivals, uuid);

	return at < arrivals->count && !arrivals->list[at].runs && !arrivals->list[at].leaves;
}
