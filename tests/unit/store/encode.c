/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and replies as bytes: exact numbers, exact lengths, and replies that are not what they
 * should be.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/redis/private.h"

static void test_numbers_are_exact(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{-3, "-3"},
		{1e15, "1000000000000000"},
		{4294967296.0, "4294967296"},
		{0.1, "0.1"},
		{1.0 / 3, "0.3333333333333333"},
		{-2.5e-7, "-2.5e-07"},
		{0.25, "0.25"},
		{-12.0625, "-12.0625"},
		{1.01, "1.01"},
		{99.9999, "99.9999"},
		{0.0001, "0.0001"},
		{0.00012, "0.00012"},
		{123456789.25, "123456789.25"},
		{9007199254740992.0, "9007199254740992"},
		{9007199254740994.0, "9007199254740994"},
		{1e20, "1e+20"},
	};
	char text[GM_REDIS_NUMBER_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(gm_redis_number(cases[i].value, text), strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
	/* Every double comes back as it was: a walk over all magnitudes. */
	uint64_t seed = 88172645463325252u;
	for (int i = 0; i < 200000; i++) {
		double value;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		memcpy(&value, &seed, sizeof(value));
		if (!isfinite(value))
			continue;
		size_t length = gm_redis_number(value, text);
		assert_true(length < sizeof(text));
		assert_true(strtod(text, NULL) == value);
	}
	for (int i = 1; i < 200000; i++) {
		double value = (double)(i * 7919ll % 100003) / 1000.0 * (i % 2 ? 1 : -1);

		gm_redis_number(value, text);
		assert_true(strtod(text, NULL) == value);
	}
	gm_redis_number(DBL_MAX, text);
	assert_true(strtod(text, NULL) == DBL_MAX);
}

static struct gm_reading gauge(unsigned metric, double value)
{
	return (struct gm_reading){.metric = metric, .value.gauge = value};
}

static struct gm_reading counter(unsigned metric, uint64_t value)
{
	return (struct gm_reading){.metric = metric, .value.counter = value};
}

static void test_xadd(void **state)
{
	const struct gm_reading readings[] = {
		counter(GM_METRIC_NET_RX_BYTES, UINT64_MAX),
		gauge(GM_METRIC_NET_SPEED, NAN), /* left out */
		gauge(GM_METRIC_EXTRA + 3, 1),   /* has no name: left out */
		gauge(GM_METRIC_NET_RX_PEAK, 12500.5),
	};
	struct gm_buffer prefix = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);
	struct gm_buffer command = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);

	(void)state;
	struct gm_redis_entry entry = {
		.id = {1700, 2}, .trim = GM_REDIS_TRIM_COUNT, .threshold = 100};
	gm_redis_xadd_prefix(&prefix, "n1", "if:tap0", NULL);
	assert_true(gm_redis_xadd(&command, &prefix, &entry, readings, 4));
	assert_string_equal(command.data,
			    "*10\r\n$4\r\nXADD\r\n$21\r\nguestmon:{n1}:if:tap0\r\n$6\r\nMAXLEN\r\n"
			    "$1\r\n~\r\n$3\r\n100\r\n$6\r\n1700-2\r\n"
			    "$12\r\nnet.rx.bytes\r\n$20\r\n18446744073709551615\r\n"
			    "$11\r\nnet.rx.peak\r\n$7\r\n12500.5\r\n");
	gm_buffer_free(&command);
	entry = (struct gm_redis_entry){.id = {1700, 3}, .own_ms = 1650};
	assert_true(gm_redis_xadd(&command, &prefix, &entry, readings, 1));
	assert_string_equal(command.data,
			    "*7\r\n$4\r\nXADD\r\n$21\r\nguestmon:{n1}:if:tap0\r\n$6\r\n1700-3\r\n"
			    "$1\r\n@\r\n$4\r\n1650\r\n"
			    "$12\r\nnet.rx.bytes\r\n$20\r\n18446744073709551615\r\n");
	gm_buffer_free(&command);
	entry = (struct gm_redis_entry){
		.id = {1700, 3}, .trim = GM_REDIS_TRIM_AGE, .threshold = 99};
	assert_true(gm_redis_xadd(&command, &prefix, &entry, readings, 1));
	assert_non_null(strstr(command.data, "$5\r\nMINID\r\n$1\r\n~\r\n$2\r\n99\r\n"));
	command.length = 0;
	assert_false(gm_redis_xadd(&command, &prefix, &entry, &readings[1],
				   2)); /* nothing that can be stored */
	assert_int_equal(command.length, 0);
	gm_buffer_free(&command);
	gm_buffer_free(&prefix);
}

static void test_info_of_hostile_names(void **state)
{
	struct gm_entity_info info = {.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1})};
	struct gm_buffer command = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX);

	(void)state;
	snprintf(info.guest.name, sizeof(info.guest.name), "a\r\n$3\r\nDEL\r\n");
	info.guest.vcpus = 2;
	gm_redis_info(&command, "n1", &info);
	/* Lengths say what is text: nothing in it is a command. */
	assert_non_null(strstr(command.data, "$4\r\nname\r\n$12\r\na\r\n$3\r\nDEL\r\n\r\n"));
	assert_non_null(strstr(command.data, "$5\r\nvcpus\r\n$1\r\n2\r\n"));
	assert_memory_equal(command.data, "*8\r\n", 4);
	gm_buffer_free(&command);
	info = (struct gm_entity_info){.key = gm_entity_node()};
	gm_redis_info(&command, "n1", &info);
	assert_int_equal(command.length, 0);
	gm_buffer_free(&command);
}

/* A reply as the library parses it from `text`. */
static redisReply *parse(const char *text)
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;

	redisReaderFeed(reader, text, strlen(text));
	assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
	assert_non_null(reply);
	redisReaderFree(reader);
	return reply;
}

static int entry(const char *text, struct gm_batch *batch)
{
	const struct gm_entity_key key = gm_entity_interface("tap0");
	redisReply *reply = parse(text);
	struct gm_redis_id id;
	int rc = gm_redis_parse_entry(reply, &key, batch, &id);

	freeReplyObject(reply);
	return rc;
}

static void test_entries(void **state)
{
	struct gm_batch *batch = gm_batch_create();

	(void)state;
	assert_int_equal(entry("*2\r\n$6\r\n1700-2\r\n*10\r\n$12\r\nnet.rx.bytes\r\n$20\r\n"
			       "18446744073709551615\r\n$11\r\nnet.rx.peak\r\n$3\r\n0.1\r\n"
			       "$6\r\nfuture\r\n$1\r\n1\r\n$12\r\nnet.tx.bytes\r\n$2\r\n-1\r\n"
			       "$9\r\nnet.speed\r\n$3\r\nnan\r\n",
			       batch),
			 0);
	assert_int_equal(batch->frame_count, 1);
	assert_int_equal(batch->frames[0].measured_at, 1700 * GM_MILLISECOND);
	assert_int_equal(batch->frames[0].count, 2); /* unknown, negative, nan: skipped */
	const struct gm_reading *readings = gm_batch_readings(batch, &batch->frames[0]);
	assert_true(readings[0].value.counter == UINT64_MAX);
	assert_true(readings[1].value.gauge == 0.1);
	assert_int_equal(entry("*2\r\n$6\r\n1700-3\r\n*4\r\n$1\r\n@\r\n$4\r\n1650\r\n"
			       "$11\r\nnet.rx.peak\r\n$1\r\n1\r\n",
			       batch),
			 0);
	assert_int_equal(batch->frames[1].measured_at, 1650 * GM_MILLISECOND);
	assert_int_equal(batch->frames[1].count, 1);
	gm_batch_free(batch);
}

static void test_malformed_entries(void **state)
{
	static const char *const replies[] = {
		":1\r\n",
		"$1\r\nx\r\n",
		"$-1\r\n",
		"*-1\r\n",
		"*0\r\n",
		"*1\r\n$3\r\n1-1\r\n",
		"*2\r\n$3\r\n1-1\r\n$1\r\nx\r\n",
		"*2\r\n$3\r\n1-1\r\n$-1\r\n",
		"*2\r\n:1\r\n*0\r\n",
		"*2\r\n$-1\r\n*0\r\n",
		"*2\r\n$1\r\n1\r\n*0\r\n",
		"*2\r\n$4\r\n-1-1\r\n*0\r\n",
		"*2\r\n$4\r\n1-1x\r\n*0\r\n",
		"*2\r\n$4\r\n 1-1\r\n*0\r\n",
		"*2\r\n$22\r\n18446744073709551615-0\r\n*0\r\n",
		"*2\r\n$23\r\n99999999999999999999-00\r\n*0\r\n",
		"*2\r\n$3\r\n1-1\r\n*1\r\n$1\r\na\r\n",
		"*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n:1\r\n",
		"*2\r\n$3\r\n1-1\r\n*2\r\n*0\r\n$1\r\na\r\n",
		"*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\n@\r\n$1\r\n2\r\n",
		"*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\n@\r\n$1\r\nx\r\n",
		"-ERR no\r\n",
	};
	struct gm_batch *batch = gm_batch_create();

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		if (entry(replies[i], batch) != -EPROTO)
			fail_msg("taken: %s", replies[i]);
	}
	assert_int_equal(batch->reading_count, 0);
	gm_batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_exact),     cmocka_unit_test(test_xadd),
		cmocka_unit_test(test_info_of_hostile_names), cmocka_unit_test(test_entries),
		cmocka_unit_test(test_malformed_entries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
