/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resolver; see tree.h. GET and GETNEXT of any identifier, existing or not, by binary search over
 * the rows of one table. Not the protocol, which is handler.c, and not the columns, which are in tables_*.c.
 */
#include "north/mib/tree.h"

#include <string.h>

/* The rows of a table in one snapshot. */
struct rows {
	const struct gm_mib_table *table;
	const char *first;
	size_t count;
};

static struct rows rows_of(const struct gm_mib_table *table, const struct gm_snapshot *snapshot)
{
	struct rows rows = {.table = table, .first = (const char *)snapshot, .count = 1};
	if (!table->index)
		return rows;
	memcpy(&rows.count, (const char *)snapshot + table->count_at, sizeof(rows.count));
	if (table->embedded)
		rows.first += table->rows_at;
	else
		memcpy(&rows.first, (const char *)snapshot + table->rows_at, sizeof(rows.first));
	return rows;
}

static const void *row_at(const struct rows *rows, size_t i)
{
	return rows->first + i * rows->table->row_size;
}

static size_t index_at(const struct rows *rows, size_t i, uint32_t *ret_index)
{
	if (rows->table->index)
		return rows->table->index(row_at(rows, i), ret_index);
	ret_index[0] = 0;
	return 1;
}

int gm_mib_compare(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length)
{
	size_t shorter = a_length < b_length ? a_length : b_length;
	for (size_t i = 0; i < shorter; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (a_length > b_length) - (a_length < b_length);
}

/* The first row whose index is not before `key` or, with `after`, is after it; count when none is. */
static size_t search(const struct rows *rows, const uint32_t *key, size_t length, bool after)
{
	size_t low = 0, high = rows->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t index[GM_MIB_INDEX];
		size_t index_length = index_at(rows, middle, index);
		int order = gm_mib_compare(index, index_length, key, length);
		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
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

bool gm_mib_cell(const struct gm_mib_view *view, const void *row,
		 const struct gm_mib_column *column, struct gm_mib_value *ret_value)
{
	ret_value->type = column->type;
	return column->get(view, row, column, ret_value);
}

int gm_mib_get(const struct gm_mib_module *module, const struct gm_mib_view *view,
	       const uint32_t *id, size_t length, struct gm_mib_value *ret_value)
{
	size_t t = 0;
	while (t < module->table_count && place(module->tables[t], id, length) != 0)
		t++;
	if (t == module->table_count || length == module->tables[t]->prefix_length)
		return GM_MIB_NO_OBJECT;
	const struct gm_mib_table *table = module->tables[t];

	uint32_t number = id[table->prefix_length];
	const struct gm_mib_column *column = table->columns, *last = column + table->column_count;
	while (column < last && column->number != number)
		column++;
	if (column == last)
		return GM_MIB_NO_OBJECT;

	const uint32_t *key = id + table->prefix_length + 1;
	size_t key_length = length - table->prefix_length - 1;
	struct rows rows = rows_of(table, view->snapshot);
	size_t i = search(&rows, key, key_length, false);
	uint32_t index[GM_MIB_INDEX];
	if (i == rows.count)
		return GM_MIB_NO_INSTANCE;
	size_t index_length = index_at(&rows, i, index);
	if (gm_mib_compare(index, index_length, key, key_length) != 0)
		return GM_MIB_NO_INSTANCE;
	return gm_mib_cell(view, row_at(&rows, i), column, ret_value) ? GM_MIB_FOUND
								      : GM_MIB_NO_INSTANCE;
}

static void name_cell(const struct rows *rows, size_t i, const struct gm_mib_column *column,
		      struct gm_mib_oid *ret_oid)
{
	const struct gm_mib_table *table = rows->table;
	uint32_t *id = ret_oid->id;
	for (size_t k = 0; k < table->prefix_length; k++)
		*id++ = table->prefix[k];
	*id++ = column->number;
	ret_oid->length = table->prefix_length + 1u + index_at(rows, i, id);
}

/* The first known cell of the table that comes after `rest`, an identifier below its prefix. */
static bool next_in_table(const struct gm_mib_view *view, const struct gm_mib_table *table,
			  const uint32_t *rest, size_t length, struct gm_mib_oid *ret_oid,
			  struct gm_mib_value *ret_value)
{
	struct rows rows = rows_of(table, view->snapshot);
	for (size_t c = 0; c < table->column_count; c++) {
		const struct gm_mib_column *column = &table->columns[c];
		size_t i = 0;
		if (length > 0 && column->number < rest[0])
			continue;
		if (length > 0 && column->number == rest[0])
			i = search(&rows, rest + 1, length - 1, true);
		for (; i < rows.count; i++) {
			if (!gm_mib_cell(view, row_at(&rows, i), column, ret_value))
				continue;
			name_cell(&rows, i, column, ret_oid);
			return true;
		}
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
