/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sources would tell of simulated guests: the frames, identities and events of libvirt's two
 * lanes, the tap sampler and the host, in the form and from the side in which those give them. No
 * chance and no judgement here. Called by node.c.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "node_private.h"

/* VIR_DOMAIN_RUNNING and VIR_DOMAIN_PAUSED. */
enum { STATE_RUNNING = 1, STATE_PAUSED = 3 };

#define NODE_BASE  (2 * SIM_GIB)  /* what the node itself uses */
#define NODE_TOTAL (32 * SIM_GIB) /* that it has beside the memory of its guests */
#define DISK_SIZE  (40 * SIM_GIB)

static const uint16_t port_metrics[SIM_PORT_COUNTERS] = {
	[SIM_RX_BYTES] = GM_METRIC_NET_RX_BYTES,   [SIM_RX_PACKETS] = GM_METRIC_NET_RX_PACKETS,
	[SIM_RX_ERRORS] = GM_METRIC_NET_RX_ERRORS, [SIM_RX_DROPPED] = GM_METRIC_NET_RX_DROPPED,
	[SIM_TX_BYTES] = GM_METRIC_NET_TX_BYTES,   [SIM_TX_PACKETS] = GM_METRIC_NET_TX_PACKETS,
	[SIM_TX_ERRORS] = GM_METRIC_NET_TX_ERRORS, [SIM_TX_DROPPED] = GM_METRIC_NET_TX_DROPPED,
};

/* The number stands in the first bytes, so that a key leads back to the guest. */
static struct gm_entity_key guest_key(size_t number)
{
	uint8_t uuid[GM_UUID_SIZE] = {(uint8_t)(number >> 8),
				      (uint8_t)number, [6] = 0x40, [15] = 1};

	return gm_entity_guest(uuid);
}

static struct gm_entity_key port_key(const struct sim_node *node, size_t number, unsigned port)
{
	char name[GM_DEVICE_NAME];

	snprintf(name, sizeof(name), "tap%zu-%u-%u", number, port, node->guests[number].generation);
	return gm_entity_interface(name);
}

static struct gm_entity_key disk_key(size_t number)
{
	struct gm_entity_key guest = guest_key(number);

	return gm_entity_disk(guest.uuid, "vda");
}

int sim_feed_guest(const struct sim_node *node, const struct gm_entity_key *key)
{
	size_t number = (size_t)key->uuid[0] << 8 | key->uuid[1];

	if (key->kind == GM_ENTITY_NODE)
		return SIM_NODE;
	if (key->kind == GM_ENTITY_INTERFACE)
		number = (size_t)strtoul(key->name + 3, NULL, 10);
	return number < node->options.count ? (int)number : SIM_NODE;
}

static void send(struct sim_node *node, enum gm_source_id source)
{
	node->batch->source = (uint8_t)source;
	gm_intake_batch(node->intake, node->batch);
	gm_batch_clear(node->batch);
}

void sim_feed_appear(struct sim_node *node, size_t number)
{
	struct watched *watched = &node->guests[number];
	const struct sim_plan *plan = watched->world.plan;
	struct gm_entity_info guest = {.key = guest_key(number)};
	struct gm_entity_info disk = {.key = disk_key(number)};

	gm_text_copy(guest.guest.name, sizeof(guest.guest.name), plan->name);
	gm_text_copy(guest.guest.flavor, sizeof(guest.guest.flavor),
		     plan->flavor ? plan->flavor : "m1.small");
	guest.guest.vcpus = plan->vcpus;
	guest.guest.memory_max = (uint64_t)watched->world.given;
	gm_intake_seen(node->intake, GM_SOURCE_LIBVIRT, &guest);
	for (unsigned i = 0; i < plan->ports; i++) {
		struct gm_entity_info port = {.key = port_key(node, number, i)};

		memcpy(port.interface.guest, guest.key.uuid, GM_UUID_SIZE);
		port.interface.ordinal = i + 1;
		snprintf(port.interface.mac, sizeof(port.interface.mac),
			 "52:54:00:%02zx:%02zx:%02x", number >> 8, number & 0xff, i);
		gm_intake_seen(node->intake, GM_SOURCE_LIBVIRT, &port);
		gm_intake_seen(node->intake, GM_SOURCE_TAP, &port);
	}
	memcpy(disk.disk.guest, guest.key.uuid, GM_UUID_SIZE);
	disk.disk.ordinal = 1;
	gm_intake_seen(node->intake, GM_SOURCE_LIBVIRT_SLOW, &disk);
	watched->speed_told = false;
}

static void disappear(struct sim_node *node, size_t number)
{
	struct watched *watched = &node->guests[number];
	int64_t now = sim_node_now(node);
	struct gm_entity_key key;

	for (unsigned i = 0; i < watched->world.plan->ports; i++) {
		key = port_key(node, number, i);
		gm_intake_gone(node->intake, GM_SOURCE_TAP, &key, now);
	}
	key = disk_key(number);
	gm_intake_gone(node->intake, GM_SOURCE_LIBVIRT_SLOW, &key, now);
	key = guest_key(number);
	gm_intake_gone(node->intake, GM_SOURCE_LIBVIRT, &key, now);
	watched->generation++;
}

static void tell(struct sim_node *node, size_t number, enum gm_guest_event_kind kind)
{
	struct gm_guest_event event = {
		.key = guest_key(number), .kind = kind, .time = sim_node_now(node)};

	gm_intake_event(node->intake, &event);
}

void sim_feed_event(struct sim_node *node, size_t number, const struct sim_event *event, bool end)
{
	switch (event->kind) {
	case SIM_REBOOT:
		if (!end)
			tell(node, number, GM_GUEST_REBOOTED);
		break;
	case SIM_RESTART:
	case SIM_MIGRATE:
		if (end)
			sim_feed_appear(node, number);
		tell(node, number,
		     event->kind == SIM_MIGRATE ? GM_GUEST_MIGRATED
		     : end                      ? GM_GUEST_STARTED
						: GM_GUEST_STOPPED);
		if (!end)
			disappear(node, number);
		break;
	case SIM_SUSPEND:
		tell(node, number, end ? GM_GUEST_RESUMED : GM_GUEST_SUSPENDED);
		break;
	case SIM_BALLOON:
		tell(node, number, GM_GUEST_BALLOON);
		break;
	case SIM_HOTPLUG:
		tell(node, number, GM_GUEST_DEVICE_ADDED);
		break;
	default:
		break;
	}
}

/* ---- samples ---- */

static bool is_there(const struct watched *watched)
{
	return !watched->absence ||
	       (watched->absence->kind != SIM_RESTART && watched->absence->kind != SIM_MIGRATE);
}

static void frame(struct sim_node *node, struct gm_entity_key key, unsigned flags)
{
	int64_t now = sim_node_now(node);

	gm_batch_frame(node->batch, &key, now, now, flags);
}

static void gauge(struct sim_node *node, unsigned metric, double value)
{
	gm_batch_gauge(node->batch, metric, value);
}

static void counter(struct sim_node *node, unsigned metric, double value)
{
	gm_batch_counter(node->batch, metric, (uint64_t)value);
}

/* As the tap sampler gives it: from the other end of the cable. */
static void sample_port(struct sim_node *node, size_t number, unsigned index)
{
	struct watched *watched = &node->guests[number];
	const double *port = watched->world.ports[index];

	frame(node, port_key(node, number, index), GM_FRAME_HOST_VIEW);
	for (size_t i = 0; i < SIM_PORT_COUNTERS; i++)
		counter(node, gm_metric_mirrored(port_metrics[i]),
			watched->world.plan->narrow ? fmod(port[i], 0x1p32) : port[i]);
	if (!watched->speed_told)
		gauge(node, GM_METRIC_NET_SPEED, node->options.port_speed);
}

/* What libvirt tells without asking the guest. */
static void sample_live(struct sim_node *node, size_t number)
{
	const struct sim_guest *world = &node->guests[number].world;

	frame(node, guest_key(number), 0);
	gauge(node, GM_METRIC_GUEST_STATE, world->paused ? STATE_PAUSED : STATE_RUNNING);
	counter(node, GM_METRIC_CPU_TIME, world->cpu);
	counter(node, GM_METRIC_CPU_USER, 0.7 * world->cpu);
	counter(node, GM_METRIC_CPU_SYSTEM, 0.3 * world->cpu);
	gauge(node, GM_METRIC_CPU_COUNT, world->plan->vcpus);
	counter(node, GM_METRIC_VCPU_TIME, 0.98 * world->cpu);
	counter(node, GM_METRIC_VCPU_WAIT, world->wait);
	gauge(node, GM_METRIC_MEMORY_BALLOON, world->balloon);
	gauge(node, GM_METRIC_MEMORY_MAXIMUM, world->given);
	frame(node, disk_key(number), 0);
	counter(node, GM_METRIC_DISK_READ_BYTES, world->read);
	counter(node, GM_METRIC_DISK_READ_REQUESTS, world->read / 16384);
	counter(node, GM_METRIC_DISK_READ_TIME, world->read * 8);
	counter(node, GM_METRIC_DISK_WRITE_BYTES, world->written);
	counter(node, GM_METRIC_DISK_WRITE_REQUESTS, world->written / 16384);
	counter(node, GM_METRIC_DISK_WRITE_TIME, world->written * 10);
	gauge(node, GM_METRIC_DISK_CAPACITY, DISK_SIZE);
	gauge(node, GM_METRIC_DISK_ALLOCATION, DISK_SIZE / 4);
}

/* What the guest tells: nothing while it is paused or boots. */
static void sample_told(struct sim_node *node, size_t number)
{
	const struct sim_guest *world = &node->guests[number].world;

	if (world->paused || world->down)
		return;
	frame(node, guest_key(number), 0);
	gauge(node, GM_METRIC_MEMORY_TOTAL, world->total);
	gauge(node, GM_METRIC_MEMORY_AVAILABLE, world->total - world->used);
	gauge(node, GM_METRIC_MEMORY_UNUSED, world->total - world->used - world->cached);
	gauge(node, GM_METRIC_MEMORY_CACHED, world->cached);
	counter(node, GM_METRIC_SWAP_IN, 0);
	counter(node, GM_METRIC_SWAP_OUT, 0);
	counter(node, GM_METRIC_FAULT_MAJOR, world->faults_major);
	counter(node, GM_METRIC_FAULT_MINOR, world->faults_minor);
	gauge(node, GM_METRIC_MEMORY_USED, world->used);
}

/* The guests' processes and the node itself. */
static void sample_host(struct sim_node *node)
{
	double used = NODE_BASE, total = NODE_TOTAL;

	for (size_t i = 0; i < node->options.count; i++) {
		const struct sim_guest *world = &node->guests[i].world;

		total += 1.25 * world->plan->memory;
		if (!is_there(&node->guests[i]))
			continue;
		used += world->resident;
		frame(node, guest_key(i), 0);
		gauge(node, GM_METRIC_MEMORY_RESIDENT, world->resident);
		counter(node, GM_METRIC_PROCESS_CPU, 1.02 * world->cpu);
		gauge(node, GM_METRIC_PROCESS_THREADS, world->threads);
		/* The node's own counter goes on where a guest's begins again. */
		if (world->cpu > node->guests[i].cpu_counted)
			node->cpu += world->cpu - node->guests[i].cpu_counted;
		node->guests[i].cpu_counted = world->cpu;
	}
	frame(node, gm_entity_node(), 0);
	counter(node, GM_METRIC_CPU_TIME, node->cpu + node->time * 1e8);
	gauge(node, GM_METRIC_MEMORY_TOTAL, total);
	gauge(node, GM_METRIC_MEMORY_USED, used);
	gauge(node, GM_METRIC_MEMORY_AVAILABLE, total - used);
	send(node, GM_SOURCE_HOST);
}

void sim_feed_samples(struct sim_node *node, bool slow)
{
	for (size_t i = 0; i < node->options.count; i++) {
		struct watched *watched = &node->guests[i];

		for (unsigned k = 0; is_there(watched) && k < watched->world.plan->ports; k++)
			sample_port(node, i, k);
		watched->speed_told = is_there(watched);
	}
	send(node, GM_SOURCE_TAP);
	if (!slow)
		return;
	for (size_t i = 0; i < node->options.count; i++) {
		if (!is_there(&node->guests[i]))
			continue;
		sample_live(node, i);
		sample_told(node, i);
	}
	send(node, GM_SOURCE_LIBVIRT_SLOW);
	sample_host(node);
}

/* ---- recordings ---- */

static bool is_recorded(const struct sim_node *node, const struct gm_entity_key *key)
{
	if (!node->record || sim_feed_guest(node, key) != node->record_guest)
		return false;
	if (node->record_guest == SIM_NODE)
		return true;
	if (node->record_port < 0)
		return key->kind == GM_ENTITY_GUEST;
	struct gm_entity_key port =
		port_key(node, (size_t)node->record_guest, (unsigned)node->record_port);
	return gm_entity_equal(key, &port);
}

void sim_feed_record(struct sim_node *node, const struct gm_frame *taken,
		     const struct gm_reading *readings)
{
	if (!is_recorded(node, &taken->key))
		return;
	if (!node->record_begun) {
		node->record_begun = true;
		fputs("time", node->record);
		for (unsigned id = 0; id < GM_METRIC_COUNT; id++)
			if (gm_metric_get(id)->entities & 1U << taken->key.kind)
				fprintf(node->record, ",%s", gm_metric_get(id)->name);
		fputc('\n', node->record);
	}
	fprintf(node->record, "%.6f", (double)taken->measured_at / 1e9);
	for (unsigned id = 0; id < GM_METRIC_COUNT; id++) {
		if (!(gm_metric_get(id)->entities & 1U << taken->key.kind))
			continue;
		fputc(',', node->record);
		for (size_t i = 0; i < taken->count; i++) {
			if (readings[i].metric != id)
				continue;
			if (gm_metric_kind(id) == GM_KIND_COUNTER)
				fprintf(node->record, "%llu",
					(unsigned long long)readings[i].value.counter);
			else
				fprintf(node->record, "%.17g", readings[i].value.gauge);
		}
	}
	fputc('\n', node->record);
}
