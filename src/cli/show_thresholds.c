/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thresholds, and which detectors do not judge a guest, as text; see show.h. Called by main.c and show.c.
 */
#include <math.h>
#include <string.h>

#include "cli/render.h"
#include "cli/show.h"

void gm_show_thresholds(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {"NAME",   "FROM",    "OWNER",   "STATUS",
					    "METRIC", ">ALARMS", "CHANGED", NULL};
	const struct gm_json *rows = gm_json_get(reply, "thresholds");
	struct gm_table table;

	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(rows); i++) {
		const struct gm_json *one = gm_json_at(rows, i);
		char(*row)[GM_CELL] = gm_table_row(&table);

		if (!row)
			break;
		gm_render_name(row[0], gm_member_text(one, "name"));
		gm_render_name(row[1], gm_member_text(one, "from"));
		gm_render_name(row[2], gm_member_text(one, "owner"));
		gm_render_name(row[3], gm_member_text(one, "status"));
		gm_render_name(row[4], gm_member_text(one, "metric"));
		snprintf(row[5], GM_CELL, "%.0f", gm_json_get_number(one, "alarms", NAN));
		gm_render_time(row[6], gm_json_get_number(one, "changed", NAN));
	}
	gm_table_print(&table, out);
	for (size_t i = 0; i < gm_json_size(rows); i++) {
		const struct gm_json *one = gm_json_at(rows, i);
		char name[GM_CELL];

		fprintf(out, "%s%s: %s\n", i ? "" : "\n",
			gm_render_name(name, gm_member_text(one, "name")),
			gm_member_text(one, "rule"));
	}
}

/* "leak, burst*": those that do not judge it; with an asterisk where that was set for this guest. */
const char *gm_show_detectors(const struct gm_json *detectors, char *cell, size_t size)
{
	size_t used = 0;

	snprintf(cell, size, "-");
	for (size_t i = 0; i < gm_json_size(detectors) && used < size; i++) {
		const struct gm_json *one = gm_json_at(detectors, i);
		char name[GM_CELL];

		if (gm_json_get_bool(one, "enabled"))
			continue;
		used += (size_t)snprintf(cell + used, size - used, "%s%s%s", used ? "," : "",
					 gm_render_name(name, gm_member_text(one, "name")),
					 gm_json_get_bool(one, "set") ? "*" : "");
	}
	return cell;
}
