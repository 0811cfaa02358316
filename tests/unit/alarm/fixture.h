/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine whose transitions are kept, and findings for it.
 */
#ifndef GM_TEST_ALARM_FIXTURE_H
#define GM_TEST_ALARM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alarm/engine.h"
#include "base/clock.h"

enum { LOG_MAX = 5000 };
static const int64_t T0 = 1700000000 * GM_SECOND;

struct fixture {
	struct gm_alarms *alarms;
	size_t count;
	uint32_t next_id;
	size_t described;
	struct gm_transition *log;
};

static inline void take(void *user, struct gm_transition *transition)
{
	struct fixture *f = user;

	assert_true(f->count < LOG_MAX);
	f->log[f->count++] = *transition;
}

static inline void describe(void *user, struct gm_alarm *alarm)
{
	struct fixture *f = user;

	f->described++;
	alarm->guest_index = 7;
	snprintf(alarm->guest_name, sizeof(alarm->guest_name), "web-1");
}

static inline uint32_t new_id(void *user)
{
	return ++((struct fixture *)user)->next_id;
}

static inline void open_engine(struct fixture *f, const struct gm_alarm_options *options)
{
	const struct gm_alarm_sink sink = {
		.emit = take, .describe = describe, .new_id = new_id, .user = f};

	gm_alarms_free(f->alarms);
	f->count = f->described = f->next_id = 0;
	assert_int_equal(gm_alarms_create(options, &sink, &f->alarms), 0);
}

static inline void open_with(struct fixture *f, bool damping, int64_t hold, int64_t limit)
{
	const struct gm_alarm_options options = {
		.damping = damping, .hold = hold, .raise_limit = limit};

	open_engine(f, &options);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->log = calloc(LOG_MAX, sizeof(*f->log));
	open_with(f, true, 3 * GM_SECOND, 600);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	gm_alarms_free(f->alarms);
	free(f->log);
	free(f);
	return 0;
}

static inline struct gm_finding finding(unsigned guest, bool active, int64_t time)
{
	uint8_t uuid[GM_UUID_SIZE] = {(uint8_t)(guest >> 8), (uint8_t)guest, 1};
	struct gm_finding made = {
		.key = gm_entity_guest(uuid),
		.detector = "leak",
		.metric = "memory.used",
		.active = active,
		.severity = GM_SEVERITY_WARNING,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_RESOURCE_NEARING_CAPACITY,
		.time = time,
	};
	return made;
}

static inline struct gm_entity_key key_of(unsigned guest)
{
	return finding(guest, true, T0).key;
}

static inline void tell(struct fixture *f, struct gm_finding what)
{
	assert_int_equal(gm_alarms_finding(f->alarms, &what), 0);
}

/* Options without soak time and limit; the transition told last; and by guest, why it is silent. */
static const struct gm_alarm_options plain = {
	.damping = true,
	.hold = 3 * GM_SECOND,
	.flap_window = 600 * GM_SECOND,
	.flap_calm = 300 * GM_SECOND,
};

static inline void expect_last(const struct fixture *f, size_t count, enum gm_transition_kind kind,
			       int64_t time)
{
	assert_int_equal(f->count, count);
	assert_int_equal(f->log[count - 1].kind, kind);
	assert_int_equal(f->log[count - 1].time, time);
}

static inline const struct gm_alarm *newest(const struct fixture *f)
{
	return &f->log[f->count - 1].alarm;
}

static inline int suppressed_guest(void *user, const struct gm_alarm *alarm)
{
	const int *by_guest = user;

	return by_guest[alarm->key.uuid[1]];
}

#endif
