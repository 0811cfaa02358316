/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bursts in one direction; see burst_track.h for the rules. The order of work for a bin: close
 * what a hole in the series has cut, then either extend or end the burst that is on, or open
 * one, or let the bin wait among the pending ones until it is known to be background or a brief
 * burst.
 */
#include "analysis/burst_track.h"

#include <math.h>
#include <string.h>

#include "analysis/burst_base.h"
#include "base/clock.h"

/* An edge bin shows a part of a burst when it stands out by this. */
#define EDGE_DEVIATIONS 2.0

/* Bins that all are off by this on one side are a new level. */
#define LEVEL_DEVIATIONS 4.0

/*
 * Of the way from the background to the limit: what keeps a burst on that wavers about the
 * limit.
 */
#define HOLD 0.8

/* Times what one bin in a hundred exceeds. */
#define OUTSTANDING 1.3

/* Against a rate that was only learned: times the background's mean. */
#define LEARNED_CONTRAST 4.0

/* Against a rate that was only learned, what lasts longer is a new level. */
#define LEARNED_LONGEST GM_SECOND

/* Of the port's rate: variation that is nothing. */
#define GRAIN 0.005

/* Of all bins: noise that is taken for a brief burst, on ports without bursts and at most. */
#define RARE_LEAST 1e-6
#define RARE_MOST  1e-4

/* Bins over which it is remembered how often there are bursts. */
#define OFTEN_BINS 8192.0

/* In usual bins: from here on a bin tells little of the burst's rate. */
#define LONG_BIN 1.5

/* ns, and bit/s: what is longer, later or more was not written by us. */
#define LONGEST_BIN 1e18
#define FASTEST     1e18
#define LATEST      (INT64_MAX / 2)

/* Bit/s times ns, over this, are bytes. */
#define BITS (8.0 * (double)GM_SECOND)

/* What one call works with. */
struct work {
	struct gm_burst_track *track;
	const struct gm_burst_rules *rules;
	const struct gm_burst_port *port;
	const struct gm_burst_sink *sink;
};

static double span_of(const struct gm_burst_bin *bin)
{
	return (double)(bin->end - bin->begin);
}

static double bytes_of(const struct gm_burst_bin *bin)
{
	return bin->rate * span_of(bin) / BITS;
}

/* The bin's length in usual bins. */
static double length_of(const struct gm_burst_track *track, const struct gm_burst_bin *bin)
{
	return span_of(bin) / track->usual;
}

static double deviation_of(const struct gm_burst_track *track, const struct gm_burst_bin *bin)
{
	return gm_burst_base_deviation(&track->base, length_of(track, bin));
}

/*
 * The usual length leans to the shorter bins (about the lower fifth), because late reads and
 * skipped idle ticks only ever lengthen a bin.
 */
static void learn_usual(struct gm_burst_track *track, double span)
{
	if (track->usual <= 0)
		track->usual = span;
	else if (span < track->usual)
		track->usual -= fmin(track->usual * 0.08, track->usual - span);
	else
		track->usual += fmin(track->usual * 0.02, span - track->usual);
}

static void learn(const struct work *work, const struct gm_burst_bin *bin)
{
	struct gm_burst_track *track = work->track;
	gm_burst_base_learn(&track->base, bin->rate, length_of(track, bin),
			    GRAIN * work->port->rate);
}

/* Pending bins that no longer can be judged: background, unless they stand out. */
static void learn_pending(const struct work *work)
{
	struct gm_burst_track *track = work->track;
	for (size_t i = 0; i < track->pending_count; i++) {
		const struct gm_burst_bin *bin = &track->pending[i];
		if (!gm_burst_base_ready(&track->base) ||
		    fabs(bin->rate - track->base.mean) <=
			    LEVEL_DEVIATIONS * deviation_of(track, bin))
			learn(work, bin);
	}
	track->pending_count = 0;
}

/* What part of the bin a burst of rate `level` covered. */
static double covered(const struct gm_burst_track *track, const struct gm_burst_bin *bin,
		      double level)
{
	double above = bin->rate - track->base.mean;
	if (level <= track->base.mean)
		return 1;
	return fmin(fmax(above / (level - track->base.mean), 0), 1);
}

/* The same for a bin beside the burst, where noise must not count. In ns. */
static double covered_beside(const struct gm_burst_track *track, const struct gm_burst_bin *bin,
			     double level)
{
	if (bin->rate - track->base.mean <= EDGE_DEVIATIONS * deviation_of(track, bin))
		return 0;
	return covered(track, bin, level) * span_of(bin);
}

/*
 * The burst's first bin is all there is: it began within it or in the bin before. With a part
 * in the bin before, that part tells; without, the bin was filled from its start by less than
 * the port's rate, or from later on by all of it: the middle between the two is off by half a
 * bin at most.
 */
static int64_t early_start(const struct work *work)
{
	const struct gm_burst_track *track = work->track;
	double beside =
		track->has_before ? covered_beside(track, &track->before, track->first.rate) : 0;
	if (beside > 0)
		return track->first.begin - (int64_t)beside;
	double most = fmax(work->port->rate, track->first.rate);
	double free_part = 1 - covered(track, &track->first, most);
	return track->first.begin + (int64_t)(free_part * span_of(&track->first) / 2);
}

/*
 * A burst of one bin over the limit. In a bin of the usual length it is taken to have filled
 * that at the bin's rate; in a longer one (missed reads) it more likely was shorter, at the
 * port's rate. It touches the end beside which a part of it is seen, else it lies in the
 * middle.
 */
static struct gm_burst describe_single(const struct work *work)
{
	const struct gm_burst_track *track = work->track;
	const struct gm_burst_bin *bin = &track->first;
	double level = bin->rate;
	if (length_of(track, bin) > LONG_BIN)
		level = fmax(level, work->port->rate);
	double within = covered(track, bin, level) * span_of(bin);
	double before = track->has_before ? covered_beside(track, &track->before, level) : 0;
	double after = track->below_count ? covered_beside(track, &track->below[0], level) : 0;
	double offset = (span_of(bin) - within) / 2;
	if (before > 0)
		offset = -before;
	else if (after > 0)
		offset = span_of(bin) - within;
	double duration = before + within + after;
	struct gm_burst burst = {
		.start = bin->begin + (int64_t)offset,
		.peak = bin->rate,
		.volume = level * duration / BITS,
	};
	burst.end = burst.start + (int64_t)duration;
	return burst;
}

/* A burst of more: its own rate is that of its inner bins, else that of its highest. */
static struct gm_burst describe_many(const struct work *work)
{
	const struct gm_burst_track *track = work->track;
	double level = track->peak;
	if (track->inner_over_span > 0)
		level = track->inner_over_bits / track->inner_over_span;
	double head = covered(track, &track->first, level) * span_of(&track->first);
	double tail = covered(track, &track->last, level) * span_of(&track->last);
	if (track->has_before)
		head += covered_beside(track, &track->before, level);
	if (track->below_count > 0)
		tail += covered_beside(track, &track->below[0], level);
	return (struct gm_burst){
		.start = track->first.end - (int64_t)head,
		.end = track->last.begin + (int64_t)tail,
		.peak = track->peak,
		.volume = track->inner_bytes + level * (head + tail) / BITS,
	};
}

/* What is known of the burst that is on. */
static struct gm_burst describe(const struct work *work, bool ended)
{
	const struct gm_burst_track *track = work->track;
	struct gm_burst burst;
	if (track->over_count > 1) {
		burst = describe_many(work);
	} else if (ended) {
		burst = describe_single(work);
	} else {
		burst = (struct gm_burst){
			.start = early_start(work),
			.end = track->first.end,
			.peak = track->first.rate,
			.volume = bytes_of(&track->first),
		};
	}
	burst.ended = ended;
	return burst;
}

static void tell(const struct work *work, bool ended)
{
	struct gm_burst burst = describe(work, ended);
	work->sink->tell(work->sink->user, &burst);
}

static void open_burst(const struct work *work, const struct gm_burst_bin *bin)
{
	struct gm_burst_track *track = work->track;
	track->has_before = track->pending_count > 0;
	if (track->has_before)
		track->before = track->pending[--track->pending_count];
	learn_pending(work);
	track->on = true;
	track->first = track->last = *bin;
	track->over_count = 1;
	track->peak = bin->rate;
	track->over_span = span_of(bin);
	track->inner_bytes = track->inner_over_bits = track->inner_over_span = 0;
	track->below_count = 0;
	tell(work, false);
}

static void extend_burst(const struct work *work, const struct gm_burst_bin *bin)
{
	struct gm_burst_track *track = work->track;
	if (track->over_count > 1) {
		track->inner_bytes += bytes_of(&track->last);
		track->inner_over_bits += track->last.rate * span_of(&track->last);
		track->inner_over_span += span_of(&track->last);
	}
	for (size_t i = 0; i < track->below_count; i++)
		track->inner_bytes += bytes_of(&track->below[i]);
	track->below_count = 0;
	track->last = *bin;
	track->over_count++;
	track->over_span += span_of(bin);
	track->peak = fmax(track->peak, bin->rate);
	tell(work, false);
}

static void wait_and_judge(const struct work *work, const struct gm_burst_bin *bin);

static void end_burst(const struct work *work)
{
	struct gm_burst_track *track = work->track;
	tell(work, true);
	track->on = false;
	track->often += (1 - track->often) / OFTEN_BINS;
	/*
	 * The first bin below may hold the burst's end; those behind it are judged like any other.
	 */
	for (size_t i = 1; i < track->below_count; i++)
		wait_and_judge(work, &track->below[i]);
	track->below_count = 0;
}

/* What a brief burst in `count` pending bins from `first` on would have been. */
struct brief {
	size_t first, count;
	double duration; /* ns at the port's rate */
	double highest;
	double stands; /* above the background, in deviations */
	double reach;  /* the same: what noise reaches */
};

/* What it is above 1, nothing but a burst explains; comparable between different counts of bins. */
static double surety(const struct brief *brief)
{
	return brief->reach > 0 ? brief->stands / brief->reach : 0;
}

/*
 * Surety 0 where these bins cannot be one: too little, or not over afterwards (what stays, however high,
 * is a new level).
 */
static struct brief measure_brief(const struct work *work, size_t first, size_t count, double rare)
{
	const struct gm_burst_track *track = work->track;
	const struct gm_burst_bin *bin = track->pending;
	double level = gm_burst_base_expected(&track->base, track->base.mean + track->base.last);
	double area = 0, span = 0, after = 0, after_span = 0;
	struct brief brief = {.first = first, .count = count};
	size_t end = first + count;
	if (level >= work->port->rate)
		return brief;
	for (size_t i = first; i < end; i++) {
		area += (bin[i].rate - level) * span_of(&bin[i]);
		span += span_of(&bin[i]);
		brief.highest = fmax(brief.highest, bin[i].rate);
	}
	for (size_t i = end; i < end + 2 && i < GM_BURST_PENDING; i++) {
		after += (bin[i].rate - level) * span_of(&bin[i]);
		after_span += span_of(&bin[i]);
	}
	double length = span / track->usual;
	double spread = gm_burst_base_deviation(&track->base, length) *
			gm_burst_base_together(&track->base, count);
	brief.duration = fmin(area / (work->port->rate - level), span);
	double least = work->rules->brief * fmin(track->usual, span / (double)count);
	if (brief.duration < least ||
	    after / after_span > fmax((brief.highest - level) / 2, EDGE_DEVIATIONS * spread))
		return brief;
	brief.stands = spread > 0 ? area / (spread * span) : INFINITY;
	brief.reach = gm_burst_base_reach(&track->base, length, rare);
	return brief;
}

/*
 * How rare noise must be that it is taken for a burst: no more than the doubted part of the
 * bursts that this port has beyond doubt. A port without bursts is held against the rarest.
 */
static double rarity(const struct work *work)
{
	double rare = work->rules->doubt * work->track->often;
	return fmin(fmax(rare, RARE_LEAST), RARE_MOST);
}

static void tell_brief(const struct work *work, const struct brief *brief)
{
	struct gm_burst_track *track = work->track;
	const struct gm_burst_bin *bin = &track->pending[brief->first];
	/* In one bin nobody knows where; in two it lies over their border. */
	double head = brief->count == 1 ? (span_of(bin) + brief->duration) / 2
					: span_of(bin) * covered(track, bin, work->port->rate);
	struct gm_burst burst = {
		.start = bin->end - (int64_t)head,
		.peak = brief->highest,
		.volume = brief->duration * work->port->rate / BITS,
		.ended = true,
	};
	burst.end = burst.start + (int64_t)brief->duration;
	work->sink->tell(work->sink->user, &burst);
}

static bool stands_out(const struct gm_burst_track *track, const struct gm_burst_bin *bin)
{
	return bin->rate - track->base.mean > EDGE_DEVIATIONS * deviation_of(track, bin);
}

/* Whether there is anything to look for, and enough known to look for it. */
static bool may_be_brief(const struct work *work)
{
	const struct gm_burst_track *track = work->track;
	return work->rules->brief > 0 && !work->port->learned &&
	       gm_burst_base_ready(&track->base) && track->base.mean < work->port->rate &&
	       (stands_out(track, &track->pending[0]) || stands_out(track, &track->pending[1]));
}

/*
 * The brief burst that explains most of the oldest pending bin: in that one alone or over the border to
 * the next. Surety 0 where one that begins with the next bin explains more.
 */
static struct brief best_brief(const struct work *work)
{
	double rare = rarity(work);
	const struct brief one = measure_brief(work, 0, 1, rare);
	const struct brief two = measure_brief(work, 0, 2, rare);
	if (surety(&two) <= surety(&one))
		return one;
	const struct brief later = measure_brief(work, 1, 1, rare);
	const struct brief later_two = measure_brief(work, 1, 2, rare);
	if (surety(&later) > surety(&two) || surety(&later_two) > surety(&two))
		return (struct brief){0};
	return two;
}

/*
 * How many of the oldest pending bins a brief burst explains, 0 when there is none. A bin behind it
 * that stands out still is noise beside it.
 */
static size_t find_brief(const struct work *work)
{
	struct gm_burst_track *track = work->track;
	if (!may_be_brief(work))
		return 0;
	const struct brief best = best_brief(work);
	if (surety(&best) < 1)
		return 0;
	if (best.stands >= gm_burst_base_reach(&track->base, (double)best.count, RARE_LEAST))
		track->often += (1 - track->often) / OFTEN_BINS;
	tell_brief(work, &best);
	return best.count + stands_out(track, &track->pending[best.count]);
}

/* True when all pending bins are off to the same side. */
static bool is_new_level(const struct gm_burst_track *track)
{
	size_t above = 0, below = 0;
	if (!gm_burst_base_ready(&track->base))
		return false;
	for (size_t i = 0; i < track->pending_count; i++) {
		double off = track->pending[i].rate - track->base.mean;
		double limit =
			LEVEL_DEVIATIONS *
			gm_burst_base_recent(&track->base, length_of(track, &track->pending[i]));
		above += off > limit;
		below += off < -limit;
	}
	return above == GM_BURST_PENDING || below == GM_BURST_PENDING;
}

static void drop_pending(struct gm_burst_track *track, size_t count)
{
	track->pending_count -= count;
	memmove(track->pending, track->pending + count,
		track->pending_count * sizeof(track->pending[0]));
}

/* The pending bins are a new level, but for the first, which is half of the old one. */
static void move_level(const struct work *work)
{
	struct gm_burst_track *track = work->track;
	double a = track->pending[1].rate, b = track->pending[2].rate, c = track->pending[3].rate;
	/* Their median: one of them may have a burst. */
	double median = fmax(fmin(a, b), fmin(fmax(a, b), c));
	gm_burst_base_move(&track->base, median);
}

/* Puts the bin behind the pending ones; when they are complete, judges the oldest. */
static void wait_and_judge(const struct work *work, const struct gm_burst_bin *bin)
{
	struct gm_burst_track *track = work->track;
	track->pending[track->pending_count++] = *bin;
	if (track->pending_count < GM_BURST_PENDING)
		return;
	size_t brief = find_brief(work);
	if (brief > 0) {
		drop_pending(track, brief);
		return;
	}
	if (is_new_level(track))
		move_level(work);
	else
		learn(work, &track->pending[0]);
	drop_pending(track, 1);
}

/*
 * Against a rate that was only learned a bin must stand far out of the background and of the bin
 * before it. Bins so long that a burst cannot end before it counts as a level show none.
 */
static bool is_contrast(const struct work *work, const struct gm_burst_bin *bin)
{
	const struct gm_burst_track *track = work->track;
	const struct gm_burst_base *base = &track->base;
	if (!gm_burst_base_ready(base) || span_of(bin) >= LEARNED_LONGEST ||
	    bin->rate < LEARNED_CONTRAST * base->mean)
		return false;
	double before = base->mean + base->last;
	if (track->pending_count > 0)
		before = track->pending[track->pending_count - 1].rate;
	double above = bin->rate - gm_burst_base_expected(base, before);
	double reach = gm_burst_base_reach(base, length_of(track, bin), RARE_MOST);
	return !isfinite(reach) || above >= reach * deviation_of(track, bin);
}

/*
 * Enters at the limit, unless the traffic gets there every now and then anyhow (a link that is busy
 * around the limit has no bursts but noise). Stays on some way below it, as far as the background
 * lets that be told.
 */
static bool is_over(const struct work *work, const struct gm_burst_bin *bin)
{
	const struct gm_burst_base *base = &work->track->base;
	double limit = work->rules->enter * work->port->rate;
	if (work->track->on)
		return bin->rate >= base->mean + HOLD * (limit - base->mean);
	double high = gm_burst_base_high(base, length_of(work->track, bin));
	double usual = base->mean + OUTSTANDING * (high - base->mean);
	if (bin->rate < limit || bin->rate < usual)
		return false;
	return !work->port->learned || is_contrast(work, bin);
}

/* The bin is below: ends the burst once that has lasted. */
static void take_below(const struct work *work, const struct gm_burst_bin *bin)
{
	struct gm_burst_track *track = work->track;
	track->below[track->below_count++] = *bin;
	double usual = track->over_span / (double)track->over_count;
	double lasted = (double)(bin->end - track->last.end);
	/* Bins are never quite equal: half a bin less is as good. */
	if (track->below_count == GM_BURST_MERGE_MAX ||
	    lasted >= ((double)work->rules->merge - 0.5) * usual)
		end_burst(work);
}

/* Rows are missing, or the counter began again: what was waiting has no successor. */
static void take_hole(const struct work *work, int64_t hole)
{
	struct gm_burst_track *track = work->track;
	learn_pending(work);
	if (track->on && (hole < 0 || (double)hole >= (double)work->rules->merge * track->usual))
		end_burst(work);
}

/* Without a known rate, traffic that stays is not a burst any more. */
static void end_if_level(const struct work *work)
{
	struct gm_burst_track *track = work->track;
	if (!work->port->learned || track->last.end - track->first.begin < LEARNED_LONGEST)
		return;
	const struct gm_burst_bin level = track->last;
	end_burst(work);
	gm_burst_base_move(&track->base, level.rate);
}

void gm_burst_track_take(struct gm_burst_track *track, const struct gm_burst_rules *rules,
			 const struct gm_burst_port *port, const struct gm_point *point,
			 const struct gm_burst_sink *sink)
{
	const struct work work = {.track = track, .rules = rules, .port = port, .sink = sink};
	if (point->span <= 0)
		return;
	const struct gm_burst_bin bin = {
		.begin = point->time - point->span,
		.end = point->time,
		.rate = point->value * 8.0 * (double)GM_SECOND / (double)point->span,
	};
	if (track->until != 0 && bin.begin != track->until)
		take_hole(&work, bin.begin - track->until);
	track->until = bin.end;
	learn_usual(track, (double)point->span);
	track->often -= track->often / OFTEN_BINS;

	if (is_over(&work, &bin)) {
		if (track->on)
			extend_burst(&work, &bin);
		else
			open_burst(&work, &bin);
		end_if_level(&work);
	} else if (track->on) {
		take_below(&work, &bin);
	} else {
		wait_and_judge(&work, &bin);
	}
}

void gm_burst_track_end(struct gm_burst_track *track, const struct gm_burst_rules *rules,
			const struct gm_burst_port *port, const struct gm_burst_sink *sink)
{
	const struct work work = {.track = track, .rules = rules, .port = port, .sink = sink};
	if (track->on)
		end_burst(&work);
}

static void exchange_bin(struct gm_burst_bin *bin, struct gm_archive *archive)
{
	gm_archive_int(archive, &bin->begin, 0, LATEST);
	gm_archive_int(archive, &bin->end, 0, LATEST);
	gm_archive_number(archive, &bin->rate);
	if (bin->end <= bin->begin || bin->rate < 0 || bin->rate > FASTEST)
		archive->failed = true;
}

void gm_burst_track_exchange(struct gm_burst_track *track, struct gm_archive *archive)
{
	gm_burst_base_exchange(&track->base, archive);
	gm_archive_number(archive, &track->usual);
	gm_archive_number(archive, &track->often);
	gm_archive_int(archive, &track->until, 0, LATEST);
	if (track->usual < 0 || track->usual > LONGEST_BIN || track->often < 0 || track->often > 1)
		archive->failed = true;
	gm_archive_size(archive, &track->pending_count, GM_BURST_PENDING - 1);
	for (size_t i = 0; i < track->pending_count && !archive->failed; i++)
		exchange_bin(&track->pending[i], archive);
}
