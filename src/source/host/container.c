/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container; see container.h. Called by host/processes.c.
 *
 * CPU time and memory in use are told by files of a few octets. The statistics that the anonymous memory
 * is among cost ten times as much: they are read when the memory in use has changed, and once a second.
 */
#include "source/host/container.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/host/family.h"
#include "source/host/procfs.h"

#define SELDOM GM_SECOND

struct gm_host_container {
	struct gm_host_file cpu; /* none: the family tells all */
	struct gm_host_file memory, threads, tasks;
	const char *anonymous; /* its name in the statistics of memory */
	bool cpu_v2;
	uint64_t bytes;                /* in use when those were read */
	int64_t memory_due, tasks_due; /* monotonic */
	struct gm_host_family *family;
	uint64_t tick_ns, page_size;
};

static const struct gm_host_cgroup_wish
	cpu_wish = {.controller = "cpuacct", .v1 = "cpuacct.usage", .v2 = "cpu.stat"},
	memory_wish = {.controller = "memory", .v1 = "memory.stat", .v2 = "memory.stat"},
	threads_wish = {.controller = "pids", .v1 = "pids.current", .v2 = "pids.current"},
	/* Where nobody counts them: a line each, without those of groups inside. */
	tasks_wish = {.controller = "cpuacct", .v1 = "tasks", .v2 = "cgroup.threads"};

static void open_group(struct gm_host_container *container, const struct gm_host_cgroup *group,
		       struct gm_host_held *held)
{
	struct gm_host_held seldom = {0}; /* what is read seldom is opened then */

	container->cpu_v2 =
		gm_host_cgroup_open(group, &cpu_wish, held, &container->cpu) == GM_HOST_CGROUP_V2;
	if (container->cpu.path == NULL) {
		return;
	}
	enum gm_host_cgroup_version version =
		gm_host_cgroup_open(group, &memory_wish, &seldom, &container->memory);

	container->anonymous = version == GM_HOST_CGROUP_V1 ? "total_rss" : "anon";
	if (gm_host_cgroup_open(group, &threads_wish, held, &container->threads) ==
	    GM_HOST_CGROUP_NONE) {
		(void)gm_host_cgroup_open(group, &tasks_wish, &seldom, &container->tasks);
	}
}

struct gm_host_container *gm_host_container_create(const char *proc, int pid,
						   const struct gm_host_cgroup *group,
						   struct gm_host_held *held)
{
	struct gm_host_container *container = calloc(1, sizeof(*container));

	if (container == NULL) {
		return NULL;
	}
	container->tick_ns = (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK));
	container->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	container->memory = container->threads = container->tasks = GM_HOST_NO_FILE;
	open_group(container, group, held);
	if (container->cpu.path == NULL) {
		container->family = gm_host_family_create(proc, pid);
		if (container->family == NULL) {
			free(container);
			return NULL;
		}
	}
	return container;
}

void gm_host_container_free(struct gm_host_container *container, struct gm_host_held *held)
{
	if (container == NULL) {
		return;
	}
	gm_host_family_free(container->family);
	gm_host_file_close(&container->tasks, held);
	gm_host_file_close(&container->threads, held);
	gm_host_file_close(&container->memory, held);
	gm_host_file_close(&container->cpu, held);
	free(container);
}

void gm_host_container_search(struct gm_host_container *container, char *buffer, size_t size)
{
	if (container->family != NULL) {
		gm_host_family_search(container->family, buffer, size);
	}
}

/* ns. 0, or a negative errno. */
static int read_cpu(const struct gm_host_container *container, char *buffer, size_t size,
		    uint64_t *ret_ns)
{
	ssize_t length = gm_host_file_read(&container->cpu, buffer, size);
	uint64_t time;

	if (length < 0) {
		return (int)length;
	}
	if (!container->cpu_v2) {
		return gm_procfs_parse_count(buffer, (size_t)length, ret_ns) ? 0 : -EPROTO;
	}
	if (!gm_procfs_find_number(buffer, (size_t)length, "usage_usec", &time) ||
	    time > UINT64_MAX / 1000) {
		return -EPROTO;
	}
	*ret_ns = time * 1000;
	return 0;
}

static void add_anonymous(struct gm_host_container *container, uint64_t bytes, int64_t now,
			  char *buffer, size_t size, struct gm_batch *batch)
{
	ssize_t length;
	uint64_t anonymous;

	if (container->memory.path == NULL ||
	    (bytes == container->bytes && now < container->memory_due)) {
		return;
	}
	container->memory_due = now + SELDOM;
	container->bytes = bytes;
	length = gm_host_file_read(&container->memory, buffer, size);
	if (length > 0 &&
	    gm_procfs_find_number(buffer, (size_t)length, container->anonymous, &anonymous)) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_RESIDENT, (double)anonymous);
	}
}

static void add_threads(struct gm_host_container *container, int64_t now, char *buffer, size_t size,
			struct gm_batch *batch)
{
	ssize_t length = gm_host_file_read(&container->threads, buffer, size);
	uint64_t count = 0;

	if (length > 0 && gm_procfs_parse_count(buffer, (size_t)length, &count)) {
		gm_batch_gauge(batch, GM_METRIC_PROCESS_THREADS, (double)count);
	}
	if (container->tasks.path == NULL || now < container->tasks_due) {
		return;
	}
	container->tasks_due = now + SELDOM;
	length = gm_host_file_read(&container->tasks, buffer, size);
	for (ssize_t i = 0; i < length; i++) {
		count += buffer[i] == '\n';
	}
	if (length > 0 && (size_t)length < size) {
		gm_batch_gauge(batch, GM_METRIC_PROCESS_THREADS, (double)count);
	}
}

static void add_family(struct gm_host_container *container, char *buffer, size_t size,
		       struct gm_batch *batch)
{
	struct gm_host_family_sum sum;

	gm_host_family_read(container->family, buffer, size, &sum);
	if (sum.whole) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_RESIDENT,
			       (double)sum.anonymous * (double)container->page_size);
		gm_batch_counter(batch, GM_METRIC_PROCESS_CPU, sum.cpu_ticks * container->tick_ns);
		gm_batch_gauge(batch, GM_METRIC_PROCESS_THREADS, (double)sum.threads);
	}
}

bool gm_host_container_read(struct gm_host_container *container, const uint8_t uuid[GM_UUID_SIZE],
			    struct gm_host_account *account, int64_t now, char *buffer, size_t size,
			    struct gm_batch *batch)
{
	struct gm_entity_key key = gm_entity_guest(uuid);
	uint64_t cpu = 0;

	if (container->family == NULL && read_cpu(container, buffer, size, &cpu) < 0) {
		return false;
	}
	int64_t time = gm_clock_now();
	if (!gm_batch_frame(batch, &key, time, time, 0)) {
		return true;
	}
	if (container->family != NULL) {
		add_family(container, buffer, size, batch);
	} else {
		gm_batch_counter(batch, GM_METRIC_PROCESS_CPU, cpu);
	}
	(void)gm_host_account_read(account, now, buffer, size, batch);
	if (container->family == NULL) {
		add_anonymous(container, account->bytes, now, buffer, size, batch);
		add_threads(container, now, buffer, size, batch);
	}
	return true;
}
