/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tenant's part of a snapshot; see scope.h. Every array of the snapshot is listed here: one that is not
 * would be empty for tenants, and nothing worse. Called by handler.c.
 */
#include "north/mib/scope.h"

#include <stdlib.h>
#include <string.h>

/* An array of rows that say which guest they are of. */
struct part {
	size_t rows_at, count_at, size, guest_at;
};
#define PART(array, counter, row, member)                                                   \
	{                                                                                   \
		offsetof(struct gm_snapshot, array), offsetof(struct gm_snapshot, counter), \
			sizeof(struct row), offsetof(struct row, member)                    \
	}
static const struct part parts[] = {
	PART(guests, guest_count, gm_guest_row, index),
	PART(interfaces, interface_count, gm_interface_row, guest_index),
	PART(ports, port_count, gm_interface_row, guest_index),
	PART(disks, disk_count, gm_disk_row, guest_index),
	PART(vcpus, vcpu_count, gm_vcpu_row, guest_index),
	PART(leaks, leak_count, gm_finding_row, guest_index),
	PART(host_leaks, host_leak_count, gm_finding_row, guest_index),
	PART(processes, process_count, gm_process_row, guest_index),
	PART(bursts, burst_count, gm_finding_row, guest_index),
	PART(packet_bursts, packet_burst_count, gm_finding_row, guest_index),
	PART(burst_totals, burst_total_count, gm_burst_total_row, guest_index),
	PART(burst_buckets, burst_bucket_count, gm_bucket_row, guest_index),
	PART(anomalies, anomaly_count, gm_finding_row, guest_index),
	PART(errors, error_count, gm_finding_row, guest_index),
	PART(packed, packed_count, gm_packed_row, guest_index),
};

struct owner {
	const char *tenant;
	size_t count;
	uint32_t *indexes; /* of its guests, sorted */
};

static bool owns(const struct owner *owner, uint32_t index)
{
	size_t low = 0, high = owner->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (owner->indexes[middle] == index)
			return true;
		if (owner->indexes[middle] < index)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool find_guests(const struct gm_snapshot *whole, struct gm_snapshot *scope,
			struct owner *owner)
{
	owner->indexes = gm_snapshot_alloc(scope, whole->guest_count + 1, sizeof(uint32_t));
	for (size_t i = 0; owner->indexes && i < whole->guest_count; i++)
		if (strcmp(whole->guests[i].tenant, owner->tenant) == 0)
			owner->indexes[owner->count++] = whole->guests[i].index;
	return owner->indexes;
}

static bool copy_part(const struct gm_snapshot *whole, struct gm_snapshot *scope,
		      const struct part *part, const struct owner *owner)
{
	const char *rows;
	size_t count, kept = 0;
	memcpy(&rows, (const char *)whole + part->rows_at, sizeof(rows));
	memcpy(&count, (const char *)whole + part->count_at, sizeof(count));
	for (int fill = 0; fill < 2; fill++) {
		char *copy = fill ? gm_snapshot_alloc(scope, kept + 1, part->size) : NULL;
		if (fill && !copy)
			return false;
		kept = 0;
		for (size_t i = 0; i < count; i++) {
			uint32_t guest;
			const char *row = rows + i * part->size;
			memcpy(&guest, row + part->guest_at, sizeof(guest));
			if (!owns(owner, guest))
				continue;
			if (fill)
				memcpy(copy + kept * part->size, row, part->size);
			kept++;
		}
		if (fill)
			memcpy((char *)scope + part->rows_at, &copy, sizeof(copy));
	}
	memcpy((char *)scope + part->count_at, &kept, sizeof(kept));
	return true;
}

static bool is_of(const struct gm_alarm *alarm, const char *tenant)
{
	char name[GM_TENANT_SIZE];
	return strcmp(gm_tenant_name(alarm->project_uuid, alarm->project, name), tenant) == 0;
}

/* A guest may have gone, and its index may be another's: an alarm says itself whose it is. */
static bool copy_alarms(const struct gm_snapshot *whole, struct gm_snapshot *scope,
			const char *tenant)
{
	scope->alarms = gm_snapshot_alloc(scope, whole->alarm_count + 1, sizeof(*scope->alarms));
	scope->log = gm_snapshot_alloc(scope, whole->log_count + 1, sizeof(*scope->log));
	if (!scope->alarms || !scope->log)
		return false;
	for (size_t i = 0; i < whole->alarm_count; i++)
		if (is_of(&whole->alarms[i], tenant))
			scope->alarms[scope->alarm_count++] = whole->alarms[i];
	for (size_t i = 0; i < whole->log_count; i++)
		if (is_of(&whole->log[i].alarm, tenant))
			scope->log[scope->log_count++] = whole->log[i];
	return true;
}

/* Who bursts at the same time may be anybody's. */
static void hide_rivals(struct gm_snapshot *scope)
{
	for (size_t i = 0; i < scope->burst_count; i++)
		scope->bursts[i].finding.evidence.contributors[0] = '\0';
	for (size_t i = 0; i < scope->packet_burst_count; i++)
		scope->packet_bursts[i].finding.evidence.contributors[0] = '\0';
	for (size_t i = 0; i < scope->alarm_count; i++)
		if (strcmp(scope->alarms[i].detector, "burst") == 0)
			scope->alarms[i].evidence.contributors[0] = '\0';
	for (size_t i = 0; i < scope->log_count; i++)
		if (strcmp(scope->log[i].alarm.detector, "burst") == 0)
			scope->log[i].alarm.evidence.contributors[0] = '\0';
}

struct gm_snapshot *gm_mib_scope(const struct gm_snapshot *whole, const char *tenant)
{
	struct gm_snapshot *scope = gm_snapshot_create();
	struct owner owner = {.tenant = tenant};
	if (!scope)
		return NULL;
	scope->taken_at = whole->taken_at;
	scope->agent = whole->agent;
	scope->host = whole->host;
	scope->detector_count = whole->detector_count;
	memcpy(scope->detectors, whole->detectors, sizeof(scope->detectors));
	bool made = find_guests(whole, scope, &owner) && copy_alarms(whole, scope, tenant);
	for (size_t i = 0; made && i < sizeof(parts) / sizeof(parts[0]); i++)
		made = copy_part(whole, scope, &parts[i], &owner);
	if (!made) {
		gm_snapshot_destroy(scope);
		return NULL;
	}
	hide_rivals(scope);
	if (gm_snapshot_order_alarms(scope) < 0) {
		gm_snapshot_destroy(scope);
		return NULL;
	}
	return scope;
}
