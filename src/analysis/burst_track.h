/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds bursts in one direction of one interface, from bins of any and varying length (100 ms
 * or 1 ms, read late, some missing: every bin carries its own measured span). Pure and bounded;
 * it knows neither alarms nor findings: analysis/burst.c makes those of it.
 *
 * Two rules:
 *  - Utilisation: a bin at `enter` of the port's rate or more opens a burst, unless the background
 *    gets there every now and then by itself; it ends when bins well below that have lasted for
 *    `merge` bins (a shorter dip belongs to it). Start and end are finer than a bin: an edge bin
 *    that carried x of the burst's own rate above the background was covered x.
 *  - Brief: a burst shorter than a bin never fills one. One or two bins that stand far out of the
 *    learned background, carry at least `brief` of a bin's worth at the port's rate above it and
 *    fall back afterwards are a burst at that rate. Where bins follow each other (an application's
 *    own load climbs and falls over some of them), what the bin before lets expect is background,
 *    too. A flow that stays, however high, moves the background instead.
 */
#ifndef GM_ANALYSIS_BURST_TRACK_H
#define GM_ANALYSIS_BURST_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"
#include "model/sample.h"

enum { GM_BURST_PENDING = 4, GM_BURST_MERGE_MAX = 8 };

struct gm_burst_rules {
	double enter;  /* part of the port's rate */
	int64_t merge; /* bins, 1 to GM_BURST_MERGE_MAX */
	double brief;  /* part of a bin at the port's rate; 0: no brief bursts */
	double doubt;  /* part of the bursts told that may be noise */
};

/* The rate that bins are held against. */
struct gm_burst_port {
	double rate;  /* bit/s */
	bool learned; /* nobody told it: a burst must also stand out of the background */
};

struct gm_burst {
	int64_t start, end; /* ns; `end` so far while it lasts */
	double peak;        /* bit/s of its highest bin */
	double volume;      /* bytes */
	bool ended;
};

struct gm_burst_bin {
	int64_t begin, end;
	double rate; /* bit/s */
};

/* A level that the traffic had. */
struct gm_burst_level {
	double weight, mean, variance;
};

/* The traffic between bursts, of bins of the usual length. */
struct gm_burst_base {
	double weight, mean, variance;     /* over the last few dozen bins */
	double slow_weight, slow_variance; /* over the last few hundred */
	double skew_weight, skew;          /* over the last thousand */
	double stretch;                    /* how far its tail reaches, against that of a gamma's */
	struct gm_burst_level before;      /* the level before this one */
	int run;                           /* bins in a row above (positive) or below the mean */
	double last;                       /* residual of the last bin, bit/s */
	double follow_weight, follow;      /* correlation of a bin with the one before it */
};

struct gm_burst_track {
	struct gm_burst_base base;
	double usual;  /* ns: length of a bin */
	double often;  /* bursts per bin that stood out beyond doubt, over the last few thousand */
	int64_t until; /* end of the last bin; 0: none yet */

	size_t pending_count; /* bins that still may turn out to be a brief burst */
	struct gm_burst_bin pending[GM_BURST_PENDING];

	/*
	 * the burst that is on: bins from `first` to `last` that are over, the dips between included
	 */
	bool on, has_before;
	struct gm_burst_bin before, first, last;
	uint64_t over_count;
	double peak;
	double over_span, inner_bytes; /* inner: neither first nor last */
	double inner_over_bits, inner_over_span;
	size_t below_count; /* bins after `last` */
	struct gm_burst_bin below[GM_BURST_MERGE_MAX];
};

/* Told while bins are taken: a burst that has begun, goes on (once a bin) or has ended. */
struct gm_burst_sink {
	void (*tell)(void *user, const struct gm_burst *burst);
	void *user;
};

/* All zeros is a track that has seen nothing. `point` is of a byte counter, `port->rate` > 0. */
void gm_burst_track_take(struct gm_burst_track *track, const struct gm_burst_rules *rules,
			 const struct gm_burst_port *port, const struct gm_point *point,
			 const struct gm_burst_sink *sink);

/* Ends the burst that is on, as nothing more will be known of it. */
void gm_burst_track_end(struct gm_burst_track *track, const struct gm_burst_rules *rules,
			const struct gm_burst_port *port, const struct gm_burst_sink *sink);

/* What was learned of the background, and the bins that wait; a burst that is on is left out. */
void gm_burst_track_exchange(struct gm_burst_track *track, struct gm_archive *archive);

#endif
