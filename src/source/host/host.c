/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host source; see host.h: which files are read when, and what of them goes into the node's frame.
 * What the files mean is host/procfs.c; disks and guests' processes have files of their own. Run by
 * source/runner.c.
 */
#include "source/host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/host/cores.h"
#include "source/host/disks.h"
#include "source/host/files.h"
#include "source/host/health.h"
#include "source/host/named.h"
#include "source/host/processes.h"
#include "source/host/procfs.h"
#include "source/host/uneven.h"

/* A node with a thousand CPUs and disks fits; what does not is cut, and the parsers bear it. */
enum { BUFFER_SIZE = 256 * 1024 };

#define SCAN_INTERVAL GM_SECOND

enum node_file {
	FILE_STAT,
	FILE_MEMINFO,
	FILE_LOADAVG,
	FILE_VMSTAT,
	FILE_SOFTNET,
	FILE_DISKSTATS,
	FILES
};

static const char *const file_names[FILES] = {
	[FILE_STAT] = "stat",
	[FILE_MEMINFO] = "meminfo",
	[FILE_LOADAVG] = "loadavg",
	[FILE_VMSTAT] = "vmstat",
	[FILE_SOFTNET] = "net/softnet_stat",
	[FILE_DISKSTATS] = "diskstats",
};

struct host {
	struct gm_source base;
	struct gm_host_options options;
	struct gm_heard *names; /* told by hear() on other threads */
	struct gm_host_processes *processes;
	struct gm_host_named named;
	struct gm_host_disks disks;
	struct gm_host_health health;
	struct gm_host_uneven uneven;
	struct gm_host_cores cores;
	int files[FILES]; /* -1: there is no such file here */
	char *buffer;     /* BUFFER_SIZE */
	int64_t scan_due; /* monotonic */
	uint64_t tick_ns, page_size;
	uint64_t idle, wait; /* the largest so far, see add_cpu() */
};

const struct gm_option gm_host_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_host_options, enabled),
	 .fallback = "true",
	 .help = "Sample the node itself and its guests' processes."},
	{.key = "interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_host_options, interval),
	 .min = 1e7,
	 .max = 6e10,
	 .fallback = "100ms",
	 .help = "Time between two samples."},
	{.key = "disks",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_host_options, disks),
	 .fallback = "*,!loop*,!ram*,!dm-*,!sr*",
	 .help = "Disks to sample, partitions never: patterns with * and ?, separated by commas; "
		 "! excludes."},
	{.key = "processes",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_host_options, processes),
	 .fallback = "",
	 .help = "Processes of the node to watch once a second, 64 at most: names without path "
		 "and arguments, patterns as above."},
	{.key = "cores-interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_host_options, cores_interval),
	 .min = 0,
	 .max = 3600e9,
	 .fallback = "1s",
	 .help = "Time between two samples of each CPU and each memory node; 0: none are kept of "
		 "them."},
	{.key = "proportional-interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_host_options, proportional_interval),
	 .min = 0,
	 .max = 86400e9,
	 .fallback = "0",
	 .help = "Time between two readings of a guest's proportional memory, for which the kernel "
		 "walks through all of it, milliseconds per GiB: minutes; 0: never."},
	{.key = "proc",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_host_options, proc),
	 .fallback = "/proc",
	 .help = "Where the proc file system of the node is mounted."},
	{.key = "sys",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_host_options, sys),
	 .fallback = "/sys",
	 .help = "Where the sys file system of the node is mounted."},
	GM_OPTION_END};

static struct host *to_host(struct gm_source *source)
{
	return (struct host *)source;
}

/* The contents of one of the node's files in the buffer: the length, 0 when it cannot be had. */
static size_t read_file(struct host *host, enum node_file file)
{
	ssize_t length;

	if (host->files[file] < 0) {
		return 0;
	}
	length = gm_host_read(host->files[file], host->buffer, BUFFER_SIZE);
	return length > 0 ? (size_t)length : 0;
}

static uint64_t at_least(uint64_t *largest, uint64_t now)
{
	*largest = now > *largest ? now : *largest;
	return *largest;
}

static void add_cpu(struct host *host, const struct gm_procfs_cpu *cpu, struct gm_batch *batch)
{
	uint64_t user = cpu->user + cpu->nice;
	uint64_t system = cpu->system + cpu->irq + cpu->softirq;

	/* The kernel may take back a little idle and iowait time (proc(5)): no reset of a counter. */
	uint64_t idle = at_least(&host->idle, cpu->idle);
	uint64_t wait = at_least(&host->wait, cpu->wait);

	gm_batch_counter(batch, GM_METRIC_CPU_TIME, (user + system + cpu->steal) * host->tick_ns);
	gm_batch_counter(batch, GM_METRIC_CPU_USER, user * host->tick_ns);
	gm_batch_counter(batch, GM_METRIC_CPU_SYSTEM, system * host->tick_ns);
	gm_batch_counter(batch, GM_METRIC_CPU_IDLE, idle * host->tick_ns);
	gm_batch_counter(batch, GM_METRIC_CPU_WAIT, wait * host->tick_ns);
	gm_batch_counter(batch, GM_METRIC_CPU_STEAL, cpu->steal * host->tick_ns);
	gm_batch_gauge(batch, GM_METRIC_CPU_COUNT, (double)cpu->count);
}

static bool has(const struct gm_procfs_memory *memory, enum gm_procfs_memory_field field)
{
	return (memory->present & 1U << field) != 0;
}

static void add_gauge_of(struct gm_batch *batch, unsigned metric,
			 const struct gm_procfs_memory *memory, enum gm_procfs_memory_field field)
{
	if (has(memory, field)) {
		gm_batch_gauge(batch, metric, (double)memory->bytes[field]);
	}
}

/* What of `from` is not in `part`; left out when either is unknown or they contradict each other. */
static void add_difference(struct gm_batch *batch, unsigned metric,
			   const struct gm_procfs_memory *memory, enum gm_procfs_memory_field from,
			   enum gm_procfs_memory_field part)
{
	if (has(memory, from) && has(memory, part) && memory->bytes[from] >= memory->bytes[part]) {
		gm_batch_gauge(batch, metric, (double)(memory->bytes[from] - memory->bytes[part]));
	}
}

static void add_memory(const struct gm_procfs_memory *memory, struct gm_batch *batch)
{
	const uint64_t *bytes = memory->bytes;

	add_gauge_of(batch, GM_METRIC_MEMORY_TOTAL, memory, GM_PROCFS_MEM_TOTAL);
	add_gauge_of(batch, GM_METRIC_MEMORY_AVAILABLE, memory, GM_PROCFS_MEM_AVAILABLE);
	add_gauge_of(batch, GM_METRIC_MEMORY_UNUSED, memory, GM_PROCFS_MEM_FREE);
	add_gauge_of(batch, GM_METRIC_SWAP_TOTAL, memory, GM_PROCFS_SWAP_TOTAL);
	add_difference(batch, GM_METRIC_MEMORY_USED, memory, GM_PROCFS_MEM_TOTAL,
		       GM_PROCFS_MEM_AVAILABLE);
	add_difference(batch, GM_METRIC_SWAP_USED, memory, GM_PROCFS_SWAP_TOTAL,
		       GM_PROCFS_SWAP_FREE);
	if (has(memory, GM_PROCFS_CACHED)) {
		/* Shared memory is counted as cached, but nothing can drop it. */
		uint64_t cached = bytes[GM_PROCFS_BUFFERS] + bytes[GM_PROCFS_CACHED] +
				  bytes[GM_PROCFS_RECLAIMABLE];
		uint64_t shared = bytes[GM_PROCFS_SHMEM];

		gm_batch_gauge(batch, GM_METRIC_MEMORY_CACHED,
			       cached > shared ? (double)(cached - shared) : 0);
	}
}

static void add_swapping(struct host *host, size_t length, struct gm_batch *batch)
{
	uint64_t in, out;

	if (gm_procfs_parse_vmstat(host->buffer, length, &in, &out) == 0) {
		gm_batch_counter(batch, GM_METRIC_SWAP_IN, in * host->page_size);
		gm_batch_counter(batch, GM_METRIC_SWAP_OUT, out * host->page_size);
	}
	if (gm_procfs_find_number(host->buffer, length, "numa_miss", &in)) {
		gm_batch_counter(batch, GM_METRIC_NUMA_MISS, in);
	}
}

static void add_softnet(struct host *host, size_t length, struct gm_batch *batch)
{
	uint64_t dropped, squeezed;

	if (gm_procfs_parse_softnet(host->buffer, length, &dropped, &squeezed)) {
		gm_batch_counter(batch, GM_METRIC_SOFTNET_DROPPED, dropped);
		gm_batch_counter(batch, GM_METRIC_SOFTNET_SQUEEZED, squeezed);
	}
}

static void add_load(struct host *host, size_t length, struct gm_batch *batch)
{
	double load[3];

	if (gm_procfs_parse_loadavg(host->buffer, length, load) == 0) {
		gm_batch_gauge(batch, GM_METRIC_LOAD_1, load[0]);
		gm_batch_gauge(batch, GM_METRIC_LOAD_5, load[1]);
		gm_batch_gauge(batch, GM_METRIC_LOAD_15, load[2]);
	}
}

/* The node's frame. Only the CPUs' times are indispensable. */
static int read_node(struct host *host, struct gm_batch *batch)
{
	struct gm_entity_key node = gm_entity_node();
	size_t length = read_file(host, FILE_STAT);
	int64_t now = gm_clock_now();
	struct gm_procfs_cpu cpu;
	struct gm_procfs_memory memory;
	int rc = gm_procfs_parse_stat(host->buffer, length, &cpu);

	if (rc < 0) {
		return rc;
	}
	if (!gm_batch_frame(batch, &node, now, now, 0)) {
		return -ENOMEM;
	}
	add_cpu(host, &cpu, batch);
	gm_host_uneven_read(&host->uneven, gm_clock_monotonic(), host->buffer, length, batch);
	gm_host_cores_take(&host->cores, gm_clock_monotonic(), now, host->buffer, length);
	length = read_file(host, FILE_MEMINFO);
	gm_procfs_parse_meminfo(host->buffer, length, &memory);
	add_memory(&memory, batch);
	length = read_file(host, FILE_LOADAVG);
	add_load(host, length, batch);
	length = read_file(host, FILE_VMSTAT);
	add_swapping(host, length, batch);
	length = read_file(host, FILE_SOFTNET);
	add_softnet(host, length, batch);
	gm_host_health_read(&host->health, gm_clock_monotonic(), host->buffer, BUFFER_SIZE, batch);
	return 0;
}

static void scan_when_due(struct host *host, struct gm_batch *batch,
			  const struct gm_source_sink *sink)
{
	int64_t now = gm_clock_monotonic();

	if (now < host->scan_due) {
		return;
	}
	host->scan_due = now + SCAN_INTERVAL;
	/* A search that fails has found nothing new; the next one is a second away. */
	(void)gm_host_processes_scan(host->processes, host->buffer, BUFFER_SIZE);
	(void)gm_host_named_update(&host->named, host->buffer, BUFFER_SIZE, batch, sink);
}

static int host_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		     uint32_t *ret_entities, struct gm_error *err)
{
	struct host *host = to_host(source);
	struct gm_batch *batch = gm_batch_create();
	uint32_t entities = 1;
	size_t length;
	int rc;

	(void)now; /* each file is stamped when it was read */
	if (batch == NULL) {
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	batch->source = GM_SOURCE_HOST;
	rc = read_node(host, batch);
	if (rc < 0) {
		gm_batch_free(batch);
		return gm_error_set(err, rc, "%s/stat cannot be read or understood: %s",
				    host->options.proc, strerror(-rc));
	}
	entities += gm_host_cores_tell(&host->cores, batch, sink);
	length = read_file(host, FILE_DISKSTATS);
	if (length > 0) { /* an empty answer is a failed one, not a node without disks */
		entities += gm_host_disks_update(&host->disks, host->buffer, length, gm_clock_now(),
						 batch, sink);
	}
	scan_when_due(host, batch, sink);
	entities += host->named.followed;
	entities += gm_host_processes_read(host->processes, host->buffer, BUFFER_SIZE, batch);
	sink->samples(sink->user, batch);
	*ret_entities = entities;
	if (host->named.crowded) {
		gm_error_set(err, 0, "more than %d processes match \"processes\"",
			     GM_HOST_NAMED_MAX);
	}
	return 0;
}

static void host_close(struct gm_source *source)
{
	struct host *host = to_host(source);

	for (int i = 0; i < FILES; i++) {
		if (host->files[i] >= 0) {
			close(host->files[i]);
			host->files[i] = -1;
		}
	}
}

static int host_open(struct gm_source *source, struct gm_error *err)
{
	struct host *host = to_host(source);
	int rc;

	for (int i = 0; i < FILES; i++) {
		int fd = gm_host_open(host->options.proc, file_names[i]);

		host->files[i] = fd < 0 ? -1 : fd;
		if (i == FILE_STAT && fd < 0) {
			rc = fd;
			goto failed;
		}
	}
	host->uneven.known = false;
	host->scan_due = host->uneven.due = host->health.pressure_due = host->health.hardware_due =
		0;
	return 0;
failed:
	host_close(source);
	return gm_error_set(err, rc, "cannot open %s/stat: %s", host->options.proc, strerror(-rc));
}

static void host_destroy(struct gm_source *source)
{
	struct host *host = to_host(source);

	gm_host_processes_free(host->processes);
	gm_heard_free(host->names);
	gm_host_named_free(&host->named);
	gm_host_disks_free(&host->disks);
	gm_host_cores_free(&host->cores);
	free(host->buffer);
	free(host);
}

static void host_hear(struct gm_source *source, const struct gm_entity_info *info, bool here)
{
	gm_host_names_hear(to_host(source)->names, info, here);
}

static const struct gm_source_ops host_ops = {
	.id = GM_SOURCE_HOST,
	.open = host_open,
	.poll = host_poll,
	.close = host_close,
	.destroy = host_destroy,
	.hear = host_hear,
};

int gm_host_create(const struct gm_host_options *options, struct gm_source **ret_source)
{
	struct host *host = calloc(1, sizeof(*host));

	if (host == NULL) {
		return -ENOMEM;
	}
	host->base.ops = &host_ops;
	host->options = *options;
	host->disks.patterns = host->options.disks;
	host->named.patterns = host->options.processes;
	host->named.proc = host->health.proc = host->options.proc;
	host->health.sys = host->uneven.sys = host->cores.sys = host->options.sys;
	host->cores.interval = host->options.cores_interval;
	host->tick_ns = (uint64_t)(GM_SECOND / sysconf(_SC_CLK_TCK));
	host->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	for (int i = 0; i < FILES; i++) {
		host->files[i] = -1;
	}
	if (gm_host_names_create(&host->names) == 0) {
		host->processes = gm_host_processes_create(
			options->proc, options->sys, options->proportional_interval, host->names);
	}
	host->buffer = malloc(BUFFER_SIZE);
	if (host->processes == NULL || host->buffer == NULL) {
		host_destroy(&host->base);
		return -ENOMEM;
	}
	*ret_source = &host->base;
	return 0;
}
