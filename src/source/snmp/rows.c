/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a guest's tables that are worth reading, and values as they come off the wire. Used by
 * the other files of a target.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "source/snmp/target_private.h"

/* A Counter32 that ran from its upper quarter into its lower one has wrapped; any other fall is a reset. */
static uint64_t extend(struct cell *cell, uint32_t number)
{
	if (number < cell->last) {
		bool wrapped = cell->last >= UINT32_C(0xc0000000) && number < UINT32_C(0x40000000);

		cell->high = wrapped ? cell->high + (UINT64_C(1) << 32) : 0;
	}
	cell->last = number;
	return cell->high + number;
}

void cell_take(struct cell *cell, const struct gm_snmp_varbind *varbind)
{
	cell->present = true;
	switch (varbind->type) {
	case GM_SNMP_COUNTER32:
		cell->value = extend(cell, (uint32_t)varbind->number);
		break;
	case GM_SNMP_INTEGER:
		/* Negative: a number that its agent has no room for. */
		cell->present = varbind->number <= INT32_MAX;
		cell->value = varbind->number;
		break;
	case GM_SNMP_GAUGE32:
	case GM_SNMP_TIMETICKS:
	case GM_SNMP_COUNTER64:
		cell->value = varbind->number;
		break;
	default:
		cell->present = false;
	}
}

void rows_free(struct rows *rows)
{
	free(rows->list);
	*rows = (struct rows){0};
}

static struct row *find_row(const struct rows *rows, const uint8_t *suffix, size_t length)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->list[i];

		if (row->suffix_length == length && memcmp(row->suffix, suffix, length) == 0) {
			return row;
		}
	}
	return NULL;
}

static struct row *add_row(struct rows *rows, size_t most, struct gm_snmp_slice suffix)
{
	if (rows->count == most) {
		return NULL;
	}
	if (rows->count % 8 == 0) {
		struct row *list =
			realloc(rows->list, (rows->count + 8) * sizeof(*list)); /* few rows */

		if (list == NULL) {
			return NULL;
		}
		rows->list = list;
	}
	struct row *row = &rows->list[rows->count++];

	*row = (struct row){.suffix_length = (uint8_t)suffix.length};
	memcpy(row->suffix, suffix.data, suffix.length);
	return row;
}

static void copy_name(char name[NAME_MAX_BYTES], struct gm_snmp_slice text)
{
	char raw[NAME_MAX_BYTES];
	size_t length = text.length < sizeof(raw) - 1 ? text.length : sizeof(raw) - 1;

	memcpy(raw, text.data, length);
	raw[length] = '\0';
	gm_text_copy(name, NAME_MAX_BYTES, raw);
}

bool rows_take(struct rows *rows, const struct gm_snmp_table *table, int column,
	       struct gm_snmp_slice suffix, const struct gm_snmp_varbind *varbind)
{
	struct row *row;

	if (suffix.length > SUFFIX_MAX) {
		return true;
	}
	row = find_row(rows, suffix.data, suffix.length);
	if (row == NULL) {
		row = add_row(rows, table->rows_max, suffix);
	}
	if (row == NULL) {
		return false;
	}
	if (varbind->type == GM_SNMP_OCTETS) {
		copy_name(row->name, varbind->text);
	} else if (varbind->type == GM_SNMP_OID) {
		row->storage = (uint8_t)gm_snmp_storage_type(varbind->text);
	} else {
		cell_take(&row->cells[column], varbind);
	}
	return true;
}

/* RAM is the fallback for UCD's memory, and is read with what net-snmp says of its parts. */
static bool is_wanted(const struct gm_snmp_target *target, int table, const struct row *row)
{
	switch (GM_SNMP_STORAGE + table) {
	case GM_SNMP_STORAGE:
		if (row->storage == GM_SNMP_STORAGE_FIXED) {
			return target->options.intervals[GM_SNMP_STORAGE] != 0;
		}
		return target_falls_back(target) && (row->storage == GM_SNMP_STORAGE_RAM ||
						     strcmp(row->name, "Cached memory") == 0 ||
						     strcmp(row->name, "Memory buffers") == 0);
	case GM_SNMP_DISKS:
		return gm_text_match("*,!loop*,!ram*,!sr*,!fd*", row->name);
	default:
		return strcmp(row->name, "lo") != 0;
	}
}

static const char *parent_of(int table, const struct row *row)
{
	if (GM_SNMP_STORAGE + table == GM_SNMP_DISKS) {
		return "/dev/";
	}
	return row->name[0] == '/' ? "" : "/";
}

bool row_entity(const struct gm_snmp_target *target, int table, const struct row *row,
		struct gm_entity_info *ret_info)
{
	const uint8_t *uuid = target->options.uuid;
	char name[NAME_MAX_BYTES + 16];

	if (!row->wanted || row->name[0] == '\0' ||
	    (table == 0 && row->storage != GM_SNMP_STORAGE_FIXED)) {
		return false;
	}
	memset(ret_info, 0, sizeof(*ret_info));
	if (GM_SNMP_STORAGE + table == GM_SNMP_INTERFACES) {
		/* Its own name says nothing on the host: every guest has an eth0. */
		snprintf(name, sizeof(name), "%02x%02x%02x%02x/%s", uuid[0], uuid[1], uuid[2],
			 uuid[3], row->name);
		ret_info->key = gm_entity_interface(name);
		memcpy(ret_info->interface.guest, uuid, GM_UUID_SIZE);
		gm_text_copy(ret_info->interface.model, sizeof(ret_info->interface.model),
			     "inside");
		return true;
	}
	/* "vda" is the host's name of it; a path is the guest's, and what it tells is made one. */
	snprintf(name, sizeof(name), "%s%s", parent_of(table, row), row->name);
	ret_info->key = gm_entity_disk(uuid, name);
	memcpy(ret_info->disk.guest, uuid, GM_UUID_SIZE);
	gm_text_copy(ret_info->disk.source, sizeof(ret_info->disk.source), name);
	return true;
}

static bool is_same(const struct row *a, const struct row *b)
{
	return a && b && a->wanted == b->wanted && strcmp(a->name, b->name) == 0;
}

void rows_replace(struct gm_snmp_target *target, int table, struct rows *fresh, int64_t time,
		  const struct gm_snmp_out *out)
{
	struct rows *old = &target->tables[table];
	struct gm_entity_info info;

	for (size_t i = 0; i < fresh->count; i++) {
		fresh->list[i].wanted = is_wanted(target, table, &fresh->list[i]);
	}
	for (size_t i = 0; i < old->count; i++) {
		const struct row *row = &old->list[i];
		struct row *same = find_row(fresh, row->suffix, row->suffix_length);

		if (is_same(row, same)) {
			memcpy(same->cells, row->cells, sizeof(same->cells));
		} else if (row_entity(target, table, row, &info)) {
			out->sink->gone(out->sink->user, GM_SOURCE_SNMP, &info.key, time);
		}
	}
	for (size_t i = 0; i < fresh->count; i++) {
		struct row *row = &fresh->list[i];
		struct row *before = find_row(old, row->suffix, row->suffix_length);

		for (int column = 0; column < GM_SNMP_COLUMNS_MAX; column++) {
			row->cells[column].dropped = false;
		}
		if (!is_same(before, row) && row_entity(target, table, row, &info)) {
			out->sink->seen(out->sink->user, GM_SOURCE_SNMP, &info);
		}
	}
	rows_free(old);
	*old = *fresh;
	*fresh = (struct rows){0};
}
