/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what the column tables say, one line per column: its identifier below the root, its type, and
 * "read" or "notify". Called by tests/walk/drift, which holds it against the text of the MIB.
 */
#include <stdio.h>

#include "north/mib/tree.h"

static void print(const struct gm_mib_table *table, const char *access)
{
	static const char *const types[] = {
		[GM_MIB_INTEGER] = "integer",     [GM_MIB_UNSIGNED] = "unsigned",
		[GM_MIB_COUNTER64] = "counter64", [GM_MIB_OCTETS] = "octets",
		[GM_MIB_TIME] = "time",
	};
	for (size_t i = 0; i < table->column_count; i++) {
		for (size_t k = 0; k < table->prefix_length; k++)
			printf("%u.", table->prefix[k]);
		printf("%u %s %s %u\n", table->columns[i].number, types[table->columns[i].type],
		       access, table->index ? table->index_length : 0);
	}
}

int main(void)
{
	for (size_t t = 0; t < gm_mib_table_count; t++)
		print(&gm_mib_tables[t], "read");
	print(&gm_mib_notify_table, "notify");
	return 0;
}
