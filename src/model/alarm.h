/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alarm and its transitions: the record that the journal keeps and every output tells.
 */
#ifndef GM_MODEL_ALARM_H
#define GM_MODEL_ALARM_H

#include <stdint.h>

#include "base/json.h"
#include "model/finding.h"

enum { GM_ALARM_TEXT = 384, GM_AUTHOR = 64, GM_COMMENT = 256 };

/* What the newest transition was about. All but the first are told as a change, also of an old alarm. */
enum gm_alarm_news {
	GM_NEWS_CONDITION,      /* raise, clear; a change of severity or evidence */
	GM_NEWS_ACKNOWLEDGED,   /* 3GPP TS 32.111-2: ackState; somebody has taken it on */
	GM_NEWS_UNACKNOWLEDGED, /* taken back */
	GM_NEWS_COMMENTED,
	GM_NEWS_SUPPRESSED, /* maintenance has begun, or its guest was suspended */
	GM_NEWS_RELEASED,   /* that is over: the alarm is as it is now */
	GM_NEWS_LATCHED,    /* its condition is over, it waits for an acknowledgement */
	GM_NEWS_CORRELATED, /* another alarm was found to belong to it */
	GM_NEWS_DISABLED,   /* cleared: what raised it was switched off or taken away */
	GM_NEWS_COUNT
};
const char *gm_alarm_news_name(enum gm_alarm_news news); /* "condition", "acknowledged", … */

/* Why nothing is told of an alarm's condition now. */
enum gm_suppression {
	GM_SUPPRESSION_NONE,
	GM_SUPPRESSION_MAINTENANCE,
	GM_SUPPRESSION_SUSPENDED, /* the guest is paused or shut off */
	GM_SUPPRESSION_MIGRATING, /* it is being moved to or from this node; so cleared: it has left */
	GM_SUPPRESSION_COUNT
};
const char *gm_suppression_name(enum gm_suppression suppression); /* "none", "maintenance", … */

/* Plain value, copied freely. */
struct gm_alarm {
	uint32_t id; /* unique on this node for ever, never 0, kept over restarts */
	struct gm_entity_key key;
	char detector[GM_DETECTOR_NAME];
	char metric[GM_METRIC_NAME];
	char rule[GM_RULE_NAME];   /* as in the finding */
	enum gm_severity severity; /* the last one before the clear, once cleared */
	enum gm_severity worst;    /* of all that were told of it; 0: an old record, not known */
	/* Told before this transition, the last and the worst; 0: none (a raise), or an old record. */
	enum gm_severity told_before, worst_before;
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

	/* What the engine and people made of it. */
	enum gm_alarm_news news;
	enum gm_suppression suppressed;
	int64_t ended_at;        /* latched: when its condition was over; else 0 */
	uint32_t flaps;          /* flapping: how often it was there in the window; else 0 */
	uint32_t correlation;    /* the id of the alarm that it belongs to; 0: none */
	int64_t acknowledged_at; /* 0: not acknowledged */
	char acknowledged_by[GM_AUTHOR];
	uint32_t comments; /* how many; the newest: */
	int64_t commented_at;
	char commented_by[GM_AUTHOR];
	char comment[GM_COMMENT];
};

/* Whether it is the summary of what waits for the limit on raises. */
bool gm_alarm_is_storm(const struct gm_alarm *alarm);

/* Whether the alarm is of a guest, or of what belongs to one. */
bool gm_alarm_has_guest(const struct gm_alarm *alarm);

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

/*
 * The whole record as JSON and back, for the journal and the control protocol. What the engine and
 * people made of it is left out where there is nothing; reading takes records without it, and takes
 * words that it does not know for "condition" and "none".
 */
struct gm_json *gm_alarm_to_json(const struct gm_alarm *alarm);
int gm_alarm_from_json(const struct gm_json *object, struct gm_alarm *ret_alarm,
		       struct gm_error *err);

#endif
