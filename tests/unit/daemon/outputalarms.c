/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An output that fails for long is told, a pause is not; losses are told with their number and end when
 * there were none for a while; what is removed ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/outputalarms.h"

struct heard {
	struct gm_outputalarms alarms;
	struct gm_output_row rows[2];
	size_t count;
	int64_t now;
	int told;                     /* findings in the last tick */
	struct gm_finding away, loss; /* of the output "a" */
};

static void hear(void *user, const struct gm_finding *finding)
{
	struct heard *heard = user;
	assert_string_equal(finding->detector, GM_SELF_DETECTOR);
	assert_int_equal(finding->key.kind, GM_ENTITY_NODE);
	heard->told++;
	if (strcmp(finding->rule, "a") != 0)
		return;
	if (strcmp(finding->metric, "outputUnavailable") == 0)
		heard->away = *finding;
	else
		heard->loss = *finding;
}

static void pass(struct heard *heard, int seconds)
{
	struct gm_finding_sink sink = {hear, heard};
	for (int i = 0; i < seconds; i++) {
		heard->now += GM_SECOND;
		heard->told = 0;
		gm_outputalarms_tick(&heard->alarms, heard->rows, heard->count, heard->now,
				     heard->now, &sink);
	}
}

static void begin(struct heard *heard)
{
	memset(heard, 0, sizeof(*heard));
	heard->now = 1000 * GM_SECOND;
	heard->count = 2;
	for (size_t i = 0; i < 2; i++) {
		heard->rows[i].state = GM_OUTPUT_WORKING;
		snprintf(heard->rows[i].name, sizeof(heard->rows[i].name), "%c", "ab"[i]);
	}
}

static void test_away_and_back(void **state)
{
	struct heard heard;
	(void)state;
	begin(&heard);
	pass(&heard, 5);
	assert_false(heard.away.active || heard.loss.active);
	heard.rows[0].state = GM_OUTPUT_WAITING;
	heard.rows[0].failing_since = heard.now;
	pass(&heard, 59);
	assert_false(heard.away.active);
	pass(&heard, 1);
	assert_true(heard.away.active);
	assert_true(heard.away.evidence.number[GM_EVIDENCE_DURATION] == 60);
	heard.rows[0].state = GM_OUTPUT_PAUSED;
	pass(&heard, 1);
	assert_false(heard.away.active);
}

/* A secret's file that is gone, an agent that is switched off: there is no driver that could fail. */
static void test_one_that_cannot_be_made(void **state)
{
	struct heard heard;
	(void)state;
	begin(&heard);
	heard.rows[0].state = GM_OUTPUT_ABSENT; /* for a moment, as the agent's while it begins */
	pass(&heard, 100);
	assert_false(heard.away.active);
	heard.rows[0].failing_since = heard.now;
	pass(&heard, 59);
	assert_false(heard.away.active);
	pass(&heard, 1);
	assert_true(heard.away.active);
	heard.rows[0].state = GM_OUTPUT_WORKING;
	heard.rows[0].failing_since = 0;
	pass(&heard, 1);
	assert_false(heard.away.active);
}

static void test_losses_are_told_and_end(void **state)
{
	struct heard heard;
	(void)state;
	begin(&heard);
	pass(&heard, 1);
	heard.rows[0].refused = 2;
	heard.rows[0].overflowed = 40;
	pass(&heard, 1);
	assert_true(heard.loss.active);
	assert_true(heard.loss.evidence.number[GM_EVIDENCE_VALUE] == 42);
	pass(&heard, 599);
	assert_true(heard.loss.active);
	pass(&heard, 1);
	assert_false(heard.loss.active);
}

static void test_what_is_removed_ends_once(void **state)
{
	struct heard heard;
	(void)state;
	begin(&heard);
	heard.rows[0].expired = 1;
	pass(&heard, 1);
	assert_true(heard.loss.active);
	heard.rows[0] = heard.rows[1];
	heard.count = 1;
	pass(&heard, 1);
	assert_false(heard.loss.active);
	assert_int_equal(heard.told, 4);
	pass(&heard, 1);
	assert_int_equal(heard.told, 2);
}

static void test_what_was_removed_before_a_restart_ends(void **state)
{
	struct heard heard;
	struct gm_alarm alarm = {.detector = GM_SELF_DETECTOR, .metric = "outputLoss", .rule = "a"};
	(void)state;
	begin(&heard);
	heard.count = 0;
	heard.loss.active = true;
	gm_outputalarms_adopt(&heard.alarms, &alarm);
	snprintf(alarm.metric, sizeof(alarm.metric), "storeUnavailable");
	snprintf(alarm.rule, sizeof(alarm.rule), "b");
	gm_outputalarms_adopt(&heard.alarms, &alarm);
	pass(&heard, 1);
	assert_false(heard.loss.active);
	assert_int_equal(heard.told, 2);
}

static void test_more_than_are_watched(void **state)
{
	static struct gm_output_row many[GM_OUTPUTALARMS_MAX + 50];
	struct heard heard;
	struct gm_finding_sink sink = {hear, &heard};
	(void)state;
	begin(&heard);
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		many[i].state = GM_OUTPUT_WORKING;
		snprintf(many[i].name, sizeof(many[i].name), "o%zu", i);
	}
	gm_outputalarms_tick(&heard.alarms, many, sizeof(many) / sizeof(many[0]), heard.now,
			     heard.now, &sink);
	assert_int_equal(heard.told, 2 * GM_OUTPUTALARMS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_away_and_back),
		cmocka_unit_test(test_one_that_cannot_be_made),
		cmocka_unit_test(test_losses_are_told_and_end),
		cmocka_unit_test(test_what_is_removed_ends_once),
		cmocka_unit_test(test_what_was_removed_before_a_restart_ends),
		cmocka_unit_test(test_more_than_are_watched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
