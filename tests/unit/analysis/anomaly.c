/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The anomaly detector: what it finds, when, and what it names.
 */
#include "anomaly_feed.h"

#define FAULT (10 * DAY)

static double steady(struct feed *feed, double time)
{
	(void)time;
	return 50 + noise(feed);
}

static double cycle(struct feed *feed, double time)
{
	return 50 + 30 * sin(2 * 3.14159265 * time / DAY) + 2 * noise(feed);
}

static double shifted(struct feed *feed, double time)
{
	return steady(feed, time) + (time >= FAULT ? 12 : 0);
}

static double dropped(struct feed *feed, double time)
{
	return steady(feed, time) - (time >= FAULT ? 30 : 0);
}

static double spiked(struct feed *feed, double time)
{
	return steady(feed, time) + (time >= FAULT && time < FAULT + 301 ? 40 : 0);
}

static double wild(struct feed *feed, double time)
{
	return 50 + noise(feed) * (time >= FAULT ? 6 : 1);
}

/* Busy from ten to twelve each day; on the day of the fault at night as well, and for longer. */
static double busy(struct feed *feed, double time)
{
	double hour = fmod(time, DAY) / HOUR;
	bool usual = hour >= 10 && hour < 12;
	bool fault = time >= FAULT && time < FAULT + 9 * HOUR;

	return (usual || fault ? 80 : 10) + noise(feed);
}

struct event {
	const char *name;
	series *value;
	double within; /* seconds after the fault */
};

static const struct event events[] = {
	{"a new level", shifted, 2 * HOUR}, {"a fall", dropped, 2 * HOUR},
	{"a spike", spiked, 301},           {"a new spread", wild, 2 * HOUR},
	{"out of hours", busy, 12 * HOUR},
};

static void events_are_found_once_and_soon(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct feed feed;

		feed_open(&feed, 300);
		gm_anomaly_ops.name_metric(feed.detector, GM_METRIC_EXTRA, "queue");
		feed_until(&feed, FAULT, events[i].value);
		if (feed.raises != 0)
			fail_msg("%s: raised before", events[i].name);
		feed_until(&feed, FAULT + DAY, events[i].value);
		if (feed.raises != 1)
			fail_msg("%s: raised %u times", events[i].name, feed.raises);
		if (feed.raised_at > FAULT + events[i].within)
			fail_msg("%s: %g s late", events[i].name, feed.raised_at - FAULT);
		assert_false(feed.active); /* what lasts becomes usual */
		assert_string_equal(feed.raised.metric, "score");
		assert_string_equal(feed.raised.evidence.contributors, "queue");
		assert_true(gm_evidence_has(&feed.raised.evidence, GM_EVIDENCE_ONSET));
		assert_true(feed.raised.evidence.number[GM_EVIDENCE_SCORE] > 0.5);
		feed_close(&feed);
	}
}

static double constant(struct feed *feed, double time)
{
	(void)feed;
	(void)time;
	return 3;
}

/* Little but noise, and now and then something short, as of a timer. */
static double idle(struct feed *feed, double time)
{
	(void)time;
	return fabs(noise(feed)) * 0.002 + (uniform(feed) < 0.02 ? uniform(feed) * 0.3 : 0);
}

static double trend(struct feed *feed, double time)
{
	return 50 + 10 * time / DAY + noise(feed);
}

static void what_is_usual_is_quiet(void **state)
{
	(void)state;
	static series *const usual[] = {steady, cycle, constant, idle, trend};
	static const double steps[] = {300, 60, 10};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			struct feed feed;

			feed_open(&feed, steps[k]);
			feed_until(&feed, steps[k] < 100 ? 4 * DAY : 14 * DAY, usual[i]);
			if (feed.raises != 0)
				fail_msg("series %zu at %g s: raised at day %g", i, steps[k],
					 feed.raised_at / DAY);
			assert_true(feed.findings > 0);
			feed_close(&feed);
		}
	}
}

/* Some values are a hundred times the usual. */
static double heavy(struct feed *feed, double time)
{
	(void)time;
	return exp(1.5 * noise(feed));
}

static void false_alarms_stay_within_what_is_allowed(void **state)
{
	(void)state;
	static const double allowed[] = {0.02, 0.2};
	unsigned raises[2];

	for (size_t i = 0; i < 2; i++) {
		struct feed feed;

		feed_open(&feed, 300);
		feed.options.false_alarms = allowed[i];
		feed_until(&feed, 200 * DAY, heavy);
		raises[i] = feed.raises;
		feed_close(&feed);
		/* A tail is an estimate: three times as many are still of its order. */
		if (raises[i] > 3 * 200 * allowed[i])
			fail_msg("%u false alarms at %g a day", raises[i], allowed[i]);
	}
	assert_true(raises[1] > raises[0]);
}

static void nothing_is_told_while_it_learns(void **state)
{
	(void)state;
	struct feed feed;

	feed_open(&feed, 60);
	feed_until(&feed, 0.9 * DAY, steady);
	feed_value(&feed, GM_METRIC_EXTRA, 1e6);
	feed_end_row(&feed);
	assert_int_equal(feed.findings, 0);
	feed_close(&feed);
}

static void gaps_and_another_cadence_are_quiet(void **state)
{
	(void)state;
	struct feed feed;

	feed_open(&feed, 60);
	feed_until(&feed, 3 * DAY, steady);
	feed.now += 7 * HOUR;
	feed_until(&feed, 5 * DAY, steady);
	feed.step = 300;
	feed_until(&feed, 8 * DAY, steady);
	feed.step = 5;
	feed_until(&feed, 9 * DAY, steady);
	assert_int_equal(feed.raises, 0);
	feed.now -= 2 * HOUR; /* the clock is set back */
	feed_until(&feed, 10 * DAY, steady);
	assert_int_equal(feed.raises, 0);
	feed_close(&feed);
}

static void ten_a_second_are_judged_as_their_means(void **state)
{
	(void)state;
	struct feed feed;

	feed_open(&feed, 0.1);
	feed.options.learning = 2 * 3600 * GM_SECOND;
	feed_until(&feed, 6 * HOUR, steady);
	assert_int_equal(feed.raises, 0);
	while (feed.now < 6 * HOUR + 60) {
		feed_value(&feed, GM_METRIC_EXTRA, 90 + noise(&feed));
		feed_end_row(&feed);
	}
	assert_int_equal(feed.raises, 1);
	assert_true(feed.raised_at < 6 * HOUR + 21);
	feed_close(&feed);
}

static void a_planned_change_is_not_told(void **state)
{
	(void)state;
	struct feed feed;

	feed_open(&feed, 60);
	feed.options.settling = 2 * 3600 * GM_SECOND;
	feed_until(&feed, FAULT, steady);
	gm_anomaly_ops.disturb(feed.detector, feed_time(&feed));
	feed_until(&feed, FAULT + 2 * DAY, shifted);
	assert_int_equal(feed.raises, 0);
	feed_close(&feed);
}

static void hostile_values_change_nothing_and_break_nothing(void **state)
{
	(void)state;
	static const double hostile[] = {NAN, INFINITY, -INFINITY};
	static const double wide[] = {1e308, -1e308, 5e-324, -1, 0, 1e30};
	struct feed clean, feed;

	feed_open(&clean, 300);
	feed_open(&feed, 300);
	for (int i = 0; i < 2000; i++) {
		feed_value(&clean, GM_METRIC_EXTRA, steady(&clean, 0));
		feed_value(&feed, GM_METRIC_EXTRA, hostile[i % 3]);
		feed_value(&feed, GM_METRIC_EXTRA, steady(&feed, 0));
		feed_end_row(&clean);
		feed_end_row(&feed);
	}
	assert_true(clean.scores == feed.scores);
	for (int i = 0; i < 2000; i++) {
		feed_value(&feed, GM_METRIC_EXTRA, wide[i % 6]);
		feed_increase(&feed, NULL, GM_METRIC_CPU_TIME, wide[i % 6]);
		feed_increase(&feed, NULL, GM_METRIC_NET_RX_ERRORS, wide[i % 6]);
		feed_end_row(&feed); /* asserts a score within 0 to 1 */
	}
	feed_close(&clean);
	feed_close(&feed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(events_are_found_once_and_soon),
	cmocka_unit_test(what_is_usual_is_quiet),
	cmocka_unit_test(false_alarms_stay_within_what_is_allowed),
	cmocka_unit_test(nothing_is_told_while_it_learns),
	cmocka_unit_test(gaps_and_another_cadence_are_quiet),
	cmocka_unit_test(ten_a_second_are_judged_as_their_means),
	cmocka_unit_test(a_planned_change_is_not_told),
	cmocka_unit_test(hostile_values_change_nothing_and_break_nothing),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
