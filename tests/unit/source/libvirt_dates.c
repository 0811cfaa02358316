/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When that which libvirt tells was true: over steps of the clock, and in calls that take long.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/dating.h"
#include "source/libvirt/details.h"
#include "source/libvirt/libvirt.h"
#include "source/libvirt/stats.h"

#define SECOND  INT64_C(1700000009) /* of the epoch */
#define READ_AT (SECOND * GM_SECOND + 300 * GM_MILLISECOND)

static const uint8_t uuid[GM_UUID_SIZE] = {1, 2, 3};

static virTypedParameter number(const char *field, uint64_t value)
{
	virTypedParameter param = {.type = VIR_TYPED_PARAM_ULLONG, .value.ul = value};

	snprintf(param.field, sizeof(param.field), "%s", field);
	return param;
}

/* When the guest's account of its memory was true, or 0 when it was left out. */
static int64_t told_at(int64_t last_update, int64_t read_at, struct gm_lv_history *history)
{
	const virTypedParameter params[] = {number("balloon.available", 1024),
					    number("balloon.last-update", (uint64_t)last_update)};
	struct gm_lv_record record = {
		.uuid = uuid, .params = params, .count = 2, .read_at = read_at};
	struct gm_batch *batch = gm_batch_create();

	assert_non_null(batch);
	gm_lv_stats_slow(&record, history, batch);
	int64_t time = batch->frame_count > 0 ? batch->frames[0].measured_at : 0;
	gm_batch_free(batch);
	return time;
}

/* The node's time was set back by an hour: what the guest tells then is as good as before. */
static void test_memory_over_a_step_back(void **state)
{
	(void)state;
	struct gm_lv_history history = {0};
	int64_t hour = 3600;

	assert_int_equal(told_at(SECOND, READ_AT, &history), SECOND * GM_SECOND);
	for (int64_t i = 1; i < 4; i++)
		assert_int_equal(
			told_at(SECOND - hour + i, READ_AT + (i - hour) * GM_SECOND, &history),
			(SECOND - hour + i) * GM_SECOND);
}

#define MS GM_MILLISECOND

/* A lane of 100 ms: when its calls began and how long they took; the guest is read first, and last, in each. */
struct call {
	int64_t began, took;
};

/* How many answers are told; every span between two of them is right to an eighth, read first or read last. */
static size_t tell(const struct call *calls, size_t count, struct gm_lv_dating *dating)
{
	size_t told = 0;
	const struct call *last = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct call *call = &calls[i];
		int64_t measured_at = SECOND * GM_SECOND + call->began + call->took / 2;
		int64_t span = measured_at - dating->measured_at;

		if (!gm_lv_dating_take(dating, measured_at, call->took, 100 * MS))
			continue;
		if (last) {
			int64_t first = call->began - last->began;
			int64_t end = first + call->took - last->took;

			assert_true(span >= 50 * MS);
			assert_true(llabs(first - span) <= span / 8);
			assert_true(llabs(end - span) <= span / 8);
		}
		last = call;
		told++;
	}
	return told;
}

/* One call is held up, the next follows at once, and the one after that on the grid. */
static void test_held_up(void **state)
{
	(void)state;
	static const struct call calls[] = {
		{0, 3 * MS},        {100 * MS, 290 * MS}, {390 * MS, 3 * MS},
		{400 * MS, 3 * MS}, {500 * MS, 3 * MS},   {600 * MS, 3 * MS},
	};
	struct gm_lv_dating dating = {0};

	assert_int_equal(tell(calls, 6, &dating),
			 4); /* all but the late one and that 10 ms after */
}

/* Where calls take long from now on, or for ever, or as long as they like, it is told of. */
static void test_always_slow(void **state)
{
	(void)state;
	struct gm_lv_dating dating = {0};
	struct call calls[40];
	int64_t now = 0;

	for (int i = 0; i < 40; i++) {
		calls[i] = (struct call){now, i < 10 ? 3 * MS : 240 * MS + i % 3 * MS};
		now += i < 10 ? 100 * MS : 300 * MS;
	}
	assert_true(tell(calls, 40, &dating) >= 36);
	dating = (struct gm_lv_dating){0};
	assert_int_equal(tell(calls + 10, 30, &dating), 30);
	for (int i = 0; i < 40; i++) {
		calls[i] = (struct call){now, (i * 7919 % 97) * 3 * MS};
		now += 300 * MS;
	}
	assert_true(tell(calls, 40, &dating) >= 8);
}

static void test_dating_over_a_step_back(void **state)
{
	(void)state;
	struct gm_lv_dating dating = {0};

	assert_true(gm_lv_dating_take(&dating, READ_AT, 3 * MS, 100 * MS));
	assert_false(gm_lv_dating_take(&dating, READ_AT - 10 * MS, 3 * MS, 100 * MS));
	assert_true(gm_lv_dating_take(&dating, READ_AT - 3600 * GM_SECOND, 3 * MS, 100 * MS));
	assert_true(gm_lv_dating_take(&dating, READ_AT, 3 * MS, 100 * MS));
}

static size_t count(const struct gm_batch *batch, unsigned metric)
{
	size_t found = 0;

	for (size_t i = 0; i < batch->reading_count; i++)
		found += batch->readings[i].metric == metric;
	return found;
}

/* What is read of a disk whose requests take a millisecond, and of its guest. */
static struct gm_batch *read_guest(uint64_t requests, bool uncounted, struct gm_lv_history *history)
{
	virTypedParameter params[] = {number("cpu.time", 100 * requests),
				      number("balloon.current", 1024),
				      number("vcpu.0.time", 90 * requests),
				      {.type = VIR_TYPED_PARAM_STRING, .field = "block.0.name"},
				      number("block.0.rd.reqs", requests),
				      number("block.0.rd.times", requests * 1000000),
				      number("block.0.capacity", 4096)};
	char name[] = "vda";
	struct gm_lv_record record = {.uuid = uuid,
				      .params = params,
				      .count = sizeof(params) / sizeof(params[0]),
				      .read_at = READ_AT,
				      .took = 200 * MS,
				      .uncounted = uncounted};
	struct gm_batch *batch = gm_batch_create();

	assert_non_null(batch);
	params[3].value.s = name;
	gm_lv_stats_slow(&record, history, batch);
	gm_lv_details_notes(&record, NULL, batch);
	for (size_t i = 0; i < batch->frame_count; i++) {
		assert_int_equal(batch->frames[i].measured_at, READ_AT - 100 * MS);
		assert_int_equal(batch->frames[i].read_at, READ_AT);
	}
	return batch;
}

static void test_without_counters(void **state)
{
	(void)state;
	struct gm_lv_history history = {0};

	gm_batch_free(read_guest(10, false, &history));
	struct gm_batch *batch = read_guest(30, true, &history);
	assert_int_equal(batch->reading_count, 2);
	assert_int_equal(count(batch, GM_METRIC_MEMORY_BALLOON), 1);
	assert_int_equal(count(batch, GM_METRIC_DISK_CAPACITY), 1);
	assert_int_equal(batch->note_count, 0);
	gm_batch_free(batch);
	batch = read_guest(40, false, &history);
	assert_int_equal(count(batch, GM_METRIC_CPU_TIME), 1);
	assert_int_equal(count(batch, GM_METRIC_DISK_READ_REQUESTS), 1);
	assert_int_equal(count(batch, GM_METRIC_DISK_READ_LATENCY), 1);
	assert_int_equal(batch->note_count, 1);
	assert_int_equal(batch->notes[0].time, READ_AT - 100 * MS);
	gm_batch_free(batch);
}

/* An interface is nothing but counters. */
static void test_interface_without_counters(void **state)
{
	(void)state;
	char name[] = "tap0";
	virTypedParameter params[] = {{.type = VIR_TYPED_PARAM_INT, .field = "state.state"},
				      {.type = VIR_TYPED_PARAM_STRING, .field = "net.0.name"},
				      number("net.0.rx.bytes", 7)};
	struct gm_lv_record record = {
		.uuid = uuid, .params = params, .count = 3, .read_at = READ_AT};
	struct gm_batch *batch = gm_batch_create();

	assert_non_null(batch);
	params[0].value.i = VIR_DOMAIN_RUNNING;
	params[1].value.s = name;
	assert_true(gm_lv_stats_counts(&record));
	gm_lv_stats_fast(&record, batch);
	assert_int_equal(batch->frame_count, 2);
	gm_batch_clear(batch);
	record.uncounted = true;
	gm_lv_stats_fast(&record, batch);
	assert_int_equal(batch->frame_count, 1);
	gm_batch_free(batch);
	record.count = 1;
	assert_false(gm_lv_stats_counts(&record));
}

/*
 * The whole slow lane on libvirt's test driver, a guest of which has used as much CPU time as it is late: at a
 * rate of 1. `late` of its answers come long after they were true.
 */
static int late;

int virDomainGetInfo(virDomainPtr domain, virDomainInfoPtr info)
{
	int rc = ((__typeof__(virDomainGetInfo) *)(uintptr_t)dlsym(RTLD_NEXT, "virDomainGetInfo"))(
		domain, info);

	if (late > 0) {
		late--;
		nanosleep(&(struct timespec){.tv_nsec = 290 * MS}, NULL);
	}
	return rc;
}

struct used {
	int64_t measured_at;
	uint64_t time;
	size_t told;
};

static void on_samples(void *user, struct gm_batch *batch)
{
	struct used *used = user;

	for (size_t i = 0; i < batch->frame_count; i++) {
		const struct gm_frame *frame = &batch->frames[i];
		const struct gm_reading *reading = gm_batch_readings(batch, frame);

		if (frame->key.kind != GM_ENTITY_GUEST || reading->metric != GM_METRIC_CPU_TIME)
			continue;
		if (used->told++ > 0)
			assert_true((double)(reading->value.counter - used->time) <
				    2.1 * (double)(frame->measured_at - used->measured_at));
		used->measured_at = frame->measured_at;
		used->time = reading->value.counter;
	}
	gm_batch_free(batch);
}

static void test_late_answers_of_a_lane(void **state)
{
	(void)state;
	struct gm_libvirt_options options = {0};
	struct used used = {0};
	struct gm_source_sink sink = {.samples = on_samples, .user = &used};
	struct gm_source *source;
	struct gm_error err = {.text = ""};
	uint32_t entities;

	gm_option_defaults(gm_libvirt_option_table, &options);
	snprintf(options.uri, sizeof(options.uri), "test:///default");
	options.slow_workers = 1;
	options.slow_deadline = 10 * GM_SECOND;
	options.slow_interval = 100 * MS;
	assert_int_equal(gm_libvirt_slow_create(&options, 0, &source), 0);
	assert_int_equal(source->ops->open(source, &err), 0);
	int64_t deadline = gm_clock_monotonic();
	for (int i = 0; i < 30; i++) {
		while (gm_clock_monotonic() < deadline)
			nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
		late = i == 5 || i == 15 ? 1 : 0;
		assert_int_equal(source->ops->poll(source, gm_clock_now(), &sink, &entities, &err),
				 0);
		deadline += 100 * MS; /* a late tick is followed at once, as by the runner */
	}
	assert_true(used.told >= 5);
	source->ops->close(source);
	source->ops->destroy(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_always_slow),
		cmocka_unit_test(test_dating_over_a_step_back),
		cmocka_unit_test(test_without_counters),
		cmocka_unit_test(test_interface_without_counters),
		cmocka_unit_test(test_late_answers_of_a_lane),
		cmocka_unit_test(test_memory_over_a_step_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
