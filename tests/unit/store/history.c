/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading stored frames while the store runs: what comes of the frames, of the coarser streams before them,
 * across a hole, of keys of other kinds and damaged entries; that it is bounded, ends in time and can be
 * ended at any moment.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>

#include "rig.h"

enum { ROWS = 20000 };

static const int64_t BEGIN = 1700000040000; /* ms: a minute begins */

struct heard {
	size_t rows, want; /* `want`: it is enough then; 0: all */
	int64_t time[ROWS], span[ROWS];
	double gauge[ROWS], min[ROWS], max[ROWS];
	uint64_t counter[ROWS];
	unsigned ends;
	int result;
	struct gm_error err;
};

static struct heard heard; /* too large for a stack */

static bool on_row(void *user, const struct gm_store_row *row)
{
	struct heard *all = user;

	assert_true(all->rows < ROWS);
	all->time[all->rows] = row->time / GM_MILLISECOND - BEGIN;
	all->span[all->rows] = row->span / GM_MILLISECOND;
	for (size_t i = 0; i < row->count; i++) {
		if (row->readings[i].metric == GM_METRIC_MEMORY_USED) {
			all->gauge[all->rows] = row->readings[i].value.gauge;
			all->min[all->rows] = row->extremes ? row->extremes[i].min : NAN;
			all->max[all->rows] = row->extremes ? row->extremes[i].max : NAN;
		} else if (row->readings[i].metric == GM_METRIC_CPU_TIME) {
			all->counter[all->rows] = row->readings[i].value.counter;
		}
	}
	all->rows++;
	return all->rows != all->want;
}

static void on_done(void *user, int result, const struct gm_error *err)
{
	struct heard *all = user;

	all->ends++;
	all->result = result;
	all->err = *err;
}

static int ask(struct rig *rig, int64_t since_ms, int64_t until_ms, struct gm_store_read **ret_read,
	       struct gm_error *err)
{
	struct gm_store_range range = {
		.key = rig->keys[1],
		.since = (BEGIN + since_ms) * GM_MILLISECOND,
		.until = (BEGIN + until_ms) * GM_MILLISECOND,
		.rows = ROWS - 1,
		.deadline = 2 * GM_SECOND,
	};
	struct gm_store_reader reader = {on_row, on_done, &heard};

	heard.rows = heard.ends = 0;
	return rig->store->ops->read(rig->store, &range, &reader, ret_read, err);
}

static void read_all(struct rig *rig, int64_t since_ms, int64_t until_ms)
{
	struct gm_store_read *read;
	struct gm_error err;

	assert_int_equal(ask(rig, since_ms, until_ms, &read, &err), 0);
	assert_int_equal(heard.ends, 0); /* never from within */
	for (int i = 0; i < 300 && heard.ends == 0; i++)
		rig_run(rig, 10);
	assert_int_equal(heard.ends, 1);
	for (size_t i = 1; i < heard.rows; i++)
		assert_true(heard.time[i] < heard.time[i - 1]);
}

static void give(struct rig *rig, int64_t ms, double used, uint64_t time)
{
	const struct gm_reading readings[] = {
		{.metric = GM_METRIC_CPU_TIME, .value.counter = time},
		{.metric = GM_METRIC_MEMORY_USED, .value.gauge = used},
	};
	const struct gm_frame frame = {.key = rig->keys[1],
				       .measured_at = (BEGIN + ms) * GM_MILLISECOND,
				       .read_at = (BEGIN + ms) * GM_MILLISECOND,
				       .count = 2};

	rig->store->ops->append(rig->store, &frame, readings);
}

/* Frames 100 ms apart; the value is the number. */
static void give_tenths(struct rig *rig, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		give(rig, 100 * i + 50, i, (1ull << 63) + (uint64_t)i);
		/* No more than what may be unanswered: nothing is filled in here. */
		while (i % 32 == 0 && rig_status(rig).pending > 0)
			uv_run(&rig->loop, UV_RUN_ONCE);
	}
	rig_settle(rig);
}

static void begin(struct rig *rig)
{
	rig->host_is_empty = true;
	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	give(rig, -7200000, 0, 0); /* makes the entity known */
	rig_settle(rig);
}

static void test_frames(void **state)
{
	struct rig *rig = *state;

	rig->options.samples = 10000;
	begin(rig);
	give_tenths(rig, 0, 6000);
	read_all(rig, 0, 600000);
	assert_int_equal(heard.result, 0);
	assert_string_equal(heard.err.text, "");
	assert_int_equal(heard.rows, 6000);
	for (int i = 0; i < 6000; i++) {
		assert_int_equal(heard.time[i], 100 * (5999 - i) + 50);
		assert_int_equal(heard.span[i], 0);
		assert_true(heard.gauge[i] == 5999 - i);
		assert_int_equal(heard.counter[i], (1ull << 63) + (uint64_t)(5999 - i));
	}
	read_all(rig, 250, 450); /* 250 is asked for, 450 is not */
	assert_int_equal(heard.rows, 2);
	read_all(rig, 250, 451);
	assert_int_equal(heard.rows, 3);
	read_all(rig, 1000000, 2000000);
	assert_int_equal(heard.rows, 0);
	heard.want = 700;
	read_all(rig, 0, 600000);
	assert_int_equal(heard.rows, 700);
	assert_int_equal(heard.result, 0);
	heard.want = 0;
	rig_settle(rig); /* a page that was on its way disturbs nothing */
	assert_true(rig_status(rig).connected);
}

/* Seconds where there are no frames any more, minutes where there are no seconds. */
static void test_tiers(void **state)
{
	struct rig *rig = *state;
	size_t spans[3] = {0};

	rig->options.samples = 1000;
	rig->options.seconds_kept = 300 * GM_SECOND;
	rig->options.minutes_kept = 86400 * GM_SECOND;
	begin(rig);
	give_tenths(rig, 0, 9000);
	read_all(rig, 0, 900000);
	assert_int_equal(heard.result, 0);
	for (size_t i = 0; i < heard.rows; i++) {
		int64_t span = heard.span[i], time = heard.time[i];

		spans[span == 0 ? 0 : span == 1000 ? 1 : 2]++;
		if (span == 0)
			continue;
		/* The time is that of the newest sample, the counter has its value. */
		int64_t last = (time - 50) / 100, samples = span / 100;
		assert_int_equal(time % span, span - 50);
		assert_int_equal(heard.counter[i], (1ull << 63) + (uint64_t)last);
		assert_true(heard.gauge[i] == (double)last - ((double)samples - 1) / 2);
		assert_true(heard.min[i] == (double)(last - samples + 1));
		assert_true(heard.max[i] == (double)last);
	}
	assert_in_range(spans[0], 1000, 1300);
	assert_in_range(spans[1], 170, 300);
	assert_in_range(spans[2], 7, 12);
	assert_int_equal(heard.time[heard.rows - 1], 59950);
	for (size_t i = 1; i < heard.rows; i++) /* no hole that is longer than a span */
		assert_true(heard.time[i - 1] - heard.time[i] <= 60000 + 1000);
}

static void test_a_hole(void **state)
{
	struct rig *rig = *state;

	rig->options.seconds_kept = 3600 * GM_SECOND;
	begin(rig);
	give_tenths(rig, 0, 100);
	give_tenths(rig, 5000, 100);
	read_all(rig, 0, 600000);
	assert_int_equal(heard.result, 0);
	assert_int_equal(heard.rows, 200);
	assert_int_equal(heard.time[99] - heard.time[100], 490100);
}

static void test_other_kinds(void **state)
{
	struct rig *rig = *state;
	char key[GM_KEY_TEXT];

	rig->options.seconds_kept = 3600 * GM_SECOND;
	begin(rig);
	gm_entity_text(&rig->keys[1], key);
	rig_do(rig, "SET guestmon:{%s}:%s:1s x", "test node", key);
	give_tenths(rig, 500, 100);
	read_all(rig, 0, 600000);
	assert_int_equal(heard.result, 0); /* as if there were no such stream */
	assert_int_equal(heard.rows, 100);
	rig_do(rig, "SET guestmon:{%s}:%s x", "test node", key);
	read_all(rig, 0, 600000);
	assert_int_equal(heard.result, -EREMOTEIO);
	assert_non_null(strstr(heard.err.text, "WRONGTYPE"));
}

static void test_damaged_entries(void **state)
{
	struct rig *rig = *state;
	char key[GM_KEY_TEXT];
	static const char *const values[] = {"nan",  "-1e999", "",
					     "0x10", "12 ",    "18446744073709551616"};

	begin(rig);
	gm_entity_text(&rig->keys[1], key);
	give_tenths(rig, 0, 5);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		rig_do(rig, "XADD guestmon:{%s}:%s %lld-%llu cpu.time %s odd x", "test node", key,
		       (long long)BEGIN + 1000, (unsigned long long)i, values[i]);
	rig_do(rig, "XADD guestmon:{%s}:%s %lld-0 @ 99999999999999999999", "test node", key,
	       (long long)BEGIN + 2000);
	rig_do(rig, "XADD guestmon:{%s}:%s %lld-0 memory.used 7", "test node", key,
	       (long long)BEGIN + 3000);
	read_all(rig, 0, 600000);
	assert_int_equal(heard.result, 0);
	assert_non_null(strstr(heard.err.text, "1 stored entries are malformed"));
	assert_int_equal(heard.rows, 6);
	assert_true(heard.gauge[0] == 7);
}

static void test_a_server_that_hangs_or_dies(void **state)
{
	struct rig *rig = *state;
	struct gm_store_read *read;
	struct gm_error err;

	begin(rig);
	give_tenths(rig, 0, 100);
	kill(rig->server, SIGSTOP);
	read_all(rig, 0, 600000);
	assert_int_equal(heard.result, -ETIMEDOUT);
	assert_non_null(strstr(heard.err.text, "no answer in time"));
	kill(rig->server, SIGCONT);
	rig_settle(rig);
	assert_true(rig_wait_connected(rig, true, 6000));
	read_all(rig, 0, 600000);
	assert_int_equal(heard.rows, 100);

	kill(rig->server, SIGSTOP);
	assert_int_equal(ask(rig, 0, 600000, &read, &err), 0);
	rig_kill_server(rig);
	for (int i = 0; i < 100 && heard.ends == 0; i++)
		rig_run(rig, 10);
	assert_int_equal(heard.ends, 1);
	assert_int_equal(heard.result, -ENOTCONN);
	assert_int_equal(ask(rig, 0, 600000, &read, &err), -ENOTCONN);
	assert_non_null(strstr(err.text, "not connected"));
}

static void test_many_at_once_and_cancelled(void **state)
{
	struct rig *rig = *state;
	struct gm_store_read *reads[GM_STORE_READS_MAX], *one_more;
	struct gm_error err;

	rig->options.samples = 10000;
	begin(rig);
	give_tenths(rig, 0, 2000);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < GM_STORE_READS_MAX; i++)
			assert_int_equal(ask(rig, 0, 600000, &reads[i], &err), 0);
		assert_int_equal(ask(rig, 0, 600000, &one_more, &err), -EBUSY);
		for (int turn = 0; turn < round / 2; turn++)
			uv_run(&rig->loop, UV_RUN_ONCE);
		if (heard.ends > 0)
			break;
		for (size_t i = 0; i < GM_STORE_READS_MAX; i++)
			rig->store->ops->cancel(rig->store, reads[i]);
	}
	heard.rows = heard.ends = 0;
	rig_run(rig, 200);
	assert_int_equal(heard.ends, 0);
	read_all(rig, 0, 600000);
	assert_int_equal(heard.rows, 2000);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ask(rig, 0, 600000, &reads[i], &err), 0);
	rig_stop(rig);
	assert_int_equal(heard.ends, 3);
	assert_int_equal(heard.result, -ECANCELED);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_frames),
		TEST(test_tiers),
		TEST(test_a_hole),
		TEST(test_other_kinds),
		TEST(test_damaged_entries),
		TEST(test_a_server_that_hangs_or_dies),
		TEST(test_many_at_once_and_cancelled),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
