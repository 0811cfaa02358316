/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots out of entities, alarms and statuses; see view.h. Called by pipeline.c a few times a
 * second; nothing here is kept between calls.
 */
#include "daemon/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct builder {
	const struct gm_view_input *input;
	struct gm_snapshot *snapshot;
	bool failed;
};

static void *take(struct builder *builder, size_t count, size_t size)
{
	void *memory = gm_snapshot_alloc(builder->snapshot, count ? count : 1, size);
	builder->failed |= memory == NULL;
	return memory;
}

static struct gm_last_set last_of(struct builder *builder, const struct gm_tracked *tracked)
{
	struct gm_last items[GM_METRIC_COUNT];
	struct gm_last_set set = {.count = gm_window_last(tracked->window, items, GM_METRIC_COUNT)};
	set.items = take(builder, set.count, sizeof(*set.items));
	if (set.items)
		memcpy(set.items, items, set.count * sizeof(*items));
	else
		set.count = 0;
	return set;
}

static size_t count_kind(const struct builder *builder, enum gm_entity_kind kind)
{
	size_t count = 0;
	for (struct gm_tracked *tracked = gm_entities_first(builder->input->entities); tracked;
	     tracked = gm_entities_next(tracked))
		count += tracked->info.key.kind == kind;
	return count;
}

static uint32_t count_alarms(const struct builder *builder, uint32_t guest_index)
{
	uint32_t count = 0;
	for (size_t i = 0; i < builder->snapshot->alarm_count; i++)
		count += builder->snapshot->alarms[i].guest_index == guest_index;
	return count;
}

/*
 * A guest whose monitor hangs still shows a state and interface counters: it is stale when the slow
 * lane, once it has told of it, tells no more, or when nobody tells of it at all.
 */
static bool is_stale(const struct gm_view_input *input, const struct gm_tracked *guest)
{
	int64_t slow = guest->newest[GM_SOURCE_LIBVIRT_SLOW], newest = 0;
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		if (guest->newest[id] > newest)
			newest = guest->newest[id];
	return input->now - newest > input->stale_after ||
	       (slow != 0 && input->now - slow > input->stale_after);
}

static int compare_guests(const void *a, const void *b)
{
	uint32_t one = ((const struct gm_guest_row *)a)->index;
	uint32_t other = ((const struct gm_guest_row *)b)->index;
	return (one > other) - (one < other);
}

static void build_guests(struct builder *builder)
{
	struct gm_snapshot *snapshot = builder->snapshot;
	snapshot->guests =
		take(builder, count_kind(builder, GM_ENTITY_GUEST), sizeof(*snapshot->guests));
	for (struct gm_tracked *tracked = gm_entities_first(builder->input->entities);
	     tracked && snapshot->guests; tracked = gm_entities_next(tracked)) {
		if (tracked->info.key.kind == GM_ENTITY_NODE)
			snapshot->node = last_of(builder, tracked);
		/* Without its index a guest has no place in a table; without its name it is not known. */
		if (tracked->info.key.kind != GM_ENTITY_GUEST || tracked->guest_index == 0 ||
		    !tracked->told_by)
			continue;
		struct gm_guest_row *row = &snapshot->guests[snapshot->guest_count++];
		row->index = tracked->guest_index;
		memcpy(row->uuid, tracked->info.key.uuid, GM_UUID_SIZE);
		row->info = tracked->info.guest;
		row->stale = is_stale(builder->input, tracked);
		row->active_alarms = count_alarms(builder, tracked->guest_index);
		row->last = last_of(builder, tracked);
	}
	if (snapshot->guests)
		qsort(snapshot->guests, snapshot->guest_count, sizeof(*snapshot->guests),
		      compare_guests);
}

/*
 * Where an entity stands in the tables, beside its guest's index. The node itself is at 0.0; the host's
 * devices have no number but the kernel's. False: it has no place (yet).
 */
static bool place_of(const struct gm_tracked *tracked, uint32_t *ret_ordinal)
{
	if (tracked->info.key.kind == GM_ENTITY_INTERFACE) {
		*ret_ordinal = tracked->guest_index != 0 ? tracked->ordinal
							 : tracked->info.interface.if_index;
		return *ret_ordinal != 0;
	}
	*ret_ordinal = 0;
	return tracked->info.key.kind == GM_ENTITY_NODE || tracked->guest_index != 0;
}

static int compare_interfaces(const void *a, const void *b)
{
	const struct gm_interface_row *one = a, *other = b;
	if (one->guest_index != other->guest_index)
		return one->guest_index < other->guest_index ? -1 : 1;
	if (one->ordinal != other->ordinal)
		return one->ordinal < other->ordinal ? -1 : 1;
	return strcmp(one->device, other->device);
}

static void build_interfaces(struct builder *builder)
{
	struct gm_snapshot *snapshot = builder->snapshot;
	snapshot->interfaces = take(builder, count_kind(builder, GM_ENTITY_INTERFACE),
				    sizeof(*snapshot->interfaces));
	for (struct gm_tracked *tracked = gm_entities_first(builder->input->entities);
	     tracked && snapshot->interfaces; tracked = gm_entities_next(tracked)) {
		if (tracked->info.key.kind != GM_ENTITY_INTERFACE)
			continue;
		uint32_t ordinal;
		if (!place_of(tracked, &ordinal))
			continue;
		struct gm_interface_row *row = &snapshot->interfaces[snapshot->interface_count++];
		row->guest_index = tracked->guest_index;
		row->ordinal = ordinal;
		memcpy(row->device, tracked->info.key.name, sizeof(row->device));
		row->info = tracked->info.interface;
		row->last = last_of(builder, tracked);
	}
	if (snapshot->interfaces)
		qsort(snapshot->interfaces, snapshot->interface_count,
		      sizeof(*snapshot->interfaces), compare_interfaces);
}

static int compare_findings(const void *a, const void *b)
{
	const struct gm_finding_row *one = a, *other = b;
	if (one->guest_index != other->guest_index)
		return one->guest_index < other->guest_index ? -1 : 1;
	if (one->ordinal != other->ordinal)
		return one->ordinal < other->ordinal ? -1 : 1;
	return (int)other->rx - (int)one->rx;
}

/* A detector's table has one row for each guest (or port): what else it finds there is in the alarms. */
static bool has_row(const struct gm_tracked *tracked, const struct gm_finding *finding,
		    const char *detector)
{
	return tracked->info.key.kind != GM_ENTITY_PROCESS &&
	       strcmp(finding->detector, detector) == 0 &&
	       strcmp(finding->metric, gm_metric_get(GM_METRIC_MEMORY_RESIDENT)->name) != 0;
}

/* The rows of one detector's findings on entities of guests. */
static size_t build_findings(struct builder *builder, const char *detector,
			     struct gm_finding_row **ret_rows)
{
	size_t total = 0, count = 0;
	struct gm_tracked *tracked;
	for (tracked = gm_entities_first(builder->input->entities); tracked;
	     tracked = gm_entities_next(tracked))
		total += tracked->finding_count;
	struct gm_finding_row *rows = take(builder, total, sizeof(*rows));
	*ret_rows = rows;
	for (tracked = gm_entities_first(builder->input->entities); tracked && rows;
	     tracked = gm_entities_next(tracked)) {
		uint32_t ordinal;
		for (size_t i = 0; i < tracked->finding_count && place_of(tracked, &ordinal); i++) {
			const struct gm_finding *finding = &tracked->findings[i];
			if (!has_row(tracked, finding, detector))
				continue;
			const struct gm_alarm *alarm =
				gm_alarms_find(builder->input->alarms, &finding->key, detector,
					       finding->metric, finding->rule);
			rows[count++] = (struct gm_finding_row){
				.guest_index = tracked->guest_index,
				.ordinal = ordinal,
				.rx = strcmp(finding->evidence.direction, "rx") == 0,
				.alarm_id = alarm ? alarm->id : 0,
				.finding = *finding,
			};
		}
	}
	if (rows)
		qsort(rows, count, sizeof(*rows), compare_findings);
	return count;
}

static void build_alarms(struct builder *builder)
{
	struct gm_snapshot *snapshot = builder->snapshot;
	size_t count = gm_alarms_active(builder->input->alarms, NULL, 0);
	snapshot->alarms = take(builder, count, sizeof(*snapshot->alarms));
	if (snapshot->alarms)
		snapshot->alarm_count =
			gm_alarms_active(builder->input->alarms, snapshot->alarms, count);

	const struct gm_transition *first, *second;
	size_t first_count;
	snapshot->log_count = gm_outlet_log(builder->input->outlet, &first, &first_count, &second);
	snapshot->log = take(builder, snapshot->log_count, sizeof(*snapshot->log));
	if (!snapshot->log)
		return;
	memcpy(snapshot->log, first, first_count * sizeof(*first));
	memcpy(snapshot->log + first_count, second,
	       (snapshot->log_count - first_count) * sizeof(*second));
}

int gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot)
{
	struct builder builder = {.input = input, .snapshot = gm_snapshot_create()};
	if (!builder.snapshot)
		return -ENOMEM;
	struct gm_snapshot *snapshot = builder.snapshot;
	snapshot->taken_at = input->now;
	snapshot->agent = *input->agent;
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		if (input->source_enabled[id])
			snapshot->sources[snapshot->source_count++] = input->sources[id];
	build_alarms(&builder);
	build_guests(&builder);
	build_interfaces(&builder);
	snapshot->leak_count = build_findings(&builder, "leak", &snapshot->leaks);
	snapshot->burst_count = build_findings(&builder, "burst", &snapshot->bursts);
	if (builder.failed) {
		gm_snapshot_destroy(snapshot);
		return -ENOMEM;
	}
	*ret_snapshot = snapshot;
	return 0;
}
