/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy: an operator's condition over all that is measured of a guest (or the node) as a whole. What the
 * condition may say is in policy_program.h, how files hold policies in guestmon-policy(5).
 *
 * The condition is judged at most once per `interval`, at the time of a sample, and once a second; it
 * must hold for `for` without a break. What cannot be said yet neither raises nor clears.
 *
 * Evidence: both sides of the comparison that decided.
 */
#ifndef GM_ANALYSIS_POLICY_H
#define GM_ANALYSIS_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/detector.h"

enum { GM_POLICY_CONDITION = 1024 };

struct gm_policy_options {
	bool enabled;
	char condition[GM_POLICY_CONDITION]; /* empty: nothing is judged */
	int64_t hold;                        /* ns that it must be true: the key `for` */
	int64_t interval;                    /* ns between two judgements */
	int severity;                        /* index into warning … critical */
	char message[GM_MESSAGE];            /* a template; empty: a sentence */
};

extern const struct gm_detector_ops gm_policy_ops;

#endif
