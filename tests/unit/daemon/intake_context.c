/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intake with real detectors on hours of made-up samples: what is told of a change that was
 * planned, and what when all guests of a flavor do the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/anomaly.h"
#include "base/clock.h"
#include "intake_fixture.h"
#include "support/pipeline_ends.h"

#define T0   (INT64_C(1700000000) * GM_SECOND)
#define STEP (10 * GM_SECOND)
#define GIB  1073741824.0

enum { GUESTS = 8, HOUR = 360 /* steps */ };

struct guest {
	uint8_t uuid[GM_UUID_SIZE];
	double busy, rate, memory, total; /* CPUs, bytes per second, bytes */
	uint64_t cpu, bytes;              /* counters */
	unsigned alarms;                  /* findings that were active */
	struct gm_finding last;           /* of them */
};

struct fixture {
	struct intake_fixture on;
	size_t count;
	struct guest guests[GUESTS];
	int64_t now;
	uint32_t seed;
};

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct fixture *fixture = user;
	if (!finding->active || strcmp(finding->detector, "anomaly") != 0)
		return;
	for (size_t i = 0; i < fixture->count; i++) {
		struct guest *guest = &fixture->guests[i];
		if (memcmp(guest->uuid, finding->key.uuid, GM_UUID_SIZE) != 0)
			continue;
		guest->alarms++;
		guest->last = *finding;
	}
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct gm_intake_sink sink = sink_that_passes(fixture);
	sink.finding = on_finding;
	open_intake(&fixture->on, 600 * GM_SECOND, &sink);
	struct gm_anomaly_options *anomaly =
		gm_detector_settings_get(fixture->on.settings, &gm_anomaly_ops);
	anomaly->learning = 7200 * GM_SECOND;
	fixture->now = T0;
	fixture->seed = 5;
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

static void device_of(size_t guest, char device[GM_DEVICE_NAME])
{
	snprintf(device, GM_DEVICE_NAME, "vnet%zu", guest);
}

static void see_guests(struct fixture *fixture, size_t count, const char *flavor)
{
	fixture->count = count;
	for (size_t i = 0; i < count; i++) {
		struct guest *guest = &fixture->guests[i];
		*guest = (struct guest){.uuid = {0x6c, (uint8_t)(i + 1)},
					.busy = 0.3,
					.rate = 1e5,
					.memory = GIB,
					.total = 4 * GIB};
		struct gm_entity_info info = {.key = gm_entity_guest(guest->uuid),
					      .guest = {.name = "instance"}};
		snprintf(info.guest.flavor, sizeof(info.guest.flavor), "%s", flavor);
		gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &info);

		char device[GM_DEVICE_NAME];
		device_of(i, device);
		struct gm_entity_info port = {.key = gm_entity_interface(device),
					      .interface = {.ordinal = 1}};
		memcpy(port.interface.guest, guest->uuid, GM_UUID_SIZE);
		gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &port);
	}
}

static double wobble(struct fixture *fixture)
{
	fixture->seed = fixture->seed * 1664525U + 1013904223U;
	return 0.9 + 0.2 * ((double)(fixture->seed >> 8) / 16777216.0);
}

static void put_guest(struct fixture *fixture, size_t at, struct gm_batch *batch)
{
	struct guest *guest = &fixture->guests[at];
	struct gm_entity_key key = gm_entity_guest(guest->uuid);
	char device[GM_DEVICE_NAME];
	device_of(at, device);
	struct gm_entity_key port = gm_entity_interface(device);
	guest->cpu += (uint64_t)(guest->busy * wobble(fixture) * STEP);
	guest->bytes += (uint64_t)(guest->rate * wobble(fixture) * 10);
	gm_batch_frame(batch, &key, fixture->now, fixture->now, 0);
	gm_batch_counter(batch, GM_METRIC_CPU_TIME, guest->cpu);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_TOTAL, guest->total);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_USED, guest->memory * wobble(fixture));
	gm_batch_frame(batch, &port, fixture->now, fixture->now, 0);
	gm_batch_counter(batch, GM_METRIC_NET_RX_BYTES, guest->bytes);
}

static void run(struct fixture *fixture, int steps)
{
	for (int i = 0; i < steps; i++) {
		struct gm_batch *batch = gm_batch_create();
		fixture->now += STEP;
		batch->source = GM_SOURCE_LIBVIRT;
		for (size_t guest = 0; guest < fixture->count; guest++)
			put_guest(fixture, guest, batch);
		gm_intake_batch(fixture->on.intake, batch);
		gm_batch_free(batch);
		gm_intake_evaluate(fixture->on.intake, fixture->now);
	}
}

static void tell(struct fixture *fixture, size_t guest, enum gm_guest_event_kind kind)
{
	struct gm_guest_event event = {.key = gm_entity_guest(fixture->guests[guest].uuid),
				       .kind = kind,
				       .time = fixture->now};
	gm_intake_event(fixture->on.intake, &event);
}

static void change(struct guest *guest)
{
	guest->busy = 0.9;
	guest->rate = 1e6;
}

static void test_a_change_is_told_unless_it_was_planned(void **state)
{
	static const struct {
		const char *what;
		enum gm_guest_event_kind event;
		bool planned, resized;
	} cases[] = {
		{"nothing", GM_GUEST_SUSPENDED, false, false},
		{"reboot", GM_GUEST_REBOOTED, true, false},
		{"migration", GM_GUEST_MIGRATED, true, false},
		{"start", GM_GUEST_STARTED, true, false},
		{"balloon", GM_GUEST_BALLOON, true, false},
		{"memory plugged in, without a word", GM_GUEST_SUSPENDED, false, true},
	};
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	struct fixture *fixture = *state;
	see_guests(fixture, CASES, "");
	run(fixture, 3 * HOUR);
	for (size_t i = 0; i < CASES; i++) {
		assert_int_equal(fixture->guests[i].alarms, 0);
		tell(fixture, i, cases[i].event);
		fixture->guests[i].total *= cases[i].resized ? 2 : 1;
		change(&fixture->guests[i]);
	}
	run(fixture, HOUR);
	for (size_t i = 0; i < CASES; i++) {
		bool quiet = cases[i].planned || cases[i].resized;
		if ((fixture->guests[i].alarms == 0) != quiet)
			fail_msg("%s: %u findings", cases[i].what, fixture->guests[i].alarms);
		assert_false(gm_evidence_has(&fixture->guests[i].last.evidence,
					     GM_EVIDENCE_PEER_COUNT)); /* of no flavor */
	}
	/* What comes after has been learned, and a surprise is one again. */
	for (size_t i = 0; i < CASES; i++)
		fixture->guests[i].alarms = 0;
	run(fixture, HOUR);
	assert_int_equal(fixture->guests[1].alarms, 0);
	fixture->guests[1].busy = 3.5;
	fixture->guests[1].rate = 1e8;
	run(fixture, HOUR / 4);
	assert_true(fixture->guests[1].alarms > 0);
}

/* Whether an event of the first guest changes what a port's detectors have learned. */
static bool disturbs(struct fixture *fixture, enum gm_guest_event_kind kind, const char *device)
{
	struct gm_buffer before = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX), after = before;
	struct gm_entity_key key = gm_entity_interface(device);
	struct gm_tracked *port = gm_entities_find(gm_intake_entities(fixture->on.intake), &key);
	assert_int_equal(gm_detector_set_save(port->detectors, &before), 0);
	tell(fixture, 0, kind);
	gm_intake_settle(fixture->on.intake);
	assert_int_equal(gm_detector_set_save(port->detectors, &after), 0);
	bool same =
		before.length == after.length && memcmp(before.data, after.data, after.length) == 0;
	gm_buffer_free(&before);
	gm_buffer_free(&after);
	return !same;
}

static void test_a_planned_change_reaches_what_belongs_to_a_guest(void **state)
{
	struct fixture *fixture = *state;
	see_guests(fixture, 2, "");
	run(fixture, HOUR);
	assert_false(disturbs(fixture, GM_GUEST_SUSPENDED, "vnet0"));
	assert_false(disturbs(fixture, GM_GUEST_BALLOON, "vnet0"));
	assert_false(disturbs(fixture, GM_GUEST_REBOOTED, "vnet1")); /* another guest's */
	run(fixture, HOUR);
	assert_true(disturbs(fixture, GM_GUEST_REBOOTED, "vnet0"));
	run(fixture, HOUR);
	assert_true(disturbs(fixture, GM_GUEST_MIGRATED, "vnet0"));
	run(fixture, HOUR);
	assert_true(disturbs(fixture, GM_GUEST_STARTED, "vnet0"));
	struct gm_guest_event unknown = {.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){9}),
					 .kind = GM_GUEST_REBOOTED,
					 .time = fixture->now};
	gm_intake_event(fixture->on.intake, &unknown);
}

static double number(const struct guest *guest, enum gm_evidence_id id)
{
	assert_true(gm_evidence_has(&guest->last.evidence, id));
	return guest->last.evidence.number[id];
}

static void test_a_guest_that_stands_alone_is_told_as_such(void **state)
{
	struct fixture *fixture = *state;
	see_guests(fixture, GUESTS, "m1.small");
	run(fixture, 3 * HOUR);
	change(&fixture->guests[0]);
	run(fixture, HOUR / 6);
	assert_true(fixture->guests[0].alarms > 0);
	assert_true(number(&fixture->guests[0], GM_EVIDENCE_PEER_COUNT) == GUESTS - 1);
	assert_true(number(&fixture->guests[0], GM_EVIDENCE_PEERS_ALIKE) == 0);
	assert_true(number(&fixture->guests[0], GM_EVIDENCE_PEER_DISTANCE) > 5);
	assert_int_not_equal(fixture->guests[0].last.severity, GM_SEVERITY_WARNING);
	for (size_t i = 1; i < GUESTS; i++)
		assert_int_equal(fixture->guests[i].alarms, 0);
}

static void test_what_all_of_a_flavor_do_is_a_warning(void **state)
{
	struct fixture *fixture = *state;
	see_guests(fixture, GUESTS, "m1.small");
	run(fixture, 3 * HOUR);
	for (size_t i = 0; i < GUESTS; i++)
		change(&fixture->guests[i]);
	run(fixture, HOUR / 6);
	for (size_t i = 0; i < GUESTS; i++) {
		assert_true(fixture->guests[i].alarms > 0);
		assert_true(number(&fixture->guests[i], GM_EVIDENCE_PEERS_ALIKE) == GUESTS - 1);
		assert_true(number(&fixture->guests[i], GM_EVIDENCE_PEER_DISTANCE) < 5);
		assert_int_equal(fixture->guests[i].last.severity, GM_SEVERITY_WARNING);
	}
	/* Those that are gone are nobody's peers. */
	for (size_t i = 1; i < GUESTS; i++) {
		struct gm_entity_key key = gm_entity_guest(fixture->guests[i].uuid);
		gm_intake_gone(fixture->on.intake, GM_SOURCE_LIBVIRT, &key, fixture->now);
	}
	run(fixture, 1);
	assert_false(gm_evidence_has(&fixture->guests[0].last.evidence, GM_EVIDENCE_PEER_COUNT));
}

int main(void)
{
#define WITH_INTAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_INTAKE(test_a_change_is_told_unless_it_was_planned),
		WITH_INTAKE(test_a_planned_change_reaches_what_belongs_to_a_guest),
		WITH_INTAKE(test_a_guest_that_stands_alone_is_told_as_such),
		WITH_INTAKE(test_what_all_of_a_flavor_do_is_a_warning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
