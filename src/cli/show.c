/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status, guests and alarms as text; see show.h. Called by main.c with a checked reply; members that
 * are missing are shown as "-", so that a newer or older daemon can still be read.
 */
#include "cli/show.h"

#include <math.h>

#include "cli/render.h"

static double number(const struct gm_json *object, const char *key)
{
	return gm_json_get_number(object, key, NAN);
}

static void show_sources(const struct gm_json *sources, FILE *out)
{
	static const char *const heads[] = {"SOURCE",  "STATE", ">INTERVAL", ">TICKS",
					    ">MISSED", ">LATE", ">P50",      ">P99",
					    ">MAX",    ">SEEN", "ERROR",     NULL};
	struct gm_table table;
	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(sources); i++) {
		const struct gm_json *source = gm_json_at(sources, i);
		char(*row)[GM_CELL] = gm_table_row(&table);
		if (!row)
			break;
		gm_render_name(row[0], gm_member_text(source, "name"));
		snprintf(row[1], GM_CELL, "%s",
			 gm_json_get_bool(source, "connected") ? "connected" : "away");
		snprintf(row[2], GM_CELL, "%g ms", number(source, "interval_s") * 1e3);
		snprintf(row[3], GM_CELL, "%.0f", number(source, "ticks"));
		snprintf(row[4], GM_CELL, "%.0f", number(source, "missed"));
		snprintf(row[5], GM_CELL, "%.0f", number(source, "late"));
		snprintf(row[6], GM_CELL, "%.2f ms", number(source, "duration_p50_s") * 1e3);
		snprintf(row[7], GM_CELL, "%.2f ms", number(source, "duration_p99_s") * 1e3);
		snprintf(row[8], GM_CELL, "%.2f ms", number(source, "duration_max_s") * 1e3);
		snprintf(row[9], GM_CELL, "%.0f", number(source, "entities"));
		gm_render_name(row[10], gm_member_text(source, "error"));
	}
	gm_table_print(&table, out);
}

/* Nothing where no other program's findings are read. */
static void show_external(const struct gm_json *external, FILE *out)
{
	if (!external)
		return;
	fprintf(out, "external   %s; %.0f findings taken, %.0f rejected, %.0f hold\n",
		gm_json_get_bool(external, "reading") ? "findings are read" : "not connected",
		number(external, "accepted"), number(external, "rejected"),
		number(external, "active"));
}

static void show_snmp(const struct gm_json *snmp, FILE *out)
{
	if (!gm_json_get_bool(snmp, "enabled")) {
		fputs("snmp       off\n", out);
		return;
	}
	fprintf(out, "snmp       %s; %.0f requests, %.0f notifications delivered, %.0f waiting\n",
		gm_json_get_bool(snmp, "connected") ? "connected to the master agent"
						    : "no master agent",
		number(snmp, "requests"), number(snmp, "notifications"), number(snmp, "waiting"));
}

void gm_show_status(const struct gm_json *reply, FILE *out)
{
	char cell[GM_CELL], other[GM_CELL];
	const struct gm_json *store = gm_json_get(reply, "store");

	fprintf(out, "guestmond %s on %s, since %s (start %.0f)\n",
		gm_member_text(reply, "version"),
		gm_render_name(other, gm_member_text(reply, "node")),
		gm_render_time(cell, number(reply, "started")), number(reply, "boots"));
	fprintf(out, "sampling   %.0f samples/s, %.0f since the start, %.0f batches dropped\n",
		number(reply, "samples_per_s"), number(reply, "samples"),
		number(reply, "batches_dropped"));
	fprintf(out, "watching   %.0f guests, %.0f entities; %.0f alarms active, sequence %.0f\n",
		number(reply, "guests"), number(reply, "entities"), number(reply, "alarms"),
		number(reply, "last_sequence"));
	fprintf(out,
		"alarms     %.0f conditions wait, %.0f of them for the raise limit; not told: %.0f "
		"too short, %.0f silenced; %.0f flapped\n",
		number(reply, "conditions_waiting"), number(reply, "raises_crowded"),
		number(reply, "conditions_soaked"), number(reply, "conditions_silenced"),
		number(reply, "alarms_flapped"));
	fprintf(out, "process    %.1f s CPU, %s resident\n", number(reply, "cpu_s"),
		gm_render_bytes(cell, number(reply, "resident_bytes")));
	fprintf(out, "store      %s, %s: %s; %.0f frames written, %.0f left out, %.0f filled in\n",
		gm_render_name(other, gm_member_text(store, "name")),
		gm_json_get_bool(store, "connected") ? "connected" : "not connected",
		gm_render_name(cell, gm_member_text(store, "state")), number(store, "written"),
		number(store, "dropped"), number(store, "filled"));
	show_snmp(gm_json_get(reply, "snmp"), out);
	show_external(gm_json_get(reply, "external"), out);
	fputc('\n', out);
	show_sources(gm_json_get(reply, "sources"), out);
}

static double metric(const struct gm_json *object, const char *name, const char *member)
{
	return number(gm_json_get(gm_json_get(object, "metrics"), name), member);
}

static const char *state_name(double state)
{
	/* virDomainState */
	static const char *const names[] = {"-",        "running",  "blocked", "paused",
					    "shutdown", "shut off", "crashed", "suspended"};
	return state >= 0 && state < 8 ? names[(int)state] : "-";
}

/* Both directions of all of a guest's interfaces, bit/s. */
static double traffic(const struct gm_json *guest, const char *name)
{
	const struct gm_json *interfaces = gm_json_get(guest, "interfaces");
	double sum = NAN;
	for (size_t i = 0; i < gm_json_size(interfaces); i++) {
		double rate = metric(gm_json_at(interfaces, i), name, "rate");
		if (isfinite(rate))
			sum = (isfinite(sum) ? sum : 0) + 8 * rate;
	}
	return sum;
}

void gm_show_guests(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {">INDEX", "NAME",    "PROJECT", "STATE",     ">CPU",
					    ">USED",  ">TOTAL",  ">AGE",    ">RESIDENT", ">RX",
					    ">TX",    ">ALARMS", "OFF",     NULL};
	const struct gm_json *guests = gm_json_get(reply, "guests");
	struct gm_table table;
	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(guests); i++) {
		const struct gm_json *guest = gm_json_at(guests, i);
		char(*row)[GM_CELL] = gm_table_row(&table);
		if (!row)
			break;
		const char *name = gm_member_text(guest, "display_name");
		snprintf(row[0], GM_CELL, "%.0f", number(guest, "index"));
		gm_render_name(row[1], name[0] != '\0' ? name : gm_member_text(guest, "name"));
		gm_render_name(row[2], gm_member_text(guest, "project"));
		snprintf(row[3], GM_CELL, "%s%s", state_name(metric(guest, "guest.state", "value")),
			 gm_json_get_bool(guest, "stale") ? " (stale)" : "");
		double cpu = metric(guest, "process.cpu.time", "rate") / 1e9 * 100;
		if (!isfinite(
			    cpu)) /* a container, or a guest of another host: no process of ours */
			cpu = metric(guest, "cpu.time", "rate") / 1e9 * 100;
		snprintf(row[4], GM_CELL, isfinite(cpu) ? "%.0f%%" : "-", cpu);
		gm_render_bytes(row[5], metric(guest, "memory.used", "value"));
		gm_render_bytes(row[6], metric(guest, "memory.total", "value"));
		gm_render_duration(row[7], metric(guest, "memory.used", "age_s"));
		gm_render_bytes(row[8], metric(guest, "memory.resident", "value"));
		gm_render_rate(row[9], traffic(guest, "net.rx.bytes"));
		gm_render_rate(row[10], traffic(guest, "net.tx.bytes"));
		snprintf(row[11], GM_CELL, "%.0f", number(guest, "alarms"));
		gm_show_detectors(gm_json_get(guest, "detectors"), row[12], GM_CELL);
	}
	gm_table_print(&table, out);
}

void gm_show_lesson(const struct gm_json *reply, FILE *out)
{
	char begin[GM_CELL], end[GM_CELL], span[GM_CELL];

	fprintf(out, "lesson %.0f, of %s: %s to %s\n", number(reply, "id"),
		gm_render_duration(span, number(reply, "end") - number(reply, "begin")),
		gm_render_time(begin, number(reply, "begin")),
		gm_render_time(end, number(reply, "end")));
	if (gm_json_get_bool(reply, "clipped"))
		fputs("guestmonctl: the windows hold no more of that range (window.length)\n",
		      stderr);
}

void gm_show_lessons(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {">ID", "ENTITY", "KIND",   "LABEL", "BEGIN",
					    "END", "AUTHOR", "MARKED", NULL};
	const struct gm_json *lessons = gm_json_get(reply, "lessons");
	struct gm_table table;
	gm_table_init(&table, heads);
	for (size_t i = 0; i < gm_json_size(lessons); i++) {
		const struct gm_json *lesson = gm_json_at(lessons, i);
		char(*row)[GM_CELL] = gm_table_row(&table);
		if (!row)
			break;
		snprintf(row[0], GM_CELL, "%.0f", number(lesson, "id"));
		gm_render_name(row[1], gm_member_text(lesson, "entity"));
		gm_render_name(row[2], gm_member_text(lesson, "kind"));
		gm_render_name(row[3], gm_member_text(lesson, "label"));
		gm_render_time(row[4], number(lesson, "begin"));
		gm_render_time(row[5], number(lesson, "end"));
		gm_render_name(row[6], gm_member_text(lesson, "author"));
		gm_render_time(row[7], number(lesson, "made"));
	}
	gm_table_print(&table, out);
}
