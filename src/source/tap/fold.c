/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folding of ticks into frames; see fold.h. It knows nothing of sockets, names or cadence. Called by
 * tap/tap.c for every device of every tick.
 */
#include "source/tap/fold.h"

static bool moved(const struct gm_link_stats *a, const struct gm_link_stats *b)
{
	return a->rx_bytes != b->rx_bytes || a->tx_bytes != b->tx_bytes ||
	       a->rx_packets != b->rx_packets || a->tx_packets != b->tx_packets;
}

static void raise_peak(double *peak, uint64_t before, uint64_t after, int64_t span)
{
	double rate = (double)(after - before) * 8e9 / (double)span;

	*peak = rate > *peak ? rate : *peak;
}

/* Takes the bin from the last reading to `stats` into the peaks. */
static void measure_bin(struct gm_tap_track *track, const struct gm_link_stats *stats, int64_t time)
{
	const struct gm_link_stats *last = &track->last;

	/* A reset, or a clock that was set back: no rate can be had from this bin. */
	if (track->time == 0 || time <= track->time || stats->rx_bytes < last->rx_bytes ||
	    stats->tx_bytes < last->tx_bytes) {
		return;
	}
	raise_peak(&track->rx_peak, last->rx_bytes, stats->rx_bytes, time - track->time);
	raise_peak(&track->tx_peak, last->tx_bytes, stats->tx_bytes, time - track->time);
	track->has_peak = true;
}

/* A frame with the counters that every frame has; false when the batch had no room. */
static bool open_frame(struct gm_batch *batch, const struct gm_entity_key *key,
		       const struct gm_link_stats *stats, int64_t time, unsigned flags)
{
	if (!gm_batch_frame(batch, key, time, time, flags)) {
		return false;
	}
	gm_batch_counter(batch, GM_METRIC_NET_RX_BYTES, stats->rx_bytes);
	gm_batch_counter(batch, GM_METRIC_NET_TX_BYTES, stats->tx_bytes);
	gm_batch_counter(batch, GM_METRIC_NET_RX_PACKETS, stats->rx_packets);
	gm_batch_counter(batch, GM_METRIC_NET_TX_PACKETS, stats->tx_packets);
	return true;
}

static bool keep_frame(struct gm_tap_track *track, const struct gm_entity_key *key, unsigned view,
		       struct gm_batch *batch)
{
	const struct gm_link_stats *stats = &track->last;

	if (!open_frame(batch, key, stats, track->time, view)) {
		return false;
	}
	gm_batch_counter(batch, GM_METRIC_NET_RX_ERRORS, stats->rx_errors);
	gm_batch_counter(batch, GM_METRIC_NET_TX_ERRORS, stats->tx_errors);
	gm_batch_counter(batch, GM_METRIC_NET_RX_DROPPED, stats->rx_dropped);
	gm_batch_counter(batch, GM_METRIC_NET_TX_DROPPED, stats->tx_dropped);
	if (track->has_peak) {
		gm_batch_gauge(batch, GM_METRIC_NET_RX_PEAK, track->rx_peak);
		gm_batch_gauge(batch, GM_METRIC_NET_TX_PEAK, track->tx_peak);
	}
	track->has_peak = false;
	track->rx_peak = track->tx_peak = 0;
	return true;
}

bool gm_tap_track_reading(struct gm_tap_track *track, const struct gm_entity_key *key,
			  unsigned view, const struct gm_link_stats *stats, int64_t time, bool keep,
			  struct gm_batch *batch)
{
	bool first = track->time == 0;
	bool movement = !first && moved(&track->last, stats);

	if (movement && !track->told) {
		open_frame(batch, key, &track->last, track->time, view | GM_FRAME_FINE);
	}
	measure_bin(track, stats, time);
	track->last = *stats;
	track->time = time;
	if (keep) {
		track->told = keep_frame(track, key, view, batch);
		return track->told;
	}
	/* The first reading is told when something moves after it, or with the next kept frame. */
	track->told = movement && open_frame(batch, key, stats, time, view | GM_FRAME_FINE);
	return false;
}
