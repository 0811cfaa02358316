/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a storm of guest events costs the main loop: guests with two ports each are made known, crash all at
 * once, are migrated away and are gone, through the real pipeline with its state in DIRECTORY (/var/tmp).
 * For each of these: how long it took, the longest time that the loop had for nobody else, CPU, and how many
 * transactions and snapshots it came to. `storm_bench [GUESTS [DIRECTORY]]` prints a table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/pipeline.h"
#include "daemon/sources.h"
#include "daemon/view.h"
#include "support/commits.h"

enum { MOST = 20000, PORTS = 2, BEAT_MS = 5 };

static struct {
	const struct gm_source_sink *sink; /* what the pipeline hands to its sources */
	uint64_t snapshots;
	int64_t beat_at, longest;
	unsigned guests;
} bench;

/* ---- in the place of what the linker was told to wrap ---- */

int __real_gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
			    const struct gm_source_sink *sink, struct gm_error *err);
int __wrap_gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
			    const struct gm_source_sink *sink, struct gm_error *err);
int __real_gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot);
int __wrap_gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot);
int __wrap_gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
			    const struct gm_source_sink *sink, struct gm_error *err)
{
	bench.sink = sink;
	return __real_gm_sources_start(sources, config, sink, err);
}

int __wrap_gm_view_build(const struct gm_view_input *input, struct gm_snapshot **ret_snapshot)
{
	bench.snapshots++;
	return __real_gm_view_build(input, ret_snapshot);
}

/* ---- what happens ---- */

static struct gm_entity_key guest_key(unsigned guest)
{
	const uint8_t uuid[GM_UUID_SIZE] = {1, (uint8_t)(guest >> 8), (uint8_t)guest};
	return gm_entity_guest(uuid);
}

static struct gm_entity_key port_key(unsigned guest, unsigned port)
{
	char device[GM_DEVICE_NAME];
	snprintf(device, sizeof(device), "tap%u-%u", guest, port);
	return gm_entity_interface(device);
}

static void see(void)
{
	for (unsigned guest = 0; guest < bench.guests; guest++) {
		struct gm_entity_info info = {.key = guest_key(guest)};
		snprintf(info.guest.name, sizeof(info.guest.name), "guest-%u", guest);
		bench.sink->seen(bench.sink->user, GM_SOURCE_HOST, &info);
		for (unsigned port = 0; port < PORTS; port++) {
			struct gm_entity_info part = {.key = port_key(guest, port)};
			memcpy(part.interface.guest, info.key.uuid, GM_UUID_SIZE);
			bench.sink->seen(bench.sink->user, GM_SOURCE_HOST, &part);
		}
	}
}

static void happen(enum gm_guest_event_kind kind)
{
	for (unsigned guest = 0; guest < bench.guests; guest++) {
		const struct gm_guest_event event = {
			.key = guest_key(guest), .kind = kind, .time = gm_clock_now()};
		bench.sink->event(bench.sink->user, &event);
	}
}

static void crash(void)
{
	happen(GM_GUEST_CRASHED);
}

static void migrate(void)
{
	happen(GM_GUEST_MIGRATING);
}

static void leave(void)
{
	for (unsigned guest = 0; guest < bench.guests; guest++) {
		struct gm_entity_key key = guest_key(guest);
		for (unsigned port = 0; port < PORTS; port++) {
			const struct gm_entity_key part = port_key(guest, port);
			bench.sink->gone(bench.sink->user, GM_SOURCE_HOST, &part, gm_clock_now());
		}
		bench.sink->gone(bench.sink->user, GM_SOURCE_HOST, &key, gm_clock_now());
	}
}

/* ---- the loop ---- */

static double seconds(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_beat(uv_timer_t *timer)
{
	int64_t now = gm_clock_monotonic();
	(void)timer;
	if (now - bench.beat_at > bench.longest)
		bench.longest = now - bench.beat_at;
	bench.beat_at = now;
}

static void run_for(uv_loop_t *loop, int64_t time)
{
	int64_t end = gm_clock_monotonic() + time;
	while (gm_clock_monotonic() < end)
		uv_run(loop, UV_RUN_ONCE);
}

static void measure(uv_loop_t *loop, const char *what, void (*tell)(void))
{
	run_for(loop, GM_SECOND);
	commits = bench.snapshots = 0;
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	tell();
	bench.beat_at = gm_clock_monotonic();
	bench.longest = 0;
	run_for(loop, 3 * GM_SECOND);
	printf("%-10s %10.3f s %10.3f s %8llu %8llu\n", what, (double)bench.longest / 1e9,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, (unsigned long long)commits,
	       (unsigned long long)bench.snapshots);
}

static void die(const char *doing, const char *why)
{
	fprintf(stderr, "storm_bench: %s: %s\n", doing, why);
	exit(EXIT_FAILURE);
}

/* The host alone, and every alarm told at once. */
static struct gm_config *configure(void)
{
	struct gm_config *config;
	if (gm_config_create(&config) < 0)
		die("configuration", "out of memory");
	snprintf(config->node.name, sizeof(config->node.name), "node");
	config->libvirt.enabled = config->tap.enabled = false;
	config->redis.enabled = config->snmp.enabled = false;
	config->alarm.damping = false;
	config->alarm.raise_limit = 0;
	return config;
}

static void measure_all(uv_loop_t *loop)
{
	printf("%u guests with %d ports each\n%-10s %12s %12s %8s %8s\n", bench.guests, PORTS, "",
	       "loop stands", "CPU", "commits", "views");
	measure(loop, "seen", see);
	measure(loop, "crashed", crash);
	measure(loop, "migrating", migrate);
	measure(loop, "gone", leave);
}

static void run(const char *directory)
{
	struct gm_config *config = configure();
	struct gm_pipeline *pipeline;
	struct gm_state *state;
	struct gm_error err = {.text = ""};
	uv_loop_t loop;
	uv_timer_t beat;

	uv_loop_init(&loop);
	if (gm_state_open(directory, &state, &err) < 0 ||
	    gm_pipeline_create(&loop, config, state, &pipeline, &err) < 0 ||
	    gm_pipeline_start(pipeline, &err) < 0)
		die(directory, err.text);
	uv_timer_init(&loop, &beat);
	uv_timer_start(&beat, on_beat, BEAT_MS, BEAT_MS);
	measure_all(&loop);
	uv_close((uv_handle_t *)&beat, NULL);
	gm_pipeline_stop(pipeline);
	uv_run(&loop, UV_RUN_DEFAULT);
	gm_pipeline_free(pipeline);
	uv_loop_close(&loop);
	gm_state_close(state);
	gm_config_free(config);
}

int main(int argc, char **argv)
{
	static const char *const files[] = {"state.db", "state.db-wal", "state.db-shm", "lock"};
	char directory[4096], path[4128];

	bench.guests = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
	if (bench.guests == 0 || bench.guests > MOST)
		die("GUESTS", "1 to 20000");
	snprintf(directory, sizeof(directory), "%s/storm-XXXXXX", argc > 2 ? argv[2] : "/var/tmp");
	if (!mkdtemp(directory))
		die(directory, "cannot be made");
	gm_log_set_level(GM_LOG_ERROR);
	count_commits();
	run(directory);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	return rmdir(directory) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
