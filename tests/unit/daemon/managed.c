/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What managers set, at work: rows and switches through the real intake, detectors and alarm engine, over a
 * restart, and what happens to alarms, to what detectors know, and to memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/leak.h"
#include "analysis/threshold.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/managed.h"
#include "daemon/orphans.h"
#include "support/pipeline_ends.h"
#include "support/state_directory.h"

#define T0 INT64_C(1700000000000000000)

static const uint8_t web[GM_UUID_SIZE] = {1}, db[GM_UUID_SIZE] = {2};

struct fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_detector_settings *settings;
	struct gm_intake *intake;
	int64_t now;
	struct told told;
};

/* The daemon's start on what the state has; alarms have a hold time. */
static void start(struct fixture *fixture)
{
	struct gm_alarm_options options = {.damping = true, .hold = 600 * GM_SECOND};
	struct gm_alarm_sink alarms = sink_of_alarms(&fixture->told);
	struct gm_intake_sink sink = sink_to_alarms(&fixture->told);
	struct gm_intake_options intake = {.window = {.samples = 100, .length = 60 * GM_SECOND},
					   .libvirt = true};

	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, NULL), 0);
	assert_int_equal(gm_detector_settings_create(&fixture->settings), 0);
	intake.detectors = fixture->settings;
	assert_int_equal(gm_alarms_create(&options, &alarms, &fixture->told.alarms), 0);
	assert_int_equal(gm_intake_create(&intake, fixture->state, &sink, &fixture->intake), 0);
	tell_guest(fixture->intake, web, "web-1");
	tell_guest(fixture->intake, db, "db-1");
}

static void stop(struct fixture *fixture)
{
	gm_intake_free(fixture->intake);
	gm_alarms_free(fixture->told.alarms);
	gm_detector_settings_free(fixture->settings);
	gm_state_close(fixture->state);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make_fast(fixture->directory);
	fixture->now = T0;
	start(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	stop(fixture);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

/* A second goes by with so much memory used in the guest; the detectors judge. */
static void second(struct fixture *fixture, const uint8_t uuid[GM_UUID_SIZE], double used)
{
	struct gm_batch *batch = gm_batch_create();
	struct gm_entity_key key = gm_entity_guest(uuid);

	fixture->now += GM_SECOND;
	batch->source = GM_SOURCE_LIBVIRT;
	gm_batch_frame(batch, &key, fixture->now, fixture->now, 0);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_TOTAL, 100);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_USED, used);
	gm_intake_batch(fixture->intake, batch);
	gm_batch_free(batch);
	if (gm_intake_evaluate(fixture->intake, fixture->now))
		gm_orphans_end(fixture->told.alarms, gm_intake_entities(fixture->intake), NULL,
			       false, fixture->now);
}

static const struct gm_transition *newest(const struct fixture *fixture)
{
	assert_true(fixture->told.count > 0);
	return &fixture->told.log[fixture->told.count - 1];
}

static void row_of(struct gm_threshold_row *row, const char *name, double rising)
{
	gm_managed_defaults(row);
	snprintf(row->name, sizeof(row->name), "%s", name);
	snprintf(row->options.metric, sizeof(row->options.metric), "memory.used");
	row->options.rising = rising;
	row->status = GM_ROW_ACTIVE;
}

static void put(struct fixture *fixture, const struct gm_threshold_row *row)
{
	struct gm_error err = {.text = ""};

	if (gm_managed_threshold(gm_intake_managed(fixture->intake), row, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_row_is_judged_until_it_is_destroyed(void **state)
{
	struct fixture *fixture = *state;
	struct gm_threshold_row row;

	row_of(&row, "full", 80);
	snprintf(row.guest, sizeof(row.guest), "web-*");
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 0);
	put(fixture, &row);
	second(fixture, web, 95);
	second(fixture, db, 95);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 1);
	assert_string_equal(newest(fixture)->alarm.rule, "full");
	row.status = GM_ROW_DESTROY;
	put(fixture, &row);
	second(fixture, web, 95);
	/* At once: nobody would ever say that all is well, and the hold time is for those who do. */
	assert_int_equal(fixture->told.count, 2);
	assert_int_equal(newest(fixture)->kind, GM_TRANSITION_CLEAR);
	assert_int_equal(newest(fixture)->alarm.news, GM_NEWS_DISABLED);
	assert_non_null(strstr(newest(fixture)->alarm.text,
			       "threshold full (memory.used) is not looked for any more"));
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 2);
}

/* Another metric, by a change or by a row of the same name: the old one's alarm is nobody's any more. */
static void another_metric_ends_the_alarm(void **state)
{
	struct fixture *fixture = *state;
	struct gm_threshold_row row;

	row_of(&row, "full", 80);
	put(fixture, &row);
	second(fixture, web, 95);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 1);
	row.options.rising = 85; /* the same metric: it goes on */
	put(fixture, &row);
	second(fixture, web, 95);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 1);
	snprintf(row.options.metric, sizeof(row.options.metric), "memory.total");
	put(fixture, &row);
	second(fixture, web, 95);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 3);
	assert_int_equal(gm_alarms_active(fixture->told.alarms, NULL, 0), 1);
	assert_string_equal(fixture->told.log[1].alarm.metric, "memory.used");
	assert_int_equal(fixture->told.log[1].kind, GM_TRANSITION_CLEAR);
	assert_int_equal(fixture->told.log[1].alarm.news, GM_NEWS_DISABLED);
	assert_string_equal(newest(fixture)->alarm.metric, "memory.total");
	assert_int_equal(newest(fixture)->kind, GM_TRANSITION_RAISE);
}

static void falling_raises_below(void **state)
{
	struct fixture *fixture = *state;
	struct gm_threshold_row row;

	row_of(&row, "low", 30);
	row.options.raise_on = GM_EDGE_FALLING;
	row.options.falling = 10;
	row.options.severity = 3;
	put(fixture, &row);
	second(fixture, web, 10.5);
	second(fixture, web, 10.5);
	assert_int_equal(fixture->told.count, 0);
	second(fixture, web, 10);
	assert_int_equal(fixture->told.count, 1);
	assert_int_equal(newest(fixture)->alarm.severity, GM_SEVERITY_CRITICAL);
	second(fixture, web, 29);
	second(fixture, web, 9);
	assert_int_equal(fixture->told.count, 1);
}

/* What the leak detector has learned is its own: other detectors coming and going does not touch it. */
static void others_keep_what_they_know(void **state)
{
	struct fixture *fixture = *state;
	struct gm_threshold_row row;
	struct gm_entity_key key = gm_entity_guest(web);
	struct gm_error err;

	second(fixture, web, 50);
	const struct gm_tracked *guest =
		gm_entities_find(gm_intake_entities(fixture->intake), &key);
	const struct gm_detector *leak = gm_detector_set_find(guest->detectors, &gm_leak_ops);
	row_of(&row, "full", 80);
	put(fixture, &row);
	assert_int_equal(gm_managed_switch(gm_intake_managed(fixture->intake),
					   gm_intake_entities(fixture->intake), web, "anomaly",
					   GM_DETECTOR_OFF, &err),
			 0);
	second(fixture, web, 50);
	assert_ptr_equal(gm_detector_set_find(guest->detectors, &gm_leak_ops), leak);
	assert_false(gm_detector_set_has(guest->detectors, "anomaly", ""));
	assert_true(gm_detector_set_has(guest->detectors, "threshold", "full"));
}

static void a_detector_is_switched_off_for_one_guest(void **state)
{
	struct fixture *fixture = *state;
	struct gm_managed *managed = gm_intake_managed(fixture->intake);
	struct gm_threshold_row row;
	struct gm_error err;
	unsigned on;

	row_of(&row, "full", 80);
	put(fixture, &row);
	second(fixture, web, 95);
	second(fixture, db, 95);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 2);
	assert_int_equal(gm_managed_switch(managed, gm_intake_entities(fixture->intake), web,
					   "no such", GM_DETECTOR_OFF, &err),
			 -ENOENT);
	assert_int_equal(gm_managed_switch(managed, gm_intake_entities(fixture->intake), web,
					   "threshold", GM_DETECTOR_OFF, &err),
			 0);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 3);
	assert_int_equal(newest(fixture)->alarm.news, GM_NEWS_DISABLED);
	assert_memory_equal(newest(fixture)->alarm.key.uuid, web, GM_UUID_SIZE);
	assert_int_equal(gm_alarms_active(fixture->told.alarms, NULL, 0), 1);
	/* Over a restart, too; taken back, the guest is judged as the others are. */
	stop(fixture);
	start(fixture);
	managed = gm_intake_managed(fixture->intake);
	assert_int_equal(gm_managed_switched(managed, web, &on), 1U << 3);
	assert_int_equal(on, 0);
	fixture->told.count = 0;
	second(fixture, web, 95);
	second(fixture, db, 95);
	second(fixture, db, 95);
	assert_int_equal(fixture->told.count, 1);
	assert_memory_equal(newest(fixture)->alarm.key.uuid, db, GM_UUID_SIZE);
	assert_int_equal(gm_managed_switch(managed, gm_intake_entities(fixture->intake), web,
					   "threshold", GM_DETECTOR_INHERIT, &err),
			 0);
	second(fixture, web, 95);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, 2);
	assert_memory_equal(newest(fixture)->alarm.key.uuid, web, GM_UUID_SIZE);
}

/* "On" is for what the configuration has off; and a rule that a file has off stays off. */
static void a_detector_is_switched_on_for_one_guest(void **state)
{
	struct fixture *fixture = *state;
	struct gm_managed *managed = gm_intake_managed(fixture->intake);
	struct gm_threshold_row row;
	struct gm_entity_key one = gm_entity_guest(web), other = gm_entity_guest(db);
	const struct gm_entities *entities = gm_intake_entities(fixture->intake);
	struct gm_error err;

	gm_option_set(gm_leak_ops.options,
		      gm_detector_settings_get(fixture->settings, &gm_leak_ops), "enabled", "no",
		      NULL);
	row_of(&row, "off", 80);
	row.options.enabled = false;
	put(fixture, &row);
	assert_int_equal(gm_managed_switch(managed, gm_intake_entities(fixture->intake), web,
					   "leak", GM_DETECTOR_ON, &err),
			 0);
	assert_int_equal(gm_managed_switch(managed, gm_intake_entities(fixture->intake), web,
					   "threshold", GM_DETECTOR_ON, &err),
			 0);
	second(fixture, web, 95);
	assert_true(gm_detector_set_has(gm_entities_find(entities, &one)->detectors, "leak", ""));
	assert_false(
		gm_detector_set_has(gm_entities_find(entities, &other)->detectors, "leak", ""));
	assert_false(gm_detector_set_has(gm_entities_find(entities, &one)->detectors, "threshold",
					 "off"));
	assert_int_equal(gm_detector_set_enabled(gm_entities_find(entities, &one)->detectors) & 1,
			 1);
	assert_int_equal(gm_detector_set_enabled(gm_entities_find(entities, &other)->detectors) & 1,
			 0);
}

/* As an earlier version may have stored them: no manager could name such a row. */
static void put_names_that_nothing_has(struct fixture *fixture)
{
	static const char *const names[] = {
		"", "a b", "caf\xc3\xa9",
		"longer-than-any-name-of-a-rule-can-be-in-whatever-file-that-says-it"};
	struct gm_threshold_row row;
	struct gm_buffer record = GM_BUFFER_INIT(64 << 10);
	struct gm_error err;

	row_of(&row, "x", 80);
	assert_int_equal(gm_managed_to_record(&row, &record), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(gm_state_registration_put(fixture->state, "threshold", names[i],
							   record.data, &err),
				 0);
	gm_buffer_free(&record);
}

static void rows_survive_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct gm_threshold_row row, rows[4];
	struct gm_error err;

	row_of(&row, "kept", 17179869184.5);
	snprintf(row.owner, sizeof(row.owner), "ops \"☎\"");
	snprintf(row.project, sizeof(row.project), "a,b*");
	row.entities = 1U << GM_ENTITY_GUEST;
	row.options.duration = 1500 * GM_MILLISECOND;
	row.changed_at = T0;
	put(fixture, &row);
	row_of(&rows[0], "gone", 1);
	rows[0].storage = GM_STORAGE_VOLATILE;
	put(fixture, &rows[0]);
	row_of(&rows[0], "was-kept", 1);
	put(fixture, &rows[0]);
	rows[0].storage = GM_STORAGE_VOLATILE; /* no longer */
	put(fixture, &rows[0]);
	assert_int_equal(gm_state_registration_put(fixture->state, "threshold", "damaged",
						   "{\"active\":true", &err),
			 0);
	assert_int_equal(gm_state_registration_put(fixture->state, "threshold", "newer",
						   "{\"active\":true,\"options\":{\"mood\":\"x\"}}",
						   &err),
			 0);
	assert_int_equal(
		gm_state_registration_put(fixture->state, "detector", "damaged", "on", &err), 0);
	put_names_that_nothing_has(fixture);
	gm_log_set_level(GM_LOG_ERROR);
	stop(fixture);
	start(fixture);
	assert_int_equal(gm_managed_rows(gm_intake_managed(fixture->intake), rows, 4), 1);
	assert_memory_equal(&rows[0].options, &row.options, sizeof(row.options));
	assert_string_equal(rows[0].owner, row.owner);
	assert_string_equal(rows[0].project, row.project);
	assert_int_equal(rows[0].entities, row.entities);
	assert_int_equal(rows[0].status, GM_ROW_ACTIVE);
	assert_true(rows[0].changed_at == T0);
	/* What cannot be used can be destroyed. */
	row_of(&row, "damaged", 1);
	row.status = GM_ROW_DESTROY;
	put(fixture, &row);
	assert_int_equal(gm_state_registration_remove(fixture->state, "threshold", "damaged", &err),
			 -ENOENT);
	assert_int_equal(gm_state_registration_remove(fixture->state, "threshold", "newer", &err),
			 0);
}

static void what_is_wrong_with_a_row_is_said(void **state)
{
	static const struct {
		const char *key, *value, *why;
	} wrong[] = {
		{"metric", "no.such", "metric: "},   {"rising", "none", "metric: the rule has no"},
		{"falling", "90", "falling: "},      {"raise-on", "falling", "raise-on: "},
		{"warning-max", "1", "rising: not"}, {"hysteresis", "-1", "hysteresis: "},
	};
	struct gm_threshold_row row;
	struct gm_error err;

	(void)state;
	row_of(&row, "x", 80);
	assert_int_equal(gm_managed_check(&row, &err), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		row_of(&row, "x", 80);
		gm_option_set(gm_threshold_ops.options, &row.options, wrong[i].key, wrong[i].value,
			      NULL);
		assert_int_equal(gm_managed_check(&row, &err), -EINVAL);
		if (strncmp(err.text, wrong[i].why, strlen(wrong[i].why)) != 0)
			fail_msg("%s: %s", wrong[i].key, err.text);
	}
	row_of(&row, "x", 80);
	row.options.hits = 0;
	assert_int_equal(gm_managed_check(&row, &err), -EINVAL);
	row_of(&row, "x", 80);
	row.entities = 1U << GM_ENTITY_DISK;
	assert_int_equal(gm_managed_check(&row, &err), -EINVAL);
}

/* Kinds of every number that a row may have. */
static void all_kinds_are_described(void **state)
{
	struct gm_threshold_row row;
	char text[512];

	(void)state;
	row_of(&row, "x", 80);
	row.entities = (1U << GM_ENTITY_KINDS) - 1;
	gm_managed_describe(&row, text, sizeof(text));
	assert_non_null(strstr(text, ", of every process, of every core, of every numa"));
	row.entities = 1U << GM_ENTITY_CORE;
	gm_managed_describe(&row, text, sizeof(text));
	assert_non_null(strstr(text, "of every core"));
	assert_null(strstr(text, "of every process"));
}

/* A thousand changes leave no more options behind than one does. */
static void there_is_a_bound(void **state)
{
	struct fixture *fixture = *state;
	struct gm_managed *managed = gm_intake_managed(fixture->intake);
	struct gm_threshold_row row;
	struct gm_error err;

	for (int i = 0; i < 1000; i++) {
		row_of(&row, "busy", 80 + i);
		row.storage = GM_STORAGE_VOLATILE;
		put(fixture, &row);
		assert_int_equal(gm_managed_install(managed, fixture->settings), 0);
		gm_entities_renew_detectors(gm_intake_entities(fixture->intake), fixture->settings);
	}
	row_of(&row, "busy", 1);
	row.status = GM_ROW_DESTROY;
	put(fixture, &row);
	for (int i = 0; i < GM_THRESHOLDS_MAX; i++) {
		row_of(&row, "", 80);
		snprintf(row.name, sizeof(row.name), "row-%d", i);
		put(fixture, &row);
	}
	row_of(&row, "more", 80);
	assert_int_equal(gm_managed_threshold(managed, &row, &err), -ENOSPC);
	second(fixture, web, 95);
	second(fixture, web, 95);
	assert_int_equal(fixture->told.count, GM_THRESHOLDS_MAX);
}

/* So many detectors of guests that nobody has ever seen are off. */
static void switch_strangers(struct fixture *fixture, size_t count)
{
	struct gm_managed *managed = gm_intake_managed(fixture->intake);
	struct gm_error err = {.text = ""};

	for (size_t i = 0; i < count; i++) {
		const uint8_t uuid[GM_UUID_SIZE] = {9, (uint8_t)(i >> 8), (uint8_t)i};

		if (gm_managed_switch(managed, gm_intake_entities(fixture->intake), uuid, "burst",
				      GM_DETECTOR_OFF, &err) < 0)
			fail_msg("%s", err.text);
	}
}

/* Guests come and go; what was said of those that are gone does not keep others from being switched. */
static void who_is_gone_makes_room(void **state)
{
	struct fixture *fixture = *state;
	struct gm_managed *managed = gm_intake_managed(fixture->intake);
	struct gm_entities *entities = gm_intake_entities(fixture->intake);
	const uint8_t oldest[GM_UUID_SIZE] = {9}, next[GM_UUID_SIZE] = {9, 0, 1};
	struct gm_error err;
	unsigned on;

	assert_int_equal(gm_managed_switch(managed, entities, web, "leak", GM_DETECTOR_OFF, &err),
			 0);
	switch_strangers(fixture, GM_SWITCHES_MAX - 1);
	assert_int_equal(gm_managed_switches(managed, entities), 1);
	/* What is there can be changed, and taken back what is not. */
	assert_int_equal(gm_managed_switch(managed, entities, web, "leak", GM_DETECTOR_ON, &err),
			 0);
	assert_int_equal(
		gm_managed_switch(managed, entities, db, "leak", GM_DETECTOR_INHERIT, &err), 0);
	assert_true(gm_managed_switched(managed, oldest, &on) != 0);
	assert_int_equal(gm_managed_switch(managed, entities, db, "leak", GM_DETECTOR_OFF, &err),
			 0);
	for (int life = 0; life < 2; life++) { /* over a restart, too */
		assert_int_equal(gm_managed_switched(managed, oldest, &on), 0);
		assert_true(gm_managed_switched(managed, next, &on) != 0);
		assert_int_equal(gm_managed_switched(managed, db, &on), 1);
		assert_int_equal(gm_managed_switched(managed, web, &on), 1);
		assert_int_equal(on, 1);
		stop(fixture);
		start(fixture);
		managed = gm_intake_managed(fixture->intake);
	}
}

/* Where all of them are known, that is the bound. */
static void who_is_known_does_not(void **state)
{
	struct fixture *fixture = *state;
	struct gm_managed *managed = gm_intake_managed(fixture->intake);
	struct gm_entities *entities = gm_intake_entities(fixture->intake);
	struct gm_error err;

	switch_strangers(fixture, GM_SWITCHES_MAX);
	for (size_t i = 0; i < GM_SWITCHES_MAX; i++) {
		const uint8_t uuid[GM_UUID_SIZE] = {9, (uint8_t)(i >> 8), (uint8_t)i};

		tell_guest(fixture->intake, uuid, "stranger");
	}
	assert_int_equal(gm_managed_switches(managed, entities), GM_SWITCHES_MAX);
	assert_int_equal(gm_managed_switch(managed, entities, web, "leak", GM_DETECTOR_OFF, &err),
			 -ENOSPC);
	assert_int_equal(gm_managed_switches(managed, entities), GM_SWITCHES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_is_judged_until_it_is_destroyed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_metric_ends_the_alarm, setup, teardown),
		cmocka_unit_test_setup_teardown(falling_raises_below, setup, teardown),
		cmocka_unit_test_setup_teardown(others_keep_what_they_know, setup, teardown),
		cmocka_unit_test_setup_teardown(a_detector_is_switched_off_for_one_guest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_detector_is_switched_on_for_one_guest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rows_survive_a_restart, setup, teardown),
		cmocka_unit_test(what_is_wrong_with_a_row_is_said),
		cmocka_unit_test(all_kinds_are_described),
		cmocka_unit_test_setup_teardown(there_is_a_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_gone_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_known_does_not, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
