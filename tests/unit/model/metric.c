/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue's own consistency.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/entity.h"
#include "model/metric.h"

static void test_every_line_is_complete_and_named_once(void **state)
{
	(void)state;
	for (unsigned id = 0; id < GM_METRIC_COUNT; id++) {
		const struct gm_metric *metric = gm_metric_get(id);
		assert_int_equal(gm_metric_find(metric->name), id);
		assert_true(strlen(metric->unit) > 0 && strlen(metric->help) > 0);
		assert_true(metric->entities > 0 && metric->entities < 1U << GM_ENTITY_KINDS);
		for (const char *at = metric->name; *at != '\0'; at++)
			assert_true(islower((unsigned char)*at) || isdigit((unsigned char)*at) ||
				    *at == '.');
	}
}

static void test_unknown_names_and_ids(void **state)
{
	(void)state;
	assert_int_equal(gm_metric_find("no.such.metric"), GM_METRIC_NONE);
	assert_null(gm_metric_get(GM_METRIC_EXTRA));
	assert_int_equal(gm_metric_kind(GM_METRIC_EXTRA + 3), GM_KIND_GAUGE);
}

static void test_mirror_is_its_own_inverse(void **state)
{
	(void)state;
	for (unsigned id = 0; id < GM_METRIC_COUNT; id++) {
		unsigned other = gm_metric_mirrored(id);
		const char *name = gm_metric_get(id)->name;
		bool directed =
			strncmp(name, "net.rx.", 7) == 0 || strncmp(name, "net.tx.", 7) == 0;
		assert_int_equal(gm_metric_mirrored(other), id);
		assert_int_equal(other != id, directed);
		if (directed)
			assert_string_equal(gm_metric_get(other)->name + 6, name + 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line_is_complete_and_named_once),
		cmocka_unit_test(test_unknown_names_and_ids),
		cmocka_unit_test(test_mirror_is_its_own_inverse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
