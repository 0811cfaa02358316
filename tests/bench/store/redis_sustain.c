/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 200 guests of 20 series at 10 Hz, 40,000 values a second, for 20 seconds or as many as
 * GM_BENCH_SECONDS says: what the server spends, and whether its memory stays at its bound. Fails when a
 * frame was lost, when the server takes more than 15 % of a CPU, or when its memory still grows once
 * the windows are full.
 */
#include "ways.h"

enum { GUESTS = 200, SERIES = 20, HERTZ = 10, REPORTS = 20 };

struct run {
	struct field field;
	uv_timer_t timer;
	unsigned ticks, late;
	uint64_t begin;
};

static void on_tick(uv_timer_t *timer)
{
	struct run *run = timer->data;

	append_frames(&run->field);
	run->field.tick++;
	run->ticks++;
	uint64_t due = run->begin + (uint64_t)run->ticks * GM_SECOND / HERTZ;
	uint64_t now = uv_hrtime();
	if (now > due + GM_SECOND / HERTZ)
		run->late++;
	uint64_t left = now < due ? (due - now) / GM_MILLISECOND : 0;
	uv_timer_start(timer, on_tick, left, 0);
}

static void report(struct run *run, double cpu, double wall)
{
	struct gm_store_status status = rig_status(run->field.rig);

	printf("%6u ticks: server %.1f %% of a CPU, %.1f MB; %llu frames, %llu dropped, %u late\n",
	       run->ticks, 100 * cpu / wall, info(run->field.rig, "memory", "used_memory:") / 1e6,
	       (unsigned long long)status.written, (unsigned long long)status.dropped, run->late);
	fflush(stdout);
}

/* Until `ticks` have been written in all. */
static void go_on(struct run *run, unsigned ticks)
{
	while (run->ticks < ticks)
		uv_run(&run->field.rig->loop, UV_RUN_ONCE);
}

static void sustain(struct rig *rig, unsigned seconds)
{
	struct run run = {.field = {.rig = rig, .guests = GUESTS, .series = SERIES}};
	unsigned all = seconds * HERTZ;
	double full = 0;

	append_frames(&run.field);
	run.field.tick++;
	rig_settle(rig);
	run.begin = uv_hrtime();
	run.timer.data = &run;
	assert_int_equal(uv_timer_init(&rig->loop, &run.timer), 0);
	uv_timer_start(&run.timer, on_tick, 0, 0);
	double begin = server_cpu(rig), before = begin;
	uint64_t then = run.begin;
	for (unsigned i = 1; i <= REPORTS; i++) {
		go_on(&run, all * i / REPORTS);
		double cpu = server_cpu(rig);
		uint64_t now = uv_hrtime();
		report(&run, cpu - before, (double)(now - then) / 1e9);
		before = cpu;
		then = now;
		if (run.ticks <= 2 * WINDOW)
			full = info(rig, "memory", "used_memory:");
	}
	double share = (before - begin) / ((double)(then - run.begin) / 1e9);
	double last = info(rig, "memory", "used_memory:");
	uv_close((uv_handle_t *)&run.timer, NULL);
	rig_settle(rig);
	struct gm_store_status status = rig_status(rig);
	printf("in all: server %.1f %% of a CPU, %.1f bytes a sample kept\n", 100 * share,
	       last / ((double)(all < WINDOW ? all : WINDOW) * GUESTS * SERIES));
	assert_int_equal(status.dropped, GUESTS); /* before they were known */
	assert_int_equal(status.written, (uint64_t)run.ticks * GUESTS);
	assert_true(share < 0.15);
	if (all > 2 * WINDOW)
		assert_true(last < full * 1.02);
}

static void bench(void **state)
{
	struct rig *rig = *state;
	const char *seconds = getenv("GM_BENCH_SECONDS");

	rig->host_is_empty = true;
	rig->options.samples = WINDOW;
	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 5000));
	sustain(rig, seconds ? (unsigned)strtoul(seconds, NULL, 10) : 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bench, rig_setup, rig_teardown)};

	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
