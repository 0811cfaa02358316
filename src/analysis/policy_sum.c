/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums over the parts of a guest; see policy_sum.h.
 */
#include "analysis/policy_sum.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

#define SILENCE_MIN (30 * GM_SECOND)
/* A longer one is a pause, or a clock that was set: nothing to expect the next by. */
#define SPAN_MAX (3600 * GM_SECOND)
enum { SILENCE_SPANS = 10, FIRST_PARTS = 4 };

struct part {
	struct gm_entity_key key;
	int64_t time, span; /* of the newest point; span: since the one before */
	double value;
};

struct gm_policy_sum {
	unsigned metric;
	bool is_rate, is_new;
	double counted; /* since settled() */
	double total;   /* kept, since it is read more often than it changes */
	int64_t holds_until;
	size_t count, capacity;
	struct part *parts;
};

int gm_policy_sum_create(unsigned metric, struct gm_policy_sum **ret_sum)
{
	struct gm_policy_sum *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return -ENOMEM;
	sum->metric = metric;
	sum->is_rate = gm_metric_kind(metric) == GM_KIND_COUNTER;
	sum->total = NAN;
	*ret_sum = sum;
	return 0;
}

void gm_policy_sum_free(struct gm_policy_sum *sum)
{
	if (!sum)
		return;
	free(sum->parts);
	free(sum);
}

unsigned gm_policy_sum_metric(const struct gm_policy_sum *sum)
{
	return sum->metric;
}

bool gm_policy_sum_is_rate(const struct gm_policy_sum *sum)
{
	return sum->is_rate;
}

/* When it counts as taken away. */
static int64_t end_of(const struct part *part)
{
	int64_t patience = part->span * SILENCE_SPANS;

	return part->time + (patience > SILENCE_MIN ? patience : SILENCE_MIN);
}

static struct part *add_part(struct gm_policy_sum *sum, const struct gm_entity_key *key)
{
	if (sum->count == GM_POLICY_PARTS)
		return NULL;
	if (sum->count == sum->capacity) {
		size_t capacity = sum->capacity ? 2 * sum->capacity : FIRST_PARTS;
		struct part *parts = realloc(sum->parts, capacity * sizeof(*parts));

		if (!parts)
			return NULL;
		sum->parts = parts;
		sum->capacity = capacity;
	}
	sum->parts[sum->count] = (struct part){.key = *key};
	return &sum->parts[sum->count++];
}

static struct part *find_part(struct gm_policy_sum *sum, const struct gm_entity_key *key)
{
	for (size_t i = 0; i < sum->count; i++) {
		if (gm_entity_equal(&sum->parts[i].key, key))
			return &sum->parts[i];
	}
	return add_part(sum, key);
}

static void add_up(struct gm_policy_sum *sum, int64_t now)
{
	sum->total = 0;
	sum->holds_until = INT64_MIN;
	for (size_t i = 0; i < sum->count;) {
		const struct part *part = &sum->parts[i];
		/* What was told but once may be told once for all. */
		int64_t until = part->span > 0 ? end_of(part) : INT64_MAX;

		if (now > end_of(part)) {
			sum->parts[i] = sum->parts[--sum->count];
			continue;
		}
		if (until > sum->holds_until)
			sum->holds_until = until;
		sum->total += part->value;
		i++;
	}
}

bool gm_policy_sum_add(struct gm_policy_sum *sum, const struct gm_entity_key *key,
		       const struct gm_point *point)
{
	double span = (double)point->span / (double)GM_SECOND;
	double value = sum->is_rate ? point->value / span : point->value;

	if (!isfinite(value))
		return false;
	struct part *part = find_part(sum, key);
	if (!part)
		return false;
	part->span = 0;
	if (part->time != 0 && point->time > part->time)
		part->span = point->time - part->time < SPAN_MAX ? point->time - part->time : 0;
	part->time = point->time;
	part->value = value;
	if (sum->is_rate)
		sum->counted += point->value;
	add_up(sum, point->time);
	sum->is_new = true;
	return true;
}

double gm_policy_sum_value(const struct gm_policy_sum *sum, int64_t now)
{
	return now <= sum->holds_until ? sum->total : NAN;
}

bool gm_policy_sum_is_new(const struct gm_policy_sum *sum)
{
	return sum->is_new;
}

double gm_policy_sum_counted(const struct gm_policy_sum *sum)
{
	return sum->counted;
}

void gm_policy_sum_settled(struct gm_policy_sum *sum)
{
	sum->is_new = false;
	sum->counted = 0;
}
