/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is looked at more closely, by the findings of the leak detector.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/suspicion.h"

#define T0  (INT64_C(1700000000) * GM_SECOND)
#define MIB (1024.0 * 1024.0)

static const uint8_t uuid[GM_UUID_SIZE] = {7};

static struct gm_finding finding_of(int second, double used)
{
	struct gm_finding finding = {.key = gm_entity_guest(uuid), .time = T0 + second * GM_SECOND};

	snprintf(finding.detector, sizeof(finding.detector), "leak");
	snprintf(finding.metric, sizeof(finding.metric), "memory.used");
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_USED, used);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_TOTAL, 256 * MIB);
	return finding;
}

/* The second at which the guest becomes suspect; -1: never. */
static int suspect_at(double (*used)(int second), int seconds)
{
	struct gm_suspicion suspicion = {NULL};
	int found = -1;

	for (int second = 0; second < seconds && found < 0; second++) {
		struct gm_finding finding = finding_of(second, used(second));

		if (gm_suspicion_take(&suspicion, &finding))
			found = second;
	}
	gm_suspicion_clear(&suspicion);
	return found;
}

static double leak(int second)
{
	return 50 * MIB + second * MIB;
}

static double steady(int second)
{
	return 50 * MIB + second % 3 * MIB;
}

static double creep(int second) /* less than is worth a look */
{
	return 50 * MIB + second * MIB / 1000;
}

static double sawtooth(int second)
{
	return 50 * MIB + second % 12 * MIB;
}

static void test_growth(void **state)
{
	(void)state;
	assert_in_range(suspect_at(leak, 100), 20, 25);
	assert_int_equal(suspect_at(steady, 500), -1);
	assert_int_equal(suspect_at(creep, 500), -1);
	assert_int_equal(suspect_at(sawtooth, 500), -1);
}

static void test_found_leak(void **state)
{
	(void)state;
	struct gm_suspicion suspicion = {NULL};
	struct gm_finding finding = finding_of(0, 100 * MIB);

	assert_false(gm_suspicion_take(&suspicion, &finding));
	finding.active = true;
	assert_true(gm_suspicion_take(&suspicion, &finding));
	snprintf(finding.metric, sizeof(finding.metric), "memory.resident");
	assert_false(gm_suspicion_take(&suspicion, &finding));
	finding = finding_of(0, 100 * MIB);
	finding.active = true;
	snprintf(finding.detector, sizeof(finding.detector), "burst");
	assert_false(gm_suspicion_take(&suspicion, &finding));
	gm_suspicion_forget(&suspicion, &finding.key);
	gm_suspicion_forget(&suspicion, &finding.key);
	assert_null(suspicion.suspects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_found_leak),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
