/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis store against a server that is none: wrong types, torn replies, lengths out of all
 * reason, garbage, a connection closed midway. It must say what is wrong, stay within its memory and
 * come to an end.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rig.h"

/*
 * What the false server says: `first` is sent upon a connection's first bytes, then `flood` again and
 * again (NULL: nothing), then, where `closes`, the connection is closed.
 */
struct script {
	const char *name;
	const char *first, *flood;
	bool closes;
	bool may_time_out; /* nothing wrong can be seen but silence */
};

struct liar {
	const struct script *script;
	int listener;
	pthread_t thread;
};

static void serve(const struct script *script, int fd)
{
	struct pollfd descriptor = {.fd = fd, .events = POLLIN};
	char heard[65536];
	size_t sent = 0;

	if (poll(&descriptor, 1, 2000) <= 0 || recv(fd, heard, sizeof(heard), 0) <= 0)
		return;
	if (send(fd, script->first, strlen(script->first), MSG_NOSIGNAL) < 0)
		return;
	/* 256 MiB at most: far more than the store may keep. */
	while (script->flood && sent < (256u << 20)) {
		ssize_t length = send(fd, script->flood, strlen(script->flood), MSG_NOSIGNAL);

		if (length < 0)
			return;
		sent += (size_t)length;
	}
	while (!script->closes && recv(fd, heard, sizeof(heard), 0) > 0)
		;
}

static void *lie(void *user)
{
	struct liar *liar = user;
	int fd;

	while ((fd = accept(liar->listener, NULL, NULL)) >= 0) {
		serve(liar->script, fd);
		close(fd);
	}
	return NULL;
}

static void start_liar(struct rig *rig, struct liar *liar, const struct script *script)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	unlink(rig->socket);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->socket);
	liar->script = script;
	liar->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(liar->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(liar->listener, 4), 0);
	assert_int_equal(pthread_create(&liar->thread, NULL, lie, liar), 0);
}

static void stop_liar(struct liar *liar)
{
	shutdown(liar->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(liar->thread, NULL), 0);
	close(liar->listener);
}

static long resident_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

#define GREETING "+1\r\n$1\r\n1\r\n"            /* SETNX, GET schema */
#define UP       GREETING "$3\r\n1-1\r\n:1\r\n" /* XADD, DEL */
#define CONFIGS  "*0\r\n*0\r\n*0\r\n"
#define CHORES   ":1\r\n:1\r\n:1\r\n" /* SADD, PERSIST, PERSIST */

static const struct script scripts[] = {
	{.name = "garbage", .first = "HTTP/1.1 400 Bad Request\r\n\r\n"},
	{.name = "closes at once", .first = "", .closes = true},
	{.name = "closes within a reply", .first = "+1\r\n$1", .closes = true},
	{.name = "array for GET", .first = "+1\r\n*1\r\n$1\r\n1\r\n"},
	{.name = "integer for GET", .first = "+1\r\n:1\r\n"},
	{.name = "nil for GET", .first = "+1\r\n$-1\r\n"},
	{.name = "integer for XADD", .first = GREETING ":1\r\n:1\r\n"},
	{.name = "huge array", .first = "+1\r\n*2147483647\r\n"},
	{.name = "negative array", .first = "+1\r\n*-5\r\n"},
	{.name = "huge string",
	 .first = "+1\r\n$2147483647\r\n",
	 .flood = "xxxxxxxxxxxxxxxxxxxxxxxx"},
	{.name = "length without end", .first = "$", .flood = "11111111111111111111111111111111"},
	{.name = "line without end", .first = "+", .flood = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	{.name = "nested arrays", .first = "+1\r\n", .flood = "*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n"},
	{.name = "many elements", .first = "+1\r\n*16000\r\n", .flood = "*16000\r\n$0\r\n\r\n"},
	{.name = "wrong types when up", .first = UP "$-1\r\n+x\r\n:1\r\n" CHORES ":1\r\n"},
	{.name = "no id", .first = UP CONFIGS CHORES "*1\r\n*2\r\n$3\r\nx-y\r\n*0\r\n"},
	{.name = "nil entry", .first = UP CONFIGS CHORES "*1\r\n$-1\r\n"},
	{.name = "error without text", .first = UP CONFIGS CHORES "-\r\n"},
	{.name = "error with controls", .first = "-ERR \x1b[2J\x07 \xff\xfe\r\n"},
	{.name = "silence", .first = "", .may_time_out = true},
};

static bool is_clean(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

static void test_writing(void **state)
{
	struct rig *rig = *state;
	long before = resident_kib();

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct liar liar;
		int ms = scripts[i].may_time_out ? 4000 : 2500;

		start_liar(rig, &liar, &scripts[i]);
		rig->changes = 0;
		rig->reason[0] = '\0';
		rig_start(rig);
		rig_ticks(rig, 2);
		uint64_t end = uv_hrtime() + (uint64_t)ms * GM_MILLISECOND;
		while ((rig->changes == 0 || rig->connected) && uv_hrtime() < end) {
			rig_run(rig, 20);
			rig_tick(rig);
		}
		if (rig->changes == 0 || rig->connected || rig->reason[0] == '\0')
			fail_msg("%s: is believed (%s)", scripts[i].name, rig->reason);
		if (!is_clean(rig->reason))
			fail_msg("%s: %s", scripts[i].name, rig->reason);
		rig_stop(rig);
		stop_liar(&liar);
	}
	assert_true(resident_kib() - before < 64 * 1024);
}

#define LOAD_GREETING "$1\r\n1\r\n" /* GET schema */
#define ASKED_OF_ONE  LOAD_GREETING "*1\r\n$4\r\nnode\r\n"
#define ONE_ENTITY    ASKED_OF_ONE "$-1\r\n" /* HGET learned */

static const struct script load_scripts[] = {
	{.name = "garbage", .first = "SSH-2.0-OpenSSH\r\n"},
	{.name = "closes", .first = "$1\r\n", .closes = true},
	{.name = "other schema", .first = "$2\r\n77\r\n"},
	{.name = "wrong type for SMEMBERS", .first = LOAD_GREETING ":5\r\n"},
	{.name = "endless set", .first = LOAD_GREETING "*2147483647\r\n", .flood = "$1\r\na\r\n"},
	{.name = "endless string",
	 .first = LOAD_GREETING "*1\r\n$2147483647\r\n",
	 .flood = "aaaaaaaa"},
	{.name = "wrong type for XREVRANGE", .first = ONE_ENTITY "$1\r\nx\r\n"},
	{.name = "torn stream",
	 .first = ONE_ENTITY "*2\r\n*2\r\n$3\r\n9-9\r\n*2\r\n",
	 .closes = true},
	{.name = "wrong type for HGET", .first = ASKED_OF_ONE "*1\r\n:1\r\n*0\r\n"},
	{.name = "silence", .first = ONE_ENTITY},
};

static void test_loading(void **state)
{
	struct rig *rig = *state;
	long before = resident_kib();

	for (size_t i = 0; i < sizeof(load_scripts) / sizeof(load_scripts[0]); i++) {
		struct gm_error err = {0};
		struct liar liar;

		start_liar(rig, &liar, &load_scripts[i]);
		rig_create(rig);
		uint64_t start = uv_hrtime();
		int rc = rig->store->ops->load(rig->store, GM_SECOND, &err);
		if (rc >= 0 || err.text[0] == '\0' || !is_clean(err.text))
			fail_msg("%s: %d %s", load_scripts[i].name, rc, err.text);
		if (uv_hrtime() - start > 3 * (uint64_t)GM_SECOND / 2)
			fail_msg("%s: takes too long", load_scripts[i].name);
		rig_stop(rig);
		stop_liar(&liar);
	}
	assert_int_equal(rig->restored, 0);
	assert_true(resident_kib() - before < 300 * 1024);
}

/* A server that repeats the same page for ever ends by itself. */
static void test_repeated_page(void **state)
{
	static const struct script script = {
		.name = "the same page",
		.first = ONE_ENTITY "*2\r\n*2\r\n$3\r\n9-9\r\n*2\r\n$6\r\nload.1\r\n$1\r\n1\r\n"
				    "*2\r\n$3\r\n9-9\r\n*2\r\n$6\r\nload.1\r\n$1\r\n1\r\n",
	};
	struct rig *rig = *state;
	struct gm_error err = {0};
	struct liar liar;

	start_liar(rig, &liar, &script);
	rig->options.samples = 2;
	rig_create(rig);
	assert_int_equal(rig->store->ops->load(rig->store, GM_SECOND, &err), 0);
	assert_int_equal(rig->restored, 1);
	rig_stop(rig);
	stop_liar(&liar);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_writing),
		TEST(test_loading),
		TEST(test_repeated_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
