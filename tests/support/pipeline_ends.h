/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of a pipeline for one test: an intake's sink that lets all pass, or hands findings and departures
 * to an alarm engine, and that engine's sink, which keeps its transitions. For cmocka tests; include
 * after <cmocka.h>.
 */
#ifndef GM_TEST_PIPELINE_ENDS_H
#define GM_TEST_PIPELINE_ENDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "alarm/engine.h"
#include "daemon/intake.h"

enum { TRANSITIONS_KEPT = 64 };

/* What an engine told; zeros at the beginning. */
struct told {
	struct gm_alarms *alarms; /* whom findings go to, set by the test */
	uint32_t ids;
	size_t count;
	struct gm_transition log[TRANSITIONS_KEPT];
};

static inline void pass_frame(void *user, const struct gm_frame *frame,
			      const struct gm_reading *readings)
{
	(void)user, (void)frame, (void)readings;
}

static inline void pass_identity(void *user, const struct gm_entity_info *info)
{
	(void)user, (void)info;
}

static inline void pass_gone(void *user, const struct gm_entity_key *key, int64_t time)
{
	(void)user, (void)key, (void)time;
}

static inline void pass_finding(void *user, const struct gm_finding *finding)
{
	(void)user, (void)finding;
}

/* For a test that sets what it wants to see of it. */
static inline struct gm_intake_sink sink_that_passes(void *user)
{
	return (struct gm_intake_sink){pass_frame, pass_identity, pass_gone, pass_finding, user};
}

static inline void take_gone(void *user, const struct gm_entity_key *key, int64_t time)
{
	gm_alarms_gone(((struct told *)user)->alarms, key, time);
}

static inline void take_finding(void *user, const struct gm_finding *finding)
{
	assert_int_equal(gm_alarms_finding(((struct told *)user)->alarms, finding), 0);
}

static inline struct gm_intake_sink sink_to_alarms(struct told *told)
{
	return (struct gm_intake_sink){pass_frame, pass_identity, take_gone, take_finding, told};
}

static inline void take_transition(void *user, struct gm_transition *transition)
{
	struct told *told = user;

	assert_true(told->count < TRANSITIONS_KEPT);
	told->log[told->count++] = *transition;
}

static inline uint32_t take_id(void *user)
{
	return ++((struct told *)user)->ids;
}

static inline struct gm_alarm_sink sink_of_alarms(struct told *told)
{
	return (struct gm_alarm_sink){take_transition, NULL, take_id, told};
}

/* A guest as libvirt tells of it. */
static inline void tell_guest(struct gm_intake *intake, const uint8_t uuid[GM_UUID_SIZE],
			      const char *name)
{
	struct gm_entity_info info = {.key = gm_entity_guest(uuid)};

	snprintf(info.guest.name, sizeof(info.guest.name), "%s", name);
	gm_intake_seen(intake, GM_SOURCE_LIBVIRT, &info);
}

#endif
