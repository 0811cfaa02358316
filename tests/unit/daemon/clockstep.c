/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intake over a step of the clock: no rate is measured over it, not by a sample that was under way either,
 * who told of an entity last is not taken for silent, and who fell silent not for one that still tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "intake_fixture.h"
#include "support/pipeline_ends.h"

#define INTERVAL (2 * GM_SECOND)
#define T0       (INT64_C(1700000000) * GM_SECOND)
#define RATE     0.2 /* of the time */

enum { BEFORE = 10, AFTER = 5 };

static const uint8_t uuid[GM_UUID_SIZE] = {0x6c, 0x76, 1};

struct fixture {
	struct intake_fixture on;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct gm_intake_sink sink = sink_that_passes(fixture);
	open_intake(&fixture->on, 600 * GM_SECOND, &sink);
	const struct gm_entity_info guest = {.key = gm_entity_guest(uuid)};
	gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &guest);
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

/* The node's stalls and a virtual CPU's time after `passed` ns, timed as `time`. */
static void tell(struct fixture *fixture, int64_t passed, int64_t time)
{
	const uint64_t count = (uint64_t)((double)passed * RATE);
	const struct gm_entity_key node = gm_entity_node();
	struct gm_note note = {.kind = GM_NOTE_VCPU,
			       .known = 1U << GM_VCPU_RUN,
			       .time = time,
			       .times = {[GM_VCPU_RUN] = count}};
	struct gm_batch *batch = gm_batch_create();
	memcpy(note.guest, uuid, GM_UUID_SIZE);
	batch->source = GM_SOURCE_HOST;
	assert_true(gm_batch_frame(batch, &node, time, time, 0));
	gm_batch_counter(batch, GM_METRIC_PRESSURE_IO_SOME, count);
	gm_batch_note(batch, &note);
	gm_intake_batch(fixture->on.intake, batch);
	gm_batch_free(batch);
}

static const struct gm_tracked *find(struct fixture *fixture, const struct gm_entity_key *key)
{
	return gm_entities_find(gm_intake_entities(fixture->on.intake), key);
}

static struct gm_last stalls(struct fixture *fixture)
{
	const struct gm_entity_key node = gm_entity_node();
	struct gm_last last;
	assert_int_equal(gm_window_last(find(fixture, &node)->window, &last, 1), 1);
	return last;
}

static const struct gm_vcpu *vcpu(struct fixture *fixture)
{
	const struct gm_entity_key guest = gm_entity_guest(uuid);
	assert_int_equal(find(fixture, &guest)->vcpu_count, 1);
	return &find(fixture, &guest)->vcpus[0];
}

/* Where there is a rate, it is what it always was. */
static void assert_rates(struct fixture *fixture)
{
	struct gm_last last = stalls(fixture);
	if (last.has_rate)
		assert_float_equal(last.rate, RATE * 1e9, 1);
	assert_true(vcpu(fixture)->has_rate);
	assert_float_equal(vcpu(fixture)->rates[GM_VCPU_RUN], RATE * 1e9, 1);
}

static void test_set_ahead(void **state)
{
	static const int64_t step = 1500 * GM_MILLISECOND;
	struct fixture *fixture = *state;
	const struct gm_entity_key node = gm_entity_node();
	int64_t passed = 0;
	for (int i = 0; i < BEFORE; i++, passed += INTERVAL)
		tell(fixture, passed, T0 + passed);
	assert_true(stalls(fixture).has_rate);
	gm_intake_stepped(fixture->on.intake, step, T0 + passed + step);
	assert_int_equal(find(fixture, &node)->newest[GM_SOURCE_HOST],
			 T0 + passed - INTERVAL + step);
	/* This one was under way. */
	tell(fixture, passed - 1, T0 + passed - 1);
	assert_int_equal(stalls(fixture).measured_at, T0 + passed - INTERVAL);
	for (int i = 0; i < AFTER; i++, passed += INTERVAL) {
		tell(fixture, passed, T0 + passed + step);
		assert_rates(fixture);
	}
	assert_true(stalls(fixture).has_rate);
}

static void test_set_back(void **state)
{
	static const int64_t step = -1900 * GM_MILLISECOND;
	struct fixture *fixture = *state;
	int64_t now = gm_clock_now(), before = now - step; /* the same moment by both clocks */
	int64_t first = before - BEFORE * INTERVAL, passed = 0;
	for (int i = 0; i < BEFORE; i++, passed += INTERVAL)
		tell(fixture, passed, first + passed);
	gm_intake_stepped(fixture->on.intake, step, now);
	/* Under way, by the clock of before. */
	tell(fixture, passed - GM_MILLISECOND, before - GM_MILLISECOND);
	assert_int_equal(stalls(fixture).measured_at, before - INTERVAL);
	tell(fixture, passed, now);
	assert_int_equal(stalls(fixture).measured_at, now);
	assert_false(stalls(fixture).has_rate);
	assert_rates(fixture);
}

static void tell_port(struct fixture *fixture, enum gm_source_id source, int64_t time)
{
	const struct gm_entity_key port = gm_entity_interface("vnet0");
	struct gm_batch *batch = gm_batch_create();
	batch->source = (uint8_t)source;
	assert_true(gm_batch_frame(batch, &port, time, time, 0));
	gm_batch_counter(batch, GM_METRIC_NET_RX_BYTES, 1000);
	gm_intake_batch(fixture->on.intake, batch);
	gm_batch_free(batch);
}

/*
 * libvirt's counters of a port that the tap source reads are left out until that has been silent for two
 * seconds: no less where the clock was set ahead meanwhile, and no more where it was set back.
 */
static void test_the_tap_falls_silent(void **state)
{
	static const int64_t steps[] = {1500 * GM_MILLISECOND, -1500 * GM_MILLISECOND,
					3600 * GM_SECOND, -3600 * GM_SECOND};
	struct fixture *fixture = *state;
	const struct gm_entity_info port = {.key = gm_entity_interface("vnet0"),
					    .interface = {.guest = {0x6c, 0x76, 1}, .ordinal = 1}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t at = gm_clock_now() - 10 * GM_SECOND; /* by the new clock */
		gm_intake_seen(fixture->on.intake, GM_SOURCE_TAP, &port);
		gm_intake_seen(fixture->on.intake, GM_SOURCE_LIBVIRT, &port);
		tell_port(fixture, GM_SOURCE_TAP, at - steps[i] - GM_SECOND);
		gm_intake_stepped(fixture->on.intake, steps[i], at);
		tell_port(fixture, GM_SOURCE_LIBVIRT, at + 500 * GM_MILLISECOND);
		assert_true(find(fixture, &port.key)->newest[GM_SOURCE_LIBVIRT] == 0);
		tell_port(fixture, GM_SOURCE_LIBVIRT, at + 1500 * GM_MILLISECOND);
		assert_true(find(fixture, &port.key)->newest[GM_SOURCE_LIBVIRT] ==
			    at + 1500 * GM_MILLISECOND);
		gm_intake_gone(fixture->on.intake, GM_SOURCE_LIBVIRT, &port.key, at);
		gm_intake_gone(fixture->on.intake, GM_SOURCE_TAP, &port.key, at);
		assert_null(find(fixture, &port.key));
	}
}

int main(void)
{
#define WITH_INTAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_INTAKE(test_set_ahead),
		WITH_INTAKE(test_set_back),
		WITH_INTAKE(test_the_tap_falls_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
