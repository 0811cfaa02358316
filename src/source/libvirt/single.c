/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One guest's statistics by the older calls; see single.h.
 */
#include "source/libvirt/single.h"

#include <stdio.h>

/* libvirt's array while it grows. */
struct growing {
	virDomainPtr domain;
	virTypedParameterPtr *params;
	int *count;
	int capacity;
	unsigned interfaces;
};

static void add_number(struct growing *growing, const char *name, unsigned long long value)
{
	virTypedParamsAddULLong(growing->params, growing->count, &growing->capacity, name, value);
}

static void read_state(struct growing *growing)
{
	int state;

	if (virDomainGetState(growing->domain, &state, NULL, 0) == 0)
		virTypedParamsAddInt(growing->params, growing->count, &growing->capacity,
				     "state.state", state);
}

void gm_lv_single_state(virTypedParameterPtr *params, int *count, int state)
{
	int capacity = *count;

	virTypedParamsAddInt(params, count, &capacity, "state.state", state);
}

/* As the bulk call does: -1 stands for a counter that the driver has not. */
static void add_interface_number(struct growing *growing, const char *name, long long value)
{
	char field[VIR_TYPED_PARAM_FIELD_LENGTH];

	if (value < 0)
		return;
	snprintf(field, sizeof(field), "net.%u.%s", growing->interfaces, name);
	add_number(growing, field, (unsigned long long)value);
}

static void read_interface(void *user, const char *device)
{
	struct growing *growing = user;
	char field[VIR_TYPED_PARAM_FIELD_LENGTH];
	virDomainInterfaceStatsStruct stats;

	if (virDomainInterfaceStats(growing->domain, device, &stats, sizeof(stats)) < 0)
		return;
	snprintf(field, sizeof(field), "net.%u.name", growing->interfaces);
	virTypedParamsAddString(growing->params, growing->count, &growing->capacity, field, device);
	add_interface_number(growing, "rx.bytes", stats.rx_bytes);
	add_interface_number(growing, "rx.pkts", stats.rx_packets);
	add_interface_number(growing, "rx.errs", stats.rx_errs);
	add_interface_number(growing, "rx.drop", stats.rx_drop);
	add_interface_number(growing, "tx.bytes", stats.tx_bytes);
	add_interface_number(growing, "tx.pkts", stats.tx_packets);
	add_interface_number(growing, "tx.errs", stats.tx_errs);
	add_interface_number(growing, "tx.drop", stats.tx_drop);
	growing->interfaces++;
}

/*
 * Indexed by virDomainMemoryStatTags. The swap and fault counters are left out: LXC, the driver
 * that needs this path, reports its memory use as "swap in" (libvirt 9.0).
 */
static const char *const memory_names[VIR_DOMAIN_MEMORY_STAT_NR] = {
	[VIR_DOMAIN_MEMORY_STAT_UNUSED] = "balloon.unused",
	[VIR_DOMAIN_MEMORY_STAT_AVAILABLE] = "balloon.available",
	[VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON] = "balloon.current",
	[VIR_DOMAIN_MEMORY_STAT_USABLE] = "balloon.usable",
	[VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE] = "balloon.last-update",
	[VIR_DOMAIN_MEMORY_STAT_DISK_CACHES] = "balloon.disk_caches",
	[VIR_DOMAIN_MEMORY_STAT_RSS] = "balloon.rss",
};

static void read_memory(struct growing *growing)
{
	virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
	int count = virDomainMemoryStats(growing->domain, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0);

	for (int i = 0; i < count; i++) {
		if (stats[i].tag >= 0 && stats[i].tag < VIR_DOMAIN_MEMORY_STAT_NR &&
		    memory_names[stats[i].tag])
			add_number(growing, memory_names[stats[i].tag], stats[i].val);
	}
}

/* LXC tells as memory what is in use (0: its control group does not say), other drivers the balloon. */
static void read_info(struct growing *growing, unsigned groups, enum gm_lv_kind kind)
{
	virDomainInfo info;

	if (virDomainGetInfo(growing->domain, &info) < 0)
		return;
	if (groups & VIR_DOMAIN_STATS_CPU_TOTAL)
		add_number(growing, "cpu.time", info.cpuTime);
	if (groups & VIR_DOMAIN_STATS_VCPU)
		add_number(growing, "vcpu.current", info.nrVirtCpu);
	if (groups & VIR_DOMAIN_STATS_BALLOON) {
		add_number(growing, "balloon.maximum", info.maxMem);
		if (kind == GM_LV_CONTAINER && info.memory > 0)
			add_number(growing, "balloon.rss", info.memory);
	}
}

void gm_lv_single_read(struct gm_lv_item *item, unsigned groups, enum gm_lv_kind kind,
		       const struct gm_lv_scope *scope)
{
	struct growing growing = {.domain = item->domain,
				  .params = &item->params,
				  .count = &item->param_count,
				  .capacity = item->param_count};

	if (groups & VIR_DOMAIN_STATS_STATE)
		read_state(&growing);
	if ((groups & VIR_DOMAIN_STATS_INTERFACE) && scope)
		scope->each(scope->user, item->uuid, read_interface, &growing);
	if ((groups & VIR_DOMAIN_STATS_BALLOON) && kind != GM_LV_CONTAINER)
		read_memory(&growing);
	if (groups &
	    (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BALLOON))
		read_info(&growing, groups, kind);
}
