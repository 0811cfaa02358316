/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raise limit's summary: who is held back, what becomes of them, and that its figures add up.
 */
#include <time.h>

#include "fixture.h"

#define S GM_SECOND

static struct gm_finding burst_of(unsigned guest, int64_t time)
{
	struct gm_finding made = finding(guest, true, time);

	snprintf(made.detector, sizeof(made.detector), "burst");
	return made;
}

/* The figures of the summary that was told last. */
static void expect_held(struct fixture *f, double held, double waiting, double raised, double ended)
{
	const struct gm_evidence *evidence = &newest(f)->evidence;

	assert_true(evidence->number[GM_EVIDENCE_HELD] == held);
	assert_true(evidence->number[GM_EVIDENCE_HELD_WAITING] == waiting);
	assert_true(evidence->number[GM_EVIDENCE_HELD_RAISED] == raised);
	assert_true(evidence->number[GM_EVIDENCE_HELD_ENDED] == ended);
}

static void test_storm(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.raise_limit = 100;
	open_engine(f, &options);
	for (unsigned i = 0; i < 400; i++) {
		tell(f, burst_of(i, T0 + i * GM_MILLISECOND));
		tell(f, finding(i, true, T0 + i * GM_MILLISECOND));
	}
	assert_int_equal(f->count, 100);
	assert_int_equal(gm_alarms_limited(f->alarms), 700);
	gm_alarms_tick(f->alarms, T0 + 1 * S);
	expect_last(f, 101, GM_TRANSITION_RAISE, T0 + 1 * S);
	assert_string_equal(newest(f)->detector, "self");
	assert_string_equal(newest(f)->metric, "alarmStorm");
	assert_true(newest(f)->evidence.number[GM_EVIDENCE_VALUE] == 700);
	assert_true(newest(f)->evidence.number[GM_EVIDENCE_LIMIT] == 100);
	assert_string_equal(newest(f)->evidence.contributors, "burst 350,leak 350");
	expect_held(f, 700, 700, 0, 0);
	assert_non_null(strstr(newest(f)->text, "700 alarms wait"));

	for (unsigned i = 0; i < 300; i++) { /* over while they wait */
		struct gm_finding ok = burst_of(i + 100, T0 + 2 * S);
		ok.active = false;
		tell(f, ok);
	}
	int64_t now = T0 + 2 * S;
	size_t raises = 100, summaries = 0;
	for (; gm_alarms_counts(f->alarms).crowded > 0 && now < T0 + 3600 * S; now += S)
		gm_alarms_tick(f->alarms, now);
	gm_alarms_tick(f->alarms, now + 10 * S);
	gm_alarms_tick(f->alarms, now + 20 * S);
	for (size_t i = 100; i < f->count; i++) {
		bool self = strcmp(f->log[i].alarm.detector, "self") == 0;
		raises += !self && f->log[i].kind == GM_TRANSITION_RAISE;
		summaries += self;
	}
	assert_int_equal(raises, 500); /* 100, and the 400 that still hold, each once */
	assert_true(summaries >= 3 && summaries <= 10); /* raise, once a minute, clear */
	assert_int_equal(f->log[f->count - 1].kind, GM_TRANSITION_CLEAR);
	assert_string_equal(newest(f)->detector, "self");
	assert_true(newest(f)->evidence.number[GM_EVIDENCE_VALUE] == 700);
	expect_held(f, 700, 0, 400, 300);
	assert_non_null(strstr(newest(f)->text, "700 had to: 400 are raised now, 300 were over"));
	assert_int_equal(gm_alarms_limited(f->alarms), 700); /* counted once each */
}

/* Waves that follow each other are one storm, counted whole; the next one counts anew. */
static void test_waves_are_one_storm(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;
	int64_t now = T0;

	options.raise_limit = 10;
	open_engine(f, &options);
	for (unsigned wave = 0; wave < 3; wave++) {
		/* The third comes when the storm is over, and within the minute of the limit. */
		now += wave == 2 ? 10 * S : 2 * S;
		for (unsigned i = 0; i < 20; i++)
			tell(f, finding(20 * wave + i, true, now));
		gm_alarms_tick(f->alarms, now);
		if (wave != 1)
			assert_string_equal(newest(f)->metric, "alarmStorm");
		if (wave == 0)
			expect_held(f, 10, 10, 0, 0);
		if (wave == 2)
			expect_held(f, 20, 20, 0, 0);
		for (unsigned i = 0; i < 20; i++)
			tell(f, finding(20 * wave + i, false, now + S));
		gm_alarms_tick(f->alarms, now + S);
		if (wave == 1) {
			while (newest(f)->cleared_at == 0 || !gm_alarm_is_storm(newest(f)))
				gm_alarms_tick(f->alarms, now += S);
			expect_held(f, 30, 0, 0, 30);
		}
	}
}

/* What is held back, and then by maintenance, is over for the storm: its figures always add up. */
static void test_storm_with_maintenance(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;
	int silent[10] = {0};
	const struct gm_alarm_judge judge = {.suppression = suppressed_guest, .user = silent};

	options.raise_limit = 2;
	open_engine(f, &options);
	gm_alarms_set_judge(f->alarms, &judge);
	for (unsigned i = 0; i < 10; i++)
		tell(f, finding(i, true, T0));
	gm_alarms_tick(f->alarms, T0 + S);
	expect_held(f, 8, 8, 0, 0);
	for (unsigned i = 2; i < 6; i++)
		silent[i] = i < 4 ? GM_SUPPRESSION_MAINTENANCE : GM_SUPPRESSION_SUSPENDED;
	gm_alarms_reassess(f->alarms, T0 + 2 * S);
	tell(f, finding(3, false, T0 + 3 * S)); /* over while it is silent: not for the limit */
	gm_alarms_tick(f->alarms, T0 + 61 * S); /* raises two of the four others */
	gm_alarms_tick(f->alarms, T0 + 62 * S);
	expect_held(f, 8, 2, 2, 4);
	assert_int_equal(gm_alarms_counts(f->alarms).limited_ended, 4);
	memset(silent, 0, sizeof(silent));
	gm_alarms_reassess(f->alarms, T0 + 70 * S);
	tell(f, finding(4, true, T0 + 70 * S)); /* it still holds; guest 5 says nothing yet */
	gm_alarms_tick(f->alarms, T0 + 70 * S);
	const struct gm_alarms_counts counts = gm_alarms_counts(f->alarms);
	assert_int_equal(counts.limited, 10); /* guests 2 and 4, held back once more */
	assert_int_equal(counts.limited,
			 counts.crowded + counts.limited_raised + counts.limited_ended);
	int64_t now = T0 + 70 * S;
	for (; now < T0 + 400 * S; now += S)
		gm_alarms_tick(f->alarms, now);
	assert_string_equal(newest(f)->metric, "alarmStorm");
	assert_int_equal(f->log[f->count - 1].kind, GM_TRANSITION_CLEAR);
	expect_held(f, 10, 0, 6, 4);
}

/* A summary that was active before a restart ends when nothing waits. */
static void test_storm_over_a_restart(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.raise_limit = 1;
	open_engine(f, &options);
	tell(f, finding(1, true, T0));
	tell(f, finding(2, true, T0));
	gm_alarms_tick(f->alarms, T0 + 1 * S);
	struct gm_alarm kept = *newest(f);
	assert_string_equal(kept.metric, "alarmStorm");
	open_engine(f, &options);
	assert_int_equal(gm_alarms_restore(f->alarms, &kept), 0);
	gm_alarms_tick(f->alarms, T0 + 10 * S);
	gm_alarms_tick(f->alarms, T0 + 20 * S);
	expect_last(f, 1, GM_TRANSITION_CLEAR, T0 + 13 * S);
	assert_true(newest(f)->evidence.number[GM_EVIDENCE_HELD_WAITING] == 0);
}

static double cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Who goes is not looked for among all others: that would be 200 million looks, and seconds. */
static void test_many_go_while_many_wait(void **state)
{
	enum { WAIT = 20000, GO = 10000, LEAST = 40000 };
	struct fixture *f = *state;
	struct gm_alarm_options options = plain;

	options.raise_limit = 1;
	open_engine(f, &options);
	for (unsigned i = 0; i < WAIT; i++) {
		tell(f, finding(i, true, T0));
	}
	assert_int_equal(gm_alarms_counts(f->alarms).waiting, WAIT - 1);
	double before = cpu();
	for (unsigned i = 0; i < GO; i++) {
		const struct gm_entity_key absent = key_of(LEAST + i);

		gm_alarms_gone(f->alarms, &absent, T0 + 1 * S);
	}
	assert_true(cpu() - before < 1);
	assert_int_equal(gm_alarms_counts(f->alarms).waiting, WAIT - 1);
	for (unsigned i = 0; i < WAIT; i++) {
		const struct gm_entity_key key = key_of(i);

		gm_alarms_gone(f->alarms, &key, T0 + 1 * S);
	}
	assert_int_equal(gm_alarms_counts(f->alarms).waiting, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_storm),
		TEST(test_waves_are_one_storm),
		TEST(test_storm_with_maintenance),
		TEST(test_storm_over_a_restart),
		TEST(test_many_go_while_many_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
