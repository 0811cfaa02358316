/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the anomaly detector by themselves: tails, and what the judge makes of rows.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/anomaly_judge.h"
#include "analysis/anomaly_tail.h"

/* A tail that has seen blocks whose largest are 8 down to 1. */
static struct gm_anomaly_tail seen_tail(void)
{
	struct gm_anomaly_tail tail;

	gm_anomaly_tail_reset(&tail);
	for (int block = 0; block < GM_ANOMALY_TOPS; block++)
		gm_anomaly_tail_add(&tail, 1 + block, 0, true);
	return tail;
}

static void what_was_seen_is_no_surprise(void **state)
{
	(void)state;
	struct gm_anomaly_tail tail = seen_tail();

	assert_true(gm_anomaly_tail_surprise(&tail, 0.9, 0, 0.1, 3) == 0);
	assert_true(gm_anomaly_tail_surprise(&tail, -50, 0, 0.1, 3) == 0);
	double twice = gm_anomaly_tail_surprise(&tail, 16, 0, 0.1, 3);
	double thrice = gm_anomaly_tail_surprise(&tail, 24, 0, 0.1, 3);
	assert_true(twice > 1 && thrice > twice);
	/* Distances that do not matter do not surprise, however new they are. */
	assert_true(gm_anomaly_tail_surprise(&tail, 16, 0, 20, 3) == 0);
	/* Nor does the same a second time, when it was seen often enough. */
	for (int block = 0; block < GM_ANOMALY_TOPS; block++)
		gm_anomaly_tail_add(&tail, 24, 0, true);
	assert_true(gm_anomaly_tail_surprise(&tail, 24, 0, 0.1, 3) < 0.05);
}

static void an_hour_of_the_day_is_remembered(void **state)
{
	(void)state;
	struct gm_anomaly_tail tail = seen_tail();
	struct gm_anomaly_hours hours = {0};

	for (unsigned hour = 1; hour <= 24; hour++) {
		gm_anomaly_tail_hour(&tail, &hours, 0);
		gm_anomaly_hours_next(&hours, hour % GM_ANOMALY_HOURS);
		gm_anomaly_tail_add(&tail, hour == 5 ? 40 : 1, 0, false);
	}
	double then = gm_anomaly_tail_surprise(&tail, 40, 0, 0.1, 5);
	double beside = gm_anomaly_tail_surprise(&tail, 40, 0, 0.1, 6);
	double else_when = gm_anomaly_tail_surprise(&tail, 40, 0, 0.1, 15);
	assert_true(then < else_when / 2);
	assert_true(beside < else_when / 2);
}

static void an_event_is_told_once(void **state)
{
	(void)state;
	struct gm_anomaly_judge judge = {0};

	for (int row = 0; row < 1000; row++)
		gm_anomaly_judge_take(&judge, 0, 0, 300);
	struct gm_anomaly_verdict first = gm_anomaly_judge_peek(&judge, 8, 0);
	assert_true(first.alert == 8 && first.score > 0.5);
	gm_anomaly_judge_take(&judge, 8, 0, 300);
	assert_true(gm_anomaly_judge_peek(&judge, 8, 0).alert == 0);
	assert_true(gm_anomaly_judge_peek(&judge, 15, 0).alert == 0);
	assert_true(gm_anomaly_judge_peek(&judge, 17, 0).alert == 17);
	for (int row = 0; row < 200; row++)
		gm_anomaly_judge_take(&judge, 0, 0, 300);
	assert_true(gm_anomaly_judge_peek(&judge, 8, 0).alert == 8);
}

static void an_excess_lasts_and_stays_below_an_alert(void **state)
{
	(void)state;
	struct gm_anomaly_judge judge = {0};
	double before = 0;

	for (int row = 0; row < 50; row++) {
		double score = gm_anomaly_judge_peek(&judge, 0, 100).score;
		assert_true(score > before && score < 0.5);
		before = score;
		gm_anomaly_judge_take(&judge, 0, 100, 300);
	}
	for (int row = 0; row < 1000; row++)
		gm_anomaly_judge_take(&judge, 0, 0, 300);
	assert_true(gm_anomaly_judge_peek(&judge, 0, 0).score < 0.01);
}

static void the_threshold_follows_what_is_allowed_and_what_was_seen(void **state)
{
	(void)state;
	struct gm_anomaly_judge calm = {0}, restless = {0};

	for (int row = 0; row < 20000; row++) {
		gm_anomaly_judge_take(&calm, 0, 0, 300);
		gm_anomaly_judge_take(&restless, row % 150 == 0 ? 3 + row / 150 % 5 : 0, 0, 300);
	}
	double few = gm_anomaly_judge_threshold(&calm, 0.01);
	assert_true(gm_anomaly_judge_threshold(&calm, 0.1) < few);
	assert_true(gm_anomaly_judge_threshold(&restless, 0.01) > few + 1);
	assert_true(gm_anomaly_judge_weigh(&restless, 5) < gm_anomaly_judge_weigh(&calm, 5));
	/* Nobody allows so many: what is no alert is no alarm. */
	assert_true(gm_anomaly_judge_threshold(&calm, 100) >= 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_was_seen_is_no_surprise),
	cmocka_unit_test(an_hour_of_the_day_is_remembered),
	cmocka_unit_test(an_event_is_told_once),
	cmocka_unit_test(an_excess_lasts_and_stays_below_an_alert),
	cmocka_unit_test(the_threshold_follows_what_is_allowed_and_what_was_seen),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
