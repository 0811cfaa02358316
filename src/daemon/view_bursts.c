/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a snapshot that tells what is counted of bursts: totals and histograms of each part of each
 * port, and of ports that burst at the same time; see view.h. The last burst of each is in
 * view_findings.c.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/burst.h"
#include "analysis/contention.h"
#include "base/clock.h"
#include "daemon/view_private.h"

enum {
	/* 6 MiB; a port has about a hundred, so that 2500 ports have room. Beyond it, the last have none. */
	BUCKETS_MAX = 262144,
};

static const uint8_t parts[GM_BURST_CHANNELS] = {
	[GM_BURST_RX_BYTES] = GM_BURST_PART_RX_BYTES,
	[GM_BURST_TX_BYTES] = GM_BURST_PART_TX_BYTES,
	[GM_BURST_RX_PACKETS] = GM_BURST_PART_RX_PACKETS,
	[GM_BURST_TX_PACKETS] = GM_BURST_PART_TX_PACKETS,
};

/* A port that is judged, and what is counted of it. */
struct port {
	uint32_t guest_index, ordinal;
	const struct gm_detector *detector;
};

/* A detector that judges says so about once a second, even when all is well. */
static bool is_judged(const struct gm_tracked *tracked)
{
	for (size_t i = 0; i < tracked->finding_count; i++)
		if (strcmp(tracked->findings[i].detector, gm_burst_ops.name) == 0)
			return true;
	return false;
}

static size_t find_ports(struct gm_view *view, struct port *ports)
{
	size_t count = 0;
	for (const struct gm_tracked *tracked = gm_entities_first(view->input->entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		struct port port = {.guest_index = tracked->guest_index};
		if (tracked->info.key.kind != GM_ENTITY_INTERFACE || !is_judged(tracked) ||
		    !tracked->detectors || !gm_view_place(tracked, &port.ordinal))
			continue;
		port.detector = gm_detector_set_find(tracked->detectors, &gm_burst_ops);
		if (port.detector)
			ports[count++] = port;
	}
	return count;
}

static int compare_ports(const void *a, const void *b)
{
	const struct port *one = a, *other = b;
	return gm_view_order(one->guest_index, one->ordinal, other->guest_index, other->ordinal);
}

static void add_total(struct gm_snapshot *snapshot, const struct port *port, uint32_t part,
		      const struct gm_burst_stats *stats)
{
	snapshot->burst_totals[snapshot->burst_total_count++] = (struct gm_burst_total_row){
		.guest_index = port->guest_index,
		.ordinal = port->ordinal,
		.part = part,
		.bursts = stats->bursts,
		.time = stats->time,
		.volume = stats->volume,
		.dropped = stats->dropped,
		.told = stats->told,
		.untold = stats->untold,
		.storms = stats->storms,
	};
}

/* Up to the highest bucket that has counted anything. */
static size_t used(const uint64_t *counts, size_t size)
{
	while (size > 0 && counts[size - 1] == 0)
		size--;
	return size;
}

static size_t used_by(const struct gm_burst_stats *stats)
{
	if (stats->bursts == 0)
		return 0;
	return used(stats->durations, GM_BURST_BUCKETS) + used(stats->gaps, GM_BURST_BUCKETS) +
	       used(stats->peaks, GM_BURST_BUCKETS) + used(stats->volumes, GM_BURST_BUCKETS);
}

/* `first` is the row as all buckets have it. */
static struct gm_bucket_row *add_buckets(struct gm_bucket_row *rows, struct gm_bucket_row first,
					 const uint64_t *counts, size_t size)
{
	size_t count = used(counts, size);
	for (size_t i = 0; i < count; i++) {
		*rows = first;
		rows->bucket = (uint8_t)(i + 1);
		rows->last = i + 1 == size;
		rows++->count = counts[i];
	}
	return rows;
}

static struct gm_bucket_row *add_histograms(struct gm_bucket_row *rows, const struct port *port,
					    uint8_t part, const struct gm_burst_stats *stats)
{
	const struct {
		enum gm_histogram id;
		const uint64_t *counts;
	} histograms[] = {
		{GM_HISTOGRAM_DURATION, stats->durations},
		{GM_HISTOGRAM_GAP, stats->gaps},
		{GM_HISTOGRAM_PEAK, stats->peaks},
		{GM_HISTOGRAM_VOLUME, stats->volumes},
	};
	for (size_t i = 0; i < sizeof(histograms) / sizeof(histograms[0]); i++) {
		struct gm_bucket_row first = {
			.guest_index = port->guest_index,
			.ordinal = port->ordinal,
			.part = part,
			.histogram = (uint8_t)histograms[i].id,
		};
		rows = add_buckets(rows, first, histograms[i].counts, GM_BURST_BUCKETS);
	}
	return rows;
}

/* How many rows the ports' histograms have, those of whole ports within the bound. */
static size_t count_buckets(const struct port *ports, size_t count, size_t *ret_ports)
{
	size_t total = 0, p = 0;
	for (; p < count; p++) {
		size_t more = 0;
		for (unsigned c = 0; c < GM_BURST_CHANNELS; c++)
			more += used_by(gm_burst_stats_of(ports[p].detector, c));
		if (total + more > BUCKETS_MAX)
			break;
		total += more;
	}
	*ret_ports = p;
	return total;
}

static void build_ports(struct gm_view *view, const struct port *ports, size_t count)
{
	struct gm_snapshot *snapshot = view->snapshot;
	size_t shown;
	size_t buckets = count_buckets(ports, count, &shown);
	snapshot->burst_totals =
		gm_view_take(view, count * GM_BURST_CHANNELS, sizeof(*snapshot->burst_totals));
	snapshot->burst_buckets = gm_view_take(view, buckets, sizeof(*snapshot->burst_buckets));
	if (view->failed)
		return;
	struct gm_bucket_row *row = snapshot->burst_buckets;
	for (size_t p = 0; p < count; p++) {
		for (unsigned c = 0; c < GM_BURST_CHANNELS; c++) {
			const struct gm_burst_stats *stats =
				gm_burst_stats_of(ports[p].detector, c);
			add_total(snapshot, &ports[p], parts[c], stats);
			if (p < shown && stats->bursts > 0)
				row = add_histograms(row, &ports[p], parts[c], stats);
		}
	}
	snapshot->burst_bucket_count = (size_t)(row - snapshot->burst_buckets);
}

static void build_contention(struct gm_view *view)
{
	struct gm_snapshot *snapshot = view->snapshot;
	const struct gm_contention *contention = view->input->contention;
	const struct gm_contention_stats *stats = gm_contention_stats(contention);
	int64_t now = view->input->now;
	snapshot->contention = (struct gm_contention_row){
		.ports = (uint32_t)gm_contention_ports(contention, now - GM_SECOND, now),
		.most = (uint32_t)stats->most,
		.bursts = stats->bursts,
	};
	snapshot->contention_buckets = gm_view_take(view, used(stats->ports, GM_CONTENTION_BUCKETS),
						    sizeof(*snapshot->contention_buckets));
	if (!snapshot->contention_buckets)
		return;
	struct gm_bucket_row *end =
		add_buckets(snapshot->contention_buckets, (struct gm_bucket_row){0}, stats->ports,
			    GM_CONTENTION_BUCKETS);
	snapshot->contention_bucket_count = (size_t)(end - snapshot->contention_buckets);
}

void gm_view_bursts(struct gm_view *view)
{
	struct port *ports = calloc(gm_view_count(view, GM_ENTITY_INTERFACE) + 1, sizeof(*ports));
	view->failed |= !ports;
	if (!ports)
		return;
	size_t count = find_ports(view, ports);
	qsort(ports, count, sizeof(*ports), compare_ports);
	build_ports(view, ports, count);
	free(ports);
	build_contention(view);
}
