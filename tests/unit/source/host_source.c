/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host source on a tree of files whose numbers are known, on copies of it in which things change,
 * and on this machine's own /proc with a process that looks like a guest's.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/host/disks.h"
#include "source/host/host.h"
#include "support/descriptors.h"
#include "support/tree.h"

extern char **environ;

enum { TOLD_MAX = 64 };

struct watch {
	struct gm_source *source;
	struct gm_source_sink sink;
	struct gm_batch *batch; /* the last */
	char seen[TOLD_MAX][GM_KEY_TEXT], gone[TOLD_MAX][GM_KEY_TEXT];
	int seen_count, gone_count;
	uint32_t entities;
};

static void on_samples(void *user, struct gm_batch *batch)
{
	struct watch *watch = user;

	assert_int_equal(batch->source, GM_SOURCE_HOST);
	gm_batch_free(watch->batch);
	watch->batch = batch;
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct watch *watch = user;

	assert_int_equal(source, GM_SOURCE_HOST);
	assert_true(watch->seen_count < TOLD_MAX);
	gm_entity_text(&info->key, watch->seen[watch->seen_count++]);
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	struct watch *watch = user;

	assert_int_equal(source, GM_SOURCE_HOST);
	assert_true(time > 0);
	assert_true(watch->gone_count < TOLD_MAX);
	gm_entity_text(key, watch->gone[watch->gone_count++]);
}

static void start_watching(struct watch *watch, const char *proc, const char *processes)
{
	struct gm_host_options options;
	struct gm_error err = {.text = ""};

	*watch = (struct watch){.seen_count = 0};
	watch->sink = (struct gm_source_sink){
		.samples = on_samples, .seen = on_seen, .gone = on_gone, .user = watch};
	gm_option_defaults(gm_host_option_table, &options);
	assert_true(options.enabled);
	assert_int_equal(options.interval, 100 * GM_MILLISECOND);
	assert_string_equal(options.proc, "/proc");
	assert_string_equal(options.sys, "/sys");
	assert_string_equal(options.processes, "");
	assert_int_equal(options.cores_interval, GM_SECOND);
	options.cores_interval = 0; /* they have a test of their own */
	snprintf(options.proc, sizeof(options.proc), "%s", proc);
	/* A tree of /proc without a /sys beside it has none. */
	snprintf(options.sys, sizeof(options.sys), "%s",
		 strcmp(proc, GM_TEST_DATA "/proc/node") == 0 ? GM_TEST_DATA "/sys/node"
							      : "/nonexistent");
	snprintf(options.processes, sizeof(options.processes), "%s", processes);
	assert_int_equal(gm_host_create(&options, &watch->source), 0);
	assert_int_equal(watch->source->ops->open(watch->source, &err), 0);
}

static void start(struct watch *watch, const char *proc)
{
	start_watching(watch, proc, "");
}

static int poll_once(struct watch *watch)
{
	struct gm_error err = {.text = ""};

	return watch->source->ops->poll(watch->source, gm_clock_now(), &watch->sink,
					&watch->entities, &err);
}

static void stop(struct watch *watch)
{
	watch->source->ops->close(watch->source);
	watch->source->ops->destroy(watch->source);
	gm_batch_free(watch->batch);
}

static const struct gm_frame *frame_of(const struct watch *watch, const char *entity)
{
	for (size_t i = 0; i < watch->batch->frame_count; i++) {
		char text[GM_KEY_TEXT];

		if (strcmp(gm_entity_text(&watch->batch->frames[i].key, text), entity) == 0) {
			return &watch->batch->frames[i];
		}
	}
	return NULL;
}

static const union gm_value *find_value(const struct watch *watch, const char *entity,
					const char *metric)
{
	const struct gm_frame *frame = frame_of(watch, entity);
	const struct gm_reading *readings;

	assert_non_null(frame);
	readings = gm_batch_readings(watch->batch, frame);
	for (unsigned i = 0; i < frame->count; i++) {
		if (readings[i].metric == gm_metric_find(metric)) {
			return &readings[i].value;
		}
	}
	return NULL;
}

enum unit { ONE, KILOBYTES, PAGES, TICKS, UNITS };

struct expected {
	const char *entity, *metric;
	double value; /* as the file has it */
	enum unit unit;
};

static void assert_values(const struct watch *watch, const struct expected *expected, size_t count)
{
	const double scales[UNITS] = {
		[ONE] = 1,
		[KILOBYTES] = 1024,
		[PAGES] = (double)sysconf(_SC_PAGESIZE),
		[TICKS] = 1e9 / (double)sysconf(_SC_CLK_TCK),
	};

	for (size_t i = 0; i < count; i++) {
		double wanted = expected[i].value * scales[expected[i].unit];
		const union gm_value *value =
			find_value(watch, expected[i].entity, expected[i].metric);
		unsigned id = gm_metric_find(expected[i].metric);
		double number;

		if (value == NULL) {
			fail_msg("%s has no %s", expected[i].entity, expected[i].metric);
			return;
		}
		number = gm_metric_kind(id) == GM_KIND_COUNTER ? (double)value->counter
							       : value->gauge;
		if (number !=
		    wanted) { /* all are integers small enough to be exact, or the same text */
			fail_msg("%s %s is %f, not %f", expected[i].entity, expected[i].metric,
				 number, wanted);
		}
	}
}

#define GUEST_A "guest:c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define GUEST_B "guest:aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

static const struct expected recorded[] = {
	{"node", "cpu.time", 13920, TICKS},
	{"node", "cpu.user", 10200, TICKS},
	{"node", "cpu.system", 3650, TICKS},
	{"node", "cpu.idle", 900000, TICKS},
	{"node", "cpu.wait", 4000, TICKS},
	{"node", "cpu.steal", 70, TICKS},
	{"node", "cpu.count", 2, ONE},
	{"node", "load.1", 0.25, ONE},
	{"node", "load.5", 1.5, ONE},
	{"node", "load.15", 12.07, ONE},
	{"node", "memory.total", 16000000, KILOBYTES},
	{"node", "memory.used", 4000000, KILOBYTES},
	{"node", "memory.available", 12000000, KILOBYTES},
	{"node", "memory.unused", 9000000, KILOBYTES},
	{"node", "memory.cached", 2700000, KILOBYTES},
	{"node", "swap.total", 4000000, KILOBYTES},
	{"node", "swap.used", 1000000, KILOBYTES},
	{"node", "swap.in", 11, PAGES},
	{"node", "swap.out", 22, PAGES},
	{"node", "hw.memory.corrected", 42, ONE},
	{"node", "hw.memory.uncorrected", 1, ONE},
	{"node", "hw.machine.checks", 3, ONE},
	{"node", "pressure.cpu.some", 5000123e3, ONE},
	{"node", "pressure.memory.some", 7001e3, ONE},
	{"node", "pressure.memory.full", 3002e3, ONE},
	{"node", "pressure.io.some", 900000e3, ONE},
	{"disk::sda", "disk.read.bytes", 20000 * 512, ONE},
	{"disk::sda", "disk.read.requests", 1000, ONE},
	{"disk::sda", "disk.read.time", 300e6, ONE},
	{"disk::sda", "disk.write.bytes", 8000 * 512, ONE},
	{"disk::sda", "disk.write.requests", 500, ONE},
	{"disk::sda", "disk.write.time", 4000000000e6, ONE},
	{"disk::nvme0n1", "disk.read.requests", 10, ONE},
	{GUEST_A, "memory.resident", 65536, PAGES},
	{GUEST_A, "process.cpu.time", 2000, TICKS},
	{GUEST_A, "process.threads", 7, ONE},
	{GUEST_B, "memory.resident", 100, PAGES},
	{GUEST_B, "process.cpu.time", 10, TICKS},
	{GUEST_B, "process.threads", 3, ONE},
};

static void a_recorded_node(void **state)
{
	int64_t before = gm_clock_now();
	struct watch watch;

	(void)state;
	start(&watch, GM_TEST_DATA "/proc/node");
	assert_int_equal(poll_once(&watch), 0);
	assert_values(&watch, recorded, sizeof(recorded) / sizeof(recorded[0]));
	/* No loop, no partition, no device-mapper, no optical disk; no wrapper, no kernel thread. */
	assert_int_equal(watch.batch->frame_count, 5);
	assert_int_equal(watch.entities, 5);
	assert_int_equal(watch.batch->lost, 0);
	assert_int_equal(watch.seen_count, 2);
	assert_string_equal(watch.seen[0], "disk::sda");
	assert_string_equal(watch.seen[1], "disk::nvme0n1");
	assert_null(find_value(&watch, "node", "pressure.io.full")); /* the kernel does not tell */
	for (size_t i = 0; i < watch.batch->frame_count; i++) {
		const struct gm_frame *frame = &watch.batch->frames[i];

		assert_true(frame->measured_at >= before && frame->measured_at <= gm_clock_now());
		assert_true(frame->read_at >= frame->measured_at);
		assert_int_equal(frame->flags, 0);
	}
	assert_int_equal(poll_once(&watch), 0);
	assert_int_equal(watch.seen_count, 2);                        /* told once */
	assert_null(find_value(&watch, "node", "pressure.cpu.some")); /* not due yet */
	assert_null(find_value(&watch, "node", "hw.machine.checks"));
	stop(&watch);
}

/* A tree of the test's own. */

static void put_process(const char *folder, const char *pid, unsigned start_time, unsigned pages)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "%s/stat", pid);
	snprintf(text, sizeof(text),
		 "%s (qemu) S 1 1 1 0 -1 0 0 0 0 0 3 4 0 0 20 0 5 0 %u 1000 %u 0 0\n", pid,
		 start_time, pages);
	put_text(folder, name, text);
}

static char *make_tree(char path[32])
{
	snprintf(path, 32, "%s", "/tmp/gm-host-XXXXXX");
	assert_non_null(mkdtemp(path));
	put_text(path, "stat", "cpu 1 2 3 400 50\ncpu0 1 2 3 400 50\n");
	return path;
}

static void only_the_cpu_times_are_indispensable(void **state)
{
	char tree[32];
	struct gm_host_options options = {.enabled = true, .disks = "*"};
	struct gm_source *source;
	struct gm_error err = {.text = ""};
	struct watch watch;

	(void)state;
	make_tree(tree);
	start(&watch, tree);
	assert_int_equal(poll_once(&watch), 0);
	assert_int_equal(watch.batch->frame_count, 1);
	assert_non_null(find_value(&watch, "node", "cpu.time"));
	assert_null(find_value(&watch, "node", "memory.used"));
	assert_null(find_value(&watch, "node", "load.1"));
	assert_null(find_value(&watch, "node", "swap.in"));
	assert_null(find_value(&watch, "node", "hw.memory.corrected"));
	assert_null(find_value(&watch, "node", "hw.machine.checks"));
	assert_null(find_value(&watch, "node", "pressure.cpu.some"));
	/* Idle time that is taken back is no reset. */
	put_text(tree, "stat", "cpu 1 2 3 399 49\ncpu0 1 2 3 399 49\n");
	assert_int_equal(poll_once(&watch), 0);
	assert_int_equal(find_value(&watch, "node", "cpu.idle")->counter,
			 400 * (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK)));
	assert_int_equal(find_value(&watch, "node", "cpu.wait")->counter,
			 50 * (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK)));
	put_text(tree, "stat", "nonsense\n");
	assert_int_equal(poll_once(&watch), -EPROTO);
	stop(&watch);
	drop_tree(tree);

	snprintf(options.proc, sizeof(options.proc), "%s/none", tree);
	assert_int_equal(gm_host_create(&options, &source), 0);
	assert_int_equal(source->ops->open(source, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/none/stat"));
	source->ops->destroy(source);
}

static void pause_for(int64_t duration)
{
	struct timespec time = {.tv_sec = duration / GM_SECOND, .tv_nsec = duration % GM_SECOND};

	nanosleep(&time, NULL);
}

#define CMDLINE(uuid) "/usr/bin/qemu-system-x86_64\0-uuid\0" uuid

static void pids_are_given_again(void **state)
{
	static const char first[] = CMDLINE("c7a5fdbd-edaf-9455-926a-d65c16db1809");
	static const char second[] = CMDLINE("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee");
	char tree[32], folder[64];
	struct watch watch;

	(void)state;
	make_tree(tree);
	snprintf(folder, sizeof(folder), "%s/77", tree);
	assert_int_equal(mkdir(folder, 0700), 0);
	put_file(tree, "77/cmdline", first, sizeof(first));
	put_process(tree, "77", 1000, 10);
	start(&watch, tree);
	assert_int_equal(poll_once(&watch), 0);
	assert_non_null(frame_of(&watch, GUEST_A));

	/* Another guest's process has the pid at once: its numbers are never the first one's. */
	put_file(tree, "77/cmdline", second, sizeof(second));
	put_process(tree, "77", 2000, 20);
	assert_int_equal(poll_once(&watch), 0);
	assert_null(frame_of(&watch, GUEST_A));
	pause_for(1050 * GM_MILLISECOND);
	assert_int_equal(poll_once(&watch), 0);
	assert_null(frame_of(&watch, GUEST_A));
	assert_true(find_value(&watch, GUEST_B, "memory.resident")->gauge ==
		    20.0 * (double)sysconf(_SC_PAGESIZE));

	/* A second process of the same guest waits until the first is gone. */
	snprintf(folder, sizeof(folder), "%s/78", tree);
	assert_int_equal(mkdir(folder, 0700), 0);
	put_file(tree, "78/cmdline", second, sizeof(second));
	put_process(tree, "78", 3000, 30);
	pause_for(1050 * GM_MILLISECOND);
	assert_int_equal(poll_once(&watch), 0);
	assert_int_equal(watch.entities, 2);
	snprintf(folder, sizeof(folder), "%s/77", tree);
	drop_tree(folder);
	pause_for(1050 * GM_MILLISECOND);
	assert_int_equal(poll_once(&watch), 0); /* the scan lets go of the first … */
	pause_for(1050 * GM_MILLISECOND);
	assert_int_equal(poll_once(&watch), 0); /* … and the next takes the second */
	assert_true(find_value(&watch, GUEST_B, "memory.resident")->gauge ==
		    30.0 * (double)sysconf(_SC_PAGESIZE));
	stop(&watch);
	drop_tree(tree);
}

static void make_guests(const char *tree, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char path[128], pid[16], line[128];
		int length = snprintf(line, sizeof(line),
				      "qemu-system-x86_64%c-uuid%c%08x-0000-4000-8000-%012x", 0, 0,
				      i, i);

		snprintf(pid, sizeof(pid), "%u", 1000 + i);
		snprintf(path, sizeof(path), "%s/%s", tree, pid);
		assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof(path), "%s/cmdline", pid);
		put_file(tree, path, line, (size_t)length + 1);
		put_process(tree, pid, 1000 + i, 1 + i);
	}
}

/* A node full of guests leaves descriptors for the rest of the daemon, and all are read. */
static void a_thousand_guests(void **state)
{
	char tree[64], entity[GM_KEY_TEXT], folder[80];
	struct rlimit limit, small;
	struct watch watch;
	unsigned before;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	small = (struct rlimit){.rlim_cur = 512, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	make_tree(tree);
	make_guests(tree, 1000);
	start(&watch, tree);
	before = open_descriptors();
	assert_int_equal(poll_once(&watch), 0);
	assert_true(watch.entities >= 1001);
	assert_in_range(open_descriptors() - before, 100, 256);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(entity, sizeof(entity), "guest:%08x-0000-4000-8000-%012x", i, i);
		assert_true(find_value(&watch, entity, "memory.resident")->gauge ==
			    (1.0 + i) * (double)sysconf(_SC_PAGESIZE));
	}

	/* The last has no descriptor of its own: its pid is given again, then nobody has it. */
	put_process(tree, "1999", 9999, 7);
	assert_int_equal(poll_once(&watch), 0);
	assert_null(frame_of(&watch, entity));
	pause_for(1050 * GM_MILLISECOND);
	assert_int_equal(poll_once(&watch), 0);
	assert_true(find_value(&watch, entity, "memory.resident")->gauge ==
		    7.0 * (double)sysconf(_SC_PAGESIZE));
	snprintf(folder, sizeof(folder), "%s/1999", tree);
	drop_tree(folder);
	assert_int_equal(poll_once(&watch), 0);
	assert_null(frame_of(&watch, entity));
	stop(&watch);
	assert_true(open_descriptors() < before);
	drop_tree(tree);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void disks_come_wrap_reset_and_go(void **state)
{
	static const char *const texts[] = {
		"8 0 sda 1 0 2 4294967000 3 0 4 10\n",
		"8 0 sda 2 0 3 200 3 0 4 20\n8 16 sdb 1 0 1 1 1 0 1 1\n8 17 sdb1 1 0 1 1 1 0 1 1\n",
		"8 0 sda 0 0 0 5 0 0 0 3\n8 0 sda 9 0 9 9 9 0 9 9\n",
	};
	struct watch watch = {.seen_count = 0};
	struct gm_source_sink sink = {.seen = on_seen, .gone = on_gone, .user = &watch};
	struct gm_host_disks disks = {.patterns = "sd*"};

	(void)state;
	watch.batch = gm_batch_create();
	assert_int_equal(
		gm_host_disks_update(&disks, texts[0], strlen(texts[0]), 1, watch.batch, &sink), 1);
	assert_int_equal(find_value(&watch, "disk::sda", "disk.read.time")->counter,
			 4294967000 * 1000000);
	gm_batch_clear(watch.batch);
	/* 32 bits of milliseconds went round: 296 to the end, and 200 more. */
	assert_int_equal(
		gm_host_disks_update(&disks, texts[1], strlen(texts[1]), 2, watch.batch, &sink), 2);
	assert_int_equal(find_value(&watch, "disk::sda", "disk.read.time")->counter,
			 (4294967296 + 200) * 1000000);
	assert_int_equal(watch.seen_count, 2);
	gm_batch_clear(watch.batch);
	/* A true reset stays one; the second line of the same name is ignored; sdb is gone. */
	assert_int_equal(
		gm_host_disks_update(&disks, texts[2], strlen(texts[2]), 3, watch.batch, &sink), 1);
	assert_int_equal(watch.batch->frame_count, 1);
	assert_int_equal(find_value(&watch, "disk::sda", "disk.write.time")->counter, 3000000);
	assert_int_equal(watch.gone_count, 1);
	assert_string_equal(watch.gone[0], "disk::sdb");
	gm_host_disks_free(&disks);
	gm_batch_free(watch.batch);
}

static void a_live_process(void **state)
{
	/* A shell that waits for its input, under the name and with the arguments of a guest. */
	char *words[] = {(char[]){"/usr/bin/qemu-system-test"},
			 (char[]){"-c"},
			 (char[]){"read line"},
			 (char[]){"-uuid"},
			 (char[]){"c7a5fdbd-edaf-9455-926a-d65c16db1809"},
			 NULL};
	posix_spawn_file_actions_t actions;
	struct watch watch;
	double resident;
	uint64_t busy;
	int pipes[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[0], 0);
	posix_spawn_file_actions_addclose(&actions, pipes[1]);
	assert_int_equal(posix_spawn(&pid, "/bin/sh", &actions, NULL, words, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	start(&watch, "/proc");
	assert_int_equal(poll_once(&watch), 0);
	/* A program that has only just been loaded has no command line yet: the next scan finds it. */
	for (int i = 0; i < 30 && frame_of(&watch, GUEST_A) == NULL; i++) {
		pause_for(100 * GM_MILLISECOND);
		assert_int_equal(poll_once(&watch), 0);
	}
	pause_for(100 * GM_MILLISECOND); /* it maps its memory */
	assert_int_equal(poll_once(&watch), 0);
	resident = find_value(&watch, GUEST_A, "memory.resident")->gauge;
	assert_true(resident > 100e3 && resident < 100e6);
	assert_true(find_value(&watch, GUEST_A, "process.threads")->gauge == 1);
	assert_true(find_value(&watch, "node", "memory.total")->gauge ==
		    (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
	assert_true(find_value(&watch, "node", "cpu.count")->gauge ==
		    (double)sysconf(_SC_NPROCESSORS_ONLN));
	busy = find_value(&watch, "node", "cpu.time")->counter;
	assert_true(busy > 0);

	assert_int_equal(kill(pid, SIGKILL), 0);
	pause_for(50 * GM_MILLISECOND);
	assert_int_equal(poll_once(&watch), 0); /* a zombie already, not yet waited for */
	assert_null(frame_of(&watch, GUEST_A));
	assert_true(find_value(&watch, "node", "cpu.time")->counter >= busy);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(poll_once(&watch), 0);
	assert_null(frame_of(&watch, GUEST_A));
	stop(&watch);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recorded_node),
		cmocka_unit_test(only_the_cpu_times_are_indispensable),
		cmocka_unit_test(pids_are_given_again),
		cmocka_unit_test(a_thousand_guests),
		cmocka_unit_test(disks_come_wrap_reset_and_go),
		cmocka_unit_test(a_live_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
