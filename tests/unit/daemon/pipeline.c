/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline over a change of the configuration: all of it or nothing, and what is no longer the
 * configuration is not looked at again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/intake.h"
#include "source/runner.h"
#include "support/host_pipeline.h"
#include "support/state_sql.h"

/* In the place of the clock's and the intake's own: what the clock is said to be set by, and who hears. */
static struct {
	int64_t by, heard;
} step;

int64_t __real_gm_clock_discipline(void);
int64_t __wrap_gm_clock_discipline(void);
void __real_gm_intake_stepped(struct gm_intake *intake, int64_t by, int64_t now);
void __wrap_gm_intake_stepped(struct gm_intake *intake, int64_t by, int64_t now);

int64_t __wrap_gm_clock_discipline(void)
{
	int64_t by = step.by;
	step.by = 0;
	return by != 0 ? by : __real_gm_clock_discipline();
}

void __wrap_gm_intake_stepped(struct gm_intake *intake, int64_t by, int64_t now)
{
	step.heard = by;
	__real_gm_intake_stepped(intake, by, now);
}

/* For how long each source that runs is said to have been in a call; 0: what it is. */
static int64_t busy_for;

int64_t __real_gm_runner_busy(struct gm_runner *runner, int64_t monotonic);
int64_t __wrap_gm_runner_busy(struct gm_runner *runner, int64_t monotonic);

int64_t __wrap_gm_runner_busy(struct gm_runner *runner, int64_t monotonic)
{
	return busy_for > 0 ? busy_for : __real_gm_runner_busy(runner, monotonic);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(fixture->directory);
	fixture->config = host_alone();
	open_pipeline(fixture);
	start_pipeline(fixture);
	*state = fixture;
	return 0;
}

static void run_for(struct fixture *fixture, int64_t time)
{
	int64_t end = gm_clock_monotonic() + time;
	while (gm_clock_monotonic() < end)
		uv_run(&fixture->loop, UV_RUN_ONCE);
}

/* A source's row of the present snapshot; its interval is 0 where it is not shown. No two are of one source. */
static struct gm_source_status source_status(struct fixture *fixture, enum gm_source_id id)
{
	struct gm_snapshot_slot *slot = gm_pipeline_snapshots(fixture->pipeline);
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	struct gm_source_status found = {0};
	size_t count = 0;
	for (size_t i = 0; i < snapshot->source_count; i++) {
		if (snapshot->sources[i].id != id)
			continue;
		found = snapshot->sources[i];
		count++;
	}
	gm_snapshot_release(slot, snapshot);
	assert_in_range(count, 0, 1);
	return found;
}

static struct gm_source_status host_status(struct fixture *fixture)
{
	return source_status(fixture, GM_SOURCE_HOST);
}

static int reconfigure(struct fixture *fixture, struct gm_config *after, struct gm_error *err)
{
	int result = gm_pipeline_reconfigure(fixture->pipeline, after, err);
	gm_config_free(result < 0 ? after : fixture->config);
	if (result == 0)
		fixture->config = after;
	return result;
}

static void test_a_source_that_cannot_start_leaves_all_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	struct gm_config *after = host_alone();
	after->tap.enabled = true;
	after->tap.interval = 1; /* which no runner takes */
	after->host.interval = 50 * GM_MILLISECOND;
	run_for(fixture, 300 * GM_MILLISECOND);
	assert_true(reconfigure(fixture, after, &err) < 0);
	assert_non_null(strstr(err.text, "source tap cannot start"));
	run_for(fixture, 1500 * GM_MILLISECOND);
	assert_true(host_status(fixture).connected);
	assert_int_equal(host_status(fixture).interval, fixture->config->host.interval);
}

static void test_a_change_is_applied_and_a_stopped_source_not_shown(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	struct gm_config *after = host_alone();
	after->host.interval = 50 * GM_MILLISECOND;
	assert_int_equal(reconfigure(fixture, after, &err), 0);
	run_for(fixture, 1500 * GM_MILLISECOND);
	assert_int_equal(host_status(fixture).interval, 50 * GM_MILLISECOND);
	after = host_alone();
	after->host.enabled = false;
	assert_int_equal(reconfigure(fixture, after, &err), 0);
	run_for(fixture, 500 * GM_MILLISECOND);
	assert_int_equal(host_status(fixture).interval, 0);
}

static void test_a_section_that_needs_a_restart_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	struct gm_config *after = host_alone();
	after->window.samples = 7;
	assert_int_equal(gm_config_applicable(fixture->config, after, &err), -EPERM);
	assert_non_null(strstr(err.text, "window.samples"));
	after->window.samples = fixture->config->window.samples;
	after->alarm.hold += GM_SECOND;
	assert_int_equal(gm_config_applicable(fixture->config, after, &err), 0);
	/* The host has another name since: as long as nobody gives the node one, it keeps its own. */
	snprintf(after->node.name, sizeof(after->node.name), "renamed");
	assert_int_equal(gm_config_applicable(fixture->config, after, &err), -EPERM);
	fixture->config->node.host_named = after->node.host_named = true;
	assert_int_equal(gm_config_applicable(fixture->config, after, &err), 0);
	assert_string_equal(after->node.name, fixture->config->node.name);
	gm_config_free(after);
}

static void test_a_step_of_the_clock_is_no_time_that_passed(void **state)
{
	struct fixture *fixture = *state;
	step.by = -3 * GM_SECOND;
	run_for(fixture, 1500 * GM_MILLISECOND);
	assert_int_equal(step.by, 0);
	assert_int_equal(step.heard, -3 * GM_SECOND);
}

/* That one is stuck is told in its place, and its account goes on from where it was. */
static void test_a_source_that_is_stuck_keeps_its_account(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	struct gm_config *after = host_alone();
	struct gm_source_status known, now;
	int64_t limit = gm_clock_monotonic() + 20 * GM_SECOND;
	bool away = false, host_away = false;
	after->libvirt.enabled = true;
	snprintf(after->libvirt.uri, sizeof(after->libvirt.uri), "test:///default");
	assert_int_equal(reconfigure(fixture, after, &err), 0);
	do {
		assert_true(gm_clock_monotonic() < limit);
		run_for(fixture, 100 * GM_MILLISECOND);
		known = source_status(fixture, GM_SOURCE_LIBVIRT);
	} while (known.ticks == 0);
	busy_for = 20 * GM_SECOND;
	while (!away || !host_away) {
		assert_true(gm_clock_monotonic() < limit);
		run_for(fixture, 100 * GM_MILLISECOND);
		now = source_status(fixture, GM_SOURCE_LIBVIRT);
		assert_int_equal(now.interval, known.interval);
		assert_true(now.ticks >= known.ticks);
		away |= !now.connected && strstr(now.error, "no answer") != NULL;
		host_away |= !host_status(fixture).connected;
	}
	busy_for = 0;
	do {
		assert_true(gm_clock_monotonic() < limit);
		run_for(fixture, 100 * GM_MILLISECOND);
		now = source_status(fixture, GM_SOURCE_LIBVIRT);
	} while (!now.connected || !host_status(fixture).connected);
	assert_string_equal(now.error, "");
}

static void test_no_start_without_the_active_alarms(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	gm_pipeline_stop(fixture->pipeline);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	gm_pipeline_free(fixture->pipeline);
	run_sql(fixture->directory, "ALTER TABLE active RENAME TO away");
	assert_int_equal(gm_pipeline_create(&fixture->loop, fixture->config, fixture->state,
					    &fixture->pipeline, &err),
			 0);
	assert_true(gm_pipeline_start(fixture->pipeline, &err) < 0);
	assert_non_null(strstr(err.text, "active alarms cannot be read"));
	run_sql(fixture->directory, "ALTER TABLE away RENAME TO active");
}

int main(void)
{
#define WITH_PIPELINE(test) cmocka_unit_test_setup_teardown(test, setup, end_pipeline)
	const struct CMUnitTest tests[] = {
		WITH_PIPELINE(test_a_source_that_cannot_start_leaves_all_as_it_was),
		WITH_PIPELINE(test_a_change_is_applied_and_a_stopped_source_not_shown),
		WITH_PIPELINE(test_a_section_that_needs_a_restart_is_named),
		WITH_PIPELINE(test_a_step_of_the_clock_is_no_time_that_passed),
		WITH_PIPELINE(test_a_source_that_is_stuck_keeps_its_account),
		WITH_PIPELINE(test_no_start_without_the_active_alarms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
