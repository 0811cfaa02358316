/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis store through many bad days in a row, drawn by lot: killed (its data lost or from an old
 * dump), hung, emptied, cut off, full, in any order and for any time, while frames keep coming, some of
 * them out of order. After each, nothing waited, and in the end the streams hold exactly what the rings
 * hold. GM_CYCLES says how many (8), GM_SEED draws others.
 */
#include <signal.h>

#include "rig.h"

struct lot {
	struct rig *rig;
	uint64_t seed;
	uint64_t slowest; /* ns that one tick took of the store's caller, at most */
};

static unsigned draw(struct lot *lot, unsigned below)
{
	lot->seed ^= lot->seed << 13;
	lot->seed ^= lot->seed >> 7;
	lot->seed ^= lot->seed << 17;
	return (unsigned)(lot->seed >> 33) % below;
}

/* Frames go on for so many ticks whatever the server does. */
static void go_on(struct lot *lot, unsigned ticks)
{
	struct rig *rig = lot->rig;

	for (unsigned i = 0; i < ticks; i++) {
		uint64_t begin = uv_hrtime();

		rig_tick(rig);
		uint64_t took = uv_hrtime() - begin;
		lot->slowest = took > lot->slowest ? took : lot->slowest;
		if (draw(lot, 20) == 0)
			rig_frame_at(rig, draw(lot, RIG_ENTITIES),
				     rig->now - (int64_t)draw(lot, 50) * GM_MILLISECOND - 7);
		rig_run(rig, 2);
		struct gm_store_status status = rig_status(rig);
		assert_true(status.pending <= 16384);
	}
}

static void kill_it(struct lot *lot)
{
	if (draw(lot, 2))
		rig_do(lot->rig, "SAVE");
	go_on(lot, draw(lot, 20));
	rig_kill_server(lot->rig);
	go_on(lot, 1 + draw(lot, 60));
	rig_server(lot->rig, NULL);
}

static void stop_it(struct lot *lot)
{
	unsigned ms = draw(lot, 4000); /* more or less than what is taken for hanging */

	kill(lot->rig->server, SIGSTOP);
	for (uint64_t end = uv_hrtime() + (uint64_t)ms * GM_MILLISECOND; uv_hrtime() < end;) {
		go_on(lot, 1);
		rig_run(lot->rig, 40);
	}
	kill(lot->rig->server, SIGCONT);
}

static void stop_and_kill_it(struct lot *lot)
{
	kill(lot->rig->server, SIGSTOP);
	go_on(lot, draw(lot, 60));
	rig_kill_server(lot->rig);
	go_on(lot, 1 + draw(lot, 60));
	rig_server(lot->rig, NULL);
}

static void empty_it(struct lot *lot)
{
	rig_do(lot->rig, "FLUSHALL");
	go_on(lot, draw(lot, 30));
	rig_run(lot->rig, 2500); /* a heartbeat */
}

static void cut_it_off(struct lot *lot)
{
	for (unsigned i = draw(lot, 5) + 1; i > 0; i--) {
		rig_do(lot->rig, "CLIENT KILL TYPE normal SKIPME yes");
		go_on(lot, draw(lot, 20));
	}
}

static void fill_it(struct lot *lot)
{
	rig_do(lot->rig, "CONFIG SET maxmemory 1");
	go_on(lot, draw(lot, 40));
	rig_do(lot->rig, "CONFIG SET maxmemory 0");
}

static const struct {
	const char *name;
	void (*happen)(struct lot *lot);
} misfortunes[] = {
	{"killed", kill_it},   {"hung", stop_it},       {"hung and killed", stop_and_kill_it},
	{"emptied", empty_it}, {"cut off", cut_it_off}, {"full", fill_it},
};

static unsigned number_of(const char *variable, unsigned fallback)
{
	const char *text = getenv(variable);

	return text ? (unsigned)strtoul(text, NULL, 10) : fallback;
}

static void test_cycles(void **state)
{
	struct rig *rig = *state;
	unsigned cycles = number_of("GM_CYCLES", 8), changes;
	struct lot lot = {.rig = rig, .seed = 88172645463325252u + number_of("GM_SEED", 0)};

	rig->options.samples = 60000;
	rig_begin(rig, NULL);
	for (unsigned i = 0; i < cycles; i++) {
		unsigned which = i < 6 ? i : draw(&lot, 6);

		print_message("%u: %s\n", i, misfortunes[which].name);
		changes = rig->changes;
		misfortunes[which].happen(&lot);
		if (!rig_wait_connected(rig, true, 15000))
			fail_msg("%s: %s", misfortunes[which].name, rig_status(rig).state);
		go_on(&lot, draw(&lot, 30));
		rig_settle(rig);
		rig_check_complete(rig);
		/* Down and up: each cut may be one. */
		assert_true(rig->changes - changes <= 12);
	}
	print_message("the slowest tick took %.2f ms of its caller\n", (double)lot.slowest / 1e6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cycles, rig_setup, rig_teardown)};

	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
