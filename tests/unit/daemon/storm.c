/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline in a storm: what many guests tell at once comes to a few transactions and snapshots, not to
 * one for each; and all of it is in the journal, in order, when a snapshot shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/sources.h"
#include "daemon/view.h"
#include "support/commits.h"
#include "support/host_pipeline.h"

enum { GUESTS = 1000, FEW = 60, PATIENCE_S = 20 };

/* What the linker was told to hand to this file. */
static struct {
	const struct gm_source_sink *sink; /* what the pipeline hands to its sources */
	struct gm_state *state;
	uint64_t views, looks;
	uint64_t steps;  /* of walks over all entities, but for those of snapshots */
	bool viewing;    /* a snapshot is being built */
	bool told_early; /* a snapshot had what the journal had not */
} seen;

int __real_gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
			    const struct gm_source_sink *sink, struct gm_error *err);
int __wrap_gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
			    const struct gm_source_sink *sink, struct gm_error *err);
int __real_gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot);
int __wrap_gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot);
void __real_gm_alarms_reassess(struct gm_alarms *alarms, int64_t now);
void __wrap_gm_alarms_reassess(struct gm_alarms *alarms, int64_t now);

void __wrap_gm_alarms_reassess(struct gm_alarms *alarms, int64_t now)
{
	seen.looks++;
	__real_gm_alarms_reassess(alarms, now);
}

struct gm_tracked *__real_gm_entities_next(const struct gm_tracked *tracked);
struct gm_tracked *__wrap_gm_entities_next(const struct gm_tracked *tracked);

struct gm_tracked *__wrap_gm_entities_next(const struct gm_tracked *tracked)
{
	seen.steps += !seen.viewing;
	return __real_gm_entities_next(tracked);
}

int __wrap_gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
			    const struct gm_source_sink *sink, struct gm_error *err)
{
	seen.sink = sink;
	return __real_gm_sources_start(sources, config, sink, err);
}

int __wrap_gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot)
{
	seen.views++;
	seen.viewing = true;
	int result = __real_gm_view_build(input, ret_snapshot);
	seen.viewing = false;
	if (result == 0 && (*ret_snapshot)->alarm_count > gm_state_last_sequence(seen.state))
		seen.told_early = true;
	return result;
}

/* Every alarm is told at once. */
static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make_fast(fixture->directory);
	fixture->config = host_alone();
	fixture->config->alarm.damping = false;
	fixture->config->alarm.raise_limit = 0;
	/* Who is called what matters to all that belongs to them. */
	const struct gm_match match = {.name = "web-*"};
	assert_int_equal(gm_detector_settings_add_override(fixture->config->detectors, &match), 0);
	open_pipeline(fixture);
	seen.state = fixture->state;
	start_pipeline(fixture);
	*state = fixture;
	return 0;
}

static struct gm_entity_key guest_key(unsigned guest)
{
	const uint8_t uuid[GM_UUID_SIZE] = {1, (uint8_t)(guest >> 8), (uint8_t)guest};
	return gm_entity_guest(uuid);
}

static bool shows(struct fixture *fixture, size_t guests, size_t alarms)
{
	struct gm_snapshot_slot *slot = gm_pipeline_snapshots(fixture->pipeline);
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	bool holds = snapshot->guest_count == guests && snapshot->alarm_count == alarms;
	gm_snapshot_release(slot, snapshot);
	return holds;
}

/* Each guest has one alarm, and is shown with it. */
static void assert_one_each(struct fixture *fixture)
{
	struct gm_snapshot_slot *slot = gm_pipeline_snapshots(fixture->pipeline);
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	for (size_t i = 0; i < snapshot->guest_count; i++)
		assert_int_equal(snapshot->guests[i].active_alarms, 1);
	gm_snapshot_release(slot, snapshot);
}

static void run_until(struct fixture *fixture, size_t guests, size_t alarms)
{
	int64_t end = gm_clock_monotonic() + PATIENCE_S * GM_SECOND;
	while (gm_clock_monotonic() < end && !shows(fixture, guests, alarms))
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_true(shows(fixture, guests, alarms));
}

/* Of what was told since. What the second's own ticks come to is among it. */
static void assert_few(void)
{
	assert_in_range(commits, 0, FEW);
	assert_in_range(seen.views, 1, FEW);
	assert_false(seen.told_early);
	commits = seen.views = 0;
}

static void next_in_order(void *user, const struct gm_transition *transition)
{
	unsigned *next = user;
	const struct gm_entity_key key = guest_key(*next % GUESTS);
	assert_true(gm_entity_equal(&transition->alarm.key, &key));
	assert_int_equal(transition->kind,
			 *next < GUESTS ? GM_TRANSITION_RAISE : GM_TRANSITION_CLEAR);
	++*next;
}

static void see_all(const char *name)
{
	for (unsigned guest = 0; guest < GUESTS; guest++) {
		struct gm_entity_info info = {.key = guest_key(guest)};
		snprintf(info.guest.name, sizeof(info.guest.name), "%s-%u", name, guest);
		seen.sink->seen(seen.sink->user, GM_SOURCE_HOST, &info);
	}
}

static void leave(void)
{
	for (unsigned guest = 0; guest < GUESTS; guest++) {
		const struct gm_entity_key key = guest_key(guest);
		seen.sink->gone(seen.sink->user, GM_SOURCE_HOST, &key, gm_clock_now());
	}
}

static void happen(enum gm_guest_event_kind kind)
{
	for (unsigned guest = 0; guest < GUESTS; guest++) {
		const struct gm_guest_event event = {
			.key = guest_key(guest), .kind = kind, .time = gm_clock_now()};
		seen.sink->event(seen.sink->user, &event);
	}
}

static void test_all_guests_crash_at_once(void **state)
{
	struct fixture *fixture = *state;
	unsigned next = 0;
	see_all("web");
	run_until(fixture, GUESTS, 0);
	commits = seen.views = 0;
	happen(GM_GUEST_CRASHED);
	run_until(fixture, GUESTS, GUESTS);
	assert_few();
	assert_one_each(fixture);
	seen.steps = 0;
	happen(GM_GUEST_STARTED);
	run_until(fixture, GUESTS, 0);
	assert_few();
	assert_in_range(seen.steps, 1, GUESTS * GUESTS / 2); /* one for each: twice that */
	assert_int_equal(
		gm_state_journal_after(fixture->state, 0, 2 * GUESTS, next_in_order, &next),
		2 * GUESTS);
	assert_int_equal(next, 2 * GUESTS);
}

static bool is_named(struct fixture *fixture, const char *name)
{
	struct gm_snapshot_slot *slot = gm_pipeline_snapshots(fixture->pipeline);
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	bool named = snapshot->guest_count == GUESTS;
	for (size_t i = 0; i < snapshot->guest_count && named; i++)
		named = strncmp(snapshot->guests[i].info.name, name, strlen(name)) == 0;
	gm_snapshot_release(slot, snapshot);
	return named;
}

/* What belongs to guests is walked once for all whose names are others, not once for each. */
static void test_all_guests_are_renamed_at_once(void **state)
{
	struct fixture *fixture = *state;
	static const char *const names[] = {"web", "db"};
	for (size_t i = 0; i < 2; i++) {
		int64_t end = gm_clock_monotonic() + PATIENCE_S * GM_SECOND;
		seen.steps = 0;
		see_all(names[i]);
		while (!is_named(fixture, names[i]) && gm_clock_monotonic() < end)
			uv_run(&fixture->loop, UV_RUN_ONCE);
		assert_true(is_named(fixture, names[i]));
		assert_in_range(seen.steps, 1, GUESTS * GUESTS / 2); /* one for each: twice that */
	}
}

/* Who is silent now is looked for once for all that begin to leave, not once for each. */
static void test_all_guests_leave_at_once(void **state)
{
	struct fixture *fixture = *state;
	see_all("web");
	run_until(fixture, GUESTS, 0);
	happen(GM_GUEST_WATCHDOG);
	run_until(fixture, GUESTS, GUESTS);
	commits = seen.views = seen.looks = 0;
	happen(GM_GUEST_MIGRATING);
	leave();
	run_until(fixture, 0, 0);
	assert_in_range(seen.looks, 1, FEW);
	assert_few();
	/* Retired, and given back to whom they were. */
	see_all("web");
	run_until(fixture, GUESTS, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_guests_crash_at_once, setup, end_pipeline),
		cmocka_unit_test_setup_teardown(test_all_guests_leave_at_once, setup, end_pipeline),
		cmocka_unit_test_setup_teardown(test_all_guests_are_renamed_at_once, setup,
						end_pipeline),
	};
	count_commits();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
