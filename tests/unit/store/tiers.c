/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The coarser streams of the Redis store: what an entry per second says of ten samples, what a restart
 * and a loss leave of them.
 */
#include "rig.h"

/* Of the guest: cpu.time grows by 7 a ms, by 100 more in one ms of each second; memory.used is i. */
static void give(struct rig *rig, int64_t ms, uint64_t i)
{
	const struct gm_reading readings[] = {
		{.metric = GM_METRIC_CPU_TIME,
		 .value.counter = (1ull << 63) + 7 * (uint64_t)ms + 10000 * ((uint64_t)ms / 1000)},
		{.metric = GM_METRIC_MEMORY_USED, .value.gauge = (double)i},
	};
	const struct gm_frame frame = {.key = rig->keys[1],
				       .measured_at = ms * GM_MILLISECOND,
				       .read_at = ms * GM_MILLISECOND,
				       .count = 2};

	rig->store->ops->append(rig->store, &frame, readings);
}

static const int64_t BEGIN = 1700000000000;

/* Ten a second from `first` on, at 50 ms past each tenth. */
static void give_tenths(struct rig *rig, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		give(rig, BEGIN + 100 * i + 50, (uint64_t)(i % 10));
		rig->store->ops->flush(rig->store, rig->now);
		uv_run(&rig->loop, UV_RUN_NOWAIT);
	}
}

static void begin(struct rig *rig)
{
	rig->host_is_empty = true;
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	give(rig, BEGIN - 5000, 0); /* makes the entity known */
	rig_settle(rig);
}

static redisReply *stream(struct rig *rig, const char *tier)
{
	char key[GM_KEY_TEXT];

	return rig_command(rig, "XRANGE guestmon:{%s}:%s:%s - +", "test node",
			   gm_entity_text(&rig->keys[1], key), tier);
}

static const char *field(const redisReply *entry, const char *name)
{
	const redisReply *fields = entry->element[1];

	for (size_t i = 0; i < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, name) == 0)
			return fields->element[i + 1]->str;
	return "(none)";
}

static void test_seconds(void **state)
{
	struct rig *rig = *state;
	char counter[32];

	rig->options.seconds_kept = 3600 * GM_SECOND;
	rig->options.minutes_kept = 3600 * GM_SECOND;
	rig_server(rig, NULL);
	begin(rig);
	give_tenths(rig, 0, 25); /* two seconds and a half */
	rig_settle(rig);
	redisReply *reply = stream(rig, "1s");
	assert_int_equal(reply->elements, 2);
	const redisReply *second = reply->element[1];
	assert_string_equal(second->element[0]->str, "1700000001000-950");
	assert_string_equal(field(second, "memory.used"), "4.5");
	assert_string_equal(field(second, "memory.used.min"), "0");
	assert_string_equal(field(second, "memory.used.max"), "9");
	snprintf(counter, sizeof(counter), "%llu",
		 (1ull << 63) + 7 * 1700000001950ull + 10000 * 1700000001ull);
	assert_string_equal(field(second, "cpu.time"), counter);
	assert_string_equal(field(second, "cpu.time.min"), "7000");
	assert_string_equal(field(second, "cpu.time.max"), "107000");
	freeReplyObject(reply);
	reply = stream(rig, "1m");
	assert_int_equal(reply->elements, 0);
	freeReplyObject(reply);

	rig_stop(rig); /* what is open goes out, and the next run says the rest */
	begin(rig);
	give_tenths(rig, 25, 15);
	rig_stop(rig);
	reply = stream(rig, "1s");
	assert_int_equal(reply->elements, 5);
	assert_string_equal(reply->element[2]->element[0]->str, "1700000002000-450");
	assert_string_equal(field(reply->element[2], "memory.used"), "2");
	assert_string_equal(reply->element[3]->element[0]->str, "1700000002000-950");
	assert_string_equal(field(reply->element[3], "memory.used"), "7");
	assert_string_equal(field(reply->element[3], "cpu.time.max"), "7000");
	freeReplyObject(reply);
	reply = stream(rig, "1m");
	assert_int_equal(reply->elements, 2);
	freeReplyObject(reply);
}

static void test_seconds_are_bounded_and_expire(void **state)
{
	struct rig *rig = *state;
	char key[GM_KEY_TEXT];

	rig->options.seconds_kept = 100 * GM_SECOND;
	rig_server(rig, NULL);
	begin(rig);
	for (int i = 0; i < 1000; i++) {
		give(rig, BEGIN + 1000 * i, 1);
		rig_run(rig, i % 32 == 0 ? 5 : 0); /* no more than what may be unanswered */
	}
	rig_settle(rig);
	gm_entity_text(&rig->keys[1], key);
	long long length = rig_integer(rig, "XLEN guestmon:{%s}:%s:1s", "test node", key);
	assert_true(length >= 100 && length <= 250);
	assert_int_equal(rig_integer(rig, "EXISTS guestmon:{%s}:%s:1m", "test node", key), 0);
	rig->store->ops->forget(rig->store, &rig->keys[1]);
	rig_settle(rig);
	assert_true(rig_integer(rig, "TTL guestmon:{%s}:%s:1s", "test node", key) > 3500);
}

/* The seconds of frames that are filled in are there, too, once each. */
static void test_seconds_after_a_loss(void **state)
{
	struct rig *rig = *state;

	rig->options.seconds_kept = 3600 * GM_SECOND;
	rig_begin(rig, NULL);
	rig_ticks(rig, 900); /* 10 ms each: ten seconds */
	rig_kill_server(rig);
	rig_ticks(rig, 500);
	assert_true(rig_wait_connected(rig, false, 2000));
	rig_server(rig, NULL);
	assert_true(rig_wait_connected(rig, true, 6000));
	rig_ticks(rig, 500);
	rig_settle(rig);
	rig_check_complete(rig);
	redisReply *reply = rig_command(rig, "XRANGE guestmon:{%s}:node:1s - +", "test node");
	assert_int_equal(reply->elements, 20); /* the last second is open */
	for (size_t i = 1; i < 20; i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "%llu-990", 1700000000000ull + 1000 * i);
		assert_string_equal(reply->element[i]->element[0]->str, expected);
	}
	freeReplyObject(reply);
}

/* Frames that were read after the clock was set back by a minute. */
static void test_seconds_over_a_step_back(void **state)
{
	struct rig *rig = *state;

	rig->options.seconds_kept = 3600 * GM_SECOND;
	rig_server(rig, NULL);
	begin(rig);
	give_tenths(rig, 0, 15);
	give_tenths(rig, -600, 25);
	rig_settle(rig);
	redisReply *reply = stream(rig, "1s");
	assert_int_equal(reply->elements, 4); /* two, and two behind them */
	assert_string_equal(reply->element[1]->element[0]->str, "1700000001000-450");
	assert_string_equal(field(reply->element[1], "@"), "(none)");
	for (int i = 0; i < 2; i++) {
		const redisReply *entry = reply->element[2 + i];

		assert_string_equal(entry->element[0]->str,
				    i ? "1700000001000-1001" : "1700000001000-1000");
		assert_string_equal(field(entry, "@"), i ? "1699999941950" : "1699999940950");
		assert_string_equal(field(entry, "cpu.time.min"), "7000");
	}
	freeReplyObject(reply);
}

static void test_streams_are_trimmed_by_age(void **state)
{
	struct rig *rig = *state;

	rig->options.length = 2 * GM_SECOND;
	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 1000);
	rig_settle(rig);
	long long length = rig_integer(rig, "XLEN guestmon:{%s}:node", "test node");
	assert_true(length >= 200 && length <= 400);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_seconds),
		TEST(test_seconds_are_bounded_and_expire),
		TEST(test_seconds_after_a_loss),
		TEST(test_seconds_over_a_step_back),
		TEST(test_streams_are_trimmed_by_age),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
