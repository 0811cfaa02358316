/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The busiest CPU and the emptiest memory node: from texts of the kernel's, from broken ones, and from
 * files of a made-up node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/host/uneven.h"
#include "support/tree.h"

static struct gm_host_cpu cpus[GM_HOST_CPUS_MAX];

static void parse(const char *text)
{
	gm_host_parse_cpus(text, strlen(text), cpus);
}

static void cpus_are_told_apart(void **state)
{
	(void)state;
	parse("cpu  30 0 30 300 30 0 0 0 0 0\n"
	      "cpu0 10 1 12 100 20 3 4 5 6 7\n"
	      "cpu2 1 0 0 99 0 0 0 0 0 0\n"
	      "cpu1024 1 1 1 1 1 1 1 1 1 1\n"
	      "intr 1 2 3\ncpu3 7 7 7");
	assert_int_equal(cpus[0].busy, 10 + 1 + 12 + 3 + 4 + 5); /* what guests used is in user */
	assert_int_equal(cpus[0].all, cpus[0].busy + 120);
	assert_int_equal(cpus[1].all, 0);
	assert_int_equal(cpus[2].busy, 1);
	assert_int_equal(cpus[2].all, 100);
	assert_int_equal(cpus[3].all, 0); /* an unfinished line */
}

static void broken_texts_are_borne(void **state)
{
	(void)state;
	static const char *const texts[] = {"",           "\n\n",        "cpu\n",
					    "cpux 1 2\n", "cpu-1 5 5\n", "cpu0"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		parse(texts[i]);
		for (size_t k = 0; k < GM_HOST_CPUS_MAX; k++)
			assert_int_equal(cpus[k].all, 0);
	}
	parse("cpu0 99999999999999999999999 5 x\n");
	assert_true(cpus[0].busy == UINT64_MAX && cpus[0].all == UINT64_MAX);
	parse("cpu99999999999999999999 1 1\n");
	uint64_t bytes = 7;
	static const char *const meminfos[] = {"",
					       "Node 0 MemFree:",
					       "Node 0 MemFree: x kB\n",
					       "Node 0 MemFree: 5",
					       "Node 0 MemTotal: 5 kB\n",
					       "Node 0 MemFree: 99999999999999999999 kB\n"};
	for (size_t i = 0; i < sizeof(meminfos) / sizeof(meminfos[0]); i++)
		assert_false(
			gm_host_parse_node(meminfos[i], strlen(meminfos[i]), "MemFree", &bytes));
	assert_int_equal(bytes, 7);
}

static void write_node(const char *sys, int number, unsigned free_kib)
{
	char name[64], text[128];
	snprintf(name, sizeof(name), "devices/system/node/node%d/meminfo", number);
	snprintf(text, sizeof(text),
		 "Node %d MemTotal:       1000000 kB\nNode %d MemFree:        %u kB\n", number,
		 number, free_kib);
	put_text(sys, name, text);
}

/* Readings that one second gives: the newest of the two gauges, -1 for what it does not. */
static void read_second(struct gm_host_uneven *uneven, int64_t now, const char *stat,
			double *ret_cpu, double *ret_memory)
{
	struct gm_batch *batch = gm_batch_create();
	struct gm_entity_key node = gm_entity_node();
	assert_non_null(gm_batch_frame(batch, &node, now, now, 0));
	gm_host_uneven_read(uneven, now, stat, strlen(stat), batch);
	*ret_cpu = *ret_memory = -1;
	for (size_t i = 0; i < batch->reading_count; i++) {
		if (batch->readings[i].metric == GM_METRIC_CPU_BUSIEST)
			*ret_cpu = batch->readings[i].value.gauge;
		if (batch->readings[i].metric == GM_METRIC_NUMA_LEAST)
			*ret_memory = batch->readings[i].value.gauge;
	}
	gm_batch_free(batch);
}

static void the_extremes_are_told(void **state)
{
	(void)state;
	char sys[] = "/tmp/gm-uneven-XXXXXX";
	assert_non_null(mkdtemp(sys));
	write_node(sys, 0, 5000);
	write_node(sys, 3, 700);
	struct gm_host_uneven *uneven = calloc(1, sizeof(*uneven));
	uneven->sys = sys;
	double cpu, memory;
	read_second(uneven, GM_SECOND, "cpu0 100 0 0 100\ncpu1 100 0 0 100\n", &cpu, &memory);
	assert_true(cpu == -1);
	assert_true(memory == 700 * 1024.0);
	/* Not again so soon. */
	read_second(uneven, GM_SECOND + GM_MILLISECOND, "cpu0 200 0 0 100\n", &cpu, &memory);
	assert_true(cpu == -1 && memory == -1);
	/* 10 of 100 and 75 of 100; a third CPU has just come. */
	read_second(uneven, 2 * GM_SECOND + GM_MILLISECOND,
		    "cpu0 110 0 0 190\ncpu1 150 0 25 125\ncpu2 50 0 0 0\n", &cpu, &memory);
	assert_true(cpu == 0.75);
	/* Idle time that was taken back. */
	read_second(uneven, 4 * GM_SECOND, "cpu0 110 0 0 189\ncpu1 150 0 25 225\n", &cpu, &memory);
	assert_true(cpu == 0);
	free(uneven);
	drop_tree(sys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus_are_told_apart),
		cmocka_unit_test(broken_texts_are_borne),
		cmocka_unit_test(the_extremes_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
