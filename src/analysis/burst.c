/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The burst detector: findings and their reports out of what burst_track.c sees; see burst.h.
 * It also settles which rate the port is held against. The registry in detector.c names it.
 */
#include "analysis/burst.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/burst_base.h"
#include "analysis/burst_storm.h"
#include "analysis/burst_track.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/metric.h"

/* A peak above this part of the port's rate has filled it: packets wait or are lost. */
#define FULL_PORT 0.9

/* A burst that lasts so long is told of before it ends. */
#define LONG_BURST GM_SECOND

/*
 * A learned rate loses half in this time, so that one odd bin does not blind the detector for
 * ever.
 */
#define LEARNED_HALF_LIFE (3600.0 * (double)GM_SECOND)

/* A burst whose source has been silent so long is over: usual bins, and at least that time. */
#define SILENT_BINS  4.0
#define SILENT_LEAST (2 * GM_SECOND)

/* The tracker counts in bytes; a packet is as much to it. */
#define BITS 8.0

/* Bit/s: what is more is no port's, nor was it written by us. */
#define RATE_MOST 1e15

/* Packets lost at once: what is more is not worth a count. */
#define DROPPED_MOST 1e18

/* What a channel is of. */
struct kind {
	unsigned metric_id, dropped_id;
	const char *metric, *direction;
	bool packets;
};

static const struct kind kinds[GM_BURST_CHANNELS] = {
	[GM_BURST_RX_BYTES] = {GM_METRIC_NET_RX_BYTES, GM_METRIC_NET_RX_DROPPED, "net.rx.bytes",
			       "rx", false},
	[GM_BURST_TX_BYTES] = {GM_METRIC_NET_TX_BYTES, GM_METRIC_NET_TX_DROPPED, "net.tx.bytes",
			       "tx", false},
	[GM_BURST_RX_PACKETS] = {GM_METRIC_NET_RX_PACKETS, GM_METRIC_NET_RX_DROPPED,
				 "net.rx.packets", "rx", true},
	[GM_BURST_TX_PACKETS] = {GM_METRIC_NET_TX_PACKETS, GM_METRIC_NET_TX_DROPPED,
				 "net.tx.packets", "tx", true},
};

struct channel {
	struct burst_detector *detector;
	const struct kind *kind;
	struct gm_burst_track track;
	double learned;     /* highest rate of a bin, half-forgotten every hour */
	double utilisation; /* of the last bin */

	bool judging; /* has seen a bin that it could judge */
	bool active;
	bool on;   /* a burst is on */
	bool told; /* it has been reported, as begun at `told_start` */
	int64_t told_start;
	int64_t last_seen;  /* when the last burst was seen to be on or to have ended */
	int64_t start, end; /* of the last burst */
	int64_t gap;        /* between the burst before and the last; negative: there was none */
	double dropped;     /* packets lost during the last burst */
	uint64_t shown;     /* the number of the burst that `evidence` is of */
	enum gm_severity severity;
	struct gm_evidence evidence; /* of the last burst that was told of */
	struct gm_burst_storm storm;
	struct gm_burst_stats stats;
};

struct burst_detector {
	struct gm_detector base;
	const struct gm_burst_options *options;
	struct gm_entity_key key;
	double speed;              /* bit/s as reported; 0: not */
	double rx_limit, tx_limit; /* bit/s that may be received and sent; 0: as much as it can */
	struct channel channels[GM_BURST_CHANNELS];

	/* during observe() and evaluate() */
	const struct gm_finding_sink *sink;
	int64_t now;
	struct gm_burst_port port;
};

static int burst_create(const void *options, const struct gm_entity_key *key,
			struct gm_detector **ret_detector)
{
	struct burst_detector *detector = calloc(1, sizeof(*detector));
	if (!detector)
		return -ENOMEM;
	detector->base.ops = &gm_burst_ops;
	detector->options = options;
	detector->key = *key;
	for (size_t i = 0; i < GM_BURST_CHANNELS; i++) {
		detector->channels[i].detector = detector;
		detector->channels[i].kind = &kinds[i];
		detector->channels[i].severity = GM_SEVERITY_WARNING;
	}
	*ret_detector = &detector->base;
	return 0;
}

static void burst_destroy(struct gm_detector *detector)
{
	free(detector);
}

static struct gm_burst_storm_rules storm_rules(const struct channel *channel)
{
	const struct gm_burst_options *options = channel->detector->options;
	return (struct gm_burst_storm_rules){
		.bursts = options->storm_bursts,
		.time = options->storm_time,
		.report = options->storm_report,
	};
}

static void emit(const struct channel *channel, int64_t time, bool report,
		 const struct gm_finding_sink *sink)
{
	struct gm_finding finding = {
		.key = channel->detector->key,
		.detector = "burst",
		.active = channel->active,
		.report = report,
		.severity = channel->severity,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_CONGESTION,
		.time = time,
		.evidence = channel->evidence,
	};
	gm_text_copy(finding.metric, sizeof(finding.metric), channel->kind->metric);
	if (channel->stats.bursts > 0)
		gm_evidence_set(&finding.evidence, GM_EVIDENCE_BURSTS,
				(double)channel->stats.bursts);
	if (channel->storm.on)
		gm_evidence_set(&finding.evidence, GM_EVIDENCE_STORM,
				(double)channel->storm.bursts);
	sink->emit(sink->user, &finding);
}

static void show_dropped(struct channel *channel)
{
	if (channel->dropped <= 0 || channel->shown != channel->stats.bursts)
		return;
	gm_evidence_set(&channel->evidence, GM_EVIDENCE_DROPPED, channel->dropped);
	channel->severity = GM_SEVERITY_MINOR;
}

static void fill_rates(struct channel *channel, const struct gm_burst *burst, double duration)
{
	const struct gm_burst_port *port = &channel->detector->port;
	struct gm_evidence *evidence = &channel->evidence;
	double mean = duration > 0 ? burst->volume * 8 / duration : burst->peak, peak = burst->peak;
	/*
	 * No mean is above the peak. The mean of a burst that fits into a bin is nearer to the truth than
	 * the bin's own rate; while the burst goes on, its first edge is not known well enough for that.
	 */
	if (mean > peak && burst->ended)
		peak = mean;
	if (channel->kind->packets) {
		gm_evidence_set(evidence, GM_EVIDENCE_PEAK_PACKETS, peak / BITS);
		gm_evidence_set(evidence, GM_EVIDENCE_PACKETS, burst->volume);
		return;
	}
	gm_evidence_set(evidence, GM_EVIDENCE_PEAK, peak);
	gm_evidence_set(evidence, GM_EVIDENCE_VOLUME, burst->volume);
	gm_evidence_set(evidence, GM_EVIDENCE_MEAN, fmin(mean, peak));
	if (!port->learned)
		gm_evidence_set(evidence, GM_EVIDENCE_SPEED, port->rate);
}

static void fill_evidence(struct channel *channel, const struct gm_burst *burst)
{
	const struct gm_burst_port *port = &channel->detector->port;
	struct gm_evidence *evidence = &channel->evidence;
	double duration = (double)(burst->end - burst->start) / (double)GM_SECOND;
	*evidence = (struct gm_evidence){0};
	gm_evidence_set(evidence, GM_EVIDENCE_START,
			(double)channel->told_start / (double)GM_SECOND);
	gm_evidence_set(evidence, GM_EVIDENCE_DURATION, duration);
	fill_rates(channel, burst, duration);
	if (channel->gap >= 0)
		gm_evidence_set(evidence, GM_EVIDENCE_GAP,
				(double)channel->gap / (double)GM_SECOND);
	gm_text_copy(evidence->direction, sizeof(evidence->direction), channel->kind->direction);
	bool full = !port->learned && burst->peak > FULL_PORT * port->rate;
	channel->severity = full ? GM_SEVERITY_MINOR : GM_SEVERITY_WARNING;
	channel->shown = channel->stats.bursts;
	show_dropped(channel);
}

/* A burst has begun. */
static void begin(struct channel *channel, const struct gm_burst *burst)
{
	const struct gm_burst_storm_rules rules = storm_rules(channel);
	channel->gap = channel->end != 0 ? burst->start - channel->end : -1;
	channel->dropped = 0;
	channel->stats.bursts++;
	if (gm_burst_storm_count(&channel->storm, &rules, channel->detector->now))
		channel->stats.storms++;
}

static void count_ended(struct channel *channel, const struct gm_burst *burst)
{
	double duration = (double)(burst->end - burst->start) / (double)GM_SECOND;
	double peak = burst->peak;
	if (duration > 0)
		peak = fmax(peak, burst->volume * BITS / duration);
	const struct gm_burst_figures figures = {
		.duration = burst->end - burst->start,
		.gap = channel->gap,
		.peak = channel->kind->packets ? peak / BITS : peak / 1000,
		.volume = burst->volume,
	};
	gm_burst_stats_count(&channel->stats, &figures);
	if (channel->told)
		channel->stats.told++;
	else
		channel->stats.untold++;
}

/* A burst in bytes is told as that alone. */
static bool is_hidden(const struct channel *channel, const struct gm_burst *burst)
{
	if (!channel->kind->packets || channel->on)
		return false;
	const struct channel *bytes =
		&channel->detector
			 ->channels[channel - channel->detector->channels - GM_BURST_RX_PACKETS];
	int64_t slack = (int64_t)channel->track.usual;
	return bytes->on || (burst->start <= bytes->end + slack &&
			     burst->end + slack >= bytes->start && bytes->end != 0);
}

static bool admit(struct channel *channel)
{
	const struct gm_burst_storm_rules rules = storm_rules(channel);
	return gm_burst_storm_admit(&channel->storm, &rules, channel->detector->now);
}

/* Nothing has been told for a while, and not because of a storm: this one is told at once. */
static bool is_news(const struct channel *channel)
{
	int64_t since = channel->detector->now - channel->storm.told_at;
	if (!channel->active || since < 0)
		return true;
	return !channel->storm.on && since >= 2 * channel->detector->options->clear_after;
}

static void report(struct channel *channel, const struct gm_burst *burst)
{
	const struct burst_detector *detector = channel->detector;
	bool due = burst->ended || burst->end - burst->start >= LONG_BURST || is_news(channel);
	if (channel->told) {
		fill_evidence(channel, burst);
		if (burst->ended)
			emit(channel, detector->now, true, detector->sink);
	} else if (due && (admit(channel) || !channel->active)) {
		channel->active = true;
		channel->told_start = burst->start;
		fill_evidence(channel, burst);
		emit(channel, detector->now, true, detector->sink);
		channel->told = true;
	}
}

/*
 * Told of a burst once per bin while it is on and once when it has ended. The first one of a quiet
 * time and a long one are reported before they end; one in packets only then is known not to be one
 * in bytes.
 */
static void on_burst(void *user, const struct gm_burst *burst)
{
	struct channel *channel = user;
	struct burst_detector *detector = channel->detector;
	bool packets = channel->kind->packets;
	if (!channel->on && !packets && burst->volume < (double)detector->options->least_volume)
		return;
	if (packets && !channel->on && !burst->ended && burst->end - burst->start < LONG_BURST)
		return;
	if (is_hidden(channel, burst))
		return;
	channel->last_seen = detector->now;
	if (!channel->on)
		begin(channel, burst);
	channel->on = !burst->ended;
	channel->start = burst->start;
	channel->end = burst->end;
	report(channel, burst);
	if (burst->ended) {
		count_ended(channel, burst);
		channel->told = false;
	}
}

/* A limit of the channel's direction is nearer to the truth than a rate of the whole port. */
static double speed_of(const struct channel *channel)
{
	const struct burst_detector *detector = channel->detector;
	bool rx = channel == &detector->channels[GM_BURST_RX_BYTES];
	double limit = rx ? detector->rx_limit : detector->tx_limit;
	bool other = detector->rx_limit > 0 || detector->tx_limit > 0;
	/* Limited the other way alone: the speed that is told is that way's. */
	return limit > 0 || other ? limit : detector->speed;
}

/* What the channel's bins are held against. */
static struct gm_burst_port choose_port(const struct channel *channel)
{
	const struct burst_detector *detector = channel->detector;
	const struct gm_burst_options *options = detector->options;
	bool packets = channel->kind->packets;
	double known = packets ? (double)options->packet_rate * BITS : speed_of(channel);
	double least =
		packets ? (double)options->least_packet_rate * BITS : (double)options->least_rate;
	if (known <= 0 && !packets)
		known = (double)options->port_rate;
	if (known > 0)
		return (struct gm_burst_port){.rate = known};
	return (struct gm_burst_port){.rate = fmax(channel->learned, least), .learned = true};
}

static struct gm_burst_rules rules_of(const struct burst_detector *detector)
{
	return (struct gm_burst_rules){
		.enter = detector->options->utilisation,
		.merge = detector->options->merge,
		.brief = detector->options->brief,
		.doubt = detector->options->doubt,
	};
}

static void observe_bin(struct channel *channel, const struct gm_point *point)
{
	struct burst_detector *detector = channel->detector;
	const struct gm_burst_rules rules = rules_of(detector);
	const struct gm_burst_sink sink = {.tell = on_burst, .user = channel};
	if (point->span <= 0)
		return;
	double rate = point->value * BITS * (double)GM_SECOND / (double)point->span;
	if (!(rate >= 0 && rate <= RATE_MOST))
		return;
	detector->now = point->time;
	detector->port = choose_port(channel);
	channel->utilisation = rate / detector->port.rate;
	channel->judging = !detector->port.learned || gm_burst_base_ready(&channel->track.base);
	gm_burst_track_take(&channel->track, &rules, &detector->port, point, &sink);
	if (!detector->port.learned)
		return;
	channel->learned *= exp2(-(double)point->span / LEARNED_HALF_LIFE);
	channel->learned = fmax(channel->learned, rate);
}

/* Packets were lost over the point's span: they count for a burst that was on then. */
static void observe_dropped(struct burst_detector *detector, const struct gm_point *point)
{
	if (!(point->value > 0) || point->span <= 0)
		return;
	for (size_t i = 0; i < GM_BURST_CHANNELS; i++) {
		struct channel *channel = &detector->channels[i];
		bool within = channel->on ||
			      (channel->end != 0 && channel->end > point->time - point->span &&
			       channel->start < point->time);
		if (channel->kind->dropped_id != point->metric || !within)
			continue;
		channel->dropped += point->value;
		channel->stats.dropped += (uint64_t)fmin(point->value, DROPPED_MOST);
		show_dropped(channel);
	}
}

/* Forgets the traffic, and a burst that is on; counts stay. */
static void start_anew(struct burst_detector *detector)
{
	for (size_t i = 0; i < GM_BURST_CHANNELS; i++) {
		struct channel *channel = &detector->channels[i];
		channel->track = (struct gm_burst_track){0};
		channel->on = channel->told = false;
	}
}

/* A rate has changed: what was learned against the old one does not hold. */
static void take_rate(struct burst_detector *detector, double *rate, double told)
{
	if (!(told >= 0 && told <= RATE_MOST) || told == *rate)
		return;
	*rate = told;
	start_anew(detector);
}

static void burst_observe(struct gm_detector *base, const struct gm_point *point,
			  const struct gm_finding_sink *sink)
{
	struct burst_detector *detector = (struct burst_detector *)base;
	detector->sink = sink;
	switch (point->metric) {
	case GM_METRIC_NET_SPEED:
		take_rate(detector, &detector->speed, point->value);
		break;
	case GM_METRIC_NET_RX_LIMIT:
		take_rate(detector, &detector->rx_limit, point->value);
		break;
	case GM_METRIC_NET_TX_LIMIT:
		take_rate(detector, &detector->tx_limit, point->value);
		break;
	case GM_METRIC_NET_RX_BYTES:
		observe_bin(&detector->channels[GM_BURST_RX_BYTES], point);
		break;
	case GM_METRIC_NET_TX_BYTES:
		observe_bin(&detector->channels[GM_BURST_TX_BYTES], point);
		break;
	case GM_METRIC_NET_RX_PACKETS:
		observe_bin(&detector->channels[GM_BURST_RX_PACKETS], point);
		break;
	case GM_METRIC_NET_TX_PACKETS:
		observe_bin(&detector->channels[GM_BURST_TX_PACKETS], point);
		break;
	case GM_METRIC_NET_RX_DROPPED:
	case GM_METRIC_NET_TX_DROPPED:
		observe_dropped(detector, point);
		break;
	default:
		break;
	}
}

/* The source has died, or the guest is stopped: the burst ended where it was last seen. */
static void end_if_silent(struct channel *channel, int64_t now)
{
	struct burst_detector *detector = channel->detector;
	const struct gm_burst_rules rules = rules_of(detector);
	const struct gm_burst_sink sink = {.tell = on_burst, .user = channel};
	double silent = (double)(now - channel->track.until);
	if (!channel->track.on ||
	    silent < fmax((double)SILENT_LEAST, SILENT_BINS * channel->track.usual))
		return;
	detector->now = now;
	detector->port = choose_port(channel);
	gm_burst_track_end(&channel->track, &rules, &detector->port, &sink);
}

static void burst_evaluate(struct gm_detector *base, int64_t now,
			   const struct gm_finding_sink *sink)
{
	struct burst_detector *detector = (struct burst_detector *)base;
	detector->sink = sink;
	for (size_t i = 0; i < GM_BURST_CHANNELS; i++) {
		struct channel *channel = &detector->channels[i];
		const struct gm_burst_storm_rules rules = storm_rules(channel);
		if (!channel->judging)
			continue;
		end_if_silent(channel, now);
		/* The clock was set back. */
		if (now < channel->last_seen)
			channel->last_seen = now;
		gm_burst_storm_pass(&channel->storm, &rules, now);
		int64_t quiet = gm_burst_storm_quiet(&channel->storm, &rules,
						     detector->options->clear_after);
		if (!channel->on && now - channel->last_seen >= quiet)
			channel->active = false;
		if (!channel->kind->packets || channel->stats.bursts > 0)
			emit(channel, now, false, sink);
	}
}

static double burst_score(const struct gm_detector *base)
{
	const struct burst_detector *detector = (const struct burst_detector *)base;
	return fmin(1, fmax(detector->channels[GM_BURST_RX_BYTES].utilisation,
			    detector->channels[GM_BURST_TX_BYTES].utilisation));
}

/* The guest was restarted, moved or stopped for a while: the traffic may be another. */
static void burst_disturb(struct gm_detector *base, int64_t now)
{
	(void)now;
	start_anew((struct burst_detector *)base);
}

static void exchange_channel(struct channel *channel, struct gm_archive *archive)
{
	gm_burst_track_exchange(&channel->track, archive);
	gm_archive_number(archive, &channel->learned);
	if (channel->learned < 0 || channel->learned > RATE_MOST)
		archive->failed = true;
	gm_archive_bool(archive, &channel->judging);
	gm_archive_int(archive, &channel->start, 0, INT64_MAX / 2);
	gm_archive_int(archive, &channel->end, 0, INT64_MAX / 2);
	gm_burst_stats_exchange(&channel->stats, archive);
}

/*
 * The level is not kept: the alarm engine keeps the alarm, and it is over when bursts are. A burst that
 * is on is cut in two by a restart.
 */
static void burst_exchange(struct gm_detector *base, struct gm_archive *archive)
{
	struct burst_detector *detector = (struct burst_detector *)base;
	double *const rates[] = {&detector->speed, &detector->rx_limit, &detector->tx_limit};
	gm_archive_tag(archive, "burst 3");
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		gm_archive_number(archive, rates[i]);
		if (*rates[i] < 0 || *rates[i] > RATE_MOST)
			archive->failed = true;
	}
	for (size_t i = 0; i < GM_BURST_CHANNELS; i++)
		exchange_channel(&detector->channels[i], archive);
}

const struct gm_burst_stats *gm_burst_stats_of(const struct gm_detector *base,
					       enum gm_burst_channel channel)
{
	const struct burst_detector *detector = (const struct burst_detector *)base;
	if (!base || base->ops != &gm_burst_ops || channel >= GM_BURST_CHANNELS)
		return NULL;
	return &detector->channels[channel].stats;
}

const struct gm_detector_ops gm_burst_ops = {
	.name = "burst",
	.help = "Traffic that fills a port for a moment, though its mean is low.",
	.entities = 1U << GM_ENTITY_INTERFACE,
	.options = gm_burst_option_table,
	.options_size = sizeof(struct gm_burst_options),
	.create = burst_create,
	.destroy = burst_destroy,
	.observe = burst_observe,
	.evaluate = burst_evaluate,
	.score = burst_score,
	.exchange = burst_exchange,
	.disturb = burst_disturb,
};
