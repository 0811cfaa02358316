/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry: its tables are sound, options reach detectors, sets hold what is enabled and fits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/detector.h"
#include "analysis/leak.h"
#include "base/clock.h"

static void count_finding(void *user, const struct gm_finding *finding)
{
	(void)finding;
	++*(unsigned *)user;
}

static void every_detector_is_found_and_can_be_switched_off(void **state)
{
	(void)state;
	for (size_t i = 0; gm_detectors[i]; i++) {
		const struct gm_detector_ops *ops = gm_detectors[i];
		const struct gm_option *enabled = gm_option_find(ops->options, "enabled");

		assert_ptr_equal(gm_detector_find(ops->name), ops);
		assert_true(strlen(ops->name) < GM_DETECTOR_NAME);
		assert_non_null(enabled);
		assert_int_equal(enabled->type, GM_OPTION_BOOL);
		for (const struct gm_option *option = ops->options; option->key; option++)
			assert_true(option->offset + option->size <= ops->options_size);
	}
	assert_non_null(gm_detector_find("leak"));
	assert_null(gm_detector_find("leaks"));
	assert_null(gm_detector_find(""));
}

static void settings_start_with_the_defaults(void **state)
{
	(void)state;
	struct gm_detector_settings *settings;
	struct gm_leak_options *leak;

	assert_int_equal(gm_detector_settings_create(&settings), 0);
	leak = gm_detector_settings_get(settings, &gm_leak_ops);
	assert_true(leak->enabled);
	assert_int_equal(leak->sensitivity, GM_LEAK_NORMAL);
	assert_int_equal(leak->horizon, 60 * 86400 * GM_SECOND);
	gm_detector_settings_free(settings);
	gm_detector_settings_free(NULL);
}

/* How many findings a set gives for a guest's quiet memory. */
static unsigned findings_of(struct gm_detector_settings *settings, struct gm_entity_key key)
{
	unsigned count = 0;
	struct gm_finding_sink sink = {.emit = count_finding, .user = &count};
	struct gm_point total = {.metric = GM_METRIC_MEMORY_TOTAL, .time = GM_SECOND, .value = 1e9};
	struct gm_detector_set *set;

	assert_int_equal(gm_detector_set_create(settings, &key, &set), 0);
	gm_detector_set_observe(set, &total, &sink);
	for (int64_t i = 1; i < 60; i++) {
		struct gm_point used = {
			.metric = GM_METRIC_MEMORY_USED, .time = i * GM_SECOND, .value = 3e8};

		gm_detector_set_observe(set, &used, &sink);
	}
	gm_detector_set_evaluate(set, 60 * GM_SECOND, &sink);
	gm_detector_set_disturb(set, 60 * GM_SECOND);
	assert_float_equal(gm_detector_set_score(set), 0, 0);
	gm_detector_set_free(set);
	return count;
}

static void sets_hold_what_is_enabled_and_fits(void **state)
{
	(void)state;
	static const uint8_t uuid[GM_UUID_SIZE] = {1};
	struct gm_detector_settings *settings;
	struct gm_leak_options *leak;

	assert_int_equal(gm_detector_settings_create(&settings), 0);
	assert_int_equal(findings_of(settings, gm_entity_guest(uuid)), 1);
	assert_int_equal(findings_of(settings, gm_entity_node()), 1);
	assert_int_equal(findings_of(settings, gm_entity_disk(uuid, "vda")), 0);
	leak = gm_detector_settings_get(settings, &gm_leak_ops);
	leak->enabled = false;
	assert_int_equal(findings_of(settings, gm_entity_guest(uuid)), 0);
	gm_detector_settings_free(settings);
	gm_detector_set_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_detector_is_found_and_can_be_switched_off),
		cmocka_unit_test(settings_start_with_the_defaults),
		cmocka_unit_test(sets_hold_what_is_enabled_and_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
