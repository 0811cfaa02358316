/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which server the Redis store goes to: over TCP with a user of the access list, through a list of
 * addresses, by a Sentinel to the master before and after a failover, to the right node of a cluster.
 * Ports 16379 and up on the loopback.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "store/redis/private.h"

enum { PORT = 16379, SENTINEL_PORT = 16389 };

/* A server of its own beside the rig's. */
struct server {
	pid_t pid;
	int port;
	char directory[64];
};

static void start_server(struct server *server, int port, const char *const *arguments)
{
	char port_text[16];
	const char *argv[32] = {"redis-server", "--port",          port_text, "--bind", "127.0.0.1",
				"--dir",        server->directory, "--save",  ""};
	size_t count = 9;

	snprintf(port_text, sizeof(port_text), "%d", port);
	snprintf(server->directory, sizeof(server->directory), "/tmp/gm-route-XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	server->port = port;
	for (size_t i = 0; arguments && arguments[i]; i++)
		argv[count++] = arguments[i];
	server->pid = fork();
	if (server->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv("/usr/bin/redis-server", (char *const *)argv);
		_exit(127);
	}
}

static void stop_server(struct server *server)
{
	static const char *const files[] = {"dump.rdb", "nodes.conf", "sentinel.conf"};
	char path[128];
	int status;

	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, &status, 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", server->directory, files[i]);
		unlink(path);
	}
	rmdir(server->directory);
	*server = (struct server){0};
}

/* The rig's own client speaks to this server from now on. */
static void use(struct rig *rig, int port)
{
	if (rig->client)
		redisFree(rig->client);
	rig->client = NULL;
	for (int i = 0; i < 500 && !rig->client; i++) {
		rig->client = redisConnect("127.0.0.1", port);
		if (rig->client->err) {
			redisFree(rig->client);
			rig->client = NULL;
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		}
	}
	assert_non_null(rig->client);
	redisSetTimeout(rig->client, (struct timeval){.tv_sec = 5});
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *host, *full;
		int port;
	} good[] = {
		{"/run/r.sock", "/run/r.sock", "unix:/run/r.sock", 0},
		{"10.0.0.1:6380", "10.0.0.1", "tcp:10.0.0.1:6380", 6380},
		{"10.0.0.1", "10.0.0.1", "tcp:10.0.0.1:6379", 6379},
		{"[::1]:6380", "::1", "tcp:[::1]:6380", 6380},
		{"::1:6380", "::1", "tcp:[::1]:6380", 6380}, /* as clusters write it */
	};
	static const char *const bad[] = {"",
					  "localhost:6379",
					  "10.0.0.1:",
					  "10.0.0.1:0",
					  "10.0.0.1:65536",
					  "10.0.0.1:+1",
					  "[::1]:x",
					  "[]:1",
					  "]:1",
					  "10.0.0.1:6379x",
					  "x/run/sock"};
	struct gm_redis_address address;
	char text[320];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(gm_redis_address_parse(good[i].text, &address), 0);
		assert_string_equal(address.host, good[i].host);
		assert_int_equal(address.port, good[i].port);
		assert_string_equal(gm_redis_address_text(&address, text, sizeof(text)),
				    good[i].full);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (gm_redis_address_parse(bad[i], &address) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void test_lists(void **state)
{
	struct gm_redis_options options;
	struct gm_redis_route route;
	struct gm_error err;

	(void)state;
	gm_option_defaults(gm_redis_option_table, &options);
	snprintf(options.addresses, sizeof(options.addresses), "10.0.0.1:1, 10.0.0.2:2,/x");
	assert_int_equal(gm_redis_route_init(&route, &options, &err), 0);
	assert_int_equal(route.count, 3);
	assert_false(gm_redis_route_failed(&route));
	assert_false(gm_redis_route_failed(&route));
	assert_string_equal(gm_redis_route_now(&route)->host, "/x");
	assert_true(gm_redis_route_failed(&route));
	assert_true(gm_redis_route_moved(&route, "MOVED 1 10.0.0.9:7"));
	assert_string_equal(gm_redis_route_now(&route)->host, "10.0.0.9");
	assert_false(gm_redis_route_moved(&route, "MOVED 1 here"));
	assert_false(gm_redis_route_moved(&route, "ERR no"));
	for (int i = 1; i < GM_REDIS_HOPS; i++)
		assert_true(gm_redis_route_moved(&route, "MOVED 1 10.0.0.9:7"));
	assert_false(gm_redis_route_moved(&route, "MOVED 1 10.0.0.9:7")); /* in a circle */
	snprintf(options.addresses, sizeof(options.addresses), "1.1.1.1,2.2.2.2,redis.example");
	assert_int_equal(gm_redis_route_init(&route, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "redis.example"));
	snprintf(options.addresses, sizeof(options.addresses), "/1,/2,/3,/4,/5,/6,/7,/8,/9");
	assert_int_equal(gm_redis_route_init(&route, &options, &err), -E2BIG);
}

/* The rights that the daemon needs, and no more. CONFIG is not among them. */
static void test_user_over_tcp(void **state)
{
	struct rig *rig = *state;
	struct server server = {0};
	struct gm_error err;

	start_server(&server, PORT, NULL);
	use(rig, PORT);
	rig_do(rig, "ACL SETUSER guestmon on >s3cret ~guestmon:* resetchannels -@all +setnx +get "
		    "+xadd +xrevrange +sadd +srem +smembers +hset +hdel +hget +del +expire "
		    "+persist");
	snprintf(rig->options.addresses, sizeof(rig->options.addresses), "127.0.0.1:%d", PORT);
	snprintf(rig->options.username, sizeof(rig->options.username), "guestmon");
	rig_write_password(rig, "s3cret\n");
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 50);
	rig_settle(rig);
	rig_check_complete(rig);
	assert_non_null(strstr(rig->reason, "tcp:127.0.0.1:16379"));
	rig_stop(rig);
	rig_create(rig);
	if (rig->store->ops->load(rig->store, GM_SECOND, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rig->restored, 50 * RIG_ENTITIES);
	stop_server(&server);
}

static void test_list_of_addresses(void **state)
{
	struct rig *rig = *state;
	struct server server = {0};
	struct gm_error err;

	start_server(&server, PORT + 1, NULL);
	use(rig, PORT + 1);
	/* Nothing listens at the first two. */
	snprintf(rig->options.addresses, sizeof(rig->options.addresses),
		 "%s/absent, 127.0.0.1:%d, 127.0.0.1:%d", rig->directory, PORT + 9, PORT + 1);
	rig_start(rig);
	if (!rig_wait_connected(rig, true, 3000))
		fail_msg("%s", rig_status(rig).state);
	rig_ticks(rig, 20);
	rig_settle(rig);
	rig_check_complete(rig);
	rig_stop(rig);
	rig_create(rig);
	assert_int_equal(rig->store->ops->load(rig->store, GM_SECOND, &err), 0);
	assert_int_equal(rig->restored, 20 * RIG_ENTITIES);
	stop_server(&server);
}

/* A replica takes no writes; once it is promoted, the windows go there, gap included. */
static void test_replica(void **state)
{
	struct rig *rig = *state;
	struct server server = {0};

	start_server(&server, PORT, NULL);
	use(rig, PORT);
	rig_do(rig, "REPLICAOF 127.0.0.1 1");
	snprintf(rig->options.addresses, sizeof(rig->options.addresses), "127.0.0.1:%d", PORT);
	rig_start(rig);
	rig_ticks(rig, 100);
	rig_run(rig, 500);
	rig_expect_reason(rig, "replica");
	assert_int_equal(rig->changes, 1);
	rig_do(rig, "REPLICAOF NO ONE");
	assert_true(rig_wait_connected(rig, true, 6000));
	rig_settle(rig);
	rig_check_complete(rig);
	assert_int_equal(rig->changes, 2);
	rig_do(rig, "REPLICAOF 127.0.0.1 1"); /* while it is written to */
	rig_ticks(rig, 100);
	assert_true(rig_wait_connected(rig, false, 3000));
	rig_expect_reason(rig, "replica");
	rig_do(rig, "REPLICAOF NO ONE");
	assert_true(rig_wait_connected(rig, true, 6000));
	rig_ticks(rig, 10);
	rig_settle(rig);
	rig_check_complete(rig);
	stop_server(&server);
}

static void start_sentinel(struct rig *rig, struct server *server, int port, int master)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/sentinel.conf", rig->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"port %d\nbind 127.0.0.1\nsentinel monitor windows 127.0.0.1 %d 1\n"
		"sentinel down-after-milliseconds windows 500\n"
		"sentinel failover-timeout windows 3000\n",
		port, master);
	fclose(file);
	server->pid = fork();
	if (server->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl("/usr/bin/redis-server", "redis-server", path, "--sentinel", NULL);
		_exit(127);
	}
}

/* The Sentinel knows of the replica only after a while (INFO every 10 s). */
static void wait_for_replica(struct rig *rig)
{
	use(rig, SENTINEL_PORT);
	for (int i = 0; i < 150; i++) {
		redisReply *reply = redisCommand(rig->client, "SENTINEL replicas windows");
		bool known = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0;

		freeReplyObject(reply);
		if (known)
			break;
		rig_run(rig, 100);
	}
	rig_run(rig, 1000);
}

static void test_sentinel(void **state)
{
	struct rig *rig = *state;
	struct server master = {0}, replica = {0}, sentinel = {0};
	const char *const follow[] = {"--replicaof", "127.0.0.1 16379", NULL};
	char path[96];
	struct gm_error err;

	start_server(&master, PORT, NULL);
	use(rig, PORT);
	start_server(&replica, PORT + 1, follow);
	start_sentinel(rig, &sentinel, SENTINEL_PORT, PORT);
	snprintf(rig->options.addresses, sizeof(rig->options.addresses),
		 "127.0.0.1:%d,127.0.0.1:%d", SENTINEL_PORT + 1,
		 SENTINEL_PORT); /* the first is dead */
	snprintf(rig->options.sentinel_master, sizeof(rig->options.sentinel_master), "windows");
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 5000));
	rig_ticks(rig, 100);
	rig_settle(rig);
	rig_check_complete(rig);
	assert_non_null(strstr(rig->reason, "16379"));
	wait_for_replica(rig);
	stop_server(&master);
	rig_ticks(rig, 50);
	assert_true(rig_wait_connected(rig, false, 2000));
	if (!rig_wait_connected(rig, true, 20000))
		fail_msg("%s", rig_status(rig).state);
	assert_non_null(strstr(rig->reason, "16380"));
	rig_ticks(rig, 50);
	rig_settle(rig);
	use(rig, PORT + 1);
	rig_check_complete(rig);
	rig_stop(rig);
	rig_create(rig);
	if (rig->store->ops->load(rig->store, GM_SECOND, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rig->restored, 200 * RIG_ENTITIES);
	rig_stop(rig);
	snprintf(rig->options.addresses, sizeof(rig->options.addresses), "127.0.0.1:%d",
		 SENTINEL_PORT);
	snprintf(rig->options.sentinel_master, sizeof(rig->options.sentinel_master), "others");
	rig_start(rig);
	rig_run(rig, 500);
	rig_expect_reason(rig, "no master of that name");
	stop_server(&sentinel);
	stop_server(&replica);
	snprintf(path, sizeof(path), "%s/sentinel.conf", rig->directory);
	unlink(path);
}

/* Two nodes, all slots with the second; the store knows the first. */
static void test_cluster(void **state)
{
	struct rig *rig = *state;
	struct server one = {0}, two = {0};
	const char *const arguments[] = {"--cluster-enabled", "yes", NULL};
	struct gm_error err;

	start_server(&one, PORT + 2, arguments);
	start_server(&two, PORT + 3, arguments);
	use(rig, PORT + 3);
	rig_do(rig, "CLUSTER ADDSLOTSRANGE 0 16383");
	use(rig, PORT + 2);
	rig_do(rig, "CLUSTER MEET 127.0.0.1 %d", PORT + 3);
	for (int i = 0; i < 200; i++) {
		redisReply *reply = rig_command(rig, "CLUSTER INFO");
		bool ok = strstr(reply->str, "cluster_state:ok") != NULL;

		freeReplyObject(reply);
		if (ok)
			break;
		rig_run(rig, 100);
	}
	snprintf(rig->options.addresses, sizeof(rig->options.addresses), "127.0.0.1:%d", PORT + 2);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 5000));
	assert_int_equal(rig->changes, 1);
	rig_ticks(rig, 50);
	rig_settle(rig);
	use(rig, PORT + 3);
	rig_check_complete(rig);
	rig_stop(rig);
	rig_create(rig);
	if (rig->store->ops->load(rig->store, GM_SECOND, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rig->restored, 50 * RIG_ENTITIES);
	stop_server(&one);
	stop_server(&two);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_lists),
		TEST(test_user_over_tcp),
		TEST(test_list_of_addresses),
		TEST(test_replica),
		TEST(test_sentinel),
		TEST(test_cluster),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
