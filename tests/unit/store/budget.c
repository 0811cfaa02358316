/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Redis store says of the server's memory and settings: the estimate against what the streams
 * take in the end, and the warning by CONFIG and, where that is forbidden, by INFO.
 */
#include "rig.h"
#include "store/redis/private.h"

static const struct gm_redis *inside(const struct rig *rig)
{
	return (const struct gm_redis *)rig->store;
}

static void test_estimate(void **state)
{
	struct rig *rig = *state;
	double taken = 0, estimated;

	rig->options.samples = 2000;
	rig_begin(rig, NULL);
	assert_int_equal(rig_status(rig).bytes_when_full, 0);
	rig_ticks(rig, 200);
	for (int i = 0; i < 80 && rig_status(rig).bytes_when_full == 0; i++)
		rig_run(rig, 100);
	rig_run(rig, 200);
	estimated = (double)rig_status(rig).bytes_when_full;
	assert_int_equal(rig_status(rig).series, RIG_ENTITIES * RIG_READINGS);
	assert_non_null(strstr(rig_status(rig).state, "MB when full"));
	rig_ticks(rig, 1700);
	rig_settle(rig);
	for (size_t i = 0; i < RIG_ENTITIES; i++) {
		char key[GM_KEY_TEXT];

		taken += (double)rig_integer(rig, "MEMORY USAGE guestmon:{%s}:%s SAMPLES 0",
					     "test node", gm_entity_text(&rig->keys[i], key));
	}
	if (estimated < taken * 0.7 || estimated > taken * 1.4)
		fail_msg("estimated %.0f, taken %.0f", estimated, taken);
}

static void connect_store(struct rig *rig)
{
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 10);
	rig_settle(rig);
}

static void test_settings(void **state)
{
	static const char *const bad[] = {"--maxmemory", "50mb", "--maxmemory-policy",
					  "allkeys-lru", NULL};
	struct rig *rig = *state;

	rig_server(rig, bad);
	connect_store(rig);
	assert_int_equal(rig_status(rig).bytes_allowed, 50 << 20);
	assert_non_null(strstr(inside(rig)->warning, "maxmemory-policy"));
	assert_null(strstr(inside(rig)->warning, "maxmemory is not set"));
	rig_stop(rig);
	rig_do(rig, "CONFIG SET maxmemory 0 maxmemory-policy noeviction");
	rig_do(rig, "CONFIG SET save %s", "60 1000");
	connect_store(rig);
	assert_non_null(strstr(inside(rig)->warning, "maxmemory is not set"));
	assert_non_null(strstr(inside(rig)->warning, "save writes"));
	assert_null(strstr(inside(rig)->warning, "policy"));
	rig_stop(rig);
	rig_do(rig, "CONFIG SET maxmemory 60mb maxmemory-policy allkeys-lfu");
	rig_do(rig, "ACL SETUSER default -config");
	connect_store(rig);
	assert_int_equal(rig_status(rig).bytes_allowed, 60 << 20);
	assert_non_null(strstr(inside(rig)->warning, "policy"));
	rig_stop(rig);
	rig_do(rig, "ACL SETUSER default -info -memory|usage");
	connect_store(rig);
	assert_int_equal(inside(rig)->warning_length, 0);
	rig_settle(rig);
	assert_int_equal(rig_integer(rig, "XLEN guestmon:{%s}:node", "test node"), 40);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_estimate),
		TEST(test_settings),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
