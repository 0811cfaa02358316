/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis store with a real server that does not answer, long gaps, and the end of the store while
 * something is on its way.
 */
#include <errno.h>
#include <signal.h>

#include "rig.h"

static void test_hung(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	kill(rig->server, SIGSTOP);
	for (int i = 0; i < 50 && rig->connected; i++) {
		rig_ticks(rig, 10);
		rig_run(rig, 100);
	}
	assert_false(rig->connected);
	rig_expect_reason(rig, "no answer");
	rig_ticks(rig, 100);
	rig_run(rig, 500);
	assert_int_equal(rig->changes, 2);
	kill(rig->server, SIGCONT);
	assert_true(rig_wait_connected(rig, true, 9000));
	rig_settle(rig);
	rig_check_complete(rig);
}

static void test_forgotten_while_away(void **state)
{
	struct rig *rig = *state;
	char key[GM_KEY_TEXT];

	gm_entity_text(&rig->keys[3], key);
	rig_begin(rig, NULL);
	kill(rig->server, SIGSTOP);
	rig_tick(rig);
	for (int i = 0; i < 50 && rig->connected; i++)
		rig_run(rig, 100);
	rig->store->ops->forget(rig->store, &rig->keys[3]);
	kill(rig->server, SIGCONT);
	rig->entities = 3;
	assert_true(rig_wait_connected(rig, true, 9000));
	rig_ticks(rig, 10);
	rig_settle(rig);
	rig_check_complete(rig); /* of three: the set has no more */
	assert_true(rig_integer(rig, "TTL guestmon:{%s}:%s", "test node", key) > 0);
}

static void test_stop_delivers_the_last_frames(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	rig_ticks(rig, 10);
	rig_stop(rig);
	rig_check_complete(rig);
}

static void test_stop_of_a_hung_server(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	kill(rig->server, SIGSTOP);
	rig_ticks(rig, 10);
	uint64_t before = uv_hrtime();
	rig_stop(rig);
	assert_true(uv_hrtime() - before < GM_SECOND);

	struct gm_error err = {0};
	rig_create(rig);
	before = uv_hrtime();
	assert_int_equal(rig->store->ops->load(rig->store, GM_SECOND / 2, &err), -ETIMEDOUT);
	assert_true(uv_hrtime() - before < GM_SECOND);
	kill(rig->server, SIGCONT);
}

/* A whole window of several thousand frames comes back in batches, and new frames are not held up. */
static void test_long_gap(void **state)
{
	struct rig *rig = *state;

	rig->options.samples = 60000;
	rig_start(rig);
	rig_ticks(rig, 7000);
	rig_server(rig, NULL);
	assert_true(rig_wait_connected(rig, true, 6000));
	for (int i = 0; i < 50; i++) {
		assert_true(rig_status(rig).pending <= 8192 + 2048);
		rig_tick(rig);
		rig_run(rig, 10);
	}
	rig_settle(rig);
	rig_check_complete(rig);
	assert_true(rig_status(rig).filled >= 7000 * RIG_ENTITIES);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_hung),
		TEST(test_forgotten_while_away),
		TEST(test_stop_delivers_the_last_frames),
		TEST(test_stop_of_a_hung_server),
		TEST(test_long_gap),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
