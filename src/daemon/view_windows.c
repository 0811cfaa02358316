/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a snapshot that holds whole series: the newest samples of a few metrics of the node, each
 * guest and each interface, packed as snapshot.h tells, so that one variable carries them; see view.h.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/view_private.h"
#include "model/metric.h"
#include "model/packed.h"

enum {
	/* 2.4 MiB and a few ms: 300 guests with two interfaces. Beyond it, the last have none. */
	ROWS_MAX = 2048,
	KIND_SERIES = 3, /* most of one kind of entity */
};

/* What offsets of four octets can say. */
#define SPAN_MAX (UINT32_MAX * GM_MICROSECOND)

/* So long series are shown before they are packed anew; views come a little earlier or later. */
#define SHOWN_FOR (GM_SECOND - 50 * GM_MILLISECOND)

struct series {
	unsigned metric;
	enum gm_packed_series id;
	uint64_t divisor; /* counters: from the catalogue's unit to the MIB's */
};

static const struct series whole[] = {
	{GM_METRIC_MEMORY_USED, GM_PACKED_MEMORY_USED, 1},
	{GM_METRIC_MEMORY_RESIDENT, GM_PACKED_MEMORY_RESIDENT, 1},
	{GM_METRIC_CPU_TIME, GM_PACKED_CPU_TIME, 1000},
};
static const struct series port[] = {
	{GM_METRIC_NET_RX_BYTES, GM_PACKED_RX_OCTETS, 1},
	{GM_METRIC_NET_TX_BYTES, GM_PACKED_TX_OCTETS, 1},
};

struct holder {
	uint32_t guest_index, ordinal;
	const struct gm_tracked *tracked;
};

static int compare_holders(const void *a, const void *b)
{
	const struct holder *one = a, *other = b;
	return gm_view_order(one->guest_index, one->ordinal, other->guest_index, other->ordinal);
}

static bool is_holder(const struct gm_tracked *tracked, uint32_t *ret_ordinal)
{
	unsigned kind = tracked->info.key.kind;
	return (kind == GM_ENTITY_NODE || kind == GM_ENTITY_GUEST || kind == GM_ENTITY_INTERFACE) &&
	       gm_view_place(tracked, ret_ordinal);
}

static size_t find_holders(const struct gm_view *view, struct holder *holders)
{
	size_t count = 0;
	for (const struct gm_tracked *tracked = gm_entities_first(view->input->entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		struct holder holder = {.guest_index = tracked->guest_index, .tracked = tracked};
		if (is_holder(tracked, &holder.ordinal))
			holders[count++] = holder;
	}
	qsort(holders, count, sizeof(*holders), compare_holders);
	return count;
}

static void put(uint8_t *octets, size_t size, uint64_t number)
{
	for (size_t i = size; i-- > 0; number >>= 8)
		octets[i] = (uint8_t)number;
}

static uint64_t rounded(double gauge)
{
	/* 2^64 as a double: the first that a uint64_t cannot hold. */
	return gauge > 0 && gauge < 0x1p64 ? (uint64_t)gauge : 0;
}

/* The next row; none where there is nothing to show. */
static void pack(struct gm_packed *packed, const struct holder *holder, const struct series *series)
{
	struct gm_packed_row *row = &packed->rows[packed->count];
	struct gm_window_sample samples[GM_PACKED_SAMPLES];
	size_t count = gm_window_read_newest(holder->tracked->window, series->metric, samples,
					     GM_PACKED_SAMPLES);
	size_t first = 0;
	if (count == 0)
		return;
	while (samples[count - 1].time - samples[first].time > SPAN_MAX)
		first++;
	uint8_t *records = packed->records;
	*row = (struct gm_packed_row){
		.guest_index = holder->guest_index,
		.ordinal = holder->ordinal,
		.series = series->id,
		.count = (uint32_t)(count - first),
		.first_at = samples[first].time,
		.last_at = samples[count - 1].time,
		.span = samples[count - 1].time - samples[first].time,
		.records = records,
	};
	bool counter = gm_metric_get(series->metric)->kind == GM_KIND_COUNTER;
	for (size_t i = first; i < count; i++, records += GM_PACKED_RECORD) {
		uint64_t offset = (uint64_t)(samples[i].time - row->first_at) / GM_MICROSECOND;
		uint64_t value = counter ? samples[i].value.counter / series->divisor
					 : rounded(samples[i].value.gauge);
		put(records, 4, offset);
		put(records + 4, 8, value);
	}
	packed->records = records;
	packed->count++;
}

static struct gm_packed *pack_all(const struct gm_view *view)
{
	size_t known = gm_entities_count(view->input->entities);
	struct holder *holders = calloc(known + 1, sizeof(*holders));
	size_t count = holders ? find_holders(view, holders) : 0;
	size_t room = count * KIND_SERIES < ROWS_MAX ? count * KIND_SERIES : ROWS_MAX;
	struct gm_packed *packed = holders ? gm_packed_create(room, view->input->now) : NULL;
	for (size_t i = 0; i < count && packed; i++) {
		bool is_port = holders[i].tracked->info.key.kind == GM_ENTITY_INTERFACE;
		const struct series *series = is_port ? port : whole;
		size_t wanted =
			is_port ? sizeof(port) / sizeof(port[0]) : sizeof(whole) / sizeof(whole[0]);
		for (size_t s = 0; s < wanted && packed->count < room; s++)
			pack(packed, &holders[i], &series[s]);
	}
	free(holders);
	return packed;
}

/* Those of the snapshot before where they are new enough, by a clock that may have been set; else NULL. */
static struct gm_packed *present_series(const struct gm_view *view)
{
	struct gm_snapshot_slot *slot = view->input->slot;
	const struct gm_snapshot *present = slot ? gm_snapshot_acquire(slot) : NULL;
	if (!present)
		return NULL;
	int64_t age = view->input->now - present->series->taken_at;
	struct gm_packed *packed =
		age >= 0 && age < SHOWN_FOR ? gm_packed_hold(present->series) : NULL;
	gm_snapshot_release(slot, present);
	return packed;
}

void gm_view_windows(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	snapshot->series = present_series(view);
	if (!snapshot->series)
		snapshot->series = pack_all(view);
	view->failed |= !snapshot->series;
	if (snapshot->series) {
		snapshot->packed = snapshot->series->rows;
		snapshot->packed_count = snapshot->series->count;
	}
}
