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

/* Reports that may go out before the limit holds. */
#define REPORTS_AT_ONCE 100.0

enum { DIRECTIONS = 2 };

struct direction {
	struct burst_detector *detector;
	const char *metric, *name;
	struct gm_burst_track track;
	double learned;     /* bit/s: highest rate of a bin, half-forgotten every hour */
	double utilisation; /* of the last bin */

	bool judging; /* has seen a bin that it could judge */
	bool active;
	bool on;   /* a burst is on */
	bool told; /* it has been reported, as begun at `told_start` */
	int64_t told_start;
	int64_t last_end; /* of the last burst */
	uint64_t count;
	double tokens; /* reports that may go out now */
	int64_t tokens_at;
	enum gm_severity severity;
	struct gm_evidence evidence; /* of the last burst that was told of */
};

struct burst_detector {
	struct gm_detector base;
	const struct gm_burst_options *options;
	struct gm_entity_key key;
	double speed; /* bit/s as reported; 0: not */
	struct direction directions[DIRECTIONS];

	/* during observe() */
	const struct gm_finding_sink *sink;
	int64_t now;
	struct gm_burst_port port;
};

static const struct gm_option burst_option_table[] = {
	{
		.key = "enabled",
		.type = GM_OPTION_BOOL,
		GM_OPTION_AT(struct gm_burst_options, enabled),
		.fallback = "true",
		.help = "Look for bursts.",
	},
	{
		.key = "utilisation",
		.type = GM_OPTION_NUMBER,
		GM_OPTION_AT(struct gm_burst_options, utilisation),
		.min = 0.05,
		.max = 1,
		.fallback = "0.5",
		.help = "Part of the port's rate from which on a bin belongs to a burst.",
	},
	{
		.key = "merge",
		.type = GM_OPTION_INT,
		GM_OPTION_AT(struct gm_burst_options, merge),
		.min = 1,
		.max = GM_BURST_MERGE_MAX,
		.fallback = "2",
		.help = "Bins below the limit that end a burst; a shorter dip belongs to it.",
	},
	{
		.key = "brief",
		.type = GM_OPTION_NUMBER,
		GM_OPTION_AT(struct gm_burst_options, brief),
		.min = 0,
		.max = 1,
		.fallback = "0.15",
		.help = "Shortest burst below the limit that is told, as part of a bin at the "
			"port's "
			"rate; 0 for none.",
	},
	{
		.key = "brief-doubt",
		.type = GM_OPTION_NUMBER,
		GM_OPTION_AT(struct gm_burst_options, doubt),
		.min = 0,
		.max = 0.5,
		.fallback = "0.006",
		.help = "Part of the bursts told that may be noise: how sure of a brief burst one "
			"has "
			"to be.",
	},
	{
		.key = "least-volume",
		.type = GM_OPTION_SIZE,
		GM_OPTION_AT(struct gm_burst_options, least_volume),
		.min = 0,
		.max = 1e12,
		.fallback = "0",
		.help = "A burst that carries less, in bytes, is not told. On ports so slow that "
			"one "
			"offloaded packet of 64 KiB half fills a bin, set it above that.",
	},
	{
		.key = "port-rate",
		.type = GM_OPTION_BITRATE,
		GM_OPTION_AT(struct gm_burst_options, port_rate),
		.min = 0,
		.max = 1e13,
		.fallback = "0",
		.help = "Rate of ports whose rate is not known otherwise, in bit/s; 0 learns it.",
	},
	{
		.key = "least-rate",
		.type = GM_OPTION_BITRATE,
		GM_OPTION_AT(struct gm_burst_options, least_rate),
		.min = 1e5,
		.max = 1e13,
		.fallback = "100M",
		.help = "What a learned rate is at least, in bit/s.",
	},
	{
		.key = "clear-after",
		.type = GM_OPTION_DURATION,
		GM_OPTION_AT(struct gm_burst_options, clear_after),
		.min = 0,
		.max = 3600e9,
		.fallback = "5s",
		.help = "Time without a burst after which all is well again.",
	},
	{
		.key = "report-limit",
		.type = GM_OPTION_INT,
		GM_OPTION_AT(struct gm_burst_options, report_limit),
		.min = 1,
		.max = 1000,
		.fallback = "1",
		.help = "Reports per second and direction after the first hundred; bursts beyond "
			"it are "
			"only counted.",
	},
	GM_OPTION_END,
};

static int burst_create(const void *options, const struct gm_entity_key *key,
			struct gm_detector **ret_detector)
{
	static const struct {
		const char *metric, *name;
	} names[DIRECTIONS] = {{"net.rx.bytes", "rx"}, {"net.tx.bytes", "tx"}};
	struct burst_detector *detector = calloc(1, sizeof(*detector));
	if (!detector)
		return -ENOMEM;
	detector->base.ops = &gm_burst_ops;
	detector->options = options;
	detector->key = *key;
	for (size_t i = 0; i < DIRECTIONS; i++) {
		detector->directions[i].detector = detector;
		detector->directions[i].metric = names[i].metric;
		detector->directions[i].name = names[i].name;
		detector->directions[i].severity = GM_SEVERITY_WARNING;
	}
	*ret_detector = &detector->base;
	return 0;
}

static void burst_destroy(struct gm_detector *detector)
{
	free(detector);
}

static void emit(const struct direction *direction, int64_t time, bool report,
		 const struct gm_finding_sink *sink)
{
	struct gm_finding finding = {
		.key = direction->detector->key,
		.detector = "burst",
		.active = direction->active,
		.report = report,
		.severity = direction->severity,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_CONGESTION,
		.time = time,
		.evidence = direction->evidence,
	};
	gm_text_copy(finding.metric, sizeof(finding.metric), direction->metric);
	if (direction->count > 0)
		gm_evidence_set(&finding.evidence, GM_EVIDENCE_BURSTS, (double)direction->count);
	sink->emit(sink->user, &finding);
}

/* Takes one report from the allowance, which fills at the limit's pace. */
static bool may_report(struct direction *direction, int64_t now)
{
	double limit = (double)direction->detector->options->report_limit;
	double passed = (double)(now - direction->tokens_at) / (double)GM_SECOND;
	if (direction->tokens_at == 0)
		direction->tokens = REPORTS_AT_ONCE;
	if (direction->tokens_at == 0 || passed < 0)
		passed = 0;
	direction->tokens_at = now;
	direction->tokens = fmin(REPORTS_AT_ONCE, direction->tokens + passed * limit);
	if (direction->tokens < 1)
		return false;
	direction->tokens--;
	return true;
}

static void fill_evidence(struct direction *direction, const struct gm_burst *burst)
{
	const struct gm_burst_port *port = &direction->detector->port;
	struct gm_evidence *evidence = &direction->evidence;
	double duration = (double)(burst->end - burst->start) / (double)GM_SECOND;
	double mean = duration > 0 ? burst->volume * 8 / duration : burst->peak, peak = burst->peak;
	/*
	 * No mean is above the peak. The mean of a burst that fits into a bin is nearer to the truth than
	 * the bin's own rate; while the burst goes on, its first edge is not known well enough for that.
	 */
	if (mean > peak && burst->ended)
		peak = mean;
	*evidence = (struct gm_evidence){0};
	gm_evidence_set(evidence, GM_EVIDENCE_START,
			(double)direction->told_start / (double)GM_SECOND);
	gm_evidence_set(evidence, GM_EVIDENCE_DURATION, duration);
	gm_evidence_set(evidence, GM_EVIDENCE_PEAK, peak);
	gm_evidence_set(evidence, GM_EVIDENCE_VOLUME, burst->volume);
	gm_evidence_set(evidence, GM_EVIDENCE_MEAN, fmin(mean, peak));
	if (!port->learned)
		gm_evidence_set(evidence, GM_EVIDENCE_SPEED, port->rate);
	gm_text_copy(evidence->direction, sizeof(evidence->direction), direction->name);
	bool full = !port->learned && burst->peak > FULL_PORT * port->rate;
	direction->severity = full ? GM_SEVERITY_MINOR : GM_SEVERITY_WARNING;
}

/*
 * Told of a burst once per bin while it is on and once when it has ended. The first one of a quiet
 * time and a long one are reported before they end.
 */
static void on_burst(void *user, const struct gm_burst *burst)
{
	struct direction *direction = user;
	struct burst_detector *detector = direction->detector;
	if (!direction->on && burst->volume < (double)detector->options->least_volume)
		return;
	direction->last_end = detector->now;
	bool due = burst->ended || !direction->active || burst->end - burst->start >= LONG_BURST;
	if (!direction->on)
		direction->count++;
	direction->on = !burst->ended;
	if (direction->told) {
		fill_evidence(direction, burst);
		if (burst->ended)
			emit(direction, detector->now, true, detector->sink);
	} else if (due && (may_report(direction, detector->now) || !direction->active)) {
		direction->active = true;
		direction->told_start = burst->start;
		fill_evidence(direction, burst);
		emit(direction, detector->now, true, detector->sink);
		direction->told = true;
	}
	if (burst->ended)
		direction->told = false;
}

/* What the direction's bins are held against. */
static struct gm_burst_port choose_port(const struct direction *direction)
{
	const struct burst_detector *detector = direction->detector;
	if (detector->speed > 0)
		return (struct gm_burst_port){.rate = detector->speed};
	if (detector->options->port_rate > 0)
		return (struct gm_burst_port){.rate = (double)detector->options->port_rate};
	return (struct gm_burst_port){
		.rate = fmax(direction->learned, (double)detector->options->least_rate),
		.learned = true,
	};
}

static void observe_bin(struct direction *direction, const struct gm_point *point)
{
	struct burst_detector *detector = direction->detector;
	const struct gm_burst_rules rules = {
		.enter = detector->options->utilisation,
		.merge = detector->options->merge,
		.brief = detector->options->brief,
		.doubt = detector->options->doubt,
	};
	const struct gm_burst_sink sink = {.tell = on_burst, .user = direction};
	if (point->span <= 0)
		return;
	double rate = point->value * 8 * (double)GM_SECOND / (double)point->span;
	detector->now = point->time;
	detector->port = choose_port(direction);
	direction->utilisation = rate / detector->port.rate;
	direction->judging = !detector->port.learned || gm_burst_base_ready(&direction->track.base);
	gm_burst_track_take(&direction->track, &rules, &detector->port, point, &sink);
	direction->learned *= exp2(-(double)point->span / LEARNED_HALF_LIFE);
	direction->learned = fmax(direction->learned, rate);
}

/* The rate has changed: what was learned against the old one does not hold. */
static void take_speed(struct burst_detector *detector, double speed)
{
	if (!(speed >= 0) || speed == detector->speed)
		return;
	detector->speed = speed;
	for (size_t i = 0; i < DIRECTIONS; i++) {
		detector->directions[i].track = (struct gm_burst_track){0};
		detector->directions[i].on = detector->directions[i].told = false;
	}
}

static void burst_observe(struct gm_detector *base, const struct gm_point *point,
			  const struct gm_finding_sink *sink)
{
	struct burst_detector *detector = (struct burst_detector *)base;
	detector->sink = sink;
	if (point->metric == GM_METRIC_NET_SPEED)
		take_speed(detector, point->value);
	else if (point->metric == GM_METRIC_NET_RX_BYTES)
		observe_bin(&detector->directions[0], point);
	else if (point->metric == GM_METRIC_NET_TX_BYTES)
		observe_bin(&detector->directions[1], point);
}

static void burst_evaluate(struct gm_detector *base, int64_t now,
			   const struct gm_finding_sink *sink)
{
	struct burst_detector *detector = (struct burst_detector *)base;
	for (size_t i = 0; i < DIRECTIONS; i++) {
		struct direction *direction = &detector->directions[i];
		if (!direction->judging)
			continue;
		/* The clock was set back. */
		if (now < direction->last_end)
			direction->last_end = now;
		if (!direction->on && now - direction->last_end >= detector->options->clear_after)
			direction->active = false;
		emit(direction, now, false, sink);
	}
}

static double burst_score(const struct gm_detector *base)
{
	const struct burst_detector *detector = (const struct burst_detector *)base;
	return fmin(1,
		    fmax(detector->directions[0].utilisation, detector->directions[1].utilisation));
}

/* The guest was restarted, moved or stopped for a while: the traffic may be another. */
static void burst_disturb(struct gm_detector *base, int64_t now)
{
	struct burst_detector *detector = (struct burst_detector *)base;
	(void)now;
	for (size_t i = 0; i < DIRECTIONS; i++) {
		detector->directions[i].track = (struct gm_burst_track){0};
		detector->directions[i].on = detector->directions[i].told = false;
	}
}

const struct gm_detector_ops gm_burst_ops = {
	.name = "burst",
	.entities = 1U << GM_ENTITY_INTERFACE,
	.options = burst_option_table,
	.options_size = sizeof(struct gm_burst_options),
	.create = burst_create,
	.destroy = burst_destroy,
	.observe = burst_observe,
	.evaluate = burst_evaluate,
	.score = burst_score,
	.disturb = burst_disturb,
};
