/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a snapshot that is inventory: the node as a host of guests, the guests' disks and vCPUs, and
 * the tenants whose they are; see view.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/view_private.h"

enum {
	VCPUS_MAX = 65536, /* 24 MiB; beyond them, the last have no row */
};

static void build_host(struct gm_view *view)
{
	struct gm_host_row *host = &view->snapshot->host;
	struct gm_entity_key key = gm_entity_node();
	const struct gm_tracked *node = gm_entities_find(view->input->entities, &key);
	if (node)
		host->info = node->info.node;
	host->booted_at = view->input->now - gm_clock_uptime();
	host->guests_changed_at = gm_entities_guests_changed_at(view->input->entities);
}

static int compare_disks(const void *a, const void *b)
{
	const struct gm_disk_row *one = a, *other = b;
	int order =
		gm_view_order(one->guest_index, one->ordinal, other->guest_index, other->ordinal);
	return order != 0 ? order : strcmp(one->target, other->target);
}

static bool same_disk(const struct gm_disk_row *one, const struct gm_disk_row *other)
{
	return one->guest_index == other->guest_index && one->ordinal == other->ordinal;
}

static void add_faults(const struct gm_view *view, struct gm_disk_row *row)
{
	struct gm_entity_key key = gm_entity_guest(row->info.guest);
	const struct gm_tracked *guest = gm_entities_find(view->input->entities, &key);
	const struct gm_disk_fault *fault =
		guest ? gm_disk_faults_find(guest->disk_faults, row->info.alias) : NULL;
	row->errors = fault ? fault->count : 0;
	row->failed_at = fault ? fault->at : 0;
}

static void build_disks(struct gm_view *view)
{
	struct gm_disk_row *disks =
		gm_view_take(view, gm_view_count(view, GM_ENTITY_DISK), sizeof(*disks));
	size_t count = 0, kept = 0;
	for (const struct gm_tracked *tracked = gm_entities_first(view->input->entities);
	     tracked && disks; tracked = gm_entities_next(tracked)) {
		/* The host's own disks, and the file systems inside of guests, have no ordinal. */
		if (tracked->info.key.kind != GM_ENTITY_DISK || tracked->guest_index == 0 ||
		    !tracked->told_by || tracked->info.disk.ordinal == 0)
			continue;
		struct gm_disk_row *row = &disks[count++];
		row->guest_index = tracked->guest_index;
		row->ordinal = tracked->info.disk.ordinal;
		memcpy(row->target, tracked->info.key.name, sizeof(row->target));
		row->info = tracked->info.disk;
		row->last = gm_view_last(view, tracked);
		add_faults(view, row);
	}
	if (!disks)
		return;
	qsort(disks, count, sizeof(*disks), compare_disks);
	/* While one is replaced by another, two may claim a place. */
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !same_disk(&disks[kept - 1], &disks[i]))
			disks[kept++] = disks[i];
	view->snapshot->disks = disks;
	view->snapshot->disk_count = kept;
}

static size_t count_vcpus(const struct gm_view *view)
{
	size_t count = 0;
	for (const struct gm_tracked *tracked = gm_entities_first(view->input->entities); tracked;
	     tracked = gm_entities_next(tracked))
		count += tracked->vcpu_count;
	return count < VCPUS_MAX ? count : VCPUS_MAX;
}

static int compare_vcpus(const void *a, const void *b)
{
	const struct gm_vcpu_row *one = a, *other = b;
	return gm_view_order(one->guest_index, one->number, other->guest_index, other->number);
}

/* When a guest's vCPUs were told of; one that was unplugged is told of no more. 0: they never were. */
static int64_t newest_told(const struct gm_tracked *guest)
{
	int64_t newest = 0;
	for (size_t i = 0; i < guest->vcpu_count; i++)
		if (guest->vcpus[i].told_at > newest)
			newest = guest->vcpus[i].told_at;
	return newest;
}

static struct gm_last_set last_of_vcpu(struct gm_view *view, const struct gm_vcpu *vcpu)
{
	/* In the order of the catalogue. */
	static const uint16_t metrics[GM_VCPU_TIMES] = {
		[GM_VCPU_RUN] = GM_METRIC_VCPU_TIME,
		[GM_VCPU_WAIT] = GM_METRIC_VCPU_WAIT,
		[GM_VCPU_STEAL] = GM_METRIC_VCPU_STEAL,
	};
	struct gm_last_set set = {.items = gm_view_take(view, GM_VCPU_TIMES, sizeof(*set.items))};
	for (unsigned i = 0; i < GM_VCPU_TIMES && set.items; i++) {
		if ((vcpu->known >> i & 1) == 0)
			continue;
		set.items[set.count++] = (struct gm_last){
			.metric = metrics[i],
			.has_rate = vcpu->has_rate >> i & 1,
			.value.counter = vcpu->times[i],
			.rate = vcpu->rates[i],
			.measured_at = vcpu->told_at,
		};
	}
	return set;
}

static void build_vcpus(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	size_t room = count_vcpus(view), count = 0;
	snapshot->vcpus = gm_view_take(view, room, sizeof(*snapshot->vcpus));
	for (const struct gm_tracked *guest = gm_entities_first(view->input->entities);
	     guest && snapshot->vcpus; guest = gm_entities_next(guest)) {
		if (guest->guest_index == 0 || !guest->told_by)
			continue;
		int64_t newest = newest_told(guest);
		for (size_t i = 0; i < guest->vcpu_count && count < room && newest != 0; i++) {
			if (guest->vcpus[i].told_at != newest)
				continue;
			snapshot->vcpus[count++] = (struct gm_vcpu_row){
				.guest_index = guest->guest_index,
				.number = (uint32_t)i + 1,
				.vcpu = guest->vcpus[i],
				.last = last_of_vcpu(view, &guest->vcpus[i]),
			};
			if (guest->vcpus[i].cpu_count > snapshot->host.cpu_count)
				snapshot->host.cpu_count = guest->vcpus[i].cpu_count;
		}
	}
	if (snapshot->vcpus)
		qsort(snapshot->vcpus, count, sizeof(*snapshot->vcpus), compare_vcpus);
	snapshot->vcpu_count = count;
}

static int compare_names(const char *one, const char *other)
{
	size_t length = strlen(one), other_length = strlen(other);
	if (length != other_length)
		return length < other_length ? -1 : 1;
	return strcmp(one, other);
}

static int compare_tenants(const void *a, const void *b)
{
	const struct gm_tenant_row *one = a, *other = b;
	return compare_names(one->name, other->name);
}

static struct gm_tenant_row *find_tenant(const struct gm_snapshot *snapshot, const char *name)
{
	struct gm_tenant_row key;
	memcpy(key.name, name, sizeof(key.name));
	return bsearch(&key, snapshot->tenants, snapshot->tenant_count, sizeof(key),
		       compare_tenants);
}

static void count_of_tenants(struct gm_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->alarm_count; i++) {
		const struct gm_alarm *alarm = &snapshot->alarms[i];
		char name[GM_TENANT_SIZE];
		gm_tenant_name(alarm->project_uuid, alarm->project, name);
		struct gm_tenant_row *tenant = find_tenant(snapshot, name);
		if (tenant)
			tenant->active_alarms++;
	}
	/* Both are sorted by the guests' index. */
	size_t g = 0;
	for (size_t i = 0; i < snapshot->port_count; i++) {
		uint32_t index = snapshot->ports[i].guest_index;
		while (g < snapshot->guest_count && snapshot->guests[g].index < index)
			g++;
		struct gm_tenant_row *tenant =
			g < snapshot->guest_count && snapshot->guests[g].index == index
				? find_tenant(snapshot, snapshot->guests[g].tenant)
				: NULL;
		if (tenant)
			tenant->ports++;
	}
}

static void build_tenants(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	struct gm_tenant_row *tenants = gm_view_take(view, snapshot->guest_count, sizeof(*tenants));
	size_t count = 0, kept = 0;
	for (size_t i = 0; tenants && i < snapshot->guest_count; i++) {
		const struct gm_guest_row *guest = &snapshot->guests[i];
		if (!guest->tenant[0])
			continue;
		struct gm_tenant_row *row = &tenants[count++];
		memcpy(row->name, guest->tenant, sizeof(row->name));
		memcpy(row->project, guest->info.project, sizeof(row->project));
		row->guests = 1;
	}
	if (!tenants)
		return;
	qsort(tenants, count, sizeof(*tenants), compare_tenants);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && compare_tenants(&tenants[kept - 1], &tenants[i]) == 0)
			tenants[kept - 1].guests++;
		else
			tenants[kept++] = tenants[i];
	}
	snapshot->tenants = tenants;
	snapshot->tenant_count = kept;
	count_of_tenants(snapshot);
}

/* The host's own devices are of index 0, before all others. */
static void build_ports(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	size_t first = 0;
	while (first < snapshot->interface_count && snapshot->interfaces[first].guest_index == 0)
		first++;
	snapshot->ports = snapshot->interfaces + first;
	snapshot->port_count = snapshot->interface_count - first;
}

void gm_view_inventory(struct gm_view *view)
{
	build_host(view);
	build_disks(view);
	build_vcpus(view);
	build_ports(view);
	build_tenants(view);
}
