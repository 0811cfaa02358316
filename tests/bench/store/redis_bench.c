/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mirroring a sample costs: CPU time of client and server together, and bytes of the server's
 * memory, for the store's way and those in ways.c. All in one run on one redis-server, client and
 * server on one CPU, each with its window full so that trimming is paid for; for frames of 20 series,
 * then of 5, which share the cost of a command among fewer. Fails when a frame is not far cheaper than
 * sorted-set members, or one of 20 series takes more than 14 bytes a sample.
 *
 * The limits of the ratios are below what a quiet machine shows: builds for debugging are measured too.
 */
#include <sched.h>
#include <sys/resource.h>

#include "ways.h"

enum { SHORT_WINDOW = 100, MEASURED = 300, MEASURED_SLOW = 20 };

struct cost {
	double client, server;        /* us per sample */
	double bytes_100, bytes_full; /* per sample */
};

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double client_cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static double memory(struct rig *rig)
{
	return info(rig, "memory", "used_memory:");
}

static void run(struct field *field, void (*write)(struct field *field), unsigned ticks)
{
	for (unsigned i = 0; i < ticks; i++) {
		write(field);
		field->tick++;
	}
}

static void measure(struct field *field, const struct way *way, struct cost *ret_cost)
{
	void (*fill)(struct field * field) = way->fill ? way->fill : way->write;
	unsigned ticks = way->fill ? MEASURED_SLOW : MEASURED;
	double samples = (double)ticks * SAMPLES_PER_TICK, before = memory(field->rig);

	field->tick = WINDOW; /* ids and scores of trimming stay positive */
	run(field, fill, SHORT_WINDOW);
	ret_cost->bytes_100 =
		(memory(field->rig) - before) / ((double)SHORT_WINDOW * SAMPLES_PER_TICK);
	run(field, fill, WINDOW - SHORT_WINDOW);
	ret_cost->bytes_full = (memory(field->rig) - before) / ((double)WINDOW * SAMPLES_PER_TICK);
	run(field, fill, SHORT_WINDOW); /* until trimming has its pace */
	double client = client_cpu(), server = server_cpu(field->rig);
	run(field, way->write, ticks);
	ret_cost->client = (client_cpu() - client) / samples * 1e6;
	ret_cost->server = (server_cpu(field->rig) - server) / samples * 1e6;
}

/* Entities are asked for once, at their first frame: that is not what is measured. */
static void begin(struct field *field, const struct way *way)
{
	struct rig *rig = field->rig;

	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 5000));
	field->tick = 0;
	way->write(field);
	rig_settle(rig);
}

/* The store is connected only while it is measured: its heartbeat is nobody else's cost. */
static void measure_way(struct field *field, const struct way *way, struct cost *ret_cost)
{
	struct rig *rig = field->rig;

	rig_do(rig, "FLUSHALL SYNC");
	if (way->by_store)
		begin(field, way);
	measure(field, way, ret_cost);
	if (way->by_store) {
		assert_true(rig_status(rig).written >= (uint64_t)MEASURED * field->guests);
		assert_int_equal(rig_status(rig).dropped, field->guests);
		rig_stop(rig);
	}
	printf("  %-42s %7.3f %7.3f %8.3f   %6.1f %6.1f\n", way->name, ret_cost->client,
	       ret_cost->server, ret_cost->client + ret_cost->server, ret_cost->bytes_100,
	       ret_cost->bytes_full);
	fflush(stdout);
}

static double together(const struct cost *cost)
{
	return cost->client + cost->server;
}

static void table(struct rig *rig, unsigned series, size_t count, struct cost costs[])
{
	struct field field = {.rig = rig, .series = series, .guests = SAMPLES_PER_TICK / series};

	printf("%u guests of %u series, %d samples a tick\n", field.guests, series,
	       SAMPLES_PER_TICK);
	printf("  %-42s %7s %7s %8s   %13s\n", "us of CPU, bytes of the server; a sample", "client",
	       "server", "together", "at 100 at 600");
	for (size_t i = 0; i < count; i++)
		measure_way(&field, &ways[i], &costs[i]);
	printf("  a frame is %.1f times cheaper than members pipelined, %.1f times than one by "
	       "one\n",
	       together(&costs[WAY_MEMBERS]) / together(&costs[WAY_STORE]),
	       together(&costs[WAY_COLLECTD]) / together(&costs[WAY_STORE]));
}

/* A wake-up from another CPU costs more than the work. */
static void stay_on_one_cpu(void)
{
	cpu_set_t all, one;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && CPU_COUNT(&one) == 0; cpu--)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void bench(void **state)
{
	struct rig *rig = *state;
	struct cost costs[2][WAYS_MAX];

	assert_true(way_count <= WAYS_MAX);
	stay_on_one_cpu();
	rig->host_is_empty = true;
	rig->options.samples = WINDOW;
	rig_server(rig, NULL);
	table(rig, 20, way_count, costs[0]);
	table(rig, 5, WAYS_OF_RATIOS, costs[1]);
	assert_true(costs[0][WAY_STORE].bytes_100 <= 14);
	assert_true(together(&costs[0][WAY_STORE]) * 20 < together(&costs[0][WAY_MEMBERS]));
	assert_true(together(&costs[0][WAY_STORE]) * 120 < together(&costs[0][WAY_COLLECTD]));
	assert_true(together(&costs[1][WAY_STORE]) * 6 < together(&costs[1][WAY_MEMBERS]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bench, rig_setup, rig_teardown)};

	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
