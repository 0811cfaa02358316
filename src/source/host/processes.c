/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guests' processes; see processes.h. It asks nobody: who a container is it knows when libvirt has
 * told of it. Called by host/host.c.
 */
#define HASH_NONFATAL_OOM 1
#include "source/host/processes.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uthash.h>

#include "base/clock.h"
#include "source/host/account.h"
#include "source/host/container.h"
#include "source/host/files.h"
#include "source/host/procfs.h"
#include "source/host/procfs_container.h"

/*
 * How many scans look at a process that is no guest: between fork and exec a new qemu still has the
 * command line of its parent.
 */
enum { LOOKS = 10 };

/* Readings between two accounts of when a guest's process was started. */
enum { STARTS_EVERY = 10 };

struct process {
	int pid;
	int looks;
	bool listed;
	bool guest; /* a guest's process: all below holds */
	uint8_t uuid[GM_UUID_SIZE];
	uint64_t start_time;
	struct gm_host_file stat;
	struct gm_host_account account;
	struct gm_host_container *container; /* NULL: a machine, which is this process alone */
	char *name;                          /* of the container */
	int64_t proportional_due;            /* monotonic */
	UT_hash_handle hh;
};

struct gm_host_processes {
	char proc[PATH_MAX], sys[PATH_MAX];
	int64_t proportional; /* ns between two readings, 0: none */
	bool looked;          /* this time, at one of them */
	struct process *by_pid;
	struct gm_heard *names; /* the caller's */
	struct gm_host_held held;
	uint64_t tick_ns, page_size;
	uint64_t readings;
};

struct gm_host_processes *gm_host_processes_create(const char *proc, const char *sys,
						   int64_t proportional, struct gm_heard *names)
{
	struct gm_host_processes *processes = calloc(1, sizeof(*processes));

	if (processes == NULL) {
		return NULL;
	}
	snprintf(processes->proc, sizeof(processes->proc), "%s", proc);
	snprintf(processes->sys, sizeof(processes->sys), "%s", sys);
	processes->proportional = proportional;
	processes->names = names;
	processes->held = gm_host_held_init();
	processes->tick_ns = (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK));
	processes->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	return processes;
}

static void let_go(struct gm_host_processes *processes, struct process *process)
{
	gm_host_container_free(process->container, &processes->held);
	process->container = NULL;
	free(process->name);
	process->name = NULL;
	gm_host_account_close(&process->account, &processes->held);
	gm_host_file_close(&process->stat, &processes->held);
	process->guest = false;
}

static void forget(struct gm_host_processes *processes, struct process *process)
{
	HASH_DEL(processes->by_pid, process);
	let_go(processes, process);
	free(process);
}

void gm_host_processes_free(struct gm_host_processes *processes)
{
	struct process *process, *next;

	if (processes == NULL) {
		return;
	}
	HASH_ITER (hh, processes->by_pid, process, next) {
		forget(processes, process);
	}
	free(processes);
}

static struct process *add(struct gm_host_processes *processes, int pid)
{
	struct process *process = calloc(1, sizeof(*process));

	if (process == NULL) {
		return NULL;
	}
	process->pid = pid;
	process->stat = process->account.memory = GM_HOST_NO_FILE;
	HASH_ADD_INT(processes->by_pid, pid, process);
	if (process->hh.tbl == NULL) { /* out of memory: it is not in the table */
		free(process);
		return NULL;
	}
	return process;
}

static bool has_guest(const struct gm_host_processes *processes, const uint8_t uuid[GM_UUID_SIZE])
{
	const struct process *process;

	for (process = processes->by_pid; process != NULL; process = process->hh.next) {
		if (process->guest && memcmp(process->uuid, uuid, GM_UUID_SIZE) == 0) {
			return true;
		}
	}
	return false;
}

/* Reads the statistics of a process, which is then known by its start time. */
static int read_stat(const struct gm_host_processes *processes, const struct process *process,
		     char *buffer, size_t size, struct gm_procfs_process *ret_seen)
{
	ssize_t length =
		process->stat.path != NULL
			? gm_host_file_read(&process->stat, buffer, size)
			: gm_host_read_process(processes->proc, process->pid, "stat", buffer, size);

	return length < 0 ? (int)length : gm_procfs_parse_process(buffer, (size_t)length, ret_seen);
}

/* Of a machine: its statistics are read often. */
static void open_stat(struct gm_host_processes *processes, struct process *process)
{
	char name[PATH_MAX + 32];

	snprintf(name, sizeof(name), "%s/%d/stat", processes->proc, process->pid);
	(void)gm_host_file_open(&process->stat, name, &processes->held);
}

/*
 * Takes note of a process that was found to be a guest's. `name`: of a container, else NULL. Where it fails
 * the next scan looks again.
 */
static void adopt(struct gm_host_processes *processes, struct process *process,
		  const uint8_t uuid[GM_UUID_SIZE], const char *name, char *buffer, size_t size)
{
	struct gm_procfs_process seen;

	if (name == NULL) {
		open_stat(processes, process);
	}
	if (read_stat(processes, process, buffer, size, &seen) < 0) {
		let_go(processes, process);
		return;
	}
	ssize_t length =
		gm_host_read_process(processes->proc, process->pid, "cgroup", buffer, size);
	struct gm_host_cgroup group = {processes->sys, buffer, length > 0 ? (size_t)length : 0};

	gm_host_account_open(&process->account, &group, &processes->held);
	if (name != NULL) {
		process->name = strdup(name);
		process->container = gm_host_container_create(processes->proc, process->pid, &group,
							      &processes->held);
		if (process->name == NULL || process->container == NULL) {
			let_go(processes, process);
			return;
		}
		gm_host_container_search(process->container, buffer, size);
	}
	memcpy(process->uuid, uuid, GM_UUID_SIZE);
	process->start_time = seen.start_time;
	process->guest = true;
}

/* Whether what a process says of itself is to be believed: not what runs in somebody's container. */
static bool is_in_container(const struct gm_host_processes *processes, int pid, char *buffer,
			    size_t size)
{
	ssize_t length = gm_host_read_process(processes->proc, pid, "cgroup", buffer, size);

	return length > 0 && gm_procfs_in_container(buffer, (size_t)length);
}

static bool is_trusted(const struct gm_host_processes *processes, int pid, char *buffer,
		       size_t size)
{
	ssize_t length = gm_host_read_process(processes->proc, pid, "status", buffer, size);

	return length > 0 && gm_procfs_is_trusted(buffer, (size_t)length);
}

static void look(struct gm_host_processes *processes, struct process *process, char *buffer,
		 size_t size)
{
	char name[GM_NAME_SIZE];
	uint8_t uuid[GM_UUID_SIZE];
	ssize_t read = gm_host_read_process(processes->proc, process->pid, "cmdline", buffer, size);
	size_t length = read > 0 ? (size_t)read : 0;
	bool machine = gm_procfs_parse_cmdline(buffer, length, uuid) == 0;
	bool container = !machine && gm_procfs_parse_container(buffer, length, name) == 0;

	machine = machine && !is_in_container(processes, process->pid, buffer, size);
	container = container && is_trusted(processes, process->pid, buffer, size);
	if (!machine && !container) {
		process->looks++;
		return;
	}
	/* A container that nobody has told of waits for that, however long it takes. */
	if (container && !gm_host_names_find(processes->names, name, uuid)) {
		return;
	}
	/*
	 * A second process of the same guest (a fork that has not yet called exec, a migration within
	 * the node) waits until the first is gone.
	 */
	if (!has_guest(processes, uuid)) {
		adopt(processes, process, uuid, container ? name : NULL, buffer, size);
	}
}

/*
 * A container's own process is not read with each tick, as a machine's is: whether it is the same, and still
 * who it was. A name is free when its container is gone, and libvirt may tell of the next one by then.
 */
static void look_again(struct gm_host_processes *processes, struct process *process, char *buffer,
		       size_t size)
{
	struct gm_procfs_process seen;
	uint8_t uuid[GM_UUID_SIZE];

	if (process->container == NULL) {
		return;
	}
	if (read_stat(processes, process, buffer, size, &seen) < 0 ||
	    seen.start_time != process->start_time || seen.state == 'Z' ||
	    !gm_host_names_find(processes->names, process->name, uuid) ||
	    memcmp(uuid, process->uuid, GM_UUID_SIZE) != 0) {
		let_go(processes, process);
		process->looks = 0;
		return;
	}
	gm_host_container_search(process->container, buffer, size);
}

static void forget_unlisted(struct gm_host_processes *processes)
{
	struct process *process, *next;

	HASH_ITER (hh, processes->by_pid, process, next) {
		if (!process->listed) {
			forget(processes, process);
		} else {
			process->listed = false;
		}
	}
}

int gm_host_processes_scan(struct gm_host_processes *processes, char *buffer, size_t size)
{
	DIR *folder = opendir(processes->proc);
	const struct dirent *entry;
	int rc = 0;

	if (folder == NULL) {
		return -errno;
	}
	while ((entry = readdir(folder)) != NULL) {
		int pid = gm_procfs_pid(entry->d_name);
		struct process *process;

		if (pid < 0) {
			continue;
		}
		HASH_FIND_INT(processes->by_pid, &pid, process);
		if (process == NULL) {
			process = add(processes, pid);
		}
		if (process == NULL) {
			rc = -ENOMEM;
			break;
		}
		process->listed = true;
		if (process->guest) {
			look_again(processes, process, buffer, size);
		} else if (process->looks < LOOKS) {
			look(processes, process, buffer, size);
		}
	}
	closedir(folder);
	if (rc == 0) {
		forget_unlisted(processes);
	}
	return rc;
}

/*
 * The kernel walks all of a guest's memory for it, which takes milliseconds per GiB: seldom, and one guest
 * at a time.
 */
static void read_proportional(struct gm_host_processes *processes, struct process *process,
			      int64_t now, char *buffer, size_t size, struct gm_batch *batch)
{
	ssize_t length;
	uint64_t kib;

	if (processes->proportional == 0 || processes->looked || now < process->proportional_due) {
		return;
	}
	process->proportional_due = now + processes->proportional;
	processes->looked = true;
	length = gm_host_read_process(processes->proc, process->pid, "smaps_rollup", buffer, size);
	if (length > 0 && gm_procfs_find_number(buffer, (size_t)length, "Pss:", &kib) &&
	    kib <= UINT64_MAX / 1024) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_PROPORTIONAL, (double)(kib * 1024));
	}
}

/* False: the process that was meant is gone. */
static bool read_machine(struct gm_host_processes *processes, struct process *process, char *buffer,
			 size_t size, struct gm_batch *batch)
{
	struct gm_entity_key key = gm_entity_guest(process->uuid);
	struct gm_procfs_process seen;
	int rc = read_stat(processes, process, buffer, size, &seen);
	int64_t now = gm_clock_now();

	if (rc < 0 || seen.start_time != process->start_time || seen.state == 'Z' ||
	    seen.state == 'X') {
		return false;
	}
	if (gm_batch_frame(batch, &key, now, now, 0)) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_RESIDENT,
			       (double)seen.resident * (double)processes->page_size);
		gm_batch_counter(batch, GM_METRIC_PROCESS_CPU, seen.cpu_ticks * processes->tick_ns);
		int64_t monotonic = gm_clock_monotonic();

		gm_batch_gauge(batch, GM_METRIC_PROCESS_THREADS, (double)seen.threads);
		(void)gm_host_account_read(&process->account, monotonic, buffer, size, batch);
		read_proportional(processes, process, monotonic, buffer, size, batch);
	}
	return true;
}

static bool read_process(struct gm_host_processes *processes, struct process *process, char *buffer,
			 size_t size, struct gm_batch *batch)
{
	if (process->container == NULL) {
		return read_machine(processes, process, buffer, size, batch);
	}
	return gm_host_container_read(process->container, process->uuid, &process->account,
				      gm_clock_monotonic(), buffer, size, batch);
}

/* In the node's time: the process's age, by the clock that its start is counted with. */
static void tell_start(const struct gm_host_processes *processes, const struct process *process,
		       struct gm_batch *batch)
{
	struct gm_note note = {.kind = GM_NOTE_STARTED, .time = gm_clock_now()};
	int64_t age = gm_clock_uptime() - (int64_t)(process->start_time * processes->tick_ns);

	memcpy(note.guest, process->uuid, GM_UUID_SIZE);
	note.value = (uint64_t)(note.time - (age > 0 ? age : 0));
	gm_batch_note(batch, &note);
}

uint32_t gm_host_processes_read(struct gm_host_processes *processes, char *buffer, size_t size,
				struct gm_batch *batch)
{
	struct process *process, *next;
	uint32_t answered = 0;
	bool starts = processes->readings++ % STARTS_EVERY == 0;

	processes->looked = false;
	HASH_ITER (hh, processes->by_pid, process, next) {
		if (!process->guest) {
			continue;
		}
		if (read_process(processes, process, buffer, size, batch)) {
			answered++;
			if (starts) {
				tell_start(processes, process, batch);
			}
		} else {
			forget(processes, process); /* the next scan finds who has the pid now */
		}
	}
	return answered;
}
