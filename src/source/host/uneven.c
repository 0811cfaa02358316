/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The busiest CPU and the emptiest memory node; see uneven.h. Called by host/host.c and host/cores.c.
 */
#include "source/host/uneven.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/host/files.h"

enum {
	FIELDS = 8, /* user nice system idle iowait irq softirq steal: guest time is in user */
	SYSTEM = 2,
	IDLE = 3,
	WAIT = 4,
	IRQ = 5,
	SOFTIRQ = 6,
	STEAL = 7,
	MEMINFO_SIZE = 4096,
};

/* Digits from *at on, which is moved behind them and blanks; what does not fit is the largest number. */
static bool take_number(const char **at, const char *end, uint64_t *ret_number)
{
	uint64_t number = 0;
	const char *first;

	while (*at < end && **at == ' ') {
		(*at)++;
	}
	for (first = *at; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		uint64_t digit = (uint64_t)(**at - '0');

		number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
	}
	*ret_number = number;
	return *at > first;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void parse_cpu(const char *at, const char *end, struct gm_host_cpu *cpus)
{
	struct gm_host_cpu cpu = {0};
	uint64_t number, ticks;

	if (!take_number(&at, end, &number) || number >= GM_HOST_CPUS_MAX) {
		return;
	}
	for (int i = 0; i < FIELDS && take_number(&at, end, &ticks); i++) {
		cpu.all = add(cpu.all, ticks);
		cpu.busy = add(cpu.busy, i == IDLE || i == WAIT ? 0 : ticks);
		cpu.system = add(cpu.system, i == SYSTEM || i == IRQ || i == SOFTIRQ ? ticks : 0);
		cpu.wait = i == WAIT ? ticks : cpu.wait;
		cpu.steal = i == STEAL ? ticks : cpu.steal;
	}
	cpus[number] = cpu;
}

void gm_host_parse_cpus(const char *stat, size_t length, struct gm_host_cpu *cpus)
{
	const char *end = stat + length, *line = stat, *next;

	memset(cpus, 0, GM_HOST_CPUS_MAX * sizeof(*cpus));
	while (line < end && (next = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		/* The line of all of them has a blank there. */
		if (next - line > 4 && memcmp(line, "cpu", 3) == 0 && line[3] != ' ') {
			parse_cpu(line + 3, next, cpus);
		}
		line = next + 1;
	}
}

bool gm_host_parse_node(const char *meminfo, size_t length, const char *name, uint64_t *ret_bytes)
{
	char word[32];
	int size = snprintf(word, sizeof(word), " %s:", name);
	const char *end = meminfo + length;
	const char *at = memmem(meminfo, length, word, (size_t)size);
	uint64_t kib;

	if (at == NULL) {
		return false;
	}
	at += size;
	if (!take_number(&at, end, &kib) || at == end || kib > UINT64_MAX / 1024) {
		return false;
	}
	*ret_bytes = kib * 1024;
	return true;
}

/* The part of its time that the busiest was busy between two readings; negative: not known. */
static double busiest(const struct gm_host_cpu *before, const struct gm_host_cpu *after)
{
	double most = -1;

	for (size_t i = 0; i < GM_HOST_CPUS_MAX; i++) {
		/* One that was plugged in or went between the two has no time to speak of. */
		if (before[i].all == 0 || after[i].all <= before[i].all ||
		    after[i].busy < before[i].busy) {
			continue;
		}
		double busy = (double)(after[i].busy - before[i].busy) /
			      (double)(after[i].all - before[i].all);
		most = busy > most ? busy : most;
	}
	return most < 1 ? most : 1;
}

/* "node0", "node12": a memory node's folder. */
static bool is_node(const char *name, uint32_t *ret_number)
{
	const char *at = name + 4, *end = name + strlen(name);
	uint64_t number;

	if (strncmp(name, "node", 4) != 0 || *at == ' ' || !take_number(&at, end, &number) ||
	    at != end || number > UINT32_MAX) {
		return false;
	}
	*ret_number = (uint32_t)number;
	return true;
}

static size_t read_node(const char *folder, const char *node, char text[MEMINFO_SIZE])
{
	char name[NAME_MAX + 16];
	ssize_t length;

	snprintf(name, sizeof(name), "%s/meminfo", node);
	length = gm_host_read_once(folder, name, text, MEMINFO_SIZE);
	return length > 0 ? (size_t)length : 0;
}

int gm_host_each_node(const char *sys,
		      void (*each)(void *user, uint32_t number, const char *meminfo, size_t length),
		      void *user)
{
	char path[PATH_MAX], text[MEMINFO_SIZE];
	const struct dirent *entry;
	uint32_t number;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/devices/system/node", sys);
	folder = opendir(path);
	if (folder == NULL) {
		return -errno;
	}
	while (errno = 0, (entry = readdir(folder)) != NULL) {
		if (is_node(entry->d_name, &number)) {
			each(user, number, text, read_node(path, entry->d_name, text));
		}
	}
	int rc = -errno;

	closedir(folder);
	return rc;
}

static void take_least(void *user, uint32_t number, const char *meminfo, size_t length)
{
	uint64_t *least = user, bytes;

	(void)number;
	if (gm_host_parse_node(meminfo, length, "MemFree", &bytes) && bytes < *least) {
		*least = bytes;
	}
}

static void add_least_memory(const struct gm_host_uneven *uneven, struct gm_batch *batch)
{
	uint64_t least = UINT64_MAX;

	(void)gm_host_each_node(uneven->sys, take_least, &least);
	if (least != UINT64_MAX) {
		gm_batch_gauge(batch, GM_METRIC_NUMA_LEAST, (double)least);
	}
}

void gm_host_uneven_read(struct gm_host_uneven *uneven, int64_t now, const char *stat,
			 size_t length, struct gm_batch *batch)
{
	struct gm_host_cpu *cpus;

	if (now < uneven->due) {
		return;
	}
	uneven->due = now + GM_SECOND;
	cpus = calloc(GM_HOST_CPUS_MAX, sizeof(*cpus));
	if (cpus != NULL) {
		gm_host_parse_cpus(stat, length, cpus);
		double busy = uneven->known ? busiest(uneven->cpus, cpus) : -1;
		if (busy >= 0) {
			gm_batch_gauge(batch, GM_METRIC_CPU_BUSIEST, busy);
		}
		memcpy(uneven->cpus, cpus, sizeof(uneven->cpus));
		uneven->known = true;
		free(cpus);
	}
	add_least_memory(uneven, batch);
}
