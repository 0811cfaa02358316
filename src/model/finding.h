/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a detector says about one entity and metric at a moment, with its evidence. Findings are a
 * level, not an edge: a detector repeats "active" while it holds and says "ok" when it has seen
 * enough to know that all is well; it says nothing while it does not know. The alarm engine makes
 * raise, change and clear of that.
 */
#ifndef GM_MODEL_FINDING_H
#define GM_MODEL_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "model/entity.h"
#include "model/quantity.h"

enum gm_evidence_id {
#define GM_EVIDENCE(id, ...) GM_EVIDENCE_##id,
#include "model/evidence.def"
#undef GM_EVIDENCE
	GM_EVIDENCE_COUNT
};

/* Plain value; unset numbers are absent everywhere that evidence is shown. */
struct gm_evidence {
	uint64_t present; /* bit per enum gm_evidence_id */
	double number[GM_EVIDENCE_COUNT];
	char direction[4];      /* "rx", "tx" or empty */
	char contributors[256]; /* metric names, largest first, separated by commas; or empty */
	char unit[GM_UNIT];     /* of value and limit (quantity.h), where it is known; or empty */
	char origin[48];        /* who found it, where that is none of our detectors; or empty */
};

void gm_evidence_set(struct gm_evidence *evidence, enum gm_evidence_id id, double number);
bool gm_evidence_has(const struct gm_evidence *evidence, enum gm_evidence_id id);
const char *gm_evidence_name(enum gm_evidence_id id);

/* The JSON object of replay's contract, and back (unknown members are ignored). */
struct gm_json *gm_evidence_to_json(const struct gm_evidence *evidence);
void gm_evidence_from_json(const struct gm_json *object, struct gm_evidence *ret_evidence);

/* X.733 perceived severity, numbered as ITU-ALARM-TC does. */
enum gm_severity {
	GM_SEVERITY_CLEARED = 1,
	GM_SEVERITY_INDETERMINATE = 2,
	GM_SEVERITY_CRITICAL = 3,
	GM_SEVERITY_MAJOR = 4,
	GM_SEVERITY_MINOR = 5,
	GM_SEVERITY_WARNING = 6,
};
const char *gm_severity_name(enum gm_severity severity); /* "warning", … */
int gm_severity_parse(const char *name, enum gm_severity *ret_severity);

/* What an operator may choose for the alarm of a rule, mildest first; and the severity at an index of it. */
extern const char *const gm_severity_choices[]; /* NULL at the end */
enum gm_severity gm_severity_chosen(int index);

/* The numbers of IANA-ITU-ALARM-TC-MIB (RFC 3877; revision of 2014-05-22) that guestmon uses. */
enum gm_probable_cause {
	GM_CAUSE_OUT_OF_MEMORY = 162,
	GM_CAUSE_CONGESTION = 202,
	GM_CAUSE_REDUCED_LOGGING = 206,
	GM_CAUSE_RESOURCES_OVERLOAD = 207,
	GM_CAUSE_COMMUNICATION_FAILURE = 505,
	GM_CAUSE_EQUIPMENT_MALFUNCTION = 514,
	GM_CAUSE_PERFORMANCE_DEGRADED = 532,
	GM_CAUSE_RESOURCE_NEARING_CAPACITY = 541,
	GM_CAUSE_PROGRAM_TERMINATED = 545,
	GM_CAUSE_PROGRAM_ERROR = 546,
	GM_CAUSE_THRESHOLD_CROSSED = 549,
	GM_CAUSE_RESOURCE_UNAVAILABLE = 554,
};
enum gm_event_type {
	GM_EVENT_COMMUNICATIONS = 2,
	GM_EVENT_QUALITY_OF_SERVICE = 3,
	GM_EVENT_PROCESSING_ERROR = 4,
	GM_EVENT_EQUIPMENT = 5,
	GM_EVENT_ENVIRONMENTAL = 6,
};

enum { GM_DETECTOR_NAME = 16, GM_METRIC_NAME = 48, GM_RULE_NAME = 48, GM_MESSAGE = 256 };

/* The name under which the daemon speaks of itself: no detector's, and no other program may use it. */
#define GM_SELF_DETECTOR "self"
/* Its metric for alarms that wait for the limit on raises. */
#define GM_STORM_METRIC "alarmStorm"
/* Likewise: what libvirt tells of a guest as an event. */
#define GM_EVENT_DETECTOR "event"

struct gm_finding {
	struct gm_entity_key key;
	char detector[GM_DETECTOR_NAME]; /* "leak", "burst", … */
	char metric
		[GM_METRIC_NAME]; /* the metric it speaks of; with key, detector and rule, its identity */
	char rule
		[GM_RULE_NAME]; /* which of an operator's rules; empty: the detector's own judgement */
	char message
		[GM_MESSAGE]; /* a template (template.h) for the alarm's text; empty: a sentence */
	bool active;
	bool report;               /* worth a change notification even when the severity stays */
	enum gm_severity severity; /* while active */
	enum gm_event_type event_type;
	enum gm_probable_cause cause;
	int64_t time; /* the node's time of the deciding sample */
	struct gm_evidence evidence;
};

/* Where detectors put their findings; `finding` is only valid during the call. */
struct gm_finding_sink {
	void (*emit)(void *user, const struct gm_finding *finding);
	void *user;
};

#endif
