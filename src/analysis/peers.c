/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests among those of their flavor; see peers.h. Pure. What a flavor's guests amount to in a metric is
 * computed when it is asked for, and kept for a few seconds: a common cause makes all of them ask at
 * once.
 */
#define HASH_NONFATAL_OOM 1
#include "analysis/peers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "analysis/anomaly_metric.h"
#include "base/clock.h"
#include "base/text.h"

/* Levels are means over this; a bin that is several times as long is no level of any time. */
#define BIN     (20 * GM_SECOND)
#define BIN_MAX (300 * GM_SECOND)

/* A level is of the present for so long, and what happens within that is at the same time. */
#define FRESH     (300 * GM_SECOND)
#define SAME_TIME (600 * GM_SECOND)

/* The usual level is learned over 12 hours of bins, and known after half an hour. */
enum { MEMORY = 2160, KNOWN = 90 };

/* A guest has left its usual level when it is so many spreads away. */
#define LEFT 4.0

/* Differences that do not matter: this part of the level. Distances end where they say no more. */
#define LEVEL_PART   0.05
#define LEAST        1e-9
#define DISTANCE_MAX 1000.0
#define VALUE_MAX    1e30

/* The standard deviation of a normal distribution over its mean, and over its median, deviation. */
#define MEAN_TO_SIGMA   1.2533
#define MEDIAN_TO_SIGMA 1.4826

#define SHARED_LEAST 0.5

enum { SUMMARY_AGE = 5 }; /* s */

/* One metric of one guest. */
struct series {
	int64_t bin;         /* when the open bin began; 0: none is open */
	double sum, weight;  /* of it */
	int64_t time;        /* when the last bin was closed; 0: never */
	double level;        /* its mean */
	double mean, spread; /* the usual level, and the usual distance from it */
	int64_t left_at;     /* when the level was as far away as `left` */
	float left;          /* in spreads, with its sign: the largest of late */
	uint32_t count;      /* bins learned from */
};

/* What the guests of a flavor amount to in one metric. */
struct summary {
	int64_t made; /* 0: never */
	size_t known, up, down;
	double median, deviation; /* the median absolute one */
};

struct group {
	char flavor[GM_NAME_SIZE];
	size_t count;
	struct gm_peer *members;
	struct summary summaries[GM_PEERS_METRICS];
	UT_hash_handle hh;
};

struct gm_peer {
	struct group *group;
	struct gm_peer *prev, *next;
	double common_onset; /* of the anomaly that was found to be common; 0: none */
	struct series series[GM_PEERS_METRICS];
};

struct gm_peers {
	struct group *groups;
	size_t guests, slots;
	uint8_t slot_of[GM_METRIC_COUNT]; /* 1 + slot; 0: none yet */
	double scratch[GM_PEERS_GUESTS];
};

int gm_peers_create(struct gm_peers **ret_peers)
{
	struct gm_peers *peers = calloc(1, sizeof(*peers));

	if (!peers)
		return -ENOMEM;
	*ret_peers = peers;
	return 0;
}

static void drop_group(struct gm_peers *peers, struct group *group)
{
	HASH_DEL(peers->groups, group);
	free(group);
}

void gm_peers_leave(struct gm_peers *peers, struct gm_peer *peer)
{
	if (!peer)
		return;
	struct group *group = peer->group;

	DL_DELETE(group->members, peer);
	group->count--;
	peers->guests--;
	free(peer);
	if (group->count == 0)
		drop_group(peers, group);
}

void gm_peers_free(struct gm_peers *peers)
{
	struct group *group, *next;

	if (!peers)
		return;
	HASH_ITER (hh, peers->groups, group, next) {
		struct gm_peer *peer, *after;

		DL_FOREACH_SAFE(group->members, peer, after)
		free(peer);
		drop_group(peers, group);
	}
	free(peers);
}

static struct group *find_group(struct gm_peers *peers, const char *flavor)
{
	struct group *group;

	HASH_FIND_STR(peers->groups, flavor, group);
	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	gm_text_copy(group->flavor, sizeof(group->flavor), flavor);
	HASH_ADD_STR(peers->groups, flavor, group);
	if (!group->hh.tbl) { /* out of memory: it is not in the table */
		free(group);
		return NULL;
	}
	return group;
}

static struct gm_peer *add_peer(struct gm_peers *peers, const char *flavor)
{
	if (peers->guests >= GM_PEERS_GUESTS)
		return NULL;
	struct gm_peer *peer = calloc(1, sizeof(*peer));
	struct group *group = peer ? find_group(peers, flavor) : NULL;

	if (!group) {
		free(peer);
		return NULL;
	}
	peer->group = group;
	DL_APPEND(group->members, peer);
	group->count++;
	peers->guests++;
	return peer;
}

void gm_peers_join(struct gm_peers *peers, const char *flavor, struct gm_peer **peer)
{
	char known[GM_NAME_SIZE];

	gm_text_copy(known, sizeof(known), flavor);
	if (*peer && strcmp((*peer)->group->flavor, known) == 0)
		return;
	gm_peers_leave(peers, *peer);
	*peer = known[0] ? add_peer(peers, known) : NULL;
}

/* The place of a metric in every guest's table; GM_PEERS_METRICS: it has none. */
static size_t slot_of(struct gm_peers *peers, unsigned metric)
{
	if (metric >= GM_METRIC_COUNT)
		return GM_PEERS_METRICS;
	if (peers->slot_of[metric] == 0) {
		if (peers->slots == GM_PEERS_METRICS || !gm_anomaly_metric_wanted(metric))
			return GM_PEERS_METRICS;
		peers->slot_of[metric] = (uint8_t)++peers->slots;
	}
	return peers->slot_of[metric] - 1U;
}

static double limited(double distance)
{
	return fmin(fmax(distance, -DISTANCE_MAX), DISTANCE_MAX);
}

/* The level is held against what is usual, and becomes a part of it. */
static void learn(struct series *series)
{
	double distance = series->level - series->mean;
	double scale = MEAN_TO_SIGMA * series->spread + LEVEL_PART * fabs(series->mean) + LEAST;
	double left = limited(distance / scale);

	if (series->count >= KNOWN && (fabs(left) >= fabs((double)series->left) ||
				       series->time - series->left_at > SAME_TIME)) {
		series->left = (float)left;
		series->left_at = series->time;
	}
	if (series->count < MEMORY)
		series->count++;
	if (series->count == 1)
		distance = series->mean = series->level;
	else
		series->mean += distance / series->count;
	if (series->count > 1)
		series->spread += (fabs(distance) - series->spread) / (series->count - 1);
}

static void close_bin(struct series *series, bool counter, int64_t time)
{
	double seconds = (double)(time - series->bin) / (double)GM_SECOND;

	series->level = series->sum / (counter ? seconds : series->weight);
	series->time = time;
	learn(series);
}

void gm_peers_take(struct gm_peers *peers, struct gm_peer *peer, const struct gm_point *point,
		   bool part)
{
	bool counter = gm_metric_kind(point->metric) == GM_KIND_COUNTER;

	/* Gauges of parts do not add up: a rate, a file system's size. */
	if (!peer || point->time <= 0 || (part && !counter) || !(fabs(point->value) <= VALUE_MAX) ||
	    (counter && point->value < 0))
		return;
	size_t slot = slot_of(peers, point->metric);
	if (slot == GM_PEERS_METRICS)
		return;
	struct series *series = &peer->series[slot];
	/* The clock was set back (parts need not come in order), or nobody watched for a while. */
	if (point->time < series->bin - BIN || point->time - series->bin > BIN_MAX)
		series->bin = 0;
	if (series->bin == 0) {
		series->bin = point->time;
		series->sum = counter ? 0 : point->value;
		series->weight = 1;
		return; /* a counter's increase is of the time before the bin */
	}
	series->sum += point->value;
	series->weight++;
	if (point->time - series->bin < BIN)
		return;
	close_bin(series, counter, point->time);
	series->bin = point->time;
	series->sum = series->weight = 0;
}

static bool is_fresh(const struct series *series, int64_t now)
{
	return series->time > 0 && now - series->time <= FRESH;
}

/* +1, -1: the guest has of late left its usual level upwards, downwards; 0: it has not. */
static int direction_of(const struct series *series, int64_t now)
{
	if (series->left_at == 0 || now - series->left_at > SAME_TIME)
		return 0;
	return (series->left >= LEFT) - (series->left <= -LEFT);
}

static int compare_numbers(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double median_of(double *numbers, size_t count)
{
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	return (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

static void summarize(struct gm_peers *peers, const struct group *group, size_t slot, int64_t now,
		      struct summary *summary)
{
	const struct gm_peer *peer;
	double *numbers = peers->scratch;

	*summary = (struct summary){.made = now};
	DL_FOREACH (group->members, peer) {
		const struct series *series = &peer->series[slot];
		int direction = direction_of(series, now);

		if (!is_fresh(series, now))
			continue;
		numbers[summary->known++] = series->level;
		summary->up += direction > 0;
		summary->down += direction < 0;
	}
	if (summary->known == 0)
		return;
	summary->median = median_of(numbers, summary->known);
	for (size_t i = 0; i < summary->known; i++)
		numbers[i] = fabs(numbers[i] - summary->median);
	summary->deviation = median_of(numbers, summary->known);
}

static const struct summary *summary_of(struct gm_peers *peers, struct group *group, size_t slot,
					int64_t now)
{
	struct summary *summary = &group->summaries[slot];

	if (summary->made == 0 || now < summary->made ||
	    now - summary->made >= SUMMARY_AGE * GM_SECOND)
		summarize(peers, group, slot, now, summary);
	return summary;
}

static double distance_from(const struct summary *summary, double level)
{
	double scale = MEDIAN_TO_SIGMA * summary->deviation + LEVEL_PART * fabs(summary->median);

	return limited(fabs(level - summary->median) / (scale + LEAST));
}

/* The metric that a contributor's name begins with: "net.rx.bytes@vnet0". */
static unsigned metric_of(const char *name, size_t length)
{
	char text[GM_METRIC_NAME];
	const char *at = memchr(name, '@', length);

	length = at ? (size_t)(at - name) : length;
	if (length >= sizeof(text))
		return GM_METRIC_NONE;
	memcpy(text, name, length);
	text[length] = '\0';
	return gm_metric_find(text);
}

/* What is asked while the metrics of an anomaly are gone through. */
struct comparison {
	struct gm_peers *peers;
	const struct gm_peer *peer;
	int64_t now;
	size_t metrics, left,
		shared; /* known to peers; that the guest left its level in; they, too */
	struct gm_peers_view view;
};

static void compare_metric(struct comparison *comparison, unsigned metric)
{
	struct gm_peers *peers = comparison->peers;
	if (metric >= GM_METRIC_COUNT || peers->slot_of[metric] == 0)
		return;
	size_t slot = peers->slot_of[metric] - 1U;
	const struct series *series = &comparison->peer->series[slot];
	const struct summary *summary =
		summary_of(peers, comparison->peer->group, slot, comparison->now);

	if (!is_fresh(series, comparison->now) || summary->known <= GM_PEERS_LEAST)
		return;
	int direction = direction_of(series, comparison->now);
	size_t same = direction > 0 ? summary->up : direction < 0 ? summary->down : 0;
	/* The guest itself is counted among them, unless it has moved since. */
	size_t alike = same > 0 ? same - 1 : 0;
	size_t count = summary->known - 1;

	if (comparison->metrics++ == 0) {
		comparison->view.count = count;
		comparison->view.alike = alike;
		comparison->view.distance = distance_from(summary, series->level);
	}
	comparison->left += direction != 0;
	comparison->shared += direction != 0 && (double)alike >= SHARED_LEAST * (double)count;
}

bool gm_peers_compare(struct gm_peers *peers, const struct gm_peer *peer, const char *metrics,
		      int64_t now, struct gm_peers_view *ret_view)
{
	struct comparison comparison = {.peers = peers, .peer = peer, .now = now};

	while (peer && *metrics != '\0') {
		size_t length = strcspn(metrics, ",");

		compare_metric(&comparison, metric_of(metrics, length));
		metrics += length + (metrics[length] == ',');
	}
	if (comparison.metrics == 0)
		return false;
	comparison.view.common = comparison.left > 0 && comparison.shared == comparison.left;
	*ret_view = comparison.view;
	return true;
}

void gm_peers_explain(struct gm_peers *peers, struct gm_peer *peer, struct gm_finding *finding)
{
	struct gm_evidence *evidence = &finding->evidence;
	double onset = gm_evidence_has(evidence, GM_EVIDENCE_ONSET)
			       ? evidence->number[GM_EVIDENCE_ONSET]
			       : 0;
	struct gm_peers_view view;

	if (!peer || !finding->active ||
	    !gm_peers_compare(peers, peer, evidence->contributors, finding->time, &view))
		return;
	gm_evidence_set(evidence, GM_EVIDENCE_PEER_COUNT, (double)view.count);
	gm_evidence_set(evidence, GM_EVIDENCE_PEERS_ALIKE, (double)view.alike);
	gm_evidence_set(evidence, GM_EVIDENCE_PEER_DISTANCE, view.distance);
	if (view.common)
		peer->common_onset = onset;
	/* Once is enough: the new level becomes usual while the anomaly still holds. */
	if (view.common || (onset > 0 && onset == peer->common_onset))
		finding->severity = GM_SEVERITY_WARNING;
}
