/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounds of a target: one GET after another until everything that is due has been asked for. The last
 * template is kept: the same groups, asked for again, are the same bytes but for the request id.
 */
#include <string.h>

#include "base/clock.h"
#include "source/snmp/target_private.h"

static void add_item(struct gm_snmp_target *target, int table, int column, size_t row)
{
	if (target->item_count < ITEMS_MAX) {
		target->items[target->item_count++] =
			(struct item){(uint8_t)table, (uint8_t)column, (uint16_t)row};
	}
}

static void add_scalars(struct gm_snmp_target *target, int group)
{
	for (int i = 0; i < GM_SNMP_SCALARS; i++) {
		if (gm_snmp_scalars[i].group == group && !target->scalars[i].dropped) {
			add_item(target, SCALAR, i, 0);
		}
	}
}

static void add_operator(struct gm_snmp_target *target)
{
	for (size_t i = 0; i < target->options.oids->count; i++) {
		if (!target->operator[i].dropped) {
			add_item(target, OPERATOR, (int)i, 0);
		}
	}
}

static void add_rows(struct gm_snmp_target *target, int table)
{
	const struct gm_snmp_table *lines = table_of(table);
	const struct rows *rows = &target->tables[table];

	for (size_t i = 0; i < rows->count; i++) {
		for (int column = lines->row_read; column < lines->columns; column++) {
			if (rows->list[i].wanted && !rows->list[i].cells[column].dropped) {
				add_item(target, table, column, i);
			}
		}
	}
}

void round_begin(struct gm_snmp_target *target, unsigned mask)
{
	target->mask = mask;
	target->item_count = target->cursor = 0;
	for (int group = 0; group < GM_SNMP_GROUPS; group++) {
		if (!(mask >> group & 1)) {
			continue;
		}
		if (group == GM_SNMP_OPERATOR) {
			add_operator(target);
		} else if (group < GM_SNMP_STORAGE) {
			add_scalars(target, group);
		} else if (group == GM_SNMP_PROCESSES) {
			for (size_t i = 0; i < target->processes.chosen_count; i++) {
				add_item(target, group - GM_SNMP_STORAGE, GM_SNMP_PROCESS_NAME, i);
			}
		} else {
			add_rows(target, group - GM_SNMP_STORAGE);
		}
	}
}

/* The name that an item stands for, into `out` where it is not a constant. */
static struct gm_snmp_slice name_of(const struct gm_snmp_target *target, const struct item *item,
				    uint8_t out[GM_SNMP_OID_MAX])
{
	if (item->table == SCALAR) {
		return gm_snmp_scalars[item->column].oid;
	}
	if (item->table == OPERATOR) {
		const struct gm_snmp_oid *oid = &target->options.oids->list[item->column];

		return (struct gm_snmp_slice){oid->name, oid->length};
	}
	struct gm_snmp_slice column = table_of(item->table)->oids[item->column];
	size_t length = column.length;

	memcpy(out, column.data, length);
	if (item->table == GM_SNMP_PROCESSES - GM_SNMP_STORAGE) {
		length += gm_snmp_oid_append(out + length,
					     target->processes.chosen[item->row].process.pid);
	} else {
		const struct row *row = &target->tables[item->table].list[item->row];

		memcpy(out + length, row->suffix, row->suffix_length);
		length += row->suffix_length;
	}
	return (struct gm_snmp_slice){out, length};
}

/* What a varbind takes in an answer, at most but for unusual names. */
static size_t answer_size(const struct item *item, struct gm_snmp_slice oid)
{
	bool text = item->table == GM_SNMP_PROCESSES - GM_SNMP_STORAGE || item->table == OPERATOR;

	return oid.length + 4 + (text ? 34 : 11);
}

static void gather(struct gm_snmp_target *target)
{
	size_t bytes = 20;

	target->oids[0] = gm_snmp_scalars[GM_SNMP_UPTIME].oid;
	target->chunk = 0;
	while (target->cursor + target->chunk < target->item_count &&
	       target->chunk < target->limit) {
		const struct item *item = &target->items[target->cursor + target->chunk];
		size_t at = target->chunk + 1;

		target->oids[at] = name_of(target, item, target->names[at]);
		bytes += answer_size(item, target->oids[at]);
		if (bytes > ANSWER_BYTES && target->chunk > 0) {
			break;
		}
		target->chunk++;
	}
	target->oid_count = target->chunk + 1;
}

bool round_build(struct gm_snmp_target *target)
{
	/* Which processes are asked for changes each time. */
	bool same = target->template_chunk > 0 && target->template_mask == target->mask &&
		    target->template_cursor == target->cursor &&
		    target->template_generation == target->generation &&
		    !(target->mask >> GM_SNMP_PROCESSES & 1);

	if (same) {
		target->chunk = target->template_chunk;
		return true;
	}
	gather(target);
	struct gm_snmp_request request = {
		.type = GM_SNMP_GET, .oids = target->oids, .count = target->oid_count};

	bool done = target_encode(target, &request, target->options.credential->community);

	target->template_mask = target->mask;
	target->template_cursor = target->cursor;
	target->template_chunk = done ? target->chunk : 0;
	target->template_generation = target->generation;
	return done;
}

static struct cell *cell_of(struct gm_snmp_target *target, const struct item *item)
{
	if (item->table == OPERATOR) {
		return &target->operator[item->column];
	}
	return item->table == SCALAR
		       ? &target->scalars[item->column]
		       : &target->tables[item->table].list[item->row].cells[item->column];
}

static bool is_absent(uint8_t type)
{
	return type == GM_SNMP_NO_OBJECT || type == GM_SNMP_NO_INSTANCE ||
	       type == GM_SNMP_END_OF_VIEW;
}

static void drop(struct gm_snmp_target *target, const struct item *item, int64_t now)
{
	bool process = item->table == GM_SNMP_PROCESSES - GM_SNMP_STORAGE;

	if (!process) {
		struct cell *cell = cell_of(target, item);

		cell->dropped = true;
		cell->present = false;
		target->generation++;
		if (item->table == OPERATOR) {
			return;
		}
		if (item->table == SCALAR && target_falls_back(target)) {
			target->walk_due[GM_SNMP_STORAGE - GM_SNMP_STORAGE] = now;
		}
		/* A row that went away: the table is another. Not more than once a second. */
		if (item->table != SCALAR && target->walk_due[item->table] > now + GM_SECOND) {
			target->walk_due[item->table] = now + GM_SECOND;
		}
	}
}

static void take_operator(struct gm_snmp_target *target, int at,
			  const struct gm_snmp_varbind *varbind)
{
	const struct gm_snmp_oid *oid = &target->options.oids->list[at];
	struct gm_snmp_varbind number = *varbind;
	struct cell *cell = &target->operator[at];
	double gauge;

	cell->present = gm_snmp_oid_number(oid, &number, &gauge);
	if (cell->present && gm_metric_kind(oid->metric) == GM_KIND_COUNTER) {
		cell_take(cell, &number);
	} else if (cell->present) {
		cell->value = gauge_bits(gauge);
	}
	target->counts.rejected += !cell->present;
}

static void take_item(struct gm_snmp_target *target, const struct item *item,
		      const struct gm_snmp_varbind *varbind, int64_t now)
{
	if (is_absent(varbind->type)) {
		drop(target, item, now);
	} else if (item->table == GM_SNMP_PROCESSES - GM_SNMP_STORAGE) {
		processes_name(&target->processes, item->row, varbind);
	} else if (item->table == OPERATOR) {
		take_operator(target, item->column, varbind);
	} else {
		struct cell *cell = cell_of(target, item);

		cell_take(cell, varbind);
		target->counts.rejected += !cell->present;
	}
}

static void end_round(struct gm_snmp_target *target, const struct gm_snmp_moment *now,
		      const struct gm_snmp_out *out)
{
	unsigned mask = target->mask;

	target->item_count = 0;
	for (int group = 0; group < GM_SNMP_GROUPS; group++) {
		if (mask >> group & 1) {
			report_group(target, (enum gm_snmp_group)group, now, out);
		}
	}
}

static void take_error(struct gm_snmp_target *target, const struct gm_snmp_pdu *pdu, int64_t now)
{
	size_t at = (size_t)pdu->error_index;

	if (pdu->error_status == GM_SNMP_TOO_BIG && target->limit > 1) {
		target->limit = target->chunk > 1 ? target->chunk / 2 : 1;
		target->generation++;
		return; /* the rest of the round, in smaller pieces */
	}
	/* A name that one cannot have, or not now: the others can be had without it. */
	if (pdu->error_status != GM_SNMP_TOO_BIG && pdu->error_index > 1 &&
	    at <= target->chunk + 1) {
		struct item *item = &target->items[target->cursor + at - 2];

		drop(target, item, now);
		memmove(item, item + 1,
			(size_t)(&target->items[target->item_count] - (item + 1)) * sizeof(*item));
		target->item_count--;
		target->generation++;
		return;
	}
	target->counts.rejected++;
	target->item_count = 0;
}

/* Whether snmpd still is the one that it was; false: no uptime was told. */
static bool watch_uptime(struct gm_snmp_target *target, const struct gm_snmp_varbind *varbind,
			 int64_t now)
{
	uint32_t uptime = (uint32_t)varbind->number;
	bool restarted = target->uptime_known && uptime < target->uptime;

	if (varbind->type != GM_SNMP_TIMETICKS) {
		return false;
	}
	target->uptime = uptime;
	target->uptime_known = true;
	if (restarted) {
		target_restarted(target, now);
	}
	return true;
}

/* The names of an answer are those of the request, in its order (RFC 3416 section 4.2.1). */
static bool is_answer(const struct gm_snmp_target *target, const struct gm_snmp_pdu *pdu)
{
	if (pdu->count != target->oid_count) {
		return false;
	}
	for (size_t i = 0; i < pdu->count; i++) {
		if (pdu->varbinds[i].oid.length != target->oids[i].length ||
		    memcmp(pdu->varbinds[i].oid.data, target->oids[i].data,
			   target->oids[i].length) != 0) {
			return false;
		}
	}
	return true;
}

void round_answer(struct gm_snmp_target *target, const struct gm_snmp_pdu *pdu,
		  const struct gm_snmp_moment *now, const struct gm_snmp_out *out)
{
	if (pdu->error_status != 0) {
		take_error(target, pdu, now->monotonic);
	} else if (!is_answer(target, pdu)) {
		target->counts.rejected++;
		target->item_count = 0;
	} else {
		if (!watch_uptime(target, &pdu->varbinds[0], now->monotonic)) {
			target->counts.rejected++;
		}
		for (size_t i = 0; i < target->chunk; i++) {
			take_item(target, &target->items[target->cursor + i], &pdu->varbinds[i + 1],
				  now->monotonic);
		}
		target->cursor += target->chunk;
	}
	if (target->item_count > 0 && target->cursor >= target->item_count) {
		end_round(target, now, out);
	}
}
