/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of actions as text; see show.h. Called by main.c with a checked reply.
 */
#include <math.h>
#include <string.h>

#include "cli/render.h"
#include "cli/show.h"

static void fill(char (*row)[GM_CELL], const struct gm_json *action)
{
	const char *name = gm_member_text(action, "name");
	char detector[GM_CELL], rule[GM_CELL];

	gm_render_time(row[0], gm_json_get_number(action, "time", NAN));
	gm_render_name(row[1], gm_member_text(action, "output"));
	gm_render_name(row[2], gm_member_text(action, "action"));
	gm_render_name(row[3], name[0] != '\0' ? name : gm_member_text(action, "target"));
	snprintf(row[4], GM_CELL, "%.0f", gm_json_get_number(action, "alarm", NAN));
	snprintf(row[5], GM_CELL, "%.0f", gm_json_get_number(action, "sequence", NAN));
	gm_render_name(detector, gm_member_text(action, "detector"));
	gm_render_name(rule, gm_member_text(action, "rule"));
	if (strcmp(rule, "-") == 0)
		memcpy(row[6], detector, GM_CELL);
	else
		memcpy(row[6], rule, GM_CELL);
	gm_render_name(row[7], gm_member_text(action, "state"));
	snprintf(row[8], GM_CELL, "%.0f", gm_json_get_number(action, "attempts", NAN));
	gm_render_name(row[9], gm_member_text(action, "answer"));
}

void gm_show_actions(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {"TIME",   "OUTPUT",    "ACTION", "TARGET",
					    ">ALARM", ">SEQUENCE", "RULE",   "STATE",
					    ">TRIES", "ANSWER",    NULL};
	const struct gm_json *actions = gm_json_get(reply, "actions");
	struct gm_table table;

	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(actions); i++) {
		char(*row)[GM_CELL] = gm_table_row(&table);

		if (!row)
			break;
		fill(row, gm_json_at(actions, i));
	}
	gm_table_print(&table, out);
}
