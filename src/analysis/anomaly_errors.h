/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of errors and drops of an entity's interfaces, and of errors of the node's hardware: mostly
 * still, so that a level says nothing. What a minute brings is held against the rate that was learned,
 * as counts of a Poisson process with the spread that the counts have shown (quasi-Poisson; tail by
 * Chernoff's bound). Pure and bounded; the anomaly detector feeds it and tells what it finds.
 */
#ifndef GM_ANALYSIS_ANOMALY_ERRORS_H
#define GM_ANALYSIS_ANOMALY_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"
#include "model/entity.h"
#include "model/finding.h"
#include "model/sample.h"

enum { GM_ANOMALY_ERRORS_MAX = 32, GM_ANOMALY_ERROR_KINDS = 7 };

/* The metrics that are judged so, and what they are told as. */
struct gm_anomaly_error_kind {
	uint16_t metric;
	uint16_t least; /* fewer in a minute are nobody's trouble; 1: each one is, from the start */
	enum gm_event_type event_type;
	enum gm_severity severity;
};
extern const struct gm_anomaly_error_kind gm_anomaly_error_kinds[GM_ANOMALY_ERROR_KINDS];

/* One counter of one interface. */
struct gm_anomaly_error {
	uint32_t id;
	struct gm_entity_key owner;
	double count, seconds;  /* of the open minute */
	double events, exposed; /* learned: what was counted, in how many seconds */
	double spread;          /* variance of a minute's count over its mean, 1 at least */
	double watched;         /* seconds */
	double rate,
		usual; /* per second: of the last minute that was too many, and expected then */
	int64_t last;  /* when that was; 0: never */
};

struct gm_anomaly_errors {
	size_t count;
	struct gm_anomaly_error items[GM_ANOMALY_ERRORS_MAX];
};

/* False: not a counter that is judged here. Those that there is no room for are ignored. */
bool gm_anomaly_errors_take(struct gm_anomaly_errors *errors, const struct gm_entity_key *owner,
			    const struct gm_point *point);

/* The worst counter of that metric which had too many since `since`; NULL: none. */
const struct gm_anomaly_error *gm_anomaly_errors_worst(const struct gm_anomaly_errors *errors,
						       unsigned id, int64_t since);

/* Whether a counter of that metric was watched long enough to be judged. */
bool gm_anomaly_errors_known(const struct gm_anomaly_errors *errors, unsigned id);

void gm_anomaly_errors_exchange(struct gm_anomaly_errors *errors, struct gm_archive *archive);

#endif
