/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's CPUs and memory nodes as the host source tells of them, in trees of the test's own: parts of
 * the time between two readings, CPUs that are plugged in and out, memory nodes that are broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "source/host/cores.h"

#include "host_tree.h"

struct told {
	char text[1 << 16]; /* "+core:0 -numa:1 " */
	size_t length;
};

static void note(struct told *told, char sign, const struct gm_entity_key *key)
{
	char text[GM_KEY_TEXT];

	told->length +=
		(size_t)snprintf(told->text + told->length, sizeof(told->text) - told->length,
				 "%c%s ", sign, gm_entity_text(key, text));
	assert_true(told->length < sizeof(told->text));
}

static void take_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	assert_int_equal(source, GM_SOURCE_HOST);
	note(user, '+', &info->key);
}

static void take_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		      int64_t time)
{
	assert_int_equal(source, GM_SOURCE_HOST);
	assert_true(time > 0);
	note(user, '-', key);
}

struct rig {
	struct node node;
	struct gm_host_cores cores;
	struct gm_source_sink sink;
	struct gm_batch *batch;
	struct told told;
	int64_t now;
};

static void set_up(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	begin(&rig->node);
	rig->cores.sys = rig->node.sys;
	rig->cores.interval = GM_SECOND;
	rig->now = 10 * GM_SECOND;
	rig->sink =
		(struct gm_source_sink){.seen = take_seen, .gone = take_gone, .user = &rig->told};
}

static void tear_down(struct rig *rig)
{
	gm_host_cores_free(&rig->cores);
	gm_batch_free(rig->batch);
	start(&rig->node, 0);
	end(&rig->node);
}

/* A reading some time after the last one. */
static uint32_t take_after(struct rig *rig, int64_t later, const char *stat)
{
	rig->now += later;
	gm_batch_free(rig->batch);
	rig->batch = gm_batch_create();
	assert_non_null(rig->batch);
	rig->told.length = 0;
	rig->told.text[0] = '\0';
	gm_host_cores_take(&rig->cores, rig->now, gm_clock_now(), stat, strlen(stat));
	return gm_host_cores_tell(&rig->cores, rig->batch, &rig->sink);
}

/* -1: it was not told. */
static double value(const struct rig *rig, const char *entity, unsigned metric)
{
	for (size_t i = 0; i < rig->batch->frame_count; i++) {
		const struct gm_frame *frame = &rig->batch->frames[i];
		const struct gm_reading *readings = gm_batch_readings(rig->batch, frame);
		char text[GM_KEY_TEXT];

		if (strcmp(gm_entity_text(&frame->key, text), entity) != 0) {
			continue;
		}
		for (size_t k = 0; k < frame->count; k++) {
			if (readings[k].metric == metric) {
				return readings[k].value.gauge;
			}
		}
	}
	return -1;
}

#define assert_part(number, wanted) \
	assert_true((number) > (wanted)-1e-9 && (number) < (wanted) + 1e-9)

static void parts_of_the_time(void **state)
{
	static struct rig rig;

	(void)state;
	set_up(&rig);
	/* user nice system idle iowait irq softirq steal */
	assert_int_equal(take_after(&rig, 0,
				    "cpu 1 1 1 1\ncpu0 100 0 100 800 0 0 0 0 0 0\n"
				    "cpu1 0 0 0 1000 50 0 0 0 0 0\nintr 5\n"),
			 2);
	assert_string_equal(rig.told.text, "+core:0 +core:1 ");
	assert_part(value(&rig, "core:0", GM_METRIC_CORE_BUSY), -1); /* nothing to compare with */
	assert_int_equal(take_after(&rig, GM_SECOND,
				    "cpu 1 1 1 1\ncpu0 110 10 110 840 0 5 5 20 3 0\n"
				    "cpu1 0 0 0 1070 40 0 0 0 0 0\nintr 5\n"),
			 2);
	assert_string_equal(rig.told.text, "");
	assert_part(value(&rig, "core:0", GM_METRIC_CORE_BUSY), 0.6);
	assert_part(value(&rig, "core:0", GM_METRIC_CORE_SYSTEM), 0.2);
	assert_part(value(&rig, "core:0", GM_METRIC_CORE_WAIT), 0);
	assert_part(value(&rig, "core:0", GM_METRIC_CORE_STEAL), 0.2);
	/* The kernel has taken back some of its waiting. */
	assert_part(value(&rig, "core:1", GM_METRIC_CORE_BUSY), 0);
	assert_part(value(&rig, "core:1", GM_METRIC_CORE_WAIT), 0);
	/* Not before it is due. */
	assert_int_equal(take_after(&rig, GM_SECOND / 2, "cpu0 1000 0 0 0\n"), 2);
	assert_int_equal(rig.batch->frame_count, 0);
	tear_down(&rig);
}

static void plugged_in_and_out(void **state)
{
	static struct rig rig;

	(void)state;
	set_up(&rig);
	take_after(&rig, 0, "cpu0 1 0 0 1\ncpu1 1 0 0 1\n");
	take_after(&rig, GM_SECOND, "cpu0 2 0 0 2\n");
	assert_string_equal(rig.told.text, "-core:1 ");
	assert_part(value(&rig, "core:1", GM_METRIC_CORE_BUSY), -1);
	assert_part(value(&rig, "core:0", GM_METRIC_CORE_BUSY), 0.5);
	/* It counts on from where it was, or anew: the first reading is a base alone. */
	assert_int_equal(take_after(&rig, GM_SECOND, "cpu0 3 0 0 3\ncpu1 5 0 0 5\n"), 2);
	assert_string_equal(rig.told.text, "+core:1 ");
	assert_part(value(&rig, "core:1", GM_METRIC_CORE_BUSY), -1);
	take_after(&rig, GM_SECOND, "cpu0 4 0 0 4\ncpu1 6 0 0 8\ncpu1024 1 1 1 1\n");
	assert_part(value(&rig, "core:1", GM_METRIC_CORE_BUSY), 0.25);
	assert_string_equal(rig.told.text, ""); /* that number is beyond the bound */
	/* Off by configuration: not a word. */
	rig.cores.interval = 0;
	take_after(&rig, GM_SECOND, "cpu0 9 0 0 9\n");
	assert_int_equal(rig.batch->frame_count, 0);
	tear_down(&rig);
}

/* As many as there can be, each with a frame of its own. */
static void as_many_as_there_can_be(void **state)
{
	static struct rig rig;
	static char stat[GM_HOST_CPUS_MAX * 32];
	size_t length = 0;

	(void)state;
	set_up(&rig);
	for (unsigned turn = 1; turn <= 2; turn++) {
		length = 0;
		for (unsigned i = 0; i < GM_HOST_CPUS_MAX + 8; i++) {
			length += (size_t)snprintf(stat + length, sizeof(stat) - length,
						   "cpu%u %u 0 0 %u\n", i, turn, 3 * turn);
			assert_true(length < sizeof(stat));
		}
		assert_int_equal(take_after(&rig, GM_SECOND, stat), GM_HOST_CPUS_MAX);
	}
	assert_int_equal(rig.batch->frame_count, GM_HOST_CPUS_MAX);
	assert_int_equal(rig.batch->lost, 0);
	assert_part(value(&rig, "core:1023", GM_METRIC_CORE_BUSY), 0.25);
	tear_down(&rig);
}

static void move(const struct node *node, const char *from, const char *to)
{
	char old[128], new[128];

	snprintf(old, sizeof(old), "%s/devices/system/%s", node->sys, from);
	snprintf(new, sizeof(new), "%s/devices/system/%s", node->sys, to);
	assert_int_equal(rename(old, new), 0);
}

static void memory_nodes(void **state)
{
	char path[128];
	static const char meminfo[] = "Node 3 MemTotal:       1000 kB\n"
				      "Node 3 MemFree:         100 kB\n"
				      "Node 3 FilePages:       300 kB\n"
				      "Node 3 Shmem:            50 kB\n"
				      "Node 3 SReclaimable:     20 kB\n";
	static struct rig rig;

	(void)state;
	set_up(&rig);
	put_text(rig.node.sys, "devices/system/node/node3/meminfo", meminfo);
	put_text(rig.node.sys, "devices/system/node/node4/meminfo", "Node 4 MemTotal: 5 kB\n");
	put_text(rig.node.sys, "devices/system/node/node128/meminfo", meminfo);
	put_text(rig.node.sys, "devices/system/node/node/meminfo", meminfo);
	put_text(rig.node.sys, "devices/system/node/node 5/meminfo", meminfo);
	assert_int_equal(take_after(&rig, 0, ""), 1);
	assert_string_equal(rig.told.text, "+numa:3 ");
	assert_part(value(&rig, "numa:3", GM_METRIC_NUMA_TOTAL), 1000 * 1024);
	assert_part(value(&rig, "numa:3", GM_METRIC_NUMA_FREE), 100 * 1024);
	assert_part(value(&rig, "numa:3", GM_METRIC_NUMA_USED), (1000 - 100 - 270) * 1024);
	/* It cannot be read, or the folder cannot be listed: it is there all the same. */
	put_text(rig.node.sys, "devices/system/node/node3/meminfo", "");
	assert_int_equal(take_after(&rig, GM_SECOND, ""), 1);
	assert_string_equal(rig.told.text, "");
	assert_part(value(&rig, "numa:3", GM_METRIC_NUMA_TOTAL), -1);
	move(&rig.node, "node", "away");
	put_text(rig.node.sys, "devices/system/node", "");
	assert_int_equal(take_after(&rig, GM_SECOND, ""), 1);
	assert_string_equal(rig.told.text, "");
	snprintf(path, sizeof(path), "%s/devices/system/node", rig.node.sys);
	assert_int_equal(unlink(path), 0);
	move(&rig.node, "away", "node");
	move(&rig.node, "node/node3", "away");
	assert_int_equal(take_after(&rig, GM_SECOND, ""), 0);
	assert_string_equal(rig.told.text, "-numa:3 ");
	tear_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_the_time),
		cmocka_unit_test(plugged_in_and_out),
		cmocka_unit_test(as_many_as_there_can_be),
		cmocka_unit_test(memory_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
