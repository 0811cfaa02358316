/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resolver; see tree.h. GET and GETNEXT of any identifier, existing or not, by binary search over
 * the rows of one table. Not the protocol, which is handler.c, and not the columns, which are in tables_*.c.
 */
#include "north/mib/tree.h"

#include <string.h>

/* The rows of a table in one snapshot; with their parts, if the table has parts. */
struct rows {
	const struct gm_mib_table *table;
	const char *first;
	size_t count, parts;
};

static struct rows rows_of(const struct gm_mib_table *table, const struct gm_snapshot *snapshot)
{
	struct rows rows = {
		.table = table, .first = (const char *)snapshot, .count = 1, .parts = 1};
	if (!table->index)
		return rows;
	if (table->fixed) {
		rows.first = table->fixed;
		rows.count = table->fixed_count;
		return rows;
	}
	uint32_t parts = table->parts;
	memcpy(&rows.count, (const char *)snapshot + table->count_at, sizeof(rows.count));
	if (table->embedded)
		rows.first += table->rows_at;
	else
		memcpy(&rows.first, (const char *)snapshot + table->rows_at, sizeof(rows.first));
	if (table->parts_at)
		memcpy(&parts, (const char *)snapshot + table->parts_at, sizeof(parts));
	if (table->parts_at || parts)
		rows.parts = parts;
	rows.count *= rows.parts;
	return rows;
}

static bool has_parts(const struct gm_mib_table *table)
{
	return table->parts_at || table->parts;
}

static const void *row_at(const struct rows *rows, size_t i)
{
	const char *at = rows->first + i / rows->parts * rows->table->row_size;
	if (rows->table->indirect)
		memcpy(&at, at, sizeof(at));
	return at;
}

static size_t index_at(const struct rows *rows, size_t i, uint32_t *ret_index)
{
	const struct gm_mib_table *table = rows->table;
	if (!table->index) {
		ret_index[0] = 0;
		return 1;
	}
	size_t length = table->index(row_at(rows, i), ret_index);
	if (has_parts(table))
		ret_index[length++] = table->first_part + (uint32_t)(i % rows->parts);
	return length;
}

static bool cell_at(const struct rows *rows, const struct gm_mib_view *view, size_t i,
		    const struct gm_mib_column *column, struct gm_mib_value *ret_value)
{
	return gm_mib_cell(view, row_at(rows, i), (uint32_t)(i % rows->parts), column, ret_value);
}

int gm_mib_compare(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length)
{
	size_t shorter = a_length < b_length ? a_length : b_length;
	for (size_t i = 0; i < shorter; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (a_length > b_length) - (a_length < b_length);
}

/* Whether row `i` comes before `key` or, with `after`, is it. */
static bool precedes(const struct rows *rows, size_t i, const uint32_t *key, size_t length,
		     bool after)
{
	uint32_t index[GM_MIB_INDEX];
	size_t index_length = index_at(rows, i, index);
	int order = gm_mib_compare(index, index_length, key, length);
	return order < 0 || (after && order == 0);
}

/*
 * The first row whose index is not before `key` or, with `after`, is after it; count when none is. A manager
 * that asks for several columns asks for the same row again, and then for the one behind it: so first
 * look where the last search ended.
 */
static size_t search(const struct rows *rows, const struct gm_mib_view *view, const uint32_t *key,
		     size_t length, bool after)
{
	size_t low = 0, high = rows->count, last = view->last ? *view->last : high;
	if (last < high) {
		if (precedes(rows, last, key, length, after)) {
			low = last + 1;
			if (low < high && !precedes(rows, low, key, length, after))
				high = low;
		} else {
			high = last;
			if (high > 0 && precedes(rows, high - 1, key, length, after))
				low = high;
		}
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (precedes(rows, middle, key, length, after))
			low = middle + 1;
		else
			high = middle;
	}
	if (view->last)
		*view->last = low;
	return low;
}

/* Where `id` stands towards the table: before (-1), inside (0, its prefix) or after it (1). */
static int place(const struct gm_mib_table *table, const uint32_t *id, size_t length)
{
	for (size_t i = 0; i < table->prefix_length; i++) {
		if (i == length || id[i] < table->prefix[i])
			return -1;
		if (id[i] > table->prefix[i])
			return 1;
	}
	return 0;
}

bool gm_mib_cell(const struct gm_mib_view *view, const void *row, uint32_t part,
		 const struct gm_mib_column *column, struct gm_mib_value *ret_value)
{
	ret_value->type = column->type;
	ret_value->part = part;
	return column->get(view, row, column, ret_value);
}

/* The column that `rest`, below the table's prefix, speaks of; *ret_skip: how much of it that takes. */
static const struct gm_mib_column *column_of(const struct gm_mib_table *table, const uint32_t *rest,
					     size_t length, size_t *ret_skip)
{
	*ret_skip = !table->leaf;
	if (table->leaf)
		return table->columns;
	for (size_t c = 0; length > 0 && c < table->column_count; c++)
		if (table->columns[c].number == rest[0])
			return &table->columns[c];
	return NULL;
}

int gm_mib_get(const struct gm_mib_module *module, const struct gm_mib_view *view,
	       const uint32_t *id, size_t length, struct gm_mib_value *ret_value)
{
	size_t t = 0, skip;
	while (t < module->table_count && place(module->tables[t], id, length) != 0)
		t++;
	if (t == module->table_count)
		return GM_MIB_NO_OBJECT;
	const struct gm_mib_table *table = module->tables[t];
	const uint32_t *key = id + table->prefix_length;
	size_t key_length = length - table->prefix_length;
	const struct gm_mib_column *column = column_of(table, key, key_length, &skip);
	if (!column)
		return GM_MIB_NO_OBJECT;
	key += skip;
	key_length -= skip;

	struct rows rows = rows_of(table, view->snapshot);
	size_t i = search(&rows, view, key, key_length, false);
	uint32_t index[GM_MIB_INDEX];
	if (i == rows.count)
		return GM_MIB_NO_INSTANCE;
	size_t index_length = index_at(&rows, i, index);
	if (gm_mib_compare(index, index_length, key, key_length) != 0)
		return GM_MIB_NO_INSTANCE;
	return cell_at(&rows, view, i, column, ret_value) ? GM_MIB_FOUND : GM_MIB_NO_INSTANCE;
}

static void name_cell(const struct rows *rows, size_t i, const struct gm_mib_column *column,
		      struct gm_mib_oid *ret_oid)
{
	const struct gm_mib_table *table = rows->table;
	uint32_t *id = ret_oid->id;
	for (size_t k = 0; k < table->prefix_length; k++)
		*id++ = table->prefix[k];
	if (!table->leaf)
		*id++ = column->number;
	ret_oid->length = (size_t)(id - ret_oid->id) + index_at(rows, i, id);
}

/* The first known cell of a column from row `i` on. */
static bool next_in_column(const struct gm_mib_view *view, const struct rows *rows, size_t i,
			   const struct gm_mib_column *column, struct gm_mib_oid *ret_oid,
			   struct gm_mib_value *ret_value)
{
	for (; i < rows->count; i++) {
		if (!cell_at(rows, view, i, column, ret_value))
			continue;
		name_cell(rows, i, column, ret_oid);
		return true;
	}
	return false;
}

/* The first known cell of the table that comes after `rest`, an identifier below its prefix. */
static bool next_in_table(const struct gm_mib_view *view, const struct gm_mib_table *table,
			  const uint32_t *rest, size_t length, struct gm_mib_oid *ret_oid,
			  struct gm_mib_value *ret_value)
{
	struct rows rows = rows_of(table, view->snapshot);
	if (table->leaf)
		return next_in_column(view, &rows, search(&rows, view, rest, length, true),
				      table->columns, ret_oid, ret_value);
	for (size_t c = 0; c < table->column_count; c++) {
		const struct gm_mib_column *column = &table->columns[c];
		size_t i = 0;
		if (length > 0 && column->number < rest[0])
			continue;
		if (length > 0 && column->number == rest[0])
			i = search(&rows, view, rest + 1, length - 1, true);
		if (next_in_column(view, &rows, i, column, ret_oid, ret_value))
			return true;
	}
	return false;
}

bool gm_mib_next(const struct gm_mib_module *module, const struct gm_mib_view *view,
		 const uint32_t *id, size_t length, struct gm_mib_oid *ret_oid,
		 struct gm_mib_value *ret_value)
{
	for (size_t t = 0; t < module->table_count; t++) {
		const struct gm_mib_table *table = module->tables[t];
		int where = place(table, id, length);
		size_t skip = where == 0 ? table->prefix_length : length;
		if (where <= 0 &&
		    next_in_table(view, table, id + skip, length - skip, ret_oid, ret_value))
			return true;
	}
	return false;
}
