/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator's label teaches: the statistics of a guest's metrics over a range of time that was
 * marked as normal or as faulty. Pure data; made by learned.h's functions, kept by state/, handed to the
 * detector that learns from them. Size-bounded; a few kilobytes each.
 *
 * A feature is the mean, or the spread, of one metric over GM_LESSON_BIN. Both are taken as
 * sign(x) · ln(1 + |x|), so that a spread of 0.1 means about a tenth whatever the unit is. Counters count as
 * rates; what the parts of a guest (interfaces, disks) measure is averaged over its parts.
 */
#ifndef GM_ANALYSIS_LESSON_H
#define GM_ANALYSIS_LESSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"
#include "base/clock.h"
#include "model/sample.h"

#define GM_LESSON_BIN (10 * GM_SECOND)

enum {
	GM_LESSON_METRICS = 64, /* metrics followed: the first ones that show up */
	GM_LESSON_LABEL = 32,   /* bytes of a label, its NUL counted: a-z 0-9 . _ - */
	GM_LESSONS_MAX = 32,    /* lessons of one guest */
};

enum gm_lesson_kind {
	GM_LESSON_NORMAL, /* said to be normal */
	GM_LESSON_FAULTY, /* said to be the fault of that label */
	GM_LESSON_REST,   /* nothing was said of it: what there was beside a faulty range */
	GM_LESSON_KINDS
};
const char *gm_lesson_kind_name(enum gm_lesson_kind kind); /* "normal", "faulty", "rest" */

/* Bins seen, their mean and the sum of squared deviations, as Welford's method keeps them. */
struct gm_moments {
	double count, mean, squares;
};
void gm_moments_add(struct gm_moments *moments, double value);
void gm_moments_merge(struct gm_moments *moments, const struct gm_moments *other);

struct gm_lesson_metric {
	uint32_t metric; /* enum gm_metric_id */
	struct gm_moments level, spread;
};

struct gm_lesson {
	enum gm_lesson_kind kind;
	char label[GM_LESSON_LABEL]; /* empty unless faulty (or the rest beside it) */
	size_t count;
	struct gm_lesson_metric metrics[GM_LESSON_METRICS];
};

bool gm_lesson_label_valid(const char *label);
/* Adds what `other` saw to the same metrics of `lesson`; metrics beyond the bound are left out. */
void gm_lesson_merge(struct gm_lesson *lesson, const struct gm_lesson *other);
void gm_lesson_exchange(struct gm_lesson *lesson, struct gm_archive *archive);

/* One closed bin: a feature pair per metric that had points in it. */
struct gm_lesson_bin {
	int64_t end;
	size_t count;
	struct {
		uint32_t metric;
		double level, spread; /* transformed as above */
	} items[GM_LESSON_METRICS];
};
void gm_lesson_add(struct gm_lesson *lesson, const struct gm_lesson_bin *bin);

/* Makes bins of points, which come about in the order of time. O(metrics) once a bin, else O(1). */
struct gm_binner {
	int64_t start; /* of the open bin; 0: none */
	size_t count;
	struct {
		uint32_t metric;
		struct gm_moments values;
	} slots[GM_LESSON_METRICS];
	uint8_t slot_of[GM_METRIC_COUNT]; /* 1 + index; 0: none yet */
};
/* True when the point opened a new bin: `ret_bin` then holds the one before. */
bool gm_binner_add(struct gm_binner *binner, const struct gm_point *point,
		   struct gm_lesson_bin *ret_bin);

#endif
