/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis store with a real server in good days: what is written, and what is read back.
 */
#include <errno.h>

#include "rig.h"

static void test_frames_are_mirrored(void **state)
{
	struct rig *rig = *state;

	rig_server(rig, NULL);
	rig_start(rig);
	rig_ticks(rig, 5); /* before it is connected: filled in */
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_settle(rig);
	rig_ticks(rig, 200);
	rig_settle(rig);
	rig_check_complete(rig);
	assert_int_equal(rig->changes, 1);

	struct gm_store_status status = rig_status(rig);
	assert_int_equal(status.written, 205 * RIG_ENTITIES);
	assert_int_equal(status.pending, 0);
	assert_non_null(strstr(status.state, "mirrored"));
	redisReply *reply = rig_command(rig, "GET guestmon:{%s}:schema", "test node");
	assert_string_equal(reply->str, "1");
	freeReplyObject(reply);
	assert_int_equal(rig_integer(rig, "EXISTS guestmon:{%s}:probe", "test node"), 0);
}

static void test_out_of_order_and_same_millisecond(void **state)
{
	struct rig *rig = *state;

	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 3);
	rig_settle(rig);
	rig_frame_at(rig, 0, rig->now + 10 * GM_MILLISECOND);
	rig_frame_at(rig, 0, rig->now + 10 * GM_MILLISECOND + 1);
	rig_frame_at(rig, 0, rig->now - 5 * GM_SECOND); /* older than what is there */
	rig_frame_at(rig, 0, rig->now + 11 * GM_MILLISECOND);
	rig_settle(rig);
	rig_check_complete(rig);
}

static void test_fine_frames_are_not_kept(void **state)
{
	struct rig *rig = *state;
	const struct gm_reading reading = {.metric = GM_METRIC_NET_RX_BYTES};
	const struct gm_frame frame = {
		.key = rig->keys[2], .measured_at = rig->now, .flags = GM_FRAME_FINE, .count = 1};

	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig->store->ops->append(rig->store, &frame, &reading);
	rig_settle(rig);
	assert_int_equal(rig_integer(rig, "EXISTS guestmon:{%s}:if:tap0", "test node"), 0);
}

static char *info_field(struct rig *rig, const char *key, const char *field, char text[64])
{
	redisReply *reply =
		rig_command(rig, "HGET guestmon:{%s}:%s:info %s", "test node", key, field);

	snprintf(text, 64, "%s", reply->str ? reply->str : "(nil)");
	freeReplyObject(reply);
	return text;
}

static void test_identity_and_expiry(void **state)
{
	struct rig *rig = *state;
	struct gm_entity_info info = {.key = rig->keys[1]};
	char key[GM_KEY_TEXT], text[64];

	gm_entity_text(&rig->keys[1], key);
	snprintf(info.guest.name, sizeof(info.guest.name), "instance-1");
	snprintf(info.guest.display_name, sizeof(info.guest.display_name), "web \"1\"\n");
	info.guest.vcpus = 2;
	rig_server(rig, NULL);
	rig_start(rig);
	rig->store->ops->identify(rig->store, &info); /* before the connection */
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 3);
	rig_settle(rig);
	assert_string_equal(info_field(rig, key, "display_name", text), "web \"1\"\n");
	assert_string_equal(info_field(rig, key, "vcpus", text), "2");
	info.guest.display_name[0] = '\0'; /* no longer known */
	snprintf(info.guest.flavor, sizeof(info.guest.flavor), "m1.small");
	rig->store->ops->identify(rig->store, &info);
	rig_settle(rig);
	assert_string_equal(info_field(rig, key, "display_name", text), "(nil)");
	assert_string_equal(info_field(rig, key, "flavor", text), "m1.small");

	rig->store->ops->forget(rig->store, &rig->keys[1]);
	rig_settle(rig);
	assert_int_equal(rig_integer(rig, "SISMEMBER guestmon:{%s}:entities %s", "test node", key),
			 0);
	long long left = rig_integer(rig, "TTL guestmon:{%s}:%s", "test node", key);
	assert_true(left > 3500 && left <= 3600);
	assert_true(rig_integer(rig, "TTL guestmon:{%s}:%s:info", "test node", key) > 3500);

	rig_ticks(rig, 3); /* it is back: nothing expires */
	rig->store->ops->identify(rig->store, &info);
	rig_settle(rig);
	assert_int_equal(rig_integer(rig, "TTL guestmon:{%s}:%s", "test node", key), -1);
	assert_int_equal(rig_integer(rig, "TTL guestmon:{%s}:%s:info", "test node", key), -1);
	rig_check_complete(rig);
}

static void test_streams_are_trimmed(void **state)
{
	struct rig *rig = *state;

	rig->options.samples = 100;
	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 1000);
	rig_settle(rig);
	long long length = rig_integer(rig, "XLEN guestmon:{%s}:node", "test node");
	assert_true(length >= 100 && length <= 300); /* "~": whole nodes of 100 entries */
}

static void test_load(void **state)
{
	struct rig *rig = *state;
	struct gm_error err = {0};

	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 1234); /* more than two pages */
	rig_settle(rig);
	rig_stop(rig);
	rig_do(rig, "SADD guestmon:{%s}:entities nonsense", "test node");
	rig_do(rig, "SADD guestmon:{%s}:entities if:tap9", "test node");
	rig_do(rig, "SET guestmon:{%s}:if:tap9 text", "test node");
	rig_create(rig);
	assert_int_equal(rig->store->ops->load(rig->store, 5 * GM_SECOND, &err), 0);
	assert_int_equal(rig->restored, 1234 * RIG_ENTITIES);
	assert_false(rig->restored_wrong);

	/* And what comes then goes on where the streams end. */
	rig_do(rig, "SREM guestmon:{%s}:entities nonsense if:tap9", "test node");
	rig_start(rig);
	rig_ticks(rig, 10);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 10);
	rig_settle(rig);
	rig_check_complete(rig);
}

static void test_load_is_bounded(void **state)
{
	struct rig *rig = *state;
	struct gm_error err = {0};

	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 700);
	rig_settle(rig);
	rig_stop(rig);
	rig->options.samples = 100; /* the newest 100, also where the stream has more */
	rig_create(rig);
	for (size_t i = 0; i < RIG_ENTITIES; i++)
		rig->kept_count[i] = 0; /* no comparison: they are the newest, not the oldest */
	assert_int_equal(rig->store->ops->load(rig->store, 5 * GM_SECOND, &err), 0);
	assert_int_equal(rig->restored, 100 * RIG_ENTITIES);
	assert_int_equal(rig->restored_last[0] / GM_MILLISECOND, rig->now / GM_MILLISECOND);
}

/* Frames older than the rings reach are not handed back. */
static void test_load_of_the_recent(void **state)
{
	struct rig *rig = *state;
	struct gm_error err = {0};

	rig->now = gm_clock_now() - 20 * GM_SECOND;
	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 1000); /* until 10 s ago */
	rig_settle(rig);
	rig_stop(rig);
	rig->host_window = 15 * GM_SECOND;
	rig_create(rig);
	assert_int_equal(rig->store->ops->load(rig->store, 5 * GM_SECOND, &err), 0);
	assert_true(rig->restored > 100 * RIG_ENTITIES && rig->restored <= 501 * RIG_ENTITIES);
}

static void test_what_was_learned(void **state)
{
	static const char learned[] = "leak\0\r\n$3\r\n\xff\x01";
	struct rig *rig = *state;
	struct gm_error err = {0};
	char *large = calloc(1, GM_STORE_STATE_MAX + 1);

	rig_server(rig, NULL);
	rig_start(rig);
	assert_int_equal(rig->store->ops->keep(rig->store, &rig->keys[1], "x", 1), -EAGAIN);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 10);
	rig_settle(rig);
	assert_int_equal(
		rig->store->ops->keep(rig->store, &rig->keys[1], large, GM_STORE_STATE_MAX + 1),
		-EFBIG);
	assert_int_equal(
		rig->store->ops->keep(rig->store, &rig->keys[2], large, GM_STORE_STATE_MAX), 0);
	assert_int_equal(rig->store->ops->keep(rig->store, &rig->keys[1], "old", 3), 0);
	assert_int_equal(rig->store->ops->keep(rig->store, &rig->keys[1], learned, sizeof(learned)),
			 0);
	rig_settle(rig);
	rig->store->ops->forget(rig->store, &rig->keys[2]); /* and with it what was learned */
	rig_settle(rig);
	assert_int_equal(rig_integer(rig, "HLEN guestmon:{%s}:learned", "test node"), 1);
	rig_stop(rig);
	rig_create(rig);
	assert_int_equal(rig->store->ops->load(rig->store, 5 * GM_SECOND, &err), 0);
	assert_int_equal(rig->recalls, 1);
	assert_true(gm_entity_equal(&rig->recalled_key, &rig->keys[1]));
	assert_int_equal(rig->recalled_size, sizeof(learned));
	assert_memory_equal(rig->recalled, learned, sizeof(learned));
	assert_false(rig->recalled_late);
	assert_int_equal(rig->restored, 10 * (RIG_ENTITIES - 1));
	free(large);
}

static void test_load_of_nothing(void **state)
{
	struct rig *rig = *state;
	struct gm_error err = {0};

	rig_create(rig);
	assert_true(rig->store->ops->load(rig->store, GM_SECOND, &err) < 0);
	assert_non_null(strstr(err.text, rig->socket));
	assert_null(strstr(err.text, "entities")); /* which nobody has counted */
	rig_server(rig, NULL);
	assert_int_equal(rig->store->ops->load(rig->store, GM_SECOND, &err), 0);
	assert_int_equal(rig->restored, 0);
}

static void test_options(void **state)
{
	struct rig *rig = *state;
	struct gm_store_host host = {0};
	struct gm_store *store = NULL;
	struct gm_error err;

	assert_int_equal(gm_redis_create(&rig->options, "a}b", &rig->loop, &host, &store, &err),
			 -EINVAL);
	rig->options.socket[0] = '\0';
	snprintf(rig->options.host, sizeof(rig->options.host), "localhost");
	assert_int_equal(gm_redis_create(&rig->options, "a", &rig->loop, &host, &store, &err),
			 -EINVAL);
	snprintf(rig->options.host, sizeof(rig->options.host), "::1");
	assert_int_equal(gm_redis_create(&rig->options, "a", &rig->loop, &host, &store, &err), 0);
	store->ops->destroy(store); /* never started */
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_frames_are_mirrored),
		TEST(test_out_of_order_and_same_millisecond),
		TEST(test_fine_frames_are_not_kept),
		TEST(test_identity_and_expiry),
		TEST(test_streams_are_trimmed),
		TEST(test_load),
		TEST(test_load_is_bounded),
		TEST(test_load_of_the_recent),
		TEST(test_what_was_learned),
		TEST(test_load_of_nothing),
		TEST(test_options),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
