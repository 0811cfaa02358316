/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots for tests; see fixture.h.
 */
#include "support/mib/fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Takes the next `count` rows; true when there is memory. */
static bool rows(struct gm_snapshot *snapshot, void *ret_array, size_t count, size_t size)
{
	void *array = gm_snapshot_alloc(snapshot, count ? count : 1, size);
	memcpy(ret_array, &array, sizeof(array));
	return array;
}

static struct gm_last *add(struct gm_last_set *set, unsigned metric)
{
	struct gm_last *last = &set->items[set->count++];
	last->metric = (uint16_t)metric;
	last->measured_at = FIXTURE_TIME;
	return last;
}

static void add_gauge(struct gm_last_set *set, unsigned metric, double value)
{
	add(set, metric)->value.gauge = value;
}

static void add_counter(struct gm_last_set *set, unsigned metric, uint64_t value, double rate)
{
	struct gm_last *last = add(set, metric);
	last->value.counter = value;
	last->has_rate = true;
	last->rate = rate;
}

/* In the order of the catalogue, as the contract asks. */
static bool fill_guest(struct gm_snapshot *snapshot, struct gm_guest_row *guest, uint32_t index)
{
	guest->index = index;
	guest->uuid[0] = 0xab;
	memcpy(guest->uuid + 12, &index, sizeof(index));
	snprintf(guest->info.name, sizeof(guest->info.name), "instance-%08x", index);
	snprintf(guest->info.display_name, sizeof(guest->info.display_name), "web-%u", index);
	snprintf(guest->info.project, sizeof(guest->info.project), "shop");
	snprintf(guest->tenant, sizeof(guest->tenant), "%s",
		 fixture_tenants[index / 2 % FIXTURE_TENANTS]);
	snprintf(guest->info.os, sizeof(guest->info.os), "http://debian.org/debian/12");
	guest->info.vcpus_max = 4;
	guest->info.persistent = GM_YES;
	guest->info.autostart = GM_NO;
	guest->started_at = FIXTURE_TIME - 600 * GM_SECOND;
	guest->active_alarms = 1;
	if (!rows(snapshot, &guest->last.items, 8, sizeof(struct gm_last)))
		return false;
	add_gauge(&guest->last, GM_METRIC_GUEST_STATE, 1);
	add_counter(&guest->last, GM_METRIC_CPU_TIME, 5000000000, 0.25e9);
	add_gauge(&guest->last, GM_METRIC_CPU_COUNT, 2);
	add_gauge(&guest->last, GM_METRIC_MEMORY_TOTAL, 8e9);
	add_gauge(&guest->last, GM_METRIC_MEMORY_USED, 3e9 + index);
	add_gauge(&guest->last, GM_METRIC_MEMORY_MAXIMUM, 8e9);
	return true;
}

static bool fill_interface(struct gm_snapshot *snapshot, struct gm_interface_row *interface,
			   uint32_t guest, uint32_t ordinal, uint64_t generation)
{
	static const uint16_t counters[] = {
		GM_METRIC_NET_RX_BYTES,   GM_METRIC_NET_RX_PACKETS, GM_METRIC_NET_RX_ERRORS,
		GM_METRIC_NET_RX_DROPPED, GM_METRIC_NET_TX_BYTES,   GM_METRIC_NET_TX_PACKETS,
		GM_METRIC_NET_TX_ERRORS,  GM_METRIC_NET_TX_DROPPED,
	};
	interface->guest_index = guest;
	interface->ordinal = ordinal;
	snprintf(interface->device, sizeof(interface->device), "tap%u-%u", guest, ordinal);
	interface->info.master = 7;
	snprintf(interface->info.model, sizeof(interface->info.model), "virtio");
	snprintf(interface->info.mac, sizeof(interface->info.mac), "52:54:00:Ab:%02x:%02x",
		 guest & 255, ordinal & 255);
	interface->info.if_index = 100 + ordinal;
	if (!rows(snapshot, &interface->last.items, 12, sizeof(struct gm_last)))
		return false;
	add_gauge(&interface->last, GM_METRIC_NET_SPEED, 10e9);
	/* One way is limited; that the other is not any more is not a value. */
	add_gauge(&interface->last, GM_METRIC_NET_RX_LIMIT, 10e9);
	add_gauge(&interface->last, GM_METRIC_NET_TX_LIMIT, 0);
	for (size_t i = 0; i < 8; i++)
		add_counter(&interface->last, counters[i], generation, 1000);
	/* Nothing is known of what was sent in 100 ms. */
	interface->peaks[GM_PEAK_RX] = (struct gm_peak){8e9, FIXTURE_TIME - 30 * GM_SECOND};
	interface->peaks[GM_PEAK_RX_FINE] = (struct gm_peak){9.5e9, FIXTURE_TIME - GM_SECOND};
	interface->peaks[GM_PEAK_TX_FINE] = (struct gm_peak){0, FIXTURE_TIME};
	return true;
}

/* Two vCPUs, of which the second may run on the host's CPUs 1 and 3 of four; an empty medium and a disk. */
static bool fill_machine(struct gm_snapshot *snapshot, size_t g, uint32_t index)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct gm_vcpu_row *vcpu = &snapshot->vcpus[2 * g + i];
		*vcpu = (struct gm_vcpu_row){.guest_index = index, .number = i + 1};
		if (!rows(snapshot, &vcpu->last.items, 3, sizeof(struct gm_last)))
			return false;
		add_counter(&vcpu->last, GM_METRIC_VCPU_TIME, 1500000 * (i + 1), 0.25e9);
		if (i == 0) {
			vcpu->vcpu.state = GM_VCPU_RUNNING;
			add_counter(&vcpu->last, GM_METRIC_VCPU_WAIT, 5000, 1e3);
			add_counter(&vcpu->last, GM_METRIC_VCPU_STEAL, UINT64_MAX, 125e6);
		}
		vcpu->vcpu.cpu_count = i ? 4 : 0;
		vcpu->vcpu.cpus[0] = 10;
		struct gm_disk_row *disk = &snapshot->disks[2 * g + i];
		*disk = (struct gm_disk_row){.guest_index = index, .ordinal = i + 1};
		snprintf(disk->target, sizeof(disk->target), "vd%c", 'a' + (int)i);
		snprintf(disk->info.device, sizeof(disk->info.device), i ? "disk" : "cdrom");
		disk->info.read_only = i ? GM_NO : GM_YES;
		if (i == 0)
			continue;
		snprintf(disk->info.type, sizeof(disk->info.type), "file");
		snprintf(disk->info.format, sizeof(disk->info.format), "qcow2");
		snprintf(disk->info.alias, sizeof(disk->info.alias), "virtio-disk1");
		disk->errors = 3;
		disk->failed_at = FIXTURE_TIME - GM_SECOND;
		snprintf(disk->info.source, sizeof(disk->info.source), "/srv/%u.qcow2", index);
		if (!rows(snapshot, &disk->last.items, 8, sizeof(struct gm_last)))
			return false;
		add_counter(&disk->last, GM_METRIC_DISK_READ_BYTES, 4096, 512);
		add_counter(&disk->last, GM_METRIC_DISK_READ_TIME, 2500000, 0);
		add_counter(&disk->last, GM_METRIC_DISK_WRITE_REQUESTS, UINT64_MAX, 1e12);
		add_counter(&disk->last, GM_METRIC_DISK_FLUSH_TIME, 999, 0);
		add_gauge(&disk->last, GM_METRIC_DISK_WRITE_LATENCY, 2500400);
		disk->last.items[4].measured_at -= 3 * GM_SECOND; /* nothing was written since */
		/* 3 TiB and a half: more than an Integer32 of KiB holds. */
		add_gauge(&disk->last, GM_METRIC_DISK_CAPACITY, 3.5 * 1099511627776);
		add_gauge(&disk->last, GM_METRIC_DISK_PHYSICAL, 8192);
	}
	return true;
}

const char *const fixture_tenants[FIXTURE_TENANTS] = {"shop", "9a2b0000000000000000000000000001"};

/* A file's, by its name and its patterns, and two of managers: one that is judged, one that lacks something. */
static bool fill_thresholds(struct gm_snapshot *snapshot)
{
	static const char *const names[] = {"disk", "memory", "unfinished"};
	struct gm_threshold_options none = {.metric = "memory.used",
					    .enabled = true,
					    .rising = NAN,
					    .falling = NAN,
					    .warning_max = NAN,
					    .warning_min = NAN,
					    .failure_max = NAN,
					    .failure_min = NAN,
					    .hysteresis = NAN,
					    .hits = 1,
					    .window = 60 * INT64_C(1000000000),
					    .percentile = 95};

	snapshot->detector_count = 2;
	snapshot->detectors[0] = "leak";
	snapshot->detectors[1] = "burst";
	for (size_t i = 0; i < snapshot->guest_count; i++) {
		snapshot->guests[i].detectors = 1;
		snapshot->guests[i].switched_detectors = 2;
	}
	snapshot->threshold_count = sizeof(names) / sizeof(names[0]);
	if (!rows(snapshot, &snapshot->thresholds, snapshot->threshold_count,
		  sizeof(*snapshot->thresholds)))
		return false;
	struct gm_threshold_row *row = snapshot->thresholds;
	for (size_t i = 0; i < snapshot->threshold_count; i++) {
		snprintf(row[i].name, sizeof(row[i].name), "%s", names[i]);
		row[i].options = none;
		row[i].storage = GM_STORAGE_KEPT;
		row[i].status = GM_ROW_ACTIVE;
	}
	row[0].storage = GM_STORAGE_READ_ONLY;
	row[0].options.failure_max = -1.5;
	row[0].entities = 1U << GM_ENTITY_DISK;
	snprintf(row[0].guest, sizeof(row[0].guest), "web-*,!web-9");
	row[1].changed_at = FIXTURE_TIME;
	row[1].alarms = 7;
	row[1].options.rising = 17179869184.0;
	row[1].options.severity = 2;
	row[1].options.duration = INT64_C(1500000000);
	row[2].storage = GM_STORAGE_VOLATILE;
	row[2].status = GM_ROW_NOT_READY;
	row[2].options.metric[0] = '\0';
	return true;
}

/* Of those that have guests, in the order of their lengths. */
/* One that works, and one that has told nothing yet. */
static bool fill_outputs(struct gm_snapshot *snapshot)
{
	static const struct gm_output_row outputs[] = {
		{.name = "nms",
		 .type = "snmp-inform",
		 .state = GM_OUTPUT_WAITING,
		 .position = 7,
		 .backlog = 2,
		 .in_flight = 1,
		 .delivered = 6,
		 .retried = 5,
		 .refused = 4,
		 .expired = 3,
		 .overflowed = 2,
		 .delivered_at = FIXTURE_TIME,
		 .failing_since = FIXTURE_TIME,
		 .next_try_at = FIXTURE_TIME,
		 .error = "the receiver does not acknowledge"},
		{.name = "snmp", .type = "agentx", .state = GM_OUTPUT_WORKING},
	};
	snapshot->output_count = sizeof(outputs) / sizeof(outputs[0]);
	if (!rows(snapshot, &snapshot->outputs, snapshot->output_count, sizeof(*snapshot->outputs)))
		return false;
	memcpy(snapshot->outputs, outputs, sizeof(outputs));
	return true;
}

static bool fill_tenants(struct gm_snapshot *snapshot, size_t guests, size_t interfaces)
{
	if (!rows(snapshot, &snapshot->tenants, FIXTURE_TENANTS, sizeof(*snapshot->tenants)))
		return false;
	for (size_t t = 0; t < FIXTURE_TENANTS && t < guests; t++) {
		struct gm_tenant_row *tenant = &snapshot->tenants[snapshot->tenant_count++];
		snprintf(tenant->name, sizeof(tenant->name), "%s", fixture_tenants[t]);
		snprintf(tenant->project, sizeof(tenant->project), "project-%zu", t);
		tenant->guests = (uint32_t)((guests + FIXTURE_TENANTS - 1 - t) / FIXTURE_TENANTS);
		tenant->ports = tenant->guests * (uint32_t)interfaces;
	}
	return true;
}

static void fill_finding(struct gm_finding_row *row, uint32_t guest, uint32_t ordinal, bool rx)
{
	*row = (struct gm_finding_row){.guest_index = guest, .ordinal = ordinal, .rx = rx};
	row->finding.active = true;
	row->finding.severity = GM_SEVERITY_MAJOR;
	row->finding.time = FIXTURE_TIME;
	row->alarm_id = guest;
}

static void fill_leak(struct gm_finding_row *row, uint32_t guest)
{
	fill_finding(row, guest, 0, false);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_SLOPE, 1048576);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_EXHAUSTION, 3600);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_CONFIDENCE, 0.97);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_ONSET, 1767225000.5);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_SLOPE_LOW, -1024);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_SLOPE_HIGH, 2097152);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_EXHAUSTION_LOW, 1800);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_HORIZON, 900);
	snprintf(row->finding.evidence.contributors, sizeof(row->finding.evidence.contributors),
		 "process:%u/java", guest);
}

static bool fill_process(struct gm_snapshot *snapshot, struct gm_process_row *process,
			 uint32_t guest, bool leaks)
{
	process->guest_index = guest;
	process->pid = leaks ? 4242 : 17;
	snprintf(process->command, sizeof(process->command), leaks ? "java" : "sshd");
	if (!rows(snapshot, &process->last.items, 2, sizeof(struct gm_last)))
		return false;
	add_counter(&process->last, GM_METRIC_CPU_TIME, 7000000, 0.5e9);
	add_gauge(&process->last, GM_METRIC_MEMORY_RESIDENT, 3e8);
	if (leaks) {
		struct gm_finding_row row;
		fill_leak(&row, guest);
		process->leak = row.finding;
		process->alarm_id = 100 + guest;
	}
	return true;
}

static void fill_anomaly(struct gm_finding_row *row, uint32_t guest)
{
	fill_finding(row, guest, 0, false);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_SCORE, 0.875);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_VALUE, -1.5);
	snprintf(row->finding.evidence.contributors, sizeof(row->finding.evidence.contributors),
		 "cpu.time,net.rx.bytes@tap1-1");
}

static void fill_error(struct gm_finding_row *row, uint32_t guest)
{
	fill_finding(row, guest, GM_ERROR_RX_DROPS, false);
	snprintf(row->finding.metric, sizeof(row->finding.metric), "net.rx.dropped");
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_VALUE, 12.5);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_LIMIT, 0.001);
}

/* Counts tell their bucket; the last bucket of all is the largest that there can be. */
static void fill_counts(struct gm_burst_total_row *total, struct gm_bucket_row buckets[2],
			uint32_t guest, uint32_t ordinal)
{
	*total = (struct gm_burst_total_row){
		.guest_index = guest,
		.ordinal = ordinal,
		.part = GM_BURST_PART_RX_BYTES,
		.bursts = 3,
		.time = 225000000,
		.volume = UINT64_C(1) << 40,
		.dropped = 5,
		.told = 2,
		.untold = 1,
	};
	for (uint8_t i = 0; i < 2; i++)
		buckets[i] = (struct gm_bucket_row){
			.guest_index = guest,
			.ordinal = ordinal,
			.part = GM_BURST_PART_RX_BYTES,
			.histogram = i ? GM_HISTOGRAM_VOLUME : GM_HISTOGRAM_DURATION,
			.bucket = i ? 32 : 17,
			.last = i,
			.count = i ? 32 : 17,
		};
}

static void fill_burst(struct gm_finding_row *row, uint32_t guest, uint32_t ordinal, bool rx)
{
	fill_finding(row, guest, ordinal, rx);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_START, 1767225599.125);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_DURATION, 0.075);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_PEAK, 9.5e9);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_VOLUME, 80e6);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_GAP, 1.25);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_DROPPED, 7);
	gm_evidence_set(&row->finding.evidence, GM_EVIDENCE_PORTS, 2);
}

struct gm_transition fixture_transition(uint64_t sequence, enum gm_transition_kind kind)
{
	bool leak = sequence % 2 == 1;
	struct gm_transition transition = {
		.sequence = sequence, .kind = kind, .time = FIXTURE_TIME};
	struct gm_alarm *alarm = &transition.alarm;
	struct gm_finding_row row;
	if (leak)
		fill_leak(&row, 1);
	else
		fill_burst(&row, 1, 1, true);
	alarm->id = (uint32_t)sequence;
	alarm->severity = GM_SEVERITY_MAJOR;
	alarm->event_type = GM_EVENT_QUALITY_OF_SERVICE;
	alarm->comments = leak;
	snprintf(alarm->comment, sizeof(alarm->comment), "%s", leak ? "asked its owner" : "");
	snprintf(alarm->commented_by, sizeof(alarm->commented_by), "%s", leak ? "ada" : "");
	alarm->cause = leak ? GM_CAUSE_RESOURCE_NEARING_CAPACITY : GM_CAUSE_CONGESTION;
	alarm->raised_at = alarm->changed_at = FIXTURE_TIME;
	alarm->evidence = row.finding.evidence;
	alarm->guest_index = 1;
	alarm->guest[0] = 0xab;
	alarm->guest[12] = 1;
	alarm->key = leak ? gm_entity_guest(alarm->guest) : gm_entity_interface("tap1-1");
	snprintf(alarm->detector, sizeof(alarm->detector), "%s", leak ? "leak" : "burst");
	snprintf(alarm->rule, sizeof(alarm->rule), "%s", leak ? "" : "gold-ports");
	snprintf(alarm->metric, sizeof(alarm->metric), "%s", leak ? "memory.used" : "net.rx.bytes");
	snprintf(alarm->evidence.direction, sizeof(alarm->evidence.direction), "%s",
		 leak ? "" : "rx");
	snprintf(alarm->guest_name, sizeof(alarm->guest_name), "web-1");
	snprintf(alarm->text, sizeof(alarm->text), "transition %llu of web-1",
		 (unsigned long long)sequence);
	return transition;
}

static bool allocate_ports(struct gm_snapshot *snapshot, size_t ports)
{
	snapshot->interface_count = snapshot->packet_burst_count = ports;
	snapshot->burst_total_count = snapshot->packed_count = ports;
	snapshot->burst_count = snapshot->burst_bucket_count = 2 * ports;
	return rows(snapshot, &snapshot->interfaces, ports, sizeof(*snapshot->interfaces)) &&
	       rows(snapshot, &snapshot->bursts, 2 * ports, sizeof(*snapshot->bursts)) &&
	       rows(snapshot, &snapshot->packet_bursts, ports, sizeof(*snapshot->packet_bursts)) &&
	       rows(snapshot, &snapshot->burst_totals, ports, sizeof(*snapshot->burst_totals)) &&
	       rows(snapshot, &snapshot->burst_buckets, 2 * ports,
		    sizeof(*snapshot->burst_buckets)) &&
	       rows(snapshot, &snapshot->packed, ports, sizeof(*snapshot->packed));
}

static bool allocate_guests(struct gm_snapshot *snapshot, size_t guests)
{
	snapshot->guest_count = snapshot->leak_count = snapshot->host_leak_count = guests;
	snapshot->anomaly_count = snapshot->error_count = guests;
	snapshot->alarm_count = snapshot->log_count = guests;
	snapshot->process_count = snapshot->vcpu_count = snapshot->disk_count = 2 * guests;
	snapshot->contention_bucket_count = guests ? 1 : 0;
	return rows(snapshot, &snapshot->guests, guests, sizeof(*snapshot->guests)) &&
	       rows(snapshot, &snapshot->leaks, guests, sizeof(*snapshot->leaks)) &&
	       rows(snapshot, &snapshot->host_leaks, guests, sizeof(*snapshot->host_leaks)) &&
	       rows(snapshot, &snapshot->anomalies, guests, sizeof(*snapshot->anomalies)) &&
	       rows(snapshot, &snapshot->errors, guests, sizeof(*snapshot->errors)) &&
	       rows(snapshot, &snapshot->vcpus, 2 * guests, sizeof(*snapshot->vcpus)) &&
	       rows(snapshot, &snapshot->disks, 2 * guests, sizeof(*snapshot->disks)) &&
	       rows(snapshot, &snapshot->processes, 2 * guests, sizeof(*snapshot->processes)) &&
	       rows(snapshot, &snapshot->alarms, guests, sizeof(*snapshot->alarms)) &&
	       rows(snapshot, &snapshot->log, guests, sizeof(*snapshot->log)) &&
	       rows(snapshot, &snapshot->contention_buckets, 1,
		    sizeof(*snapshot->contention_buckets));
}

static void fill_agent(struct gm_snapshot *snapshot)
{
	struct gm_agent_row *agent = &snapshot->agent;
	snprintf(agent->node, sizeof(agent->node), "compute-1");
	snprintf(agent->version, sizeof(agent->version), "0.1.0");
	agent->started_at = FIXTURE_TIME - 3600 * GM_SECOND;
	agent->boots = 7;
	agent->samples = UINT64_C(1) << 40;
	agent->cpu_ns = 2500000;
	agent->sample_rate = 1234.4;
	agent->last_sequence = snapshot->log_count;
	snapshot->taken_at = FIXTURE_TIME;
	snapshot->host = (struct gm_host_row){
		.info = {.hypervisor = "QEMU", .version = "7.2.0"},
		.booted_at = FIXTURE_TIME - 86400 * GM_SECOND,
		.cpu_count = 4,
		.guests_changed_at = FIXTURE_TIME - 60 * GM_SECOND,
	};
	snapshot->ports = snapshot->interfaces;
	snapshot->port_count = snapshot->interface_count;
	snapshot->contention = (struct gm_contention_row){.ports = 1, .most = 4, .bursts = 9};
	snapshot->contention_buckets[0] = (struct gm_bucket_row){.bucket = 1, .count = 9};
	snapshot->source_count = 2;
	for (size_t i = 0; i < 2; i++)
		snapshot->sources[i] = (struct gm_source_status){.id = (enum gm_source_id)i,
								 .connected = i == 0,
								 .interval = GM_SECOND / 10};
}

/* What detectors think of a guest as a whole. */
static bool fill_judgements(struct gm_snapshot *snapshot, size_t g, uint32_t index)
{
	fill_leak(&snapshot->leaks[g], index);
	fill_leak(&snapshot->host_leaks[g], index);
	fill_anomaly(&snapshot->anomalies[g], index);
	fill_error(&snapshot->errors[g], index);
	return fill_process(snapshot, &snapshot->processes[2 * g], index, false) &&
	       fill_process(snapshot, &snapshot->processes[2 * g + 1], index, true);
}

/* Two samples, 100 ms apart. */
static void fill_series(struct gm_packed_row *series, uint32_t guest, uint32_t ordinal)
{
	static const uint8_t records[2 * GM_PACKED_RECORD] = {
		0, 0, 0,    0,    0, 0, 0, 0, 0, 0x4c, 0x4b, 0x40,
		0, 1, 0x86, 0xa0, 0, 0, 0, 0, 0, 0x4c, 0x4b, 0x47};
	*series = (struct gm_packed_row){
		.guest_index = guest,
		.ordinal = ordinal,
		.series = GM_PACKED_RX_OCTETS,
		.count = 2,
		.first_at = FIXTURE_TIME - GM_SECOND / 10,
		.last_at = FIXTURE_TIME,
		.span = GM_SECOND / 10,
		.records = records,
	};
}

static void fill_port(struct gm_snapshot *snapshot, size_t at, uint32_t index, uint32_t ordinal)
{
	struct gm_evidence *packets = &snapshot->packet_bursts[at].finding.evidence;
	fill_burst(&snapshot->bursts[2 * at], index, ordinal, true);
	snprintf(snapshot->bursts[2 * at].finding.evidence.contributors, 16, "tap-of-another");
	fill_burst(&snapshot->bursts[2 * at + 1], index, ordinal, false);
	fill_burst(&snapshot->packet_bursts[at], index, ordinal, true);
	gm_evidence_set(packets, GM_EVIDENCE_PEAK_PACKETS, 1e6);
	gm_evidence_set(packets, GM_EVIDENCE_STORM, 12);
	fill_series(&snapshot->packed[at], index, ordinal);
	fill_counts(&snapshot->burst_totals[at], &snapshot->burst_buckets[2 * at], index, ordinal);
}

static bool finish(struct gm_snapshot *snapshot)
{
	return fill_thresholds(snapshot) && gm_snapshot_order_alarms(snapshot) == 0;
}

struct gm_snapshot *fixture_snapshot(size_t guests, size_t interfaces, uint64_t generation)
{
	struct gm_snapshot *snapshot = gm_snapshot_create();
	if (!snapshot || !allocate_guests(snapshot, guests) ||
	    !allocate_ports(snapshot, guests * interfaces))
		return NULL;
	fill_agent(snapshot);
	if (!fill_outputs(snapshot) || !fill_tenants(snapshot, guests, interfaces))
		return NULL;
	for (size_t g = 0; g < guests; g++) {
		uint32_t index = (uint32_t)(2 * g + 1);
		if (!fill_guest(snapshot, &snapshot->guests[g], index))
			return NULL;
		if (!fill_machine(snapshot, g, index) || !fill_judgements(snapshot, g, index))
			return NULL;
		snapshot->log[g] = fixture_transition(g + 1, g % 4 == 1 ? GM_TRANSITION_CLEAR
									: GM_TRANSITION_RAISE);
		if (g % 4 == 1)
			snapshot->log[g].alarm.cleared_at = FIXTURE_TIME + GM_SECOND;
		memcpy(snapshot->log[g].alarm.project_uuid, snapshot->guests[g].tenant,
		       GM_TENANT_SIZE);
		snapshot->alarms[g] = snapshot->log[g].alarm;
		for (size_t i = 0; i < interfaces; i++) {
			size_t at = g * interfaces + i;
			uint32_t ordinal = (uint32_t)i + 1;
			if (!fill_interface(snapshot, &snapshot->interfaces[at], index, ordinal,
					    generation))
				return NULL;
			fill_port(snapshot, at, index, ordinal);
		}
	}
	snapshot->totals.raised[GM_SEVERITY_MAJOR] = 9;
	return finish(snapshot) ? snapshot : NULL;
}
