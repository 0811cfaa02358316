/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors that the node's hardware counts: corrected ones against their rate, the others each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/anomaly.h"
#include "base/clock.h"

#define START (INT64_C(1700000000) * GM_SECOND)
#define STEP  (10 * GM_SECOND)

struct told {
	const char *metric;
	unsigned active, ok;
	struct gm_finding last;
};

static void take_finding(void *user, const struct gm_finding *finding)
{
	struct told *told = user;

	if (strcmp(finding->metric, told->metric) != 0)
		return;
	told->active += finding->active;
	told->ok += !finding->active;
	if (finding->active)
		told->last = *finding;
}

struct node {
	struct gm_anomaly_options options;
	struct gm_detector *detector;
	int64_t now;
};

static int setup(void **state)
{
	static struct node node;
	const struct gm_entity_key key = gm_entity_node();

	node = (struct node){.now = START};
	gm_option_defaults(gm_anomaly_ops.options, &node.options);
	*state = &node;
	return gm_anomaly_ops.create(&node.options, &key, &node.detector);
}

static int teardown(void **state)
{
	struct node *node = *state;

	gm_anomaly_ops.destroy(node->detector);
	return 0;
}

/* `errors` more at each of `steps` readings. */
static struct told feed(struct node *node, unsigned metric, double errors, int steps)
{
	struct told told = {.metric = gm_metric_get(metric)->name};
	const struct gm_finding_sink sink = {take_finding, &told};

	for (int i = 0; i < steps; i++) {
		node->now += STEP;
		struct gm_point point = {
			.metric = metric, .time = node->now, .span = STEP, .value = errors};
		gm_anomaly_ops.observe(node->detector, &point, &sink);
		gm_anomaly_ops.evaluate(node->detector, node->now, &sink);
	}
	return told;
}

static void corrected_errors_have_a_rate(void **state)
{
	struct node *node = *state;
	struct told told = {0};

	/* One a day is what a good module does. */
	for (int day = 0; day < 5; day++) {
		told = feed(node, GM_METRIC_HW_MEMORY_CORRECTED, 1, 1);
		assert_int_equal(told.active, 0);
		told = feed(node, GM_METRIC_HW_MEMORY_CORRECTED, 0, 8639);
		assert_int_equal(told.active, 0);
	}
	assert_true(told.ok > 0);
	told = feed(node, GM_METRIC_HW_MEMORY_CORRECTED, 2, 12);
	assert_true(told.active > 0);
	assert_int_equal(told.last.event_type, GM_EVENT_EQUIPMENT);
	assert_int_equal(told.last.severity, GM_SEVERITY_WARNING);
	assert_string_equal(told.last.evidence.contributors, "hw.memory.corrected");
	assert_true(told.last.evidence.number[GM_EVIDENCE_VALUE] > 0.1);
	(void)feed(node, GM_METRIC_HW_MEMORY_CORRECTED, 0, 400);
	told = feed(node, GM_METRIC_HW_MEMORY_CORRECTED, 0, 1);
	assert_int_equal(told.active, 0);
}

/* Nobody has to learn what an uncorrected error means. */
static void an_uncorrected_error_is_one_too_many(void **state)
{
	static const unsigned metrics[] = {GM_METRIC_HW_MEMORY_UNCORRECTED,
					   GM_METRIC_HW_MACHINE_CHECKS};
	struct node *node = *state;

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		struct told told = feed(node, metrics[i], 0, 30);
		assert_int_equal(told.active, 0);
		(void)feed(node, metrics[i], 1, 1);
		told = feed(node, metrics[i], 0, 6);
		assert_true(told.active > 0);
		assert_int_equal(told.last.severity, GM_SEVERITY_MAJOR);
		assert_int_equal(told.last.event_type, GM_EVENT_EQUIPMENT);
		told = feed(node, metrics[i], 0, 170); /* half an hour is not over */
		assert_int_equal(told.ok, 0);
		told = feed(node, metrics[i], 0, 100);
		assert_true(told.ok > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(corrected_errors_have_a_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(an_uncorrected_error_is_one_too_many, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
