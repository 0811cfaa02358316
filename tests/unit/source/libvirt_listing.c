/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of guests that is kept from tick to tick, on libvirt's test driver: when it holds, when it must be
 * made anew, and that reading takes from it what it would else ask for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/listing.h"
#include "source/libvirt/stats.h"

struct fixture {
	virConnectPtr conn;
	virDomainPtr domain; /* the only one of this node; it runs */
	struct gm_lv_listing listing;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	assert_int_equal(gm_lv_connect("test:///default", false, &fixture.conn, NULL), 0);
	fixture.domain = virDomainLookupByName(fixture.conn, "test");
	assert_non_null(fixture.domain);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	gm_lv_listing_clear(&fixture->listing);
	virDomainFree(fixture->domain);
	virConnectClose(fixture->conn);
	return 0;
}

static int check(struct fixture *fixture)
{
	return gm_lv_listing_check(&fixture->listing, fixture->conn, NULL);
}

static void ask(struct fixture *fixture)
{
	assert_int_equal(gm_lv_listing_ask(&fixture->listing, fixture->conn, NULL), 0);
}

static void test_when_it_holds(void **state)
{
	struct fixture *fixture = *state;
	struct gm_lv_listing *listing = &fixture->listing;

	assert_int_equal(check(fixture), 0); /* there is none */
	ask(fixture);
	assert_int_equal(listing->count, 1);
	assert_int_equal(listing->guests[0].state, VIR_DOMAIN_RUNNING);
	assert_int_equal(check(fixture), 1);
	listing->stale = true; /* an event has come */
	assert_int_equal(check(fixture), 0);
	ask(fixture);
	assert_int_equal(check(fixture), 1);
	listing->listed_at -= 2 * GM_SECOND;
	assert_int_equal(check(fixture), 0);
}

static void test_who_comes_and_goes_is_noticed_without_an_event(void **state)
{
	struct fixture *fixture = *state;

	ask(fixture);
	assert_int_equal(virDomainDestroy(fixture->domain), 0);
	assert_int_equal(check(fixture), 0);
	ask(fixture);
	assert_int_equal(fixture->listing.count, 0);
	assert_int_equal(check(fixture), 1); /* nobody is there, as before */
	assert_int_equal(virDomainCreate(fixture->domain), 0);
	assert_int_equal(check(fixture), 0);
	ask(fixture);
	assert_int_equal(fixture->listing.count, 1);
	/* Gone and back between two looks: its id is another. */
	assert_int_equal(virDomainDestroy(fixture->domain), 0);
	assert_int_equal(virDomainCreate(fixture->domain), 0);
	assert_int_equal(check(fixture), 0);
}

static void test_one_that_does_not_run_has_to_be_asked(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(virDomainSuspend(fixture->domain), 0);
	ask(fixture);
	assert_int_equal(fixture->listing.guests[0].state, -1);
	assert_int_equal(virDomainResume(fixture->domain), 0);
}

/* Reads, and tells the state of the only guest; -1: it was not read. */
static int read_state(struct fixture *fixture, const struct gm_lv_plan *plan, bool *ret_listed)
{
	const struct gm_lv_scope scope = {.listing = &fixture->listing};
	struct gm_lv_record_list list = {0};

	assert_int_equal(gm_lv_records_read(fixture->conn, plan, &scope, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	const struct gm_lv_record record = {.params = list.items[0].params,
					    .count = (size_t)list.items[0].param_count};
	int told = gm_lv_stats_state(&record);
	*ret_listed = list.items[0].listed;
	assert_true(list.items[0].read_at > 0);
	gm_lv_records_free(&list);
	return told;
}

static void test_reading_in_bulk_teaches_it(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_lv_plan plan = {.bulk = VIR_DOMAIN_STATS_STATE};
	bool listed;

	assert_int_equal(read_state(fixture, &plan, &listed), VIR_DOMAIN_RUNNING);
	assert_false(listed);
	assert_int_equal(read_state(fixture, &plan, &listed), VIR_DOMAIN_RUNNING);
	assert_true(listed);
	assert_int_equal(virDomainSuspend(fixture->domain), 0);
	fixture->listing.stale = true;
	assert_int_equal(read_state(fixture, &plan, &listed), VIR_DOMAIN_PAUSED);
	assert_false(listed);
	assert_int_equal(read_state(fixture, &plan, &listed), VIR_DOMAIN_PAUSED);
	assert_true(listed);
	assert_int_equal(virDomainResume(fixture->domain), 0);
}

static void test_reading_guest_by_guest_makes_it(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_lv_plan plan = {.single = VIR_DOMAIN_STATS_STATE};
	bool listed;

	assert_int_equal(read_state(fixture, &plan, &listed), VIR_DOMAIN_RUNNING);
	assert_true(listed);
	assert_int_equal(virDomainSuspend(fixture->domain), 0);
	fixture->listing.stale = true;
	assert_int_equal(read_state(fixture, &plan, &listed), VIR_DOMAIN_PAUSED);
	assert_true(listed);
	assert_int_equal(virDomainResume(fixture->domain), 0);
	/* It was not known to run: it is asked, and no event is needed for that. */
	assert_int_equal(read_state(fixture, &plan, &listed), VIR_DOMAIN_RUNNING);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_when_it_holds),
		TEST(test_who_comes_and_goes_is_noticed_without_an_event),
		TEST(test_one_that_does_not_run_has_to_be_asked),
		TEST(test_reading_in_bulk_teaches_it),
		TEST(test_reading_guest_by_guest_makes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
