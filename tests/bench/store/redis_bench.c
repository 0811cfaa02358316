/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mirroring a sample costs, in CPU time of client and server together: a stream entry per frame
 * as the store writes it, against a sorted-set member per value, pipelined per tick and one by one.
 * All three in one run, so that the ratios hold on any machine; fails when a frame is not at least
 * four times cheaper than the pipelined members.
 */
#include <sys/resource.h>

#include "rig.h"

enum { TICKS = 300, GUESTS = 20, METRICS = 20, SAMPLES = TICKS * GUESTS * METRICS };
/* One by one is slow: a tenth of the work, per sample the same. */
enum { SLOW_TICKS = TICKS / 10 };

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

static double server_cpu(struct rig *rig)
{
	static const char *const names[] = {"used_cpu_sys:", "used_cpu_user:"};
	redisReply *reply = rig_command(rig, "INFO cpu");
	double sum = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = strstr(reply->str, names[i]);

		assert_non_null(at);
		sum += strtod(at + strlen(names[i]), NULL);
	}
	freeReplyObject(reply);
	return sum;
}

static struct gm_entity_key guest(unsigned number)
{
	return gm_entity_guest((const uint8_t[GM_UUID_SIZE]){(uint8_t)number, 7});
}

static void make_readings(struct gm_reading readings[METRICS], unsigned tick)
{
	unsigned count = 0;

	for (unsigned metric = 0; metric < GM_METRIC_COUNT && count < METRICS; metric++) {
		readings[count].metric = metric;
		if (gm_metric_kind(metric) == GM_KIND_COUNTER)
			readings[count].value.counter = 123456789012u + tick * 1000u + metric;
		else
			readings[count].value.gauge = (double)(tick * 4096u + metric);
		count++;
	}
	assert_int_equal(count, METRICS);
}

static void frames(struct rig *rig)
{
	struct gm_reading readings[METRICS];

	for (unsigned tick = 0; tick < TICKS; tick++) {
		rig->now += 100 * GM_MILLISECOND;
		make_readings(readings, tick);
		for (unsigned i = 0; i < GUESTS; i++) {
			const struct gm_frame frame = {.key = guest(i),
						       .measured_at = rig->now,
						       .read_at = rig->now,
						       .count = METRICS};

			rig->store->ops->append(rig->store, &frame, readings);
		}
		rig->store->ops->flush(rig->store, rig->now);
		uv_run(&rig->loop, UV_RUN_NOWAIT);
	}
	while (rig_status(rig).pending > 0)
		uv_run(&rig->loop, UV_RUN_ONCE);
}

static void member(struct rig *rig, unsigned tick, unsigned number, unsigned metric)
{
	redisAppendCommand(rig->client, "ZADD z:%u:%u %u %u:%llu", number, metric, tick, tick,
			   123456789012ull + tick * 1000u + metric);
}

static void replies(struct rig *rig, size_t count)
{
	void *reply;

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(redisGetReply(rig->client, &reply), REDIS_OK);
		freeReplyObject(reply);
	}
}

static void pipelined_members(struct rig *rig)
{
	for (unsigned tick = 0; tick < TICKS; tick++) {
		for (unsigned i = 0; i < GUESTS * METRICS; i++)
			member(rig, tick, i / METRICS, i % METRICS);
		replies(rig, GUESTS * METRICS);
	}
}

static void single_members(struct rig *rig)
{
	for (unsigned tick = 0; tick < SLOW_TICKS; tick++) {
		for (unsigned i = 0; i < GUESTS * METRICS; i++) {
			member(rig, TICKS + tick, i / METRICS, i % METRICS);
			replies(rig, 1);
		}
	}
}

static double measure(struct rig *rig, const char *name, void (*run)(struct rig *rig),
		      double samples)
{
	double client = client_cpu(), server = server_cpu(rig);

	run(rig);
	client = (client_cpu() - client) / samples * 1e6;
	server = (server_cpu(rig) - server) / samples * 1e6;
	printf("%-36s client %6.3f  server %6.3f  together %6.3f us per sample\n", name, client,
	       server, client + server);
	return client + server;
}

/* Entities are asked for once, at their first frame: that is not what is measured. */
static void warm_up(struct rig *rig)
{
	struct gm_reading readings[METRICS];

	rig->host_is_empty = true;
	make_readings(readings, 0);
	for (unsigned i = 0; i < GUESTS; i++) {
		const struct gm_frame frame = {
			.key = guest(i), .measured_at = rig->now, .count = METRICS};

		rig->store->ops->append(rig->store, &frame, readings);
	}
	rig_settle(rig);
}

static void bench(void **state)
{
	struct rig *rig = *state;

	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 5000));
	warm_up(rig);
	double frame = measure(rig, "XADD per frame, by the store", frames, SAMPLES);
	double pipelined =
		measure(rig, "ZADD per value, pipelined per tick", pipelined_members, SAMPLES);
	double single = measure(rig, "ZADD per value, one by one", single_members,
				(double)SLOW_TICKS * GUESTS * METRICS);
	printf("a frame is %.1f times cheaper than pipelined, %.1f times than single members\n",
	       pipelined / frame, single / frame);
	assert_true(rig_status(rig).written == TICKS * GUESTS);
	assert_true(frame * 4 < pipelined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bench, rig_setup, rig_teardown)};

	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
