/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel accounts to guests, in trees of the test's own that look like those of a node with
 * control groups of version 1 and of version 2: memory, pressure, proportional memory; and of the
 * node: packets dropped before they are seen, pages of the wrong memory node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host_tree.h"

static void put_guest(const struct node *node, unsigned pid, const char *cgroup)
{
	char name[64], text[256];
	int length = snprintf(text, sizeof(text), "qemu-kvm%c-uuid%c%08x-0000-4000-8000-%012x", 0,
			      0, pid, pid);

	snprintf(name, sizeof(name), "%u/cmdline", pid);
	put_file(node->proc, name, text, (size_t)length + 1);
	snprintf(name, sizeof(name), "%u/stat", pid);
	snprintf(text, sizeof(text),
		 "%u (qemu) S 1 1 1 0 -1 0 0 0 0 0 3 4 0 0 20 0 5 0 %u 1000 9 0 0\n", pid, pid);
	put_text(node->proc, name, text);
	snprintf(name, sizeof(name), "%u/cgroup", pid);
	put_text(node->proc, name, cgroup);
	snprintf(name, sizeof(name), "%u/smaps_rollup", pid);
	snprintf(text, sizeof(text), "0-1 ---p 0 00:00 0 [rollup]\nRss: 900 kB\nPss: %u kB\n", pid);
	put_text(node->proc, name, text);
}

static void memory_of_both_versions(void **state)
{
	struct node node;

	(void)state;
	begin(&node);
	put_text(node.sys, "fs/cgroup/memory/machine/qemu-1-a.libvirt-qemu/memory.usage_in_bytes",
		 "1048576\n");
	put_text(node.sys, "fs/cgroup/memory/machine/memory.usage_in_bytes", "999\n");
	put_text(node.sys, "fs/cgroup/machine.slice/machine-qemu\\x2d2\\x2db.scope/memory.current",
		 "2097152\n");
	put_text(node.sys, "fs/cgroup/machine.slice/machine-qemu\\x2d2\\x2db.scope/memory.pressure",
		 "some avg10=0.00 avg60=0.00 avg300=0.00 total=77\n"
		 "full avg10=0.00 avg60=0.00 avg300=0.00 total=33\n");
	put_text(node.sys, "fs/cgroup/machine.slice/memory.current", "999\n");
	put_text(node.sys, "fs/cgroup/user.slice/memory.current", "999\n");
	put_guest(&node, 11, "4:memory:/machine/qemu-1-a.libvirt-qemu/emulator\n0::/\n");
	put_guest(&node, 12, "0::/machine.slice/machine-qemu\\x2d2\\x2db.scope/libvirt/emulator\n");
	/* Groups that are shared, with whomever. */
	put_guest(&node, 13, "0::/user.slice\n");
	put_guest(&node, 14, "4:memory:/machine\n0::/machine.slice\n");
	put_guest(&node, 15, "0::/machine.slice/../user.slice\n");
	put_guest(&node, 16, "4:memory:/machine/qemu-9-gone.libvirt-qemu\n");
	/* Partitions of an operator's own, however they are called, and without a group of the guest's. */
	put_text(node.sys, "fs/cgroup/memory/machine/tenant.partition/memory.usage_in_bytes",
		 "999\n");
	put_text(node.sys, "fs/cgroup/memory/machine/qemu-x.partition/memory.usage_in_bytes",
		 "999\n");
	put_text(node.sys, "fs/cgroup/machine.slice/machine-tenant.slice/memory.current", "999\n");
	put_text(node.sys, "fs/cgroup/machine.slice/machine-qemux.slice/memory.current", "999\n");
	put_guest(&node, 17, "4:memory:/machine/tenant.partition/qemu-9-x.libvirt-qemu\n");
	put_guest(&node, 18, "4:memory:/machine/qemu-x.partition/qemu-9-x.libvirt-qemu\n");
	put_guest(&node, 19, "0::/machine.slice/machine-tenant.slice/machine-qemu\\x2d9.scope\n");
	put_guest(&node, 20, "0::/machine.slice/machine-qemux.slice/machine-qemu\\x2d9.scope\n");
	start(&node, 0);
	poll_once(&node);
	assert_true(gauge_of(&node, 11, GM_METRIC_MEMORY_CGROUP) == 1048576);
	assert_null(value_of(&node, 11, GM_METRIC_PRESSURE_MEMORY_SOME));
	assert_true(gauge_of(&node, 12, GM_METRIC_MEMORY_CGROUP) == 2097152);
	assert_int_equal(value_of(&node, 12, GM_METRIC_PRESSURE_MEMORY_SOME)->counter, 77000);
	assert_int_equal(value_of(&node, 12, GM_METRIC_PRESSURE_MEMORY_FULL)->counter, 33000);
	assert_null(value_of(&node, 12, GM_METRIC_PRESSURE_CPU_SOME));
	for (unsigned pid = 13; pid <= 20; pid++) {
		assert_non_null(value_of(&node, pid, GM_METRIC_MEMORY_RESIDENT));
		assert_null(value_of(&node, pid, GM_METRIC_MEMORY_CGROUP));
		assert_null(value_of(&node, pid, GM_METRIC_MEMORY_PROPORTIONAL));
	}
	/* Memory each time, pressure when the kernel has brought it up to date. */
	put_text(node.sys, "fs/cgroup/memory/machine/qemu-1-a.libvirt-qemu/memory.usage_in_bytes",
		 "3145728\n");
	poll_once(&node);
	assert_true(gauge_of(&node, 11, GM_METRIC_MEMORY_CGROUP) == 3145728);
	assert_true(gauge_of(&node, 12, GM_METRIC_MEMORY_CGROUP) == 2097152);
	assert_null(value_of(&node, 12, GM_METRIC_PRESSURE_MEMORY_SOME));
	end(&node);
}

/* The kernel walks through all of it: one guest at a time, and each seldom. */
static void proportional_memory_is_rare(void **state)
{
	struct node node;
	unsigned told[3] = {0};

	(void)state;
	begin(&node);
	for (unsigned i = 0; i < 3; i++) {
		put_guest(&node, 21 + i, "0::/\n");
	}
	start(&node, 60 * GM_SECOND);
	for (int tick = 0; tick < 10; tick++) {
		unsigned now = 0;

		poll_once(&node);
		for (unsigned i = 0; i < 3; i++) {
			double kib = gauge_of(&node, 21 + i, GM_METRIC_MEMORY_PROPORTIONAL) / 1024;

			if (kib > 0) {
				assert_true(kib == 21 + i);
				told[i]++;
				now++;
			}
		}
		assert_true(now <= 1);
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(told[i], 1);
	}
	end(&node);
}

/* Who has no descriptor of its own is told like the others. */
static void many_guests(void **state)
{
	struct node node;
	char name[96], cgroup[96], text[32];

	(void)state;
	begin(&node);
	for (unsigned pid = 1000; pid < 1300; pid++) {
		snprintf(name, sizeof(name),
			 "fs/cgroup/memory/machine/qemu-%u-x/memory.usage_in_bytes", pid);
		snprintf(text, sizeof(text), "%u\n", pid);
		put_text(node.sys, name, text);
		snprintf(cgroup, sizeof(cgroup), "4:memory:/machine/qemu-%u-x\n", pid);
		put_guest(&node, pid, cgroup);
	}
	start(&node, 0);
	for (int tick = 0; tick < 2; tick++) {
		poll_once(&node);
		for (unsigned pid = 1000; pid < 1300; pid++) {
			assert_true(gauge_of(&node, pid, GM_METRIC_MEMORY_CGROUP) == pid);
		}
	}
	end(&node);
}

static void the_nodes_own(void **state)
{
	struct node node;

	(void)state;
	begin(&node);
	put_text(node.proc, "net/softnet_stat",
		 "00000001 00000002 00000003 0\n00000001 00000004 00000005 0\n");
	put_text(node.proc, "vmstat", "numa_hit 5\nnuma_miss 6\npswpin 7\npswpout 8\n");
	start(&node, 0);
	poll_once(&node);
	assert_int_equal(value_of(&node, 0, GM_METRIC_SOFTNET_DROPPED)->counter, 6);
	assert_int_equal(value_of(&node, 0, GM_METRIC_SOFTNET_SQUEEZED)->counter, 8);
	assert_int_equal(value_of(&node, 0, GM_METRIC_NUMA_MISS)->counter, 6);
	end(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_of_both_versions),
		cmocka_unit_test(proportional_memory_is_rare),
		cmocka_unit_test(many_guests),
		cmocka_unit_test(the_nodes_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
