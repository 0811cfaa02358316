/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alarm and its transitions: the record that the journal keeps and every output tells.
 */
#ifndef GM_MODEL_ALARM_H
#define GM_MODEL_ALARM_H

#include <stdint.h>

#include "base/json.h"
#include "model/finding.h"

enum { GM_ALARM_TEXT = 384 };

/* Plain value, copied freely. */
struct gm_alarm {
	uint32_t id; /* unique on this node for ever, never 0, kept over restarts */
	struct gm_entity_key key;
	char detector[GM_DETECTOR_NAME];
	char metric[GM_METRIC_NAME];
	char rule[GM_RULE_NAME];   /* as in the finding */
	enum gm_severity severity; /* the last one before the clear, once cleared */
	enum gm_event_type event_type;
	enum gm_probable_cause cause;
	int64_t raised_at, changed_at; /* node's time; changed_at equals raised_at at first */
	int64_t cleared_at;            /* 0 while active */
	struct gm_evidence evidence;

	/* Whose it is, as known when it was raised: kept so that a clear can be told when the guest is gone. */
	uint32_t guest_index; /* 0: no guest */
	uint8_t guest[GM_UUID_SIZE];
	char guest_name[GM_NAME_SIZE]; /* gm_guest_label() */
	char project[GM_NAME_SIZE];
	char project_uuid[GM_NAME_SIZE]; /* Nova's; or empty */
	char text[GM_ALARM_TEXT];        /* one sentence for people */
};

/* Whether both are about the same: entity, detector, metric and rule; a later alarm has another id. */
bool gm_alarm_same(const struct gm_alarm *a, const struct gm_alarm *b);

enum gm_transition_kind { GM_TRANSITION_RAISE, GM_TRANSITION_CHANGE, GM_TRANSITION_CLEAR };
const char *gm_transition_name(enum gm_transition_kind kind); /* "raise", "change", "clear" */

struct gm_transition {
	uint64_t sequence; /* 1, 2, 3 … without holes on this node, kept over restarts */
	enum gm_transition_kind kind;
	int64_t time;
	int64_t journalled_at; /* node's time; 0: not known */
	struct gm_alarm alarm; /* as it is after the transition */
};

/* The whole record as JSON and back, for the journal and the control protocol. */
struct gm_json *gm_alarm_to_json(const struct gm_alarm *alarm);
int gm_alarm_from_json(const struct gm_json *object, struct gm_alarm *ret_alarm,
		       struct gm_error *err);

#endif
