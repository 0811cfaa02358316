/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsers of /proc: good text, text cut at every byte, and nonsense. Each text is a heap block of
 * exactly its size without a NUL, so that a sanitizer sees a byte read too many.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "source/host/procfs.h"

static const char stat_text[] = "cpu  10 20 30 40 50 60 70 80 90 100\n"
				"cpu0 5 10 15 20 25 30 35 40 45 50\n"
				"cpu1 5 10 15 20 25 30 35 40 45 50\n"
				"intr 5 1 2 3\ncpu2 1 1 1 1\n";
static const char meminfo_text[] = "MemTotal:  1000 kB\nMemFree: 200 kB\nMemAvailable: 300 kB\n"
				   "SwapTotal: 0 kB\nSwapFree: 0 kB\n";
static const char loadavg_text[] = "0.25 10.50 3.07 1/2 3\n";
static const char vmstat_text[] = "pgpgin 5\npswpin 7\npswpout 9\n";
static const char disk_text[] = "   8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n";
static const char process_text[] =
	"42 (a (b) c) S 1 2 3 4 -1 6 7 8 9 10 11 12 13 14 -20 16 17 18 19 20 21 22\n";
static const char cmdline_text[] = "/usr/bin/qemu-system-x86_64\0-m\0"
				   "512\0-uuid\0c7a5fdbd-edaf-9455-926a-d65c16db1809\0-S";

static const char pressure_text[] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\n"
				    "full avg10=0.00 avg60=0.00 avg300=0.00 total=3\n";
static const char interrupts_text[] = "     CPU0 CPU1\n  0:  5 6 IO-APIC\nMCE:  7 8  Machine\n";

/* All the parsers on one text; what they say does not matter, only that they come back. */
static void parse_all(const char *text, size_t length)
{
	struct gm_procfs_cpu cpu;
	struct gm_procfs_memory memory;
	struct gm_procfs_disk disk;
	struct gm_procfs_process process;
	struct gm_procfs_pressure pressure;
	char name[16];
	uint8_t uuid[GM_UUID_SIZE];
	double load[3];
	uint64_t in, out;
	size_t at = 0;

	(void)gm_procfs_parse_stat(text, length, &cpu);
	gm_procfs_parse_meminfo(text, length, &memory);
	(void)gm_procfs_parse_loadavg(text, length, load);
	(void)gm_procfs_parse_vmstat(text, length, &in, &out);
	while (gm_procfs_next_disk(text, length, &at, &disk)) {
		assert_non_null(memchr(disk.name, '\0', sizeof(disk.name)));
		assert_true(at <= length);
	}
	assert_int_equal(at, length);
	(void)gm_procfs_parse_process(text, length, &process);
	(void)gm_procfs_parse_cmdline(text, length, uuid);
	if (gm_procfs_parse_name(text, length, name, sizeof(name)) == 0) {
		assert_true(strlen(name) > 0 && gm_text_is_utf8(name));
	}
	gm_procfs_parse_program(text, length, name, sizeof(name));
	assert_true(strlen(name) < sizeof(name));
	gm_procfs_parse_pressure(text, length, &pressure);
	(void)gm_procfs_parse_machine_checks(text, length, &in);
	(void)gm_procfs_parse_count(text, length, &in);
}

static void parse_exact(const char *text, size_t length)
{
	char *exact = malloc(length > 0 ? length : 1);

	assert_non_null(exact);
	memcpy(exact, text, length);
	parse_all(exact, length);
	free(exact);
}

static void cpu_times(void **state)
{
	struct gm_procfs_cpu cpu = {.user = 1};
	static const char old[] = "cpu 1 2 3 4\ncpu0 1 2 3 4\n";
	static const char huge[] = "cpu 99999999999999999999999 2 3 4\n";

	(void)state;
	assert_int_equal(gm_procfs_parse_stat(stat_text, strlen(stat_text), &cpu), 0);
	assert_int_equal(cpu.user, 10);
	assert_int_equal(cpu.nice, 20);
	assert_int_equal(cpu.system, 30);
	assert_int_equal(cpu.idle, 40);
	assert_int_equal(cpu.wait, 50);
	assert_int_equal(cpu.irq, 60);
	assert_int_equal(cpu.softirq, 70);
	assert_int_equal(cpu.steal, 80);
	assert_int_equal(cpu.count, 2);
	assert_int_equal(gm_procfs_parse_stat(old, strlen(old), &cpu), 0);
	assert_int_equal(cpu.idle, 4);
	assert_int_equal(cpu.steal, 0);
	assert_int_equal(cpu.count, 1);
	assert_int_equal(gm_procfs_parse_stat(huge, strlen(huge), &cpu), 0);
	assert_true(cpu.user == UINT64_MAX);
	/* Nothing is written on failure. */
	assert_int_equal(gm_procfs_parse_stat("cpu 1 2 x 4\n", 12, &cpu), -EPROTO);
	assert_int_equal(gm_procfs_parse_stat("cpu0 1 2 3 4\n", 13, &cpu), -EPROTO);
	assert_int_equal(gm_procfs_parse_stat("", 0, &cpu), -EPROTO);
	assert_true(cpu.user == UINT64_MAX);
}

static void memory_fields(void **state)
{
	struct gm_procfs_memory memory;
	static const char odd[] = "MemTotal: x kB\nMemFree:\nCached: 18446744073709551615 kB\n"
				  "XMemAvailable: 3 kB\nBuffers: 7 kB\nShmem: 9";

	(void)state;
	gm_procfs_parse_meminfo(meminfo_text, strlen(meminfo_text), &memory);
	assert_int_equal(memory.present, 1U << GM_PROCFS_MEM_TOTAL | 1U << GM_PROCFS_MEM_FREE |
						 1U << GM_PROCFS_MEM_AVAILABLE |
						 1U << GM_PROCFS_SWAP_TOTAL |
						 1U << GM_PROCFS_SWAP_FREE);
	assert_int_equal(memory.bytes[GM_PROCFS_MEM_TOTAL], 1000 * 1024);
	assert_int_equal(memory.bytes[GM_PROCFS_MEM_AVAILABLE], 300 * 1024);
	gm_procfs_parse_meminfo(odd, strlen(odd), &memory);
	assert_int_equal(memory.present, 1U << GM_PROCFS_BUFFERS);
	assert_int_equal(memory.bytes[GM_PROCFS_BUFFERS], 7 * 1024);
}

static void load_averages(void **state)
{
	const char *const bad[] = {"",       "1",      "1 2",    "1 2 x",
				   "-1 2 3", "1 2 3.", ".5 1 2", "1 2 0.1234567890"};
	double load[3] = {9, 9, 9};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(gm_procfs_parse_loadavg(bad[i], strlen(bad[i]), load), -EPROTO);
		assert_true(load[0] == 9);
	}
	assert_int_equal(gm_procfs_parse_loadavg(loadavg_text, strlen(loadavg_text), load), 0);
	assert_true(load[0] == 0.25 && load[1] == 10.5 && load[2] > 3.0699 && load[2] < 3.0701);
}

static void swapped_pages(void **state)
{
	uint64_t in = 1, out = 1;

	(void)state;
	assert_int_equal(gm_procfs_parse_vmstat(vmstat_text, strlen(vmstat_text), &in, &out), 0);
	assert_int_equal(in, 7);
	assert_int_equal(out, 9);
	assert_int_equal(gm_procfs_parse_vmstat("pswpin 7\n", 9, &in, &out), -EPROTO);
	assert_int_equal(gm_procfs_parse_vmstat("pswpin 7\npswpout 9", 18, &in, &out), -EPROTO);
}

static void disk_lines(void **state)
{
	static const char text[] = "8 0 sda 1 2 3 4 5 6 7 8\n"
				   "nonsense\n"
				   "\n"
				   "8 16 sdb 1 2 3\n"
				   "8 32 a-name-that-is-longer-than-any-of-them 1 2 3 4 5 6 7 8\n"
				   "8 48 sdc 1 2 3 4294967297 5 6 7 8 9\n"
				   "8 64 sdd 1 2 3 4 5 6 7 8 9 10 11"; /* no end: cut off */
	struct gm_procfs_disk disk;
	size_t at = 0;

	(void)state;
	assert_true(gm_procfs_next_disk(text, strlen(text), &at, &disk));
	assert_string_equal(disk.name, "sda");
	assert_int_equal(disk.reads, 1);
	assert_int_equal(disk.read_sectors, 3);
	assert_int_equal(disk.read_ms, 4);
	assert_int_equal(disk.writes, 5);
	assert_int_equal(disk.written_sectors, 7);
	assert_int_equal(disk.write_ms, 8);
	assert_true(gm_procfs_next_disk(text, strlen(text), &at, &disk));
	assert_string_equal(disk.name, "sdc");
	assert_int_equal(disk.read_ms, 1); /* kept in 32 bits by the kernel too */
	assert_false(gm_procfs_next_disk(text, strlen(text), &at, &disk));
	assert_false(gm_procfs_next_disk(text, strlen(text), &at, &disk));
}

static void partitions(void **state)
{
	(void)state;
	assert_true(gm_procfs_is_partition("sda1", "sda"));
	assert_true(gm_procfs_is_partition("vda15", "vda"));
	assert_true(gm_procfs_is_partition("nvme0n1p2", "nvme0n1"));
	assert_true(gm_procfs_is_partition("mmcblk0p1", "mmcblk0"));
	assert_false(gm_procfs_is_partition("sda", "sda"));
	assert_false(gm_procfs_is_partition("sdaa", "sda"));
	assert_false(gm_procfs_is_partition("sdaa1", "sda"));
	assert_false(gm_procfs_is_partition("nvme0n12", "nvme0n1"));
	assert_false(gm_procfs_is_partition("nvme0n1p", "nvme0n1"));
	assert_false(gm_procfs_is_partition("md10", "md1"));
	assert_false(gm_procfs_is_partition("sda1", ""));
}

static void process_line(void **state)
{
	struct gm_procfs_process process = {.state = '-'};

	(void)state;
	assert_int_equal(gm_procfs_parse_process(process_text, strlen(process_text), &process), 0);
	assert_int_equal(process.state, 'S');
	assert_int_equal(process.cpu_ticks, 11 + 12);
	assert_int_equal(process.threads, 17);
	assert_int_equal(process.start_time, 19);
	assert_int_equal(process.resident, 21);
	assert_int_equal(gm_procfs_parse_process("42 (x S 1", 9, &process), -EPROTO);
	assert_int_equal(gm_procfs_parse_process(")", 1, &process), -EPROTO);
	assert_int_equal(gm_procfs_parse_process("42 (x) S 1 2 3", 14, &process), -EPROTO);
	assert_int_equal(process.state, 'S');
}

static int uuid_of(const char *text, size_t length)
{
	uint8_t uuid[GM_UUID_SIZE];

	return gm_procfs_parse_cmdline(text, length, uuid);
}

#define UUID "c7a5fdbd-edaf-9455-926a-d65c16db1809"

static void guests_command_lines(void **state)
{
	static const char kvm[] = "/usr/libexec/qemu-kvm\0-uuid\0" UUID;
	static const char wrapper[] = "/usr/bin/sudo\0/usr/bin/qemu-system-x86_64\0-uuid\0" UUID;
	static const char none[] = "qemu-system-x86_64\0-m\0" UUID;
	static const char last[] = "qemu-system-x86_64\0-uuid";
	static const char bad[] = "qemu-system-x86_64\0-uuid\0zzzzzzzz-edaf-9455-926a-d65c16db1809";
	static const char longer[] = "qemu-system-x86_64\0-uuid\0" UUID "0";
	static const char folder[] = "/opt/qemu/bin/virtlogd\0-uuid\0" UUID;
	uint8_t uuid[GM_UUID_SIZE];
	char text[GM_UUID_TEXT];

	(void)state;
	assert_int_equal(gm_procfs_parse_cmdline(cmdline_text, sizeof(cmdline_text), uuid), 0);
	assert_string_equal(gm_uuid_text(uuid, text), UUID);
	assert_int_equal(uuid_of(kvm, sizeof(kvm)), 0);
	assert_int_equal(uuid_of(kvm, sizeof(kvm) - 1), 0);
	assert_int_equal(uuid_of(wrapper, sizeof(wrapper)), -ENOENT);
	assert_int_equal(uuid_of(none, sizeof(none)), -ENOENT);
	assert_int_equal(uuid_of(last, sizeof(last)), -ENOENT);
	assert_int_equal(uuid_of(bad, sizeof(bad)), -ENOENT);
	assert_int_equal(uuid_of(longer, sizeof(longer)), -ENOENT);
	assert_int_equal(uuid_of(folder, sizeof(folder)), -ENOENT);
	assert_int_equal(uuid_of("", 0), -ENOENT);
}

static void cut_or_changed_anywhere(void **state)
{
	const struct {
		const char *text;
		size_t length;
	} texts[] = {
		{stat_text, sizeof(stat_text) - 1},
		{meminfo_text, sizeof(meminfo_text) - 1},
		{loadavg_text, sizeof(loadavg_text) - 1},
		{vmstat_text, sizeof(vmstat_text) - 1},
		{disk_text, sizeof(disk_text) - 1},
		{process_text, sizeof(process_text) - 1},
		{cmdline_text, sizeof(cmdline_text) - 1},
		{pressure_text, sizeof(pressure_text) - 1},
		{interrupts_text, sizeof(interrupts_text) - 1},
	};
	const char changes[] = {'\0', '\n', ' ', '9', '(', ')', '.', '-', (char)0xff};
	struct gm_procfs_process process;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char copy[512];

		memcpy(copy, texts[i].text, texts[i].length);
		for (size_t at = 0; at <= texts[i].length; at++) {
			parse_exact(texts[i].text, at);
		}
		for (size_t at = 0; at < texts[i].length; at++) {
			char before = copy[at];

			for (size_t c = 0; c < sizeof(changes); c++) {
				copy[at] = changes[c];
				parse_exact(copy, texts[i].length);
			}
			copy[at] = before;
		}
	}
	/* Cut before the last number that is needed begins, a process's line is refused. */
	for (size_t length = 0; length < strlen(process_text) - 6; length++) {
		assert_int_equal(gm_procfs_parse_process(process_text, length, &process), -EPROTO);
	}
}

static bool cgroup_of(const char *text, bool v1, char path[GM_PROCFS_CGROUP_PATH])
{
	return gm_procfs_parse_cgroup(text, strlen(text), v1 ? "memory" : NULL, path);
}

static void test_cgroup(void **state)
{
	static const char hybrid[] =
		"9:name=systemd:/\n4:cpuset,memory:/machine/qemu-1-a:b.libvirt\n"
		"0::/machine.slice/x.scope/libvirt/emulator\n";
	static const char *const none[] = {"",
					   "\n",
					   "4:memory",
					   "4:memory:/machine/x", /* unfinished */
					   "4:memory:\n",
					   "4:memory:relative\n",
					   "4:memory:/../x\n",
					   "4:memoryx:/machine/x\n",
					   "4:xmemory:/machine/x\n"};
	char path[GM_PROCFS_CGROUP_PATH], text[2 * GM_PROCFS_CGROUP_PATH];

	(void)state;
	assert_true(cgroup_of(hybrid, true, path));
	assert_string_equal(path, "/machine/qemu-1-a:b.libvirt");
	assert_true(cgroup_of(hybrid, false, path));
	assert_string_equal(path, "/machine.slice/x.scope/libvirt/emulator");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (cgroup_of(none[i], true, path)) {
			fail_msg("%s", none[i]);
		}
	}
	snprintf(text, sizeof(text), "0::/%0*d\n", GM_PROCFS_CGROUP_PATH, 0);
	assert_false(cgroup_of(text, false, path));
}

static void test_softnet_and_numbers(void **state)
{
	static const char softnet[] = "000b1cfd 00000002 00000001 00000000\n"
				      "00036cfe 0000000f 000000ff 00000000\n"
				      "00036cfe 0000001f 00zz00ff\n";
	static const char rollup[] = "55d0-7fff ---p 00000000 00:00 0 [rollup]\n"
				     "Rss:   1000 kB\nPss:    700 kB\nPss_Anon: 1 kB\n";
	uint64_t dropped, squeezed, number;

	(void)state;
	assert_true(gm_procfs_parse_softnet(softnet, sizeof(softnet) - 1, &dropped, &squeezed));
	assert_int_equal(dropped, 17);
	assert_int_equal(squeezed, 256);
	assert_false(gm_procfs_parse_softnet("00000001\n", 9, &dropped, &squeezed));
	assert_false(gm_procfs_parse_softnet("", 0, &dropped, &squeezed));
	assert_true(gm_procfs_find_number(rollup, sizeof(rollup) - 1, "Pss:", &number));
	assert_int_equal(number, 700);
	assert_false(gm_procfs_find_number(rollup, sizeof(rollup) - 1, "Pss", &number));
	assert_false(gm_procfs_find_number(rollup, sizeof(rollup) - 1, "Swap:", &number));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_times),
		cmocka_unit_test(memory_fields),
		cmocka_unit_test(load_averages),
		cmocka_unit_test(swapped_pages),
		cmocka_unit_test(disk_lines),
		cmocka_unit_test(partitions),
		cmocka_unit_test(process_line),
		cmocka_unit_test(guests_command_lines),
		cmocka_unit_test(cut_or_changed_anywhere),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_softnet_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
