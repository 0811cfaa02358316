/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From typed parameters to frames: units, names, the date of balloon statistics, and parameters
 * that no honest libvirt would send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/details.h"
#include "source/libvirt/stats.h"

#define READ_AT (INT64_C(1700000010) * GM_SECOND + 300 * GM_MILLISECOND)

static const uint8_t uuid[GM_UUID_SIZE] = {1, 2, 3};

enum { PARAMS_MAX = 64 };

struct params {
	virTypedParameter items[PARAMS_MAX];
	size_t count;
};

static virTypedParameter *add(struct params *params, const char *field, int type)
{
	virTypedParameter *param = &params->items[params->count++];

	*param = (virTypedParameter){.type = type};
	snprintf(param->field, sizeof(param->field), "%s", field);
	return param;
}

static void add_number(struct params *params, const char *field, uint64_t value)
{
	add(params, field, VIR_TYPED_PARAM_ULLONG)->value.ul = value;
}

static void add_text(struct params *params, const char *field, const char *value)
{
	add(params, field, VIR_TYPED_PARAM_STRING)->value.s = (char *)(uintptr_t)value;
}

static struct gm_lv_record record_of(const struct params *params)
{
	return (struct gm_lv_record){
		.uuid = uuid, .params = params->items, .count = params->count, .read_at = READ_AT};
}

static const struct gm_reading *find(const struct gm_batch *batch, size_t frame, unsigned metric)
{
	assert_true(frame < batch->frame_count);
	for (size_t i = 0; i < batch->frames[frame].count; i++) {
		const struct gm_reading *reading =
			&gm_batch_readings(batch, &batch->frames[frame])[i];
		if (reading->metric == metric)
			return reading;
	}
	return NULL;
}

static uint64_t counter(const struct gm_batch *batch, size_t frame, unsigned metric)
{
	const struct gm_reading *reading = find(batch, frame, metric);

	assert_non_null(reading);
	return reading->value.counter;
}

static double gauge(const struct gm_batch *batch, size_t frame, unsigned metric)
{
	const struct gm_reading *reading = find(batch, frame, metric);

	assert_non_null(reading);
	return reading->value.gauge;
}

static struct gm_batch *fast(const struct params *params)
{
	struct gm_lv_record record = record_of(params);
	struct gm_batch *batch = gm_batch_create();

	assert_non_null(batch);
	gm_lv_stats_fast(&record, batch);
	return batch;
}

static struct gm_batch *slow(const struct params *params, struct gm_lv_history *balloon,
			     int64_t read_at)
{
	struct gm_lv_record record = record_of(params);
	struct gm_batch *batch = gm_batch_create();

	assert_non_null(batch);
	record.read_at = read_at;
	gm_lv_stats_slow(&record, balloon, batch);
	return batch;
}

static void test_fast(void **state)
{
	(void)state;
	struct params params = {.count = 0};

	add(&params, "state.state", VIR_TYPED_PARAM_INT)->value.i = VIR_DOMAIN_PAUSED;
	add(&params, "state.reason", VIR_TYPED_PARAM_INT)->value.i = 1;
	add(&params, "net.count", VIR_TYPED_PARAM_UINT)->value.ui = 2;
	add_text(&params, "net.0.name", "tap0");
	add_number(&params, "net.0.rx.bytes", UINT64_MAX);
	add_number(&params, "net.0.tx.drop", 7);
	add_text(&params, "net.1.name", "tap1");
	add_number(&params, "net.1.rx.pkts", 3);
	struct gm_batch *batch = fast(&params);

	assert_int_equal(batch->frame_count, 3);
	assert_int_equal(batch->frames[0].key.kind, GM_ENTITY_GUEST);
	assert_memory_equal(batch->frames[0].key.uuid, uuid, GM_UUID_SIZE);
	assert_int_equal(batch->frames[0].measured_at, READ_AT);
	assert_true(gauge(batch, 0, GM_METRIC_GUEST_STATE) == VIR_DOMAIN_PAUSED);
	assert_string_equal(batch->frames[1].key.name, "tap0");
	assert_true(counter(batch, 1, GM_METRIC_NET_RX_BYTES) == UINT64_MAX);
	assert_int_equal(counter(batch, 1, GM_METRIC_NET_TX_DROPPED), 7);
	assert_int_equal(batch->frames[1].count, 2);
	assert_int_equal(counter(batch, 2, GM_METRIC_NET_RX_PACKETS), 3);
	assert_int_equal(batch->frames[1].flags, 0); /* libvirt's view is the guest's already */
	gm_batch_free(batch);
}

static void test_absurd(void **state)
{
	(void)state;
	struct params params = {.count = 0};

	add_text(&params, "state.state", "running");
	add(&params, "net.count", VIR_TYPED_PARAM_UINT)->value.ui = 4000000000U;
	add_number(&params, "net.0.rx.bytes", 1); /* never named */
	add_number(&params, "net.4000000000.rx.bytes", 2);
	add_text(&params, "net.4000000000.name", "far");
	add_text(&params, "net.5.name", NULL);
	add_number(&params, "net.5.rx.bytes", 3);
	add_text(&params, "net.6.name", "");
	add_number(&params, "net.6.rx.bytes", 3);
	add_number(&params, "net.7.name", 12);
	add_number(&params, "net.7.rx.bytes", 3);
	add_text(&params, "net.8.name", "typed");
	add(&params, "net.8.rx.bytes", VIR_TYPED_PARAM_LLONG)->value.l = -1;
	add(&params, "net.8.rx.pkts", VIR_TYPED_PARAM_DOUBLE)->value.d = 5;
	add_text(&params, "net.8.rx.errs", "6");
	add(&params, "net.8.rx.drop", 99)->value.ul = 9;
	add(&params, "net.8.tx.bytes", VIR_TYPED_PARAM_INT)->value.i = 8;
	add_number(&params, "net.99999999999999999999.rx.bytes", 1);
	add_number(&params, "net..rx.bytes", 1);
	add_number(&params, "net.9", 1);
	add_number(&params, "net.-1.rx.bytes", 1);
	memset(add(&params, "", VIR_TYPED_PARAM_ULLONG)->field, 'n', VIR_TYPED_PARAM_FIELD_LENGTH);
	memcpy(params.items[params.count - 1].field, "net.8.", 6);
	struct gm_batch *batch = fast(&params);

	assert_int_equal(batch->frame_count, 2); /* no state, no nameless interface */
	assert_string_equal(batch->frames[0].key.name, "far");
	assert_int_equal(counter(batch, 0, GM_METRIC_NET_RX_BYTES), 2);
	assert_string_equal(batch->frames[1].key.name, "typed");
	assert_int_equal(batch->frames[1].count, 1);
	assert_int_equal(counter(batch, 1, GM_METRIC_NET_TX_BYTES), 8);
	gm_batch_free(batch);
}

/* The same field over and over cannot make a frame larger than a device's fields. */
static void test_repeated_fields(void **state)
{
	(void)state;
	struct params params = {.count = 0};

	add_text(&params, "net.0.name", "tap0");
	for (int i = 0; i < 40; i++)
		add_number(&params, "net.0.rx.bytes", 1);
	struct gm_batch *batch = fast(&params);

	assert_int_equal(batch->frame_count, 1);
	assert_true(batch->frames[0].count <= 11);
	gm_batch_free(batch);
}

static void count_device(void *user, const char *device)
{
	assert_true(strcmp(device, "tap0") == 0 || strcmp(device, "tap1") == 0);
	++*(int *)user;
}

static void test_devices(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	int count = 0;

	add_text(&params, "net.0.name", "tap0");
	add_number(&params, "net.0.rx.bytes", 1);
	add_text(&params, "net.1.name", "tap1");
	add_text(&params, "net.2.name", NULL);
	add_text(&params, "block.0.name", "vda");
	struct gm_lv_record record = record_of(&params);
	gm_lv_stats_devices(&record, count_device, &count);
	assert_int_equal(count, 2);
}

/* A guest with 1000 MiB, of which 300 MiB are usable and 100 MiB unused. */
static void add_balloon(struct params *params, uint64_t last_update)
{
	add_number(params, "balloon.current", 1048576);
	add_number(params, "balloon.maximum", 2097152);
	add_number(params, "balloon.available", 1024000);
	add_number(params, "balloon.usable", 307200);
	add_number(params, "balloon.unused", 102400);
	add_number(params, "balloon.disk_caches", 204800);
	add_number(params, "balloon.swap_in", 4);
	add_number(params, "balloon.major_fault", 11);
	add_number(params, "balloon.last-update", last_update);
}

static void test_slow(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_lv_history balloon = {0};

	add_number(&params, "cpu.time", 5000000000);
	add_number(&params, "cpu.user", 3000000000);
	add(&params, "vcpu.current", VIR_TYPED_PARAM_UINT)->value.ui = 2;
	add_number(&params, "vcpu.0.time", 100);
	add_number(&params, "vcpu.0.wait", 1);
	add(&params, "vcpu.1.state", VIR_TYPED_PARAM_INT)->value.i = 1;
	add_number(&params, "vcpu.1.time", 200);
	add_balloon(&params, 1700000009);
	add(&params, "block.count", VIR_TYPED_PARAM_UINT)->value.ui = 1;
	add_text(&params, "block.0.name", "vda");
	add_number(&params, "block.0.rd.bytes", 512);
	add_number(&params, "block.0.wr.times", 77);
	add_number(&params, "block.0.capacity", 1024);
	struct gm_batch *batch = slow(&params, &balloon, READ_AT);

	assert_int_equal(batch->frame_count, 3);
	assert_int_equal(batch->frames[0].measured_at, READ_AT);
	assert_int_equal(counter(batch, 0, GM_METRIC_CPU_TIME), 5000000000);
	assert_int_equal(counter(batch, 0, GM_METRIC_VCPU_TIME), 300);
	assert_int_equal(counter(batch, 0, GM_METRIC_VCPU_WAIT), 1);
	assert_true(gauge(batch, 0, GM_METRIC_CPU_COUNT) == 2);
	assert_true(gauge(batch, 0, GM_METRIC_MEMORY_BALLOON) == 1073741824.0);
	assert_null(find(batch, 0, GM_METRIC_CPU_SYSTEM));
	/* The guest's own account is as old as it says. */
	assert_int_equal(batch->frames[1].measured_at, INT64_C(1700000009) * GM_SECOND);
	assert_int_equal(batch->frames[1].read_at, READ_AT);
	assert_true(gauge(batch, 1, GM_METRIC_MEMORY_TOTAL) == 1000.0 * 1048576);
	assert_true(gauge(batch, 1, GM_METRIC_MEMORY_USED) == 700.0 * 1048576);
	assert_true(gauge(batch, 1, GM_METRIC_MEMORY_AVAILABLE) == 300.0 * 1048576);
	assert_true(gauge(batch, 1, GM_METRIC_MEMORY_UNUSED) == 100.0 * 1048576);
	assert_true(gauge(batch, 1, GM_METRIC_MEMORY_CACHED) == 200.0 * 1048576);
	assert_int_equal(counter(batch, 1, GM_METRIC_SWAP_IN), 4096);
	assert_int_equal(counter(batch, 1, GM_METRIC_FAULT_MAJOR), 11);
	assert_string_equal(batch->frames[2].key.name, "vda");
	assert_int_equal(counter(batch, 2, GM_METRIC_DISK_WRITE_TIME), 77);
	assert_true(gauge(batch, 2, GM_METRIC_DISK_CAPACITY) == 1024);
	gm_batch_free(batch);
}

/* A note for each vCPU that has a time; what is not told is not known. */
static void test_vcpus(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_batch *batch = gm_batch_create();

	add(&params, "vcpu.current", VIR_TYPED_PARAM_UINT)->value.ui = 4;
	add(&params, "vcpu.0.state", VIR_TYPED_PARAM_INT)->value.i = VIR_VCPU_RUNNING;
	add_number(&params, "vcpu.0.time", 100);
	add_number(&params, "vcpu.0.wait", 0);
	add_number(&params, "vcpu.0.delay", 7);
	add(&params, "vcpu.2.state", VIR_TYPED_PARAM_INT)->value.i = 77;
	add_number(&params, "vcpu.2.time", 200);
	add_number(&params, "vcpu.2.halted", 1);
	add(&params, "vcpu.3.state", VIR_TYPED_PARAM_INT)->value.i = VIR_VCPU_OFFLINE;
	add_number(&params, "vcpu.9999999999.time", 1);
	add_number(&params, "vcpu..time", 1);
	add_number(&params, "vcpu.5x.time", 1);
	struct gm_lv_record record = record_of(&params);
	gm_lv_details_notes(&record, NULL, batch);

	assert_int_equal(batch->note_count, 2);
	assert_int_equal(batch->notes[0].kind, GM_NOTE_VCPU);
	assert_int_equal(batch->notes[0].number, 0);
	assert_int_equal(batch->notes[0].time, READ_AT);
	assert_memory_equal(batch->notes[0].guest, uuid, GM_UUID_SIZE);
	assert_int_equal(batch->notes[0].state, GM_VCPU_RUNNING);
	assert_int_equal(batch->notes[0].known,
			 1 << GM_VCPU_RUN | 1 << GM_VCPU_WAIT | 1 << GM_VCPU_STEAL);
	assert_int_equal(batch->notes[0].times[GM_VCPU_RUN], 100);
	assert_int_equal(batch->notes[0].times[GM_VCPU_WAIT], 0);
	assert_int_equal(batch->notes[0].times[GM_VCPU_STEAL], 7);
	assert_int_equal(batch->notes[1].number, 2);
	assert_int_equal(batch->notes[1].state, GM_VCPU_STATE_UNKNOWN);
	assert_int_equal(batch->notes[1].known, 1 << GM_VCPU_RUN);
	assert_int_equal(batch->notes[1].times[GM_VCPU_RUN], 200);
	gm_batch_free(batch);
}

/* The second frame's time, or 0 when the guest's own account was left out. */
static int64_t told_at(uint64_t last_update, int64_t offset, struct gm_lv_history *balloon,
		       int64_t read_at)
{
	struct params params = {.count = 0};
	struct gm_batch *batch = gm_batch_create();

	assert_non_null(batch);
	add_balloon(&params, last_update);
	struct gm_lv_record record = record_of(&params);
	record.read_at = read_at;
	record.offset = offset;
	gm_lv_stats_slow(&record, balloon, batch);
	assert_true(batch->frame_count >= 1); /* the balloon's size is always fresh */
	int64_t time = batch->frame_count > 1 ? batch->frames[1].measured_at : 0;
	gm_batch_free(batch);
	return time;
}

static void test_freshness(void **state)
{
	(void)state;
	struct gm_lv_history balloon = {0};
	int64_t second = INT64_C(1700000009) * GM_SECOND;

	assert_int_equal(told_at(0, 0, &balloon, READ_AT), 0);
	assert_int_equal(told_at(1700000009, 0, &balloon, READ_AT), second);
	assert_int_equal(told_at(1700000009, 0, &balloon, READ_AT + GM_SECOND), 0);
	assert_int_equal(told_at(1700000010, 0, &balloon, READ_AT + GM_SECOND), second + GM_SECOND);
	/* The wall clock is 2 s ahead of the node's time. */
	assert_int_equal(told_at(1700000013, 2 * GM_SECOND, &balloon, READ_AT + 2 * GM_SECOND),
			 second + 2 * GM_SECOND);
}

static void test_freshness_steps(void **state)
{
	(void)state;
	struct gm_lv_history balloon = {0};
	int64_t at = READ_AT;

	/* Ahead of the reading: true when it was read, at the latest. */
	assert_int_equal(told_at(1800000000, 0, &balloon, at), at);
	/* The wall clock went back: new, though its date is before the last one. */
	at += GM_SECOND;
	assert_int_equal(told_at(1600000000, 0, &balloon, at), at);
	/* Never twice at one time, nor backwards. */
	assert_int_equal(told_at(1600000001, 0, &balloon, at), 0);
	at += GM_SECOND;
	assert_int_equal(told_at(UINT64_MAX, 0, &balloon, at), at);
	at += GM_SECOND;
	assert_int_equal(told_at(INT64_MAX / GM_SECOND, INT64_MIN, &balloon, at), at);
}

/* An older guest does not tell what is usable; one that lies is not believed. */
static void test_used(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_lv_history balloon = {0};

	add_number(&params, "balloon.available", 1000);
	add_number(&params, "balloon.unused", 400);
	struct gm_batch *batch = slow(&params, &balloon, READ_AT);
	assert_true(gauge(batch, 0, GM_METRIC_MEMORY_USED) == 600.0 * 1024);
	gm_batch_free(batch);

	add_number(&params, "balloon.usable", 5000);
	batch = slow(&params, &balloon, READ_AT + 1);
	assert_null(find(batch, 0, GM_METRIC_MEMORY_USED));
	gm_batch_free(batch);

	params.count = 0;
	add_number(&params, "balloon.available", UINT64_MAX); /* KiB */
	batch = slow(&params, &balloon, READ_AT + 2);
	assert_int_equal(batch->frame_count, 0);
	gm_batch_free(batch);
}

/* A guest whose monitor hangs: NOWAIT leaves out what needs it. */
static void test_hung_guest(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_lv_history balloon = {0};

	struct gm_batch *batch = slow(&params, &balloon, READ_AT);
	assert_int_equal(batch->frame_count, 0);
	gm_batch_free(batch);
	add_number(&params, "cpu.time", 1);
	batch = slow(&params, &balloon, READ_AT);
	assert_int_equal(batch->frame_count, 1);
	gm_batch_free(batch);
}

/* What only the monitor tells, and what libvirt knows by itself. */
static void test_monitored(void **state)
{
	(void)state;
	struct params params = {.count = 0};

	add_number(&params, "balloon.current", 1);
	add_number(&params, "balloon.maximum", 1);
	add_number(&params, "cpu.time", 1);
	add_number(&params, "block.count", 1);
	add_text(&params, "block.0.name", "vda");
	struct gm_lv_record record = record_of(&params);
	assert_false(gm_lv_stats_monitored(&record));
	add_number(&params, "block.0.rd.reqs", 1);
	record = record_of(&params);
	assert_true(gm_lv_stats_monitored(&record));
	params.count = 0;
	add_number(&params, "balloon.rss", 1);
	record = record_of(&params);
	assert_true(gm_lv_stats_monitored(&record));
}

static void add_disk(struct params *params, const char *name, uint64_t requests, uint64_t time)
{
	params->count = 0;
	add_text(params, "block.0.name", name);
	add_number(params, "block.0.rd.reqs", requests);
	add_number(params, "block.0.rd.times", time);
	add_number(params, "block.0.fl.reqs", 2 * requests);
	add_number(params, "block.0.fl.times", time);
}

/* What one answer leaves out was no 0: the next one does not tell the mean of the guest's whole life. */
static void test_latency_over_an_answer_without_it(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_lv_history history = {0};

	add_disk(&params, "vda", 1000, 9000000);
	gm_batch_free(slow(&params, &history, READ_AT));
	params.count = 0;
	add_text(&params, "block.0.name", "vda");
	add_number(&params, "block.0.capacity", 1 << 20);
	struct gm_batch *batch = slow(&params, &history, READ_AT + 1);
	assert_null(find(batch, 0, GM_METRIC_DISK_READ_LATENCY));
	gm_batch_free(batch);
	add_disk(&params, "vda", 1010, 9001000);
	batch = slow(&params, &history, READ_AT + 2);
	assert_true(gauge(batch, 0, GM_METRIC_DISK_READ_LATENCY) == 100);
	gm_batch_free(batch);
}

/* The mean time of what was requested between two readings, and nothing where that is unknown. */
static void test_latency(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_lv_history history = {0};
	static const struct {
		uint64_t requests, time;
		double latency; /* -1: none */
	} steps[] = {{0, 0, -1},       {100, 5000, 50}, {110, 6000, 100}, {110, 6000, -1},
		     {111, 6700, 700}, {5, 100, -1},    {6, 90, -1},      {8, 290, 100}};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		add_disk(&params, "vda", steps[i].requests, steps[i].time);
		struct gm_batch *batch = slow(&params, &history, READ_AT + (int64_t)i);
		const struct gm_reading *read = find(batch, 0, GM_METRIC_DISK_READ_LATENCY);

		if (steps[i].latency < 0) {
			assert_null(read);
		} else {
			assert_non_null(read);
			assert_true(read->value.gauge == steps[i].latency);
			assert_true(gauge(batch, 0, GM_METRIC_DISK_FLUSH_LATENCY) ==
				    steps[i].latency / 2);
		}
		assert_null(find(batch, 0, GM_METRIC_DISK_WRITE_LATENCY));
		gm_batch_free(batch);
	}
	/* More disks than there are places: their counters are told all the same. */
	for (unsigned i = 0; i < 2 * GM_LV_DISKS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "vd%u", i);
		add_disk(&params, name, 1, 1);
		struct gm_batch *batch = slow(&params, &history, READ_AT + 100);
		assert_int_equal(counter(batch, 0, GM_METRIC_DISK_READ_REQUESTS), 1);
		gm_batch_free(batch);
	}
}

/* Told once per measurement. */
static void test_dirty_rate(void **state)
{
	(void)state;
	struct gm_lv_history history = {0};

	for (int i = 0; i < 4; i++) {
		static const int statuses[] = {1, 2, 2, 2}, starts[] = {50, 50, 50, 60};
		struct params params = {.count = 0};

		add(&params, "dirtyrate.calc_status", VIR_TYPED_PARAM_INT)->value.i = statuses[i];
		add(&params, "dirtyrate.calc_start_time", VIR_TYPED_PARAM_LLONG)->value.l =
			starts[i];
		add(&params, "dirtyrate.megabytes_per_second", VIR_TYPED_PARAM_LLONG)->value.l = 3;
		struct gm_batch *batch = slow(&params, &history, READ_AT + i);
		if (i == 1 || i == 3)
			assert_true(gauge(batch, 0, GM_METRIC_MEMORY_DIRTY) == 3.0 * 1024 * 1024);
		else
			assert_int_equal(batch->frame_count, 0);
		gm_batch_free(batch);
	}
}

/* An answer is told once, dated by the question; nothing that the guest never said. */
static void test_asked(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_batch *batch = gm_batch_create();
	uint64_t seen = 0;

	add_balloon(&params, 0);
	struct gm_lv_record record = record_of(&params);
	gm_lv_stats_asked(&record, READ_AT - 100, &seen, batch);
	assert_int_equal(batch->frame_count, 0);
	params.count = 0;
	add_balloon(&params, 1700000009);
	record = record_of(&params);
	gm_lv_stats_asked(&record, READ_AT - 100, &seen, batch);
	gm_lv_stats_asked(&record, READ_AT - 50, &seen, batch);
	assert_int_equal(batch->frame_count, 1);
	assert_int_equal(batch->frames[0].measured_at, READ_AT - 100);
	assert_true(gauge(batch, 0, GM_METRIC_MEMORY_USED) == 716800.0 * 1024);
	assert_null(find(batch, 0, GM_METRIC_MEMORY_BALLOON)); /* not the guest's account */
	params.items[3].value.ul++;
	gm_lv_stats_asked(&record, READ_AT, &seen, batch);
	assert_int_equal(batch->frame_count, 2);
	gm_batch_free(batch);
}

/* A container's memory is what its processes hold; a virtual machine's process is not its memory. */
static void test_container(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct gm_lv_history history = {0};

	add_number(&params, "balloon.current", 65536);
	add_number(&params, "balloon.maximum", 65536);
	add_number(&params, "balloon.rss", 1024);
	struct gm_batch *batch = slow(&params, &history, READ_AT);
	assert_int_equal(batch->frame_count, 2);
	assert_true(gauge(batch, 1, GM_METRIC_MEMORY_TOTAL) == 65536.0 * 1024);
	assert_true(gauge(batch, 1, GM_METRIC_MEMORY_USED) == 1024.0 * 1024);
	gm_batch_free(batch);
	add_number(&params, "balloon.last-update", 0);
	batch = slow(&params, &history, READ_AT);
	assert_int_equal(batch->frame_count, 1);
	gm_batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_repeated_fields),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_freshness),
		cmocka_unit_test(test_freshness_steps),
		cmocka_unit_test(test_used),
		cmocka_unit_test(test_hung_guest),
		cmocka_unit_test(test_vcpus),
		cmocka_unit_test(test_monitored),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_latency_over_an_answer_without_it),
		cmocka_unit_test(test_dirty_rate),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_container),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
