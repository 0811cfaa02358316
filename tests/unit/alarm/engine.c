/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm engine against its table: every transition, hold time, raise limit, restore and gone.
 */
#include <errno.h>

#include "fixture.h"

static void test_raise_and_clear(void **state)
{
	struct fixture *f = *state;
	struct gm_finding what = finding(1, true, T0);

	gm_evidence_set(&what.evidence, GM_EVIDENCE_SLOPE, 1048576);
	tell(f, finding(1, false, T0 - GM_SECOND)); /* ok of what never was: nothing */
	assert_int_equal(f->count, 0);
	tell(f, what);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->log[0].kind, GM_TRANSITION_RAISE);
	assert_int_equal(f->log[0].time, T0);
	assert_int_equal(f->log[0].alarm.id, 1);
	assert_int_equal(f->log[0].alarm.raised_at, T0);
	assert_int_equal(f->log[0].alarm.changed_at, T0);
	assert_int_equal(f->log[0].alarm.cleared_at, 0);
	assert_int_equal(f->log[0].alarm.guest_index, 7);
	assert_string_equal(f->log[0].alarm.detector, "leak");
	assert_non_null(strstr(f->log[0].alarm.text, "web-1"));

	tell(f, finding(1, false, T0 + GM_SECOND));
	gm_alarms_tick(f->alarms, T0 + 3 * GM_SECOND);
	assert_int_equal(f->count, 1); /* held */
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 1);
	gm_alarms_tick(f->alarms, T0 + 5 * GM_SECOND);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->log[1].kind, GM_TRANSITION_CLEAR);
	assert_int_equal(f->log[1].time, T0 + 4 * GM_SECOND); /* ok + hold, not the tick's */
	assert_int_equal(f->log[1].alarm.cleared_at, T0 + 4 * GM_SECOND);
	assert_int_equal(f->log[1].alarm.id, 1);
	assert_int_equal(f->log[1].alarm.severity, GM_SEVERITY_WARNING);
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 0);

	tell(f, finding(1, true, T0 + 6 * GM_SECOND));
	assert_int_equal(f->log[2].kind, GM_TRANSITION_RAISE);
	assert_int_equal(f->log[2].alarm.id, 2);
}

static void test_change_only_for_severity_or_report(void **state)
{
	struct fixture *f = *state;
	struct gm_finding what = finding(1, true, T0);

	tell(f, what);
	for (int i = 1; i < 10; i++) {
		what.time = T0 + i * GM_SECOND;
		gm_evidence_set(&what.evidence, GM_EVIDENCE_SLOPE, i);
		tell(f, what);
	}
	assert_int_equal(f->count, 1);
	const struct gm_alarm *alarm =
		gm_alarms_find(f->alarms, &what.key, "leak", "memory.used", "");
	assert_non_null(alarm);
	assert_true(alarm->evidence.number[GM_EVIDENCE_SLOPE] == 9); /* kept up to date */
	assert_int_equal(alarm->changed_at, T0);

	what.severity = GM_SEVERITY_CRITICAL;
	what.cause = GM_CAUSE_OUT_OF_MEMORY;
	what.time = T0 + 20 * GM_SECOND;
	tell(f, what);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->log[1].kind, GM_TRANSITION_CHANGE);
	assert_int_equal(f->log[1].alarm.severity, GM_SEVERITY_CRITICAL);
	assert_int_equal(f->log[1].alarm.cause, GM_CAUSE_OUT_OF_MEMORY);
	assert_int_equal(f->log[1].alarm.changed_at, what.time);
	assert_int_equal(f->log[1].alarm.raised_at, T0);

	what.report = true;
	what.time += GM_SECOND;
	tell(f, what);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->log[2].kind, GM_TRANSITION_CHANGE);
	assert_int_equal(f->described, 2); /* when it began, and when it was raised */
}

static void test_interrupted_hold_is_one_alarm(void **state)
{
	struct fixture *f = *state;
	struct gm_finding worse = finding(1, true, T0 + 9 * GM_SECOND);

	for (int i = 0; i < 4; i++) {
		tell(f, finding(1, true, T0 + 2 * i * GM_SECOND));
		tell(f, finding(1, false, T0 + (2 * i + 1) * GM_SECOND));
		gm_alarms_tick(f->alarms, T0 + (2 * i + 1) * GM_SECOND);
	}
	assert_int_equal(f->count, 1);
	worse.severity = GM_SEVERITY_MAJOR;
	tell(f, worse); /* out of the hold with another severity */
	assert_int_equal(f->count, 2);
	assert_int_equal(f->log[1].kind, GM_TRANSITION_CHANGE);
	gm_alarms_tick(f->alarms, T0 + 100 * GM_SECOND);
	assert_int_equal(f->count, 2); /* active again: time alone does not clear */
}

static void test_repeated_ok_does_not_prolong(void **state)
{
	struct fixture *f = *state;

	tell(f, finding(1, true, T0));
	for (int i = 1; i <= 5; i++)
		tell(f, finding(1, false, T0 + i * GM_SECOND));
	assert_int_equal(f->count, 2);
	assert_int_equal(f->log[1].time, T0 + 4 * GM_SECOND);
}

static void test_active_after_unseen_end_of_hold(void **state)
{
	struct fixture *f = *state;

	tell(f, finding(1, true, T0));
	tell(f, finding(1, false, T0 + GM_SECOND));
	tell(f, finding(1, true, T0 + 60 * GM_SECOND)); /* no tick between */
	assert_int_equal(f->count, 3);
	assert_int_equal(f->log[1].kind, GM_TRANSITION_CLEAR);
	assert_int_equal(f->log[1].time, T0 + 4 * GM_SECOND);
	assert_int_equal(f->log[2].kind, GM_TRANSITION_RAISE);
	assert_int_equal(f->log[2].alarm.id, 2);
}

static void test_without_damping_every_edge(void **state)
{
	struct fixture *f = *state;

	open_with(f, false, 3 * GM_SECOND, 0);
	for (int i = 0; i < 100; i++) {
		struct gm_finding over = finding(1, false, T0 + (2 * i + 1) * GM_MILLISECOND);

		gm_evidence_set(&over.evidence, GM_EVIDENCE_VOLUME, i);
		tell(f, finding(1, true, T0 + 2 * i * GM_MILLISECOND));
		tell(f, over);
		assert_int_equal(f->count, 2 * i + 2);
		assert_int_equal(f->log[2 * i].kind, GM_TRANSITION_RAISE);
		assert_int_equal(f->log[2 * i + 1].kind, GM_TRANSITION_CLEAR);
		assert_int_equal(f->log[2 * i + 1].time, over.time);
		assert_true(f->log[2 * i + 1].alarm.evidence.number[GM_EVIDENCE_VOLUME] == i);
	}
}

static void test_raise_limit(void **state)
{
	struct fixture *f = *state;

	const struct gm_entity_key gone = key_of(11), next = key_of(12);

	open_with(f, true, 0, 10);
	for (unsigned i = 0; i < 25; i++)
		tell(f, finding(i, true, T0 + i * GM_MILLISECOND));
	assert_int_equal(f->count, 10);
	assert_int_equal(gm_alarms_limited(f->alarms), 15);
	for (unsigned i = 0; i < 25; i++) /* repeated: neither raised nor counted again */
		tell(f, finding(i, true, T0 + GM_SECOND));
	assert_int_equal(f->count, 10);
	assert_int_equal(gm_alarms_limited(f->alarms), 15);
	assert_null(gm_alarms_find(f->alarms, &next, "leak", "memory.used", ""));

	tell(f, finding(10, false, T0 + 2 * GM_SECOND)); /* over before it was told */
	gm_alarms_gone(f->alarms, &gone, T0 + 2 * GM_SECOND);
	gm_alarms_tick(f->alarms, T0 + 30 * GM_SECOND);
	assert_int_equal(f->count, 11); /* the summary: see gates.c */
	assert_string_equal(f->log[10].alarm.detector, "self");
	gm_alarms_tick(f->alarms, T0 + 61 * GM_SECOND);
	assert_int_equal(f->count, 21);
	assert_memory_equal(&f->log[11].alarm.key, &next,
			    sizeof(struct gm_entity_key)); /* the oldest that still holds */
	assert_int_equal(f->log[11].time, T0 + 61 * GM_SECOND);
	gm_alarms_tick(f->alarms, T0 + 125 * GM_SECOND);
	assert_int_equal(f->count, 25); /* with the summary's end */

	struct gm_alarm list[32];
	assert_int_equal(gm_alarms_active(f->alarms, list, 32), 23);
	for (unsigned i = 0; i < 23; i++)
		assert_int_equal(list[i].id, i < 10 ? i + 1 : i + 2);
	/* The limit never holds a clear back. */
	for (unsigned i = 0; i < 25; i++)
		tell(f, finding(i, false, T0 + 126 * GM_SECOND));
	assert_int_equal(f->count, 48);
}

static void test_without_damping_no_limit(void **state)
{
	struct fixture *f = *state;

	open_with(f, false, 3 * GM_SECOND, 10);
	for (unsigned i = 0; i < 25; i++)
		tell(f, finding(i, true, T0 + i * GM_MILLISECOND));
	assert_int_equal(f->count, 25);
	assert_int_equal(gm_alarms_limited(f->alarms), 0);
}

static void test_rules_are_alarms_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct gm_finding one = finding(1, true, T0), other = one;

	open_with(f, false, 0, 0);
	snprintf(one.rule, sizeof(one.rule), "low");
	snprintf(other.rule, sizeof(other.rule), "high");
	snprintf(other.message, sizeof(other.message), "{rule} of {guest}");
	tell(f, one);
	tell(f, other);
	assert_int_equal(f->count, 2);
	assert_string_equal(f->log[0].alarm.rule, "low");
	assert_string_equal(f->log[1].alarm.rule, "high");
	assert_string_equal(f->log[1].alarm.text, "high of web-1");
	assert_null(gm_alarms_find(f->alarms, &one.key, one.detector, one.metric, ""));
	assert_non_null(gm_alarms_find(f->alarms, &one.key, one.detector, one.metric, "low"));
	one.active = false;
	tell(f, one);
	assert_int_equal(f->count, 3);
	assert_string_equal(f->log[2].alarm.rule, "low");
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 1);
}

static void test_limit_holds_in_any_minute(void **state)
{
	struct fixture *f = *state;

	open_with(f, true, 0, 20);
	for (int64_t i = 0; i < 1200; i++) { /* one a 100 ms for two minutes */
		tell(f, finding((unsigned)i, true, T0 + i * GM_SECOND / 10));
		gm_alarms_tick(f->alarms, T0 + i * GM_SECOND / 10);
	}
	size_t count = 0; /* without the summary, which is let through */
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->log[i].alarm.detector, "self") != 0)
			f->log[count++] = f->log[i];
	}
	for (size_t first = 0; first + 20 < count; first++)
		assert_true(f->log[first + 20].time - f->log[first].time >= 59 * GM_SECOND);
	assert_true(count >= 40);
}

static void test_gone_clears_active_and_holding(void **state)
{
	struct fixture *f = *state;
	struct gm_finding burst = finding(1, true, T0);

	snprintf(burst.detector, sizeof(burst.detector), "burst");
	tell(f, finding(1, true, T0));
	tell(f, burst);
	tell(f, finding(2, true, T0));
	tell(f, finding(1, false, T0 + GM_SECOND));
	gm_alarms_gone(f->alarms, &burst.key, T0 + 2 * GM_SECOND);
	assert_int_equal(f->count, 5);
	assert_int_equal(f->log[3].kind, GM_TRANSITION_CLEAR);
	assert_int_equal(f->log[4].kind, GM_TRANSITION_CLEAR);
	assert_int_equal(f->log[4].time, T0 + 2 * GM_SECOND);
	gm_alarms_tick(f->alarms, T0 + 100 * GM_SECOND);
	assert_int_equal(f->count, 5);
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 1);
}

static bool is_burst(const struct gm_alarm *alarm)
{
	return strcmp(alarm->detector, "burst") == 0;
}

static void test_gone_spares_what_stays(void **state)
{
	struct fixture *f = *state;
	struct gm_finding burst = finding(1, true, T0);

	snprintf(burst.detector, sizeof(burst.detector), "burst");
	tell(f, finding(1, true, T0));
	tell(f, burst);
	gm_alarms_gone_but(f->alarms, &burst.key, is_burst, T0 + GM_SECOND);
	assert_int_equal(f->count, 3);
	assert_string_equal(f->log[2].alarm.detector, "leak");
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 1);
	gm_alarms_gone(f->alarms, &burst.key, T0 + 2 * GM_SECOND);
	assert_int_equal(gm_alarms_active(f->alarms, NULL, 0), 0);
}

static void test_restore(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm kept, list[4];

	tell(f, finding(1, true, T0));
	tell(f, finding(2, true, T0));
	kept = f->log[1].alarm;
	struct gm_alarm first = f->log[0].alarm;

	open_with(f, true, 3 * GM_SECOND, 600);
	f->next_id = 10;
	assert_int_equal(gm_alarms_restore(f->alarms, &kept), 0);
	assert_int_equal(gm_alarms_restore(f->alarms, &first), 0); /* any order */
	assert_int_equal(gm_alarms_restore(f->alarms, &first), -EEXIST);
	assert_int_equal(f->count, 0);
	tell(f, finding(2, true, T0 + 60 * GM_SECOND));
	assert_int_equal(f->count, 0); /* no second raise */
	tell(f, finding(3, true, T0 + 60 * GM_SECOND));
	assert_int_equal(gm_alarms_active(f->alarms, list, 2), 3);
	assert_int_equal(list[0].id, 1);
	assert_int_equal(list[1].id, 2);
	tell(f, finding(2, false, T0 + 61 * GM_SECOND));
	gm_alarms_tick(f->alarms, T0 + 70 * GM_SECOND);
	assert_int_equal(f->log[1].kind, GM_TRANSITION_CLEAR);
	assert_int_equal(f->log[1].alarm.id, 2);
	assert_int_equal(f->log[1].alarm.raised_at, T0);
}

/* The clear of the older one was lost, and it was raised anew: one of them is there. */
static void test_restore_of_two_of_one_identity(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm list[4];

	tell(f, finding(1, true, T0));
	tell(f, finding(2, true, T0));
	struct gm_alarm older = f->log[0].alarm, newer = older;
	newer.id = 5;
	newer.raised_at = newer.changed_at = T0 + 100 * GM_SECOND;
	for (int order = 0; order < 2; order++) {
		open_with(f, true, 3 * GM_SECOND, 600);
		f->next_id = 10;
		assert_int_equal(gm_alarms_restore(f->alarms, order ? &newer : &older), 0);
		assert_int_equal(gm_alarms_restore(f->alarms, order ? &older : &newer), 0);
		assert_int_equal(f->count, 2);
		assert_int_equal(f->log[0].kind, GM_TRANSITION_CLEAR);
		assert_int_equal(f->log[0].alarm.id, older.id);
		assert_int_equal(f->log[0].time, newer.raised_at);
		assert_int_equal(f->log[0].alarm.cleared_at, newer.raised_at);
		assert_int_equal(f->log[1].kind, GM_TRANSITION_RAISE);
		assert_int_equal(f->log[1].alarm.id, newer.id);
		assert_int_equal(gm_alarms_active(f->alarms, list, 4), 1);
		assert_int_equal(list[0].id, newer.id);
	}
}

static void test_clock_set_back(void **state)
{
	struct fixture *f = *state;

	tell(f, finding(1, true, T0));
	tell(f, finding(1, false, T0 + GM_SECOND));
	gm_alarms_tick(f->alarms, T0 - 3600 * GM_SECOND);
	gm_alarms_tick(f->alarms, T0 - 3590 * GM_SECOND);
	assert_int_equal(f->count, 2); /* not held for an hour */
	assert_true(f->log[1].time >= f->log[0].time);
	tell(f, finding(2, true, T0 - 3590 * GM_SECOND));
	assert_int_equal(f->count, 3); /* and the limiter is not stuck */
}

static void test_identity_has_no_padding(void **state)
{
	struct fixture *f = *state;
	struct gm_finding what = finding(1, true, T0);

	memset(what.detector, 'x', sizeof(what.detector)); /* bytes after the NUL do not count */
	snprintf(what.detector, sizeof(what.detector), "leak");
	tell(f, finding(1, true, T0));
	tell(f, what);
	assert_int_equal(f->count, 1);
}

static void test_options(void **state)
{
	struct gm_alarm_options options;
	struct gm_error err;

	(void)state;
	gm_option_defaults(gm_alarm_option_table, &options);
	assert_true(options.damping);
	assert_int_equal(options.hold, 3 * GM_SECOND);
	assert_int_equal(options.raise_limit, 600);
	assert_int_equal(gm_option_set(gm_alarm_option_table, &options, "hold", "2h", &err),
			 -ERANGE);
	assert_int_equal(gm_option_set(gm_alarm_option_table, &options, "hold", "1h", &err), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_raise_and_clear),
		TEST(test_change_only_for_severity_or_report),
		TEST(test_interrupted_hold_is_one_alarm),
		TEST(test_repeated_ok_does_not_prolong),
		TEST(test_active_after_unseen_end_of_hold),
		TEST(test_without_damping_every_edge),
		TEST(test_raise_limit),
		TEST(test_without_damping_no_limit),
		TEST(test_rules_are_alarms_of_their_own),
		TEST(test_limit_holds_in_any_minute),
		TEST(test_gone_clears_active_and_holding),
		TEST(test_gone_spares_what_stays),
		TEST(test_restore),
		TEST(test_restore_of_two_of_one_identity),
		TEST(test_clock_set_back),
		TEST(test_identity_has_no_padding),
		TEST(test_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
