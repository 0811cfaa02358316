/* SPDX-License-Identifier: Apache-2.0 */
/* The node's CPUs and memory nodes; see cores.h. Called by host/host.c. */
#include "source/host/cores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_room(struct gm_host_cores *cores)
{
	if (cores->old == NULL) {
		cores->old = calloc(GM_HOST_CPUS_MAX, sizeof(*cores->old));
	}
	if (cores->now == NULL) {
		cores->now = calloc(GM_HOST_CPUS_MAX, sizeof(*cores->now));
	}
	return cores->old != NULL && cores->now != NULL ? 0 : -1;
}

void gm_host_cores_take(struct gm_host_cores *cores, int64_t now, int64_t time, const char *stat,
			size_t length)
{
	/* A tick comes a little early as often as late: early enough is in time. */
	if (cores->interval == 0 || now < cores->due - cores->interval / 20 ||
	    make_room(cores) < 0) {
		return;
	}
	cores->due += cores->interval;
	if (cores->due <= now) {
		cores->due = now + cores->interval;
	}
	struct gm_host_cpu *spare = cores->old;

	cores->old = cores->now;
	cores->now = spare;
	gm_host_parse_cpus(stat, length, cores->now);
	cores->time = time;
}

/* Part of `all`, of a counter that may have been taken back a little. */
static double part(uint64_t old, uint64_t now, uint64_t all)
{
	double share = now > old ? (double)(now - old) / (double)all : 0;

	return share < 1 ? share : 1;
}

static void tell_cpu(const struct gm_host_cores *cores, uint32_t number, struct gm_batch *batch)
{
	const struct gm_host_cpu *old = &cores->old[number], *now = &cores->now[number];
	struct gm_entity_key key = gm_entity_core(number);

	/* One that was plugged in or counts anew has no time to speak of. */
	if (old->all == 0 || now->all <= old->all ||
	    !gm_batch_frame(batch, &key, cores->time, cores->time, 0)) {
		return;
	}
	uint64_t all = now->all - old->all;

	gm_batch_gauge(batch, GM_METRIC_CORE_BUSY, part(old->busy, now->busy, all));
	gm_batch_gauge(batch, GM_METRIC_CORE_SYSTEM, part(old->system, now->system, all));
	gm_batch_gauge(batch, GM_METRIC_CORE_WAIT, part(old->wait, now->wait, all));
	gm_batch_gauge(batch, GM_METRIC_CORE_STEAL, part(old->steal, now->steal, all));
}

static void announce(const struct gm_entity_key *key, bool was, bool is, int64_t time,
		     const struct gm_source_sink *sink)
{
	struct gm_entity_info info = {.key = *key};

	if (is && !was) {
		sink->seen(sink->user, GM_SOURCE_HOST, &info);
	} else if (was && !is) {
		sink->gone(sink->user, GM_SOURCE_HOST, key, time);
	}
}

/* One search of the memory nodes. */
struct search {
	struct gm_host_cores *cores;
	struct gm_batch *batch;
	const struct gm_source_sink *sink;
	bool found[GM_HOST_NUMA_MAX];
};

static uint64_t bytes_of(const char *meminfo, size_t length, const char *name)
{
	uint64_t bytes;

	return gm_host_parse_node(meminfo, length, name, &bytes) ? bytes : 0;
}

static void tell_node(void *user, uint32_t number, const char *meminfo, size_t length)
{
	struct search *search = user;
	uint64_t total, left;

	const struct gm_host_cores *cores = search->cores;

	if (number >= GM_HOST_NUMA_MAX || search->found[number]) {
		return;
	}
	search->found[number] = cores->nodes[number];
	if (!gm_host_parse_node(meminfo, length, "MemTotal", &total) ||
	    !gm_host_parse_node(meminfo, length, "MemFree", &left)) {
		return; /* one that was there still is */
	}
	struct gm_entity_key key = gm_entity_numa(number);

	search->found[number] = true;
	announce(&key, cores->nodes[number], true, cores->time, search->sink);
	/* Shared memory is counted as pages of files, but nothing can drop it. */
	uint64_t cached =
		bytes_of(meminfo, length, "FilePages") + bytes_of(meminfo, length, "SReclaimable");
	uint64_t shared = bytes_of(meminfo, length, "Shmem");
	uint64_t rest = left + (cached > shared ? cached - shared : 0);

	if (gm_batch_frame(search->batch, &key, cores->time, cores->time, 0)) {
		gm_batch_gauge(search->batch, GM_METRIC_NUMA_TOTAL, (double)total);
		gm_batch_gauge(search->batch, GM_METRIC_NUMA_USED,
			       total > rest ? (double)(total - rest) : 0);
		gm_batch_gauge(search->batch, GM_METRIC_NUMA_FREE, (double)left);
	}
}

static uint32_t tell_nodes(struct gm_host_cores *cores, struct gm_batch *batch,
			   const struct gm_source_sink *sink)
{
	struct search search = {.cores = cores, .batch = batch, .sink = sink};
	int rc = gm_host_each_node(cores->sys, tell_node, &search);
	bool listed = rc == 0 || rc == -ENOENT;
	uint32_t count = 0;

	for (uint32_t i = 0; i < GM_HOST_NUMA_MAX; i++) {
		struct gm_entity_key key = gm_entity_numa(i);

		if (!search.found[i] && listed) {
			announce(&key, cores->nodes[i], false, cores->time, sink);
		}
		cores->nodes[i] = search.found[i] || (cores->nodes[i] && !listed);
		count += cores->nodes[i];
	}
	return count;
}

uint32_t gm_host_cores_tell(struct gm_host_cores *cores, struct gm_batch *batch,
			    const struct gm_source_sink *sink)
{
	if (cores->time == 0) {
		return cores->count;
	}
	cores->count = 0;
	for (uint32_t i = 0; i < GM_HOST_CPUS_MAX; i++) {
		struct gm_entity_key key = gm_entity_core(i);
		bool is = cores->now[i].all > 0;

		announce(&key, cores->old[i].all > 0, is, cores->time, sink);
		if (is) {
			tell_cpu(cores, i, batch);
			cores->count++;
		}
	}
	cores->count += tell_nodes(cores, batch, sink);
	cores->time = 0;
	return cores->count;
}

void gm_host_cores_free(struct gm_host_cores *cores)
{
	free(cores->old);
	free(cores->now);
	cores->old = cores->now = NULL;
}
