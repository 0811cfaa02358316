/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's control group; see account.h. Called by host/processes.c.
 *
 * Where libvirt puts a guest (libvirt's cgroups document): version 1
 * /machine/qemu-1-name.libvirt-qemu, with systemd and version 2
 * /machine.slice/machine-qemu-1-name.scope/libvirt/emulator, whose memory is accounted further up.
 */
#include "source/host/account.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/host/files.h"
#include "source/host/procfs.h"

enum { CLIMB_MAX = 3 };

/* As the node's own: see health.c. */
#define PRESSURE_INTERVAL (2 * GM_SECOND)

static const struct {
	bool v1;
	const char *root, *file; /* of the sys file system, of the control group */
} hierarchies[] = {
	{true, "fs/cgroup/memory", "memory.usage_in_bytes"},
	{false, "fs/cgroup", "memory.current"},
	{false, "fs/cgroup/unified", "memory.current"},
};

static const struct {
	const char *file;
	unsigned some, full;
} pressures[] = {
	{"cpu.pressure", GM_METRIC_PRESSURE_CPU_SOME, GM_METRIC_NONE},
	{"memory.pressure", GM_METRIC_PRESSURE_MEMORY_SOME, GM_METRIC_PRESSURE_MEMORY_FULL},
	{"io.pressure", GM_METRIC_PRESSURE_IO_SOME, GM_METRIC_PRESSURE_IO_FULL},
};

/*
 * Whether a group is one guest's: a process that libvirt did not start shares its group with
 * others, whose memory is not the guest's.
 */
static bool is_of_a_guest(const char *path)
{
	const char *last = strrchr(path, '/');

	if (last == NULL || strcmp(last, "/machine") == 0 || strcmp(last, "/machine.slice") == 0) {
		return false;
	}
	return strstr(path, "/machine") != NULL || strstr(path, "/qemu-") != NULL;
}

/* The nearest group from `path` upwards that has its memory accounted. `path` is cut. */
static int find_memory(const char *root, const char *file, char *path, char name[PATH_MAX])
{
	for (int i = 0; i < CLIMB_MAX && is_of_a_guest(path); i++) {
		int length = snprintf(name, PATH_MAX, "%s%s/%s", root, path, file);
		int fd = length > 0 && length < PATH_MAX ? open(name, O_RDONLY | O_CLOEXEC) : -1;

		if (fd >= 0) {
			return fd;
		}
		*strrchr(path, '/') = '\0';
	}
	return -1;
}

void gm_host_account_open(struct gm_host_account *account, const char *sys, bool hold,
			  const char *text, size_t length)
{
	char path[GM_PROCFS_CGROUP_PATH], root[PATH_MAX], name[PATH_MAX];
	int fd = -1;

	*account = (struct gm_host_account){.memory_fd = -1};
	for (size_t i = 0; fd < 0 && i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
		bool v1 = hierarchies[i].v1;

		if (!gm_procfs_parse_cgroup(text, length, v1, path)) {
			continue;
		}
		snprintf(root, sizeof(root), "%s/%s", sys, hierarchies[i].root);
		fd = find_memory(root, hierarchies[i].file, path, name);
		if (fd < 0) {
			continue;
		}
		account->memory = strdup(name);
		*strrchr(name, '/') = '\0';
		account->folder = v1 ? NULL : strdup(name);
	}
	if (fd >= 0 && hold && account->memory != NULL) {
		account->memory_fd = fd;
	} else if (fd >= 0) {
		close(fd);
	}
}

void gm_host_account_close(struct gm_host_account *account)
{
	if (account->memory_fd >= 0) {
		close(account->memory_fd);
	}
	free(account->memory);
	free(account->folder);
	*account = (struct gm_host_account){.memory_fd = -1};
}

static void add_stalled(struct gm_batch *batch, unsigned metric, uint64_t stalled_us)
{
	if (metric != GM_METRIC_NONE && stalled_us != GM_PROCFS_NO_PRESSURE &&
	    stalled_us <= UINT64_MAX / 1000) {
		gm_batch_counter(batch, metric, stalled_us * 1000);
	}
}

static void read_pressure(const struct gm_host_account *account, char *buffer, size_t size,
			  struct gm_batch *batch)
{
	for (size_t i = 0; i < sizeof(pressures) / sizeof(pressures[0]); i++) {
		struct gm_procfs_pressure pressure;
		int fd = gm_host_open(account->folder, pressures[i].file);
		ssize_t length;

		if (fd < 0) {
			continue;
		}
		length = gm_host_read(fd, buffer, size);
		close(fd);
		gm_procfs_parse_pressure(buffer, length > 0 ? (size_t)length : 0, &pressure);
		add_stalled(batch, pressures[i].some, pressure.some_us);
		add_stalled(batch, pressures[i].full, pressure.full_us);
	}
}

static ssize_t read_memory(const struct gm_host_account *account, char *buffer, size_t size)
{
	int fd = account->memory_fd;
	ssize_t length;

	if (account->memory == NULL) {
		return 0;
	}
	if (fd < 0) {
		fd = open(account->memory, O_RDONLY | O_CLOEXEC);
	}
	length = fd < 0 ? 0 : gm_host_read(fd, buffer, size);
	if (fd >= 0 && fd != account->memory_fd) {
		close(fd);
	}
	return length;
}

void gm_host_account_read(struct gm_host_account *account, int64_t now, char *buffer, size_t size,
			  struct gm_batch *batch)
{
	ssize_t length = read_memory(account, buffer, size);
	uint64_t bytes;

	if (length > 0 && gm_procfs_parse_count(buffer, (size_t)length, &bytes)) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_CGROUP, (double)bytes);
	}
	if (account->folder != NULL && now >= account->pressure_due) {
		account->pressure_due = now + PRESSURE_INTERVAL;
		read_pressure(account, buffer, size, batch);
	}
}
