/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of /proc and /sys (source/host/procfs.h), each parser on the same bytes: names of processes
 * are whatever their owners choose. What is found keeps its bounds and is UTF-8.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "source/host/procfs.h"
#include "source/host/procfs_container.h"

static void check_name(const char *name, size_t size)
{
	if (memchr(name, '\0', size) == NULL || !gm_text_is_utf8(name))
		abort();
}

static void parse_node(const char *text, size_t size)
{
	struct gm_procfs_cpu cpu;
	struct gm_procfs_memory memory;
	struct gm_procfs_pressure pressure;
	double load[3];
	uint64_t in, out;

	(void)gm_procfs_parse_stat(text, size, &cpu);
	gm_procfs_parse_meminfo(text, size, &memory);
	(void)gm_procfs_parse_loadavg(text, size, load);
	(void)gm_procfs_parse_vmstat(text, size, &in, &out);
	gm_procfs_parse_pressure(text, size, &pressure);
	(void)gm_procfs_parse_machine_checks(text, size, &in);
	(void)gm_procfs_parse_count(text, size, &in);
	(void)gm_procfs_parse_softnet(text, size, &in, &out);
	(void)gm_procfs_find_number(text, size, "numa_miss", &in);
}

static void parse_process(const char *text, size_t size)
{
	struct gm_procfs_process process;
	uint8_t uuid[GM_UUID_SIZE];
	uint64_t pages;
	char name[16], container[GM_NAME_SIZE], path[GM_PROCFS_CGROUP_PATH];

	for (int v1 = 0; v1 < 2; v1++) {
		if (gm_procfs_parse_cgroup(text, size, v1 ? "memory" : NULL, path) &&
		    (memchr(path, '\0', sizeof(path)) == NULL || path[0] != '/'))
			abort();
	}
	if (gm_procfs_parse_container(text, size, container) == 0)
		check_name(container, sizeof(container));
	(void)gm_procfs_is_trusted(text, size);
	(void)gm_procfs_parse_anonymous(text, size, &pages);
	(void)gm_procfs_in_container(text, size);
	(void)gm_procfs_parse_process(text, size, &process);
	(void)gm_procfs_parse_cmdline(text, size, uuid);
	if (gm_procfs_parse_name(text, size, name, sizeof(name)) == 0)
		check_name(name, sizeof(name));
	gm_procfs_parse_program(text, size, name, sizeof(name));
	check_name(name, sizeof(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct gm_procfs_disk disk;
	size_t at = 0;

	if (size == 0)
		return 0;
	parse_node(text, size);
	parse_process(text, size);
	while (gm_procfs_next_disk(text, size, &at, &disk)) {
		if (at > size || memchr(disk.name, '\0', sizeof(disk.name)) == NULL)
			abort();
	}
	return 0;
}
