/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks of a target: the first columns of one table from beginning to end, all of them in each
 * request. Names have to increase, as RFC 3416 has it: a guest that goes in circles is not followed.
 */
#include <string.h>

#include "base/clock.h"
#include "source/snmp/target_private.h"

enum { VALUE_BYTES = 16, WALK_BYTES = 1200 };

void walk_begin(struct gm_snmp_target *target, int table)
{
	struct walk *walk = &target->walk;
	const struct gm_snmp_table *lines = table_of(table);

	walk->table = table;
	walk->requests = 0;
	for (int i = 0; i < lines->walked; i++) {
		memcpy(walk->last[i], lines->oids[i].data, lines->oids[i].length);
		walk->last_length[i] = (uint8_t)lines->oids[i].length;
		walk->done[i] = false;
	}
	rows_free(&walk->fresh);
	target->processes.count = 0;
}

void walk_abort(struct gm_snmp_target *target)
{
	rows_free(&target->walk.fresh);
	target->walk.table = -1;
}

/* As many rows as an answer of one packet holds. */
static uint8_t repetitions(const struct gm_snmp_target *target, size_t columns, size_t oid_bytes)
{
	bool text = target->walk.table != GM_SNMP_PROCESSES - GM_SNMP_STORAGE;
	size_t rows = WALK_BYTES / (oid_bytes + columns * (VALUE_BYTES + (text ? 24 : 0)));
	size_t most = target->limit / columns;

	rows = rows < most ? rows : most;
	return (uint8_t)(rows > 0 ? rows : 1);
}

bool walk_build(struct gm_snmp_target *target)
{
	struct walk *walk = &target->walk;
	bool bulk = target->options.credential->version != GM_SNMP_V1;
	size_t bytes = 0;

	target->template_chunk = 0; /* its place is taken */
	target->oid_count = 0;
	for (int i = 0; i < table_of(walk->table)->walked; i++) {
		if (!walk->done[i]) {
			target->oids[target->oid_count++] =
				(struct gm_snmp_slice){walk->last[i], walk->last_length[i]};
			bytes += walk->last_length[i];
		}
	}
	struct gm_snmp_request request = {
		.type = bulk ? GM_SNMP_GETBULK : GM_SNMP_GETNEXT,
		.repetitions = repetitions(target, target->oid_count, bytes),
		.oids = target->oids,
		.count = target->oid_count,
	};

	return target_encode(target, &request, target->options.credential->community);
}

/* The columns that are still walked, in the order of the request. */
static size_t open_columns(const struct walk *walk, int columns[GM_SNMP_COLUMNS_MAX])
{
	size_t count = 0;

	for (int i = 0; i < table_of(walk->table)->walked; i++) {
		if (!walk->done[i]) {
			columns[count++] = i;
		}
	}
	return count;
}

/* False: the answer cannot be of an agent that means well. */
static bool take_next(struct gm_snmp_target *target, int column,
		      const struct gm_snmp_varbind *varbind)
{
	struct walk *walk = &target->walk;
	const struct gm_snmp_table *lines = table_of(walk->table);
	struct gm_snmp_slice root = lines->oids[column], oid = varbind->oid;
	struct gm_snmp_slice last = {walk->last[column], walk->last_length[column]};

	if (walk->done[column]) {
		return true;
	}
	if (varbind->type >= GM_SNMP_NO_OBJECT && varbind->type <= GM_SNMP_END_OF_VIEW) {
		walk->done[column] = true;
		return true;
	}
	if (oid.length > GM_SNMP_OID_MAX || gm_snmp_oid_compare(oid, last) <= 0) {
		return false;
	}
	if (!gm_snmp_oid_under(oid, root)) {
		walk->done[column] = true;
		return true;
	}
	memcpy(walk->last[column], oid.data, oid.length);
	walk->last_length[column] = (uint8_t)oid.length;

	struct gm_snmp_slice suffix = {oid.data + root.length, oid.length - root.length};
	bool room = lines->walk_always ? processes_take(&target->processes, column, suffix, varbind)
				       : rows_take(&walk->fresh, lines, column, suffix, varbind);

	walk->done[column] = !room; /* the rest of an endless table is left where it is */
	return true;
}

static void finish(struct gm_snmp_target *target, const struct gm_snmp_moment *now,
		   const struct gm_snmp_out *out)
{
	int table = target->walk.table;

	target->walk.table = -1;
	if (table_of(table)->walk_always) {
		processes_choose(target);
		if (target->processes.chosen_count > 0) {
			round_begin(target, 1U << GM_SNMP_PROCESSES);
		} else {
			processes_end(target, now->node, out);
		}
		return;
	}
	rows_replace(target, table, &target->walk.fresh, now->node, out);
	/* What is known now is read at once. */
	target->groups[GM_SNMP_STORAGE + table].due = now->monotonic;
	target->generation++;
}

/* Version 1 tells the end of a column as an error of its name. */
static bool take_error(struct walk *walk, const struct gm_snmp_pdu *pdu, const int *columns,
		       size_t count)
{
	if (pdu->error_status != GM_SNMP_NO_SUCH_NAME || pdu->error_index < 1 ||
	    (size_t)pdu->error_index > count) {
		return false;
	}
	walk->done[columns[pdu->error_index - 1]] = true;
	return true;
}

void walk_answer(struct gm_snmp_target *target, const struct gm_snmp_pdu *pdu,
		 const struct gm_snmp_moment *now, const struct gm_snmp_out *out)
{
	struct walk *walk = &target->walk;
	int columns[GM_SNMP_COLUMNS_MAX];
	size_t count = open_columns(walk, columns);
	bool sound = ++walk->requests <= WALK_REQUESTS_MAX;

	if (pdu->error_status == GM_SNMP_TOO_BIG && target->limit > 1) {
		target->limit /= 2;
		return;
	}
	if (pdu->error_status != 0) {
		sound = sound && take_error(walk, pdu, columns, count);
	} else {
		sound = sound && pdu->count > 0;
		for (size_t i = 0; i < pdu->count && sound; i++) {
			sound = take_next(target, columns[i % count], &pdu->varbinds[i]);
		}
	}
	if (!sound) {
		target->counts.rejected++;
		walk_abort(target);
		return;
	}
	if (open_columns(walk, columns) == 0) {
		finish(target, now, out);
	}
}
