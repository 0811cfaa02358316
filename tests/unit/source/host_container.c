/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers as the host source finds and reads them, in trees of the test's own: control groups of both
 * versions and none, names that libvirt told and those that somebody made up, containers that come and
 * go. Container N has the pid N, the name box-N unless said and the UUID that value_of() takes for N.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "host_tree.h"
#include "support/descriptors.h"

#define V1 "4:memory:/machine/lxc-%u-x.libvirt-lxc\n3:cpuacct:/machine/lxc-%u-x.libvirt-lxc\n"

static void put_of(const struct node *node, unsigned pid, const char *file, const char *text)
{
	char name[64];

	snprintf(name, sizeof(name), "%u/%s", pid, file);
	put_text(node->proc, name, text);
}

static void put_stat(const struct node *node, unsigned pid, char run, unsigned ticks,
		     unsigned start_time)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "%u (a) %c 1 1 1 0 -1 0 0 0 0 0 %u 0 0 0 20 0 2 0 %u 1000 9 0\n", pid, run, ticks,
		 start_time);
	put_of(node, pid, "stat", text);
	put_of(node, pid, "statm", "100 9 2 1 0 5 0\n");
}

/* libvirt_lxc of a container called `name`. */
static void put_container(const struct node *node, unsigned pid, const char *name,
			  const char *cgroup)
{
	char path[64], text[512];
	int length = snprintf(text, sizeof(text),
			      "/usr/lib/libvirt/libvirt_lxc%c--name%c%s%c--console%c22", 0, 0, name,
			      0, 0);

	snprintf(path, sizeof(path), "%u/cmdline", pid);
	put_file(node->proc, path, text, (size_t)length + 1);
	put_stat(node, pid, 'S', 7, pid);
	snprintf(text, sizeof(text), "Name:\ta\nUid:\t0\t0\t0\t0\nNSpid:\t%u\n", pid);
	put_of(node, pid, "status", text);
	put_of(node, pid, "cgroup", cgroup);
}

static void put_v1(const struct node *node, unsigned pid, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "fs/cgroup/%s/machine/lxc-%u-x.libvirt-lxc/%s",
		 strncmp(file, "memory", 6) == 0 ? "memory" : "cpuacct", pid, file);
	put_text(node->sys, path, text);
}

static void put_box(const struct node *node, unsigned pid)
{
	char name[32], cgroup[128];

	snprintf(name, sizeof(name), "box-%u", pid);
	snprintf(cgroup, sizeof(cgroup), V1, pid, pid);
	put_container(node, pid, name, cgroup);
	put_v1(node, pid, "cpuacct.usage", "123456789\n");
	put_v1(node, pid, "memory.usage_in_bytes", "4096000\n");
}

static void hear(const struct node *node, unsigned number, const char *name, bool here)
{
	struct gm_entity_info info = {.guest.hypervisor = "LXC"};
	char text[64];

	snprintf(text, sizeof(text), "guest:%08x-0000-4000-8000-%012x", number, number);
	assert_int_equal(gm_entity_parse(text, &info.key), 0);
	snprintf(info.guest.name, sizeof(info.guest.name), "%s", name);
	node->source->ops->hear(node->source, &info, here);
}

static void hear_box(const struct node *node, unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "box-%u", number);
	hear(node, number, name, true);
}

/* Polls with a search before it, which is due when the source is opened. */
static void search(struct node *node)
{
	struct gm_error err;

	node->source->ops->close(node->source);
	assert_int_equal(node->source->ops->open(node->source, &err), 0);
	poll_once(node);
}

static uint64_t cpu_of(const struct node *node, unsigned pid)
{
	const union gm_value *value = value_of(node, pid, GM_METRIC_PROCESS_CPU);

	return value ? value->counter : 0;
}

static void groups_of_version_1(void **state)
{
	struct node node;

	(void)state;
	begin(&node);
	put_box(&node, 12);
	put_v1(&node, 12, "memory.stat", "cache 5\nrss 1\ntotal_cache 6\ntotal_rss 3485696\n");
	put_v1(&node, 12, "tasks", "12\n14\n15\n");
	start(&node, 0);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 12), 0); /* nobody has told who is box-12 */
	hear_box(&node, 12);
	search(&node);
	assert_int_equal(cpu_of(&node, 12), 123456789);
	assert_true(gauge_of(&node, 12, GM_METRIC_MEMORY_CGROUP) == 4096000);
	assert_true(gauge_of(&node, 12, GM_METRIC_MEMORY_RESIDENT) == 3485696);
	assert_true(gauge_of(&node, 12, GM_METRIC_PROCESS_THREADS) == 3);

	/* What costs little each time, the statistics when the memory in use is another. */
	put_v1(&node, 12, "cpuacct.usage", "223456789\n");
	put_v1(&node, 12, "memory.stat", "total_rss 3500000\n");
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 12), 223456789);
	assert_true(gauge_of(&node, 12, GM_METRIC_MEMORY_CGROUP) == 4096000);
	assert_null(value_of(&node, 12, GM_METRIC_MEMORY_RESIDENT));
	assert_null(value_of(&node, 12, GM_METRIC_PROCESS_THREADS));
	put_v1(&node, 12, "memory.usage_in_bytes", "4100096\n");
	poll_once(&node);
	assert_true(gauge_of(&node, 12, GM_METRIC_MEMORY_RESIDENT) == 3500000);
	end(&node);
}

static void groups_of_version_2(void **state)
{
	/* The kernel's and systemd's spelling is taken as it is; two dots lead nowhere in a name. */
	static const char folder[] =
		"fs/cgroup/machine.slice/machine-lxc\\x2d21\\x2da..b.scope/libvirt";
	static const struct {
		const char *file, *text;
	} files[] = {
		{"cpu.stat", "usage_usec 5000\nuser_usec 3000\n"},
		{"memory.current", "8192000\n"},
		{"memory.stat", "anon 700416\nfile 5\n"},
		{"pids.current", "17\n"},
		{"memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=77\n"},
	};
	struct node node;

	(void)state;
	begin(&node);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", folder, files[i].file);
		put_text(node.sys, path, files[i].text);
	}
	put_container(&node, 21, "a..b",
		      "0::/machine.slice/machine-lxc\\x2d21\\x2da..b.scope/libvirt\n");
	start(&node, 0);
	hear(&node, 21, "a..b", true);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 21), 5000000);
	assert_true(gauge_of(&node, 21, GM_METRIC_MEMORY_CGROUP) == 8192000);
	assert_true(gauge_of(&node, 21, GM_METRIC_MEMORY_RESIDENT) == 700416);
	assert_true(gauge_of(&node, 21, GM_METRIC_PROCESS_THREADS) == 17);
	assert_int_equal(value_of(&node, 21, GM_METRIC_PRESSURE_MEMORY_SOME)->counter, 77000);
	poll_once(&node);
	assert_true(gauge_of(&node, 21, GM_METRIC_PROCESS_THREADS) == 17);
	end(&node);
}

static void names_that_are_not_believed(void **state)
{
	static const char qemu[] = "qemu\0-uuid\0"
				   "00000025-0000-4000-8000-000000000025";
	char longest[GM_NAME_SIZE];
	struct node node;

	(void)state;
	begin(&node);
	/* Of another namespace: somebody inside of a container; of a user; unknown. */
	for (unsigned pid = 31; pid <= 33; pid++) {
		put_box(&node, pid);
	}
	put_of(&node, 31, "status", "Name:\tUid:\\nNSpid:\nUid:\t0\t0\t0\t0\nNSpid:\t31\t1\n");
	put_of(&node, 32, "status", "Uid:\t1000\t0\t0\t0\nNSpid:\t32\n");
	put_of(&node, 33, "status", "Uid:\t0\t0\t0\t0\n");
	/* Two nodes have one of that name; a name that another one's begins with; one that is cut. */
	put_box(&node, 34);
	put_box(&node, 35);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	put_container(&node, 36, longest, "0::/\n");
	/* A machine's command line inside of a container. */
	put_file(node.proc, "37/cmdline", qemu, sizeof(qemu));
	put_stat(&node, 37, 'S', 1, 37);
	put_of(&node, 37, "cgroup", "4:memory:/machine/lxc-34-x.libvirt-lxc/a\n0::/\n");
	start(&node, 0);
	for (unsigned pid = 31; pid <= 34; pid++) {
		hear_box(&node, pid);
	}
	hear(&node, 40, "box-34", true);
	hear(&node, 35, "box-3", true);
	hear(&node, 36, longest, true);
	poll_once(&node);
	for (unsigned pid = 31; pid <= 35; pid++) {
		assert_null(value_of(&node, pid, GM_METRIC_MEMORY_CGROUP));
	}
	assert_null(value_of(&node, 40, GM_METRIC_MEMORY_CGROUP));
	assert_non_null(value_of(&node, 36, GM_METRIC_PROCESS_CPU));
	assert_null(value_of(&node, 37, GM_METRIC_PROCESS_CPU));
	/* The other of that name is gone. */
	hear(&node, 40, "", false);
	search(&node);
	assert_non_null(value_of(&node, 34, GM_METRIC_MEMORY_CGROUP));
	end(&node);
}

/* 51 is libvirt_lxc, 52 and 53 its children, 54 a child of a thread of 53. */
static void without_a_group(void **state)
{
	uint64_t tick = (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK));
	double page = (double)sysconf(_SC_PAGESIZE);
	char many[8 * 300] = "";
	struct node node;

	(void)state;
	begin(&node);
	put_container(&node, 51, "box-51", "0::/../elsewhere\n");
	put_of(&node, 51, "task/51/children", "52 53 ");
	put_of(&node, 53, "task/55/children", "54 ");
	put_stat(&node, 52, 'S', 10, 52);
	put_stat(&node, 53, 'S', 20, 53);
	put_stat(&node, 54, 'S', 30, 54);
	start(&node, 0);
	hear_box(&node, 51);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 51), 67 * tick);
	assert_true(gauge_of(&node, 51, GM_METRIC_MEMORY_RESIDENT) == 4 * 7 * page);
	assert_true(gauge_of(&node, 51, GM_METRIC_PROCESS_THREADS) == 8);
	/* One has run, one has ended, one is another one with its number. */
	put_stat(&node, 52, 'R', 15, 52);
	put_stat(&node, 53, 'Z', 20, 53);
	put_stat(&node, 54, 'S', 4, 99);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 51), (67 + 5 + 4) * tick);
	assert_true(gauge_of(&node, 51, GM_METRIC_MEMORY_RESIDENT) == 3 * 7 * page);
	/* Who is gone takes nothing back, and who is new counts from its beginning. */
	put_of(&node, 51, "task/51/children", "52 56 ");
	put_stat(&node, 56, 'S', 1, 100);
	search(&node);
	assert_int_equal(cpu_of(&node, 51), (67 + 5 + 4 + 1) * tick);
	assert_true(gauge_of(&node, 51, GM_METRIC_PROCESS_THREADS) == 6);
	/* Too many to follow. */
	for (unsigned i = 0; i < 300; i++) {
		snprintf(many + strlen(many), 8, "%u ", 1000 + i);
	}
	put_of(&node, 51, "task/51/children", many);
	search(&node);
	assert_null(value_of(&node, 51, GM_METRIC_PROCESS_CPU));
	put_of(&node, 51, "task/51/children", "52 ");
	search(&node);
	assert_true(gauge_of(&node, 51, GM_METRIC_PROCESS_THREADS) == 4);
	end(&node);
}

/* 71 is libvirt_lxc, 72 and 73 its children. */
static void each_is_counted_once(void **state)
{
	uint64_t tick = (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK));
	char many[8 * 300] = "", path[128];
	struct node node;

	(void)state;
	begin(&node);
	put_container(&node, 71, "box-71", "0::/../elsewhere\n");
	put_of(&node, 71, "task/71/children", "72 73 ");
	put_stat(&node, 72, 'S', 10, 72);
	put_stat(&node, 73, 'S', 20, 73);
	put_text(node.proc, "uptime", "0.78 0.00\n");
	start(&node, 0);
	hear_box(&node, 71);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 71), 37 * tick);
	/* One that a search has missed is counted on, and not anew; and who is below two is one. */
	put_of(&node, 71, "task/71/children", "72 ");
	search(&node);
	assert_true(gauge_of(&node, 71, GM_METRIC_PROCESS_THREADS) == 4);
	put_of(&node, 71, "task/71/children", "72 73 72 ");
	put_of(&node, 71, "task/75/children", "73 ");
	search(&node);
	assert_int_equal(cpu_of(&node, 71), 37 * tick);
	assert_true(gauge_of(&node, 71, GM_METRIC_PROCESS_THREADS) == 6);
	put_stat(&node, 73, 'S', 23, 73);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 71), 40 * tick);
	/* One that was there from the first is not new, though it was never found. */
	put_stat(&node, 77, 'S', 500, 77);
	put_stat(&node, 80, 'S', 2, 80);
	put_of(&node, 71, "task/71/children", "72 73 77 80 ");
	search(&node);
	assert_int_equal(cpu_of(&node, 71), 42 * tick);
	put_stat(&node, 77, 'S', 501, 77);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 71), 43 * tick);
	/* Too many for a while: who was known still is. */
	for (unsigned i = 0; i < 300; i++) {
		snprintf(many + strlen(many), 8, "%u ", 1000 + i);
	}
	put_of(&node, 71, "task/71/children", many);
	search(&node);
	assert_null(value_of(&node, 71, GM_METRIC_PROCESS_CPU));
	put_stat(&node, 73, 'S', 25, 73);
	put_of(&node, 71, "task/71/children", "72 73 ");
	search(&node);
	assert_int_equal(cpu_of(&node, 71), 45 * tick);
	/* A list that cannot be had: those of before are read. */
	snprintf(path, sizeof(path), "%s/71/task/71/children", node.proc);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	put_of(&node, 71, "task/75/children", "");
	search(&node);
	assert_int_equal(cpu_of(&node, 71), 45 * tick);
	assert_true(gauge_of(&node, 71, GM_METRIC_PROCESS_THREADS) == 6);
	end(&node);
}

static void come_and_go(void **state)
{
	struct node node;
	char path[128];

	(void)state;
	begin(&node);
	put_box(&node, 61);
	put_box(&node, 62);
	start(&node, 0);
	hear_box(&node, 61);
	hear_box(&node, 62);
	poll_once(&node);
	assert_int_equal(cpu_of(&node, 61), 123456789);
	assert_int_equal(cpu_of(&node, 62), 123456789);
	/* The group goes with the container, at once; its process may still be listed. */
	snprintf(path, sizeof(path),
		 "%s/fs/cgroup/cpuacct/machine/lxc-61-x.libvirt-lxc/cpuacct.usage", node.sys);
	assert_int_equal(truncate(path, 0), 0); /* which a file that is held open sees, too */
	poll_once(&node);
	assert_null(value_of(&node, 61, GM_METRIC_PROCESS_CPU));
	assert_null(value_of(&node, 61, GM_METRIC_MEMORY_CGROUP));
	assert_int_equal(cpu_of(&node, 62), 123456789);
	put_v1(&node, 61, "cpuacct.usage", "1000\n");
	search(&node);
	assert_int_equal(cpu_of(&node, 61), 1000);
	/* The same name again is another guest as soon as libvirt says so. */
	hear(&node, 62, "", false);
	hear(&node, 63, "box-62", true);
	search(&node);
	assert_null(value_of(&node, 62, GM_METRIC_PROCESS_CPU));
	search(&node);
	assert_int_equal(cpu_of(&node, 63), 123456789);
	/* Another process with its number; the container is not told of any more. */
	put_stat(&node, 61, 'S', 7, 1061);
	search(&node);
	search(&node);
	assert_int_equal(cpu_of(&node, 61), 1000);
	hear(&node, 61, "", false);
	search(&node);
	assert_null(value_of(&node, 61, GM_METRIC_PROCESS_CPU));
	end(&node);
}

/* Who has no descriptor of its own is told like the others. */
static void more_than_descriptors(void **state)
{
	enum { FIRST = 2000, COUNT = 100, HELD = 32 };
	struct rlimit before, few;
	struct node node;

	(void)state;
	begin(&node);
	for (unsigned pid = FIRST; pid < FIRST + COUNT; pid++) {
		put_box(&node, pid);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = 2 * HELD, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	start(&node, 0);
	unsigned files = open_descriptors();
	for (unsigned pid = FIRST; pid < FIRST + COUNT; pid++) {
		hear_box(&node, pid);
	}
	for (int tick = 0; tick < 2; tick++) {
		poll_once(&node);
		assert_in_range(open_descriptors() - files, 1, HELD);
		for (unsigned pid = FIRST; pid < FIRST + COUNT; pid++) {
			assert_int_equal(cpu_of(&node, pid), 123456789);
			assert_true(gauge_of(&node, pid, GM_METRIC_MEMORY_CGROUP) == 4096000);
		}
	}
	end(&node);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_of_version_1),
		cmocka_unit_test(groups_of_version_2),
		cmocka_unit_test(names_that_are_not_believed),
		cmocka_unit_test(without_a_group),
		cmocka_unit_test(each_is_counted_once),
		cmocka_unit_test(come_and_go),
		cmocka_unit_test(more_than_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
