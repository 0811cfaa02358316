/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client while a name server is silent: the threads that are left behind are few, and other names are
 * looked up as ever. The system's look-up is this file's.
 */
#include <netdb.h>
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
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	(void)service, (void)hints, (void)ret_list;
	if (!strstr(name, "silent"))
		return EAI_NONAME;
	pthread_mutex_lock(&names.lock);
	names.waiting++;
	names.asked++;
	while (!names.over)
		pthread_cond_wait(&names.change, &names.lock);
	names.waiting--;
	pthread_cond_signal(&names.change);
	pthread_mutex_unlock(&names.lock);
	return EAI_AGAIN;
}

static size_t asked(void)
{
	pthread_mutex_lock(&names.lock);
	size_t count = names.asked;
	pthread_mutex_unlock(&names.lock);
	return count;
}

/* Lets the threads end, before what they use does. */
static void end_silence(void)
{
	pthread_mutex_lock(&names.lock);
	names.over = true;
	pthread_cond_broadcast(&names.change);
	while (names.waiting > 0)
		pthread_cond_wait(&names.change, &names.lock);
	pthread_mutex_unlock(&names.lock);
	usleep(200 * 1000);
}

/* ---- requests ---- */

struct round {
	uv_loop_t loop;
	struct gm_http *http;
	size_t ended, not_asked, timed_out, unknown;
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
}

/* Requests to one port share a look-up, where they can share a connection. */
static void ask(struct round *round, const char *name, unsigned port)
{
	static const struct gm_http_transport transport = {.timeout = 150 * GM_MILLISECOND};
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

static void test_few_threads_are_left_behind(void **state)
{
	enum { ROUNDS = 5, AT_ONCE = 10, NAMES = 100 };
	struct round round = {.ended = 0};
	size_t sent = 0;

	(void)state;
	assert_int_equal(uv_loop_init(&round.loop), 0);
	assert_int_equal(gm_http_create(&round.loop, &round.http), 0);
	for (size_t i = 0; i < ROUNDS; i++) {
		for (size_t k = 0; k < AT_ONCE; k++, sent++)
			ask(&round, "one.silent.test", 1000 + (unsigned)k);
		run_until(&round, sent);
	}
	assert_int_equal(asked(), GM_LOOKUPS_OF_NAME);
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
	assert_int_equal(asked(), GM_LOOKUPS_OF_NAME + NAMES);
	ask(&round, "other.test", 80);
	run_until(&round, ++sent);
	assert_int_equal(round.unknown, 2);
	gm_http_close(round.http);
	uv_run(&round.loop, UV_RUN_DEFAULT);
	gm_http_free(round.http);
	assert_int_equal(uv_loop_close(&round.loop), 0);
	end_silence();
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
	assert_false(gm_lookups_may_begin(&lookups, 1, 0, now + GM_LOOKUP_ENDS - 1));
	assert_true(gm_lookups_may_begin(&lookups, 1, 0, now + GM_LOOKUP_ENDS));
	gm_lookups_leave(&lookups, 1, now + GM_LOOKUP_ENDS);
	assert_true(
		gm_lookups_may_begin(&lookups, 1, GM_LOOKUPS_OF_NAME - 2, now + GM_LOOKUP_ENDS));
	assert_false(
		gm_lookups_may_begin(&lookups, 1, GM_LOOKUPS_OF_NAME - 1, now + GM_LOOKUP_ENDS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_names_a_host),
		cmocka_unit_test(test_what_was_left_behind_ends),
		cmocka_unit_test(test_few_threads_are_left_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
