/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot that readers are shown, made of a real intake with its detectors: which rows there are, in
 * which order, and that no two have one index.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analysis/burst.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/view.h"
#include "intake_fixture.h"
#include "support/pipeline_ends.h"

#define T0   INT64_C(1700000000000000000)
#define TICK (10 * GM_MILLISECOND)

enum { BURST = 112500, QUIET = 100 }; /* bytes a tick: 90 Mbit/s of the port's 100, and nothing */

static const uint8_t uuid[GM_UUID_SIZE] = {0x6c, 0x76, 1};
static const uint8_t stranger[GM_UUID_SIZE] = {0x6c, 0x76, 2};

struct fixture {
	struct intake_fixture on;
	struct gm_alarms *alarms;
	struct gm_outlet *outlet;
	struct gm_snapshot *snapshot;
	uint32_t alarm_ids;
	int64_t time;
	uint64_t bytes[2]; /* received and sent by the port */
};

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct fixture *fixture = user;
	assert_int_equal(gm_alarms_finding(fixture->alarms, finding), 0);
}

static void on_transition(void *user, struct gm_transition *transition)
{
	(void)user;
	(void)transition;
}

static uint32_t new_id(void *user)
{
	return ++((struct fixture *)user)->alarm_ids;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	fixture->time = T0;
	struct gm_alarm_options alarm = {.damping = false};
	struct gm_intake_sink sink = sink_that_passes(fixture);
	sink.finding = on_finding;
	struct gm_alarm_sink alarm_sink = {on_transition, NULL, new_id, fixture};
	open_intake(&fixture->on, 60 * GM_SECOND, &sink);
	struct gm_burst_options *burst =
		gm_detector_settings_get(fixture->on.settings, &gm_burst_ops);
	burst->port_rate = 100000000;
	assert_int_equal(gm_alarms_create(&alarm, &alarm_sink, &fixture->alarms), 0);
	assert_int_equal(gm_outlet_create(fixture->on.state, &fixture->outlet), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	if (fixture->snapshot)
		gm_snapshot_destroy(fixture->snapshot);
	gm_outlet_free(fixture->outlet);
	gm_alarms_free(fixture->alarms);
	close_intake(&fixture->on);
	free(fixture);
	return 0;
}

static const struct gm_snapshot *build(struct fixture *fixture)
{
	static const struct gm_agent_row agent;
	static const struct gm_source_status sources[GM_SOURCE_COUNT] = {
		[GM_SOURCE_SNMP] = {.id = GM_SOURCE_SNMP}};
	static const bool enabled[GM_SOURCE_COUNT] = {[GM_SOURCE_SNMP] = true};
	const struct gm_view_input input = {
		.now = fixture->time,
		.agent = &agent,
		.sources = sources,
		.source_enabled = enabled,
		.entities = gm_intake_entities(fixture->on.intake),
		.contention = gm_intake_contention(fixture->on.intake),
		.alarms = fixture->alarms,
		.outlet = fixture->outlet,
		.stale_after = 5 * GM_SECOND,
	};
	if (fixture->snapshot)
		gm_snapshot_destroy(fixture->snapshot);
	fixture->snapshot = NULL;
	assert_int_equal(gm_view_build(&input, &fixture->snapshot), 0);
	return fixture->snapshot;
}

static void see_guest(struct fixture *fixture)
{
	struct gm_entity_info info = {.key = gm_entity_guest(uuid),
				      .guest = {.name = "instance-1"}};
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &info);
}

static void see_port(struct fixture *fixture)
{
	struct gm_entity_info info = {.key = gm_entity_interface("vnet0"),
				      .interface = {.ordinal = 1, .mac = "52:54:00:00:00:01"}};
	memcpy(info.interface.guest, uuid, sizeof(uuid));
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &info);
}

static void see_process(struct fixture *fixture, const uint8_t *owner, uint32_t pid,
			const char *command, double resident)
{
	struct gm_entity_info info = {.key = gm_entity_process(owner, pid, command),
				      .process = {.pid = pid}};
	snprintf(info.process.command, sizeof(info.process.command), "%s", command);
	if (owner)
		memcpy(info.process.guest, owner, GM_UUID_SIZE);
	gm_intake_seen(fixture->on.intake, GM_SOURCE_SNMP, &info);
	struct gm_batch *batch = gm_batch_create();
	batch->source = GM_SOURCE_SNMP;
	gm_batch_frame(batch, &info.key, fixture->time, fixture->time, 0);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_RESIDENT, resident);
	gm_intake_batch(fixture->on.intake, batch);
	gm_batch_free(batch);
}

/* Ticks of the port, with so many bytes received and sent in each. */
static void run_port(struct fixture *fixture, int ticks, uint64_t received, uint64_t sent)
{
	struct gm_entity_key key = gm_entity_interface("vnet0");
	for (int i = 0; i < ticks; i++) {
		fixture->time += TICK;
		fixture->bytes[0] += received;
		fixture->bytes[1] += sent;
		struct gm_batch *batch = gm_batch_create();
		batch->source = GM_SOURCE_TAP;
		gm_batch_frame(batch, &key, fixture->time, fixture->time, 0);
		gm_batch_counter(batch, GM_METRIC_NET_RX_BYTES, fixture->bytes[0]);
		gm_batch_counter(batch, GM_METRIC_NET_RX_PACKETS, fixture->bytes[0] / 100);
		gm_batch_counter(batch, GM_METRIC_NET_TX_BYTES, fixture->bytes[1]);
		gm_batch_counter(batch, GM_METRIC_NET_TX_PACKETS, fixture->bytes[1] / 100);
		gm_intake_batch(fixture->on.intake, batch);
		gm_batch_free(batch);
		if (fixture->time % GM_SECOND < TICK)
			gm_intake_evaluate(fixture->on.intake, fixture->time);
	}
}

static uint64_t counted(const struct gm_snapshot *snapshot, unsigned part, unsigned histogram)
{
	uint64_t count = 0;
	for (size_t i = 0; i < snapshot->burst_bucket_count; i++)
		if (snapshot->burst_buckets[i].part == part &&
		    snapshot->burst_buckets[i].histogram == histogram)
			count += snapshot->burst_buckets[i].count;
	return count;
}

static void test_a_quiet_port_has_a_row_for_each_direction(void **state)
{
	struct fixture *fixture = *state;
	see_guest(fixture);
	see_port(fixture);
	assert_int_equal(build(fixture)->burst_total_count, 0); /* not judged yet */
	run_port(fixture, 300, QUIET, QUIET);
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->burst_count, 2);
	assert_true(snapshot->bursts[0].rx);
	assert_false(snapshot->bursts[1].rx);
	assert_string_equal(snapshot->bursts[0].finding.metric, "net.rx.bytes");
	assert_int_equal(snapshot->bursts[0].guest_index, 1);
	assert_int_equal(snapshot->bursts[0].ordinal, 1);
	assert_int_equal(snapshot->burst_total_count, 4);
	for (unsigned part = 1; part <= 4; part++) {
		assert_int_equal(snapshot->burst_totals[part - 1].part, part);
		assert_int_equal(snapshot->burst_totals[part - 1].bursts, 0);
	}
	assert_int_equal(snapshot->burst_bucket_count, 0);
	assert_int_equal(snapshot->contention.most, 0);
	assert_int_equal(snapshot->contention_bucket_count, 0);
}

static void test_bursts_are_counted_where_they_belong(void **state)
{
	struct fixture *fixture = *state;
	see_guest(fixture);
	see_port(fixture);
	run_port(fixture, 200, QUIET, QUIET);
	for (int i = 0; i < 3; i++) {
		run_port(fixture, 5, QUIET, BURST);
		run_port(fixture, 200, QUIET, QUIET);
	}
	const struct gm_snapshot *snapshot = build(fixture);
	assert_true(snapshot->bursts[1].finding.active);
	assert_int_not_equal(snapshot->bursts[1].alarm_id, 0);
	assert_false(snapshot->bursts[0].finding.active);
	assert_int_equal(snapshot->bursts[0].alarm_id, 0);
	assert_int_equal(snapshot->burst_totals[1].bursts, 3);
	assert_true(snapshot->burst_totals[1].time >= 3 * 40 * GM_MILLISECOND);
	assert_true(snapshot->burst_totals[1].time <= 3 * 60 * GM_MILLISECOND);
	assert_int_equal(snapshot->burst_totals[0].bursts, 0);
	assert_int_equal(counted(snapshot, GM_BURST_PART_TX_BYTES, GM_HISTOGRAM_DURATION), 3);
	assert_int_equal(counted(snapshot, GM_BURST_PART_TX_BYTES, GM_HISTOGRAM_GAP), 2);
	assert_int_equal(counted(snapshot, GM_BURST_PART_RX_BYTES, GM_HISTOGRAM_DURATION), 0);
	/* From the first bucket to the highest that has counted: none is left out, none follows. */
	for (size_t i = 0; i < snapshot->burst_bucket_count; i++) {
		const struct gm_bucket_row *row = &snapshot->burst_buckets[i];
		bool first = i == 0 || row[-1].histogram != row->histogram;
		bool end =
			i + 1 == snapshot->burst_bucket_count || row[1].histogram != row->histogram;
		assert_int_equal(row->bucket, first ? 1 : row[-1].bucket + 1);
		assert_true(!end || row->count > 0);
		assert_int_equal(row->part, GM_BURST_PART_TX_BYTES);
		assert_false(row->last);
	}
	assert_int_equal(snapshot->contention.most, 1);
	assert_int_equal(snapshot->contention.bursts, 3);
	assert_int_equal(snapshot->contention_bucket_count, 1);
	assert_int_equal(snapshot->contention_buckets[0].count, 3);
}

static void test_counts_only_grow(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before = 0;
	see_guest(fixture);
	see_port(fixture);
	run_port(fixture, 200, QUIET, QUIET);
	for (int i = 0; i < 5; i++) {
		run_port(fixture, 4 + i, BURST, QUIET);
		run_port(fixture, 200, QUIET, QUIET);
		uint64_t now = counted(build(fixture), GM_BURST_PART_RX_BYTES, GM_HISTOGRAM_VOLUME);
		assert_int_equal(now, before + 1);
		before = now;
	}
}

static void test_processes_are_no_guests(void **state)
{
	struct fixture *fixture = *state;
	see_guest(fixture);
	see_process(fixture, uuid, 4242, "java", 2e8);
	see_process(fixture, uuid, 17, "sshd", 1e6);
	see_process(fixture, NULL, 9, "qemu", 3e8);
	see_process(fixture, stranger, 5, "lost", 1e6); /* of a guest that nobody knows */
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->guest_count, 1);
	assert_int_equal(snapshot->process_count, 3);
	assert_int_equal(snapshot->processes[0].guest_index, 0);
	assert_int_equal(snapshot->processes[0].pid, 9);
	assert_int_equal(snapshot->processes[1].guest_index, 1);
	assert_int_equal(snapshot->processes[1].pid, 17);
	assert_int_equal(snapshot->processes[2].pid, 4242);
	assert_string_equal(snapshot->processes[2].command, "java");
	const struct gm_last *resident =
		gm_last_find(&snapshot->processes[2].last, GM_METRIC_MEMORY_RESIDENT);
	assert_non_null(resident);
	assert_true(resident->value.gauge == 2e8);
}

/* A shell that executes another program keeps its number: the one that lives has the row. */
static void test_one_row_for_a_pid(void **state)
{
	struct fixture *fixture = *state;
	see_guest(fixture);
	see_process(fixture, uuid, 4242, "zsh", 1e6);
	fixture->time += GM_SECOND;
	see_process(fixture, uuid, 4242, "java", 2e8);
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->process_count, 1);
	assert_string_equal(snapshot->processes[0].command, "java");
}

static void remember(struct fixture *fixture, const struct gm_entity_key *key, const char *detector,
		     const char *metric)
{
	struct gm_finding finding = {.key = *key, .time = fixture->time, .active = true};
	struct gm_tracked *tracked = gm_entities_find(gm_intake_entities(fixture->on.intake), key);
	assert_non_null(tracked);
	snprintf(finding.detector, sizeof(finding.detector), "%s", detector);
	snprintf(finding.metric, sizeof(finding.metric), "%s", metric);
	gm_tracked_remember(tracked, &finding);
	assert_int_equal(gm_alarms_finding(fixture->alarms, &finding), 0);
}

static void test_each_judgement_has_its_place(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key guest = gm_entity_guest(uuid);
	struct gm_entity_key process = gm_entity_process(uuid, 4242, "java");
	see_guest(fixture);
	see_process(fixture, uuid, 4242, "java", 2e8);
	remember(fixture, &guest, "leak", "memory.resident");
	remember(fixture, &guest, "leak", "memory.used");
	remember(fixture, &guest, "anomaly", "net.tx.dropped");
	remember(fixture, &guest, "anomaly", "net.rx.errors");
	remember(fixture, &guest, "anomaly", "score");
	remember(fixture, &guest, "learned", "disk-full");
	remember(fixture, &process, "leak", "memory.resident");
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->leak_count, 1);
	assert_string_equal(snapshot->leaks[0].finding.metric, "memory.used");
	assert_int_equal(snapshot->leaks[0].alarm_id, 2);
	assert_int_equal(snapshot->host_leak_count, 1);
	assert_int_equal(snapshot->host_leaks[0].alarm_id, 1);
	assert_int_equal(snapshot->anomaly_count, 1);
	assert_int_equal(snapshot->anomalies[0].alarm_id, 5);
	assert_int_equal(snapshot->error_count, 2);
	assert_int_equal(snapshot->errors[0].ordinal, GM_ERROR_RX_ERRORS);
	assert_int_equal(snapshot->errors[0].alarm_id, 4);
	assert_int_equal(snapshot->errors[1].ordinal, GM_ERROR_TX_DROPS);
	assert_int_equal(snapshot->process_count, 1);
	assert_int_equal(snapshot->processes[0].alarm_id, 7);
	assert_true(snapshot->processes[0].leak.active);
	assert_int_equal(snapshot->alarm_count, 7);
}

static uint64_t get(const uint8_t *octets, size_t size)
{
	uint64_t number = 0;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | octets[i];
	return number;
}

/* As the MIB's description of gmWindowValues tells. */
static void test_series_can_be_read_back(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_snapshot *snapshot;
	see_guest(fixture);
	see_port(fixture);
	assert_int_equal(build(fixture)->packed_count, 0);
	run_port(fixture, 3, 7, QUIET);
	snapshot = build(fixture);
	assert_int_equal(snapshot->packed_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(snapshot->packed[i].series, GM_PACKED_RX_OCTETS + i);
		assert_int_equal(snapshot->packed[i].guest_index, 1);
		assert_int_equal(snapshot->packed[i].ordinal, 1);
		assert_int_equal(snapshot->packed[i].count, 3);
	}
	run_port(fixture, 97, 7, QUIET);
	run_port(fixture, 50, 1000, QUIET);
	snapshot = build(fixture);
	const struct gm_packed_row *row = &snapshot->packed[0];
	assert_int_equal(row->count, GM_PACKED_SAMPLES);
	assert_true(row->last_at == fixture->time);
	assert_true(row->first_at == fixture->time - 99 * TICK);
	assert_true(row->span == 99 * TICK);
	for (unsigned i = 0; i < row->count; i++) {
		const uint8_t *record = row->records + (size_t)i * GM_PACKED_RECORD;
		uint64_t value = i < 50 ? 7 * (51 + i) : 700 + 1000 * (i - 49);
		assert_int_equal(get(record, 4), i * 10000);
		assert_int_equal(get(record + 4, 8), value);
	}
}

/* One note of vCPU 0: time run and stolen, in ns. */
static void tell_vcpu(struct fixture *fixture, uint64_t run, uint64_t steal)
{
	struct gm_note note = {.kind = GM_NOTE_VCPU,
			       .time = fixture->time,
			       .times = {[GM_VCPU_RUN] = run, [GM_VCPU_STEAL] = steal},
			       .known = 1 << GM_VCPU_RUN | 1 << GM_VCPU_STEAL,
			       .state = GM_VCPU_RUNNING};
	struct gm_batch *batch = gm_batch_create();
	memcpy(note.guest, uuid, sizeof(uuid));
	batch->source = GM_SOURCE_LIBVIRT_SLOW;
	gm_batch_note(batch, &note);
	gm_intake_batch(fixture->on.intake, batch);
	gm_batch_free(batch);
}

static void test_vcpus_have_rates(void **state)
{
	struct fixture *fixture = *state;
	see_guest(fixture);
	assert_int_equal(build(fixture)->vcpu_count, 0);
	tell_vcpu(fixture, 5000, 70);
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->vcpu_count, 1);
	const struct gm_vcpu_row *row = &snapshot->vcpus[0];
	assert_int_equal(row->number, 1);
	assert_int_equal(row->vcpu.state, GM_VCPU_RUNNING);
	assert_int_equal(row->last.count, 2);
	assert_null(gm_last_find(&row->last, GM_METRIC_VCPU_WAIT));
	assert_int_equal(gm_last_find(&row->last, GM_METRIC_VCPU_TIME)->value.counter, 5000);
	assert_false(gm_last_find(&row->last, GM_METRIC_VCPU_TIME)->has_rate);

	fixture->time += 2 * GM_SECOND;
	tell_vcpu(fixture, 5000 + 3000000000, 60);
	row = &build(fixture)->vcpus[0];
	assert_true(gm_last_find(&row->last, GM_METRIC_VCPU_TIME)->rate == 1.5e9);
	/* It went back: it began anew. */
	assert_false(gm_last_find(&row->last, GM_METRIC_VCPU_STEAL)->has_rate);
	assert_int_equal(gm_last_find(&row->last, GM_METRIC_VCPU_STEAL)->value.counter, 60);
	assert_true(gm_last_find(&row->last, GM_METRIC_VCPU_STEAL)->measured_at == fixture->time);
}

static void fail_disk(struct fixture *fixture, const char *detail)
{
	struct gm_guest_event event = {
		.key = gm_entity_guest(uuid), .kind = GM_GUEST_IO_ERROR, .time = fixture->time};
	snprintf(event.detail, sizeof(event.detail), "%s", detail);
	gm_intake_event(fixture->on.intake, &event);
}

/* Events name a disk as the hypervisor does; as many names as it likes change nothing of one that fails. */
static void test_failures_of_disks_are_counted(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_info info = {.key = gm_entity_disk(uuid, "vda"),
				      .disk = {.ordinal = 1, .alias = "virtio-disk0"}};
	memcpy(info.disk.guest, uuid, sizeof(uuid));
	gm_log_set_level(GM_LOG_ERROR);
	see_guest(fixture);
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &info);
	assert_int_equal(build(fixture)->disk_count, 1);
	assert_int_equal(build(fixture)->disks[0].errors, 0);
	assert_true(build(fixture)->disks[0].failed_at == 0);
	int64_t failed_at = 0;
	for (int i = 0; i < 100; i++) {
		char name[32];
		snprintf(name, sizeof(name), "virtio-disk%d enospc pause", i % 2 ? i : 0);
		fixture->time += GM_MILLISECOND;
		failed_at = i % 2 ? failed_at : fixture->time;
		fail_disk(fixture, name);
	}
	fail_disk(fixture, "");
	fail_disk(fixture, "a-name-that-is-longer-than-any-other-in-the-world report");
	assert_int_equal(build(fixture)->disks[0].errors, 50);
	assert_true(build(fixture)->disks[0].failed_at == failed_at);
}

/* A device that changes hands has no peaks of the time before. */
static void test_peaks_of_the_last_minute(void **state)
{
	struct fixture *fixture = *state;
	see_guest(fixture);
	see_port(fixture);
	run_port(fixture, 200, QUIET, QUIET);
	run_port(fixture, 10, QUIET, BURST);
	run_port(fixture, 100, QUIET, QUIET);
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->interface_count, 1);
	const struct gm_peak *peaks = snapshot->interfaces[0].peaks;
	assert_true(peaks[GM_PEAK_TX].rate > 80e6 && peaks[GM_PEAK_TX].rate <= 90e6);
	assert_true(peaks[GM_PEAK_TX].at <= fixture->time - 90 * TICK);
	assert_true(peaks[GM_PEAK_TX].at > fixture->time - 125 * TICK);
	assert_true(peaks[GM_PEAK_RX].rate > 79e3 && peaks[GM_PEAK_RX].rate < 81e3);
	assert_int_equal(peaks[GM_PEAK_TX_FINE].at, 0); /* its source tells none */

	struct gm_entity_info info = {.key = gm_entity_interface("vnet0"),
				      .interface = {.ordinal = 1, .mac = "52:54:00:00:00:02"}};
	memcpy(info.interface.guest, stranger, sizeof(stranger));
	struct gm_entity_info other = {.key = gm_entity_guest(stranger),
				       .guest = {.name = "instance-2"}};
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &other);
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &info);
	snapshot = build(fixture);
	assert_int_equal(snapshot->interfaces[0].guest_index, 2);
	assert_int_equal(snapshot->interfaces[0].peaks[GM_PEAK_TX].at, 0);
}

/* The host's source finds a guest's process before libvirt tells of the guest. */
static void test_a_guest_without_a_name_has_no_rows(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key guest = gm_entity_guest(uuid);
	struct gm_batch *batch = gm_batch_create();
	batch->source = GM_SOURCE_HOST;
	gm_batch_frame(batch, &guest, fixture->time, fixture->time, 0);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_RESIDENT, 1e9);
	assert_non_null(gm_intake_recall(fixture->on.intake, &guest));
	gm_intake_batch(fixture->on.intake, batch);
	gm_batch_free(batch);
	remember(fixture, &guest, "leak", "memory.used");
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->guest_count, 0);
	assert_int_equal(snapshot->leak_count, 0);
	assert_int_equal(snapshot->packed_count, 0);
	see_guest(fixture);
	snapshot = build(fixture);
	assert_int_equal(snapshot->guest_count, 1);
	assert_int_equal(snapshot->leak_count, 1);
	assert_int_equal(snapshot->packed_count, 1);
}

static void test_a_source_that_runs_has_a_row(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_snapshot *snapshot = build(fixture);
	assert_int_equal(snapshot->source_count, 1);
	assert_int_equal(snapshot->sources[0].id, GM_SOURCE_SNMP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_quiet_port_has_a_row_for_each_direction),
		TEST(test_bursts_are_counted_where_they_belong),
		TEST(test_counts_only_grow),
		TEST(test_processes_are_no_guests),
		TEST(test_one_row_for_a_pid),
		TEST(test_each_judgement_has_its_place),
		TEST(test_series_can_be_read_back),
		TEST(test_vcpus_have_rates),
		TEST(test_failures_of_disks_are_counted),
		TEST(test_peaks_of_the_last_minute),
		TEST(test_a_guest_without_a_name_has_no_rows),
		TEST(test_a_source_that_runs_has_a_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
