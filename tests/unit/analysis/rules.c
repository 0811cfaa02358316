/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and overrides: whom they match, which instances a set gets, what stays when settings change, and
 * that each instance is kept under its own name.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/leak.h"
#include "analysis/policy.h"
#include "analysis/rules.h"
#include "analysis/threshold.h"
#include "base/clock.h"

#define T0 (INT64_C(1700000000) * GM_SECOND)

static const uint8_t uuid[GM_UUID_SIZE] = {0xab, 1};

static const struct gm_guest_info web = {
	.name = "instance-00000001",
	.display_name = "web-1",
	.project = "shop",
	.project_uuid = "0123456789abcdef0123456789abcdef",
	.flavor = "m1.small",
};

static bool holds(struct gm_match match, const struct gm_guest_info *guest)
{
	struct gm_entity_key key = gm_entity_guest(uuid);
	struct gm_subject subject = {.key = &key, .owner = uuid, .guest = guest};

	return gm_match_holds(&match, &subject);
}

static void matches_ask_for_all_that_they_name(void **state)
{
	(void)state;
	struct gm_entity_key node = gm_entity_node();
	struct gm_subject host = {.key = &node};

	assert_true(holds((struct gm_match){.entities = 0}, NULL));
	assert_true(holds((struct gm_match){.entities = 1U << GM_ENTITY_GUEST}, NULL));
	assert_false(holds((struct gm_match){.entities = 1U << GM_ENTITY_NODE}, NULL));
	assert_true(holds((struct gm_match){.name = "web-*"}, &web));
	assert_true(holds((struct gm_match){.name = "instance-*"}, &web));
	assert_false(holds((struct gm_match){.name = "db-*"}, &web));
	assert_false(holds((struct gm_match){.name = "*, !web-*"}, &web));
	assert_true(holds((struct gm_match){.name = "*, !db-*"}, &web));
	assert_false(holds((struct gm_match){.name = "web-*"}, NULL)); /* not known yet */
	assert_true(holds((struct gm_match){.uuid = "ab01*"}, NULL));
	assert_true(holds((struct gm_match){.project = "shop", .flavor = "m1.*"}, &web));
	assert_true(holds((struct gm_match){.project = "0123456789abcdef*"}, &web));
	assert_false(holds((struct gm_match){.project = "shop", .flavor = "m2.*"}, &web));
	assert_false(gm_match_holds(&(struct gm_match){.name = "*"}, &host));
	assert_true(gm_match_holds(&(struct gm_match){.entities = 0}, &host));
}

static struct gm_detector_settings *settings_new(void)
{
	struct gm_detector_settings *settings;

	assert_int_equal(gm_detector_settings_create(&settings), 0);
	return settings;
}

static int add_threshold(struct gm_detector_settings *settings, const char *name, const char *max,
			 const char *pattern)
{
	struct gm_threshold_options *options = calloc(1, sizeof(*options));
	struct gm_match match = {.entities = 0};

	gm_option_defaults(gm_threshold_ops.options, options);
	gm_option_set(gm_threshold_ops.options, options, "metric", "memory.used", NULL);
	gm_option_set(gm_threshold_ops.options, options, "warning-max", max, NULL);
	memcpy(match.name, pattern, strlen(pattern));
	int result =
		gm_detector_settings_add_rule(settings, &gm_threshold_ops, name, &match, options);
	free(options);
	return result;
}

static struct gm_detector_set *set_for(struct gm_detector_settings *settings,
				       const struct gm_guest_info *guest,
				       const struct gm_detector_set *old)
{
	struct gm_entity_key key = gm_entity_guest(uuid);
	struct gm_subject subject = {.key = &key, .owner = uuid, .guest = guest};
	struct gm_detector_set *set;

	assert_int_equal(gm_detector_set_prepare(settings, &subject, old, &set), 0);
	return set;
}

/* The rules that find something in a sample of 50, in the order in which they say so. */
struct told {
	size_t count;
	char rules[8][GM_RULE_NAME];
};

static void take(void *user, const struct gm_finding *finding)
{
	struct told *told = user;

	if (finding->active && strcmp(finding->detector, "threshold") == 0)
		memcpy(told->rules[told->count++], finding->rule, GM_RULE_NAME);
}

static struct told observe(struct gm_detector_set *set, int64_t time, double value)
{
	struct told told = {.count = 0};
	struct gm_finding_sink sink = {take, &told};
	struct gm_point point = {.metric = GM_METRIC_MEMORY_USED, .time = time, .value = value};

	gm_detector_set_observe(set, &point, &sink);
	return told;
}

static void rules_are_instances_for_whom_they_match(void **state)
{
	(void)state;
	struct gm_detector_settings *settings = settings_new();

	assert_false(gm_detector_settings_depend_on_guest(settings));
	assert_int_equal(add_threshold(settings, "all", "40", ""), 0);
	assert_false(gm_detector_settings_depend_on_guest(settings));
	assert_int_equal(add_threshold(settings, "web", "45", "web-*"), 0);
	assert_int_equal(add_threshold(settings, "db", "45", "db-*"), 0);
	assert_int_equal(add_threshold(settings, "web", "45", ""), -EEXIST);
	assert_true(gm_detector_settings_depend_on_guest(settings));

	struct gm_detector_set *set = set_for(settings, NULL, NULL);
	assert_true(gm_detector_set_has(set, "threshold", "all"));
	assert_false(gm_detector_set_has(set, "threshold", "web"));
	assert_false(gm_detector_set_has(set, "threshold", "")); /* no metric: nothing to judge */
	assert_true(gm_detector_set_has(set, "leak", ""));
	gm_detector_set_free(set);

	set = set_for(settings, &web, NULL);
	struct told told = observe(set, T0, 50);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.rules[0], "all");
	assert_string_equal(told.rules[1], "web");
	gm_detector_settings_free(settings); /* the set goes on without them */
	told = observe(set, T0 + GM_SECOND, 10);
	told = observe(set, T0 + 2 * GM_SECOND, 42);
	assert_int_equal(told.count, 1);
	gm_detector_set_free(set);
}

static void overrides_change_options_for_some(void **state)
{
	(void)state;
	struct gm_detector_settings *settings = settings_new();
	struct gm_error err;

	assert_int_equal(add_threshold(settings, "all", "40", ""), 0);
	gm_detector_settings_add_override(settings, &(struct gm_match){.flavor = "m1.*"});
	assert_int_equal(
		gm_detector_settings_override(settings, &gm_leak_ops, "enabled", "false", &err), 0);
	assert_int_equal(
		gm_detector_settings_override(settings, &gm_leak_ops, "sensitivity", "huge", &err),
		-ERANGE);
	assert_int_equal(gm_detector_settings_override(settings, &gm_leak_ops, "colour", "1", &err),
			 -ENOENT);
	gm_detector_settings_add_override(settings, &(struct gm_match){.project = "shop"});
	assert_int_equal(
		gm_detector_settings_override(settings, &gm_threshold_ops, "enabled", "no", &err),
		0);

	struct gm_detector_set *set = set_for(settings, NULL, NULL);
	assert_true(gm_detector_set_has(set, "leak", ""));
	assert_true(gm_detector_set_has(set, "threshold", "all"));
	gm_detector_set_free(set);
	set = set_for(settings, &web, NULL);
	assert_false(gm_detector_set_has(set, "leak", ""));
	assert_false(gm_detector_set_has(set, "threshold", "all"));
	assert_true(gm_detector_set_has(set, "learned", ""));
	gm_detector_set_free(set);

	/* A later override wins. */
	gm_detector_settings_add_override(settings, &(struct gm_match){.name = "web-1"});
	gm_detector_settings_override(settings, &gm_leak_ops, "enabled", "true", &err);
	set = set_for(settings, &web, NULL);
	assert_true(gm_detector_set_has(set, "leak", ""));
	gm_detector_set_free(set);
	gm_detector_settings_free(settings);
}

static void what_stays_the_same_stays(void **state)
{
	(void)state;
	struct gm_detector_settings *before = settings_new(), *after = settings_new();

	add_threshold(before, "kept", "40", "");
	add_threshold(before, "changed", "40", "");
	add_threshold(before, "dropped", "40", "");
	add_threshold(after, "new", "40", "");
	add_threshold(after, "changed", "45", "");
	add_threshold(after, "kept", "40", "");

	struct gm_detector_set *old = set_for(before, NULL, NULL);
	assert_int_equal(observe(old, T0, 50).count, 3);

	/* A set that is prepared and thrown away leaves the old one as it was. */
	struct gm_detector_set *unused = set_for(after, NULL, old);
	assert_true(gm_detector_set_differs(unused, old));
	gm_detector_set_free(unused);
	assert_int_equal(observe(old, T0 + GM_SECOND, 50).count, 0); /* it knows: told once */

	struct gm_detector *leak = gm_detector_set_find(old, &gm_leak_ops);
	struct gm_detector_set *set = set_for(after, NULL, old);
	gm_detector_set_adopt(set, old);
	gm_detector_settings_free(before);
	assert_ptr_equal(gm_detector_set_find(set, &gm_leak_ops), leak);
	struct told told = observe(set, T0 + 2 * GM_SECOND, 50);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.rules[0], "new");
	assert_string_equal(told.rules[1], "changed");

	struct gm_detector_set *same = set_for(after, NULL, set);
	assert_false(gm_detector_set_differs(same, set));
	gm_detector_set_adopt(same, set);
	assert_int_equal(observe(same, T0 + 3 * GM_SECOND, 50).count, 0);
	gm_detector_settings_free(after);
	gm_detector_set_free(same);
}

static void each_instance_is_kept_under_its_name(void **state)
{
	(void)state;
	struct gm_detector_settings *settings = settings_new();
	struct gm_buffer bytes = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct gm_error err = {.text = ""};

	add_threshold(settings, "low", "40", "");
	add_threshold(settings, "high", "60", "");
	struct gm_detector_set *set = set_for(settings, NULL, NULL);
	assert_int_equal(observe(set, T0, 50).count, 1);
	assert_int_equal(gm_detector_set_save(set, &bytes), 0);
	gm_detector_set_free(set);
	gm_detector_settings_free(settings);

	settings = settings_new();
	add_threshold(settings, "high", "60", "");
	add_threshold(settings, "low", "40", "");
	add_threshold(settings, "more", "40", "");
	set = set_for(settings, NULL, NULL);
	if (gm_detector_set_restore(set, bytes.data, bytes.length, &err) != 0)
		fail_msg("%s", err.text);
	struct told told = observe(set, T0 + GM_SECOND, 50);
	assert_int_equal(told.count, 1); /* `low` knows already */
	assert_string_equal(told.rules[0], "more");
	told = observe(set, T0 + 2 * GM_SECOND, 61);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.rules[0], "high");
	gm_detector_set_free(set);
	gm_detector_settings_free(settings);
	gm_buffer_free(&bytes);
}

/* Numbers that nothing can be learned from do not take from the others what they have learned. */
static void hostile_numbers_spoil_nothing(void **state)
{
	(void)state;
	static const double values[] = {1e308, -1e308, 0, 1e308, 5e-324, -1e308};
	struct gm_detector_settings *settings = settings_new();
	struct gm_buffer bytes = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct gm_error err = {.text = ""};

	add_threshold(settings, "low", "40", "");
	struct gm_detector_set *set = set_for(settings, NULL, NULL);
	for (int i = 0; i < 3000; i++)
		observe(set, T0 + i * GM_SECOND, values[i % 6]);
	assert_int_equal(gm_detector_set_save(set, &bytes), 0);
	if (gm_detector_set_restore(set, bytes.data, bytes.length, &err) != 0)
		fail_msg("%s", err.text);
	gm_detector_set_free(set);
	gm_detector_settings_free(settings);
	gm_buffer_free(&bytes);
}

static void there_is_an_end_to_them(void **state)
{
	(void)state;
	struct gm_detector_settings *settings = settings_new();
	struct gm_match match = {.entities = 0};
	char name[GM_RULE_NAME];

	for (int i = 0; i < GM_RULES_MAX; i++) {
		snprintf(name, sizeof(name), "rule-%d", i);
		assert_int_equal(add_threshold(settings, name, "40", ""), 0);
	}
	assert_int_equal(add_threshold(settings, "more", "40", ""), -ENOSPC);
	for (int i = 0; i < GM_OVERRIDES_MAX; i++)
		assert_int_equal(gm_detector_settings_add_override(settings, &match), 0);
	assert_int_equal(gm_detector_settings_add_override(settings, &match), -ENOSPC);
	gm_detector_set_free(set_for(settings, NULL, NULL));
	gm_detector_settings_free(settings);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_ask_for_all_that_they_name),
		cmocka_unit_test(rules_are_instances_for_whom_they_match),
		cmocka_unit_test(overrides_change_options_for_some),
		cmocka_unit_test(what_stays_the_same_stays),
		cmocka_unit_test(each_instance_is_kept_under_its_name),
		cmocka_unit_test(hostile_numbers_spoil_nothing),
		cmocka_unit_test(there_is_an_end_to_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
