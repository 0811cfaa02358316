/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest's answers say, as frames: units, the catalogue's meaning of each metric, and the time at
 * which a cached value was true.
 */
#include <string.h>

#include "base/clock.h"
#include "source/snmp/target_private.h"

/* UCD counts CPU time in hundredths of a second, memory in KiB (UCD-SNMP-MIB). */
enum { TICK_NS = 10000000, KIB = 1024 };

#define UP_INTERVAL GM_SECOND
#define MOST_KIB    (UINT64_C(1) << 40) /* a pebibyte: whoever has more memory lies */

/* FNV-1a over whole words. */
uint64_t digest_add(uint64_t digest, uint64_t value)
{
	return (digest ^ value) * UINT64_C(0x100000001b3) + 1;
}

uint64_t gauge_bits(double gauge)
{
	uint64_t bits;

	memcpy(&bits, &gauge, sizeof(bits));
	return bits;
}

static uint64_t digest_of(const struct gm_snmp_target *target, enum gm_snmp_group group)
{
	uint64_t digest = 0;

	if (group == GM_SNMP_PROCESSES) {
		return processes_digest(&target->processes);
	}
	for (int i = 0; i < GM_SNMP_SCALARS; i++) {
		if (gm_snmp_scalars[i].group == group && target->scalars[i].present) {
			digest = digest_add(digest, target->scalars[i].value);
		}
	}
	for (size_t i = 0; group == GM_SNMP_OPERATOR && i < target->options.oids->count; i++) {
		if (target->operator[i].present) {
			digest = digest_add(digest, target->operator[i].value);
		}
	}
	if (group >= GM_SNMP_STORAGE) {
		const struct rows *rows = &target->tables[group - GM_SNMP_STORAGE];

		for (size_t i = 0; i < rows->count * GM_SNMP_COLUMNS_MAX; i++) {
			digest = digest_add(digest, rows->list[i / GM_SNMP_COLUMNS_MAX]
							    .cells[i % GM_SNMP_COLUMNS_MAX]
							    .value);
		}
	}
	return digest;
}

/*
 * Whether the group's values are a measurement, and of when. A change is one of now (it happened since
 * the poll before). What stays the same for longer than snmpd keeps its cache has been measured again, at
 * the latest that long ago.
 */
static bool stamp(struct group_state *state, uint64_t digest, int64_t age, int64_t now)
{
	if (state->measured_at == 0 || digest != state->digest || age == 0) {
		state->measured_at = now;
	} else if (now - state->emitted_at > age) {
		state->measured_at = now - age;
	} else if (now < state->emitted_at) { /* the clock was set back */
		state->measured_at = now;
	} else {
		return false;
	}
	state->digest = digest;
	state->emitted_at = now;
	return true;
}

static void gauge_of(struct gm_batch *batch, unsigned metric, const struct cell *cell, double unit)
{
	if (cell->present) {
		gm_batch_gauge(batch, metric, (double)cell->value * unit);
	}
}

static void counter_of(struct gm_batch *batch, unsigned metric, const struct cell *cell,
		       uint64_t unit)
{
	if (cell->present) {
		gm_batch_counter(batch, metric, cell->value * unit);
	}
}

static uint64_t less(uint64_t from, uint64_t part)
{
	return from > part ? from - part : 0;
}

/* What buffers and caches would give back: shared memory is counted as cached, but is not. */
static uint64_t droppable(const struct cell *scalars)
{
	uint64_t cached = 0;

	cached += scalars[GM_SNMP_MEM_BUFFERS].present ? scalars[GM_SNMP_MEM_BUFFERS].value : 0;
	cached += scalars[GM_SNMP_MEM_CACHED].present ? scalars[GM_SNMP_MEM_CACHED].value : 0;
	return scalars[GM_SNMP_MEM_SHARED].present ? less(cached, scalars[GM_SNMP_MEM_SHARED].value)
						   : cached;
}

static void report_memory(struct gm_snmp_target *target, struct gm_batch *batch)
{
	const struct cell *scalars = target->scalars;
	const struct cell *total = &scalars[GM_SNMP_MEM_TOTAL],
			  *unused = &scalars[GM_SNMP_MEM_FREE];
	const struct cell *size = &scalars[GM_SNMP_SWAP_SIZE], *left = &scalars[GM_SNMP_SWAP_FREE];
	uint64_t available = scalars[GM_SNMP_MEM_AVAILABLE].present
				     ? scalars[GM_SNMP_MEM_AVAILABLE].value
				     : unused->value + droppable(scalars);

	if (total->value > MOST_KIB || unused->value > total->value || size->value > MOST_KIB) {
		target->counts.rejected++;
		return;
	}
	gauge_of(batch, GM_METRIC_MEMORY_TOTAL, total, KIB);
	gauge_of(batch, GM_METRIC_MEMORY_UNUSED, unused, KIB);
	if (total->present && unused->present && available <= total->value) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_USED,
			       (double)(total->value - available) * KIB);
		gm_batch_gauge(batch, GM_METRIC_MEMORY_AVAILABLE, (double)available * KIB);
	}
	if (scalars[GM_SNMP_MEM_CACHED].present && droppable(scalars) <= total->value) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_CACHED, (double)droppable(scalars) * KIB);
	}
	gauge_of(batch, GM_METRIC_SWAP_TOTAL, size, KIB);
	if (size->present && left->present && left->value <= size->value) {
		gm_batch_gauge(batch, GM_METRIC_SWAP_USED,
			       (double)(size->value - left->value) * KIB);
	}
}

static void report_cpu(struct gm_snmp_target *target, struct gm_batch *batch)
{
	const struct cell *scalars = target->scalars;
	struct cell user = scalars[GM_SNMP_CPU_USER];

	if (scalars[GM_SNMP_CPU_NICE].present) {
		user.value += scalars[GM_SNMP_CPU_NICE].value;
	}
	counter_of(batch, GM_METRIC_CPU_INSIDE_USER, &user, TICK_NS);
	counter_of(batch, GM_METRIC_CPU_INSIDE_SYSTEM, &scalars[GM_SNMP_CPU_SYSTEM], TICK_NS);
	counter_of(batch, GM_METRIC_CPU_INSIDE_IDLE, &scalars[GM_SNMP_CPU_IDLE], TICK_NS);
	counter_of(batch, GM_METRIC_CPU_INSIDE_WAIT, &scalars[GM_SNMP_CPU_WAIT], TICK_NS);
	counter_of(batch, GM_METRIC_CPU_INSIDE_STEAL, &scalars[GM_SNMP_CPU_STEAL], TICK_NS);
}

static void report_load(struct gm_snmp_target *target, struct gm_batch *batch)
{
	gauge_of(batch, GM_METRIC_LOAD_1, &target->scalars[GM_SNMP_LOAD_1], 0.01);
	gauge_of(batch, GM_METRIC_LOAD_5, &target->scalars[GM_SNMP_LOAD_5], 0.01);
	gauge_of(batch, GM_METRIC_LOAD_15, &target->scalars[GM_SNMP_LOAD_15], 0.01);
}

static void report_operator(struct gm_snmp_target *target, struct gm_batch *batch)
{
	for (size_t i = 0; i < target->options.oids->count; i++) {
		const struct gm_snmp_oid *oid = &target->options.oids->list[i];
		const struct cell *cell = &target->operator[i];
		double gauge;

		if (!cell->present) {
			continue;
		}
		if (gm_metric_kind(oid->metric) == GM_KIND_COUNTER) {
			gm_batch_counter(batch, oid->metric, cell->value * (uint64_t)oid->scale);
		} else {
			memcpy(&gauge, &cell->value, sizeof(gauge));
			gm_batch_gauge(batch, oid->metric, gauge);
		}
	}
}

/* Total and used of HOST-RESOURCES-MIB where UCD's memory is not to be had. */
static void report_fallback(struct gm_snmp_target *target, struct gm_batch *batch)
{
	const struct rows *rows = &target->tables[GM_SNMP_STORAGE - GM_SNMP_STORAGE];
	uint64_t total = 0, used = 0, cached = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const struct cell *cells = rows->list[i].cells;
		uint64_t unit = cells[GM_SNMP_FS_UNIT].value;
		uint64_t in_use, size;

		if (!cells[GM_SNMP_FS_USED].present || !cells[GM_SNMP_FS_SIZE].present ||
		    __builtin_mul_overflow(cells[GM_SNMP_FS_USED].value, unit, &in_use) ||
		    __builtin_mul_overflow(cells[GM_SNMP_FS_SIZE].value, unit, &size) ||
		    size > MOST_KIB * KIB) {
			continue;
		}
		if (rows->list[i].storage == GM_SNMP_STORAGE_RAM) {
			if (total == 0) { /* the first is the physical memory */
				total = size;
				used = in_use;
			}
		} else if (rows->list[i].storage == GM_SNMP_STORAGE_OTHER) {
			cached += in_use;
		}
	}
	if (total > 0 && used <= total) {
		gm_batch_gauge(batch, GM_METRIC_MEMORY_TOTAL, (double)total);
		gm_batch_gauge(batch, GM_METRIC_MEMORY_USED, (double)less(used, cached));
	}
}

static void report_file_system(const struct row *row, struct gm_batch *batch)
{
	double unit = (double)row->cells[GM_SNMP_FS_UNIT].value;

	gauge_of(batch, GM_METRIC_FS_SIZE, &row->cells[GM_SNMP_FS_SIZE], unit);
	gauge_of(batch, GM_METRIC_FS_USED, &row->cells[GM_SNMP_FS_USED], unit);
}

struct column_metric {
	int column;
	unsigned metric;
};

static const struct column_metric disk_metrics[] = {
	{GM_SNMP_DISK_READ, GM_METRIC_DISK_READ_BYTES},
	{GM_SNMP_DISK_WRITTEN, GM_METRIC_DISK_WRITE_BYTES},
	{GM_SNMP_DISK_READS, GM_METRIC_DISK_READ_REQUESTS},
	{GM_SNMP_DISK_WRITES, GM_METRIC_DISK_WRITE_REQUESTS},
	{-1, 0}};

static const struct column_metric interface_metrics[] = {
	{GM_SNMP_IF_RX_BYTES, GM_METRIC_NET_RX_BYTES},
	{GM_SNMP_IF_RX_PACKETS, GM_METRIC_NET_RX_PACKETS},
	{GM_SNMP_IF_RX_DROPPED, GM_METRIC_NET_RX_DROPPED},
	{GM_SNMP_IF_RX_ERRORS, GM_METRIC_NET_RX_ERRORS},
	{GM_SNMP_IF_TX_BYTES, GM_METRIC_NET_TX_BYTES},
	{GM_SNMP_IF_TX_PACKETS, GM_METRIC_NET_TX_PACKETS},
	{GM_SNMP_IF_TX_DROPPED, GM_METRIC_NET_TX_DROPPED},
	{GM_SNMP_IF_TX_ERRORS, GM_METRIC_NET_TX_ERRORS},
	{-1, 0}};

static void report_rows(struct gm_snmp_target *target, int group, int64_t measured_at,
			int64_t read_at, struct gm_batch *batch)
{
	int table = group - GM_SNMP_STORAGE;
	const struct rows *rows = &target->tables[table];
	const struct column_metric *metrics =
		group == GM_SNMP_DISKS ? disk_metrics : interface_metrics;
	struct gm_entity_info info;

	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->list[i];

		if (!row_entity(target, table, row, &info) ||
		    !gm_batch_frame(batch, &info.key, measured_at, read_at, 0)) {
			continue;
		}
		if (group == GM_SNMP_STORAGE) {
			report_file_system(row, batch);
			continue;
		}
		for (const struct column_metric *line = metrics; line->column >= 0; line++) {
			counter_of(batch, line->metric, &row->cells[line->column], 1);
		}
	}
}

static void report_scalars(struct gm_snmp_target *target, enum gm_snmp_group group,
			   int64_t measured_at, int64_t read_at, struct gm_batch *batch)
{
	static void (*const reports[])(struct gm_snmp_target *, struct gm_batch *) = {
		[GM_SNMP_MEMORY] = report_memory,    [GM_SNMP_CPU] = report_cpu,
		[GM_SNMP_LOAD] = report_load,        [GM_SNMP_OPERATOR] = report_operator,
		[GM_SNMP_STORAGE] = report_fallback,
	};
	struct gm_entity_key guest = gm_entity_guest(target->options.uuid);

	if (gm_batch_frame(batch, &guest, measured_at, read_at, 0)) {
		reports[group](target, batch);
	}
}

void report_group(struct gm_snmp_target *target, enum gm_snmp_group group,
		  const struct gm_snmp_moment *now, const struct gm_snmp_out *out)
{
	struct group_state *state = &target->groups[group];
	int64_t age = target->live[group] ? 0 : gm_snmp_cache_age(group);

	if (!stamp(state, digest_of(target, group), age, now->node)) {
		return;
	}
	if (group == GM_SNMP_PROCESSES) {
		processes_report(target, state->measured_at, now, out);
		return;
	}
	if (group < GM_SNMP_STORAGE || (group == GM_SNMP_STORAGE && target_falls_back(target))) {
		report_scalars(target, group, state->measured_at, now->node, out->batch);
	}
	if (group >= GM_SNMP_STORAGE) {
		report_rows(target, group, state->measured_at, now->node, out->batch);
	}
}

void report_up(struct gm_snmp_target *target, const struct gm_snmp_moment *now,
	       const struct gm_snmp_out *out)
{
	struct gm_entity_key guest = gm_entity_guest(target->options.uuid);
	int64_t since = now->node - target->up_told_at;
	bool told = target->up_told_at != 0;

	/*
	 * An answer that was read late has the time at which it arrived, which may be before that of the silence
	 * that was told meanwhile: it is told with the next one. Further back the clock was set.
	 */
	if (told && since <= 0 && since > -UP_INTERVAL) {
		return;
	}
	if (told && target->reachable == target->told_up && since > 0 && since < UP_INTERVAL) {
		return;
	}
	target->told_up = target->reachable;
	target->up_told_at = now->node;
	if (!gm_batch_frame(out->batch, &guest, now->node, now->node, 0)) {
		return;
	}
	gm_batch_gauge(out->batch, GM_METRIC_SNMP_UP, target->reachable);
	if (target->reachable) {
		gm_batch_gauge(out->batch, GM_METRIC_SNMP_LATENCY, (double)target->latency);
	}
	gm_batch_counter(out->batch, GM_METRIC_SNMP_TIMEOUTS, target->counts.timeouts);
	gm_batch_counter(out->batch, GM_METRIC_SNMP_REJECTED, target->counts.rejected);
	gm_batch_counter(out->batch, GM_METRIC_SNMP_NOTICES, target->counts.notices);
}
