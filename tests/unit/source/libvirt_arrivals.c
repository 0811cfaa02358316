/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libvirt's events mean for guests that a migration brings, or was to take away: the orders of events are
 * those that libvirt 9 tells at both ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libvirt/libvirt.h>

#include "source/libvirt/arrivals.h"

#define EVENT(event, detail) VIR_DOMAIN_EVENT_##event, VIR_DOMAIN_EVENT_##event##_##detail

enum { NOTHING = GM_GUEST_EVENTS };

static const uint8_t web[GM_UUID_SIZE] = {1}, db[GM_UUID_SIZE] = {2};

static enum gm_guest_event_kind judge(struct gm_lv_arrivals *arrivals, const uint8_t *uuid,
				      int event, int detail)
{
	enum gm_guest_event_kind kind = GM_GUEST_NOTIFIED;

	return gm_lv_arrivals_judge(arrivals, uuid, event, detail, &kind) ? kind : NOTHING;
}

#define EXPECT(arrivals, uuid, event, kind) \
	assert_int_equal(judge(arrivals, uuid, event), GM_GUEST_##kind)

static void test_arrives(void **state)
{
	(void)state;
	struct gm_lv_arrivals arrivals = {0};

	EXPECT(&arrivals, web, EVENT(STARTED, MIGRATED), MIGRATED);
	assert_true(gm_lv_arrivals_awaits(&arrivals, web));
	assert_false(gm_lv_arrivals_awaits(&arrivals, db));
	assert_int_equal(judge(&arrivals, web, EVENT(DEFINED, ADDED)),
			 NOTHING); /* a persistent one */
	assert_true(gm_lv_arrivals_awaits(&arrivals, web));
	EXPECT(&arrivals, web, EVENT(RESUMED, MIGRATED), MIGRATED);
	assert_false(gm_lv_arrivals_awaits(&arrivals, web));
	/* From now on it is one of ours. */
	EXPECT(&arrivals, web, EVENT(STOPPED, FAILED), CRASHED);
	EXPECT(&arrivals, web, EVENT(STOPPED, DESTROYED), STOPPED);
}

static void test_never_arrives(void **state)
{
	(void)state;
	struct gm_lv_arrivals arrivals = {0};

	EXPECT(&arrivals, web, EVENT(STARTED, MIGRATED), MIGRATED);
	EXPECT(&arrivals, db, EVENT(STOPPED, FAILED), CRASHED);
	EXPECT(&arrivals, web, EVENT(STOPPED, FAILED), STOPPED);
	assert_false(gm_lv_arrivals_awaits(&arrivals, web));
	assert_int_equal(arrivals.count, 0);
	/* Here it was paused when it was moved. */
	EXPECT(&arrivals, web, EVENT(STARTED, MIGRATED), MIGRATED);
	EXPECT(&arrivals, web, EVENT(SUSPENDED, PAUSED), SUSPENDED);
	EXPECT(&arrivals, web, EVENT(STOPPED, CRASHED), CRASHED);
}

static void test_with_memory_to_come(void **state)
{
	(void)state;
	struct gm_lv_arrivals arrivals = {0};

	EXPECT(&arrivals, web, EVENT(STARTED, MIGRATED), MIGRATED);
	EXPECT(&arrivals, web, EVENT(RESUMED, POSTCOPY), MIGRATED);
	assert_false(gm_lv_arrivals_awaits(&arrivals, web));
	EXPECT(&arrivals, web, EVENT(RESUMED, MIGRATED), MIGRATED);
	assert_int_equal(arrivals.count, 0);
	/* One whose memory never came is lost. */
	EXPECT(&arrivals, web, EVENT(STARTED, MIGRATED), MIGRATED);
	EXPECT(&arrivals, web, EVENT(RESUMED, POSTCOPY), MIGRATED);
	EXPECT(&arrivals, web, EVENT(STOPPED, FAILED), CRASHED);
}

static void test_leaves(void **state)
{
	(void)state;
	struct gm_lv_arrivals arrivals = {0};

	EXPECT(&arrivals, web, EVENT(SUSPENDED, MIGRATED), SUSPENDED);
	EXPECT(&arrivals, web, EVENT(STOPPED, MIGRATED), MIGRATED);
	/* The target has failed in the last moment: it goes on here. */
	EXPECT(&arrivals, web, EVENT(SUSPENDED, MIGRATED), SUSPENDED);
	EXPECT(&arrivals, web, EVENT(RESUMED, MIGRATED), STAYED);
	assert_int_equal(arrivals.count, 0);
}

/* It began to come, or to go, before anybody listened. */
static void test_began_earlier(void **state)
{
	(void)state;
	struct gm_lv_arrivals arrivals = {0};

	EXPECT(&arrivals, web, EVENT(RESUMED, MIGRATED), MIGRATED);
	assert_int_equal(arrivals.count, 0);
	EXPECT(&arrivals, web, EVENT(SUSPENDED, MIGRATED), SUSPENDED);
	assert_false(gm_lv_arrivals_awaits(&arrivals, web)); /* it was here all the time */
	EXPECT(&arrivals, web, EVENT(STOPPED, FAILED), CRASHED);
	EXPECT(&arrivals, web, EVENT(RESUMED, MIGRATED), MIGRATED);
}

static void test_many(void **state)
{
	(void)state;
	struct gm_lv_arrivals arrivals = {0};
	uint8_t uuid[GM_UUID_SIZE] = {0};

	for (unsigned i = 0; i < 3 * GM_LV_ARRIVALS; i++) {
		uuid[0] = (uint8_t)i;
		EXPECT(&arrivals, uuid, EVENT(STARTED, MIGRATED), MIGRATED);
		EXPECT(&arrivals, uuid, EVENT(STARTED, MIGRATED), MIGRATED); /* once more */
	}
	assert_int_equal(arrivals.count, GM_LV_ARRIVALS);
	for (unsigned i = 0; i < 3 * GM_LV_ARRIVALS; i++) {
		uuid[0] = (uint8_t)i;
		assert_int_equal(gm_lv_arrivals_awaits(&arrivals, uuid), i >= 2 * GM_LV_ARRIVALS);
	}
	for (unsigned i = 2 * GM_LV_ARRIVALS; i < 3 * GM_LV_ARRIVALS; i++) {
		uuid[0] = (uint8_t)i;
		EXPECT(&arrivals, uuid, EVENT(STOPPED, FAILED), STOPPED);
	}
	assert_int_equal(arrivals.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arrives),
		cmocka_unit_test(test_never_arrives),
		cmocka_unit_test(test_with_memory_to_come),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_began_earlier),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
