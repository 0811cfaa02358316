/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bursts of all ports side by side; see contention.h. A ring of the latest bursts, searched when a burst
 * is told of, which is seldom and bounded by the detectors' storm control.
 */
#include "analysis/contention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* Of a burst's start, as evidence holds it in seconds: a microsecond is what a double can tell. */
#define SAME_START (GM_SECOND / 100000)

/* s: later starts, and longer bursts, are nobody's. */
#define EPOCH_MOST 4e9

struct spell {
	char device[GM_DEVICE_NAME]; /* empty: none */
	char direction[4];
	int64_t start, end;
	double volume;
};

struct gm_contention {
	struct spell spells[GM_CONTENTION_MAX];
	size_t next;
	struct gm_contention_stats stats;
};

/* A port that burst at the same time, and what it carried in all. */
struct rival {
	const char *device;
	double volume;
};

int gm_contention_create(struct gm_contention **ret_contention)
{
	struct gm_contention *contention = calloc(1, sizeof(*contention));
	if (!contention)
		return -ENOMEM;
	*ret_contention = contention;
	return 0;
}

void gm_contention_free(struct gm_contention *contention)
{
	free(contention);
}

static double number(const struct gm_finding *finding, enum gm_evidence_id id)
{
	return gm_evidence_has(&finding->evidence, id) ? finding->evidence.number[id] : 0;
}

static bool overlap(const struct spell *spell, int64_t start, int64_t end)
{
	return spell->device[0] != '\0' && spell->start <= end && spell->end >= start;
}

/* The burst that the finding tells of; false when it tells of none. */
static bool read_finding(const struct gm_finding *finding, struct spell *ret_spell)
{
	double start = number(finding, GM_EVIDENCE_START);
	double duration = number(finding, GM_EVIDENCE_DURATION);
	if (!(start > 0 && start < EPOCH_MOST && duration >= 0 && duration < EPOCH_MOST))
		return false;
	*ret_spell = (struct spell){
		.start = (int64_t)(start * (double)GM_SECOND),
		.volume = number(finding, GM_EVIDENCE_VOLUME),
	};
	ret_spell->end = ret_spell->start + (int64_t)(duration * (double)GM_SECOND);
	gm_text_copy(ret_spell->device, sizeof(ret_spell->device), finding->key.name);
	gm_text_copy(ret_spell->direction, sizeof(ret_spell->direction),
		     finding->evidence.direction);
	return ret_spell->device[0] != '\0';
}

static struct spell *find(struct gm_contention *contention, const struct spell *wanted)
{
	for (size_t i = 0; i < GM_CONTENTION_MAX; i++) {
		struct spell *spell = &contention->spells[i];
		if (llabs(spell->start - wanted->start) < SAME_START &&
		    strcmp(spell->device, wanted->device) == 0 &&
		    strcmp(spell->direction, wanted->direction) == 0)
			return spell;
	}
	return NULL;
}

/* The ports that overlap, each once; `own` is left out unless it is NULL. Returns how many. */
static size_t find_rivals(const struct gm_contention *contention, const char *own, int64_t start,
			  int64_t end, struct rival rivals[GM_CONTENTION_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < GM_CONTENTION_MAX; i++) {
		const struct spell *spell = &contention->spells[i];
		if (!overlap(spell, start, end) || (own && strcmp(spell->device, own) == 0))
			continue;
		size_t at = 0;
		while (at < count && strcmp(rivals[at].device, spell->device) != 0)
			at++;
		if (at == count)
			rivals[count++] = (struct rival){.device = spell->device};
		rivals[at].volume += spell->volume;
	}
	return count;
}

static int by_volume(const void *a, const void *b)
{
	const struct rival *one = a, *other = b;
	if (one->volume != other->volume)
		return one->volume < other->volume ? 1 : -1;
	return strcmp(one->device, other->device);
}

/* As many as fit, whole names only. */
static void list_rivals(struct rival *rivals, size_t count, char *text, size_t size)
{
	size_t length = 0;
	qsort(rivals, count, sizeof(rivals[0]), by_volume);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t name = strlen(rivals[i].device), comma = length > 0;
		if (length + comma + name >= size)
			return;
		if (comma)
			text[length++] = ',';
		memcpy(text + length, rivals[i].device, name + 1);
		length += name;
	}
}

static void count_ports(struct gm_contention_stats *stats, size_t ports)
{
	unsigned bucket = 0;
	for (size_t rest = ports; rest > 1 && bucket < GM_CONTENTION_BUCKETS - 1; rest /= 2)
		bucket++;
	stats->bursts++;
	stats->ports[bucket]++;
}

void gm_contention_take(struct gm_contention *contention, struct gm_finding *finding)
{
	struct spell spell;
	struct rival rivals[GM_CONTENTION_MAX];
	if (!read_finding(finding, &spell))
		return;
	struct spell *known = find(contention, &spell);
	bool is_new = !known;
	/* Old figures that are only repeated are no burst of now. */
	if (is_new && !(finding->active && finding->report))
		return;
	if (is_new) {
		known = &contention->spells[contention->next];
		contention->next = (contention->next + 1) % GM_CONTENTION_MAX;
	}
	*known = spell;
	size_t others = find_rivals(contention, spell.device, spell.start, spell.end, rivals);
	if (others + 1 > contention->stats.most)
		contention->stats.most = others + 1;
	if (is_new)
		count_ports(&contention->stats, others + 1);
	gm_evidence_set(&finding->evidence, GM_EVIDENCE_PORTS, (double)(others + 1));
	list_rivals(rivals, others, finding->evidence.contributors,
		    sizeof(finding->evidence.contributors));
}

void gm_contention_gone(struct gm_contention *contention, const char *device)
{
	for (size_t i = 0; i < GM_CONTENTION_MAX; i++) {
		if (strcmp(contention->spells[i].device, device) == 0)
			contention->spells[i] = (struct spell){0};
	}
}

const struct gm_contention_stats *gm_contention_stats(const struct gm_contention *contention)
{
	return &contention->stats;
}

size_t gm_contention_ports(const struct gm_contention *contention, int64_t since, int64_t until)
{
	struct rival rivals[GM_CONTENTION_MAX];
	return find_rivals(contention, NULL, since, until, rivals);
}
