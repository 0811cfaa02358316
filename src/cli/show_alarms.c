/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms, their log and what was said of them, as text for people; see show.h.
 */
#include "cli/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/render.h"

static double number(const struct gm_json *object, const char *key)
{
	return gm_json_get_number(object, key, NAN);
}

/* "leak", "threshold/low-memory": the detector, and which of the operator's rules. */
static void fill_alarm(char (*row)[GM_CELL], const struct gm_json *alarm)
{
	char detector[GM_CELL];
	const char *rule = gm_member_text(alarm, "rule");

	snprintf(row[0], GM_CELL, "%.0f", number(alarm, "id"));
	gm_render_name(row[1], gm_member_text(alarm, "severity"));
	snprintf(detector, sizeof(detector), rule[0] != '\0' ? "%s/%s" : "%s",
		 gm_member_text(alarm, "detector"), rule);
	gm_render_name(row[2], detector);
	gm_render_name(row[3], gm_member_text(alarm, "guest_name"));
	gm_render_name(row[4], gm_member_text(alarm, "text"));
}

/* Who has taken it on. */
static void fill_acknowledged(char *cell, const struct gm_json *alarm)
{
	const char *who = gm_member_text(alarm, "acknowledged_by");

	if (isfinite(number(alarm, "acknowledged_at")))
		gm_render_name(cell, who[0] != '\0' ? who : "somebody");
}

/* "maintenance, of 12, flapping": what else there is to know of it now. */
static void fill_note(char *cell, const struct gm_json *alarm)
{
	double belongs = number(alarm, "correlation"), comments = number(alarm, "comments");
	int used = snprintf(cell, GM_CELL, "%s", gm_member_text(alarm, "suppressed"));

	if (isfinite(number(alarm, "ended_at")))
		used += snprintf(cell + used, GM_CELL - (size_t)used, "%slatched",
				 used ? ", " : "");
	if (isfinite(number(alarm, "flaps")))
		used += snprintf(cell + used, GM_CELL - (size_t)used, "%sflapping",
				 used ? ", " : "");
	if (isfinite(belongs))
		used += snprintf(cell + used, GM_CELL - (size_t)used, "%sof %.0f", used ? ", " : "",
				 belongs);
	if (isfinite(comments))
		snprintf(cell + used, GM_CELL - (size_t)used, "%s%.0f comment%s", used ? ", " : "",
			 comments, comments == 1 ? "" : "s");
}

/* What a change was about, and by whom. */
static void fill_news(char *cell, const struct gm_json *alarm)
{
	const char *news = gm_member_text(alarm, "news"), *who = "";
	char name[GM_CELL];

	if (strcmp(news, "acknowledged") == 0)
		who = gm_member_text(alarm, "acknowledged_by");
	else if (strcmp(news, "commented") == 0)
		who = gm_member_text(alarm, "commented_by");
	gm_render_name(name, who);
	snprintf(cell, GM_CELL, "%.32s%s%.300s", news, who[0] != '\0' ? " by " : "",
		 who[0] != '\0' ? name : "");
}

void gm_show_alarms(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {">ID",    "SEVERITY", "DETECTOR",     "GUEST", "TEXT",
					    "RAISED", "CHANGED",  "ACKNOWLEDGED", "NOTE",  NULL};
	static const char *const log_heads[] = {">ID",  "SEVERITY", "DETECTOR", "GUEST", "TEXT",
						">SEQ", "STATE",    "TIME",     "NOTE",  NULL};
	const struct gm_json *list = gm_json_get(reply, "alarms"), *log = gm_json_get(reply, "log");
	struct gm_table table;
	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(list); i++) {
		const struct gm_json *alarm = gm_json_at(list, i);
		char(*row)[GM_CELL] = gm_table_row(&table);
		if (!row)
			break;
		fill_alarm(row, alarm);
		gm_render_time(row[5], number(alarm, "raised_at"));
		gm_render_time(row[6], number(alarm, "changed_at"));
		fill_acknowledged(row[7], alarm);
		fill_note(row[8], alarm);
	}
	gm_table_print(&table, out);
	if (!log)
		return;
	fputc('\n', out);
	gm_table_init(&table, log_heads);
	for (size_t i = 0; i < gm_json_size(log); i++) {
		const struct gm_json *transition = gm_json_at(log, i);
		char(*row)[GM_CELL] = gm_table_row(&table);
		if (!row)
			break;
		fill_alarm(row, gm_json_get(transition, "alarm"));
		snprintf(row[5], GM_CELL, "%.0f", number(transition, "sequence"));
		gm_render_name(row[6], gm_member_text(transition, "state"));
		gm_render_time(row[7], number(transition, "time"));
		fill_news(row[8], gm_json_get(transition, "alarm"));
	}
	gm_table_print(&table, out);
}

void gm_show_comments(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {">ALARM", "TIME", "AUTHOR", "COMMENT", NULL};
	const struct gm_json *comments = gm_json_get(reply, "comments");
	struct gm_table table;

	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(comments); i++) {
		const struct gm_json *comment = gm_json_at(comments, i);
		char(*row)[GM_CELL] = gm_table_row(&table);

		if (!row)
			break;
		snprintf(row[0], GM_CELL, "%.0f", number(comment, "alarm"));
		gm_render_time(row[1], number(comment, "time"));
		gm_render_name(row[2], gm_member_text(comment, "author"));
		gm_render_name(row[3], gm_member_text(comment, "comment"));
	}
	gm_table_print(&table, out);
}

/* The answer to add, or the list. */
void gm_show_maintenance(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {">ID", "OF",     "STATE",   "BEGIN",
					    "END", "AUTHOR", "COMMENT", NULL};
	const struct gm_json *list = gm_json_get(reply, "maintenance");
	struct gm_table table;

	if (!list) {
		if (isfinite(number(reply, "id")))
			fprintf(out, "maintenance %.0f\n", number(reply, "id"));
		else
			fputs("ok\n", out);
		if (number(reply, "matching") == 0)
			fputs("guestmonctl: no guest matches that now\n", stderr);
		return;
	}
	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(list); i++) {
		const struct gm_json *item = gm_json_at(list, i);
		char(*row)[GM_CELL] = gm_table_row(&table);

		if (!row)
			break;
		if (isfinite(number(item, "id"))) {
			snprintf(row[0], GM_CELL, "%.0f", number(item, "id"));
			gm_render_time(row[3], number(item, "begin"));
			gm_render_time(row[4], number(item, "end"));
		} else {
			gm_render_name(row[3], gm_member_text(item, "when"));
		}
		gm_render_name(row[1], gm_member_text(item, "target"));
		snprintf(row[2], GM_CELL, "%s",
			 gm_json_get_bool(item, "active") ? "active" : "waits");
		gm_render_name(row[5], gm_member_text(item, "author"));
		gm_render_name(row[6], gm_member_text(item, "comment"));
	}
	gm_table_print(&table, out);
	fprintf(out, "%.0f conditions came and went untold, %.0f wait\n", number(reply, "silenced"),
		number(reply, "waiting"));
}
