/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of guests while the database is locked: what could not be retired is retired later, unless its guest
 * is here again, and what could not be had comes as one transaction, however full the table is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/numbers.h"
#include "intake_fixture.h"
#include "support/commits.h"
#include "support/pipeline_ends.h"
#include "support/state_sql.h"

#define T0  INT64_C(1700000000000000000)
#define DAY (24 * 3600 * GM_SECOND)

static int setup(void **state)
{
	struct intake_fixture *on = calloc(1, sizeof(*on));
	struct gm_intake_sink sink = sink_that_passes(NULL);

	open_intake(on, 60 * GM_SECOND, &sink);
	*state = on;
	return 0;
}

static int teardown(void **state)
{
	close_intake(*state);
	free(*state);
	return 0;
}

static struct gm_entity_info guest_of(uint16_t which)
{
	const uint8_t uuid[GM_UUID_SIZE] = {0xab, (uint8_t)(which >> 8), (uint8_t)which};

	return (struct gm_entity_info){.key = gm_entity_guest(uuid), .guest = {.name = "guest"}};
}

/* Its number. */
static uint32_t see(struct intake_fixture *on, uint16_t which)
{
	struct gm_entity_info info = guest_of(which);

	gm_intake_seen(on->intake, GM_SOURCE_LIBVIRT, &info);
	return gm_entities_find(gm_intake_entities(on->intake), &info.key)->guest_index;
}

static void lose(struct intake_fixture *on, uint16_t which, int64_t time)
{
	struct gm_entity_info info = guest_of(which);

	gm_intake_gone(on->intake, GM_SOURCE_LIBVIRT, &info.key, time);
}

/* Guests that are gone have rested since then: the next new one has the least number that is nobody's. */
static void let_days_pass(struct intake_fixture *on)
{
	assert_true(see(on, 60000) > 0);
	lose(on, 60000, T0 + 2 * DAY);
	gm_intake_evaluate(on->intake, T0 + 2 * DAY);
}

enum { MANY = 1100 /* more than one transaction retires */ };

/* Those that are told at once, from `first` on, have the numbers from 1 on. */
static void see_many(struct intake_fixture *on, uint16_t first)
{
	static struct gm_entity_info guests[MANY];
	static const struct gm_entity_info *infos[MANY];
	static enum gm_source_id sources[MANY];

	for (uint16_t i = 0; i < MANY; i++) {
		guests[i] = guest_of(first + i);
		infos[i] = &guests[i];
		sources[i] = GM_SOURCE_LIBVIRT;
	}
	gm_intake_foresee(on->intake, sources, infos, MANY);
	for (uint16_t i = 0; i < MANY; i++)
		assert_int_equal(see(on, first + i), i + 1);
}

static void test_what_could_not_be_retired_is_later(void **state)
{
	struct intake_fixture *on = *state;

	see_many(on, 1);
	sqlite3 *database = lock_database(on->directory);
	for (uint16_t i = 1; i <= MANY; i++)
		lose(on, i, T0);
	gm_intake_evaluate(on->intake, T0);
	sqlite3_close(database);
	gm_intake_evaluate(on->intake, T0 + GM_SECOND);
	let_days_pass(on);
	see_many(on, 2000);
}

static void test_who_is_here_again_keeps_his(void **state)
{
	struct intake_fixture *on = *state;
	const struct gm_entity_info second = guest_of(2), third = guest_of(3);
	const struct gm_entity_info *infos[] = {&second, &third};
	const enum gm_source_id sources[] = {GM_SOURCE_LIBVIRT, GM_SOURCE_LIBVIRT};

	for (uint16_t i = 1; i <= 3; i++)
		assert_int_equal(see(on, i), i);
	sqlite3 *database = lock_database(on->directory);
	for (uint16_t i = 1; i <= 3; i++)
		lose(on, i, T0);
	gm_intake_evaluate(on->intake, T0);
	assert_int_equal(see(on, 1), 1); /* what is there can be read */
	gm_intake_foresee(on->intake, sources, infos, 2);
	sqlite3_close(database);
	assert_int_equal(see(on, 2), 2);
	assert_int_equal(see(on, 3), 3);
	gm_intake_evaluate(on->intake, T0 + GM_SECOND);
	let_days_pass(on);
	assert_int_equal(see(on, 4), 5); /* 4 was let_days_pass()'s, and has not rested */
}

static struct gm_tracked *add(struct gm_entities *entities, struct intake_fixture *on,
			      const struct gm_entity_key *key)
{
	const struct gm_window_options window = {.samples = 1, .length = GM_SECOND};
	struct gm_tracked *tracked;

	assert_int_equal(gm_entities_add(entities, key, &window, on->settings, &tracked), 0);
	return tracked;
}

/* Those who are waiting have their place in the table: they are no more than fit. */
static void test_a_full_table_needs_one_transaction(void **state)
{
	enum { GUESTS = 20 };
	struct intake_fixture *on = *state;
	struct gm_numbers numbers = {.state = on->state};
	struct gm_tracked *guests[GUESTS];
	struct gm_entities *entities;

	assert_int_equal(gm_entities_create(&entities), 0);
	for (unsigned i = 0; i < GM_ENTITIES_MAX - GUESTS; i++) {
		const struct gm_entity_key key = gm_entity_core(i); /* any that has no number */

		add(entities, on, &key);
	}
	sqlite3 *database = lock_database(on->directory);
	for (uint16_t i = 0; i < GUESTS; i++) {
		const struct gm_entity_info info = guest_of(i);

		guests[i] = add(entities, on, &info.key);
		guests[i]->guest_index = gm_numbers_guest(&numbers, info.key.uuid);
		assert_int_equal(guests[i]->guest_index, 0);
	}
	sqlite3_close(database);
	commits = 0;
	gm_numbers_again(&numbers, entities);
	assert_int_equal(commits, 1);
	for (uint16_t i = 0; i < GUESTS; i++)
		assert_true(guests[i]->guest_index > 0);
	gm_numbers_close(&numbers);
	gm_entities_free(entities);
}

int main(void)
{
#define WITH_INTAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_INTAKE(test_what_could_not_be_retired_is_later),
		WITH_INTAKE(test_who_is_here_again_keeps_his),
		WITH_INTAKE(test_a_full_table_needs_one_transaction),
	};
	count_commits();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
