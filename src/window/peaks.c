/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See peaks.h. Used by daemon/intake.c, which hands it the points of a window, and by daemon/view.c.
 *
 * The second of a time is its place in a ring of one more than a minute; a place whose second is not the
 * one that is asked for holds something older.
 */
#include "window/peaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A bin of 100 ms, as it comes out of ticks that are not on the dot, or one of them late. */
#define BIN_MIN (95 * GM_MILLISECOND)
#define BIN_MAX (200 * GM_MILLISECOND)
#define MINUTE  (60 * GM_SECOND)

enum { SECONDS = 61, BITS = 8 };

/* The highest bin that ended within one second. */
struct second {
	int64_t at; /* the end of the bin; 0: none */
	double rate;
};

struct track {
	double bytes; /* of the bin that is being filled */
	int64_t span;
	struct second seconds[SECONDS];
};

struct gm_peaks {
	struct track tracks[GM_PEAK_KINDS];
};

int gm_peaks_create(struct gm_peaks **ret_peaks)
{
	struct gm_peaks *peaks = calloc(1, sizeof(*peaks));
	if (!peaks)
		return -ENOMEM;
	*ret_peaks = peaks;
	return 0;
}

void gm_peaks_free(struct gm_peaks *peaks)
{
	free(peaks);
}

void gm_peaks_clear(struct gm_peaks *peaks)
{
	memset(peaks, 0, sizeof(*peaks));
}

/* Of two bins in the same second the higher one stays, and of equal ones the newer. */
static void raise(struct track *track, int64_t at, double rate)
{
	struct second *second = &track->seconds[at / GM_SECOND % SECONDS];
	if (second->at / GM_SECOND == at / GM_SECOND && second->rate > rate)
		return;
	*second = (struct second){.at = at, .rate = rate};
}

static void fill(struct track *track, const struct gm_point *point)
{
	/* What lies before a break belongs to no bin, and what spans it is no measurement of one. */
	if (point->gap) {
		track->bytes = 0;
		track->span = 0;
		return;
	}
	track->bytes += point->value;
	track->span += point->span;
	if (track->span < BIN_MIN)
		return;
	if (track->span <= BIN_MAX)
		raise(track, point->time,
		      track->bytes * BITS * (double)GM_SECOND / (double)track->span);
	track->bytes = 0;
	track->span = 0;
}

void gm_peaks_take(struct gm_peaks *peaks, const struct gm_point *point)
{
	if (point->time <= 0)
		return;
	switch (point->metric) {
	case GM_METRIC_NET_RX_BYTES:
		fill(&peaks->tracks[GM_PEAK_RX], point);
		break;
	case GM_METRIC_NET_TX_BYTES:
		fill(&peaks->tracks[GM_PEAK_TX], point);
		break;
	case GM_METRIC_NET_RX_PEAK:
		raise(&peaks->tracks[GM_PEAK_RX_FINE], point->time, point->value);
		break;
	case GM_METRIC_NET_TX_PEAK:
		raise(&peaks->tracks[GM_PEAK_TX_FINE], point->time, point->value);
		break;
	default:
		break;
	}
}

static struct gm_peak highest(const struct track *track, int64_t now)
{
	struct gm_peak peak = {.at = 0};
	for (unsigned i = 0; i < SECONDS; i++) {
		const struct second *second = &track->seconds[i];
		/* After the clock was set back there are some of the future. */
		if (second->at == 0 || second->at <= now - MINUTE || second->at > now + GM_SECOND)
			continue;
		if (peak.at == 0 || second->rate > peak.rate ||
		    (second->rate == peak.rate && second->at > peak.at))
			peak = (struct gm_peak){.rate = second->rate, .at = second->at};
	}
	return peak;
}

void gm_peaks_read(const struct gm_peaks *peaks, int64_t now,
		   struct gm_peak ret_peaks[GM_PEAK_KINDS])
{
	for (unsigned kind = 0; kind < GM_PEAK_KINDS; kind++)
		ret_peaks[kind] = highest(&peaks->tracks[kind], now);
}
