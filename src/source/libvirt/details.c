/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See details.h. The fast lane asks for identities' flags, the slow lane's workers for pins.
 */
#include "source/libvirt/details.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct gm_entity_info gm_lv_hypervisor(virConnectPtr conn)
{
	struct gm_entity_info info = {.key = gm_entity_node()};
	const char *type = virConnectGetType(conn);
	unsigned long version = 0;

	if (type)
		gm_text_copy(info.node.hypervisor, sizeof(info.node.hypervisor), type);
	/* major * 1,000,000 + minor * 1,000 + release */
	if (virConnectGetVersion(conn, &version) == 0 && version != 0)
		snprintf(info.node.version, sizeof(info.node.version), "%lu.%lu.%lu",
			 version / 1000000, version / 1000 % 1000, version % 1000);
	return info;
}

static uint8_t known(int answer)
{
	if (answer < 0)
		return GM_UNKNOWN;
	return answer ? GM_YES : GM_NO;
}

void gm_lv_details_flags(virDomainPtr domain, struct gm_guest_info *guest)
{
	int autostart = 0;

	guest->persistent = known(virDomainIsPersistent(domain));
	guest->autostart =
		virDomainGetAutostart(domain, &autostart) < 0 ? GM_UNKNOWN : known(autostart);
}

/* libvirt's map is one of bytes, the lowest CPU in the lowest bit. */
static void widen(const unsigned char *map, uint32_t cpu_count, uint64_t cpus[GM_CPU_WORDS])
{
	for (uint32_t cpu = 0; cpu < cpu_count; cpu++) {
		if (map[cpu / 8] >> cpu % 8 & 1)
			cpus[cpu / 64] |= UINT64_C(1) << cpu % 64;
	}
}

static struct gm_lv_pins *read_pins(virDomainPtr domain, uint32_t cpu_count)
{
	int map_length = VIR_CPU_MAPLEN(cpu_count);
	int vcpus = virDomainGetVcpusFlags(domain, VIR_DOMAIN_AFFECT_LIVE);

	if (vcpus <= 0 || vcpus > GM_VCPUS_MAX)
		return NULL;
	unsigned char *maps = calloc((size_t)vcpus, (size_t)map_length);
	struct gm_lv_pins *pins = calloc(1, sizeof(*pins));
	if (pins)
		pins->cpus = calloc((size_t)vcpus, sizeof(pins->cpus[0]));
	int count = maps && pins && pins->cpus
			    ? virDomainGetVcpuPinInfo(domain, vcpus, maps, map_length,
						      VIR_DOMAIN_AFFECT_LIVE)
			    : -1;
	if (count > 0) {
		pins->vcpu_count = (uint32_t)count;
		pins->cpu_count = cpu_count;
		for (int i = 0; i < count; i++)
			widen(VIR_GET_CPUMAP(maps, map_length, i), cpu_count, pins->cpus[i]);
	} else {
		gm_lv_pins_free(pins);
		pins = NULL;
	}
	free(maps);
	return pins;
}

void gm_lv_pins_read(virConnectPtr conn, struct gm_lv_record_list *list)
{
	int cpus = virNodeGetCPUMap(conn, NULL, NULL, 0);

	if (cpus <= 0)
		return;
	for (size_t i = 0; i < list->count; i++)
		list->items[i].pins =
			read_pins(list->items[i].domain,
				  cpus < GM_HOST_CPUS_MAX ? (uint32_t)cpus : GM_HOST_CPUS_MAX);
}

void gm_lv_pins_free(struct gm_lv_pins *pins)
{
	if (!pins)
		return;
	free(pins->cpus);
	free(pins);
}

/* Takes a parameter into the note of its vCPU. */
static void read_vcpu(struct gm_note *note, const char *name, const virTypedParameter *param)
{
	static const char *const names[GM_VCPU_TIMES] = {"time", "wait", "delay"};

	/* virVcpuState counts from 0: offline, running, blocked. */
	if (param->type == VIR_TYPED_PARAM_INT && strcmp(name, "state") == 0 &&
	    param->value.i >= 0 && param->value.i < GM_VCPU_BLOCKED)
		note->state = (uint8_t)(param->value.i + 1);
	for (unsigned i = 0; i < GM_VCPU_TIMES && param->type == VIR_TYPED_PARAM_ULLONG; i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		note->times[i] = param->value.ul;
		note->known |= (uint8_t)(1U << i);
	}
}

/* The parameters of a vCPU stand together. */
static void note_vcpus(const struct gm_lv_record *record, struct gm_note *blank,
		       struct gm_batch *batch)
{
	struct gm_note note = *blank;

	for (size_t i = 0; i < record->count; i++) {
		uint64_t number;
		const char *name = gm_lv_stats_split(&record->params[i], "vcpu.", &number);

		if (!name || number >= GM_VCPUS_MAX)
			continue;
		if (number != note.number) {
			if (note.known)
				gm_batch_note(batch, &note);
			note = *blank;
			note.number = (uint32_t)number;
		}
		read_vcpu(&note, name, &record->params[i]);
	}
	if (note.known)
		gm_batch_note(batch, &note);
}

void gm_lv_details_notes(const struct gm_lv_record *record, const struct gm_lv_pins *pins,
			 struct gm_batch *batch)
{
	struct gm_note note = {.kind = GM_NOTE_VCPU, .time = gm_lv_stats_measured_at(record)};

	memcpy(note.guest, record->uuid, GM_UUID_SIZE);
	if (!record->uncounted)
		note_vcpus(record, &note, batch);
	note.kind = GM_NOTE_AFFINITY;
	for (uint32_t i = 0; pins && i < pins->vcpu_count; i++) {
		note.number = i;
		note.cpu_count = pins->cpu_count;
		memcpy(note.cpus, pins->cpus[i], sizeof(note.cpus));
		gm_batch_note(batch, &note);
	}
}
