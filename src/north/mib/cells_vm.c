/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The getters of VM-MIB's own enumerations and units; see cells.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "north/mib/cells.h"

#define GETTER(name)                                               \
	bool name(const struct gm_mib_view *view, const void *row, \
		  const struct gm_mib_column *column, struct gm_mib_value *ret_value)

/* VirtualMachineOperState and VirtualMachineAdminState, by virDomainState. */
static const struct {
	uint8_t oper, admin;
} states[] = {
	{1, 1},  /* no state: unknown */
	{4, 1},  /* running */
	{4, 1},  /* blocked on a resource: running */
	{8, 3},  /* paused */
	{10, 4}, /* being shut down: shuttingdown */
	{11, 4}, /* shut off: shutdown */
	{12, 1}, /* crashed */
	{6, 2},  /* suspended by its power management */
};
enum { STATES = sizeof(states) / sizeof(states[0]), UNKNOWN = 0 };

static size_t state_of(const struct gm_last_set *set)
{
	const struct gm_last *newest = gm_last_find(set, GM_METRIC_GUEST_STATE);
	bool valid = newest && newest->value.gauge >= 0 && newest->value.gauge < STATES;
	return valid ? (size_t)newest->value.gauge : UNKNOWN;
}

uint8_t gm_vm_oper_state(const struct gm_last_set *set)
{
	return states[state_of(set)].oper;
}

static const struct gm_last_set *set_of(const void *row, const struct gm_mib_column *column)
{
	return (const struct gm_last_set *)((const char *)row + column->offset);
}

GETTER(gm_cell_vm_oper_state)
{
	(void)view;
	ret_value->number = gm_vm_oper_state(set_of(row, column));
	return true;
}

GETTER(gm_cell_vm_admin_state)
{
	(void)view;
	ret_value->number = states[state_of(set_of(row, column))].admin;
	return true;
}

/* unknown 0, enable 1, disable 2 */
GETTER(gm_cell_vm_affinity)
{
	const struct gm_vcpu *vcpu = &((const struct gm_vcpu_row *)row)->vcpu;
	(void)view;
	(void)column;
	ret_value->number = 0;
	if (ret_value->part < vcpu->cpu_count)
		ret_value->number = gm_cpu_in(vcpu->cpus, ret_value->part) ? 1 : 2;
	return true;
}

/* The number beside the first name that `text` is; `other` when it is none, `unknown` when it is empty. */
struct name {
	const char *text;
	uint8_t number;
};

static uint64_t look_up(const struct name *names, const char *text, uint64_t unknown,
			uint64_t other)
{
	if (!text[0])
		return unknown;
	for (; names->text; names++)
		if (strcmp(names->text, text) == 0)
			return names->number;
	return other;
}

/* A file is raw(4) or, of a format that grows with its use, sparse(5). */
GETTER(gm_cell_vm_source_type)
{
	static const struct name types[] = {{"block", 3}, {"network", 6}, {"volume", 2}, {NULL, 0}};
	const struct gm_disk_info *disk = &((const struct gm_disk_row *)row)->info;
	(void)view;
	(void)column;
	if (strcmp(disk->type, "file") == 0 && disk->format[0])
		ret_value->number = strcmp(disk->format, "raw") == 0 ? 4 : 5;
	else
		ret_value->number = look_up(types, disk->type, 1, 2);
	return true;
}

/* "file qcow2" */
GETTER(gm_cell_vm_source)
{
	const struct gm_disk_info *disk = &((const struct gm_disk_row *)row)->info;
	char words[sizeof(disk->type) + sizeof(disk->format)];
	(void)view;
	(void)column;
	snprintf(words, sizeof(words), "%s%s%s", disk->type, disk->format[0] ? " " : "",
		 disk->format);
	ret_value->octets = ret_value->buffer;
	ret_value->length =
		gm_text_copy((char *)ret_value->buffer, sizeof(ret_value->buffer), words);
	return true;
}

/* unknown 1, readwrite 2, readonly 3 */
GETTER(gm_cell_vm_access)
{
	static const uint8_t numbers[] = {[GM_UNKNOWN] = 1, [GM_YES] = 3, [GM_NO] = 2};
	(void)view;
	(void)column;
	ret_value->number = numbers[((const struct gm_disk_row *)row)->info.read_only];
	return true;
}

/* IANAStorageMediaType: other 1, unknown 2 */
GETTER(gm_cell_vm_media)
{
	static const struct name media[] = {
		{"disk", 3}, {"lun", 3}, {"cdrom", 4}, {"floppy", 5}, {NULL, 0}};
	(void)view;
	(void)column;
	ret_value->number = look_up(media, ((const struct gm_disk_row *)row)->info.device, 2, 1);
	return true;
}

/* An Integer32 counts KiB up to 2 TiB; larger disks are counted in MiB, those of the largest in GiB. */
static uint64_t size_unit(const void *row)
{
	const struct gm_disk_row *disk = row;
	const struct gm_last *capacity = gm_last_find(&disk->last, GM_METRIC_DISK_CAPACITY);
	const struct gm_last *used = gm_last_find(&disk->last, GM_METRIC_DISK_ALLOCATION);
	double largest = capacity ? capacity->value.gauge : 0;
	uint64_t unit = 1024;
	if (used && used->value.gauge > largest)
		largest = used->value.gauge;
	while (largest / (double)unit > INT32_MAX && unit < UINT64_C(1) << 30)
		unit *= 1024;
	return unit;
}

GETTER(gm_cell_vm_size_unit)
{
	(void)view;
	(void)column;
	ret_value->number = size_unit(row);
	return true;
}

/* -1: not known */
GETTER(gm_cell_vm_size)
{
	const struct gm_last *newest = gm_last_find(set_of(row, column), column->id);
	(void)view;
	ret_value->number = UINT64_MAX;
	if (newest && newest->value.gauge >= 0) {
		double count = newest->value.gauge / (double)size_unit(row);
		ret_value->number = count < INT32_MAX ? (uint64_t)count : INT32_MAX;
	}
	return true;
}

/* TruthValue: true is 1, false is 2. */
GETTER(gm_cell_vm_notify_each)
{
	(void)row;
	(void)column;
	ret_value->number = view->vm_notifications ? 1 : 2;
	return true;
}

GETTER(gm_cell_vm_notify_bulk)
{
	(void)row;
	(void)column;
	ret_value->number = view->vm_bulk_notifications ? 1 : 2;
	return true;
}
