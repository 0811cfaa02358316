/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a guest that use most memory: all of them are walked (hrSWRunPerfTable), the
 * largest are asked for their names and become entities. One that is followed stays until it is gone or
 * twice as many are larger, so that two of a size do not take turns.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "source/snmp/target_private.h"

static int compare_pids(const void *a, const void *b)
{
	uint32_t one = ((const struct process *)a)->pid, other = ((const struct process *)b)->pid;

	return (one > other) - (one < other);
}

static struct process *find_process(struct processes *processes, uint32_t pid)
{
	struct process wanted = {.pid = pid};

	/* Columns come side by side: it is mostly the last one. */
	if (processes->count > 0 && processes->list[processes->count - 1].pid == pid) {
		return &processes->list[processes->count - 1];
	}
	return processes->count == 0 ? NULL
				     : bsearch(&wanted, processes->list, processes->count,
					       sizeof(wanted), compare_pids);
}

static struct process *add_process(struct processes *processes, uint32_t pid)
{
	const struct gm_snmp_table *table = table_of(GM_SNMP_PROCESSES - GM_SNMP_STORAGE);

	if (processes->count == processes->capacity) {
		size_t capacity = processes->capacity ? 2 * processes->capacity : 64;
		struct process *list;

		if (processes->count == table->rows_max) {
			return NULL;
		}
		list = realloc(processes->list, capacity * sizeof(*list));
		if (list == NULL) {
			return NULL;
		}
		processes->list = list;
		processes->capacity = capacity;
	}
	processes->list[processes->count] = (struct process){.pid = pid};
	return &processes->list[processes->count++];
}

bool processes_take(struct processes *processes, int column, struct gm_snmp_slice suffix,
		    const struct gm_snmp_varbind *varbind)
{
	struct process *process;
	uint32_t pid;

	if (!gm_snmp_oid_first(suffix, &pid) || varbind->type != GM_SNMP_INTEGER ||
	    varbind->number > INT32_MAX) {
		return true;
	}
	process = find_process(processes, pid);
	if (process == NULL) {
		bool last =
			processes->count == 0 || processes->list[processes->count - 1].pid < pid;

		if (!last) {
			return true; /* came between two answers: it is there the next time */
		}
		process = add_process(processes, pid);
	}
	if (process == NULL) {
		return false;
	}
	*(column == GM_SNMP_PROCESS_CPU ? &process->cpu : &process->memory) = varbind->number;
	return true;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct process *one = a, *other = b;

	if (one->memory != other->memory) {
		return one->memory < other->memory ? 1 : -1;
	}
	return compare_pids(a, b);
}

static bool is_known(const struct processes *processes, uint32_t pid)
{
	for (size_t i = 0; i < processes->known_count; i++) {
		if (processes->known[i].process.pid == pid) {
			return true;
		}
	}
	return false;
}

static void choose(struct processes *processes, size_t rank)
{
	processes->chosen[processes->chosen_count++] =
		(struct followed){.process = processes->list[rank]};
}

void processes_choose(struct gm_snmp_target *target)
{
	struct processes *processes = &target->processes;
	size_t wanted = target->options.processes;

	if (processes->count > 0) {
		qsort(processes->list, processes->count, sizeof(*processes->list), compare_sizes);
	}
	while (processes->count > 0 && processes->list[processes->count - 1].memory == 0) {
		processes->count--; /* threads of the kernel */
	}
	processes->chosen_count = 0;
	/* Those that are followed and large enough to stay; then the largest until it is full. */
	for (size_t i = 0; i < processes->count && i < 2 * wanted; i++) {
		if (processes->chosen_count < wanted &&
		    is_known(processes, processes->list[i].pid)) {
			choose(processes, i);
		}
	}
	for (size_t i = 0; i < processes->count && processes->chosen_count < wanted; i++) {
		if (!is_known(processes, processes->list[i].pid)) {
			choose(processes, i);
		}
	}
}

void processes_name(struct processes *processes, size_t chosen, const struct gm_snmp_varbind *name)
{
	struct followed *followed = &processes->chosen[chosen];
	char raw[NAME_MAX_BYTES];
	size_t length = name->text.length < sizeof(raw) - 1 ? name->text.length : sizeof(raw) - 1;

	if (name->type != GM_SNMP_OCTETS) {
		return;
	}
	memcpy(raw, name->text.data, length);
	raw[length] = '\0';
	gm_text_copy(followed->command, sizeof(followed->command), raw);
	followed->named = followed->command[0] != '\0';
}

static bool contains(const struct followed *list, size_t count, const struct gm_entity_key *key)
{
	for (size_t i = 0; i < count; i++) {
		if (gm_entity_equal(&list[i].key, key)) {
			return true;
		}
	}
	return false;
}

static void tell_seen(const struct gm_snmp_target *target, const struct followed *followed,
		      const struct gm_snmp_out *out)
{
	struct gm_entity_info info;

	memset(&info, 0, sizeof(info));
	info.key = followed->key;
	memcpy(info.process.guest, target->options.uuid, GM_UUID_SIZE);
	info.process.pid = followed->process.pid;
	gm_text_copy(info.process.command, sizeof(info.process.command), followed->command);
	out->sink->seen(out->sink->user, GM_SOURCE_SNMP, &info);
}

/* Those that were named, with their keys, and nothing else. */
static void keep_named(struct gm_snmp_target *target)
{
	struct processes *processes = &target->processes;
	size_t count = 0;

	for (size_t i = 0; i < processes->chosen_count; i++) {
		struct followed *followed = &processes->chosen[i];

		if (followed->named) {
			followed->key = gm_entity_process(target->options.uuid,
							  followed->process.pid, followed->command);
			processes->chosen[count++] = *followed;
		}
	}
	processes->chosen_count = count;
}

/* What of `known` is not in the first `count` of `chosen` is gone. */
static void tell_gone(struct processes *processes, size_t count, int64_t time,
		      const struct gm_snmp_out *out)
{
	for (size_t i = 0; i < processes->known_count; i++) {
		const struct gm_entity_key *key = &processes->known[i].key;

		if (!contains(processes->chosen, count, key)) {
			out->sink->gone(out->sink->user, GM_SOURCE_SNMP, key, time);
		}
	}
}

static void add_frames(const struct processes *processes, int64_t measured_at, int64_t read_at,
		       struct gm_batch *batch)
{
	for (size_t i = 0; i < processes->chosen_count; i++) {
		const struct followed *followed = &processes->chosen[i];

		if (gm_batch_frame(batch, &followed->key, measured_at, read_at, 0)) {
			gm_batch_gauge(batch, GM_METRIC_MEMORY_RESIDENT,
				       (double)followed->process.memory * 1024);
			gm_batch_counter(batch, GM_METRIC_CPU_TIME,
					 followed->process.cpu * 10000000);
		}
	}
}

uint64_t processes_digest(const struct processes *processes)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < processes->chosen_count; i++) {
		const struct process *process = &processes->chosen[i].process;

		digest = digest_add(digest, process->pid);
		digest = digest_add(digest, process->memory);
		digest = digest_add(digest, process->cpu);
	}
	return digest;
}

void processes_report(struct gm_snmp_target *target, int64_t measured_at,
		      const struct gm_snmp_moment *now, const struct gm_snmp_out *out)
{
	struct processes *processes = &target->processes;

	keep_named(target);
	tell_gone(processes, processes->chosen_count, now->node, out);
	for (size_t i = 0; i < processes->chosen_count; i++) {
		if (!contains(processes->known, processes->known_count,
			      &processes->chosen[i].key)) {
			tell_seen(target, &processes->chosen[i], out);
		}
	}
	memcpy(processes->known, processes->chosen,
	       processes->chosen_count * sizeof(processes->chosen[0]));
	processes->known_count = processes->chosen_count;
	add_frames(processes, measured_at, now->node, out->batch);
}

void processes_end(struct gm_snmp_target *target, int64_t time, const struct gm_snmp_out *out)
{
	tell_gone(&target->processes, 0, time, out);
	target->processes.known_count = 0;
}
