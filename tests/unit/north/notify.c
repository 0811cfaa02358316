/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which notification a transition is and what it carries; the spool without a master agent.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/mib/mib.h"
#include "north/mib/notify.h"
#include "support/mib/fixture.h"

enum { OCTETS_KEPT = 32 };

struct seen {
	size_t count;
	uint32_t columns[40];
	struct gm_mib_value values[40]; /* what their texts point to is gone */
	uint8_t octets[40][OCTETS_KEPT];
};

static void add(void *user, const struct gm_mib_oid *oid, const struct gm_mib_value *value)
{
	struct seen *seen = user;
	assert_true(seen->count < 40);
	assert_int_equal(oid->length, 4);
	assert_int_equal(oid->id[0], 1);
	assert_int_equal(oid->id[3], 0);
	seen->columns[seen->count] = oid->id[2];
	if (value->type >= GM_MIB_OCTETS)
		memcpy(seen->octets[seen->count], value->octets,
		       value->length < OCTETS_KEPT ? value->length : OCTETS_KEPT);
	seen->values[seen->count++] = *value;
}

static struct seen carried(const struct gm_transition *transition)
{
	struct seen seen = {0};
	gm_mib_notify_transition(transition, &(struct gm_mib_notify_sink){add, &seen});
	return seen;
}

static void test_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *detector;
		unsigned raise;
	} cases[] = {{"leak", 1},    {"burst", 4},   {"anomaly", 12}, {"threshold", 15},
		     {"policy", 15}, {"learned", 7}, {"self", 7},     {"linear-regressio", 7},
		     {"leaks", 7},   {"", 7}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned kind = 0; kind < 3; kind++) {
			struct gm_transition transition = {.kind = (enum gm_transition_kind)kind};
			snprintf(transition.alarm.detector, GM_DETECTOR_NAME, "%s",
				 cases[i].detector);
			assert_int_equal(gm_mib_notification_of(&transition),
					 cases[i].raise + kind);
		}
	}
}

static void test_leak_carries_its_evidence(void **state)
{
	(void)state;
	struct gm_transition raise = fixture_transition(1, GM_TRANSITION_RAISE);
	struct seen seen = carried(&raise);
	static const uint32_t more[] = {31, 32, 33, 34, 36}; /* no rule, no origin, no upper end */
	assert_int_equal(seen.count, 25);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(seen.columns[i], i + 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(seen.columns[20 + i], more[i]);
	assert_memory_equal(seen.octets[20], "process:1/java", 14);
	assert_true(seen.values[22].number == 2097152);
	assert_int_equal(seen.values[0].number, 1);
	assert_int_equal(seen.values[3].number, GM_SEVERITY_MAJOR);
	assert_int_equal(seen.values[16].number, 1048576);
	assert_int_equal(seen.values[17].number, 3600);
	assert_int_equal(seen.values[19].number, 97);

	struct gm_transition clear = fixture_transition(3, GM_TRANSITION_CLEAR);
	seen = carried(&clear);
	assert_int_equal(seen.values[3].number, GM_SEVERITY_CLEARED);
}

static void test_burst_carries_its_evidence(void **state)
{
	(void)state;
	struct gm_transition raise = fixture_transition(2, GM_TRANSITION_RAISE);
	struct seen seen = carried(&raise);
	static const uint32_t more[] = {29, 37, 38,
					39}; /* a rule; the ports, but no names of them */
	assert_int_equal(seen.count, 28);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(seen.columns[24 + i], more[i]);
	assert_memory_equal(seen.octets[24], "gold-ports", 10);
	assert_int_equal(seen.values[25].number, 1250); /* ms */
	assert_int_equal(seen.columns[16], 21);
	assert_int_equal(seen.columns[23], 28);
	assert_int_equal(seen.values[16].number, 1);                    /* rx */
	assert_true(seen.values[18].number == UINT64_C(1767225599125)); /* start */
	assert_int_equal(seen.values[19].number, 75);                   /* ms */
	assert_true(seen.values[21].number == UINT64_MAX);              /* mean: not known */
	snprintf(raise.alarm.evidence.direction, 4, "tx");
	seen = carried(&raise);
	assert_int_equal(seen.values[16].number, 2);
}

/* Under a storm: how many, and what of, whatever else the daemon says of itself. */
static void test_summary_of_a_storm(void **state)
{
	(void)state;
	static const uint32_t columns[] = {51, 52, 53, 54, 46, 31};
	struct gm_transition transition = {
		.kind = GM_TRANSITION_CLEAR,
		.alarm = {.detector = GM_SELF_DETECTOR, .metric = GM_STORM_METRIC}};
	struct gm_evidence *evidence = &transition.alarm.evidence;
	gm_evidence_set(evidence, GM_EVIDENCE_HELD, 700);
	gm_evidence_set(evidence, GM_EVIDENCE_HELD_WAITING, 0);
	gm_evidence_set(evidence, GM_EVIDENCE_HELD_ENDED, 300);
	gm_evidence_set(evidence, GM_EVIDENCE_LIMIT, 100);
	snprintf(evidence->contributors, sizeof(evidence->contributors), "burst 350");
	assert_int_equal(gm_mib_notification_of(&transition), 22);
	struct seen seen = carried(&transition);
	assert_int_equal(seen.count, 16 + 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(seen.columns[16 + i], columns[i]);
	assert_int_equal(seen.values[16].number, 700);
	assert_int_equal(seen.values[17].number, 0);
	assert_true(seen.values[18].number == UINT64_MAX); /* not known */
	assert_int_equal(seen.values[19].number, 300);
	assert_memory_equal(seen.octets[20], "100", 3);
	assert_memory_equal(seen.octets[21], "burst 350", 9);
	snprintf(transition.alarm.detector, GM_DETECTOR_NAME, "linear");
	assert_int_equal(gm_mib_notification_of(&transition), GM_MIB_ALARM_RAISE + 2);
}

/* What people made of an alarm follows, where that is the news. */
static void test_news_follow(void **state)
{
	(void)state;
	struct gm_transition change = fixture_transition(2, GM_TRANSITION_CHANGE);
	size_t before = carried(&change).count;
	change.alarm.news = GM_NEWS_ACKNOWLEDGED;
	snprintf(change.alarm.acknowledged_by, sizeof(change.alarm.acknowledged_by), "ada");
	struct seen seen = carried(&change);
	assert_int_equal(seen.count, before + 2); /* there is no comment */
	assert_int_equal(seen.columns[before], 48);
	assert_int_equal(seen.values[before].number, 2);
	assert_int_equal(seen.columns[before + 1], 49);
	assert_memory_equal(seen.octets[before + 1], "ada", 3);
}

/* Fills what `detector` would tell and returns what is carried after the common variables. */
static struct seen rest_of(const char *detector, struct gm_transition *transition)
{
	struct gm_alarm *alarm = &transition->alarm;
	snprintf(alarm->detector, sizeof(alarm->detector), "%s", detector);
	snprintf(alarm->rule, sizeof(alarm->rule), "too hot");
	snprintf(alarm->evidence.origin, sizeof(alarm->evidence.origin), "analyser-1");
	struct seen seen = carried(transition);
	seen.count -= 16;
	memmove(seen.columns, seen.columns + 16, seen.count * sizeof(seen.columns[0]));
	memmove(seen.values, seen.values + 16, seen.count * sizeof(seen.values[0]));
	memmove(seen.octets, seen.octets + 16, seen.count * sizeof(seen.octets[0]));
	return seen;
}

static void assert_columns(const struct seen *seen, const uint32_t *columns, size_t count)
{
	assert_int_equal(seen->count, count);
	assert_memory_equal(seen->columns, columns, count * sizeof(*columns));
}
#define ASSERT_COLUMNS(seen, ...)                             \
	assert_columns(seen, (const uint32_t[]){__VA_ARGS__}, \
		       sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void test_anomaly_carries_its_evidence(void **state)
{
	(void)state;
	struct gm_transition raise = {.sequence = 1};
	gm_evidence_set(&raise.alarm.evidence, GM_EVIDENCE_SCORE, 0.9996);
	gm_evidence_set(&raise.alarm.evidence, GM_EVIDENCE_VALUE, -0.25);
	struct seen seen = rest_of("anomaly", &raise);
	ASSERT_COLUMNS(&seen, 31, 43, 44, 45, 46, 29, 30);
	assert_int_equal(seen.values[0].length, 0); /* contributors: none known */
	assert_int_equal(seen.values[1].number, 1000);
	assert_int_equal(seen.values[2].length, 8); /* onset: not known */
	assert_int_equal(seen.values[3].length, 5);
	assert_memory_equal(seen.octets[3], "-0.25", 5);
	assert_int_equal(seen.values[4].length, 0); /* limit: there is none */
	assert_memory_equal(seen.octets[6], "analyser-1", 10);
}

static void test_threshold_carries_its_evidence(void **state)
{
	(void)state;
	static const char *const detectors[] = {"threshold", "policy"};
	for (size_t i = 0; i < 2; i++) {
		struct gm_transition raise = {.sequence = 1};
		gm_evidence_set(&raise.alarm.evidence, GM_EVIDENCE_VALUE, 1.5e9);
		gm_evidence_set(&raise.alarm.evidence, GM_EVIDENCE_LIMIT, 123456789);
		struct seen seen = rest_of(detectors[i], &raise);
		ASSERT_COLUMNS(&seen, 29, 45, 46, 47, 30);
		assert_memory_equal(seen.octets[0], "too hot", 7);
		assert_memory_equal(seen.octets[1], "1.5e+09", 7);
		assert_memory_equal(seen.octets[2], "123456789", 9);
		assert_true(seen.values[3].number == UINT64_MAX);
	}
	struct gm_transition silent = {.sequence = 1};
	gm_evidence_set(&silent.alarm.evidence, GM_EVIDENCE_DURATION, 30.5);
	struct seen seen = rest_of("threshold", &silent);
	assert_int_equal(seen.values[3].number, 30500);
}

/* Of an analyser nobody knows what it tells: all that it did, and no more. */
static void test_others_carry_what_is_known(void **state)
{
	(void)state;
	struct gm_transition raise = {.sequence = 1};
	struct seen seen = rest_of("theil-sen", &raise);
	ASSERT_COLUMNS(&seen, 29, 30);
	gm_evidence_set(&raise.alarm.evidence, GM_EVIDENCE_SLOPE, 4096);
	gm_evidence_set(&raise.alarm.evidence, GM_EVIDENCE_SCORE, 0.5);
	seen = rest_of("theil-sen", &raise);
	ASSERT_COLUMNS(&seen, 17, 29, 30, 43);
	assert_int_equal(seen.values[0].number, 4096);
}

/* An alarm of which nothing is known still carries all its objects, with values of the right kind. */
static void test_unknown_values_have_their_form(void **state)
{
	(void)state;
	struct gm_transition empty = {.sequence = 9};
	snprintf(empty.alarm.detector, GM_DETECTOR_NAME, "leak");
	struct seen seen = carried(&empty);
	assert_int_equal(seen.count, 20);
	for (size_t i = 0; i < seen.count; i++) {
		const struct gm_mib_value *value = &seen.values[i];
		if (value->type == GM_MIB_TIME)
			assert_true(value->length == 8 && seen.octets[i][0] == 0);
		if (value->type == GM_MIB_OCTETS)
			assert_true(value->length == 0 || seen.columns[i] == 12 /* entity */ ||
				    seen.columns[i] == 13 /* detector */);
	}
	assert_true(seen.values[16].number == UINT64_MAX);
	assert_true(seen.values[17].number == UINT32_MAX);
}

static void test_agent_event(void **state)
{
	(void)state;
	struct gm_snapshot *snapshot = fixture_snapshot(1, 1, 1);
	assert_non_null(snapshot);
	struct gm_mib_view view = {.snapshot = snapshot, .now = FIXTURE_TIME};
	struct seen seen = {0};
	gm_mib_notify_agent(&view, &(struct gm_mib_notify_sink){add, &seen});
	assert_int_equal(seen.count, 5);
	assert_int_equal(seen.columns[4], 17);
	assert_memory_equal(seen.octets[0], "compute-1", 9);

	memset(&snapshot->agent, 0, sizeof(snapshot->agent));
	seen.count = 0;
	gm_mib_notify_agent(&view, &(struct gm_mib_notify_sink){add, &seen});
	assert_int_equal(seen.count, 5);
	assert_int_equal(seen.values[0].length, 0);
	assert_int_equal(seen.values[2].length, 8);

	struct gm_snapshot_slot *slot;
	assert_int_equal(gm_snapshot_slot_create(&slot), 0);
	gm_snapshot_publish(slot, snapshot);
	gm_snapshot_slot_free(slot);
}

static void test_spool_is_bounded(void **state)
{
	(void)state;
	struct gm_snapshot_slot *slot;
	struct gm_mib *mib;
	struct gm_mib_options options;
	struct gm_mib_host host = {0};
	struct gm_error err;
	gm_option_defaults(gm_mib_option_table, &options);
	assert_true(options.enabled);
	assert_int_equal(options.timeout, 300 * GM_MILLISECOND);
	assert_int_equal(gm_option_set(gm_mib_option_table, &options, "agentx-socket",
				       "/nonexistent/agentx", &err),
			 0);
	assert_int_equal(gm_snapshot_slot_create(&slot), 0);
	assert_int_equal(gm_mib_start(&options, slot, &host, &mib, &err), 0);
	struct gm_transition raise = fixture_transition(1, GM_TRANSITION_RAISE);
	for (size_t i = 0; i < GM_MIB_SPOOL; i++)
		assert_int_equal(gm_mib_notify(mib, &raise), 0);
	assert_int_equal(gm_mib_notify(mib, &raise), -ENOSPC);
	gm_mib_stop(mib);
	gm_mib_stop(NULL);
	gm_snapshot_slot_free(slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_leak_carries_its_evidence),
		cmocka_unit_test(test_burst_carries_its_evidence),
		cmocka_unit_test(test_summary_of_a_storm),
		cmocka_unit_test(test_news_follow),
		cmocka_unit_test(test_anomaly_carries_its_evidence),
		cmocka_unit_test(test_threshold_carries_its_evidence),
		cmocka_unit_test(test_others_carry_what_is_known),
		cmocka_unit_test(test_unknown_values_have_their_form),
		cmocka_unit_test(test_agent_event),
		cmocka_unit_test(test_spool_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
