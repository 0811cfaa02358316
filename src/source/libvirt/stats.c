/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading libvirt's typed parameters; see stats.h. It knows libvirt's names and units, and nothing
 * of connections. Called by both lanes on their own threads.
 */
#include "source/libvirt/stats.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "source/libvirt/uris.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct field {
	const char *name;
	uint16_t metric;
};

/* "net.N.<name>". libvirt gives them as the guest sees them (it turns a tap's ends around). */
static const struct field interface_fields[] = {
	{"rx.bytes", GM_METRIC_NET_RX_BYTES}, {"rx.pkts", GM_METRIC_NET_RX_PACKETS},
	{"rx.errs", GM_METRIC_NET_RX_ERRORS}, {"rx.drop", GM_METRIC_NET_RX_DROPPED},
	{"tx.bytes", GM_METRIC_NET_TX_BYTES}, {"tx.pkts", GM_METRIC_NET_TX_PACKETS},
	{"tx.errs", GM_METRIC_NET_TX_ERRORS}, {"tx.drop", GM_METRIC_NET_TX_DROPPED},
};

/* "block.N.<name>". */
static const struct field disk_fields[] = {
	{"rd.bytes", GM_METRIC_DISK_READ_BYTES},    {"rd.reqs", GM_METRIC_DISK_READ_REQUESTS},
	{"rd.times", GM_METRIC_DISK_READ_TIME},     {"wr.bytes", GM_METRIC_DISK_WRITE_BYTES},
	{"wr.reqs", GM_METRIC_DISK_WRITE_REQUESTS}, {"wr.times", GM_METRIC_DISK_WRITE_TIME},
	{"fl.reqs", GM_METRIC_DISK_FLUSH_REQUESTS}, {"fl.times", GM_METRIC_DISK_FLUSH_TIME},
	{"capacity", GM_METRIC_DISK_CAPACITY},      {"allocation", GM_METRIC_DISK_ALLOCATION},
	{"physical", GM_METRIC_DISK_PHYSICAL},
};

enum { DEVICE_FIELDS_MAX = 11 };

static const struct group {
	const char *prefix;
	enum gm_entity_kind kind;
	const struct field *fields;
	size_t field_count;
} interface_group = {"net.", GM_ENTITY_INTERFACE, interface_fields, COUNT_OF(interface_fields)},
  disk_group = {"block.", GM_ENTITY_DISK, disk_fields, COUNT_OF(disk_fields)};

/* The fields of one device, gathered until the next device's begin. */
struct device {
	uint64_t number; /* the N of the names */
	bool open;
	const char *name;
	size_t count;
	struct {
		uint16_t metric;
		uint64_t value;
	} readings[DEVICE_FIELDS_MAX];
};

/* A parameter's value as a count: any integer type that is not negative. */
static bool read_count(const virTypedParameter *param, uint64_t *ret_value)
{
	switch (param->type) {
	case VIR_TYPED_PARAM_INT:
		*ret_value = (uint64_t)param->value.i;
		return param->value.i >= 0;
	case VIR_TYPED_PARAM_UINT:
		*ret_value = param->value.ui;
		return true;
	case VIR_TYPED_PARAM_LLONG:
		*ret_value = (uint64_t)param->value.l;
		return param->value.l >= 0;
	case VIR_TYPED_PARAM_ULLONG:
		*ret_value = param->value.ul;
		return true;
	default:
		return false;
	}
}

const char *gm_lv_stats_split(const virTypedParameter *param, const char *prefix,
			      uint64_t *ret_number)
{
	const char *at = param->field;
	size_t length = strlen(prefix);
	uint64_t number = 0;

	/* libvirt terminates the name; a foreign one may fill the whole array. */
	if (!memchr(param->field, '\0', sizeof(param->field)) || strncmp(at, prefix, length) != 0)
		return NULL;
	at += length;
	if (!isdigit((unsigned char)*at))
		return NULL;
	for (; isdigit((unsigned char)*at); at++) {
		if (number > UINT32_MAX)
			return NULL;
		number = number * 10 + (uint64_t)(*at - '0');
	}
	if (*at != '.')
		return NULL;
	*ret_number = number;
	return at + 1;
}

static void put(struct gm_batch *batch, unsigned metric, uint64_t value)
{
	if (gm_metric_kind(metric) == GM_KIND_COUNTER)
		gm_batch_counter(batch, metric, value);
	else
		gm_batch_gauge(batch, metric, (double)value);
}

/* A device's latencies are left out with what they are made of. */
static bool is_left_out(const struct gm_lv_record *record, unsigned metric)
{
	return record->uncounted && gm_metric_kind(metric) == GM_KIND_COUNTER;
}

/* The place of a disk in the history; NULL: there is no more room. */
static struct gm_lv_disk *find_disk(struct gm_lv_history *history, const char *name)
{
	for (size_t i = 0; i < GM_LV_DISKS; i++) {
		struct gm_lv_disk *disk = &history->disks[i];

		if (disk->name[0] == '\0')
			gm_text_copy(disk->name, sizeof(disk->name), name);
		if (strncmp(disk->name, name, sizeof(disk->name) - 1) == 0)
			return disk;
	}
	return NULL;
}

static bool has_reading(const struct device *device, unsigned metric, uint64_t *ret_value)
{
	for (size_t i = 0; i < device->count; i++) {
		if (device->readings[i].metric != metric)
			continue;
		*ret_value = device->readings[i].value;
		return true;
	}
	return false;
}

/* Time over requests, both as increases: where there were requests, and no counter began anew. */
static void put_latencies(struct gm_lv_history *history, const struct device *device,
			  struct gm_batch *batch)
{
	static const struct {
		uint16_t requests, time, latency;
	} kinds[] = {
		{GM_METRIC_DISK_READ_REQUESTS, GM_METRIC_DISK_READ_TIME,
		 GM_METRIC_DISK_READ_LATENCY},
		{GM_METRIC_DISK_WRITE_REQUESTS, GM_METRIC_DISK_WRITE_TIME,
		 GM_METRIC_DISK_WRITE_LATENCY},
		{GM_METRIC_DISK_FLUSH_REQUESTS, GM_METRIC_DISK_FLUSH_TIME,
		 GM_METRIC_DISK_FLUSH_LATENCY},
	};
	struct gm_lv_disk *disk = find_disk(history, device->name);

	for (size_t i = 0; disk && i < COUNT_OF(kinds); i++) {
		uint64_t requests, time;

		/* What an answer leaves out has not begun anew: the next one tells since the last. */
		if (!has_reading(device, kinds[i].requests, &requests) ||
		    !has_reading(device, kinds[i].time, &time))
			continue;
		if (disk->before[i].known && requests > disk->before[i].requests &&
		    time >= disk->before[i].time)
			gm_batch_gauge(batch, kinds[i].latency,
				       (double)(time - disk->before[i].time) /
					       (double)(requests - disk->before[i].requests));
		disk->before[i].known = true;
		disk->before[i].requests = requests;
		disk->before[i].time = time;
	}
}

/* Emits the device that was gathered, if it has a name and anything to tell. */
static void flush_device(const struct gm_lv_record *record, const struct group *group,
			 struct gm_lv_history *history, struct device *device,
			 struct gm_batch *batch)
{
	if (device->open && device->name && device->count > 0) {
		struct gm_entity_key key =
			group->kind == GM_ENTITY_DISK
				? gm_entity_disk(record->uuid, device->name)
				: gm_lv_interface_key(record->prefix, device->name);
		if (gm_batch_frame(batch, &key, gm_lv_stats_measured_at(record), record->read_at,
				   0)) {
			for (size_t i = 0; i < device->count; i++)
				put(batch, device->readings[i].metric, device->readings[i].value);
			if (history)
				put_latencies(history, device, batch);
		}
	}
	*device = (struct device){0};
}

static void gather(const struct gm_lv_record *record, const struct group *group,
		   struct device *device, const char *name, const virTypedParameter *param)
{
	uint64_t value;

	if (strcmp(name, "name") == 0) {
		if (param->type == VIR_TYPED_PARAM_STRING && param->value.s && *param->value.s)
			device->name = param->value.s;
		return;
	}
	for (size_t i = 0; i < group->field_count; i++) {
		if (strcmp(name, group->fields[i].name) != 0)
			continue;
		if (!is_left_out(record, group->fields[i].metric) &&
		    device->count < DEVICE_FIELDS_MAX && read_count(param, &value)) {
			device->readings[device->count].metric = group->fields[i].metric;
			device->readings[device->count++].value = value;
		}
		return;
	}
}

static void read_devices(const struct gm_lv_record *record, const struct group *group,
			 struct gm_lv_history *history, struct gm_batch *batch)
{
	struct device device = {0};

	for (size_t i = 0; i < record->count; i++) {
		uint64_t number;
		const char *name = gm_lv_stats_split(&record->params[i], group->prefix, &number);

		if (!name)
			continue;
		if (!device.open || device.number != number) {
			flush_device(record, group, history, &device, batch);
			device.open = true;
			device.number = number;
		}
		gather(record, group, &device, name, &record->params[i]);
	}
	flush_device(record, group, history, &device, batch);
}

int gm_lv_stats_state(const struct gm_lv_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		const virTypedParameter *param = &record->params[i];

		if (strncmp(param->field, "state.state", sizeof(param->field)) == 0 &&
		    param->type == VIR_TYPED_PARAM_INT)
			return param->value.i;
	}
	return -1;
}

void gm_lv_stats_devices(const struct gm_lv_record *record,
			 void (*visit)(void *user, const char *device), void *user)
{
	for (size_t i = 0; i < record->count; i++) {
		const virTypedParameter *param = &record->params[i];
		uint64_t number;
		const char *name = gm_lv_stats_split(param, interface_group.prefix, &number);

		if (name && strcmp(name, "name") == 0 && param->type == VIR_TYPED_PARAM_STRING &&
		    param->value.s && *param->value.s)
			visit(user, param->value.s);
	}
}

static void note_device(void *user, const char *device)
{
	(void)device;
	*(bool *)user = true;
}

bool gm_lv_stats_counts(const struct gm_lv_record *record)
{
	bool counts = false;

	gm_lv_stats_devices(record, note_device, &counts);
	return counts;
}

void gm_lv_stats_fast(const struct gm_lv_record *record, struct gm_batch *batch)
{
	struct gm_entity_key key = gm_entity_guest(record->uuid);
	int state = gm_lv_stats_state(record);

	if (state >= 0 &&
	    gm_batch_frame(batch, &key, gm_lv_stats_measured_at(record), record->read_at, 0))
		gm_batch_gauge(batch, GM_METRIC_GUEST_STATE, state);
	read_devices(record, &interface_group, NULL, batch);
}

/* What the slow lane reads of the guest itself, before it becomes metrics. */
enum guest_value {
	VALUE_CPU_TIME,
	VALUE_CPU_USER,
	VALUE_CPU_SYSTEM,
	VALUE_VCPUS,
	VALUE_VCPU_TIME,
	VALUE_VCPU_WAIT,
	VALUE_VCPU_DELAY,
	VALUE_BALLOON,
	VALUE_MAXIMUM,
	VALUE_AVAILABLE,
	VALUE_USABLE,
	VALUE_UNUSED,
	VALUE_CACHES,
	VALUE_SWAP_IN,
	VALUE_SWAP_OUT,
	VALUE_FAULT_MAJOR,
	VALUE_FAULT_MINOR,
	VALUE_LAST_UPDATE,
	VALUE_RSS,
	VALUE_DIRTY_STATUS,
	VALUE_DIRTY_START,
	VALUE_DIRTY_RATE,
	VALUE_COUNT
};

enum { KIB = 1024, MIB = 1024 * KIB };

/* libvirt's sizes are KiB, its times ns, its periods whole seconds. */
static const struct {
	const char *name;
	uint16_t value;
	uint32_t scale;
} guest_fields[] = {
	{"cpu.time", VALUE_CPU_TIME, 1},
	{"cpu.user", VALUE_CPU_USER, 1},
	{"cpu.system", VALUE_CPU_SYSTEM, 1},
	{"vcpu.current", VALUE_VCPUS, 1},
	{"balloon.current", VALUE_BALLOON, KIB},
	{"balloon.maximum", VALUE_MAXIMUM, KIB},
	{"balloon.available", VALUE_AVAILABLE, KIB},
	{"balloon.usable", VALUE_USABLE, KIB},
	{"balloon.unused", VALUE_UNUSED, KIB},
	{"balloon.disk_caches", VALUE_CACHES, KIB},
	{"balloon.swap_in", VALUE_SWAP_IN, KIB},
	{"balloon.swap_out", VALUE_SWAP_OUT, KIB},
	{"balloon.major_fault", VALUE_FAULT_MAJOR, 1},
	{"balloon.minor_fault", VALUE_FAULT_MINOR, 1},
	{"balloon.last-update", VALUE_LAST_UPDATE, 1},
	{"balloon.rss", VALUE_RSS, KIB},
	{"dirtyrate.calc_status", VALUE_DIRTY_STATUS, 1},
	{"dirtyrate.calc_start_time", VALUE_DIRTY_START, 1},
	{"dirtyrate.megabytes_per_second", VALUE_DIRTY_RATE, MIB},
};

struct guest {
	uint32_t present; /* bit per enum guest_value */
	uint64_t value[VALUE_COUNT];
};

static bool has(const struct guest *guest, enum guest_value value)
{
	return guest->present & (1U << value);
}

static void set(struct guest *guest, enum guest_value value, uint64_t number)
{
	guest->value[value] = number;
	guest->present |= 1U << value;
}

/* The times of vCPUs ("vcpu.N.time" and the like) are summed. */
static void read_vcpu(struct guest *guest, const virTypedParameter *param)
{
	uint64_t number, value;
	const char *name = gm_lv_stats_split(param, "vcpu.", &number);

	if (!name || !read_count(param, &value))
		return;
	if (strcmp(name, "time") == 0)
		set(guest, VALUE_VCPU_TIME, guest->value[VALUE_VCPU_TIME] + value);
	else if (strcmp(name, "wait") == 0)
		set(guest, VALUE_VCPU_WAIT, guest->value[VALUE_VCPU_WAIT] + value);
	else if (strcmp(name, "delay") == 0)
		set(guest, VALUE_VCPU_DELAY, guest->value[VALUE_VCPU_DELAY] + value);
}

static void read_guest(const struct gm_lv_record *record, struct guest *guest)
{
	for (size_t i = 0; i < record->count; i++) {
		const virTypedParameter *param = &record->params[i];
		uint64_t value;

		read_vcpu(guest, param);
		for (size_t f = 0; f < COUNT_OF(guest_fields); f++) {
			if (strncmp(param->field, guest_fields[f].name, sizeof(param->field)) != 0)
				continue;
			if (read_count(param, &value) &&
			    value <= UINT64_MAX / guest_fields[f].scale)
				set(guest, guest_fields[f].value, value * guest_fields[f].scale);
			break;
		}
	}
}

bool gm_lv_stats_monitored(const struct gm_lv_record *record)
{
	/* "balloon.current" and "balloon.maximum" are libvirt's own knowledge. */
	static const char *const balloon[] = {"balloon.rss", "balloon.unused", "balloon.available",
					      "balloon.last-update"};

	for (size_t i = 0; i < record->count; i++) {
		const virTypedParameter *param = &record->params[i];
		uint64_t number;
		const char *name = gm_lv_stats_split(param, disk_group.prefix, &number);

		if (name && strncmp(name, "rd.", 3) == 0)
			return true;
		for (size_t b = 0; b < COUNT_OF(balloon); b++) {
			if (strncmp(param->field, balloon[b], sizeof(param->field)) == 0)
				return true;
		}
	}
	return false;
}

struct output {
	uint16_t value, metric;
};

static const struct output live_outputs[] = {
	{VALUE_CPU_TIME, GM_METRIC_CPU_TIME},      {VALUE_CPU_USER, GM_METRIC_CPU_USER},
	{VALUE_CPU_SYSTEM, GM_METRIC_CPU_SYSTEM},  {VALUE_VCPUS, GM_METRIC_CPU_COUNT},
	{VALUE_VCPU_TIME, GM_METRIC_VCPU_TIME},    {VALUE_VCPU_WAIT, GM_METRIC_VCPU_WAIT},
	{VALUE_VCPU_DELAY, GM_METRIC_VCPU_STEAL},  {VALUE_BALLOON, GM_METRIC_MEMORY_BALLOON},
	{VALUE_MAXIMUM, GM_METRIC_MEMORY_MAXIMUM},
};

/* The guest's own account, as old as its last update. */
static const struct output told_outputs[] = {
	{VALUE_AVAILABLE, GM_METRIC_MEMORY_TOTAL},  {VALUE_USABLE, GM_METRIC_MEMORY_AVAILABLE},
	{VALUE_UNUSED, GM_METRIC_MEMORY_UNUSED},    {VALUE_CACHES, GM_METRIC_MEMORY_CACHED},
	{VALUE_SWAP_IN, GM_METRIC_SWAP_IN},         {VALUE_SWAP_OUT, GM_METRIC_SWAP_OUT},
	{VALUE_FAULT_MAJOR, GM_METRIC_FAULT_MAJOR}, {VALUE_FAULT_MINOR, GM_METRIC_FAULT_MINOR},
};

/* Opens the frame at the first output that is there. False: there is none, or the batch is full. */
static bool emit(const struct gm_lv_record *record, const struct guest *guest,
		 const struct output *outputs, size_t count, int64_t measured_at,
		 struct gm_batch *batch)
{
	struct gm_entity_key key = gm_entity_guest(record->uuid);
	bool open = false;

	for (size_t i = 0; i < count; i++) {
		if (!has(guest, outputs[i].value) ||
		    (outputs != told_outputs && is_left_out(record, outputs[i].metric)))
			continue;
		if (!open && !gm_batch_frame(batch, &key, measured_at, record->read_at, 0))
			return false;
		open = true;
		put(batch, outputs[i].metric, guest->value[outputs[i].value]);
	}
	return open;
}

/*
 * Used is what is not to be had without swapping; a guest older than Linux 3.14 does not tell that
 * ("usable"), and free memory is the next best.
 */
static void emit_used(const struct guest *guest, struct gm_batch *batch)
{
	enum guest_value free_value = has(guest, VALUE_USABLE) ? VALUE_USABLE : VALUE_UNUSED;

	if (has(guest, VALUE_AVAILABLE) && has(guest, free_value) &&
	    guest->value[free_value] <= guest->value[VALUE_AVAILABLE])
		gm_batch_gauge(batch, GM_METRIC_MEMORY_USED,
			       (double)(guest->value[VALUE_AVAILABLE] - guest->value[free_value]));
}

/* When the guest's account was true. False: it is the one that was emitted before, or none. */
static bool date_balloon(const struct gm_lv_record *record, const struct guest *guest,
			 struct gm_lv_history *history, int64_t *ret_measured_at)
{
	int64_t measured_at = gm_lv_stats_measured_at(record);

	/* The clock was set back: nothing would be told until it is there again. */
	if (history->measured_at - GM_CLOCK_SET_BACK > record->read_at)
		history->measured_at = 0;
	/* A driver that tells no date (LXC, from the cgroup) reads it live. */
	if (has(guest, VALUE_LAST_UPDATE)) {
		uint64_t last_update = guest->value[VALUE_LAST_UPDATE];

		if (last_update == 0 || last_update == history->last_update)
			return false;
		if (last_update <= INT64_MAX / GM_SECOND) {
			int64_t told = (int64_t)last_update * GM_SECOND;
			/* Both are of this century where they can be compared at all. */
			if (!__builtin_sub_overflow(told, record->offset, &told) &&
			    told > history->measured_at && told <= record->read_at)
				measured_at = told;
		}
		history->last_update = last_update;
	}
	if (measured_at <= history->measured_at)
		return false;
	history->measured_at = measured_at;
	*ret_measured_at = measured_at;
	return true;
}

/*
 * A container has no balloon: what its processes hold, of what it may have, is its memory. (Of a
 * virtual machine it is that of its process on the host.)
 */
static void emit_container(const struct gm_lv_record *record, const struct guest *guest,
			   struct gm_batch *batch)
{
	static const struct output outputs[] = {{VALUE_MAXIMUM, GM_METRIC_MEMORY_TOTAL},
						{VALUE_RSS, GM_METRIC_MEMORY_USED}};

	if (has(guest, VALUE_RSS) && has(guest, VALUE_MAXIMUM) && !has(guest, VALUE_LAST_UPDATE) &&
	    !has(guest, VALUE_AVAILABLE) && guest->value[VALUE_RSS] <= guest->value[VALUE_MAXIMUM])
		emit(record, guest, outputs, COUNT_OF(outputs), gm_lv_stats_measured_at(record),
		     batch);
}

/* The dirty rate is measured on demand: told once per measurement, dated by its end's reading. */
static void emit_dirty_rate(const struct gm_lv_record *record, const struct guest *guest,
			    struct gm_lv_history *history, struct gm_batch *batch)
{
	static const struct output rate[] = {{VALUE_DIRTY_RATE, GM_METRIC_MEMORY_DIRTY}};

	if (!has(guest, VALUE_DIRTY_STATUS) || !has(guest, VALUE_DIRTY_START) ||
	    guest->value[VALUE_DIRTY_STATUS] != VIR_DOMAIN_DIRTYRATE_MEASURED ||
	    guest->value[VALUE_DIRTY_START] == history->dirty_update)
		return;
	history->dirty_update = guest->value[VALUE_DIRTY_START];
	emit(record, guest, rate, COUNT_OF(rate), gm_lv_stats_measured_at(record), batch);
}

void gm_lv_stats_slow(const struct gm_lv_record *record, struct gm_lv_history *history,
		      struct gm_batch *batch)
{
	struct guest guest = {0};
	int64_t measured_at;

	read_guest(record, &guest);
	emit(record, &guest, live_outputs, COUNT_OF(live_outputs), gm_lv_stats_measured_at(record),
	     batch);
	if (!record->told_elsewhere && date_balloon(record, &guest, history, &measured_at) &&
	    emit(record, &guest, told_outputs, COUNT_OF(told_outputs), measured_at, batch))
		emit_used(&guest, batch);
	emit_container(record, &guest, batch);
	emit_dirty_rate(record, &guest, history, batch);
	read_devices(record, &disk_group, history, batch);
}

/* Of what the guest tells, its date included. */
static uint64_t digest(const struct guest *guest)
{
	return gm_hash(GM_HASH_FIRST, &guest->value[VALUE_AVAILABLE],
		       (VALUE_LAST_UPDATE + 1 - VALUE_AVAILABLE) * sizeof(guest->value[0]));
}

void gm_lv_stats_asked(const struct gm_lv_record *record, int64_t asked_at, uint64_t *seen,
		       struct gm_batch *batch)
{
	struct guest guest = {0};

	read_guest(record, &guest);
	uint64_t now = digest(&guest);
	/* 0: no driver in the guest has ever answered. */
	if (now == *seen || guest.value[VALUE_LAST_UPDATE] == 0)
		return;
	*seen = now;
	if (emit(record, &guest, told_outputs, COUNT_OF(told_outputs), asked_at, batch))
		emit_used(&guest, batch);
}
