/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is away is told after a while, ends when it is back or not wanted any more; a short absence and
 * what is not configured are no news.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/selfalarms.h"

struct heard {
	struct gm_finding store, tap;
};

static void hear(void *user, const struct gm_finding *finding)
{
	struct heard *heard = user;
	assert_string_equal(finding->detector, GM_SELF_DETECTOR);
	assert_int_equal(finding->key.kind, GM_ENTITY_NODE);
	if (strcmp(finding->metric, "storeUnavailable") == 0)
		heard->store = *finding;
	else if (strcmp(finding->rule, "tap") == 0)
		heard->tap = *finding;
}

static void pass(struct gm_selfalarms *alarms, struct gm_selfalarms_input *input, int seconds,
		 struct heard *heard)
{
	struct gm_finding_sink sink = {hear, heard};
	for (int i = 0; i < seconds; i++) {
		input->monotonic += GM_SECOND;
		input->now += GM_SECOND;
		gm_selfalarms_tick(alarms, input, &sink);
	}
}

static struct gm_selfalarms_input all_there(void)
{
	struct gm_selfalarms_input input = {
		.store_wanted = true,
		.store_connected = true,
		.monotonic = GM_SECOND,
		.now = 1000 * GM_SECOND,
	};
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		input.source_wanted[id] = input.source_connected[id] = true;
	return input;
}

static void test_away_and_back(void **state)
{
	(void)state;
	struct gm_selfalarms alarms = {0};
	struct gm_selfalarms_input input = all_there();
	struct heard heard = {0};
	pass(&alarms, &input, 3, &heard);
	assert_false(heard.store.active || heard.tap.active);
	input.store_connected = input.source_connected[GM_SOURCE_TAP] = false;
	pass(&alarms, &input, 5, &heard);
	assert_false(heard.store.active);
	pass(&alarms, &input, 1, &heard);
	assert_true(heard.store.active);
	assert_int_equal(heard.store.severity, GM_SEVERITY_MINOR);
	assert_false(heard.tap.active);
	pass(&alarms, &input, 10, &heard);
	assert_true(heard.tap.active);
	assert_true(heard.store.evidence.number[GM_EVIDENCE_DURATION] == 15);
	input.store_connected = true;
	pass(&alarms, &input, 1, &heard);
	assert_false(heard.store.active);
	assert_true(heard.tap.active);
}

static void test_short_absences_do_not_add_up(void **state)
{
	(void)state;
	struct gm_selfalarms alarms = {0};
	struct gm_selfalarms_input input = all_there();
	struct heard heard = {0};
	for (int i = 0; i < 10; i++) {
		input.store_connected = false;
		pass(&alarms, &input, 4, &heard);
		assert_false(heard.store.active);
		input.store_connected = true;
		pass(&alarms, &input, 1, &heard);
	}
}

static void test_not_wanted_any_more(void **state)
{
	(void)state;
	struct gm_selfalarms alarms = {0};
	struct gm_selfalarms_input input = all_there();
	struct heard heard = {0};
	input.store_connected = input.source_connected[GM_SOURCE_TAP] = false;
	pass(&alarms, &input, 20, &heard);
	assert_true(heard.store.active && heard.tap.active);
	input.store_wanted = input.source_wanted[GM_SOURCE_TAP] = false;
	pass(&alarms, &input, 1, &heard);
	assert_false(heard.store.active || heard.tap.active);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_away_and_back),
		cmocka_unit_test(test_short_absences_do_not_add_up),
		cmocka_unit_test(test_not_wanted_any_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
