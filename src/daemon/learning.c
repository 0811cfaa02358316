/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lessons from windows to detectors; see learning.h. The method is in analysis/learned.h; here are only
 * the ways. Called by intake.c (teach, overrules) and commands.c (learn, unlearn).
 */
#include "daemon/learning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

enum {
	BINS_MIN = 3,         /* a lesson of less says nothing about what varies */
	POINTS_MAX = 4 << 20, /* of one guest's windows; what is more is left out */
};

struct gm_learning {
	struct gm_state *state;
	uint64_t version; /* counts changes of the lessons; from 1 */
};

int gm_learning_create(struct gm_state *state, struct gm_learning **ret_learning)
{
	struct gm_learning *learning = calloc(1, sizeof(*learning));
	if (!learning)
		return -ENOMEM;
	learning->state = state;
	learning->version = 1;
	*ret_learning = learning;
	return 0;
}

void gm_learning_free(struct gm_learning *learning)
{
	free(learning);
}

/* ---- points out of windows ---- */

struct points {
	struct gm_point *items;
	size_t count, capacity;
	struct gm_window *window; /* turns kept counters into increases again */
	bool failed;
};

static void keep_point(void *user, const struct gm_point *point)
{
	struct points *points = user;
	if (points->count == points->capacity) {
		size_t capacity = points->capacity ? 2 * points->capacity : 4096;
		struct gm_point *items =
			capacity > POINTS_MAX ? NULL
					      : realloc(points->items, capacity * sizeof(*items));
		if (!items) {
			points->failed = true;
			return;
		}
		points->items = items;
		points->capacity = capacity;
	}
	points->items[points->count++] = *point;
}

static void keep_frame(void *user, int64_t time, const struct gm_reading *readings, size_t count)
{
	struct points *points = user;
	struct gm_frame frame = {.measured_at = time, .read_at = time, .count = (uint16_t)count};
	if (gm_window_append(points->window, &frame, readings, keep_point, points) < 0)
		points->failed = true;
}

static bool part_of(const struct gm_tracked *tracked, const struct gm_entity_key *whole)
{
	if (gm_entity_equal(&tracked->info.key, whole))
		return true;
	const uint8_t *owner = gm_entity_owner(&tracked->info);
	if (whole->kind == GM_ENTITY_NODE)
		return !owner;
	return owner && memcmp(owner, whole->uuid, GM_UUID_SIZE) == 0;
}

static int by_time(const void *a, const void *b)
{
	int64_t left = ((const struct gm_point *)a)->time;
	int64_t right = ((const struct gm_point *)b)->time;
	return (left > right) - (left < right);
}

/* All that the windows of an entity and its parts hold, in the order of time. */
static int collect(const struct gm_entities *entities, const struct gm_entity_key *key,
		   struct points *points)
{
	static const struct gm_window_options small = {.samples = 16, .length = 60 * GM_SECOND};
	for (const struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		if (!part_of(tracked, key))
			continue;
		int result = gm_window_create(&small, &points->window);
		if (result < 0)
			return result;
		gm_window_frames(tracked->window, 0, keep_frame, points);
		gm_window_free(points->window);
	}
	if (points->count > 0)
		qsort(points->items, points->count, sizeof(points->items[0]), by_time);
	return points->failed ? -ENOMEM : 0;
}

/* ---- learn ---- */

struct pair {
	struct gm_lesson lesson, rest;
	size_t bins;
	int64_t first, last; /* times that the windows hold */
};

static void make_lessons(const struct points *points, const struct gm_learning_range *range,
			 struct pair *pair)
{
	struct gm_binner binner = {0};
	struct gm_lesson_bin bin;
	*pair = (struct pair){
		.lesson.kind = range->faulty ? GM_LESSON_FAULTY : GM_LESSON_NORMAL,
		.rest.kind = GM_LESSON_REST,
	};
	gm_text_copy(pair->lesson.label, sizeof(pair->lesson.label), range->label);
	gm_text_copy(pair->rest.label, sizeof(pair->rest.label), range->label);
	for (size_t i = 0; i < points->count; i++) {
		if (!gm_binner_add(&binner, &points->items[i], &bin))
			continue;
		bool inside = bin.end - GM_LESSON_BIN >= range->begin && bin.end <= range->end;
		bool outside = bin.end <= range->begin || bin.end - GM_LESSON_BIN >= range->end;
		if (inside)
			gm_lesson_add(&pair->lesson, &bin);
		else if (outside)
			gm_lesson_add(&pair->rest, &bin);
		pair->bins += inside;
	}
	if (points->count > 0) {
		pair->first = points->items[0].time;
		pair->last = points->items[points->count - 1].time;
	}
}

static int check_range(const struct gm_learning_range *range, int64_t now, struct gm_error *err)
{
	if (range->faulty && !gm_lesson_label_valid(range->label))
		return gm_error_set(err, -EINVAL,
				    "a fault needs a label of up to %d of a-z 0-9 . _ -",
				    GM_LESSON_LABEL - 1);
	if (range->begin >= range->end)
		return gm_error_set(err, -EINVAL, "the range ends before it begins");
	if (range->end > now)
		return gm_error_set(err, -EINVAL, "the range ends in the future");
	return 0;
}

static void count_row(void *user, const struct gm_lesson_row *row)
{
	(void)row;
	++*(size_t *)user;
}

static int keep_lesson(struct gm_learning *learning, const struct gm_learning_range *range,
		       struct gm_lesson *lesson, int64_t now, int64_t *ret_id, struct gm_error *err)
{
	struct gm_buffer bytes = GM_BUFFER_INIT(GM_LESSON_RECORD_MAX);
	struct gm_archive archive = gm_archive_writer(&bytes);
	struct gm_lesson_row row = {.begin = range->begin, .end = range->end, .made_at = now};
	gm_lesson_exchange(lesson, &archive);
	int result = -ENOMEM;
	if (gm_archive_done(&archive)) {
		gm_entity_text(&range->key, row.entity);
		gm_text_copy(row.kind, sizeof(row.kind), gm_lesson_kind_name(lesson->kind));
		gm_text_copy(row.label, sizeof(row.label), lesson->label);
		gm_text_copy(row.author, sizeof(row.author), range->author);
		row.record = bytes.data;
		row.size = bytes.length;
		result = gm_state_lesson_add(learning->state, &row, ret_id, err);
	} else {
		gm_error_set(err, result, "out of memory");
	}
	gm_buffer_free(&bytes);
	return result;
}

/* A lesson says what it was made of, not what was asked for. */
static void clip(const struct pair *pair, struct gm_learning_range *range)
{
	if (range->begin < pair->first)
		range->begin = pair->first;
	if (range->end > pair->last)
		range->end = pair->last;
}

int gm_learning_learn(struct gm_learning *learning, const struct gm_entities *entities,
		      struct gm_learning_range *range, int64_t now, int64_t *ret_id,
		      struct gm_error *err)
{
	char key[GM_KEY_TEXT];
	size_t kept = 0;
	int result = check_range(range, now, err);
	if (result < 0)
		return result;
	result = gm_state_lessons(learning->state, gm_entity_text(&range->key, key), count_row,
				  &kept, err);
	if (result < 0)
		return result;
	if (kept + 2 > GM_LESSONS_MAX)
		return gm_error_set(err, -ENOSPC, "%zu lessons are kept for it: take some back",
				    kept);

	struct points points = {0};
	struct pair *pair = malloc(sizeof(*pair));
	int64_t rest_id;
	result = pair ? collect(entities, &range->key, &points) : -ENOMEM;
	if (result < 0) {
		gm_error_set(err, result, "out of memory");
		goto out;
	}
	make_lessons(&points, range, pair);
	if (pair->bins < BINS_MIN) {
		result =
			gm_error_set(err, -ENODATA,
				     "the windows hold %zu bins of %d s of that range; at least %d "
				     "are needed (they hold the last %.0f s; window.length says "
				     "how much)",
				     pair->bins, (int)(GM_LESSON_BIN / GM_SECOND), BINS_MIN,
				     points.count ? (double)(now - pair->first) / 1e9 : 0.0);
		goto out;
	}
	clip(pair, range);
	result = keep_lesson(learning, range, &pair->lesson, now, ret_id, err);
	if (result == 0 && range->faulty && pair->rest.count > 0)
		result = keep_lesson(learning, range, &pair->rest, now, &rest_id, err);
	learning->version++;
out:
	free(points.items);
	free(pair);
	return result;
}

int gm_learning_unlearn(struct gm_learning *learning, int64_t id, struct gm_error *err)
{
	int result = gm_state_lesson_remove(learning->state, id, err);
	if (result == 0)
		learning->version++;
	return result;
}

int gm_learning_list(struct gm_learning *learning, const char *entity,
		     void (*each)(void *user, const struct gm_lesson_row *row), void *user,
		     struct gm_error *err)
{
	return gm_state_lessons(learning->state, entity, each, user, err);
}

/* ---- teach ---- */

struct pile {
	struct gm_lesson *lessons;
	size_t count;
};

static void read_lesson(void *user, const struct gm_lesson_row *row)
{
	struct pile *pile = user;
	struct gm_archive archive = gm_archive_reader(row->record, row->size);
	if (pile->count == GM_LESSONS_MAX)
		return;
	struct gm_lesson *lesson = &pile->lessons[pile->count];
	*lesson = (struct gm_lesson){0};
	gm_lesson_exchange(lesson, &archive);
	if (gm_archive_done(&archive))
		pile->count++;
	else
		gm_log(GM_LOG_WARNING, "lesson %lld is damaged and not used", (long long)row->id);
}

void gm_learning_teach(struct gm_learning *learning, struct gm_tracked *tracked)
{
	if (tracked->taught == learning->version)
		return;
	tracked->taught = learning->version;
	struct gm_detector *detector = gm_detector_set_find(tracked->detectors, &gm_learned_ops);
	if (!detector)
		return;
	struct pile pile = {.lessons = calloc(GM_LESSONS_MAX, sizeof(*pile.lessons))};
	struct gm_error err = {.text = "out of memory"};
	char key[GM_KEY_TEXT];
	int result = -ENOMEM;
	if (pile.lessons)
		result = gm_state_lessons(learning->state, gm_entity_text(&tracked->info.key, key),
					  read_lesson, &pile, &err);
	if (result >= 0)
		result = gm_learned_teach(detector, pile.lessons, pile.count);
	if (result < 0)
		gm_log(GM_LOG_ERROR, "%s: its lessons are not used: %s", key, err.text);
	free(pile.lessons);
}

bool gm_learning_overrules(const struct gm_tracked *tracked, const struct gm_finding *finding)
{
	if (!finding->active || strcmp(finding->detector, "anomaly") != 0)
		return false;
	const struct gm_detector *learned =
		gm_detector_set_find(tracked->detectors, &gm_learned_ops);
	return learned && gm_learned_normal(learned);
}
