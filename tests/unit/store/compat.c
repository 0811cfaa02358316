/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of collectd beside the streams: names, members, rates, bounds; and that what is wrong with
 * them is not the streams' trouble.
 */
#include "rig.h"

static void begin(struct rig *rig)
{
	struct gm_entity_info guest = {.key = rig->keys[1]}, port = {.key = rig->keys[2]};

	rig->host_is_empty = true;
	rig->options.collectd_samples = 5;
	rig_server(rig, NULL);
	rig_start(rig);
	snprintf(guest.guest.name, sizeof(guest.guest.name), "web/1");
	memcpy(port.interface.guest, rig->keys[1].uuid, GM_UUID_SIZE);
	rig->store->ops->identify(rig->store, &guest);
	rig->store->ops->identify(rig->store, &port);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_settle(rig);
}

static void give(struct rig *rig, size_t entity, int64_t ms, struct gm_reading one,
		 struct gm_reading other)
{
	const struct gm_reading readings[] = {one, other};
	const struct gm_frame frame = {.key = rig->keys[entity],
				       .measured_at = ms * GM_MILLISECOND,
				       .read_at = ms * GM_MILLISECOND,
				       .count = 2};

	rig->store->ops->append(rig->store, &frame, readings);
	uv_run(&rig->loop, UV_RUN_NOWAIT);
}

/* Ten a second for `seconds`; the port's octets grow by 1000 and 2000 a second. */
static void give_seconds(struct rig *rig, int64_t begin_ms, int seconds)
{
	for (int i = 0; i < 10 * seconds; i++) {
		int64_t ms = begin_ms + 100 * i;

		give(rig, 1, ms,
		     (struct gm_reading){GM_METRIC_CPU_TIME, {.counter = 5000000 * (uint64_t)i}},
		     (struct gm_reading){GM_METRIC_MEMORY_UNUSED, {.gauge = 1000 + i}});
		give(rig, 2, ms,
		     (struct gm_reading){GM_METRIC_NET_TX_BYTES, {.counter = 200 * (uint64_t)i}},
		     (struct gm_reading){GM_METRIC_NET_RX_BYTES, {.counter = 100 * (uint64_t)i}});
		/* No more than may be without an answer. */
		for (int k = 0; i % 20 == 0 && k < 1000 && rig_status(rig).pending > 0; k++)
			rig_run(rig, 5);
	}
	rig_settle(rig);
}

static void expect(struct rig *rig, const char *key, const char *member, const char *score)
{
	redisReply *reply = rig_command(rig, "ZREVRANGE %s 0 0 WITHSCORES", key);

	assert_int_equal(reply->elements, 2);
	assert_string_equal(reply->element[0]->str, member);
	assert_string_equal(reply->element[1]->str, score);
	freeReplyObject(reply);
	assert_int_equal(rig_integer(rig, "ZCARD %s", key), 5);
	assert_int_equal(rig_integer(rig, "SISMEMBER collectd/values %s", key + 9), 1);
}

static void test_keys(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	give_seconds(rig, 1700000000000, 10);
	expect(rig, "collectd/web_1/virt/virt_cpu_total", "1700000009.000:50000000", "1700000009");
	expect(rig, "collectd/web_1/virt/memory-unused", "1700000009.000:1090", "1700000009");
	expect(rig, "collectd/web_1/virt/if_octets-tap0", "1700000009.000:1000:2000", "1700000009");
	assert_int_equal(rig_integer(rig, "SCARD collectd/values"), 3);
}

static void test_a_key_of_another_type(void **state)
{
	struct rig *rig = *state;
	char key[GM_KEY_TEXT];

	begin(rig);
	rig_do(rig, "SET collectd/web_1/virt/memory-unused mine");
	give_seconds(rig, 1700000000000, 3);
	assert_true(rig_status(rig).connected);
	assert_int_equal(rig->changes, 1);
	assert_int_equal(rig_integer(rig, "XLEN guestmon:{%s}:%s", "test node",
				     gm_entity_text(&rig->keys[2], key)),
			 30);
}

/* The clock was set back by an hour: values go on, and what seems newer does not push them out. */
static void test_a_clock_set_back(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	give_seconds(rig, 1700003600000, 10);
	give_seconds(rig, 1700000000000, 10);
	expect(rig, "collectd/web_1/virt/virt_cpu_total", "1700000009.000:50000000", "1700000009");
	expect(rig, "collectd/web_1/virt/memory-unused", "1700000009.000:1090", "1700000009");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_keys),
		TEST(test_a_key_of_another_type),
		TEST(test_a_clock_set_back),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
