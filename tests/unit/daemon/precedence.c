/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose word on a guest's memory is taken: the one who speaks more often, the next when that one falls
 * silent, and never two in one series.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/precedence.h"
#include "model/metric.h"

#define T0 (1700000000 * GM_SECOND)

struct taken {
	int balloon, snmp, changes;
};

/* Both tell for so many seconds, at their intervals; 0: silent. */
static struct taken run(struct gm_precedence *precedence, int64_t *now, int seconds,
			int64_t balloon, int64_t snmp)
{
	struct taken taken = {0};
	int64_t end = *now + seconds * GM_SECOND;
	int last = -1;

	for (; *now < end; *now += 10 * GM_MILLISECOND) {
		if (balloon && *now % balloon == 0 &&
		    gm_precedence_take(precedence, GM_SOURCE_LIBVIRT_SLOW, *now, *now)) {
			taken.balloon++;
			taken.changes += last == GM_SOURCE_SNMP;
			last = GM_SOURCE_LIBVIRT_SLOW;
		}
		if (snmp && *now % snmp == 10 * GM_MILLISECOND &&
		    gm_precedence_take(precedence, GM_SOURCE_SNMP, *now, *now)) {
			taken.snmp++;
			taken.changes += last == GM_SOURCE_LIBVIRT_SLOW;
			last = GM_SOURCE_SNMP;
		}
	}
	return taken;
}

static void takes_the_more_frequent(void **state)
{
	struct gm_precedence precedence = {0};
	int64_t now = T0;

	(void)state;
	run(&precedence, &now, 5, GM_SECOND, 100 * GM_MILLISECOND);
	struct taken taken = run(&precedence, &now, 10, GM_SECOND, 100 * GM_MILLISECOND);
	assert_int_equal(taken.balloon, 0);
	assert_in_range(taken.snmp, 99, 101);
	/* snmpd with its cache of five seconds is the lesser one. */
	run(&precedence, &now, 60, GM_SECOND, 5 * GM_SECOND);
	taken = run(&precedence, &now, 10, GM_SECOND, 5 * GM_SECOND);
	assert_in_range(taken.balloon, 9, 11);
	assert_int_equal(taken.snmp, 0);
}

static void falls_back_on_the_other(void **state)
{
	struct gm_precedence precedence = {0};
	int64_t now = T0;

	(void)state;
	run(&precedence, &now, 10, GM_SECOND, 100 * GM_MILLISECOND);
	struct taken taken = run(&precedence, &now, 10, GM_SECOND, 0);
	assert_in_range(taken.balloon, 7, 9); /* after a second and three intervals */
	taken = run(&precedence, &now, 10, GM_SECOND, 100 * GM_MILLISECOND);
	assert_true(taken.snmp > 80);
	assert_int_equal(taken.changes, taken.balloon > 0);
}

static void does_not_alternate(void **state)
{
	struct gm_precedence precedence = {0};
	int64_t now = T0;

	(void)state;
	run(&precedence, &now, 5, GM_SECOND, GM_SECOND);
	struct taken taken = run(&precedence, &now, 60, GM_SECOND, GM_SECOND);
	assert_in_range(taken.balloon, 59, 61); /* alike: the first of the list */
	assert_int_equal(taken.snmp, 0);
}

/* Who died before the clock was set back does not live until it is there again. */
static void is_not_held_up_by_a_clock_set_back(void **state)
{
	struct gm_precedence precedence = {0};
	int64_t now = T0;

	(void)state;
	run(&precedence, &now, 10, GM_SECOND, 100 * GM_MILLISECOND);
	now -= 3600 * GM_SECOND;
	struct taken taken = run(&precedence, &now, 10, GM_SECOND, 0);
	assert_in_range(taken.balloon, 9, 10);
	/* The other has its place when it comes back. */
	taken = run(&precedence, &now, 10, GM_SECOND, 100 * GM_MILLISECOND);
	assert_true(taken.snmp > 80);
	/* What was read just now is not older for being dated some seconds ago. */
	assert_false(
		gm_precedence_take(&precedence, GM_SOURCE_LIBVIRT_SLOW, now - 10 * GM_SECOND, now));
}

static void leaves_alone_what_is_not_shared(void **state)
{
	struct gm_precedence precedence = {0};
	int64_t now = T0;

	(void)state;
	assert_true(gm_precedence_shared(GM_METRIC_MEMORY_USED));
	assert_false(gm_precedence_shared(GM_METRIC_MEMORY_RESIDENT));
	assert_false(gm_precedence_shared(GM_METRIC_SWAP_IN)); /* a counter */
	/* Alone, whatever the pace. */
	struct taken taken = run(&precedence, &now, 300, 0, 100 * GM_SECOND);
	assert_int_equal(taken.snmp, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_more_frequent),
		cmocka_unit_test(falls_back_on_the_other),
		cmocka_unit_test(does_not_alternate),
		cmocka_unit_test(is_not_held_up_by_a_clock_set_back),
		cmocka_unit_test(leaves_alone_what_is_not_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
