/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The detector that knows what an operator has shown it: it compares what a guest does now with the
 * ranges of time that were marked as normal and as faulty, and tells when a known fault is back. It says
 * nothing while a guest has no faulty lesson.
 *
 * Each class (normal; each label of a fault) is a naive Bayes model over the features of lesson.h: the
 * likelihood of a bin is the product over its features of Student's t density with 4 degrees of
 * freedom around the class's mean, with a variance that a floor of a tenth keeps from
 * vanishing (a conjugate prior worth GM_LEARNED_PRIOR bins). Only features that lie apart in the two
 * classes are asked. They are no independent witnesses: the log
 * ratio of all of them is weighed as if they were GM_LEARNED_WITNESSES. The log odds of the bins add up with
 * a half-life of one bin, so that one odd bin is no fault and three alike are.
 */
#ifndef GM_ANALYSIS_LEARNED_H
#define GM_ANALYSIS_LEARNED_H

#include "analysis/detector.h"
#include "analysis/lesson.h"

enum { GM_LEARNED_PRIOR = 4, GM_LEARNED_WITNESSES = 6, GM_LEARNED_FAULTS = 8 };

extern const struct gm_detector_ops gm_learned_ops;

/*
 * The lessons of the guest that `detector` (one of gm_learned_ops) judges, in place of those it had; they
 * are not kept. How sure it is of a fault that it knows already stays. With none it is silent again. Faults beyond GM_LEARNED_FAULTS labels are left out. 0 or
 * -ENOMEM.
 */
int gm_learned_teach(struct gm_detector *detector, const struct gm_lesson *lessons, size_t count);

/* Whether it was taught a fault of that label: of others it says nothing, not even that they are over. */
bool gm_learned_knows(const struct gm_detector *detector, const char *label);

/*
 * Whether the newest bin looks like a range that was marked as normal: nearly all of its features
 * lie where those of that range lay.
 */
bool gm_learned_normal(const struct gm_detector *detector);

#endif
