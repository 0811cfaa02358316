/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of /proc (proc(5)) taken apart. Pure: text in, numbers out; no file, no clock, no
 * allocation. The text needs no NUL and may be anything; a number that is not there is told as
 * absent, one that is too large is cut to the largest. Names are cut to fit.
 */
#ifndef GM_SOURCE_HOST_PROCFS_H
#define GM_SOURCE_HOST_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/entity.h"

/* /proc/stat: of all CPUs together, in clock ticks (sysconf(_SC_CLK_TCK)). */
struct gm_procfs_cpu {
	uint64_t user, nice, system, idle, wait, irq, softirq, steal; /* absent ones are 0 */
	uint32_t count;                                               /* CPUs listed */
};
int gm_procfs_parse_stat(const char *text, size_t length, struct gm_procfs_cpu *ret_cpu);

/* /proc/meminfo, in bytes. */
enum gm_procfs_memory_field {
	GM_PROCFS_MEM_TOTAL,
	GM_PROCFS_MEM_FREE,
	GM_PROCFS_MEM_AVAILABLE,
	GM_PROCFS_BUFFERS,
	GM_PROCFS_CACHED,
	GM_PROCFS_RECLAIMABLE,
	GM_PROCFS_SHMEM,
	GM_PROCFS_SWAP_TOTAL,
	GM_PROCFS_SWAP_FREE,
	GM_PROCFS_MEMORY_FIELDS
};
struct gm_procfs_memory {
	unsigned present; /* bits 1 << enum gm_procfs_memory_field */
	uint64_t bytes[GM_PROCFS_MEMORY_FIELDS];
};
void gm_procfs_parse_meminfo(const char *text, size_t length, struct gm_procfs_memory *ret_memory);

/* /proc/loadavg: averages over 1, 5 and 15 minutes. */
int gm_procfs_parse_loadavg(const char *text, size_t length, double ret_load[3]);

/* /proc/vmstat: pages read from and written to swap since the start. */
int gm_procfs_parse_vmstat(const char *text, size_t length, uint64_t *ret_in, uint64_t *ret_out);

/* The number after a name at the beginning of a line: /proc/vmstat, smaps_rollup, meminfo of a NUMA node. */
bool gm_procfs_find_number(const char *text, size_t length, const char *name, uint64_t *ret_number);

/*
 * /proc/net/softnet_stat: packets that were dropped because a CPU's backlog was full, and how often a CPU
 * ran out of time with packets left; of all CPUs. False when there is no such line.
 */
bool gm_procfs_parse_softnet(const char *text, size_t length, uint64_t *ret_dropped,
			     uint64_t *ret_squeezed);

/*
 * /proc/PID/cgroup: where the process is in the hierarchy of version 1 that has the controller, or (NULL) in
 * that of version 2. An absolute path; false where there is none, or none that can be used ("/../x").
 */
enum { GM_PROCFS_CGROUP_PATH = 1024 };
bool gm_procfs_parse_cgroup(const char *text, size_t length, const char *controller,
			    char path[GM_PROCFS_CGROUP_PATH]);

/* /proc/diskstats, one line at a time: times in ms, which the kernel wraps at 32 bits. */
struct gm_procfs_disk {
	char name[GM_DEVICE_NAME];
	uint64_t reads, read_sectors, writes, written_sectors; /* a sector is 512 octets, always */
	uint32_t read_ms, write_ms;
};
/*
 * Takes the next good line, starting at *at, and moves *at behind it; malformed ones and an unfinished
 * last one are skipped. False when there is none left.
 */
bool gm_procfs_next_disk(const char *text, size_t length, size_t *at,
			 struct gm_procfs_disk *ret_disk);

/* True when `name` is a partition of `disk`: sda1 of sda, nvme0n1p2 of nvme0n1. */
bool gm_procfs_is_partition(const char *name, const char *disk);

/* /proc/PID/stat. */
struct gm_procfs_process {
	char state;         /* 'R', 'S', 'Z', … */
	uint64_t cpu_ticks; /* user and system, of all threads */
	uint64_t threads;
	uint64_t start_time; /* ticks after boot: with the pid, the identity of a process */
	uint64_t resident;   /* pages; the same number as in statm */
};
int gm_procfs_parse_process(const char *text, size_t length, struct gm_procfs_process *ret_process);

/*
 * The name in /proc/PID/stat, as UTF-8, cut to fit: whatever the process called itself. 0, or -EPROTO when
 * there is none or it is empty.
 */
int gm_procfs_parse_name(const char *text, size_t length, char *name, size_t size);

/* The program of a /proc/PID/cmdline, without its folder; empty when there is none. */
void gm_procfs_parse_program(const char *text, size_t length, char *name, size_t size);

/* The number that is the whole name of a folder in /proc, or -1. */
int gm_procfs_pid(const char *name);

/*
 * /proc/pressure/{cpu,memory,io}: microseconds since the start in which some, and in which all, tasks
 * waited; GM_PROCFS_NO_PRESSURE for what is not told.
 */
#define GM_PROCFS_NO_PRESSURE UINT64_MAX
struct gm_procfs_pressure {
	uint64_t some_us, full_us;
};
void gm_procfs_parse_pressure(const char *text, size_t length,
			      struct gm_procfs_pressure *ret_pressure);

/* /proc/interrupts: machine check exceptions of all CPUs. False when no finished line tells them. */
bool gm_procfs_parse_machine_checks(const char *text, size_t length, uint64_t *ret_count);

/* /proc/PID/statm: pages of the process's own, which no file and no shared memory is behind. */
bool gm_procfs_parse_anonymous(const char *text, size_t length, uint64_t *ret_pages);

/* A file that is one number, as in /sys. */
bool gm_procfs_parse_count(const char *text, size_t length, uint64_t *ret_count);

/*
 * /proc/PID/cmdline of a guest's process: the program is a qemu ("qemu…", "…kvm…") and has an argument
 * "-uuid" with a UUID after it. A wrapper (sudo, timeout) that has the same arguments is none.
 * 0 or -ENOENT.
 */
int gm_procfs_parse_cmdline(const char *text, size_t length, uint8_t ret_uuid[GM_UUID_SIZE]);

#endif
