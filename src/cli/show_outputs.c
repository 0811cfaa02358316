/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs as text; see show.h. Called by main.c with a checked reply.
 */
#include <math.h>

#include "cli/render.h"
#include "cli/show.h"

static void fill(char (*row)[GM_CELL], const struct gm_json *output)
{
	static const char *const counts[] = {"position", "backlog", "delivered", "retried"};
	double lost = gm_json_get_number(output, "refused", NAN) +
		      gm_json_get_number(output, "expired", NAN) +
		      gm_json_get_number(output, "overflowed", NAN);
	const char *error = gm_json_get_text(output, "error");

	gm_render_name(row[0], gm_json_get_text(output, "name"));
	gm_render_name(row[1], gm_json_get_text(output, "type"));
	gm_render_name(row[2], gm_json_get_text(output, "state"));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		snprintf(row[3 + i], GM_CELL, "%.0f", gm_json_get_number(output, counts[i], NAN));
	snprintf(row[7], GM_CELL, "%.0f", lost);
	gm_render_time(row[8], gm_json_get_number(output, "next_try_at", NAN));
	gm_render_sentence(row[9], error);
}

void gm_show_outputs(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {"OUTPUT",   "TYPE",       "STATE",    ">SEQUENCE",
					    ">BACKLOG", ">DELIVERED", ">RETRIED", ">GIVEN UP",
					    "NEXT TRY", "ERROR",      NULL};
	const struct gm_json *outputs = gm_json_get(reply, "outputs");
	struct gm_table table;

	if (!outputs) {
		fputs("ok\n", out);
		return;
	}
	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(outputs); i++) {
		char(*row)[GM_CELL] = gm_table_row(&table);

		if (!row)
			break;
		fill(row, gm_json_at(outputs, i));
	}
	gm_table_print(&table, out);
}
