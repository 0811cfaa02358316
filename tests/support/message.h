/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message for the tests of outputs: an alarm of a guest whose name holds whatever a name can.
 */
#ifndef GM_TEST_SUPPORT_MESSAGE_H
#define GM_TEST_SUPPORT_MESSAGE_H

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "north/output.h"

#define GM_TEST_HOSTILE "web\"1\\\n\t<&>'{x}]%=\x01\xE2\x80\xAE\xC3\xA9 \xF0\x9F\x90\x91"
#define GM_TEST_TIME    (INT64_C(1700000000123) * GM_MILLISECOND)

/* Transition 17 of alarm 5: a raise at GM_TEST_TIME, journalled 2 ms and sent 5 ms after. */
static inline struct gm_message gm_test_message(struct gm_transition *ret_transition)
{
	struct gm_transition *transition = ret_transition;
	struct gm_alarm *alarm = &transition->alarm;

	*transition = (struct gm_transition){
		.sequence = 17,
		.kind = GM_TRANSITION_RAISE,
		.time = GM_TEST_TIME,
		.journalled_at = GM_TEST_TIME + 2 * GM_MILLISECOND,
	};
	alarm->id = 5;
	gm_uuid_parse("6c766d67-1f00-4000-8a10-100000000001", alarm->guest);
	alarm->key = gm_entity_guest(alarm->guest);
	alarm->guest_index = 1;
	snprintf(alarm->detector, sizeof(alarm->detector), "leak");
	snprintf(alarm->metric, sizeof(alarm->metric), "memory.used");
	alarm->severity = GM_SEVERITY_WARNING;
	alarm->event_type = GM_EVENT_PROCESSING_ERROR;
	alarm->cause = GM_CAUSE_RESOURCE_NEARING_CAPACITY;
	alarm->raised_at = alarm->changed_at = GM_TEST_TIME;
	gm_evidence_set(&alarm->evidence, GM_EVIDENCE_SLOPE, 1048576);
	gm_evidence_set(&alarm->evidence, GM_EVIDENCE_CONFIDENCE, 0.875);
	snprintf(alarm->guest_name, sizeof(alarm->guest_name), "%s", GM_TEST_HOSTILE);
	snprintf(alarm->project, sizeof(alarm->project), "tenant \"a\"]");
	snprintf(alarm->text, sizeof(alarm->text), "memory of \"web\\\"1\" grows 1.0 MiB/s");
	return (struct gm_message){
		.transition = transition,
		.node = "node1",
		.key = "node1/17",
		.sent_at = GM_TEST_TIME + 5 * GM_MILLISECOND,
		.attempt = 1,
	};
}

/* Makes it the alarm's change to another severity, or its clear, `seconds` later. */
static inline void gm_test_go_on(struct gm_transition *transition, enum gm_transition_kind kind,
				 enum gm_severity severity, int64_t seconds)
{
	transition->kind = kind;
	transition->sequence++;
	transition->time = transition->alarm.changed_at = GM_TEST_TIME + seconds * GM_SECOND;
	transition->journalled_at = transition->time + 2 * GM_MILLISECOND;
	transition->alarm.severity = severity;
	if (kind == GM_TRANSITION_CLEAR)
		transition->alarm.cleared_at = transition->time;
}

#endif
