/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bins, moments and lessons; see lesson.h. The same binner serves the lesson and the judgement, so that
 * the two speak of the same thing. Called by learned.c and by the daemon when it makes a lesson.
 */
#include "analysis/lesson.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

/* Figures are up to so old when they are read: a guest's own agent serves them from a cache. */
#define LATE_MAX (30 * GM_SECOND)

_Static_assert(GM_LESSON_METRICS < UINT8_MAX, "a slot's number fits slot_of");

static const char *const kind_names[GM_LESSON_KINDS] = {
	[GM_LESSON_NORMAL] = "normal",
	[GM_LESSON_FAULTY] = "faulty",
	[GM_LESSON_REST] = "rest",
};

const char *gm_lesson_kind_name(enum gm_lesson_kind kind)
{
	return kind_names[kind];
}

void gm_moments_add(struct gm_moments *moments, double value)
{
	double delta = value - moments->mean;
	moments->count++;
	moments->mean += delta / moments->count;
	moments->squares += delta * (value - moments->mean);
}

/* Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance", 1983, eq. 2.1. */
void gm_moments_merge(struct gm_moments *moments, const struct gm_moments *other)
{
	double count = moments->count + other->count;
	if (other->count == 0)
		return;
	double delta = other->mean - moments->mean;
	moments->squares += other->squares + delta * delta * moments->count * other->count / count;
	moments->mean += delta * other->count / count;
	moments->count = count;
}

bool gm_lesson_label_valid(const char *label)
{
	size_t length = strlen(label);
	return length > 0 && length < GM_LESSON_LABEL &&
	       strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

static struct gm_lesson_metric *find_or_add(struct gm_lesson *lesson, uint32_t metric)
{
	for (size_t i = 0; i < lesson->count; i++)
		if (lesson->metrics[i].metric == metric)
			return &lesson->metrics[i];
	if (lesson->count == GM_LESSON_METRICS)
		return NULL;
	struct gm_lesson_metric *added = &lesson->metrics[lesson->count++];
	*added = (struct gm_lesson_metric){.metric = metric};
	return added;
}

void gm_lesson_merge(struct gm_lesson *lesson, const struct gm_lesson *other)
{
	for (size_t i = 0; i < other->count; i++) {
		struct gm_lesson_metric *into = find_or_add(lesson, other->metrics[i].metric);
		if (!into)
			continue;
		gm_moments_merge(&into->level, &other->metrics[i].level);
		gm_moments_merge(&into->spread, &other->metrics[i].spread);
	}
}

void gm_lesson_add(struct gm_lesson *lesson, const struct gm_lesson_bin *bin)
{
	for (size_t i = 0; i < bin->count; i++) {
		struct gm_lesson_metric *into = find_or_add(lesson, bin->items[i].metric);
		if (!into)
			continue;
		gm_moments_add(&into->level, bin->items[i].level);
		gm_moments_add(&into->spread, bin->items[i].spread);
	}
}

static void exchange_moments(struct gm_moments *moments, struct gm_archive *archive)
{
	gm_archive_number(archive, &moments->count);
	gm_archive_number(archive, &moments->mean);
	gm_archive_number(archive, &moments->squares);
	if (moments->count < 0 || moments->squares < 0)
		archive->failed = true;
}

void gm_lesson_exchange(struct gm_lesson *lesson, struct gm_archive *archive)
{
	uint32_t kind = lesson->kind;
	gm_archive_tag(archive, "lesson 1");
	gm_archive_u32(archive, &kind, GM_LESSON_KINDS - 1);
	lesson->kind = (enum gm_lesson_kind)kind;
	gm_archive_text(archive, lesson->label, sizeof(lesson->label));
	gm_archive_size(archive, &lesson->count, GM_LESSON_METRICS);
	for (size_t i = 0; i < lesson->count && !archive->failed; i++) {
		struct gm_lesson_metric *metric = &lesson->metrics[i];
		/* By name: the numbers of the catalogue may change from version to version. */
		const struct gm_metric *line = gm_metric_get(metric->metric);
		char name[48] = "";
		if (archive->out && line)
			gm_text_copy(name, sizeof(name), line->name);
		gm_archive_text(archive, name, sizeof(name));
		unsigned id = gm_metric_find(name);
		metric->metric = id;
		exchange_moments(&metric->level, archive);
		exchange_moments(&metric->spread, archive);
	}
}

static double transform(double value)
{
	return copysign(log1p(fabs(value)), value);
}

static void close_bin(struct gm_binner *binner, struct gm_lesson_bin *bin)
{
	bin->end = binner->start + GM_LESSON_BIN;
	bin->count = 0;
	for (size_t i = 0; i < binner->count; i++) {
		struct gm_moments *values = &binner->slots[i].values;
		if (values->count == 0)
			continue;
		double variance = fmax(values->squares, 0) / values->count;
		bin->items[bin->count].metric = binner->slots[i].metric;
		bin->items[bin->count].level = transform(values->mean);
		bin->items[bin->count].spread = transform(sqrt(variance));
		bin->count++;
		*values = (struct gm_moments){0};
	}
}

static struct gm_moments *slot(struct gm_binner *binner, uint32_t metric)
{
	if (metric >= GM_METRIC_COUNT)
		return NULL;
	if (binner->slot_of[metric] == 0) {
		if (binner->count == GM_LESSON_METRICS)
			return NULL;
		binner->slots[binner->count].metric = metric;
		binner->slot_of[metric] = (uint8_t)++binner->count;
	}
	return &binner->slots[binner->slot_of[metric] - 1].values;
}

/* A point that is late, and not from a clock that was set back, counts to the open bin. */
static bool belongs_to_open(const struct gm_binner *binner, int64_t time)
{
	return binner->start != 0 && time - binner->start < GM_LESSON_BIN &&
	       binner->start - time < LATE_MAX;
}

bool gm_binner_add(struct gm_binner *binner, const struct gm_point *point,
		   struct gm_lesson_bin *ret_bin)
{
	struct gm_moments *values = slot(binner, point->metric);
	double value = point->span > 0 ? point->value * 1e9 / (double)point->span : point->value;
	bool closed = false;
	if (!values || !isfinite(value))
		return false;
	if (!belongs_to_open(binner, point->time)) {
		closed = binner->start != 0;
		if (closed)
			close_bin(binner, ret_bin);
		binner->start = point->time - point->time % GM_LESSON_BIN;
	}
	gm_moments_add(values, value);
	return closed && ret_bin->count > 0;
}
