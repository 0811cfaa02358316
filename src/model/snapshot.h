/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consistent picture of everything that readers are shown. The main thread builds one a few times
 * a second and never touches it again; readers on any thread (MIB, CLI) hold a reference while they
 * read, so all values of one answer belong together and no reader waits for a poll, Redis or libvirt.
 */
#ifndef GM_MODEL_SNAPSHOT_H
#define GM_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/alarm.h"
#include "model/entity.h"
#include "model/event.h"
#include "model/finding.h"
#include "model/metric.h"
#include "model/note.h"
#include "model/threshold.h"

/* The newest sample of a metric, and its rate of change where it is a counter. */
struct gm_last {
	uint16_t metric;
	bool has_rate;
	union gm_value value;
	double rate;         /* per second, over the last two kept samples */
	int64_t measured_at; /* readers show the age: now less this */
};

/* The newest samples of an entity, sorted by metric. Absent metric: not known. */
struct gm_last_set {
	size_t count;
	struct gm_last *items;
};
const struct gm_last *gm_last_find(const struct gm_last_set *set, unsigned metric);

struct gm_guest_row {
	uint32_t index; /* vmIndex: small, stable over restarts */
	uint8_t uuid[GM_UUID_SIZE];
	struct gm_guest_info info;
	bool stale;                  /* no answer from it for several intervals */
	int64_t started_at;          /* 0: not known */
	char tenant[GM_TENANT_SIZE]; /* gm_tenant_name() */
	uint32_t active_alarms;
	uint32_t detectors; /* that judge it: bits 1 << place in the snapshot's `detectors` */
	uint32_t switched_detectors; /* that managers have switched on or off: likewise */
	struct gm_last_set last;
};

/* The highest rates of an interface's bins: in both directions those of 100 ms and the finest that there were. */
enum gm_peak_kind { GM_PEAK_RX, GM_PEAK_RX_FINE, GM_PEAK_TX, GM_PEAK_TX_FINE, GM_PEAK_KINDS };

struct gm_peak {
	double rate; /* bit/s */
	int64_t at;  /* the end of its bin; 0: not known */
};

struct gm_interface_row {
	uint32_t guest_index; /* 0: a device of the host */
	uint32_t ordinal; /* stable number within the guest; a host's device: the kernel's index */
	char device[GM_DEVICE_NAME];
	struct gm_interface_info info;
	struct gm_last_set last;
	struct gm_peak peaks[GM_PEAK_KINDS]; /* of the last minute */
};

struct gm_disk_row {
	uint32_t guest_index;
	uint32_t ordinal;            /* place among the guest's disks, from 1 */
	char target[GM_DEVICE_NAME]; /* as the guest's machine names it: "vda" */
	struct gm_disk_info info;
	struct gm_last_set last;
	uint64_t errors;   /* that events told of; nothing where `info.alias` is not known */
	int64_t failed_at; /* the newest; 0: none */
};

struct gm_vcpu_row {
	uint32_t guest_index;
	uint32_t number; /* from 1 */
	struct gm_vcpu vcpu;
	struct gm_last_set last; /* its times, as metrics vcpu.* */
};

struct gm_tenant_row {
	char name[GM_TENANT_SIZE];
	char project[GM_NAME_SIZE];
	uint32_t guests, ports, active_alarms;
};

/* Alarms as RFC 3877 counts them, since the daemon's start; by enum gm_severity. */
enum { GM_ALARM_SEVERITIES = 7 };
struct gm_alarm_totals {
	uint32_t active[GM_ALARM_SEVERITIES];
	uint64_t raised[GM_ALARM_SEVERITIES];
	int64_t raised_at, cleared_at; /* the newest; 0: none that is known */
	int64_t changed_at;            /* the newer of the two */
};

/* The node as a host of guests. */
struct gm_host_row {
	struct gm_node_info info; /* empty: not known */
	int64_t booted_at;
	uint32_t cpu_count;        /* CPUs that a vCPU's affinity can name; 0: not known */
	int64_t guests_changed_at; /* when a guest came or went last; 0: not since the start */
};

/* What a detector thinks of an entity now, in one metric. */
struct gm_finding_row {
	uint32_t guest_index, ordinal; /* as above; ordinal 0 for the guest itself */
	bool rx;                       /* burst: direction */
	uint32_t alarm_id;             /* 0: none active */
	struct gm_finding finding;
};

struct gm_process_row {
	uint32_t guest_index; /* 0: a process of the node */
	uint32_t pid;
	char command[sizeof(((struct gm_process_info *)0)->command)];
	struct gm_last_set last;
	uint32_t alarm_id;      /* of its leak; 0: none active */
	struct gm_finding leak; /* time 0: not judged (yet) */
};

/* What the burst detector judges of an interface apart from each other, numbered as the MIB does. */
enum gm_burst_part {
	GM_BURST_PART_RX_BYTES = 1,
	GM_BURST_PART_TX_BYTES,
	GM_BURST_PART_RX_PACKETS,
	GM_BURST_PART_TX_PACKETS,
};

/* What is counted of one part's bursts: figures that only grow. */
struct gm_burst_total_row {
	uint32_t guest_index, ordinal;
	uint32_t part;         /* enum gm_burst_part */
	uint64_t bursts;       /* begun */
	uint64_t time;         /* ns: total length of those that have ended */
	uint64_t volume;       /* bytes, or packets */
	uint64_t dropped;      /* packets lost while bursts were on */
	uint64_t told, untold; /* bursts reported, and only counted in a storm */
	uint64_t storms;
};

enum gm_histogram {
	GM_HISTOGRAM_DURATION = 1, /* microseconds */
	GM_HISTOGRAM_GAP,          /* milliseconds */
	GM_HISTOGRAM_PEAK,         /* kbit/s, or packets per second */
	GM_HISTOGRAM_VOLUME,       /* bytes, or packets */
};

/*
 * One bucket of a histogram by powers of two: bucket b counts values from 2^(b-1) up to, not including,
 * 2^b; the first also what is less. The buckets of a histogram go from 1 to the highest that has
 * counted anything.
 */
struct gm_bucket_row {
	uint32_t guest_index, ordinal;
	uint8_t part, histogram, bucket; /* enum gm_burst_part, enum gm_histogram, from 1 */
	bool last;                       /* of what a histogram can hold: also what is more */
	uint64_t count;
};

/* The series that are shown as a whole, numbered as the MIB does. */
enum gm_packed_series {
	GM_PACKED_MEMORY_USED = 1,
	GM_PACKED_MEMORY_RESIDENT,
	GM_PACKED_CPU_TIME, /* microseconds */
	GM_PACKED_RX_OCTETS,
	GM_PACKED_TX_OCTETS,
};

enum { GM_PACKED_SAMPLES = 100, GM_PACKED_RECORD = 12 };

/*
 * The newest samples of a series, oldest first, each in a record of GM_PACKED_RECORD octets: microseconds
 * after the first (4 octets) and the value (8 octets), both unsigned, the highest octet first.
 */
struct gm_packed_row {
	uint32_t guest_index, ordinal;
	uint32_t series; /* enum gm_packed_series */
	uint32_t count;
	int64_t first_at, last_at;
	int64_t span; /* ns between the two */
	const uint8_t *records;
};

/* The metrics of errors and drops that are judged of a guest's (or the node's) interfaces. */
enum gm_error_kind {
	GM_ERROR_RX_ERRORS = 1,
	GM_ERROR_RX_DROPS,
	GM_ERROR_TX_ERRORS,
	GM_ERROR_TX_DROPS,
};

/* Ports of the node that burst at the same time. */
struct gm_contention_row {
	uint32_t ports;  /* that had a burst on within the last second */
	uint32_t most;   /* at once since the start */
	uint64_t bursts; /* looked at */
};

/* An output and what it has told (daemon/outbox.h), numbered as the MIB does. */
enum gm_output_state {
	GM_OUTPUT_WORKING = 1,
	GM_OUTPUT_WAITING, /* for the receiver, after a failure; the agent's: for the master agent */
	GM_OUTPUT_PAUSED,  /* by the operator */
	GM_OUTPUT_ABSENT,  /* the driver could not be made */
};
const char *gm_output_state_name(enum gm_output_state state); /* "working", … */

enum { GM_OUTPUT_ERROR = 256 }; /* as much as an SnmpAdminString holds */

struct gm_output_row {
	char name[48], type[16];
	enum gm_output_state state;
	uint64_t position; /* sequence number of the last transition that is done with */
	uint64_t backlog;  /* transitions behind it, those that it does not tell included */
	uint32_t in_flight;
	uint64_t delivered, retried, refused; /* since the start; refused: given up */
	uint64_t expired, overflowed; /* given up: too old, too many, no longer in the journal */
	int64_t delivered_at;         /* node's time of the last delivery; 0: none yet */
	int64_t failing_since;        /* node's time; 0: the last attempt went well */
	int64_t next_try_at;          /* node's time; 0: at once */
	/* Of the last attempt that failed; kept until one goes well. Ends with … where it is cut. */
	char error[GM_OUTPUT_ERROR];
};

struct gm_agent_row {
	char node[GM_NAME_SIZE];
	char version[32];
	int64_t started_at;
	uint32_t boots;         /* starts of the daemon on this state directory */
	uint64_t samples;       /* readings taken in since the start */
	uint64_t queue_dropped; /* batches lost between sources and main */
	double sample_rate;     /* readings per second, over the last few seconds */
	bool store_connected;
	char store[32]; /* "redis", "memory" */
	char store_state[192];
	uint64_t store_written, store_dropped, store_filled; /* frames */
	uint64_t last_sequence;                              /* of the newest transition */
	uint64_t cpu_ns;
	uint64_t resident; /* bytes */
};

enum { GM_SNAPSHOT_DETECTORS = 16 };

struct gm_snapshot {
	int64_t taken_at;
	struct gm_agent_row agent;
	struct gm_last_set node;
	struct gm_host_row host;
	size_t source_count;
	struct gm_source_status sources[GM_SOURCE_COUNT];
	size_t guest_count;
	struct gm_guest_row *guests; /* by index */
	size_t interface_count;
	struct gm_interface_row *interfaces; /* by (guest_index, ordinal) */
	size_t port_count;
	struct gm_interface_row *ports; /* the guests' among them: the host's come first */
	size_t disk_count;
	struct gm_disk_row *disks; /* of guests; by (guest_index, ordinal) */
	size_t tenant_count;
	struct gm_tenant_row *tenants; /* by (length of the name, name) */
	size_t vcpu_count;
	struct gm_vcpu_row *vcpus; /* by (guest_index, number) */
	size_t leak_count;
	struct gm_finding_row *leaks; /* by guest_index; 0: the node */
	size_t host_leak_count;
	struct gm_finding_row *host_leaks; /* of guests' processes on the node; by guest_index */
	size_t process_count;
	struct gm_process_row *processes; /* by (guest_index, pid) */
	size_t burst_count;
	struct gm_finding_row *bursts; /* by (guest_index, ordinal, direction: rx first) */
	size_t packet_burst_count;
	struct gm_finding_row *packet_bursts; /* likewise */
	size_t burst_total_count;
	struct gm_burst_total_row *burst_totals; /* by (guest_index, ordinal, part) */
	size_t burst_bucket_count;
	struct gm_bucket_row *burst_buckets; /* by (guest_index, …, histogram, bucket) */
	struct gm_contention_row contention;
	size_t contention_bucket_count;
	struct gm_bucket_row *contention_buckets; /* by bucket: bursts by ports at once */
	size_t anomaly_count;
	struct gm_finding_row *anomalies; /* by guest_index; 0: the node */
	size_t error_count;
	struct gm_finding_row *errors; /* by (guest_index, ordinal: enum gm_error_kind) */
	size_t packed_count;
	struct gm_packed_row *packed; /* by (guest_index, ordinal, series) */
	size_t alarm_count;
	struct gm_alarm *alarms; /* active, by id */
	size_t log_count;
	struct gm_transition *log; /* the newest transitions, by sequence */
	struct gm_alarm_totals totals;
	size_t timed_count;
	const struct gm_alarm *
		*timed; /* the active ones by (tenths of a second of the raise, id) */
	size_t cleared_count;
	const struct gm_alarm **cleared; /* of the log, by (tenths of a second of the clear, id) */
	size_t output_count;
	struct gm_output_row *outputs; /* by name */
	size_t threshold_count;
	struct gm_threshold_row *thresholds; /* by gm_threshold_compare() */
	size_t managed_count; /* that managers have made: what a file's hides of them, too */
	uint32_t detector_count;
	const char *detectors[GM_SNAPSHOT_DETECTORS]; /* their names */
	size_t switch_count; /* known guests' detectors that managers have switched on or off */
	uint64_t changes;    /* by managers, that are in this picture or have failed */

	/* private */
	unsigned references;
	struct gm_arena *arena;   /* owns every array above but `packed`: */
	struct gm_packed *series; /* packed.h; NULL: none, or `packed` is in the arena */
};

/* Builds: one thread, before it is published. Memory lives as long as the snapshot. */
struct gm_snapshot *gm_snapshot_create(void);           /* NULL: out of memory */
void gm_snapshot_destroy(struct gm_snapshot *snapshot); /* one that was never published */
void *gm_snapshot_alloc(struct gm_snapshot *snapshot, size_t count,
			size_t size); /* zeroed; NULL: out of memory */

/* A copy with arrays of its own to come: those that it has are those of `whole`, which outlives it. */
struct gm_snapshot *gm_snapshot_shadow(const struct gm_snapshot *whole);

/* The row of the output of that name, or NULL. */
const struct gm_output_row *gm_snapshot_output(const struct gm_snapshot *snapshot,
					       const char *name);

/* The active alarm of that number, or NULL. */
const struct gm_alarm *gm_snapshot_alarm(const struct gm_snapshot *snapshot, uint32_t id);

/* Makes `timed`, `cleared` and `totals` but for `raised` out of the alarms and the log. 0 or -ENOMEM. */
int gm_snapshot_order_alarms(struct gm_snapshot *snapshot);

/* The place that holds the present snapshot. */
struct gm_snapshot_slot;
int gm_snapshot_slot_create(struct gm_snapshot_slot **ret_slot);
void gm_snapshot_slot_free(struct gm_snapshot_slot *slot);

/* Takes the caller's reference and lets go of the one before. */
void gm_snapshot_publish(struct gm_snapshot_slot *slot, struct gm_snapshot *snapshot);

/* The present snapshot with a reference of the caller's, or NULL before the first. Any thread. */
const struct gm_snapshot *gm_snapshot_acquire(struct gm_snapshot_slot *slot);
void gm_snapshot_release(struct gm_snapshot_slot *slot, const struct gm_snapshot *snapshot);

#endif
