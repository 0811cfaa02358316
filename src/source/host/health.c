/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hardware errors and pressure; see health.h. Files are opened for each reading: a driver that is
 * loaded later is seen then. Called by host/host.c.
 *
 * Memory errors are those of the kernel's EDAC drivers (Documentation/admin-guide/ras.rst): one folder
 * per memory controller. Machine checks are counted where the kernel has such a line in
 * /proc/interrupts, which is on x86; /sys/devices/system/machinecheck has settings alone.
 */
#include "source/host/health.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/host/files.h"
#include "source/host/pressure.h"
#include "source/host/procfs.h"

/* The whole of /proc/interrupts has to be made for one line of it. */
#define HARDWARE_INTERVAL (10 * GM_SECOND)

/* Adds the number in a file of `folder` to *sum, which stays below its largest. */
static bool add_count(const char *folder, const char *controller, const char *file, uint64_t *sum)
{
	char name[NAME_MAX + 16], text[32];
	ssize_t length;
	uint64_t count;

	snprintf(name, sizeof(name), "%s/%s", controller, file);
	length = gm_host_read_once(folder, name, text, sizeof(text));
	if (length < 0 || !gm_procfs_parse_count(text, (size_t)length, &count)) {
		return false;
	}
	*sum = count > UINT64_MAX - *sum ? UINT64_MAX : *sum + count;
	return true;
}

/* "mc0", "mc12": a memory controller's folder. */
static bool is_controller(const char *name)
{
	return strncmp(name, "mc", 2) == 0 && name[2] != '\0' &&
	       name[2 + strspn(name + 2, "0123456789")] == '\0';
}

static void read_memory_errors(const struct gm_host_health *health, struct gm_batch *batch)
{
	uint64_t corrected = 0, uncorrected = 0;
	bool has_corrected = false, has_uncorrected = false;
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *folder;

	snprintf(path, sizeof(path), "%s/devices/system/edac/mc", health->sys);
	folder = opendir(path);
	if (folder == NULL) {
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		if (is_controller(entry->d_name)) {
			has_corrected |= add_count(path, entry->d_name, "ce_count", &corrected);
			has_uncorrected |= add_count(path, entry->d_name, "ue_count", &uncorrected);
		}
	}
	closedir(folder);
	if (has_corrected) {
		gm_batch_counter(batch, GM_METRIC_HW_MEMORY_CORRECTED, corrected);
	}
	if (has_uncorrected) {
		gm_batch_counter(batch, GM_METRIC_HW_MEMORY_UNCORRECTED, uncorrected);
	}
}

/* The file may be longer than any buffer: it is looked at piece by piece, in whole lines. */
static bool find_machine_checks(int fd, char *buffer, size_t size, uint64_t *ret_count)
{
	size_t kept = 0;
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, buffer + kept, size - kept, at)) > 0) {
		const char *end;
		size_t whole;

		at += got;
		kept += (size_t)got;
		if (gm_procfs_parse_machine_checks(buffer, kept, ret_count)) {
			return true;
		}
		end = memrchr(buffer, '\n', kept);
		whole = end != NULL ? (size_t)(end + 1 - buffer) : 0;
		memmove(buffer, buffer + whole, kept - whole);
		kept -= whole;
		if (kept == size) {
			kept = 0; /* a line longer than the buffer is not the one that is looked for */
		}
	}
	return false;
}

static void read_machine_checks(const struct gm_host_health *health, char *buffer, size_t size,
				struct gm_batch *batch)
{
	int fd = gm_host_open(health->proc, "interrupts");
	uint64_t count;

	if (fd < 0) {
		return;
	}
	if (find_machine_checks(fd, buffer, size, &count)) {
		gm_batch_counter(batch, GM_METRIC_HW_MACHINE_CHECKS, count);
	}
	close(fd);
}

void gm_host_health_read(struct gm_host_health *health, int64_t now, char *buffer, size_t size,
			 struct gm_batch *batch)
{
	if (now >= health->pressure_due) {
		health->pressure_due = now + GM_HOST_PRESSURE_INTERVAL;
		gm_host_pressure_read(health->proc, "pressure/cpu", "pressure/memory",
				      "pressure/io", buffer, size, batch);
	}
	if (now >= health->hardware_due) {
		health->hardware_due = now + HARDWARE_INTERVAL;
		read_memory_errors(health, batch);
		read_machine_checks(health, buffer, size, batch);
	}
}
