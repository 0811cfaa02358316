/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From snapshots to measures; see measures.h. Called by gnocchi.c; knows nothing of Gnocchi.
 */
#include "north/openstack/measures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/clock.h"
#include "model/metric.h"

enum { SERIES_MAX = 8192 };

/* At the first look at a series, so far back. */
#define FIRST_LOOK GM_SECOND

struct key {
	uint32_t guest_index, ordinal, series;
};

/* Until when a packed series has been looked at. */
struct seen {
	struct key key;
	int64_t until;
	uint64_t round; /* of the last look */
	UT_hash_handle hh;
};

struct gm_measures {
	struct seen *seen;
	uint64_t round;
};

/* A look that is going on. */
struct look {
	struct gm_measures *measures;
	const struct gm_snapshot *snapshot;
	gm_measure_fn *each;
	void *user;
};

int gm_measures_create(struct gm_measures **ret_measures)
{
	*ret_measures = calloc(1, sizeof(**ret_measures));
	return *ret_measures ? 0 : -ENOMEM;
}

static void forget(struct gm_measures *measures, struct seen *seen)
{
	HASH_DEL(measures->seen, seen);
	free(seen);
}

void gm_measures_free(struct gm_measures *measures)
{
	struct seen *seen, *next;

	if (!measures)
		return;
	HASH_ITER (hh, measures->seen, seen, next)
		forget(measures, seen);
	free(measures);
}

static void say(struct look *look, const struct gm_guest_row *guest, const char *name,
		const char *unit, int64_t time, double value)
{
	look->each(look->user, &(struct gm_measure){guest, name, unit, time, value});
}

/* ---- rates from whole series ---- */

static uint64_t octets(const uint8_t *data, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | data[i];
	return number;
}

int64_t gm_measures_rates(const struct gm_packed_row *row, int64_t after, double *ret_mean,
			  double *ret_peak)
{
	const uint8_t *record = row->records;
	int64_t newest = 0, before = 0, span = 0;
	uint64_t last = 0, volume = 0;
	double peak = 0;

	for (uint32_t i = 0; i < row->count; i++, record += GM_PACKED_RECORD) {
		int64_t time = row->first_at + (int64_t)octets(record, 4) * GM_MICROSECOND;
		uint64_t count = octets(record + 4, 8);
		int64_t gap = time - before;

		if (i > 0 && time > after && gap >= GM_MILLISECOND && count >= last) {
			double rate = (double)(count - last) * 8 * 1e9 / (double)gap;

			volume += count - last;
			span += gap;
			newest = time;
			if (rate > peak)
				peak = rate;
		}
		before = time;
		last = count;
	}
	if (newest == 0)
		return 0;
	*ret_mean = (double)volume * 8 * 1e9 / (double)span;
	*ret_peak = peak;
	return newest;
}

static struct seen *recall(struct gm_measures *measures, const struct gm_packed_row *row)
{
	struct key key = {row->guest_index, row->ordinal, row->series};
	struct seen *seen;

	HASH_FIND(hh, measures->seen, &key, sizeof(key), seen);
	if (seen || HASH_COUNT(measures->seen) >= SERIES_MAX)
		return seen;
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		return NULL;
	seen->key = key;
	seen->until = row->last_at - FIRST_LOOK;
	HASH_ADD(hh, measures->seen, key, sizeof(seen->key), seen);
	return seen;
}

static int compare_guest(const void *key, const void *row)
{
	uint32_t wanted = *(const uint32_t *)key, index = ((const struct gm_guest_row *)row)->index;

	return (wanted > index) - (wanted < index);
}

/* NULL: the node's, or not known. */
static const struct gm_guest_row *guest_of(const struct gm_snapshot *snapshot, uint32_t index)
{
	return index != 0 && snapshot->guest_count > 0
		       ? bsearch(&index, snapshot->guests, snapshot->guest_count,
				 sizeof(*snapshot->guests), compare_guest)
		       : NULL;
}

static int compare_port(const void *key, const void *row)
{
	const struct gm_interface_row *wanted = key, *port = row;

	if (wanted->guest_index != port->guest_index)
		return wanted->guest_index < port->guest_index ? -1 : 1;
	return (wanted->ordinal > port->ordinal) - (wanted->ordinal < port->ordinal);
}

static const struct gm_interface_row *interface_of(const struct gm_snapshot *snapshot,
						   uint32_t guest_index, uint32_t ordinal)
{
	struct gm_interface_row key = {.guest_index = guest_index, .ordinal = ordinal};

	return snapshot->interface_count > 0
		       ? bsearch(&key, snapshot->interfaces, snapshot->interface_count,
				 sizeof(*snapshot->interfaces), compare_port)
		       : NULL;
}

/* "net.2.rx.peak", "net.eth0.tx.rate"; NULL: whose it is is not known (yet). */
static char *port_name(const struct gm_snapshot *snapshot, uint32_t guest_index, uint32_t ordinal,
		       const char *what, char name[GM_MEASURE_NAME])
{
	const struct gm_interface_row *row = interface_of(snapshot, guest_index, ordinal);

	if (!row || (guest_index != 0 && !guest_of(snapshot, guest_index)))
		return NULL;
	if (guest_index != 0)
		snprintf(name, GM_MEASURE_NAME, "net.%u.%s", ordinal, what);
	else
		snprintf(name, GM_MEASURE_NAME, "net.%s.%s", row->device, what);
	return name;
}

static void take_port(struct look *look, const struct gm_packed_row *row)
{
	bool rx = row->series == GM_PACKED_RX_OCTETS;
	const struct gm_guest_row *guest = guest_of(look->snapshot, row->guest_index);
	struct seen *seen = recall(look->measures, row);
	char name[GM_MEASURE_NAME];
	double mean, peak;
	int64_t newest;

	if (!seen)
		return;
	seen->round = look->measures->round;
	newest = gm_measures_rates(row, seen->until, &mean, &peak);
	if (newest == 0)
		return;
	seen->until = newest;
	if (port_name(look->snapshot, row->guest_index, row->ordinal, rx ? "rx.rate" : "tx.rate",
		      name))
		say(look, guest, name, "bit/s", newest, mean);
	if (port_name(look->snapshot, row->guest_index, row->ordinal, rx ? "rx.peak" : "tx.peak",
		      name))
		say(look, guest, name, "bit/s", newest, peak);
}

static void take_ports(struct look *look)
{
	struct seen *seen, *next;

	look->measures->round++;
	for (size_t i = 0; i < look->snapshot->packed_count; i++) {
		const struct gm_packed_row *row = &look->snapshot->packed[i];

		if (row->series == GM_PACKED_RX_OCTETS || row->series == GM_PACKED_TX_OCTETS)
			take_port(look, row);
	}
	HASH_ITER (hh, look->measures->seen, seen, next) {
		if (seen->round != look->measures->round)
			forget(look->measures, seen);
	}
}

/* ---- the rest ---- */

static void take_bursts(struct look *look)
{
	for (size_t i = 0; i < look->snapshot->burst_total_count; i++) {
		const struct gm_burst_total_row *row = &look->snapshot->burst_totals[i];
		bool rx = row->part == GM_BURST_PART_RX_BYTES;
		char name[GM_MEASURE_NAME];

		if ((rx || row->part == GM_BURST_PART_TX_BYTES) &&
		    port_name(look->snapshot, row->guest_index, row->ordinal,
			      rx ? "rx.bursts" : "tx.bursts", name))
			say(look, guest_of(look->snapshot, row->guest_index), name, "burst",
			    look->snapshot->taken_at, (double)row->bursts);
	}
}

static void take_leaks(struct look *look)
{
	for (size_t i = 0; i < look->snapshot->leak_count; i++) {
		const struct gm_finding_row *row = &look->snapshot->leaks[i];
		const struct gm_evidence *evidence = &row->finding.evidence;
		const struct gm_guest_row *guest = guest_of(look->snapshot, row->guest_index);

		if (!row->finding.active || (row->guest_index != 0 && !guest))
			continue;
		if (gm_evidence_has(evidence, GM_EVIDENCE_SLOPE))
			say(look, guest, "leak.slope", "B/s", look->snapshot->taken_at,
			    evidence->number[GM_EVIDENCE_SLOPE]);
		if (gm_evidence_has(evidence, GM_EVIDENCE_EXHAUSTION))
			say(look, guest, "leak.exhaustion", "s", look->snapshot->taken_at,
			    evidence->number[GM_EVIDENCE_EXHAUSTION]);
	}
}

static void take_last(struct look *look, const struct gm_guest_row *guest,
		      const struct gm_last_set *set)
{
	const struct gm_last *used = gm_last_find(set, GM_METRIC_MEMORY_USED);
	const struct gm_last *cpu = gm_last_find(set, GM_METRIC_CPU_TIME);

	if (used)
		say(look, guest, "memory.used", "B", used->measured_at, used->value.gauge);
	if (cpu && cpu->has_rate)
		say(look, guest, "cpu.used", "cpu", cpu->measured_at, cpu->rate / 1e9);
}

void gm_measures_take(struct gm_measures *measures, const struct gm_snapshot *snapshot,
		      gm_measure_fn *each, void *user)
{
	struct look look = {measures, snapshot, each, user};

	take_last(&look, NULL, &snapshot->node);
	for (size_t i = 0; i < snapshot->guest_count; i++)
		take_last(&look, &snapshot->guests[i], &snapshot->guests[i].last);
	take_ports(&look);
	take_bursts(&look);
	take_leaks(&look);
}
