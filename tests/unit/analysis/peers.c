/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests among their peers: a cause that all share, one that stands alone, too few to say anything,
 * and values that nobody sends.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/peers.h"
#include "base/clock.h"

#define START (INT64_C(1700000000) * GM_SECOND)

enum { GUESTS = 12, STEP = 5, HOUR = 3600 };

struct world {
	struct gm_peers *peers;
	struct gm_peer *guests[GUESTS];
	int64_t now;
	uint32_t seed;
};

/* 0 to 1, the same every time. */
static double noise(struct world *world)
{
	world->seed = world->seed * 1664525U + 1013904223U;
	return (double)(world->seed >> 8) / 16777216.0;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || gm_peers_create(&world->peers) < 0)
		return -1;
	world->now = START;
	world->seed = 7;
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	gm_peers_free(world->peers);
	free(world);
	return 0;
}

static void join(struct world *world, size_t guests, const char *flavor)
{
	for (size_t i = 0; i < guests; i++) {
		gm_peers_join(world->peers, flavor, &world->guests[i]);
		assert_non_null(world->guests[i]);
	}
}

static void take(struct world *world, size_t guest, unsigned metric, double value, bool part)
{
	struct gm_point point = {
		.metric = metric, .time = world->now, .span = STEP * GM_SECOND, .value = value};

	gm_peers_take(world->peers, world->guests[guest], &point, part);
}

/* What guests do: how busy (CPUs), how much each of two interfaces receives (B/s), memory (B). */
struct habit {
	double busy, rate, memory;
};
static const struct habit usual = {0.3, 1e5, 1e9};

static void step_guest(struct world *world, size_t guest, struct habit habit)
{
	double wobble = 0.9 + 0.2 * noise(world);

	take(world, guest, GM_METRIC_CPU_TIME, habit.busy * wobble * STEP * 1e9, false);
	take(world, guest, GM_METRIC_MEMORY_USED, habit.memory * (0.98 + 0.04 * noise(world)),
	     false);
	take(world, guest, GM_METRIC_NET_RX_BYTES, habit.rate * wobble * STEP, true);
	take(world, guest, GM_METRIC_NET_RX_BYTES, habit.rate * wobble * STEP, true);
}

/* The first `changed` guests of `guests` do otherwise. */
static void run(struct world *world, int seconds, size_t guests, size_t changed,
		struct habit otherwise)
{
	for (int i = 0; i < seconds; i += STEP) {
		world->now += STEP * GM_SECOND;
		for (size_t guest = 0; guest < guests; guest++)
			step_guest(world, guest, guest < changed ? otherwise : usual);
	}
}

static bool compare(struct world *world, size_t guest, const char *metrics,
		    struct gm_peers_view *view)
{
	memset(view, 0, sizeof(*view));
	return gm_peers_compare(world->peers, world->guests[guest], metrics, world->now, view);
}

static void what_all_do_is_common(void **state)
{
	struct world *world = *state;
	struct habit busy = usual;
	struct gm_peers_view view;

	join(world, GUESTS, "m1.small");
	run(world, HOUR, GUESTS, 0, usual);
	assert_true(compare(world, 3, "cpu.time", &view));
	assert_int_equal(view.count, GUESTS - 1);
	assert_int_equal(view.alike, 0);
	assert_false(view.common);
	assert_true(view.distance < 4);

	busy.busy = 0.9;
	run(world, 60, GUESTS, 10, busy); /* two have nothing to do with it */
	assert_true(compare(world, 0, "cpu.time,net.rx.bytes@vnet0", &view));
	assert_int_equal(view.count, GUESTS - 1);
	assert_int_equal(view.alike, 9);
	assert_true(view.common);
	assert_true(view.distance < 4);
	/* One that does not take part is now far away, but has not left its own level. */
	assert_true(compare(world, 11, "cpu.time", &view));
	assert_false(view.common);
	assert_int_equal(view.alike, 0);
	assert_true(view.distance > 4);

	/* The opposite direction is not the same. */
	run(world, HOUR, GUESTS, 0, usual);
	busy.busy = 0.05;
	run(world, 40, GUESTS, 1, busy);
	assert_true(compare(world, 0, "cpu.time", &view));
	assert_false(view.common);
}

static void one_that_stands_alone(void **state)
{
	struct world *world = *state;
	struct habit flooded = usual;
	struct gm_peers_view view;

	join(world, GUESTS, "m1.small");
	run(world, HOUR, GUESTS, 0, usual);
	flooded.rate = 1e6;
	run(world, 60, GUESTS, 1, flooded);
	assert_true(compare(world, 0, "net.rx.bytes@vnet0,net.rx.bytes@vnet1", &view));
	assert_false(view.common);
	assert_int_equal(view.alike, 0);
	assert_int_equal(view.count, GUESTS - 1);
	assert_true(view.distance > 20);
	assert_true(compare(world, 5, "net.rx.bytes@vnet2", &view));
	assert_true(view.distance < 4);

	/* It shares one thing with the others and does another alone: that is its own trouble. */
	run(world, 2 * HOUR, GUESTS, 0, usual);
	flooded.busy = 0.9;
	run(world, 60, GUESTS, 1, flooded);
	struct habit busy = usual;
	busy.busy = 0.9;
	for (int i = 0; i < 60; i += STEP) {
		world->now += STEP * GM_SECOND;
		for (size_t guest = 0; guest < GUESTS; guest++)
			step_guest(world, guest, guest == 0 ? flooded : busy);
	}
	assert_true(compare(world, 0, "cpu.time", &view));
	assert_true(view.common);
	assert_true(compare(world, 0, "cpu.time,net.rx.bytes@vnet0", &view));
	assert_false(view.common);
}

static void too_few_peers_say_nothing(void **state)
{
	struct world *world = *state;
	struct gm_peers_view view;

	join(world, GM_PEERS_LEAST, "m1.tiny");
	run(world, HOUR, GM_PEERS_LEAST, 0, usual);
	assert_false(compare(world, 0, "cpu.time", &view)); /* four peers */
	gm_peers_join(world->peers, "m1.tiny", &world->guests[GM_PEERS_LEAST]);
	/* One that is there but tells nothing is none. */
	run(world, 60, GM_PEERS_LEAST, 0, usual);
	assert_false(compare(world, 0, "cpu.time", &view));
	run(world, 60, GM_PEERS_LEAST + 1, 0, usual);
	assert_true(compare(world, 0, "cpu.time", &view));
	assert_int_equal(view.count, GM_PEERS_LEAST);
	/* Of another flavor now. */
	gm_peers_join(world->peers, "m1.huge", &world->guests[0]);
	run(world, 60, GM_PEERS_LEAST + 1, 0, usual);
	assert_false(compare(world, 0, "cpu.time", &view));
	assert_false(compare(world, 1, "cpu.time", &view));
	/* What was told long ago is not of now. */
	gm_peers_join(world->peers, "m1.tiny", &world->guests[0]);
	run(world, 60, GM_PEERS_LEAST + 1, 0, usual);
	assert_true(compare(world, 1, "cpu.time", &view));
	world->now += HOUR * GM_SECOND;
	assert_false(compare(world, 1, "cpu.time", &view));
}

static struct gm_finding anomaly_of(const struct world *world, const char *contributors)
{
	struct gm_finding finding = {
		.active = true, .severity = GM_SEVERITY_MAJOR, .time = world->now};

	gm_evidence_set(&finding.evidence, GM_EVIDENCE_ONSET, 1700003600.5);
	snprintf(finding.evidence.contributors, sizeof(finding.evidence.contributors), "%s",
		 contributors);
	return finding;
}

static void an_anomaly_is_explained(void **state)
{
	struct world *world = *state;
	struct habit busy = {0.9, 1e5, 1e9};

	join(world, GUESTS, "m1.small");
	run(world, HOUR, GUESTS, 0, usual);
	struct gm_finding finding = anomaly_of(world, "cpu.time");
	gm_peers_explain(world->peers, world->guests[0], &finding);
	assert_int_equal(finding.severity, GM_SEVERITY_MAJOR);
	assert_true(finding.evidence.number[GM_EVIDENCE_PEER_COUNT] == GUESTS - 1);

	run(world, 60, GUESTS, GUESTS, busy);
	finding = anomaly_of(world, "cpu.time");
	gm_peers_explain(world->peers, world->guests[0], &finding);
	assert_int_equal(finding.severity, GM_SEVERITY_WARNING);
	assert_true(finding.evidence.number[GM_EVIDENCE_PEERS_ALIKE] == GUESTS - 1);
	assert_true(gm_evidence_has(&finding.evidence, GM_EVIDENCE_PEER_DISTANCE));

	/* It stays what it was found to be while it holds; the next one is judged anew. */
	run(world, HOUR, GUESTS, 0, usual);
	finding = anomaly_of(world, "cpu.time");
	gm_peers_explain(world->peers, world->guests[0], &finding);
	assert_int_equal(finding.severity, GM_SEVERITY_WARNING);
	finding = anomaly_of(world, "cpu.time");
	finding.evidence.number[GM_EVIDENCE_ONSET] += 7200;
	gm_peers_explain(world->peers, world->guests[0], &finding);
	assert_int_equal(finding.severity, GM_SEVERITY_MAJOR);

	/* What is no anomaly, or nobody's, is left alone. */
	finding = anomaly_of(world, "cpu.time");
	finding.active = false;
	gm_peers_explain(world->peers, world->guests[0], &finding);
	assert_false(gm_evidence_has(&finding.evidence, GM_EVIDENCE_PEER_COUNT));
	finding.active = true;
	gm_peers_explain(world->peers, NULL, &finding);
	assert_false(gm_evidence_has(&finding.evidence, GM_EVIDENCE_PEER_COUNT));
}

static void hostile_values(void **state)
{
	static const double values[] = {NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, -5, 1e30, 0};
	struct world *world = *state;
	struct gm_peers_view view;

	join(world, GUESTS, "m1.small\xff,\n");
	run(world, HOUR, GUESTS, 0, usual);
	for (int i = 0; i < 400; i++) {
		double value = values[i % 8];
		world->now += STEP * GM_SECOND;
		for (size_t guest = 1; guest < GUESTS; guest++)
			step_guest(world, guest, usual);
		take(world, 0, GM_METRIC_MEMORY_USED, value, false);
		take(world, 0, GM_METRIC_CPU_TIME, value, false);
		take(world, 0, GM_METRIC_EXTRA + 7, value, false);
		take(world, 0, GM_METRIC_NONE, value, true);
		assert_true(compare(world, 1, "memory.used,cpu.time", &view));
		assert_true(view.distance >= 0 && view.distance < 100 && !view.common);
		if (compare(world, 0, "cpu.time", &view))
			assert_true(view.distance >= 0 && view.distance <= 1000);
	}
	/* Names from nowhere. */
	static const char *const names[] = {"",
					    ",,,@,@x,",
					    "no.such.metric",
					    "@",
					    "cpu.timecpu.timecpu.timecpu.timecpu.timecpu.tim",
					    "cpu.count",
					    "net.speed@vnet0"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(compare(world, 1, names[i], &view));
	/* The clock goes back by a day, and forth again. */
	world->now -= INT64_C(86400) * GM_SECOND;
	run(world, 60, GUESTS, 0, usual);
	world->now += INT64_C(2) * 86400 * GM_SECOND;
	run(world, 60, GUESTS, 0, usual);
	assert_true(compare(world, 1, "cpu.time", &view));
	assert_true(view.distance < 4 && !view.common);
}

static void guests_come_and_go(void **state)
{
	struct world *world = *state;
	struct gm_peer *peer = NULL, *others[8] = {NULL};

	gm_peers_join(world->peers, "", &peer);
	assert_null(peer);
	gm_peers_leave(world->peers, NULL);
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < 8; i++)
			gm_peers_join(world->peers, i % 2 ? "a" : "b", &others[i]);
		peer = others[0];
		gm_peers_join(world->peers, "b", &others[0]); /* the same: nothing is forgotten */
		assert_ptr_equal(others[0], peer);
		for (size_t i = 0; i < 8; i++) {
			if (round % 2)
				gm_peers_leave(world->peers, others[i]);
			else
				gm_peers_join(world->peers, "", &others[i]);
			others[i] = NULL;
		}
	}
	/* There is a limit, and what leaves makes room. */
	struct gm_peer **all = calloc(GM_PEERS_GUESTS, sizeof(struct gm_peer *));
	assert_non_null(all);
	for (size_t i = 0; i < GM_PEERS_GUESTS; i++) {
		gm_peers_join(world->peers, "full", &all[i]);
		assert_non_null(all[i]);
	}
	peer = NULL;
	gm_peers_join(world->peers, "full", &peer);
	assert_null(peer);
	gm_peers_leave(world->peers, all[17]);
	gm_peers_join(world->peers, "full", &peer);
	assert_non_null(peer);
	free(all);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(what_all_do_is_common),
		WITH_WORLD(one_that_stands_alone),
		WITH_WORLD(too_few_peers_say_nothing),
		WITH_WORLD(an_anomaly_is_explained),
		WITH_WORLD(hostile_values),
		WITH_WORLD(guests_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
