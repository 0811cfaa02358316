/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a raise from being told, and for how long: soak time, hold-off, flapping, suppression; and
 * latching. The raise limit with its summary is storm.c's.
 */
#include <errno.h>

#include "fixture.h"

#define S GM_SECOND

static void test_soak(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.soak = 10 * S;
	open_engine(f, &options);
	tell(f, finding(1, true, T0));
	gm_alarms_tick(f->alarms, T0 + 9 * S);
	tell(f, finding(1, false, T0 + 9 * S)); /* too short */
	assert_int_equal(f->count, 0);
	assert_int_equal(gm_alarms_counts(f->alarms).soaked, 1);

	tell(f, finding(1, true, T0 + 20 * S));
	tell(f, finding(1, true, T0 + 25 * S));
	assert_int_equal(gm_alarms_counts(f->alarms).waiting, 1);
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 0);
	gm_alarms_tick(f->alarms, T0 + 42 * S);
	expect_last(f, 1, GM_TRANSITION_RAISE, T0 + 30 * S); /* not the tick's time */
	assert_int_equal(newest(f)->raised_at, T0 + 30 * S);

	/* Its end is seen before any tick: it had held long enough. */
	tell(f, finding(2, true, T0 + 50 * S));
	tell(f, finding(2, false, T0 + 70 * S));
	expect_last(f, 2, GM_TRANSITION_RAISE, T0 + 60 * S);
	gm_alarms_tick(f->alarms, T0 + 80 * S);
	expect_last(f, 3, GM_TRANSITION_CLEAR, T0 + 73 * S);

	/* Gone within the time: nothing was told, so nothing is cleared. */
	const struct gm_entity_key gone = key_of(3);
	tell(f, finding(3, true, T0 + 80 * S));
	gm_alarms_gone(f->alarms, &gone, T0 + 81 * S);
	gm_alarms_tick(f->alarms, T0 + 200 * S);
	assert_int_equal(f->count, 3);
}

static void test_soak_with_the_newest_figures(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;
	struct gm_finding worse = finding(1, true, T0 + 5 * S);

	options.soak = 10 * S;
	open_engine(f, &options);
	tell(f, finding(1, true, T0));
	worse.severity = GM_SEVERITY_CRITICAL;
	gm_evidence_set(&worse.evidence, GM_EVIDENCE_SLOPE, 77);
	tell(f, worse);
	gm_alarms_tick(f->alarms, T0 + 10 * S);
	expect_last(f, 1, GM_TRANSITION_RAISE, T0 + 10 * S);
	assert_int_equal(newest(f)->severity, GM_SEVERITY_CRITICAL);
	assert_true(newest(f)->evidence.number[GM_EVIDENCE_SLOPE] == 77);

	/* Set back by an hour, the clock does not keep what waits for an hour. */
	tell(f, finding(2, true, T0 + 100 * S));
	gm_alarms_tick(f->alarms, T0 - 3600 * S);
	gm_alarms_tick(f->alarms, T0 - 3589 * S);
	assert_int_equal(f->count, 2);
}

static void test_hold_off(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.hold_off = 60 * S;
	open_engine(f, &options);
	tell(f, finding(1, true, T0));
	expect_last(f, 1, GM_TRANSITION_RAISE, T0); /* the first is told at once */
	tell(f, finding(1, false, T0 + 1 * S));
	gm_alarms_tick(f->alarms, T0 + 5 * S);
	expect_last(f, 2, GM_TRANSITION_CLEAR, T0 + 4 * S);
	tell(f, finding(1, true, T0 + 10 * S));
	tell(f, finding(1, false, T0 + 20 * S));
	gm_alarms_tick(f->alarms, T0 + 30 * S);
	assert_int_equal(f->count, 2);
	tell(f, finding(1, true, T0 + 40 * S));
	gm_alarms_tick(f->alarms, T0 + 63 * S);
	assert_int_equal(f->count, 2);
	gm_alarms_tick(f->alarms, T0 + 65 * S);
	expect_last(f, 3, GM_TRANSITION_RAISE, T0 + 64 * S); /* the clear and a minute */
	assert_int_equal(gm_alarms_counts(f->alarms).soaked, 1);
}

/* On and off once a second, `times` times; returns the time of the last off. */
static int64_t flap(struct fixture *f, int64_t from, int times)
{
	for (int i = 0; i < times; i++) {
		tell(f, finding(1, true, from + 10 * i * S));
		gm_alarms_tick(f->alarms, from + (10 * i + 1) * S);
		tell(f, finding(1, false, from + (10 * i + 2) * S));
		gm_alarms_tick(f->alarms, from + (10 * i + 8) * S);
	}
	return from + (10 * (times - 1) + 2) * S;
}

static void test_flapping(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.flap_raises = 5;
	open_engine(f, &options);
	int64_t last = flap(f, T0, 50);
	assert_int_equal(f->count, 4 * 2 + 1); /* four told in full, the fifth stays */
	assert_int_equal(newest(f)->flaps, 5);
	assert_non_null(strstr(newest(f)->text, "flapping: 5"));
	assert_int_equal(gm_alarms_counts(f->alarms).flapping, 1);

	struct gm_finding worse = finding(1, true, last + 10 * S);
	worse.report = true; /* figures alone are not told any more */
	tell(f, worse);
	assert_int_equal(f->count, 9);
	worse.severity = GM_SEVERITY_MAJOR; /* but that is */
	tell(f, worse);
	expect_last(f, 10, GM_TRANSITION_CHANGE, worse.time);
	assert_int_equal(newest(f)->flaps, 51); /* how often it was there */

	tell(f, finding(1, false, last + 20 * S));
	gm_alarms_tick(f->alarms, last + 319 * S);
	assert_int_equal(f->count, 10);
	gm_alarms_tick(f->alarms, last + 321 * S);
	expect_last(f, 11, GM_TRANSITION_CLEAR, last + 320 * S);
	/* It was calm: it is not flapping at its next raise. */
	tell(f, finding(1, true, last + 330 * S));
	assert_int_equal(newest(f)->flaps, 0);
}

static void test_slow_raises_do_not_flap(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.flap_raises = 5;
	open_engine(f, &options);
	for (int i = 0; i < 30; i++) { /* 4 within any 10 minutes */
		tell(f, finding(1, true, T0 + 160 * i * S));
		tell(f, finding(1, false, T0 + (160 * i + 2) * S));
		gm_alarms_tick(f->alarms, T0 + (160 * i + 100) * S);
	}
	assert_int_equal(f->count, 60);
	assert_int_equal(gm_alarms_counts(f->alarms).flapping, 0);
}

static void test_what_is_remembered_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.flap_raises = 2;
	options.flap_window = 60 * S;
	open_engine(f, &options);
	for (unsigned i = 0; i < 1000; i++) {
		tell(f, finding(i, true, T0));
		tell(f, finding(i, false, T0 + 1));
	}
	gm_alarms_tick(f->alarms, T0 + 30 * S);
	tell(f, finding(7, true, T0 + 40 * S));
	assert_int_equal(newest(f)->flaps, 2);
	/* Without a window that still runs, two raises are not flapping. */
	gm_alarms_tick(f->alarms, T0 + 100 * S);
	tell(f, finding(8, true, T0 + 101 * S));
	assert_int_equal(newest(f)->flaps, 0);
}

static void test_latch(void **state)
{
	struct fixture *f = *state;
	const struct gm_alarm_note note = {.author = "anna", .text = "seen", .time = T0 + 60 * S};
	struct gm_alarm_options options = plain;
	struct gm_error err;

	options.latch = true;
	open_engine(f, &options);
	tell(f, finding(1, true, T0));
	tell(f, finding(1, false, T0 + 1 * S));
	gm_alarms_tick(f->alarms, T0 + 10 * S);
	expect_last(f, 2, GM_TRANSITION_CHANGE, T0 + 4 * S);
	assert_int_equal(newest(f)->news, GM_NEWS_LATCHED);
	assert_int_equal(newest(f)->ended_at, T0 + 4 * S);
	assert_int_equal(newest(f)->cleared_at, 0);
	assert_non_null(strstr(newest(f)->text, "to be acknowledged"));
	gm_alarms_tick(f->alarms, T0 + 10000 * S);
	assert_int_equal(f->count, 2);

	/* Kept over a restart. */
	struct gm_alarm kept = *newest(f);
	open_engine(f, &options);
	assert_int_equal(gm_alarms_restore(f->alarms, &kept), 0);
	gm_alarms_tick(f->alarms, T0 + 20 * S);
	tell(f, finding(1, true, T0 + 30 * S)); /* back: told, as the same alarm */
	expect_last(f, 1, GM_TRANSITION_CHANGE, T0 + 30 * S);
	assert_int_equal(newest(f)->ended_at, 0);
	assert_int_equal(newest(f)->id, kept.id);
	tell(f, finding(1, false, T0 + 40 * S));
	gm_alarms_tick(f->alarms, T0 + 50 * S);
	expect_last(f, 2, GM_TRANSITION_CHANGE, T0 + 43 * S);

	assert_int_equal(gm_alarms_acknowledge(f->alarms, kept.id, &note, &err), 0);
	expect_last(f, 3, GM_TRANSITION_CLEAR, T0 + 60 * S);
	assert_string_equal(newest(f)->acknowledged_by, "anna");
	assert_string_equal(newest(f)->comment, "seen");
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 0);
}

static void test_latch_of_what_is_acknowledged(void **state)
{
	struct fixture *f = *state;
	const struct gm_alarm_note note = {.author = "anna", .time = T0 + 1 * S};
	const struct gm_entity_key gone = key_of(2);
	struct gm_alarm_options options = plain;

	options.latch = true;
	open_engine(f, &options);
	tell(f, finding(1, true, T0));
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 1, &note, NULL), 0);
	tell(f, finding(1, false, T0 + 2 * S));
	gm_alarms_tick(f->alarms, T0 + 10 * S);
	expect_last(f, 3, GM_TRANSITION_CLEAR, T0 + 5 * S);

	tell(f, finding(2, true, T0 + 20 * S));
	tell(f, finding(2, false, T0 + 21 * S));
	gm_alarms_tick(f->alarms, T0 + 30 * S);
	gm_alarms_gone(f->alarms, &gone, T0 + 40 * S); /* nobody can look at it any more */
	expect_last(f, 6, GM_TRANSITION_CLEAR, T0 + 40 * S);
}

/* ---- suppression ---- */

static void test_maintenance(void **state)
{
	struct fixture *f = *state;
	int silent[4] = {0};
	const struct gm_alarm_judge judge = {.suppression = suppressed_guest, .user = silent};
	struct gm_finding worse = finding(1, true, T0 + 20 * S);

	open_engine(f, &plain);
	gm_alarms_set_judge(f->alarms, &judge);
	tell(f, finding(1, true, T0));
	silent[1] = silent[2] = silent[3] = GM_SUPPRESSION_MAINTENANCE;
	gm_alarms_reassess(f->alarms, T0 + 10 * S);
	expect_last(f, 2, GM_TRANSITION_CHANGE, T0 + 10 * S); /* what is active is marked */
	assert_int_equal(newest(f)->news, GM_NEWS_SUPPRESSED);
	assert_int_equal(newest(f)->suppressed, GM_SUPPRESSION_MAINTENANCE);
	gm_alarms_reassess(f->alarms, T0 + 11 * S);
	assert_int_equal(f->count, 2);

	worse.severity = GM_SEVERITY_CRITICAL;
	tell(f, worse);
	tell(f, finding(2, true, T0 + 20 * S)); /* lasts longer than the maintenance */
	tell(f, finding(3, true, T0 + 20 * S)); /* comes and goes */
	tell(f, finding(3, false, T0 + 30 * S));
	gm_alarms_tick(f->alarms, T0 + 40 * S);
	assert_int_equal(f->count, 2);
	assert_int_equal(gm_alarms_counts(f->alarms).silenced, 1);
	assert_int_equal(gm_alarms_counts(f->alarms).waiting, 1);

	silent[1] = silent[2] = silent[3] = 0;
	gm_alarms_reassess(f->alarms, T0 + 50 * S);
	expect_last(f, 3, GM_TRANSITION_CHANGE, T0 + 50 * S);
	assert_int_equal(newest(f)->news, GM_NEWS_RELEASED);
	assert_int_equal(newest(f)->severity, GM_SEVERITY_CRITICAL); /* as it is now */
	gm_alarms_tick(f->alarms, T0 + 50 * S);
	expect_last(f, 4, GM_TRANSITION_RAISE, T0 + 50 * S); /* what still holds */
	assert_memory_equal(&newest(f)->key, &(struct gm_entity_key[]){key_of(2)}[0],
			    sizeof(struct gm_entity_key));
	gm_alarms_tick(f->alarms, T0 + 100 * S);
	assert_int_equal(f->count, 4);
}

static void test_clear_within_maintenance(void **state)
{
	struct fixture *f = *state;
	int silent[4] = {0};
	const struct gm_alarm_judge judge = {.suppression = suppressed_guest, .user = silent};

	open_engine(f, &plain);
	gm_alarms_set_judge(f->alarms, &judge);
	tell(f, finding(1, true, T0));
	silent[1] = GM_SUPPRESSION_MAINTENANCE;
	gm_alarms_reassess(f->alarms, T0 + 1 * S);
	tell(f, finding(1, false, T0 + 2 * S));
	gm_alarms_tick(f->alarms, T0 + 10 * S);
	expect_last(f, 3, GM_TRANSITION_CLEAR, T0 + 5 * S); /* raise and clear are always paired */
	silent[1] = -1;                                     /* not known: as before */
	tell(f, finding(1, true, T0 + 20 * S));
	expect_last(f, 4, GM_TRANSITION_RAISE, T0 + 20 * S);
	gm_alarms_reassess(f->alarms, T0 + 21 * S);
	assert_int_equal(f->count, 4);
}

/* What was known of a guest before it was suspended is old when it runs again. */
static void test_suspended(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;
	int silent[4] = {0};
	const struct gm_alarm_judge judge = {.suppression = suppressed_guest, .user = silent};

	options.soak = 5 * S;
	open_engine(f, &options);
	gm_alarms_set_judge(f->alarms, &judge);
	tell(f, finding(1, true, T0));
	tell(f, finding(2, true, T0));
	silent[1] = silent[2] = GM_SUPPRESSION_SUSPENDED;
	gm_alarms_reassess(f->alarms, T0 + 1 * S);
	gm_alarms_tick(f->alarms, T0 + 100 * S);
	silent[1] = silent[2] = 0;
	gm_alarms_reassess(f->alarms, T0 + 100 * S);
	gm_alarms_tick(f->alarms, T0 + 101 * S);
	assert_int_equal(f->count, 0);
	tell(f, finding(1, true, T0 + 102 * S)); /* it still holds */
	tell(f, finding(2, false, T0 + 102 * S));
	gm_alarms_tick(f->alarms, T0 + 103 * S);
	assert_int_equal(f->count, 1);
	assert_true(newest(f)->raised_at >= T0 + 100 * S);
}

static bool is_odd(void *user, const struct gm_alarm *alarm)
{
	(void)user;
	return alarm->key.uuid[1] % 2;
}

/* What waits and has lost its owner is let go, whatever gate it waits at; what is raised stays. */
static void test_drop(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.raise_limit = 2;
	open_engine(f, &options);
	for (unsigned i = 0; i < 10; i++)
		tell(f, finding(i, true, T0));
	options.soak = 10 * S;
	gm_alarms_configure(f->alarms, &options);
	for (unsigned i = 10; i < 20; i++)
		tell(f, finding(i, true, T0));
	assert_int_equal(gm_alarms_counts(f->alarms).waiting, 18);
	assert_int_equal(gm_alarms_drop(f->alarms, T0 + S, is_odd, NULL), 4 + 5);
	assert_int_equal(gm_alarms_counts(f->alarms).waiting, 9);
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 2);
	assert_int_equal(f->count, 2);
}

/* Options for some: here the odd guests soak. */
static void settle_odd(void *user, const struct gm_alarm *alarm, struct gm_alarm_options *options)
{
	(void)user;
	if (alarm->key.uuid[1] % 2)
		options->soak = 10 * S;
	options->raise_limit = 1; /* node-wide: not taken */
}

static void test_options_for_some(void **state)
{
	struct fixture *f = *state;
	const struct gm_alarm_judge judge = {.settle = settle_odd};

	open_engine(f, &plain);
	gm_alarms_set_judge(f->alarms, &judge);
	for (unsigned i = 0; i < 10; i++)
		tell(f, finding(i, true, T0));
	assert_int_equal(f->count, 5);
	gm_alarms_tick(f->alarms, T0 + 10 * S);
	assert_int_equal(f->count, 10);
	/* Other options hold at once, also for what waits. */
	struct gm_alarm_options longer = plain;
	longer.soak = 20 * S;
	tell(f, finding(21, true, T0 + 20 * S));
	gm_alarms_set_judge(f->alarms, &(struct gm_alarm_judge){0});
	gm_alarms_configure(f->alarms, &longer);
	gm_alarms_tick(f->alarms, T0 + 39 * S);
	assert_int_equal(f->count, 10);
	gm_alarms_tick(f->alarms, T0 + 41 * S);
	expect_last(f, 11, GM_TRANSITION_RAISE, T0 + 40 * S);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_soak),
		TEST(test_soak_with_the_newest_figures),
		TEST(test_hold_off),
		TEST(test_flapping),
		TEST(test_slow_raises_do_not_flap),
		TEST(test_what_is_remembered_is_forgotten),
		TEST(test_latch),
		TEST(test_latch_of_what_is_acknowledged),
		TEST(test_maintenance),
		TEST(test_clear_within_maintenance),
		TEST(test_suspended),
		TEST(test_drop),
		TEST(test_options_for_some),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
