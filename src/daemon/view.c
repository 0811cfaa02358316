/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots out of entities, alarms and statuses; see view.h. Called by pipeline.c a few times a
 * second; nothing here is kept between calls.
 */
#include "daemon/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/view_private.h"

void *gm_view_take(struct gm_view *view, size_t count, size_t size)
{
	void *memory = gm_snapshot_alloc(view->snapshot, count ? count : 1, size);
	view->failed |= memory == NULL;
	return memory;
}

struct gm_last_set gm_view_last(struct gm_view *view, const struct gm_tracked *tracked)
{
	struct gm_last items[GM_METRIC_COUNT];
	struct gm_last_set set = {.count = gm_window_last(tracked->window, items, GM_METRIC_COUNT)};
	set.items = gm_view_take(view, set.count, sizeof(*set.items));
	if (set.items)
		memcpy(set.items, items, set.count * sizeof(*items));
	else
		set.count = 0;
	return set;
}

size_t gm_view_count(const struct gm_view *view, enum gm_entity_kind kind)
{
	size_t count = 0;
	for (struct gm_tracked *tracked = gm_entities_first(view->input->entities); tracked;
	     tracked = gm_entities_next(tracked))
		count += tracked->info.key.kind == kind;
	return count;
}

/*
 * A guest whose monitor hangs still shows a state and interface counters: it is stale when the slow
 * lane, once it has told of it, tells no more, or when nobody tells of it at all.
 */
static bool is_stale(const struct gm_view_input *input, const struct gm_tracked *guest)
{
	int64_t slow = 0, newest = 0;
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		if (guest->newest[id] > newest)
			newest = guest->newest[id];
	for (unsigned uri = 0; uri < GM_LIBVIRT_URIS; uri++)
		if (guest->newest[gm_source_libvirt(uri, true)] > slow)
			slow = guest->newest[gm_source_libvirt(uri, true)];
	return input->now - newest > input->stale_after ||
	       (slow != 0 && input->now - slow > input->stale_after);
}

static int compare_guests(const void *a, const void *b)
{
	uint32_t one = ((const struct gm_guest_row *)a)->index;
	uint32_t other = ((const struct gm_guest_row *)b)->index;
	return (one > other) - (one < other);
}

static int compare_index(const void *index, const void *row)
{
	uint32_t one = *(const uint32_t *)index, other = ((const struct gm_guest_row *)row)->index;
	return (one > other) - (one < other);
}

/* Of guests that are sorted by index. */
static void count_alarms(struct gm_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->alarm_count; i++) {
		struct gm_guest_row *row =
			bsearch(&snapshot->alarms[i].guest_index, snapshot->guests,
				snapshot->guest_count, sizeof(*row), compare_index);
		if (row)
			row->active_alarms++;
	}
}

static void build_guests(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	snapshot->guests =
		gm_view_take(view, gm_view_count(view, GM_ENTITY_GUEST), sizeof(*snapshot->guests));
	for (struct gm_tracked *tracked = gm_entities_first(view->input->entities);
	     tracked && snapshot->guests; tracked = gm_entities_next(tracked)) {
		if (tracked->info.key.kind == GM_ENTITY_NODE)
			snapshot->node = gm_view_last(view, tracked);
		/* Without its index a guest has no place in a table; without its name it is not known. */
		if (tracked->info.key.kind != GM_ENTITY_GUEST || tracked->guest_index == 0 ||
		    !tracked->told_by)
			continue;
		struct gm_guest_row *row = &snapshot->guests[snapshot->guest_count++];
		row->index = tracked->guest_index;
		memcpy(row->uuid, tracked->info.key.uuid, GM_UUID_SIZE);
		row->info = tracked->info.guest;
		row->stale = is_stale(view->input, tracked);
		row->started_at = tracked->started_at;
		gm_tenant_name(row->info.project_uuid, row->info.project, row->tenant);
		row->last = gm_view_last(view, tracked);
	}
	if (!snapshot->guests)
		return;
	qsort(snapshot->guests, snapshot->guest_count, sizeof(*snapshot->guests), compare_guests);
	count_alarms(snapshot);
}

bool gm_view_place(const struct gm_tracked *tracked, uint32_t *ret_ordinal)
{
	if (tracked->info.key.kind == GM_ENTITY_INTERFACE) {
		*ret_ordinal = tracked->guest_index != 0 ? tracked->ordinal
							 : tracked->info.interface.if_index;
		return *ret_ordinal != 0;
	}
	*ret_ordinal = 0;
	if (tracked->info.key.kind == GM_ENTITY_GUEST && !tracked->told_by)
		return false; /* without its name it is not known */
	return tracked->info.key.kind == GM_ENTITY_NODE || tracked->guest_index != 0;
}

int gm_view_order(uint32_t guest, uint32_t number, uint32_t other_guest, uint32_t other_number)
{
	if (guest != other_guest)
		return guest < other_guest ? -1 : 1;
	return (number > other_number) - (number < other_number);
}

static int compare_interfaces(const void *a, const void *b)
{
	const struct gm_interface_row *one = a, *other = b;
	int order =
		gm_view_order(one->guest_index, one->ordinal, other->guest_index, other->ordinal);
	return order != 0 ? order : strcmp(one->device, other->device);
}

static void build_interfaces(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	snapshot->interfaces = gm_view_take(view, gm_view_count(view, GM_ENTITY_INTERFACE),
					    sizeof(*snapshot->interfaces));
	for (struct gm_tracked *tracked = gm_entities_first(view->input->entities);
	     tracked && snapshot->interfaces; tracked = gm_entities_next(tracked)) {
		if (tracked->info.key.kind != GM_ENTITY_INTERFACE)
			continue;
		uint32_t ordinal;
		if (!gm_view_place(tracked, &ordinal))
			continue;
		struct gm_interface_row *row = &snapshot->interfaces[snapshot->interface_count++];
		row->guest_index = tracked->guest_index;
		row->ordinal = ordinal;
		memcpy(row->device, tracked->info.key.name, sizeof(row->device));
		row->info = tracked->info.interface;
		row->last = gm_view_last(view, tracked);
		gm_peaks_read(tracked->peaks, view->input->now, row->peaks);
	}
	if (snapshot->interfaces)
		qsort(snapshot->interfaces, snapshot->interface_count,
		      sizeof(*snapshot->interfaces), compare_interfaces);
}

static void build_alarms(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	size_t count = gm_alarms_active(view->input->alarms, NULL, 0);
	snapshot->alarms = gm_view_take(view, count, sizeof(*snapshot->alarms));
	if (snapshot->alarms)
		snapshot->alarm_count =
			gm_alarms_active(view->input->alarms, snapshot->alarms, count);

	const struct gm_transition *first, *second;
	size_t first_count;
	snapshot->log_count = gm_outlet_log(view->input->outlet, &first, &first_count, &second);
	snapshot->log = gm_view_take(view, snapshot->log_count, sizeof(*snapshot->log));
	if (!snapshot->log)
		return;
	memcpy(snapshot->log, first, first_count * sizeof(*first));
	memcpy(snapshot->log + first_count, second,
	       (snapshot->log_count - first_count) * sizeof(*second));
}

static void fill_outputs(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	if (!view->input->outputs)
		return;
	size_t count = gm_outputs_rows(view->input->outputs, NULL, 0);
	snapshot->outputs = gm_view_take(view, count, sizeof(*snapshot->outputs));
	if (snapshot->outputs)
		snapshot->output_count =
			gm_outputs_rows(view->input->outputs, snapshot->outputs, count);
}

int gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot)
{
	struct gm_view view = {.input = input, .snapshot = gm_snapshot_create()};
	if (!view.snapshot)
		return -ENOMEM;
	struct gm_snapshot *snapshot = view.snapshot;
	snapshot->taken_at = input->now;
	snapshot->agent = *input->agent;
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		if (input->source_enabled[id])
			snapshot->sources[snapshot->source_count++] = input->sources[id];
	build_alarms(&view);
	for (unsigned severity = 0; severity < GM_ALARM_SEVERITIES; severity++)
		snapshot->totals.raised[severity] = gm_outlet_raised(input->outlet, severity);
	view.failed |= !view.failed && gm_snapshot_order_alarms(snapshot) < 0;
	fill_outputs(&view);
	build_guests(&view);
	build_interfaces(&view);
	gm_view_managed(&view);
	gm_view_inventory(&view);
	gm_view_findings(&view);
	gm_view_processes(&view);
	gm_view_bursts(&view);
	gm_view_windows(&view);
	if (view.failed) {
		gm_snapshot_destroy(snapshot);
		return -ENOMEM;
	}
	*ret_snapshot = snapshot;
	return 0;
}
