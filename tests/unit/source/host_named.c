/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that the operator names, in a /proc of the test's own and in this machine's: found, told,
 * read, mistaken for nobody. And hardware errors and pressure from files that change, are cut, hold
 * nonsense or are longer than the buffer.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/host/health.h"
#include "source/host/named.h"
#include "support/tree.h"

enum { TOLD_MAX = 256, BUFFER = 4096 };

struct world {
	char tree[32];
	struct gm_host_named named;
	struct gm_source_sink sink;
	struct gm_batch *batch;
	char told[TOLD_MAX][GM_KEY_TEXT + 1]; /* "+" or "-" and the key, in order */
	int told_count;
	char command[64]; /* of the last that was seen */
	char buffer[BUFFER];
};

static void tell(struct world *world, char sign, const struct gm_entity_key *key)
{
	assert_true(world->told_count < TOLD_MAX);
	world->told[world->told_count][0] = sign;
	gm_entity_text(key, world->told[world->told_count++] + 1);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct world *world = user;

	assert_int_equal(source, GM_SOURCE_HOST);
	assert_null(gm_entity_owner(info)); /* the host's */
	assert_true(info->process.pid > 0);
	snprintf(world->command, sizeof(world->command), "%s", info->process.command);
	tell(world, '+', &info->key);
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	assert_int_equal(source, GM_SOURCE_HOST);
	assert_true(time > 0);
	tell(user, '-', key);
}

static struct world *create(const char *patterns)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	snprintf(world->tree, sizeof(world->tree), "%s", "/tmp/gm-named-XXXXXX");
	assert_non_null(mkdtemp(world->tree));
	world->named = (struct gm_host_named){.proc = world->tree, .patterns = patterns};
	world->sink = (struct gm_source_sink){.seen = on_seen, .gone = on_gone, .user = world};
	world->batch = gm_batch_create();
	assert_non_null(world->batch);
	return world;
}

static void destroy(struct world *world)
{
	gm_host_named_free(&world->named);
	gm_batch_free(world->batch);
	drop_tree(world->tree);
	free(world);
}

/* A process of `pages` pages that has used as many ticks. */
static void put_process(struct world *world, unsigned pid, const char *name, char state,
			unsigned start_time, unsigned pages)
{
	char file[64], text[512];
	int length = snprintf(text, sizeof(text),
			      "%u (%s) %c 1 1 1 0 -1 0 0 0 0 0 %u 0 0 0 20 0 5 0 %u 1000 %u 0 0\n",
			      pid, name, state, pages, start_time, pages);

	snprintf(file, sizeof(file), "%u/stat", pid);
	put_file(world->tree, file, text, (size_t)length);
}

static uint32_t update(struct world *world)
{
	gm_batch_clear(world->batch);
	world->told_count = 0;
	return gm_host_named_update(&world->named, world->buffer, sizeof(world->buffer),
				    world->batch, &world->sink);
}

static void assert_told(const struct world *world, int at, const char *text)
{
	assert_true(at < world->told_count);
	assert_string_equal(world->told[at], text);
}

/* Pages of the process in the last update; -1: it has no frame. */
static double pages_of(const struct world *world, const char *entity, uint64_t *ret_ticks)
{
	for (size_t i = 0; i < world->batch->frame_count; i++) {
		const struct gm_frame *frame = &world->batch->frames[i];
		const struct gm_reading *readings = gm_batch_readings(world->batch, frame);
		char text[GM_KEY_TEXT];

		if (strcmp(gm_entity_text(&frame->key, text), entity) != 0) {
			continue;
		}
		assert_int_equal(frame->count, 2);
		assert_int_equal(readings[0].metric, GM_METRIC_MEMORY_RESIDENT);
		assert_int_equal(readings[1].metric, GM_METRIC_CPU_TIME);
		if (ret_ticks) {
			*ret_ticks = readings[1].value.counter * (uint64_t)sysconf(_SC_CLK_TCK) /
				     GM_SECOND;
		}
		return readings[0].value.gauge / (double)sysconf(_SC_PAGESIZE);
	}
	return -1;
}

static void named_processes_are_told_and_read(void **state)
{
	struct world *world = create("leaky*,db,!leaky-not");
	uint64_t ticks = 0;

	(void)state;
	put_process(world, 70, "leaky one", 'S', 100, 10);
	put_process(world, 71, "leaky-not", 'S', 100, 11);
	put_process(world, 72, "other", 'R', 100, 12);
	put_process(world, 73, "db", 'R', 100, 0); /* a thread of the kernel */
	put_process(world, 74, "db", 'Z', 100, 14);
	put_process(world, 75, "db", 'D', 100, 15);
	put_file(world->tree, "76/stat", "76 (db", 6);
	put_file(world->tree, "self/stat", "1 (db) S", 8);
	assert_int_equal(update(world), 2);
	assert_int_equal(world->told_count, 2);
	assert_true(pages_of(world, "process::70/leaky one", NULL) == 10);
	assert_true(pages_of(world, "process::75/db", NULL) == 15);
	assert_int_equal(world->batch->frame_count, 2);

	put_process(world, 70, "leaky one", 'S', 100, 20);
	put_process(world, 72, "db", 'R', 100, 12); /* it called exec */
	assert_int_equal(update(world), 3);
	assert_int_equal(world->told_count, 1);
	assert_told(world, 0, "+process::72/db");
	assert_true(pages_of(world, "process::70/leaky one", &ticks) == 20);
	assert_true(ticks == 20);

	put_process(world, 75, "db", 'Z', 100, 15);
	assert_int_equal(update(world), 2);
	assert_int_equal(world->told_count, 1);
	assert_told(world, 0, "-process::75/db");
	destroy(world);
}

static void a_pid_that_is_given_again_is_another_process(void **state)
{
	struct world *world = create("db");
	char path[64];

	(void)state;
	put_process(world, 70, "db", 'S', 100, 10);
	assert_int_equal(update(world), 1);
	/* At once the same name with the same pid: only the start time differs. */
	put_process(world, 70, "db", 'S', 200, 5);
	assert_int_equal(update(world), 1);
	assert_int_equal(world->told_count, 2);
	assert_told(world, 0, "-process::70/db");
	assert_told(world, 1, "+process::70/db");
	assert_true(pages_of(world, "process::70/db", NULL) == 5);
	assert_int_equal(world->batch->frame_count, 1);

	put_process(world, 70, "other", 'S', 300, 5);
	assert_int_equal(update(world), 0);
	assert_int_equal(world->told_count, 1);
	assert_int_equal(world->batch->frame_count, 0);
	put_process(world, 70, "db", 'S', 300, 5);
	assert_int_equal(update(world), 1);
	snprintf(path, sizeof(path), "%s/70", world->tree);
	drop_tree(path);
	assert_int_equal(update(world), 0);
	assert_told(world, 0, "-process::70/db");
	destroy(world);
}

static void names_from_strangers(void **state)
{
	static const char cmdline[] = "/opt/x/prometheus-node-exporter\0--password=secret";
	struct world *world = create("prometheus-node-exporter,*weird*,?,*\xef\xbf\xbd*");

	(void)state;
	put_process(world, 70, "prometheus-node", 'S', 1, 10);
	put_file(world->tree, "70/cmdline", cmdline, sizeof(cmdline));
	assert_int_equal(update(world), 1);
	assert_string_equal(world->command, "prometheus-node-exporter");
	put_process(world, 71, ") weird (x) R 1", 'S', 1, 10);
	assert_int_equal(update(world), 2);
	assert_string_equal(world->command, ") weird (x) R 1");
	put_process(world, 72, "\xff\xfe\x80", 'S', 1, 10);
	assert_int_equal(update(world), 3);
	assert_true(strlen(world->command) == 9); /* three times U+FFFD */
	put_process(world, 73, "", 'S', 1, 10);
	assert_int_equal(update(world), 3);
	/* Another program's path does not name it. */
	put_file(world->tree, "74/cmdline", "/bin/sh", 8);
	put_process(world, 74, "prometheus-node", 'S', 1, 10);
	assert_int_equal(update(world), 3);
	destroy(world);
}

static void a_name_that_comes_late_is_found(void **state)
{
	struct world *world = create("db");
	int scans = 0;

	(void)state;
	put_process(world, 90, "other", 'S', 1, 10);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(update(world), 0);
	}
	put_process(world, 90, "db", 'S', 1, 10); /* prctl(PR_SET_NAME) */
	while (update(world) == 0) {
		assert_true(++scans <= 60);
	}
	destroy(world);
}

static void no_more_than_fit_are_followed(void **state)
{
	struct world *world = create("w*");
	char path[64];

	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		put_process(world, 100 + i, "worker", 'S', 1, 10);
	}
	assert_int_equal(update(world), GM_HOST_NAMED_MAX);
	assert_true(world->named.crowded);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "%s/%u", world->tree, 100 + i);
		drop_tree(path);
	}
	assert_int_equal(update(world), 60);
	assert_false(world->named.crowded);
	assert_int_equal(world->batch->frame_count, 60);
	destroy(world);
}

static void without_names_nothing_is_searched(void **state)
{
	struct world *world = create("");

	(void)state;
	put_process(world, 70, "db", 'S', 100, 10);
	assert_int_equal(update(world), 0);
	assert_int_equal(world->told_count, 0);
	assert_null(world->named.by_pid);
	world->named.patterns = "*";
	world->named.proc = "/nonexistent";
	assert_int_equal(update(world), 0);
	destroy(world);
}

static void a_live_process_is_found(void **state)
{
	/* A name of its own: the machine may run more of a usual one than are followed. */
	struct world *world = create("gm-named-sleep");
	char folder[] = "/tmp/gm-named-XXXXXX", program[64], wanted[GM_KEY_TEXT];
	char *words[] = {program, (char[]){"60"}, NULL};
	pid_t pid;

	(void)state;
	world->named.proc = "/proc";
	assert_non_null(mkdtemp(folder));
	snprintf(program, sizeof(program), "%s/gm-named-sleep", folder);
	assert_int_equal(symlink("/bin/sleep", program), 0);
	assert_int_equal(posix_spawn(&pid, program, NULL, NULL, words, environ), 0);
	snprintf(wanted, sizeof(wanted), "process::%d/gm-named-sleep", (int)pid);
	update(world);
	for (int i = 0; i < 30 && pages_of(world, wanted, NULL) < 0; i++) {
		usleep(100000);
		update(world);
	}
	assert_true(pages_of(world, wanted, NULL) > 10);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	update(world);
	assert_true(pages_of(world, wanted, NULL) < 0);
	assert_int_equal(unlink(program), 0);
	assert_int_equal(rmdir(folder), 0);
	destroy(world);
}

/* ---- hardware errors and pressure ---- */

static int64_t value_of(const struct gm_batch *batch, unsigned metric)
{
	const struct gm_reading *readings = gm_batch_readings(batch, &batch->frames[0]);

	for (unsigned i = 0; i < batch->frames[0].count; i++) {
		if (readings[i].metric == metric) {
			return (int64_t)readings[i].value.counter;
		}
	}
	return -1;
}

static void read_health(struct world *world, struct gm_host_health *health, int64_t now)
{
	struct gm_entity_key node = gm_entity_node();

	gm_batch_clear(world->batch);
	assert_true(gm_batch_frame(world->batch, &node, 1, 1, 0));
	gm_host_health_read(health, now, world->buffer, sizeof(world->buffer), world->batch);
}

#define MC "devices/system/edac/mc/"

static void counters_are_there_or_absent(void **state)
{
	struct world *world = create("");
	struct gm_host_health health = {.proc = world->tree, .sys = world->tree};

	(void)state;
	read_health(world, &health, 100 * GM_SECOND);
	assert_int_equal(world->batch->reading_count, 0);

	put_text(world->tree, MC "mc0/ce_count", "7\n");
	put_text(world->tree, MC "mc1/ce_count", "18446744073709551615\n");
	put_text(world->tree, MC "mc0/ue_count", "nonsense\n");
	put_text(world->tree, MC "mcx/ue_count", "5\n");
	put_text(world->tree, "pressure/cpu", "some avg10=0.00 total=12\nfull total=x\n");
	put_text(world->tree, "pressure/memory", "some total=18446744073709551614\nfull total=3");
	put_text(world->tree, "pressure/io", "none of this\n");
	read_health(world, &health, 105 * GM_SECOND); /* the hardware is not due */
	assert_int_equal(world->batch->reading_count, 1);
	assert_int_equal(value_of(world->batch, GM_METRIC_PRESSURE_CPU_SOME), 12000);
	read_health(world, &health, 110 * GM_SECOND);
	assert_int_equal(value_of(world->batch, GM_METRIC_HW_MEMORY_CORRECTED), -1); /* 2^64 - 1 */
	assert_int_equal(world->batch->reading_count, 2);
	read_health(world, &health, 111 * GM_SECOND); /* nothing is due */
	assert_int_equal(world->batch->reading_count, 0);
	destroy(world);
}

/* Interrupts of many CPUs do not fit into the buffer; the line that counts is the last. */
static void long_interrupts(void **state)
{
	struct world *world = create("");
	struct gm_host_health health = {.proc = world->tree, .sys = "/nonexistent"};
	size_t size = 40 * BUFFER, length = 0;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; length < 30 * BUFFER; i++) {
		length += (size_t)snprintf(text + length, size - length, "%4u: %*u IO-APIC\n", i,
					   500 + (int)i, i);
	}
	memset(text + length, ' ', 2 * BUFFER); /* one line that never fits */
	length += 2 * BUFFER;
	length += (size_t)snprintf(text + length, size - length,
				   "\nMCE: 3 4 5   Machine check exceptions\nMCP: 9 9 9\n");
	put_file(world->tree, "interrupts", text, length);
	read_health(world, &health, GM_SECOND);
	assert_int_equal(value_of(world->batch, GM_METRIC_HW_MACHINE_CHECKS), 12);
	put_file(world->tree, "interrupts", text, length - 20); /* cut within the line */
	health.hardware_due = 0;
	read_health(world, &health, GM_SECOND);
	assert_int_equal(value_of(world->batch, GM_METRIC_HW_MACHINE_CHECKS), -1);
	free(text);
	destroy(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_processes_are_told_and_read),
		cmocka_unit_test(a_pid_that_is_given_again_is_another_process),
		cmocka_unit_test(names_from_strangers),
		cmocka_unit_test(a_name_that_comes_late_is_found),
		cmocka_unit_test(no_more_than_fit_are_followed),
		cmocka_unit_test(without_names_nothing_is_searched),
		cmocka_unit_test(a_live_process_is_found),
		cmocka_unit_test(counters_are_there_or_absent),
		cmocka_unit_test(long_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
