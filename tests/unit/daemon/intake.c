/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intake with real windows, detectors and state: whose interface is whose, which source counts,
 * what becomes of entities that come and go.
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

#include "base/clock.h"
#include "intake_fixture.h"
#include "support/state_sql.h"

#define T0 INT64_C(1700000000000000000)

static const uint8_t uuid[GM_UUID_SIZE] = {0x6c, 0x76, 1};

struct fixture {
	struct intake_fixture on;
	unsigned frames, identified, gone, findings;
	struct gm_reading last;
	struct gm_finding leaks[GM_ENTITY_KINDS]; /* the newest of that kind of entity */
};

static void on_frame(void *user, const struct gm_frame *frame, const struct gm_reading *readings)
{
	struct fixture *fixture = user;
	fixture->frames++;
	if (frame->count > 0)
		fixture->last = readings[0];
}

static void on_identified(void *user, const struct gm_entity_info *info)
{
	(void)info;
	((struct fixture *)user)->identified++;
}

static void on_gone(void *user, const struct gm_entity_key *key, int64_t time)
{
	(void)key;
	(void)time;
	((struct fixture *)user)->gone++;
}

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct fixture *fixture = user;
	fixture->findings++;
	if (strcmp(finding->detector, "leak") == 0)
		fixture->leaks[finding->key.kind] = *finding;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct gm_intake_sink sink = {on_frame, on_identified, on_gone, on_finding, fixture};
	open_intake(&fixture->on, 60 * GM_SECOND, &sink);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	close_intake(&fixture->on);
	free(fixture);
	return 0;
}

static void send_counter(struct fixture *fixture, enum gm_source_id source,
			 struct gm_entity_key key, unsigned metric, int64_t time, uint64_t value,
			 unsigned flags)
{
	struct gm_batch *batch = gm_batch_create();
	batch->source = (uint8_t)source;
	gm_batch_frame(batch, &key, time, time, flags);
	gm_batch_counter(batch, metric, value);
	gm_intake_batch(fixture->on.intake, batch);
	gm_batch_free(batch);
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

static struct gm_tracked *find(struct fixture *fixture, struct gm_entity_key key)
{
	return gm_entities_find(gm_intake_entities(fixture->on.intake), &key);
}

/* A second of a guest of 1000 MiB of which `used` are in use, and of a process of it that holds `held`. */
static void send_memory(struct fixture *fixture, int64_t time, double used, double held)
{
	const double mib = 1048576;
	struct gm_entity_key guest = gm_entity_guest(uuid);
	struct gm_entity_key process = gm_entity_process(uuid, 12, "leaky");
	struct gm_batch *batch = gm_batch_create();
	batch->source = GM_SOURCE_LIBVIRT;
	gm_batch_frame(batch, &guest, time, time, 0);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_TOTAL, 1000 * mib);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_USED, used * mib);
	gm_batch_frame(batch, &process, time, time, 0);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_RESIDENT, held * mib);
	gm_intake_batch(fixture->on.intake, batch);
	gm_batch_free(batch);
	gm_intake_evaluate(fixture->on.intake, time);
}

static void test_a_leak_is_told_once(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_finding *guest = &fixture->leaks[GM_ENTITY_GUEST];
	const struct gm_finding *process = &fixture->leaks[GM_ENTITY_PROCESS];
	struct gm_entity_info info = {.key = gm_entity_process(uuid, 12, "leaky"),
				      .process = {.pid = 12, .command = "leaky"}};
	memcpy(info.process.guest, uuid, sizeof(uuid));
	see_guest(fixture);
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &info);
	int64_t time = T0;
	for (int i = 0; i < 600; i++, time += GM_SECOND)
		send_memory(fixture, time, 300 + (i > 120 ? i - 120 : 0),
			    20 + (i > 120 ? i - 120 : 0));
	assert_true(guest->active);
	assert_string_equal(guest->evidence.contributors, "12/leaky");
	assert_string_equal(process->metric, "memory.resident");
	assert_false(process->active);
	/* What the guest's other processes give back hides it there: now it is the process's alone. */
	for (int i = 0; i < 1500; i++, time += GM_SECOND)
		send_memory(fixture, time, 400 + i % 7, 20 + 480 + i * 0.3);
	assert_false(guest->active);
	assert_true(process->active);
	assert_string_equal(process->evidence.contributors, "");
}

static void test_samples_do_not_make_a_guest_known(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key guest = gm_entity_guest(uuid);
	send_counter(fixture, GM_SOURCE_HOST, guest, GM_METRIC_PROCESS_CPU, T0, 1, 0);
	assert_null(find(fixture, guest));
	see_guest(fixture);
	send_counter(fixture, GM_SOURCE_HOST, guest, GM_METRIC_PROCESS_CPU, T0, 1, 0);
	assert_int_equal(find(fixture, guest)->guest_index, 1);
	assert_int_equal(fixture->frames, 1);
}

/* The tap sampler tells of a device before its first sample. */
static void see_device(struct fixture *fixture, const char *name)
{
	struct gm_entity_info info = {.key = gm_entity_interface(name),
				      .interface = {.if_index = 7}};
	if (!find(fixture, info.key))
		gm_intake_seen(fixture->on.intake, GM_SOURCE_TAP, &info);
}

static void send_port(struct fixture *fixture, int64_t time, uint64_t value)
{
	see_device(fixture, "vnet0");
	send_counter(fixture, GM_SOURCE_TAP, gm_entity_interface("vnet0"), GM_METRIC_NET_TX_BYTES,
		     time, value, GM_FRAME_HOST_VIEW);
}

static void test_the_hosts_view_of_a_guests_port_is_mirrored(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key port = gm_entity_interface("vnet0");
	send_port(fixture, T0, 1);
	assert_int_equal(fixture->frames, 0); /* whose it is is not known yet */
	see_guest(fixture);
	see_port(fixture);
	send_port(fixture, T0 + GM_SECOND, 2);
	assert_int_equal(fixture->frames, 1);
	assert_int_equal(fixture->last.metric, GM_METRIC_NET_RX_BYTES);
	assert_int_equal(find(fixture, port)->guest_index, 1);
	assert_int_equal(find(fixture, port)->ordinal, 1);
}

static void test_a_port_with_the_guests_view_is_not_mirrored(void **state)
{
	struct fixture *fixture = *state;
	see_device(fixture, "vnet0");
	see_guest(fixture);
	see_port(fixture);
	send_counter(fixture, GM_SOURCE_TAP, gm_entity_interface("vnet0"), GM_METRIC_NET_RX_BYTES,
		     T0, 1, GM_FRAME_HOST_VIEW | GM_FRAME_SAME_VIEW);
	assert_int_equal(fixture->frames, 1);
	assert_int_equal(fixture->last.metric, GM_METRIC_NET_RX_BYTES);
}

/* A fold's samples may still be under way when the device is told to be gone. */
static void test_late_samples_do_not_bring_a_device_back(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_entity_key keys[] = {gm_entity_interface("vnet0"),
					     gm_entity_disk(NULL, "sdb")};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct gm_entity_info info = {.key = keys[i]};
		gm_intake_seen(fixture->on.intake, GM_SOURCE_TAP, &info);
		send_counter(fixture, GM_SOURCE_TAP, keys[i], GM_METRIC_NET_TX_BYTES, T0, 1, 0);
		gm_intake_gone(fixture->on.intake, GM_SOURCE_TAP, &keys[i], T0);
		send_counter(fixture, GM_SOURCE_TAP, keys[i], GM_METRIC_NET_TX_BYTES, T0 + 1, 2,
			     GM_FRAME_FINE);
		assert_null(find(fixture, keys[i]));
	}
	assert_null(gm_entities_first(gm_intake_entities(fixture->on.intake)));
}

static void test_a_device_that_nobody_claims_is_the_hosts(void **state)
{
	struct fixture *fixture = *state;
	send_port(fixture, T0, 1);
	send_port(fixture, T0 + 3 * GM_SECOND, 2);
	assert_int_equal(fixture->frames, 1);
	assert_int_equal(fixture->last.metric, GM_METRIC_NET_TX_BYTES);
}

static void test_a_clock_that_is_set_back_does_not_silence_a_device(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < 5; i++)
		send_port(fixture, T0 + i * GM_SECOND, 1);
	assert_int_equal(fixture->frames, 3);
	for (int i = 0; i < 5; i++)
		send_port(fixture, T0 - 3600 * GM_SECOND + i * GM_SECOND, 1);
	assert_int_equal(fixture->frames, 6);
}

static void test_detectors_are_renewed_for_other_settings_only(void **state)
{
	struct fixture *fixture = *state;
	struct gm_detector_settings *settings;
	see_guest(fixture);
	const struct gm_tracked *guest = find(fixture, gm_entity_guest(uuid));
	const struct gm_detector_set *set = guest->detectors;
	assert_int_equal(gm_intake_reconfigure(fixture->on.intake, fixture->on.settings, false), 0);
	assert_ptr_equal(guest->detectors, set);
	assert_int_equal(gm_detector_settings_create(&settings), 0);
	assert_int_equal(gm_intake_reconfigure(fixture->on.intake, settings, false), 0);
	assert_ptr_not_equal(guest->detectors, set);
	gm_detector_settings_free(fixture->on.settings);
	fixture->on.settings = settings;
	gm_intake_evaluate(fixture->on.intake, T0);
}

static void test_a_device_that_changes_hands_begins_anew(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key port = gm_entity_interface("vnet0");
	for (int i = 0; i < 5; i++)
		send_port(fixture, T0 + i * GM_SECOND, 100 * (uint64_t)i);
	assert_int_equal(gm_window_count(find(fixture, port)->window, GM_METRIC_NET_TX_BYTES), 3);
	see_guest(fixture);
	see_port(fixture);
	assert_int_equal(gm_window_count(find(fixture, port)->window, GM_METRIC_NET_TX_BYTES), 0);
	unsigned identified = fixture->identified;
	find(fixture, port)->info.interface.rx_limit = 8000;
	gm_intake_gone(fixture->on.intake, GM_SOURCE_LIBVIRT, &port, T0 + 6 * GM_SECOND);
	assert_int_equal(find(fixture, port)->guest_index, 0);
	assert_int_equal(find(fixture, port)->info.interface.rx_limit, 0);
	assert_int_equal(fixture->identified, identified + 1); /* who keeps limits hears of it */
}

static void restore_port(struct fixture *fixture, unsigned metric)
{
	struct gm_frame frame = {
		.key = gm_entity_interface("vnet0"), .measured_at = T0, .count = 1};
	struct gm_reading reading = {metric, {.counter = 7000000}};
	frame.read_at = frame.measured_at;
	gm_intake_restore(fixture->on.intake, &frame, &reading);
}

static void test_a_restored_port_goes_on_as_its_guests(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key port = gm_entity_interface("vnet0");
	restore_port(fixture, GM_METRIC_NET_RX_BYTES);
	send_port(fixture, T0 + GM_SECOND, 7000000);
	see_guest(fixture);
	see_port(fixture);
	send_port(fixture, T0 + 2 * GM_SECOND, 7000000);
	assert_int_equal(gm_window_count(find(fixture, port)->window, GM_METRIC_NET_RX_BYTES), 2);
	assert_int_equal(gm_window_count(find(fixture, port)->window, GM_METRIC_NET_TX_BYTES), 0);
}

static void test_a_restored_port_without_libvirt_begins_anew(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key port = gm_entity_interface("vnet0");
	restore_port(fixture, GM_METRIC_NET_RX_BYTES);
	send_port(fixture, T0 + GM_SECOND, 7000000);
	send_port(fixture, T0 + 4 * GM_SECOND, 7000000);
	assert_int_equal(gm_window_count(find(fixture, port)->window, GM_METRIC_NET_RX_BYTES), 0);
	assert_int_equal(gm_window_count(find(fixture, port)->window, GM_METRIC_NET_TX_BYTES), 1);
}

static void test_the_tap_sampler_outranks_libvirt_while_it_is_fresh(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key port = gm_entity_interface("vnet0");
	see_guest(fixture);
	see_port(fixture);
	send_counter(fixture, GM_SOURCE_LIBVIRT, port, GM_METRIC_NET_RX_BYTES, T0, 1, 0);
	assert_int_equal(fixture->frames, 1);
	send_counter(fixture, GM_SOURCE_TAP, port, GM_METRIC_NET_TX_BYTES, T0 + 1, 2,
		     GM_FRAME_HOST_VIEW);
	send_counter(fixture, GM_SOURCE_LIBVIRT, port, GM_METRIC_NET_RX_BYTES, T0 + GM_SECOND, 3,
		     0);
	assert_int_equal(fixture->frames, 2);
	send_counter(fixture, GM_SOURCE_LIBVIRT, port, GM_METRIC_NET_RX_BYTES, T0 + 5 * GM_SECOND,
		     4, 0);
	assert_int_equal(fixture->frames, 3);
}

static void test_what_an_ended_source_alone_told_of_is_swept_away(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key guest = gm_entity_guest(uuid), port = gm_entity_interface("vnet0");
	see_guest(fixture);
	see_port(fixture);
	send_port(fixture, T0, 1);
	gm_intake_sweep(fixture->on.intake, T0);
	assert_int_equal(fixture->gone, 0);

	gm_intake_source_ended(fixture->on.intake, GM_SOURCE_LIBVIRT);
	see_guest(fixture); /* the one in its place tells of it again */
	gm_intake_sweep(fixture->on.intake, T0);
	assert_non_null(find(fixture, guest));
	assert_int_equal(find(fixture, port)->guest_index, 0); /* the host's: the tap has it */

	gm_intake_source_ended(fixture->on.intake, GM_SOURCE_LIBVIRT);
	gm_intake_source_ended(fixture->on.intake, GM_SOURCE_TAP);
	gm_intake_sweep(fixture->on.intake, T0);
	assert_null(find(fixture, guest));
	assert_null(find(fixture, port));
	assert_int_equal(fixture->gone, 2);
}

static void test_fine_frames_are_not_kept(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key port = gm_entity_interface("eth9");
	see_device(fixture, "eth9");
	send_counter(fixture, GM_SOURCE_TAP, port, GM_METRIC_NET_TX_BYTES, T0, 1, 0);
	fixture->frames = 0;
	send_counter(fixture, GM_SOURCE_TAP, port, GM_METRIC_NET_TX_BYTES, T0 + GM_SECOND, 2,
		     GM_FRAME_FINE);
	assert_int_equal(fixture->frames, 0);
	assert_int_equal(gm_window_count(find(fixture, port)->window, GM_METRIC_NET_TX_BYTES), 1);
}

static void test_an_index_is_kept_over_a_return(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key guest = gm_entity_guest(uuid);
	see_guest(fixture);
	see_port(fixture);
	gm_intake_gone(fixture->on.intake, GM_SOURCE_LIBVIRT, &guest, T0);
	assert_null(find(fixture, guest));
	assert_int_equal(fixture->gone, 1);

	uint8_t other_uuid[GM_UUID_SIZE] = {9};
	struct gm_entity_info other = {.key = gm_entity_guest(other_uuid),
				       .guest = {.name = "other"}};
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &other);
	assert_int_equal(find(fixture, other.key)->guest_index, 2);
	see_guest(fixture);
	assert_int_equal(find(fixture, guest)->guest_index, 1);
}

/* While somebody holds a lock on the database no number can be had; a guest without one would be in no table. */
static void test_an_index_that_could_not_be_had_comes_later(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key guest = gm_entity_guest(uuid), port = gm_entity_interface("vnet0");
	struct gm_entity_key disk = gm_entity_disk(uuid, "vda");
	const struct gm_entity_info disk_info = {.key = disk};
	sqlite3 *database = lock_database(fixture->on.directory);
	see_guest(fixture);
	see_port(fixture);
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &disk_info);
	gm_intake_evaluate(fixture->on.intake, T0);
	assert_int_equal(find(fixture, guest)->guest_index, 0);
	sqlite3_close(database);
	gm_intake_evaluate(fixture->on.intake, T0 + GM_SECOND);
	assert_int_equal(find(fixture, guest)->guest_index, 1);
	assert_int_equal(find(fixture, port)->guest_index, 1);
	assert_int_equal(find(fixture, port)->ordinal, 1);
	assert_int_equal(find(fixture, disk)->guest_index, 1);
}

static void test_restored_frames_fill_the_window_in_silence(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key guest = gm_entity_guest(uuid);
	for (int i = 0; i < 50; i++) {
		struct gm_frame frame = {
			.key = guest, .measured_at = T0 + i * GM_SECOND, .count = 2};
		struct gm_reading readings[] = {
			{GM_METRIC_MEMORY_USED, {.gauge = 1e8 + i * 1e6}},
			{GM_METRIC_MEMORY_TOTAL, {.gauge = 2e8}},
		};
		frame.read_at = frame.measured_at;
		gm_intake_restore(fixture->on.intake, &frame, readings);
	}
	assert_int_equal(gm_window_count(find(fixture, guest)->window, GM_METRIC_MEMORY_USED), 50);
	assert_int_equal(fixture->findings + fixture->frames, 0);
}

static void tell_name(struct fixture *fixture, enum gm_source_id source, const char *name)
{
	struct gm_entity_info info = {.key = gm_entity_guest(uuid)};
	snprintf(info.guest.name, sizeof(info.guest.name), "%s", name);
	gm_intake_seen(fixture->on.intake, source, &info);
}

static const char *name_now(struct fixture *fixture)
{
	struct gm_entity_key key = gm_entity_guest(uuid);
	const struct gm_tracked *tracked =
		gm_entities_find(gm_intake_entities(fixture->on.intake), &key);
	return tracked ? tracked->info.guest.name : "";
}

/* The connection that the configuration names first has a guest that several tell of. */
static void test_guest_on_two_uris(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key key = gm_entity_guest(uuid), disk = gm_entity_disk(uuid, "vda");
	struct gm_entity_info disk_info = {.key = disk};
	memcpy(disk_info.disk.guest, uuid, GM_UUID_SIZE);

	tell_name(fixture, GM_SOURCE_LIBVIRT_2, "second");
	send_counter(fixture, GM_SOURCE_LIBVIRT_2_SLOW, key, GM_METRIC_CPU_TIME, T0, 1, 0);
	assert_int_equal(fixture->frames, 1);
	tell_name(fixture, GM_SOURCE_LIBVIRT, "first");
	assert_string_equal(name_now(fixture), "first");
	tell_name(fixture, GM_SOURCE_LIBVIRT_2, "second");
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT_2, &disk_info);
	assert_string_equal(name_now(fixture), "first");
	assert_null(gm_entities_find(gm_intake_entities(fixture->on.intake), &disk));
	send_counter(fixture, GM_SOURCE_LIBVIRT_2_SLOW, key, GM_METRIC_CPU_TIME, T0 + 1, 2, 0);
	assert_int_equal(fixture->frames, 1);
	send_counter(fixture, GM_SOURCE_LIBVIRT_SLOW, key, GM_METRIC_CPU_TIME, T0 + 2, 3, 0);
	assert_int_equal(fixture->frames, 2);
	/* The other's end of it is nothing to us; the first one's is the end. */
	gm_intake_gone(fixture->on.intake, GM_SOURCE_LIBVIRT_2, &key, T0 + 3);
	assert_string_equal(name_now(fixture), "first");
	gm_intake_gone(fixture->on.intake, GM_SOURCE_LIBVIRT, &key, T0 + 4);
	assert_int_equal(fixture->gone, 1);
	tell_name(fixture, GM_SOURCE_LIBVIRT_2, "second");
	assert_string_equal(name_now(fixture), "second");
	send_counter(fixture, GM_SOURCE_LIBVIRT_2_SLOW, key, GM_METRIC_CPU_TIME, T0 + 5, 4, 0);
	assert_int_equal(fixture->frames, 3);
}

/* Numbers are for those who will be followed, and not for what another connection has left out. */
static void test_nothing_is_foreseen_of_what_is_left_out(void **state)
{
	static const enum gm_source_id first[] = {GM_SOURCE_LIBVIRT, GM_SOURCE_LIBVIRT};
	static const enum gm_source_id second[] = {GM_SOURCE_LIBVIRT_2, GM_SOURCE_LIBVIRT_2};
	struct gm_entity_info infos[2] = {{.key = gm_entity_interface("tap0")},
					  {.key = gm_entity_interface("tap1")}};
	const struct gm_entity_info *both[] = {&infos[0], &infos[1]};
	struct fixture *fixture = *state;
	char scope[GM_UUID_TEXT + 3], text[GM_UUID_TEXT];
	struct gm_error err;
	uint32_t index = 0;

	for (size_t i = 0; i < 2; i++) {
		memcpy(infos[i].interface.guest, uuid, GM_UUID_SIZE);
		snprintf(infos[i].interface.mac, sizeof(infos[i].interface.mac),
			 "52:54:00:00:00:0%zu", i);
	}
	snprintf(scope, sizeof(scope), "if:%s", gm_uuid_text(uuid, text));
	tell_name(fixture, GM_SOURCE_LIBVIRT, "first");
	gm_intake_foresee(fixture->on.intake, second, both, 2);
	assert_int_equal(gm_state_index(fixture->on.state, scope, "another", &index, &err), 0);
	assert_int_equal(index, 1);
	gm_intake_foresee(fixture->on.intake, first, both, 2);
	assert_int_equal(gm_state_index(fixture->on.state, scope, "yet another", &index, &err), 0);
	assert_int_equal(index, 4);
}

int main(void)
{
#define WITH_INTAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_INTAKE(test_samples_do_not_make_a_guest_known),
		WITH_INTAKE(test_guest_on_two_uris),
		WITH_INTAKE(test_nothing_is_foreseen_of_what_is_left_out),
		WITH_INTAKE(test_the_hosts_view_of_a_guests_port_is_mirrored),
		WITH_INTAKE(test_a_port_with_the_guests_view_is_not_mirrored),
		WITH_INTAKE(test_late_samples_do_not_bring_a_device_back),
		WITH_INTAKE(test_a_device_that_nobody_claims_is_the_hosts),
		WITH_INTAKE(test_a_clock_that_is_set_back_does_not_silence_a_device),
		WITH_INTAKE(test_detectors_are_renewed_for_other_settings_only),
		WITH_INTAKE(test_a_device_that_changes_hands_begins_anew),
		WITH_INTAKE(test_a_restored_port_goes_on_as_its_guests),
		WITH_INTAKE(test_a_restored_port_without_libvirt_begins_anew),
		WITH_INTAKE(test_the_tap_sampler_outranks_libvirt_while_it_is_fresh),
		WITH_INTAKE(test_what_an_ended_source_alone_told_of_is_swept_away),
		WITH_INTAKE(test_fine_frames_are_not_kept),
		WITH_INTAKE(test_a_leak_is_told_once),
		WITH_INTAKE(test_an_index_is_kept_over_a_return),
		WITH_INTAKE(test_an_index_that_could_not_be_had_comes_later),
		WITH_INTAKE(test_restored_frames_fill_the_window_in_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
