/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that the operator names; see named.h. A name is the kernel's (15 characters, without
 * arguments: those may hold secrets); one that was cut there is completed from the program's path.
 * Called by host/host.c.
 */
#define HASH_NONFATAL_OOM 1
#include "source/host/named.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uthash.h>

#include "base/clock.h"
#include "base/text.h"
#include "source/host/files.h"
#include "source/host/procfs.h"

/*
 * A process takes its name when it calls exec, or gives itself another one: it is looked at in so many
 * scans, and then in every sixtieth.
 */
enum { LOOKS = 10, LOOK_AGAIN = 60 };

enum { KERNEL_NAME = 15 }; /* octets: TASK_COMM_LEN less the NUL */

struct gm_host_known {
	int pid;
	unsigned looks;
	bool listed, followed;
	uint64_t start_time; /* of the process that is followed */
	struct gm_entity_key key;
	UT_hash_handle hh;
};

/* What one scan works with. */
struct scan {
	struct gm_host_named *named;
	char *buffer;
	size_t size;
	struct gm_batch *batch;
	const struct gm_source_sink *sink;
};

static size_t read_of(const struct scan *scan, int pid, const char *file)
{
	ssize_t length =
		gm_host_read_process(scan->named->proc, pid, file, scan->buffer, scan->size);

	return length > 0 ? (size_t)length : 0;
}

static struct gm_host_known *add(struct gm_host_named *named, int pid)
{
	struct gm_host_known *known = calloc(1, sizeof(*known));

	if (known == NULL) {
		return NULL;
	}
	known->pid = pid;
	HASH_ADD_INT(named->by_pid, pid, known);
	if (known->hh.tbl == NULL) { /* out of memory: it is not in the table */
		free(known);
		return NULL;
	}
	return known;
}

static void lose(const struct scan *scan, struct gm_host_known *known)
{
	if (known->followed) {
		scan->sink->gone(scan->sink->user, GM_SOURCE_HOST, &known->key, gm_clock_now());
		scan->named->followed--;
	}
	known->followed = false;
	known->looks = 0;
}

/* The program's own name where the kernel has cut it. */
static void complete_name(const struct scan *scan, int pid, char *name, size_t size)
{
	char full[sizeof(((struct gm_process_info *)0)->command)];
	size_t length;

	if (strlen(name) != KERNEL_NAME) {
		return;
	}
	length = read_of(scan, pid, "cmdline");
	gm_procfs_parse_program(scan->buffer, length, full, sizeof(full));
	if (strncmp(full, name, KERNEL_NAME) == 0) {
		gm_text_copy(name, size, full);
	}
}

static void follow(const struct scan *scan, struct gm_host_known *known, const char *name,
		   uint64_t start_time)
{
	struct gm_entity_info info;

	memset(&info, 0, sizeof(info));
	known->key = gm_entity_process(NULL, (uint32_t)known->pid, name);
	known->start_time = start_time;
	known->followed = true;
	scan->named->followed++;
	info.key = known->key;
	info.process.pid = (uint32_t)known->pid;
	gm_text_copy(info.process.command, sizeof(info.process.command), name);
	scan->sink->seen(scan->sink->user, GM_SOURCE_HOST, &info);
}

static bool is_dead(const struct gm_procfs_process *process)
{
	return process->state == 'Z' || process->state == 'X';
}

/* Whether the process that has the pid now is one to follow. */
static void look(const struct scan *scan, struct gm_host_known *known)
{
	size_t length = read_of(scan, known->pid, "stat");
	char name[sizeof(((struct gm_process_info *)0)->command)];
	struct gm_procfs_process process;

	known->looks++;
	/* Threads of the kernel have no memory. */
	if (gm_procfs_parse_process(scan->buffer, length, &process) < 0 || is_dead(&process) ||
	    process.resident == 0 ||
	    gm_procfs_parse_name(scan->buffer, length, name, sizeof(name)) < 0) {
		return;
	}
	complete_name(scan, known->pid, name, sizeof(name));
	if (!gm_text_match(scan->named->patterns, name)) {
		return;
	}
	if (scan->named->followed >= GM_HOST_NAMED_MAX) {
		scan->named->crowded = true;
		known->looks = 0; /* it is the next one when there is room */
		return;
	}
	follow(scan, known, name, process.start_time);
}

static void look_when_due(const struct scan *scan, struct gm_host_known *known)
{
	if (!known->followed && (known->looks < LOOKS || (unsigned)known->pid % LOOK_AGAIN ==
								 scan->named->scans % LOOK_AGAIN)) {
		look(scan, known);
	}
}

/* False: the process that was meant is gone. */
static bool emit(const struct scan *scan, const struct gm_host_known *known)
{
	struct gm_procfs_process process;
	size_t length = read_of(scan, known->pid, "stat");
	int64_t now = gm_clock_now();

	if (gm_procfs_parse_process(scan->buffer, length, &process) < 0 ||
	    process.start_time != known->start_time || is_dead(&process)) {
		return false;
	}
	if (gm_batch_frame(scan->batch, &known->key, now, now, 0)) {
		gm_batch_gauge(scan->batch, GM_METRIC_MEMORY_RESIDENT,
			       (double)process.resident * (double)sysconf(_SC_PAGESIZE));
		gm_batch_counter(scan->batch, GM_METRIC_CPU_TIME,
				 process.cpu_ticks * (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK)));
	}
	return true;
}

static void list(const struct scan *scan, DIR *folder)
{
	const struct dirent *entry;

	while ((entry = readdir(folder)) != NULL) {
		int pid = gm_procfs_pid(entry->d_name);
		struct gm_host_known *known;

		if (pid < 0) {
			continue;
		}
		HASH_FIND_INT(scan->named->by_pid, &pid, known);
		if (known == NULL) {
			known = add(scan->named, pid);
		}
		if (known != NULL) {
			known->listed = true;
		}
	}
}

/* Those that are gone make room before new ones are looked for. */
static void visit(const struct scan *scan)
{
	struct gm_host_known *known, *next;

	HASH_ITER (hh, scan->named->by_pid, known, next) {
		if (!known->listed) {
			lose(scan, known);
			HASH_DEL(scan->named->by_pid, known);
			free(known);
			continue;
		}
		known->listed = false;
		if (known->followed && !emit(scan, known)) {
			lose(scan, known);
		}
	}
	HASH_ITER (hh, scan->named->by_pid, known, next) {
		bool before = known->followed;

		look_when_due(scan, known);
		if (known->followed && !before && !emit(scan, known)) {
			lose(scan, known);
		}
	}
}

uint32_t gm_host_named_update(struct gm_host_named *named, char *buffer, size_t size,
			      struct gm_batch *batch, const struct gm_source_sink *sink)
{
	const struct scan scan = {named, buffer, size, batch, sink};
	DIR *folder;

	if (named->patterns[0] == '\0') {
		return 0;
	}
	folder = opendir(named->proc);
	if (folder == NULL) {
		return 0; /* nothing new is known: the next scan tells */
	}
	named->crowded = false;
	list(&scan, folder);
	closedir(folder);
	visit(&scan);
	named->scans++;
	return named->followed;
}

void gm_host_named_free(struct gm_host_named *named)
{
	struct gm_host_known *known, *next;

	HASH_ITER (hh, named->by_pid, known, next) {
		HASH_DEL(named->by_pid, known);
		free(known);
	}
	named->followed = 0;
}
