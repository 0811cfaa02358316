/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bursts of several ports: who burst at once, how it is counted, what is bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analysis/contention.h"
#include "base/clock.h"

static const double origin = 1700000000;

static struct gm_finding burst(const char *device, const char *direction, double start,
			       double duration, double volume)
{
	struct gm_finding finding = {.key = gm_entity_interface(device),
				     .detector = "burst",
				     .active = true,
				     .report = true};
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_START, origin + start);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_DURATION, duration);
	gm_evidence_set(&finding.evidence, GM_EVIDENCE_VOLUME, volume);
	snprintf(finding.evidence.direction, sizeof(finding.evidence.direction), "%s", direction);
	return finding;
}

static size_t ports_of(const struct gm_finding *finding)
{
	assert_true(gm_evidence_has(&finding->evidence, GM_EVIDENCE_PORTS));
	return (size_t)finding->evidence.number[GM_EVIDENCE_PORTS];
}

static void the_others_are_named_largest_first(void **state)
{
	(void)state;
	struct gm_contention *contention;
	assert_int_equal(gm_contention_create(&contention), 0);
	struct gm_finding a = burst("tap1", "rx", 10.0, 0.1, 1e6);
	struct gm_finding b = burst("tap2", "rx", 10.05, 0.2, 9e6);
	struct gm_finding late = burst("tap3", "rx", 11.0, 0.1, 5e6);
	struct gm_finding c = burst("tap4", "tx", 10.08, 0.01, 3e6);
	gm_contention_take(contention, &a);
	assert_int_equal(ports_of(&a), 1);
	assert_string_equal(a.evidence.contributors, "");
	gm_contention_take(contention, &b);
	gm_contention_take(contention, &late);
	assert_int_equal(ports_of(&late), 1);
	gm_contention_take(contention, &c);
	assert_int_equal(ports_of(&c), 3);
	assert_string_equal(c.evidence.contributors, "tap2,tap1");
	/* Told again when it has ended: what is known by now, and not counted twice. */
	struct gm_finding again = burst("tap1", "rx", 10.0, 0.12, 12e6);
	gm_contention_take(contention, &again);
	assert_int_equal(ports_of(&again), 3);
	assert_string_equal(again.evidence.contributors, "tap2,tap4");
	const struct gm_contention_stats *stats = gm_contention_stats(contention);
	assert_int_equal(stats->bursts, 4);
	assert_int_equal(stats->most, 3);
	assert_int_equal(stats->ports[0], 2);
	assert_int_equal(stats->ports[1], 2); /* two and three at once */
	int64_t at = (int64_t)((origin + 10.09) * (double)GM_SECOND);
	assert_int_equal(gm_contention_ports(contention, at, at), 3);
	at += GM_SECOND;
	assert_int_equal(gm_contention_ports(contention, at - GM_SECOND, at), 4);
	assert_int_equal(gm_contention_ports(contention, at, at), 1);
	gm_contention_gone(contention, "tap2");
	gm_contention_take(contention, &again);
	assert_string_equal(again.evidence.contributors, "tap4");
	gm_contention_free(contention);
}

static void both_directions_are_one_port(void **state)
{
	(void)state;
	struct gm_contention *contention;
	assert_int_equal(gm_contention_create(&contention), 0);
	struct gm_finding in = burst("tap1", "rx", 1, 1, 4e6), out = burst("tap1", "tx", 1, 1, 4e6);
	struct gm_finding other = burst("tap2", "rx", 1.5, 1, 5e6);
	gm_contention_take(contention, &in);
	gm_contention_take(contention, &out);
	assert_int_equal(ports_of(&out), 1);
	gm_contention_take(contention, &other);
	assert_int_equal(ports_of(&other), 2);
	assert_string_equal(other.evidence.contributors, "tap1");
	assert_int_equal(gm_contention_stats(contention)->bursts, 3);
	gm_contention_free(contention);
}

static void a_thousand_ports_are_bounded(void **state)
{
	(void)state;
	struct gm_contention *contention;
	struct gm_finding last = {0};
	assert_int_equal(gm_contention_create(&contention), 0);
	for (int i = 0; i < 1000; i++) {
		char device[GM_DEVICE_NAME];
		snprintf(device, sizeof(device), "tap%d", i);
		last = burst(device, "rx", 5 + i * 1e-4, 1, 1000.0 + i);
		gm_contention_take(contention, &last);
	}
	assert_int_equal(ports_of(&last), GM_CONTENTION_MAX);
	assert_int_equal(strncmp(last.evidence.contributors, "tap998,tap997,", 14), 0);
	size_t length = strlen(last.evidence.contributors);
	assert_in_range(length, 240, sizeof(last.evidence.contributors) - 1);
	/* Whole names only. */
	assert_int_equal(strncmp(strrchr(last.evidence.contributors, ',') + 1, "tap9", 4), 0);
	assert_int_equal(length % 7, 6);
	assert_int_equal(gm_contention_stats(contention)->most, GM_CONTENTION_MAX);
	assert_int_equal(gm_contention_stats(contention)->ports[9], 1000 - GM_CONTENTION_MAX + 1);
	/* The first one is forgotten by now: repeating it does not make it new. */
	struct gm_finding first = burst("tap0", "rx", 5, 1, 1000);
	first.report = false;
	gm_contention_take(contention, &first);
	assert_false(gm_evidence_has(&first.evidence, GM_EVIDENCE_PORTS));
	assert_int_equal(gm_contention_stats(contention)->bursts, 1000);
	gm_contention_free(contention);
}

static void what_is_no_burst_is_left_alone(void **state)
{
	(void)state;
	struct gm_contention *contention;
	assert_int_equal(gm_contention_create(&contention), 0);
	const double odd[] = {-1, 1e300};
	for (size_t i = 0; i < 2 * sizeof(odd) / sizeof(odd[0]); i++) {
		struct gm_finding finding = burst("tap1", "rx", 1, 1, 1);
		gm_evidence_set(&finding.evidence, i % 2 ? GM_EVIDENCE_START : GM_EVIDENCE_DURATION,
				odd[i / 2]);
		gm_contention_take(contention, &finding);
		assert_false(gm_evidence_has(&finding.evidence, GM_EVIDENCE_PORTS));
	}
	struct gm_finding none = {.key = gm_entity_interface("tap1")};
	gm_contention_take(contention, &none);
	assert_int_equal(gm_contention_stats(contention)->bursts, 0);
	gm_contention_free(contention);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_others_are_named_largest_first),
		cmocka_unit_test(both_directions_are_one_port),
		cmocka_unit_test(a_thousand_ports_are_bounded),
		cmocka_unit_test(what_is_no_burst_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
