/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the surprise and the excess of an entity's rows amount to over time: a score, alerts that
 * come once per event, and the threshold from which an alert is an alarm.
 *
 * The score has two halves. From 0.5 on it is an alert: a surprise that is fresh, not the rest of one
 * that was told, and rare for this entity. Below 0.5 it is the smoothed excess: up as long as the entity is
 * out of the usual.
 * The threshold follows the tail of the alerts themselves (peaks over a threshold with exponential
 * excesses: Pickands, Annals of Statistics 3, 1975) to the number of false alarms that is allowed.
 *
 * Pure; rows are counted, time is an argument. The detector feeds it.
 */
#ifndef GM_ANALYSIS_ANOMALY_JUDGE_H
#define GM_ANALYSIS_ANOMALY_JUDGE_H

#include <stdint.h>

#include "base/archive.h"

enum { GM_ANOMALY_SMOOTHS = 3 };

struct gm_anomaly_judge {
	double excess[GM_ANOMALY_SMOOTHS]; /* smoothed over some rows, over more, over many */
	double told;                       /* the surprise of the last alert */
	uint32_t quiet;                    /* rows that it still quiets */
	double alerts;                     /* of the past; what is older counts less */
	double height;                     /* sum of what they exceeded the least one by */
	double rows, seconds;              /* that they came from */
};

struct gm_anomaly_verdict {
	double alert; /* the surprise of a fresh event; 0: none */
	double score; /* 0 to 1 */
};

/* What one more row would make, and makes. */
struct gm_anomaly_verdict gm_anomaly_judge_peek(const struct gm_anomaly_judge *judge,
						double surprise, double excess);
void gm_anomaly_judge_take(struct gm_anomaly_judge *judge, double surprise, double excess,
			   double seconds);

/* The score of an alert, 0.5 to 1: what is frequent with this entity weighs less. */
double gm_anomaly_judge_weigh(const struct gm_anomaly_judge *judge, double surprise);

/* The alert that is expected `per_day` times a day. */
double gm_anomaly_judge_threshold(const struct gm_anomaly_judge *judge, double per_day);

void gm_anomaly_judge_exchange(struct gm_anomaly_judge *judge, struct gm_archive *archive);

#endif
