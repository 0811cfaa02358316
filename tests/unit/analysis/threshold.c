/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threshold rules: each key by what it says of values on, over and under the limits, and what is kept over
 * a restart. A rule is written as its options are; a test gives values at one per second.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/threshold.h"
#include "base/clock.h"

#define T0 (INT64_C(1700000000) * GM_SECOND)

enum { TOLD_MAX = 64 };

struct rig {
	struct gm_threshold_options options;
	struct gm_detector *detector;
	int64_t now;
	size_t count;
	struct gm_finding told[TOLD_MAX];
};

static void take(void *user, const struct gm_finding *finding)
{
	struct rig *rig = user;

	assert_true(rig->count < TOLD_MAX);
	rig->told[rig->count++] = *finding;
}

static void set(struct rig *rig, const char *key, const char *text)
{
	struct gm_error err = {.text = ""};

	if (gm_option_set(gm_threshold_ops.options, &rig->options, key, text, &err) < 0)
		fail_msg("%s", err.text);
}

static void start(struct rig *rig)
{
	struct gm_entity_key key = gm_entity_node();
	struct gm_error err = {.text = ""};

	if (gm_threshold_ops.check(&rig->options, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(gm_threshold_ops.create(&rig->options, &key, &rig->detector), 0);
}

static struct rig *rig_of(const char *metric)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	gm_option_defaults(gm_threshold_ops.options, &rig->options);
	set(rig, "metric", metric);
	rig->now = T0;
	return rig;
}

static void rig_free(struct rig *rig)
{
	gm_threshold_ops.destroy(rig->detector);
	free(rig);
}

/* What a value makes the rule say: nothing, or one finding. */
static const struct gm_finding *give(struct rig *rig, double value)
{
	struct gm_finding_sink sink = {take, rig};
	struct gm_point point = {
		.metric = gm_metric_find(rig->options.metric), .time = rig->now, .value = value};
	size_t before = rig->count;

	if (gm_metric_kind(point.metric) == GM_KIND_COUNTER)
		point.span = GM_SECOND;
	gm_threshold_ops.observe(rig->detector, &point, &sink);
	rig->now += GM_SECOND;
	assert_true(rig->count <= before + 1);
	return rig->count > before ? &rig->told[before] : NULL;
}

static const struct gm_finding *look(struct rig *rig)
{
	struct gm_finding_sink sink = {take, rig};
	size_t before = rig->count;

	gm_threshold_ops.evaluate(rig->detector, rig->now, &sink);
	return rig->count > before ? &rig->told[before] : NULL;
}

static void assert_active(const struct gm_finding *finding, enum gm_severity severity, double value,
			  double limit)
{
	assert_non_null(finding);
	assert_true(finding->active);
	assert_int_equal(finding->severity, severity);
	assert_true(gm_evidence_has(&finding->evidence, GM_EVIDENCE_VALUE));
	assert_true(finding->evidence.number[GM_EVIDENCE_VALUE] == value);
	assert_true(finding->evidence.number[GM_EVIDENCE_LIMIT] == limit);
}

static void assert_over(const struct gm_finding *finding, double value)
{
	assert_non_null(finding);
	assert_false(finding->active);
	assert_true(finding->evidence.number[GM_EVIDENCE_VALUE] == value);
}

static void the_unit_is_that_of_what_is_judged(void **state)
{
	(void)state;
	static const struct {
		const char *metric, *function, *unit;
	} cases[] = {
		{"memory.used", "value", "B"},   {"memory.used", "avg", "B"},
		{"memory.used", "rate", "B/s"},  {"cpu.time", "value", "ns/s"},
		{"net.rx.bytes", "rate", "B/s"}, {"load.1", "value", "1"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_of(cases[i].metric);

		set(rig, "failure-min", "1000");
		set(rig, "function", cases[i].function);
		start(rig);
		give(rig, 1);
		give(rig, 2);
		assert_true(rig->count > 0);
		assert_string_equal(rig->told[0].evidence.unit, cases[i].unit);
		rig_free(rig);
	}
}

static void a_limit_itself_is_acceptable(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-max", "4");
	set(rig, "failure-max", "8");
	set(rig, "warning-min", "1");
	set(rig, "failure-min", "0");
	start(rig);
	assert_null(look(rig)); /* nothing is known yet */
	assert_null(give(rig, 4));
	assert_null(give(rig, 1));
	assert_active(give(rig, 4.25), GM_SEVERITY_WARNING, 4.25, 4);
	assert_null(give(rig, 8)); /* still a warning; told when asked */
	assert_active(look(rig), GM_SEVERITY_WARNING, 8, 4);
	assert_active(give(rig, 8.5), GM_SEVERITY_CRITICAL, 8.5, 8);
	assert_active(give(rig, 0.5), GM_SEVERITY_WARNING, 0.5, 1);
	assert_active(give(rig, -1), GM_SEVERITY_CRITICAL, -1, 0);
	assert_over(give(rig, 2), 2);
	assert_over(look(rig), 2);
	assert_null(give(rig, 3));
	rig_free(rig);
}

static void hits_delay_all_but_the_way_back(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-max", "4");
	set(rig, "failure-max", "8");
	set(rig, "hits", "3");
	start(rig);
	assert_null(give(rig, 5));
	assert_null(give(rig, 5));
	assert_null(give(rig, 1)); /* the count begins anew */
	assert_null(give(rig, 5));
	assert_null(give(rig, 9));
	assert_active(give(rig, 5), GM_SEVERITY_WARNING, 5, 4); /* what the third asks for */
	assert_null(give(rig, 9));
	assert_null(give(rig, 9));
	assert_null(give(rig, 5)); /* asks for the present state */
	assert_null(give(rig, 9));
	assert_null(give(rig, 9));
	assert_active(give(rig, 9), GM_SEVERITY_CRITICAL, 9, 8);
	assert_over(give(rig, 1), 1);
	rig_free(rig);
}

static void hysteresis_holds_the_present_level_only(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-max", "4");
	set(rig, "hysteresis", "1");
	start(rig);
	assert_null(give(rig, 3.5));
	assert_non_null(give(rig, 4.5));
	assert_null(give(rig, 3.5));
	assert_over(give(rig, 3), 3);
	assert_null(give(rig, 3.5));
	rig_free(rig);
}

static void inverted_rules_forbid_what_is_between(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-min", "2");
	set(rig, "warning-max", "4");
	set(rig, "invert", "true");
	set(rig, "hysteresis", "1");
	start(rig);
	assert_null(give(rig, 1.75));
	assert_active(give(rig, 2), GM_SEVERITY_WARNING, 2, 2);
	assert_null(give(rig, 1.5));
	assert_over(give(rig, 0.75), 0.75);
	assert_active(give(rig, 4), GM_SEVERITY_WARNING, 4, 4);
	assert_null(give(rig, 5)); /* H beyond the limit, not at it */
	assert_over(give(rig, 5.25), 5.25);
	rig_free(rig);
}

static void persist_tells_every_value(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");
	const struct gm_finding *finding;

	set(rig, "warning-max", "4");
	set(rig, "persist", "true");
	start(rig);
	assert_false(give(rig, 5)->report);
	for (int i = 0; i < 3; i++) {
		finding = give(rig, 6 + i);
		assert_active(finding, GM_SEVERITY_WARNING, 6 + i, 4);
		assert_true(finding->report);
	}
	assert_false(look(rig)->report); /* the same value is not told twice */
	assert_over(give(rig, 1), 1);
	assert_null(give(rig, 1));
	rig_free(rig);
}

static void a_pair_alternates(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "rising", "8");
	set(rig, "falling", "2");
	set(rig, "severity", "major");
	start(rig);
	assert_null(give(rig, 7.9));
	assert_active(give(rig, 8), GM_SEVERITY_MAJOR, 8, 8);
	assert_null(give(rig, 9));
	assert_null(give(rig, 2.1));
	assert_null(give(rig, 8.5));
	assert_over(give(rig, 2), 2);
	assert_null(give(rig, 7.9));
	assert_non_null(give(rig, 20));
	rig_free(rig);
}

static void a_state_must_last(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-max", "4");
	set(rig, "duration", "5s");
	start(rig);
	for (int i = 0; i < 5; i++)
		assert_null(give(rig, 5));
	assert_null(give(rig, 3)); /* a break */
	for (int i = 0; i < 5; i++)
		assert_null(give(rig, 5));
	assert_active(give(rig, 5), GM_SEVERITY_WARNING, 5, 4); /* 5 s after the first */
	assert_over(give(rig, 3), 3);
	rig_free(rig);
}

static void silence_is_told(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");
	const struct gm_finding *finding;

	set(rig, "missing", "10s");
	set(rig, "severity", "critical");
	start(rig);
	for (int i = 0; i < 60; i++, rig->now += GM_SECOND)
		assert_null(look(rig)); /* it was never there */
	give(rig, 5);
	for (int i = 0; i < 9; i++, rig->now += GM_SECOND)
		assert_false(look(rig)->active);
	finding = look(rig);
	assert_active(finding, GM_SEVERITY_CRITICAL, 5, 0);
	assert_false(gm_evidence_has(&finding->evidence, GM_EVIDENCE_LIMIT));
	assert_true(finding->evidence.number[GM_EVIDENCE_DURATION] == 10);
	assert_over(give(rig, 6), 6);
	assert_false(look(rig)->active);

	/* Nobody listened for an hour: not the metric was silent. */
	rig->now += 3600 * GM_SECOND;
	assert_false(look(rig)->active);
	for (int i = 0; i < 9; i++) {
		rig->now += GM_SECOND;
		assert_false(look(rig)->active);
	}
	rig->now += GM_SECOND;
	assert_true(look(rig)->active);
	rig_free(rig);
}

static struct gm_buffer save(const struct rig *rig)
{
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);
	struct gm_archive archive = gm_archive_writer(&bytes);

	gm_threshold_ops.exchange(rig->detector, &archive);
	assert_true(gm_archive_done(&archive));
	return bytes;
}

/* A new detector in place of the old one, with what is kept; false: the bytes are refused. */
static bool restart(struct rig *rig, const struct gm_buffer *bytes)
{
	struct gm_entity_key key = gm_entity_node();
	struct gm_archive archive = gm_archive_reader(bytes->data, bytes->length);

	gm_threshold_ops.destroy(rig->detector);
	assert_int_equal(gm_threshold_ops.create(&rig->options, &key, &rig->detector), 0);
	gm_threshold_ops.exchange(rig->detector, &archive);
	return gm_archive_done(&archive);
}

/* What was missing is missing until a value comes: that nobody listened meanwhile proves nothing. */
static void silence_lasts_until_a_value_comes(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "missing", "10s");
	start(rig);
	give(rig, 5);
	for (int i = 0; i < 11; i++, rig->now += GM_SECOND)
		look(rig);
	assert_true(look(rig)->active);
	rig->now += 3600 * GM_SECOND;
	assert_true(look(rig)->active);
	struct gm_buffer bytes = save(rig);
	assert_true(restart(rig, &bytes));
	rig->now += 60 * GM_SECOND;
	assert_true(look(rig)->active);
	assert_over(give(rig, 6), 6);
	assert_false(look(rig)->active);
	gm_buffer_free(&bytes);
	rig_free(rig);
}

static void kept_bytes_may_be_any(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-max", "4");
	set(rig, "duration", "60s");
	set(rig, "missing", "10s");
	start(rig);
	give(rig, 5);
	struct gm_buffer bytes = save(rig);
	for (size_t i = 0; i < 2 * (bytes.length - 8); i++) {
		struct gm_buffer copy = save(rig);
		memset(copy.data + i / 2, i % 2 ? 0 : 0xff, 8);
		copy.data[i / 2 + 7] = i % 2 ? (char)0x80 : 0x7f; /* the least and the most */
		if (restart(rig, &copy)) {
			look(rig);
			give(rig, 5);
			rig->now += GM_SECOND;
			look(rig);
		}
		rig->count = 0;
		assert_true(restart(rig, &bytes));
		gm_buffer_free(&copy);
	}
	gm_buffer_free(&bytes);
	rig_free(rig);
}

static void counters_are_judged_by_their_rate(void **state)
{
	(void)state;
	struct rig *rig = rig_of("net.rx.dropped");
	struct gm_finding_sink sink = {take, rig};
	struct gm_point fine = {
		.metric = GM_METRIC_NET_RX_DROPPED, .span = GM_SECOND / 10, .value = 11};

	set(rig, "warning-max", "100");
	start(rig);
	assert_null(give(rig, 100)); /* in one second */
	fine.time = rig->now;
	gm_threshold_ops.observe(rig->detector, &fine, &sink); /* 11 in a tenth of one */
	assert_int_equal(rig->count, 1);
	assert_active(&rig->told[0], GM_SEVERITY_WARNING, 110, 100);
	fine.span = 0; /* nothing can be said of it */
	gm_threshold_ops.observe(rig->detector, &fine, &sink);
	assert_int_equal(rig->count, 1);
	rig_free(rig);
}

static void a_leap_of_a_counter_is_forgotten(void **state)
{
	(void)state;
	struct rig *rig = rig_of("net.rx.dropped");
	const struct gm_finding *last = NULL;

	set(rig, "warning-max", "5");
	set(rig, "function", "avg");
	set(rig, "window", "10s");
	start(rig);
	give(rig, 0x1p63);
	for (int i = 1; i <= 60; i++)
		give(rig, 4);
	assert_int_equal(rig->told[rig->count - 1].active, false);
	for (int i = 1; i <= 20; i++)
		last = give(rig, 6) ? &rig->told[rig->count - 1] : last;
	assert_non_null(last);
	assert_true(last->active);
	rig_free(rig);
}

static void functions_look_back(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-max", "2");
	set(rig, "function", "rate");
	set(rig, "window", "10s");
	start(rig);
	for (int i = 0; i < 20; i++)
		assert_null(give(rig, 1000 + i));
	for (int i = 0; i < 20; i++)
		give(rig, 1020 + 3 * i);
	assert_active(&rig->told[0], GM_SEVERITY_WARNING,
		      rig->told[0].evidence.number[GM_EVIDENCE_VALUE], 2);
	assert_int_equal(rig->count, 1);
	rig_free(rig);

	rig = rig_of("load.1");
	set(rig, "warning-max", "8");
	set(rig, "function", "percentile");
	set(rig, "percentile", "90");
	set(rig, "window", "99s");
	start(rig);
	for (int i = 0; i < 90; i++)
		assert_null(give(rig, 1));
	for (int i = 0; i < 10; i++)
		assert_null(give(rig, 9)); /* a tenth above: the 90th percentile is not */
	assert_active(give(rig, 9), GM_SEVERITY_WARNING, 9, 8);
	rig_free(rig);
}

static void other_metrics_and_nonsense_are_left_alone(void **state)
{
	(void)state;
	struct rig *rig = rig_of("queue.depth"); /* a recording's own column */
	struct gm_finding_sink sink = {take, rig};
	struct gm_point point = {.metric = GM_METRIC_EXTRA + 3, .time = T0, .value = 50};

	set(rig, "warning-max", "4");
	start(rig);
	gm_threshold_ops.name_metric(rig->detector, GM_METRIC_EXTRA + 2, "other");
	gm_threshold_ops.name_metric(rig->detector, GM_METRIC_EXTRA + 3, "queue.depth");
	point.metric = GM_METRIC_EXTRA + 2;
	gm_threshold_ops.observe(rig->detector, &point, &sink);
	point.metric = GM_METRIC_LOAD_1;
	gm_threshold_ops.observe(rig->detector, &point, &sink);
	point.metric = GM_METRIC_EXTRA + 3;
	point.value = (double)NAN;
	gm_threshold_ops.observe(rig->detector, &point, &sink);
	assert_int_equal(rig->count, 0);
	point.value = 50;
	gm_threshold_ops.observe(rig->detector, &point, &sink);
	assert_int_equal(rig->count, 1);
	assert_string_equal(rig->told[0].metric, "queue.depth");
	assert_string_equal(rig->told[0].detector, "threshold");
	assert_int_equal(rig->told[0].time, T0);
	rig_free(rig);
}

static void what_is_kept_goes_on(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1");

	set(rig, "warning-max", "4");
	set(rig, "hysteresis", "2");
	start(rig);
	assert_non_null(give(rig, 5));
	struct gm_buffer bytes = save(rig);
	assert_true(restart(rig, &bytes));
	assert_active(look(rig), GM_SEVERITY_WARNING, 5, 4);
	assert_null(give(rig, 3)); /* within the hysteresis of the state that it was in */
	assert_over(give(rig, 2), 2);
	gm_buffer_free(&bytes);
	rig_free(rig);
}

static void rules_that_say_nothing_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *key, *text, *message;
	} wrong[] = {
		{"hits", "2", "metric: the rule has no limit"},
		{"falling", "2", "falling: needs `rising`"},
		{"rising", "1", "falling: needs `rising`, and is not above it"},
		{"warning-max", "3", "rising: not beside warning or failure limits"},
	};
	struct rig *rig = rig_of("load.1");
	struct gm_error err;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set(rig, wrong[i].key, wrong[i].text);
		assert_int_equal(gm_threshold_ops.check(&rig->options, &err), -EINVAL);
		if (!strstr(err.text, wrong[i].message))
			fail_msg("%s", err.text);
	}
	set(rig, "metric", "");
	assert_int_equal(gm_threshold_ops.check(&rig->options, &err), 0);
	assert_false(gm_threshold_ops.concerns(&rig->options, GM_ENTITY_NODE));
	set(rig, "metric", "net.rx.bytes");
	assert_true(gm_threshold_ops.concerns(&rig->options, GM_ENTITY_INTERFACE));
	assert_false(gm_threshold_ops.concerns(&rig->options, GM_ENTITY_GUEST));
	free(rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_itself_is_acceptable),
		cmocka_unit_test(the_unit_is_that_of_what_is_judged),
		cmocka_unit_test(hits_delay_all_but_the_way_back),
		cmocka_unit_test(hysteresis_holds_the_present_level_only),
		cmocka_unit_test(inverted_rules_forbid_what_is_between),
		cmocka_unit_test(persist_tells_every_value),
		cmocka_unit_test(a_pair_alternates),
		cmocka_unit_test(a_state_must_last),
		cmocka_unit_test(silence_is_told),
		cmocka_unit_test(silence_lasts_until_a_value_comes),
		cmocka_unit_test(kept_bytes_may_be_any),
		cmocka_unit_test(counters_are_judged_by_their_rate),
		cmocka_unit_test(a_leap_of_a_counter_is_forgotten),
		cmocka_unit_test(functions_look_back),
		cmocka_unit_test(other_metrics_and_nonsense_are_left_alone),
		cmocka_unit_test(what_is_kept_goes_on),
		cmocka_unit_test(rules_that_say_nothing_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
