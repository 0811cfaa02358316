/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a snapshot that tells what detectors think of each entity, and of the processes that are
 * followed; see view.h. What rules find is in the alarms alone: they may be many.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/view_private.h"

/* The tables: which findings have a row there. */
enum table {
	LEAKS,
	HOST_LEAKS,
	BURSTS,
	PACKET_BURSTS,
	ANOMALIES,
	ERRORS,
	TABLES,
};

/* What has a row: the detector's own judgement of a metric; a row's index is the entity's and these. */
static const struct place {
	const char *detector, *metric;
	enum table table;
	uint32_t ordinal; /* 0: the entity's */
	bool rx;
} places[] = {
	{"leak", "memory.used", LEAKS, 0, false},
	{"leak", "memory.resident", HOST_LEAKS, 0, false},
	{"burst", "net.rx.bytes", BURSTS, 0, true},
	{"burst", "net.tx.bytes", BURSTS, 0, false},
	{"burst", "net.rx.packets", PACKET_BURSTS, 0, true},
	{"burst", "net.tx.packets", PACKET_BURSTS, 0, false},
	{"anomaly", "score", ANOMALIES, 0, false},
	{"anomaly", "net.rx.errors", ERRORS, GM_ERROR_RX_ERRORS, false},
	{"anomaly", "net.rx.dropped", ERRORS, GM_ERROR_RX_DROPS, false},
	{"anomaly", "net.tx.errors", ERRORS, GM_ERROR_TX_ERRORS, false},
	{"anomaly", "net.tx.dropped", ERRORS, GM_ERROR_TX_DROPS, false},
};

static const struct place *place_of(const struct gm_finding *finding)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(finding->detector, places[i].detector) == 0 &&
		    strcmp(finding->metric, places[i].metric) == 0)
			return &places[i];
	return NULL;
}

static uint32_t alarm_of(const struct gm_view *view, const struct gm_finding *finding)
{
	const struct gm_alarm *alarm =
		gm_alarms_find(view->input->alarms, &finding->key, finding->detector,
			       finding->metric, finding->rule);
	return alarm ? alarm->id : 0;
}

struct rows {
	size_t count;
	struct gm_finding_row *rows; /* NULL: they are only counted */
};

static void add_row(const struct gm_view *view, const struct gm_tracked *tracked, uint32_t ordinal,
		    const struct gm_finding *finding, struct rows tables[TABLES])
{
	const struct place *place = place_of(finding);
	if (!place)
		return;
	struct rows *table = &tables[place->table];
	if (table->rows)
		table->rows[table->count] = (struct gm_finding_row){
			.guest_index = tracked->guest_index,
			.ordinal = place->ordinal ? place->ordinal : ordinal,
			.rx = place->rx,
			.alarm_id = alarm_of(view, finding),
			.finding = *finding,
		};
	table->count++;
}

/* Processes have a table of their own. */
static void add_rows(const struct gm_view *view, struct rows tables[TABLES])
{
	for (const struct gm_tracked *tracked = gm_entities_first(view->input->entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		uint32_t ordinal;
		if (tracked->info.key.kind == GM_ENTITY_PROCESS || tracked->finding_count == 0 ||
		    !gm_view_place(tracked, &ordinal))
			continue;
		for (size_t i = 0; i < tracked->finding_count; i++)
			add_row(view, tracked, ordinal, &tracked->findings[i], tables);
	}
}

static int compare_findings(const void *a, const void *b)
{
	const struct gm_finding_row *one = a, *other = b;
	int order =
		gm_view_order(one->guest_index, one->ordinal, other->guest_index, other->ordinal);
	return order != 0 ? order : (int)other->rx - (int)one->rx;
}

void gm_view_findings(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	struct rows tables[TABLES] = {0};
	add_rows(view, tables);
	for (size_t t = 0; t < TABLES; t++) {
		tables[t].rows = gm_view_take(view, tables[t].count, sizeof(*tables[t].rows));
		tables[t].count = 0;
	}
	if (view->failed)
		return;
	add_rows(view, tables);
	for (size_t t = 0; t < TABLES; t++)
		qsort(tables[t].rows, tables[t].count, sizeof(*tables[t].rows), compare_findings);

	snapshot->leaks = tables[LEAKS].rows;
	snapshot->leak_count = tables[LEAKS].count;
	snapshot->host_leaks = tables[HOST_LEAKS].rows;
	snapshot->host_leak_count = tables[HOST_LEAKS].count;
	snapshot->bursts = tables[BURSTS].rows;
	snapshot->burst_count = tables[BURSTS].count;
	snapshot->packet_bursts = tables[PACKET_BURSTS].rows;
	snapshot->packet_burst_count = tables[PACKET_BURSTS].count;
	snapshot->anomalies = tables[ANOMALIES].rows;
	snapshot->anomaly_count = tables[ANOMALIES].count;
	snapshot->errors = tables[ERRORS].rows;
	snapshot->error_count = tables[ERRORS].count;
}

static bool process_has_row(const struct gm_tracked *tracked)
{
	return tracked->info.key.kind == GM_ENTITY_PROCESS && tracked->told_by &&
	       tracked->info.process.pid != 0 &&
	       (tracked->guest_index != 0 || !gm_entity_owner(&tracked->info));
}

static void fill_process(struct gm_view *view, const struct gm_tracked *tracked,
			 struct gm_process_row *row)
{
	row->guest_index = tracked->guest_index;
	row->pid = tracked->info.process.pid;
	memcpy(row->command, tracked->info.process.command, sizeof(row->command));
	row->last = gm_view_last(view, tracked);
	for (size_t i = 0; i < tracked->finding_count; i++) {
		if (strcmp(tracked->findings[i].detector, "leak") != 0)
			continue;
		row->leak = tracked->findings[i];
		row->alarm_id = alarm_of(view, &row->leak);
	}
}

static int64_t newest(const struct gm_process_row *row)
{
	int64_t time = 0;
	for (size_t i = 0; i < row->last.count; i++)
		if (row->last.items[i].measured_at > time)
			time = row->last.items[i].measured_at;
	return time;
}

/* Of two with one pid (a process that became another), the one that was seen last comes first. */
static int compare_processes(const void *a, const void *b)
{
	const struct gm_process_row *one = a, *other = b;
	int order = gm_view_order(one->guest_index, one->pid, other->guest_index, other->pid);
	if (order != 0)
		return order;
	int64_t seen = newest(one), other_seen = newest(other);
	return (seen < other_seen) - (seen > other_seen);
}

void gm_view_processes(struct gm_view *view)
{
	size_t count = 0, kept = 0;
	struct gm_process_row *rows =
		gm_view_take(view, gm_view_count(view, GM_ENTITY_PROCESS), sizeof(*rows));
	if (!rows)
		return;
	for (const struct gm_tracked *tracked = gm_entities_first(view->input->entities); tracked;
	     tracked = gm_entities_next(tracked))
		if (process_has_row(tracked))
			fill_process(view, tracked, &rows[count++]);
	qsort(rows, count, sizeof(*rows), compare_processes);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && rows[kept - 1].guest_index == rows[i].guest_index &&
		    rows[kept - 1].pid == rows[i].pid)
			continue;
		if (kept != i)
			rows[kept] = rows[i];
		kept++;
	}
	view->snapshot->processes = rows;
	view->snapshot->process_count = kept;
}
