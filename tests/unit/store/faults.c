/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis store with a real server in bad days: killed, emptied, full, locked. In the end the
 * streams hold exactly what the rings hold, and each change of state was told once.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

static void test_killed_and_restarted_empty(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	rig_kill_server(rig);
	rig_ticks(rig, 100);
	assert_true(rig_wait_connected(rig, false, 2000));
	rig_ticks(rig, 500);
	rig_run(rig, 500);
	assert_int_equal(rig->changes, 2); /* up, down: not once per attempt */
	rig_server(rig, NULL);
	assert_true(rig_wait_connected(rig, true, 6000));
	rig_ticks(rig, 20);
	rig_settle(rig);
	rig_check_complete(rig);
	assert_int_equal(rig->changes, 3);
	assert_true(rig_status(rig).filled >= 700 * RIG_ENTITIES);
	assert_true(rig_status(rig).dropped > 0);
}

static void test_restarted_from_an_old_dump(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	rig_do(rig, "SAVE");
	rig_ticks(rig, 300); /* acknowledged, and lost with the server */
	rig_settle(rig);
	rig_kill_server(rig);
	assert_true(rig_wait_connected(rig, false, 2000));
	rig_ticks(rig, 50);
	rig_server(rig, NULL);
	assert_true(rig_wait_connected(rig, true, 6000));
	rig_settle(rig);
	rig_check_complete(rig);
}

static void test_connection_cut_with_frames_on_the_way(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	for (int i = 0; i < 5; i++) {
		rig_ticks(rig, 20);
		rig_do(rig, "CLIENT KILL TYPE normal SKIPME yes");
		rig_ticks(rig, 3);
		/* One that is older than what is on its way already. */
		rig_frame_at(rig, 1, rig->now - 15 * GM_MILLISECOND - i);
		rig_ticks(rig, 20);
		rig_run(rig, 100);
		assert_true(rig_wait_connected(rig, true, 2000));
	}
	rig_settle(rig);
	rig_check_complete(rig);
}

static void test_emptied_while_connected(void **state)
{
	struct rig *rig = *state;
	struct gm_entity_info info = {.key = rig->keys[2],
				      .interface = {.mac = "52:54:00:00:00:01"}};

	rig_start(rig);
	rig->store->ops->identify(rig->store, &info);
	rig_begin(rig, NULL);
	rig_do(rig, "FLUSHALL");
	rig_ticks(rig, 50);
	rig_run(rig, 2500); /* a heartbeat */
	rig_ticks(rig, 10);
	rig_settle(rig);
	rig_check_complete(rig);
	assert_int_equal(rig_integer(rig, "HLEN guestmon:{%s}:if:tap0:info", "test node"), 2);
	assert_int_equal(rig->changes, 1);
}

/* Before a heartbeat has told, so that the stream has a new beginning and goes on well. */
static void test_emptied_and_cut_off(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	rig_do(rig, "FLUSHALL");
	rig_ticks(rig, 20);
	rig_run(rig, 100);
	rig_do(rig, "CLIENT KILL TYPE normal SKIPME yes");
	assert_true(rig_wait_connected(rig, false, 1000));
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 10);
	rig_settle(rig);
	rig_check_complete(rig);
}

static void test_memory_full(void **state)
{
	static const char *const arguments[] = {"--maxmemory-policy", "noeviction", NULL};
	struct rig *rig = *state;

	rig_begin(rig, arguments);
	rig_do(rig, "CONFIG SET maxmemory 1");
	rig_ticks(rig, 20);
	assert_true(rig_wait_connected(rig, false, 2000));
	rig_expect_reason(rig, "OOM");
	rig_expect_reason(rig, "memory is full");
	rig_ticks(rig, 200);
	rig_run(rig, 1000);
	assert_int_equal(rig->changes, 2);
	rig_do(rig, "CONFIG SET maxmemory 0");
	assert_true(rig_wait_connected(rig, true, 6000));
	rig_settle(rig);
	rig_check_complete(rig);
}

static void say(redisContext *client, const char *command)
{
	int done = 0;

	assert_int_equal(redisAppendCommand(client, command), REDIS_OK);
	while (!done)
		assert_int_equal(redisBufferWrite(client, &done), REDIS_OK);
}

static void hear(redisContext *client)
{
	void *reply;

	assert_int_equal(redisGetReply(client, &reply), REDIS_OK);
	freeReplyObject(reply);
}

/*
 * It refuses frames and takes those behind them, which are on their way already. What a stopped server finds
 * when it goes on is handled in the order of coming, some 20 kB of each client at a time.
 */
static void test_memory_full_for_a_moment(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, NULL);
	rig_settle(rig);
	redisContext *other = redisConnectUnix(rig->socket);
	assert_true(other && !other->err);
	kill(rig->server, SIGSTOP);
	assert_int_equal(waitpid(rig->server, NULL, WUNTRACED), rig->server);
	say(rig->client, "CONFIG SET maxmemory 1");
	rig_ticks(rig, 60);
	rig_run(rig, 100);
	say(other, "CONFIG SET maxmemory 0");
	kill(rig->server, SIGCONT);
	hear(rig->client);
	hear(other);
	redisFree(other);
	assert_true(rig_wait_connected(rig, false, 2000));
	assert_true(rig_wait_connected(rig, true, 6000));
	rig_settle(rig);
	rig_check_complete(rig);
}

static void test_password(void **state)
{
	struct rig *rig = *state;
	struct gm_error err = {0};

	rig_server(rig, NULL);
	rig_do(rig, "CONFIG SET requirepass s3cret!");
	rig_start(rig);
	rig_run(rig, 300);
	rig_expect_reason(rig, "NOAUTH");
	rig_stop(rig);

	rig_write_password(rig, "wrong-s3cret\n");
	rig_start(rig);
	rig_run(rig, 300);
	rig_expect_reason(rig, "WRONGPASS");
	assert_null(strstr(rig_status(rig).state, "s3cret"));
	assert_true(rig->store->ops->load(rig->store, GM_SECOND, &err) < 0);
	assert_non_null(strstr(err.text, "WRONGPASS"));
	assert_null(strstr(err.text, "s3cret"));
	rig_write_password(rig, "s3cret!\n"); /* corrected while it runs */
	assert_true(rig_wait_connected(rig, true, 3000));
	rig_ticks(rig, 10);
	rig_settle(rig);
	rig_check_complete(rig);
	assert_int_equal(rig->store->ops->load(rig->store, GM_SECOND, &err), 0);
	rig_stop(rig);

	snprintf(rig->options.password_file, sizeof(rig->options.password_file), "%s/absent",
		 rig->directory);
	rig_start(rig);
	rig_run(rig, 200);
	rig_expect_reason(rig, "absent");
}

static void test_another_schema(void **state)
{
	struct rig *rig = *state;
	struct gm_error err = {0};

	rig_server(rig, NULL);
	rig_do(rig, "SET guestmon:{%s}:schema 2", "test node");
	rig_start(rig);
	rig_ticks(rig, 10);
	rig_run(rig, 500);
	rig_expect_reason(rig, "schema");
	assert_int_equal(rig_integer(rig, "DBSIZE"), 1); /* not a key was touched */
	assert_true(rig->store->ops->load(rig->store, GM_SECOND, &err) < 0);
	assert_non_null(strstr(err.text, "schema"));
	assert_int_equal(rig->restored, 0);
}

static void test_a_key_that_is_no_stream(void **state)
{
	struct rig *rig = *state;

	rig_server(rig, NULL);
	rig_do(rig, "SET guestmon:{%s}:if:tap0 mine", "test node");
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 50);
	rig_settle(rig);
	assert_non_null(strstr(rig_status(rig).state, "if:tap0"));
	assert_true(rig_status(rig).connected);
	assert_int_equal(rig_integer(rig, "XLEN guestmon:{%s}:node", "test node"), 50);
	redisReply *reply = rig_command(rig, "GET guestmon:{%s}:if:tap0", "test node");
	assert_string_equal(reply->str, "mine");
	freeReplyObject(reply);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_killed_and_restarted_empty),
		TEST(test_restarted_from_an_old_dump),
		TEST(test_connection_cut_with_frames_on_the_way),
		TEST(test_emptied_while_connected),
		TEST(test_emptied_and_cut_off),
		TEST(test_memory_full),
		TEST(test_memory_full_for_a_moment),
		TEST(test_password),
		TEST(test_another_schema),
		TEST(test_a_key_that_is_no_stream),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
