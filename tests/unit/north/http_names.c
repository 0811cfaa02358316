/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client while a name server is silent: the threads that are left behind are few, other names are looked up
 * as ever, and so is the name itself soon after its server is back. The system's look-up is this file's.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/http/http.h"
#include "north/http/lookup.h"

/* ---- names: silent ones have no answer until the test ends ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	size_t waiting, asked; /* for silent names */
	bool over;
	bool back; /* they are answered: they are this machine's */
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static struct addrinfo *loopback(const char *service)
{
	struct {
		struct addrinfo info;
		struct sockaddr_in address;
	} *found = calloc(1, sizeof(*found));

	found->info = (struct addrinfo){.ai_family = AF_INET,
					.ai_socktype = SOCK_STREAM,
					.ai_addrlen = sizeof(found->address),
					.ai_addr = (struct sockaddr *)&found->address};
	found->address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(service, NULL, 10)),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
	};
	return &found->info;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	(void)hints;
	if (!strstr(name, "silent"))
		return EAI_NONAME;
	pthread_mutex_lock(&names.lock);
	if (names.back) {
		pthread_mutex_unlock(&names.lock);
		*ret_list = loopback(service);
		return 0;
	}
	names.waiting++;
	names.asked++;
	while (!names.over)
		pthread_cond_wait(&names.change, &names.lock);
	names.waiting--;
	pthread_cond_signal(&names.change);
	pthread_mutex_unlock(&names.lock);
	return EAI_AGAIN;
}

/* All threads have begun that were to: no more than so many ask. */
static void assert_asked(size_t expected)
{
	int64_t end = gm_clock_monotonic() + 10 * GM_SECOND;
	size_t count;

	do {
		usleep(1000);
		pthread_mutex_lock(&names.lock);
		count = names.asked;
		pthread_mutex_unlock(&names.lock);
	} while (count < expected && gm_clock_monotonic() < end);
	assert_int_equal(count, expected);
}

static void set_back(bool back)
{
	pthread_mutex_lock(&names.lock);
	names.back = back;
	pthread_mutex_unlock(&names.lock);
}

/* Lets the threads end, before what they use does. */
static void end_silence(void)
{
	pthread_mutex_lock(&names.lock);
	names.over = true;
	pthread_cond_broadcast(&names.change);
	while (names.waiting > 0)
		pthread_cond_wait(&names.change, &names.lock);
	names.over = false;
	names.asked = 0;
	pthread_mutex_unlock(&names.lock);
	usleep(200 * 1000);
}

/* ---- requests ---- */

struct round {
	uv_loop_t loop;
	struct gm_http *http;
	size_t ended, not_asked, timed_out, unknown, refused;
};

static void on_done(void *user, const struct gm_http_response *response)
{
	struct round *round = user;

	assert_int_equal(response->status, 0);
	assert_false(response->sent);
	round->ended++;
	round->not_asked += strstr(response->error, "too many questions unanswered") != NULL;
	round->timed_out += strstr(response->error, "timed out") != NULL;
	round->unknown += strstr(response->error, "Could not resolve") != NULL;
	round->refused += strstr(response->error, "connect to") != NULL;
}

/* Requests to one port share a look-up, where they can share a connection. */
static void ask(struct round *round, const char *name, unsigned port)
{
	static const struct gm_http_transport transport = {.timeout = GM_SECOND};
	char url[64];

	snprintf(url, sizeof(url), "http://%s:%u/", name, port);
	const struct gm_http_request request = {.transport = &transport,
						.method = "GET",
						.url = url,
						.done = on_done,
						.user = round};
	assert_int_equal(gm_http_send(round->http, &request, NULL, NULL), 0);
}

static void run_until(struct round *round, size_t ended)
{
	while (round->ended < ended)
		uv_run(&round->loop, UV_RUN_ONCE);
}

static void begin(struct round *round)
{
	assert_int_equal(uv_loop_init(&round->loop), 0);
	assert_int_equal(gm_http_create(&round->loop, &round->http), 0);
}

static void end(struct round *round)
{
	gm_http_close(round->http);
	uv_run(&round->loop, UV_RUN_DEFAULT);
	gm_http_free(round->http);
	assert_int_equal(uv_loop_close(&round->loop), 0);
	end_silence();
}

static void test_few_threads_are_left_behind(void **state)
{
	enum { ROUNDS = 5, AT_ONCE = 10, NAMES = 100 };
	struct round round = {.ended = 0};
	size_t sent = 0;

	(void)state;
	begin(&round);
	for (size_t i = 0; i < ROUNDS; i++) {
		for (size_t k = 0; k < AT_ONCE; k++, sent++)
			ask(&round, "one.silent.test", 1000 + (unsigned)k);
		run_until(&round, sent);
	}
	assert_asked(GM_LOOKUPS_OF_NAME);
	assert_int_equal(round.timed_out, GM_LOOKUPS_OF_NAME);
	assert_int_equal(round.not_asked, sent - GM_LOOKUPS_OF_NAME);
	/* Other names have an answer. */
	ask(&round, "other.test", 80);
	run_until(&round, ++sent);
	assert_int_equal(round.unknown, 1);
	/* Many that are silent: one of each, once there are many. */
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < NAMES; i++, sent++) {
			char name[32];

			snprintf(name, sizeof(name), "n%zu.silent.test", i);
			ask(&round, name, 80);
		}
		run_until(&round, sent);
	}
	assert_asked(GM_LOOKUPS_OF_NAME + NAMES);
	ask(&round, "other.test", 80);
	run_until(&round, ++sent);
	assert_int_equal(round.unknown, 2);
	end(&round);
}

/* As many are left behind once more before it is refused: what was before its answer is forgotten. */
static void test_an_answer_ends_the_count(void **state)
{
	struct round round = {.ended = 0};
	size_t sent = 0;

	(void)state;
	begin(&round);
	for (unsigned i = 1; i < GM_LOOKUPS_OF_NAME; i++, sent++)
		ask(&round, "one.silent.test", 1000 + i);
	run_until(&round, sent);
	set_back(true);
	ask(&round, "one.silent.test", 1); /* where nobody listens */
	run_until(&round, ++sent);
	assert_int_equal(round.refused, 1);
	set_back(false);
	for (unsigned i = 0; i < GM_LOOKUPS_OF_NAME; i++, sent++)
		ask(&round, "one.silent.test", 2000 + i);
	run_until(&round, sent);
	assert_asked(2 * GM_LOOKUPS_OF_NAME - 1);
	assert_int_equal(round.timed_out, 2 * GM_LOOKUPS_OF_NAME - 1);
	ask(&round, "one.silent.test", 1000);
	run_until(&round, ++sent);
	assert_int_equal(round.not_asked, 1);
	end(&round);
}

static void test_what_names_a_host(void **state)
{
	uint64_t name = gm_lookup_name("http://a.example/");

	(void)state;
	assert_true(name != 0);
	assert_true(gm_lookup_name("https://u:p@a.example:8080/x@y") == name);
	assert_true(gm_lookup_name("http://a.example?x") == name);
	assert_true(gm_lookup_name("http://b.example/") != name);
	assert_true(gm_lookup_name("http://127.0.0.1:80/") == 0);
	assert_true(gm_lookup_name("http://[::1]/") == 0);
}

static void test_what_was_left_behind_ends(void **state)
{
	struct gm_lookups lookups = {.next = 0};
	int64_t now = 1000 * GM_SECOND;

	(void)state;
	assert_true(gm_lookups_may_begin(&lookups, 1, 1000, now));
	for (int i = 0; i < GM_LOOKUPS_OF_NAME; i++)
		gm_lookups_leave(&lookups, 1, now);
	assert_false(gm_lookups_may_begin(&lookups, 1, 0, now));
	assert_true(gm_lookups_may_begin(&lookups, 2, 1000, now));
	assert_true(gm_lookups_may_begin(&lookups, 0, 1000, now));
	assert_false(gm_lookups_may_begin(&lookups, 1, 1, now + GM_LOOKUP_ENDS - 1));
	assert_true(gm_lookups_may_begin(&lookups, 1, 0, now + GM_LOOKUP_ENDS));
	gm_lookups_leave(&lookups, 1, now + GM_LOOKUP_ENDS);
	assert_true(
		gm_lookups_may_begin(&lookups, 1, GM_LOOKUPS_OF_NAME - 2, now + GM_LOOKUP_ENDS));
	assert_false(
		gm_lookups_may_begin(&lookups, 1, GM_LOOKUPS_OF_NAME - 1, now + GM_LOOKUP_ENDS));
}

/* Requests that end after 0.1 s, for ten minutes. */
static void test_a_silent_name_is_asked_for_still(void **state)
{
	enum { STEPS = 6000, MOST = GM_LOOKUPS_OF_NAME + GM_LOOKUP_ENDS / GM_LOOKUP_PROBE };
	static int64_t begun[STEPS];
	struct gm_lookups lookups = {.next = 0};
	int64_t now = 1000 * GM_SECOND;
	size_t count = 0, ended = 0;

	(void)state;
	for (int i = 0; i < STEPS; i++, now += 100 * GM_MILLISECOND) {
		assert_true(gm_lookups_may_begin(&lookups, 2, 1000, now));
		if (gm_lookups_may_begin(&lookups, 1, 0, now)) {
			begun[count++] = now;
			gm_lookups_leave(&lookups, 1, now);
		}
		while (now - begun[ended] >= GM_LOOKUP_ENDS)
			ended++;
		assert_in_range(count - ended, 1, MOST);
		assert_true(now - begun[count - 1] <= GM_LOOKUP_PROBE);
	}
}

static void test_a_server_that_is_back_is_believed(void **state)
{
	struct gm_lookups lookups = {.next = 0};
	int64_t now = 1000 * GM_SECOND;

	(void)state;
	/* Silent as they all are, each name has one that asks. */
	for (uint64_t name = 1; name <= 5; name++)
		for (int i = 0; i < GM_LOOKUPS_OF_NAME; i++)
			gm_lookups_leave(&lookups, name, now);
	for (uint64_t name = 1; name <= 5; name++) {
		assert_false(gm_lookups_may_begin(&lookups, name, 0, now + GM_LOOKUP_PROBE - 1));
		assert_true(gm_lookups_may_begin(&lookups, name, 0, now + GM_LOOKUP_PROBE));
		assert_false(gm_lookups_may_begin(&lookups, name, 1, now + GM_LOOKUP_PROBE));
	}
	now += GM_LOOKUP_PROBE;
	gm_lookups_leave(&lookups, 1, now);
	assert_false(gm_lookups_may_begin(&lookups, 1, 0, now + GM_LOOKUP_PROBE - 1));
	gm_lookups_forget(&lookups, 1);
	assert_true(gm_lookups_may_begin(&lookups, 1, 1000, now));
	assert_false(gm_lookups_may_begin(&lookups, 2, 1, now)); /* of that nothing is known */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_names_a_host),
		cmocka_unit_test(test_what_was_left_behind_ends),
		cmocka_unit_test(test_a_silent_name_is_asked_for_still),
		cmocka_unit_test(test_a_server_that_is_back_is_believed),
		cmocka_unit_test(test_few_threads_are_left_behind),
		cmocka_unit_test(test_an_answer_ends_the_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
